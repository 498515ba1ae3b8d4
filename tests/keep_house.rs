//! What happens by time alone: accounts that nobody uses are suspended and closed, and who can do something about it is
//! reminded of what will end. With a clock that moves, on SQLite and on PostgreSQL.

use crate::support::hall::{Hall, PASSWORD};
use crate::support::hall_steps::permit_items;
use axum::http::StatusCode;
use cityquery::audit::Kind;
use cityquery::config::{Config, PasswordPreset};
use cityquery::procedure::entity::step;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use time::Duration;

const RESUME: &str =
    "mutation($account: String!) { step: resumeAccount(account: $account, reason: \"復職\") { status } }";

/// Passwords do not end in between.
fn without_end(config: &mut Config) {
    config.accounts.password_preset = PasswordPreset::Asvs;
}

async fn keep(hall: &Hall) {
    hall.app.engine.procedure().keep_house().await.expect("keeps the house");
}

async fn all_sign_in(hall: &mut Hall, names: &[&str]) {
    for name in names {
        hall.sign_in(name, PASSWORD).await;
    }
}

/// Status of an account, as the information office sees it.
async fn status(hall: &Hall, name: &str) -> String {
    let all = hall.ask("it.admin", "{ accounts { account status } }", json!({})).await;
    let all = all.data()["accounts"].as_array().expect("accounts").clone();
    let one = all.iter().find(|one| one["account"] == name).expect("the account");
    one["status"].as_str().expect("a status").to_owned()
}

/// Somebody's notices about that.
async fn told(hall: &Hall, who: &str, about: &str, number: &str) -> Vec<Value> {
    let inbox = hall.ask(who, "{ inbox { about number textEn textZh dueOn } }", json!({})).await;
    let inbox = inbox.data()["inbox"].as_array().expect("notices").clone();
    inbox.into_iter().filter(|notice| notice["about"] == about && notice["number"] == number).collect()
}

