//! Duties that do not go silent: what was inspected, imported and decided counts as far as it goes, and what a closed
//! account leaves behind is somebody else's. On SQLite and on PostgreSQL.

use crate::inspection::in_use;
use crate::support::hall::{Hall, PASSWORD};
use crate::support::hall_steps::{permit_items, person_items};
use cityquery::access::Code;
use serde_json::{Value, json};
use time::Duration;

const OVERDUE: &str = "{ overdueInspections { matter number dueOn } }";

/// Access tokens last a quarter of an hour.
async fn later(hall: &mut Hall, days: i64, people: &[&str]) {
    hall.clock.advance(Duration::days(days));
    for who in people {
        hall.sign_in(who, PASSWORD).await;
    }
}

async fn reported(hall: &Hall, days: &str) -> String {
    let draw = format!("mutation {{ step: drawInspection{days} {{ number }} }}");
    let drawn = hall.ask("fire.admin", &draw, json!({})).await;
    let number = drawn.step()["number"].as_str().expect("a number").to_owned();
    let report = "mutation($number: String!) { step: reportInspection(number: $number, summary: \"如附\") { status } }";
    hall.ask("fire.admin", report, json!({ "number": number })).await.step();
    number
}

/// 查驗陳報: a report of days that were not to be inspected is none.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_counts_as_far_as_it_has_seen() {
    for mut hall in Hall::on_each().await {
        in_use(&mut hall).await;
        let people = ["fire.admin", "fire.head", "ethics.officer"];
        let late =
            async |hall: &Hall| hall.ask("fire.admin", OVERDUE, json!({})).await.data()["overdueInspections"].clone();
        let no_report = json!({ "matter": "REPORT", "number": null, "dueOn": "2026-04-01" });
        later(&mut hall, 48, &people).await; // 2026-04-19
        assert_eq!(late(&hall).await, json!([no_report]));
        for days in ["(until: \"2020-01-01\")", "(from: \"2026-04-19\")", "(until: \"2026-03-01\")"] {
            reported(&hall, days).await;
            assert_eq!(late(&hall).await, json!([no_report]), "{days}");
        }
        // From the first form to two weeks ago: the next is due an interval later.
        reported(&hall, "(from: \"2026-03-02\", until: \"2026-04-05\")").await;
        assert_eq!(late(&hall).await, json!([]));
        later(&mut hall, 14, &people).await; // 2026-05-03
        let drawn = hall.ask("fire.admin", "mutation { step: drawInspection { number from until } }", json!({})).await;
        let number = drawn.step()["number"].clone();
        later(&mut hall, 15, &people).await; // 2026-05-18
        let seen = late(&hall).await;
        let seen = seen.as_array().expect("a list");
        assert!(seen.contains(&json!({ "matter": "REPORT", "number": null, "dueOn": "2026-05-05" })), "{seen:#?}");
        // What was drawn is to be reported, whatever it shows.
        let waits = json!({ "matter": "DRAWING", "number": number, "dueOn": "2026-05-17" });
        assert!(seen.contains(&waits), "{seen:#?}");
    }
}

/// 其他查詢管道: no log is of days to come, and its reviewer sees the channel.
#[tokio::test(flavor = "multi_thread")]
async fn a_channels_log_ends_today() {
    for mut hall in Hall::on_each().await {
        hall.staffed().await;
        let register = "mutation($input: ChannelInput!) { step: registerChannel(input: $input) { name } }";
        let channel = |name: &str, reviewer: &str| {
            json!({ "input": { "name": name, "title": "櫃檯", "dataset": "fire", "reviewer": reviewer, "intervalDays": 30,
                "mapping": { "at": "at", "who": "who", "what": "what" } } })
        };
        hall.ask("fire.dba", register, channel("counter", "fire.officer")).await.step();
        hall.ask("fire.dba", register, channel("terminal", "fire.dba")).await.step();
        let import = "mutation($until: Date!, $csv: String!) { step: importChannelLog(name: \"counter\", \
                      from: \"2026-03-01\", until: $until, csv: $csv) { imports { accepted rejected } } }";
        let csv = format!(
            "at,who,what\n2026-03-01 09:00:00,甲,場所\n2026-03-02 20:00:00,乙,場所\n2026-03-02 08:00:00,{},場所\n",
            "長".repeat(201)
        );
        for until in ["2026-03-03", "9999-12-31"] {
            let refused = hall.ask("fire.officer", import, json!({ "until": until, "csv": csv })).await;
            let refused = refused.refused(Code::BadUserInput);
            assert!(refused["message"].as_str().is_some_and(|text| text.contains("2026-03-02")), "{refused:#}");
        }
        let imported = hall.ask("fire.officer", import, json!({ "until": "2026-03-02", "csv": csv })).await;
        let rejected = json!(["line 3: has not happened yet", "line 4: who is longer than 200 characters"]);
        assert_eq!(imported.step()["imports"], json!([{ "accepted": 1, "rejected": rejected }]));

        let names =
            async |who: &str| hall.ask(who, "{ channels { name } }", json!({})).await.data()["channels"].clone();
        assert_eq!(names("fire.officer").await, json!([{ "name": "counter" }]));
        assert_eq!(names("fire.dba").await, json!([{ "name": "counter" }, { "name": "terminal" }]));
        assert_eq!(names("tax.clerk").await, json!([]));
    }
}

/// 審核期限: each custodian's time begins when its own annex is handed in.
#[tokio::test(flavor = "multi_thread")]
async fn a_returned_annex_gives_the_others_no_more_time() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        let items: Vec<Value> = [permit_items(), person_items()]
            .iter()
            .flat_map(|some| some.as_array().cloned().unwrap_or_default())
            .collect();
        let drafted = hall.draft("fire.admin", Hall::input(&json!(items))).await;
        let submitted = hall.submit("fire.admin", &drafted).await;
        later(&mut hall, 10, &["fire.admin", "household.dba"]).await;
        let returned = hall.decide("household.dba", &submitted, "RETURN", "請補正").await;
        hall.submit("fire.admin", &returned).await;
        later(&mut hall, 5, &["building.dba", "household.dba"]).await;
        hall.app.engine.procedure().keep_house().await.expect("keeps the house");
        let told = async |who: &str| {
            let inbox = hall.ask(who, "{ inbox { textEn } }", json!({})).await;
            inbox.data()["inbox"].to_string().contains("has not decided on application")
        };
        assert!(told("building.dba").await, "fourteen days are over");
        assert!(!told("household.dba").await, "five days only");
    }
}

/// 離職: a closed account is in no group, and the channel that it reviewed needs another reviewer.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_closed_account_leaves_behind() {
    for mut hall in Hall::on_each().await {
        in_use(&mut hall).await;
        let register = "mutation($input: ChannelInput!) { step: registerChannel(input: $input) { name } }";
        let channel = json!({ "input": { "name": "counter", "title": "櫃檯", "dataset": "fire", "reviewer": "fire.third",
            "intervalDays": 30, "mapping": { "at": "at", "who": "who", "what": "what" } } });
        hall.ask("fire.dba", register, channel).await.step();
        let close = "mutation { step: closeAccount(account: \"fire.third\", reason: \"離職\") { status } }";
        hall.ask("fire.admin", close, json!({})).await.step();
        let groups = hall.ask("fire.admin", "{ userGroups { members } }", json!({})).await;
        assert_eq!(groups.data()["userGroups"], json!([{ "members": ["fire.officer", "fire.second"] }]));
        for who in ["fire.dba", "fire.head"] {
            let inbox = hall.ask(who, "{ inbox { about number textEn } }", json!({})).await;
            let first = inbox.data()["inbox"][0].clone();
            assert_eq!((&first["about"], &first["number"]), (&json!("channel"), &json!("counter")), "{who}");
            assert!(first["textEn"].as_str().is_some_and(|text| text.contains("name another reviewer")), "{first:#}");
        }
    }
}