/// Steps that the program took itself with an account.
async fn steps_with(hall: &Hall, name: &str) -> Vec<step::Model> {
    let own = step::Entity::find().filter(step::Column::Account.eq("cityquery"));
    let own = own.all(hall.app.accounts.db()).await.expect("steps");
    own.into_iter().filter(|step| step.detail.contains(&format!("\"{name}\""))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_unused_for_long_is_suspended_and_closed_at_last() {
    for mut hall in Hall::on_each_with(without_end).await {
        let in_use = ["it.admin", "fire.admin", "tax.admin"];
        hall.staffed().await;
        hall.clock.advance(Duration::days(60));
        all_sign_in(&mut hall, &in_use).await;
        hall.clock.advance(Duration::days(30) - Duration::minutes(10));
        all_sign_in(&mut hall, &in_use).await;
        keep(&hall).await;
        assert_eq!(status(&hall, "fire.officer").await, "ACTIVE");

        hall.clock.advance(Duration::minutes(10));
        keep(&hall).await;
        keep(&hall).await;
        for (name, expected) in [("fire.officer", "SUSPENDED"), ("tax.clerk", "SUSPENDED"), ("fire.admin", "ACTIVE")] {
            assert_eq!(status(&hall, name).await, expected, "{name}");
        }
        let body = json!({ "account": "fire.officer", "password": PASSWORD });
        assert_eq!(hall.post("/auth/sign-in", body).await.code(), "UNAUTHENTICATED");

        // Told once, in both languages; written down as a step and as a record.
        let notices = told(&hall, "fire.admin", "account", "fire.officer").await;
        assert_eq!(notices.len(), 1, "{notices:#?}");
        assert!(notices[0]["textEn"].as_str().is_some_and(|text| text.contains("not used for 90 days")));
        assert!(notices[0]["textZh"].as_str().is_some_and(|text| text.contains("90 日未使用")));
        // Nobody runs the accounts of an office without business administrator but the information office.
        assert_eq!(told(&hall, "it.admin", "account", "commission.officer").await.len(), 1);
        let steps = steps_with(&hall, "fire.officer").await;
        assert_eq!(steps.iter().map(|step| step.operation.as_str()).collect::<Vec<_>>(), ["suspendAccount"]);
        let records = hall.records();
        let record = records.iter().find(|record| record.id.to_string() == steps[0].record_id).expect("the record");
        assert_eq!((record.kind, &*record.who.account), (Kind::Administration, "cityquery"));
        assert!(
            record.note.as_deref().is_some_and(|note| note.contains("fire.officer of fire-department is suspended"))
        );

        // Resumed, it counts from that day: it is not suspended again at once, nor closed with the others.
        for name in ["fire.officer", "fire.head"] {
            let by = if name == "fire.head" { "it.admin" } else { "fire.admin" };
            assert_eq!(hall.ask(by, RESUME, json!({ "account": name })).await.step()["status"], "ACTIVE");
        }
        keep(&hall).await;
        assert_eq!(status(&hall, "fire.officer").await, "ACTIVE");
        hall.sign_in("fire.officer", PASSWORD).await;
        let notices = told(&hall, "fire.officer", "account", "fire.officer").await;
        let unused =
            |notice: &&Value| notice["textEn"] == "Your account is suspended now: it was not used for 90 days.";
        assert_eq!(notices.iter().filter(unused).count(), 1, "its owner was told: {notices:#?}");

        hall.clock.advance(Duration::days(60));
        all_sign_in(&mut hall, &in_use).await;
        hall.clock.advance(Duration::days(30) - Duration::minutes(10));
        keep(&hall).await;
        all_sign_in(&mut hall, &in_use).await;
        assert_eq!(status(&hall, "tax.clerk").await, "SUSPENDED");
        hall.clock.advance(Duration::minutes(10));
        keep(&hall).await;
        for (name, expected) in [("tax.clerk", "CLOSED"), ("fire.officer", "SUSPENDED"), ("fire.head", "SUSPENDED")] {
            assert_eq!(status(&hall, name).await, expected, "{name}");
        }
        assert_eq!(told(&hall, "tax.admin", "account", "tax.clerk").await.len(), 2, "suspended, closed");
        assert_eq!(hall.ask("tax.admin", RESUME, json!({ "account": "tax.clerk" })).await.code(), "CONFLICT");

        // Nobody lets the city in again but the information office: its last account stays.
        hall.clock.advance(Duration::days(1000));
        keep(&hall).await;
        keep(&hall).await;
        hall.sign_in("it.admin", PASSWORD).await;
        assert_eq!(status(&hall, "fire.admin").await, "SUSPENDED");
        let second = ("it.second", "information-office", "INFORMATION_OFFICE");
        hall.known_person("it.admin", second.0, second.1, second.2).await;
        hall.clock.advance(Duration::days(45));
        hall.sign_in("it.second", PASSWORD).await;
        hall.clock.advance(Duration::days(45));
        keep(&hall).await;
        let body = json!({ "account": "it.admin", "password": PASSWORD });
        assert_eq!(hall.post("/auth/sign-in", body).await.code(), "UNAUTHENTICATED", "another one is there");
        let body = json!({ "account": "it.second", "password": PASSWORD });
        assert_eq!(hall.post("/auth/sign-in", body).await.status, StatusCode::OK);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_servers_one_does_it() {
    for mut hall in Hall::on_each_with(without_end).await {
        hall.staffed().await;
        hall.clock.advance(Duration::days(90));
        hall.sign_in("it.admin", PASSWORD).await;
        let other = hall.second_server().await;
        tokio::join!(keep(&hall), keep(&other));
        for name in ["fire.officer", "fire.head", "tax.clerk"] {
            assert_eq!(steps_with(&hall, name).await.len(), 1, "{name}");
        }
        // The last of them all is told of the others; those who were suspended first are told no more.
        assert_eq!(told(&hall, "it.admin", "account", "commission.officer").await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_can_change_it_is_reminded_of_a_passwords_end_once() {
    for mut hall in Hall::on_each().await {
        hall.staffed().await;
        hall.clock.advance(Duration::days(75));
        keep(&hall).await;
        hall.sign_in("fire.officer", PASSWORD).await;
        assert!(told(&hall, "fire.officer", "password", "fire.officer").await.is_empty());
        hall.clock.advance(Duration::days(1));
        for _ in 0..3 {
            keep(&hall).await;
            hall.clock.advance(Duration::hours(20));
        }
        hall.sign_in("fire.officer", PASSWORD).await;
        let notices = told(&hall, "fire.officer", "password", "fire.officer").await;
        assert_eq!(notices.len(), 1, "{notices:#?}");
        assert_eq!(notices[0]["dueOn"], "2026-05-31");
        assert!(notices[0]["textZh"].as_str().is_some_and(|text| text.contains("逾期")));

        // A new password ends on another day.
        let body = json!({ "account": "fire.officer", "password": PASSWORD, "newPassword": "Umbrellas-9-below" });
        assert_eq!(hall.post("/auth/password", body).await.status, StatusCode::NO_CONTENT);
        hall.clock.advance(Duration::days(80));
        keep(&hall).await;
        hall.sign_in("fire.officer", "Umbrellas-9-below").await;
        assert_eq!(told(&hall, "fire.officer", "password", "fire.officer").await.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_runs_a_form_is_reminded_of_its_end_once() {
    let settings = |config: &mut Config| {
        without_end(config);
        (config.accounts.idle_suspend_days, config.accounts.idle_close_days) = (0, 0);
    };
    for mut hall in Hall::on_each_with(settings).await {
        hall.prepared().await;
        hall.granted("fire.admin", permit_items(), &["building.dba"], "FIRE-2026-001").await;
        hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
        // It ends on the last day of December.
        hall.clock.advance(Duration::days(273));
        keep(&hall).await;
        all_sign_in(&mut hall, &["it.admin", "fire.admin", "fire.officer", "tax.admin"]).await;
        let ending = |notices: Vec<Value>| notices.iter().filter(|one| one["dueOn"] == "2026-12-31").count();
        assert_eq!(ending(told(&hall, "fire.admin", "master form", "FIRE-2026-001").await), 0);
        hall.clock.advance(Duration::days(1));
        all_sign_in(&mut hall, &["it.admin", "fire.admin", "fire.officer", "tax.admin"]).await;
        let other = hall.second_server().await;
        tokio::join!(keep(&hall), keep(&other));
        keep(&hall).await;
        assert_eq!(ending(told(&hall, "fire.admin", "master form", "FIRE-2026-001").await), 1);
        assert_eq!(ending(told(&hall, "fire.admin", "sub-form", "FIRE-2026-001/1").await), 1);
        assert_eq!(ending(told(&hall, "tax.admin", "master form", "FIRE-2026-001").await), 0);
        assert_eq!(ending(told(&hall, "fire.officer", "master form", "FIRE-2026-001").await), 0);
        // 0 turns the other off: nobody was suspended in all these months.
        assert_eq!(status(&hall, "land.dba").await, "ACTIVE");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_late_is_told_once_a_week_until_it_is_done() {
    let settings = |config: &mut Config| {
        without_end(config);
        (config.accounts.idle_suspend_days, config.accounts.idle_close_days) = (0, 0);
    };
    for mut hall in Hall::on_each_with(settings).await {
        hall.prepared().await;
        hall.granted("fire.admin", permit_items(), &["building.dba"], "FIRE-2026-001").await;
        let register = "mutation($input: ChannelInput!) { step: registerChannel(input: $input) { name } }";
        let channel = json!({
            "name": "counter", "title": "櫃檯查詢終端", "dataset": "fire", "reviewer": "fire.officer", "intervalDays": 10,
            "mapping": { "at": "時間", "who": "人員", "what": "內容" },
        });
        hall.ask("fire.dba", register, json!({ "input": channel })).await.step();
        let report = "mutation { step: reportIncident(input: { title: \"帳號借用\", description: \"二人共用\", account: \
                      \"tax.clerk\" }) { number } }";
        assert_eq!(hall.ask("tax.admin", report, json!({})).await.step()["number"], "E-2026-0001");
        let people = [
            "it.admin",
            "fire.admin",
            "fire.head",
            "fire.officer",
            "tax.admin",
            "tax.head",
            "ethics.officer",
            "building.dba",
            "building.head",
        ];
        let late = async |hall: &mut Hall, who: &str, about: &str, number: &str, text: &str| {
            all_sign_in(hall, &people).await;
            let told = told(hall, who, about, number).await;
            told.iter().filter(|notice| notice["textEn"].as_str().is_some_and(|en| en.contains(text))).count()
        };

        let drafted = hall.draft("tax.admin", Hall::input(&permit_items())).await;
        let number = hall.submit("tax.admin", &drafted).await.number;

        hall.clock.advance(Duration::days(7));
        keep(&hall).await;
        assert_eq!(late(&mut hall, "tax.head", "incident", "E-2026-0001", "Nothing was done").await, 0, "the last day");
        hall.clock.advance(Duration::days(4));
        let other = hall.second_server().await;
        tokio::join!(keep(&hall), keep(&other));
        keep(&hall).await;
        for who in ["tax.head", "tax.admin", "ethics.officer"] {
            assert_eq!(late(&mut hall, who, "incident", "E-2026-0001", "Nothing was done").await, 1, "{who}");
        }
        for who in ["fire.head", "fire.officer", "ethics.officer"] {
            assert_eq!(late(&mut hall, who, "channel", "counter", "No log of the channel").await, 1, "{who}");
        }
        assert_eq!(late(&mut hall, "it.admin", "channel", "counter", "No log").await, 0, "not yet");
        assert_eq!(late(&mut hall, "fire.head", "inspection", "fire-department", "no inspection").await, 0);

        let undecided = "building-office has not decided on application";
        assert_eq!(late(&mut hall, "building.dba", "application", &number, undecided).await, 0, "not yet");

        // A remedy ends it; what is not done is told again.
        all_sign_in(&mut hall, &people).await;
        let remedy = "mutation { step: remedyIncident(number: \"E-2026-0001\", remedy: \"已更換密碼\") { status } }";
        hall.ask("tax.admin", remedy, json!({})).await.step();
        hall.clock.advance(Duration::days(7));
        keep(&hall).await;
        assert_eq!(late(&mut hall, "tax.head", "incident", "E-2026-0001", "Nothing was done").await, 1);
        assert_eq!(late(&mut hall, "fire.head", "channel", "counter", "No log of the channel").await, 2);

        for who in ["building.dba", "building.head", "ethics.officer"] {
            assert_eq!(late(&mut hall, who, "application", &number, undecided).await, 1, "{who}");
        }

        // Interval and grace are over: the report is late. After a month the information office is told of it all.
        hall.clock.advance(Duration::days(20));
        keep(&hall).await;
        assert_eq!(late(&mut hall, "fire.head", "inspection", "fire-department", "no inspection").await, 1);
        assert_eq!(late(&mut hall, "it.admin", "inspection", "fire-department", "no inspection").await, 0);
        hall.clock.advance(Duration::days(30));
        keep(&hall).await;
        assert_eq!(late(&mut hall, "it.admin", "inspection", "fire-department", "no inspection").await, 1);
        assert_eq!(late(&mut hall, "it.admin", "channel", "counter", "No log of the channel").await, 1);
    }
}

/// 子夜: what became late at midnight in Taipei, when it is yesterday still elsewhere, is told once, too.
#[tokio::test(flavor = "multi_thread")]
async fn what_became_late_at_midnight_is_told_once() {
    for mut hall in Hall::on_each_with(without_end).await {
        hall.staffed().await;
        let report =
            "mutation { step: reportIncident(input: { title: \"帳號借用\", description: \"二人共用\" }) { number } }";
        assert_eq!(hall.ask("tax.admin", report, json!({})).await.step()["number"], "E-2026-0001");
        // From 09:00 of the day to 00:30 of the eighth day after it, and on from hour to hour.
        hall.clock.advance(Duration::days(7) + Duration::minutes(15 * 60 + 30));
        for hour in 0..10 {
            keep(&hall).await;
            all_sign_in(&mut hall, &["tax.head"]).await;
            let told = told(&hall, "tax.head", "incident", "E-2026-0001").await;
            let late =
                told.iter().filter(|one| one["textEn"].as_str().is_some_and(|en| en.contains("Nothing was done")));
            assert_eq!(late.count(), 1, "{hour}:30");
            hall.clock.advance(Duration::hours(1));
        }
    }
}
