//! Incidents (clause 12) and outside channels (clause 13), through the front door, on SQLite and PostgreSQL.

use crate::support;

use crate::support::hall::{Hall, PASSWORD};
use crate::support::hall_steps::{PERMITS, permit_items};
use cityquery::access::Code;
use cityquery::audit::Kind;
use cityquery::audit::read::Contents;
use cityquery::audit::segment::Folder;
use serde_json::{Value, json};
use time::Duration;

/// 事件: reported, the account suspended in the same step, head and ethics told, remedied, closed; nothing is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn an_incident_from_its_report_to_its_closing() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        hall.granted("fire.admin", permit_items(), &["building.dba"], "FIRE-2026-001").await;
        hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
        hall.ask("fire.officer", PERMITS, json!({})).await.data();

        let report = "mutation($input: IncidentInput!) { step: reportIncident(input: $input) { number status agency reportedBy } }";
        let input = json!({ "title": "疑似不當查詢", "description": "查詢無案號", "account": "fire.officer" });
        // Another agency's people are not one's own to report away.
        hall.ask("tax.admin", report, json!({ "input": input })).await.refused(Code::NotFound);
        let reported = hall.ask("fire.head", report, json!({ "input": input })).await;
        assert_eq!(
            reported.step(),
            &json!({ "number": "E-2026-0001", "status": "REPORTED", "agency": "fire-department", "reportedBy": "fire.head" })
        );
        hall.ask("fire.officer", PERMITS, json!({})).await.refused(Code::Unauthenticated);
        for told in ["ethics.officer", "it.admin", "fire.admin"] {
            let inbox = hall.ask(told, "{ inbox(unreadOnly: true) { number dueOn textZh } }", json!({})).await;
            let first = &inbox.data()["inbox"][0];
            assert_eq!(
                (&first["number"], &first["dueOn"]),
                (&json!("E-2026-0001"), &json!("2026-03-09")),
                "{told}: {first}"
            );
        }

        let resume = "mutation { step: resumeAccount(account: \"fire.officer\", reason: \"已改善\") { status } }";
        hall.ask("fire.admin", resume, json!({})).await.refused(Code::Conflict);
        let close = "mutation { step: closeIncident(number: \"E-2026-0001\", conclusion: \"已告誡\") { status conclusion closedBy } }";
        hall.ask("ethics.officer", close, json!({})).await.refused(Code::Conflict);
        let remedy =
            "mutation { step: remedyIncident(number: \"E-2026-0001\", remedy: \"教育訓練\") { status remedy } }";
        hall.ask("tax.head", remedy, json!({})).await.refused(Code::NotFound);
        hall.ask("fire.admin", remedy, json!({})).await.step();
        hall.ask("fire.admin", close, json!({})).await.refused(Code::Forbidden);
        assert_eq!(hall.ask("ethics.officer", close, json!({})).await.step()["closedBy"], "ethics.officer");
        let seen =
            hall.ask("fire.admin", "{ incidents { number description remedy conclusion account } }", json!({})).await;
        assert_eq!(
            seen.data()["incidents"],
            json!([{
                "number": "E-2026-0001", "description": "查詢無案號", "remedy": "教育訓練", "conclusion": "已告誡",
                "account": "fire.officer",
            }])
        );
        assert_eq!(hall.ask("tax.head", "{ incidents { number } }", json!({})).await.data()["incidents"], json!([]));

        // A custodian stops the form with its data, whoever's it is.
        let input = json!({ "title": "資料外流", "description": "疑義", "form": "FIRE-2026-001" });
        hall.ask("land.dba", report, json!({ "input": input })).await.refused(Code::NotFound);
        let stopped = hall.ask("building.dba", report, json!({ "input": input })).await;
        assert_eq!(stopped.step()["agency"], "fire-department");
        let form = hall.ask("fire.admin", "{ masterForm(number: \"FIRE-2026-001\") { status } }", json!({})).await;
        assert_eq!(form.data()["masterForm"]["status"], "SUSPENDED");
        let resume = "mutation { step: resumeMasterForm(number: \"FIRE-2026-001\", reason: \"已查明\") { status } }";
        hall.ask("it.admin", resume, json!({})).await.refused(Code::Conflict);
    }
}

/// Records of a kind in the hall's log.
fn records(hall: &Hall, kind: Kind) -> Vec<Value> {
    let mut found = Vec::new();
    for folder in Folder::all(&hall.config.audit.dir).expect("the log") {
        for number in folder.numbers().expect("segments") {
            let bytes = std::fs::read(folder.segment(number)).expect("a segment");
            let contents = Contents::of(&bytes);
            for frame in &contents.records {
                let record = contents.decode(frame).expect("a record");
                if record.kind == kind {
                    let secrets = record.secrets(&hall.app.audit.keys()).expect("unsealed");
                    found.push(json!({
                        "who": &*record.who.account, "agency": &*record.who.agency, "purpose": record.why.purpose.as_deref(),
                        "case": secrets.case_number,
                    }));
                }
            }
        }
    }
    found
}

/// 其他查詢管道: registered with a reviewer, imported row by row into the same log, flagged when an import is missing.
#[tokio::test(flavor = "multi_thread")]
async fn an_outside_channel_is_reviewed_like_our_own() {
    for mut hall in Hall::on_each().await {
        hall.staffed().await;
        let register =
            "mutation($input: ChannelInput!) { step: registerChannel(input: $input) { name reviewer overdueDays } }";
        let input = json!({ "input": {
            "name": "counter", "title": "櫃檯查詢終端", "dataset": "fire", "reviewer": "fire.officer", "intervalDays": 30,
            "mapping": { "at": "時間", "who": "人員", "what": "內容", "caseNumber": "案號" },
        } });
        hall.ask("building.dba", register, input.clone()).await.refused(Code::NotFound);
        // Somebody who could not import them does not review them.
        let mut head = input.clone();
        head["input"]["reviewer"] = "fire.head".into();
        hall.ask("fire.dba", register, head).await.refused(Code::BadUserInput);
        let registered = hall.ask("fire.dba", register, input).await;
        assert_eq!(registered.step(), &json!({ "name": "counter", "reviewer": "fire.officer", "overdueDays": 0 }));
        let told = hall.ask("fire.officer", "{ inbox { number dueOn } }", json!({})).await;
        assert_eq!(told.data()["inbox"][0], json!({ "number": "counter", "dueOn": "2026-04-01" }));

        let log = "\u{feff}時間,人員,內容,案號\n2026-02-10 09:30:00,甲員,場所查詢,115-1\n2026-02-11T10:00:00,乙員,場所查詢,\n\
                   昨日,丙員,場所查詢,\n2026-02-12 08:00:00,,場所查詢,\n2025-01-01 08:00:00,丁員,場所查詢,\n";
        let import = "mutation($csv: String!) { step: importChannelLog(name: \"counter\", from: \"2026-02-01\", until: \"2026-02-28\", \
                      csv: $csv) { imports { accepted rejected until importedBy } overdueDays } }";
        hall.ask("tax.clerk", import, json!({ "csv": log })).await.refused(Code::NotFound);
        hall.ask("fire.officer", import, json!({ "csv": "a,b\n1,2\n" })).await.refused(Code::BadUserInput);
        let imported = hall.ask("fire.officer", import, json!({ "csv": log })).await;
        let one = &imported.step()["imports"][0];
        assert_eq!((&one["accepted"], one["rejected"].as_array().map(Vec::len)), (&json!(2), Some(3)), "{one:#}");
        // The same file again changes nothing.
        let again = hall.ask("fire.officer", import, json!({ "csv": log })).await;
        assert_eq!(again.step()["imports"].as_array().map(Vec::len), Some(1));
        let outside = records(&hall, Kind::Outside);
        assert_eq!(outside.len(), 2, "{outside:#?}");
        let expected = json!({ "who": "counter/甲員", "agency": "fire-department", "purpose": null, "case": "115-1" });
        assert!(outside.contains(&expected), "{outside:#?}");

        // Drawn and inspected like our own, when they were asked, not when they were imported.
        let draw = "mutation { step: drawInspection { number population entries { record account at flags } } }";
        let drawn = hall.ask("fire.admin", draw, json!({})).await;
        assert_eq!(drawn.step()["population"], 2, "{:#}", drawn.body);
        let entry = &drawn.step()["entries"][0];
        assert!(entry["account"].as_str().is_some_and(|account| account.starts_with("counter/")), "{entry}");
        assert!(entry["at"].as_str().is_some_and(|at| at.starts_with("2026-02-1")), "{entry}");
        let look =
            "query($number: String!) { inspection(number: $number) { entries { recorded { caseNumber variables } } } }";
        let seen = hall.ask("fire.admin", look, json!({ "number": drawn.step()["number"] })).await;
        assert!(seen.data()["inspection"].to_string().contains("場所查詢"), "{:#}", seen.body);

        hall.clock.advance(time::Duration::days(40));
        for who in ["ethics.officer", "fire.dba"] {
            hall.sign_in(who, support::hall::PASSWORD).await;
            let seen = hall.ask(who, "{ channels { name overdueDays } }", json!({})).await;
            assert_eq!(seen.data()["channels"], json!([{ "name": "counter", "overdueDays": 12 }]), "{who}");
        }
    }
}

/// The information office is never locked out: nobody suspends themselves by a report, and its last active account stays,
/// which everybody concerned is told. Another one that it opens deals with the incident.
#[tokio::test(flavor = "multi_thread")]
async fn the_information_offices_last_account_stays_whoever_reports_it() {
    let report = "mutation($account: String!) { step: reportIncident(input: { title: \"疑似不當查詢\", description: \"經過\", \
                  account: $account }) { number agency account } }";
    let status = "{ accounts(agency: \"information-office\") { account status } }";
    for mut hall in Hall::on_each().await {
        hall.staffed().await;
        let own = hall.ask("it.admin", report, json!({ "account": "it.admin" })).await;
        let text = own.refused(Code::BadUserInput)["message"].as_str().expect("a text").to_owned();
        assert!(text.contains("without naming it"), "{text}");
        hall.ask("ethics.officer", report, json!({ "account": "ethics.officer" })).await.refused(Code::BadUserInput);

        let reported = hall.ask("ethics.officer", report, json!({ "account": "it.admin" })).await;
        assert_eq!(reported.step()["agency"], "information-office");
        let seen = hall.ask("it.admin", status, json!({})).await;
        assert_eq!(seen.data()["accounts"], json!([{ "account": "it.admin", "status": "ACTIVE" }]));
        for told in ["it.admin", "ethics.officer"] {
            let inbox = hall.ask(told, "{ inbox(unreadOnly: true) { textEn textZh } }", json!({})).await;
            let inbox = inbox.data()["inbox"].to_string();
            assert!(inbox.contains("last active one") && inbox.contains("最後一個啟用之帳號"), "{told}: {inbox}");
        }

        // With a second one there is somebody to go on, and the first is suspended like any other.
        hall.known_person("it.admin", "it.second", "information-office", "INFORMATION_OFFICE").await;
        hall.ask("ethics.officer", report, json!({ "account": "it.admin" })).await.step();
        hall.ask("it.admin", status, json!({})).await.refused(Code::Unauthenticated);
        for number in ["E-2026-0001", "E-2026-0002"] {
            let remedy =
                format!("mutation {{ step: remedyIncident(number: \"{number}\", remedy: \"查明\") {{ status }} }}");
            hall.ask("it.second", &remedy, json!({})).await.step();
            let close =
                format!("mutation {{ step: closeIncident(number: \"{number}\", conclusion: \"無誤\") {{ status }} }}");
            hall.ask("ethics.officer", &close, json!({})).await.step();
        }
        let resume = "mutation { step: resumeAccount(account: \"it.admin\", reason: \"已查明\") { status } }";
        assert_eq!(hall.ask("it.second", resume, json!({})).await.step()["status"], "ACTIVE");
    }
}

/// Whose account it is about and whose form: both are told, both see it, either remedies it; a further remedy stands beside
/// the first.
#[tokio::test(flavor = "multi_thread")]
async fn an_incident_of_two_agencies_is_both_agencies_matter() {
    let report = "mutation { step: reportIncident(input: { title: \"疑似不當查詢\", description: \"經過\", account: \"tax.clerk\", \
                  form: \"FIRE-2026-001\" }) { number agency account form } }";
    let seen = "{ incidents { number account form } }";
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        hall.granted("fire.admin", permit_items(), &["building.dba"], "FIRE-2026-001").await;
        hall.ask("ethics.officer", report, json!({})).await.step();
        let both = json!([{ "number": "E-2026-0001", "account": "tax.clerk", "form": "FIRE-2026-001" }]);
        let concerned = ["fire.head", "fire.admin", "tax.head", "tax.admin"];
        let told = async |hall: &Hall, who: &str| {
            let inbox = hall.ask(who, "{ inbox { number } }", json!({})).await;
            let told = inbox.data()["inbox"].as_array().expect("notices");
            told.iter().filter(|one| one["number"] == "E-2026-0001").count()
        };
        for who in concerned {
            assert_eq!(hall.ask(who, seen, json!({})).await.data()["incidents"], both, "{who}");
            assert_eq!(told(&hall, who).await, 1, "{who}");
        }
        assert_eq!(hall.ask("building.head", seen, json!({})).await.data()["incidents"], json!([]));

        // Nobody did anything: both agencies are reminded, once.
        hall.clock.advance(Duration::days(8));
        for _ in 0..2 {
            hall.app.engine.procedure().keep_house().await.expect("keeps the house");
        }
        for who in concerned {
            hall.sign_in(who, PASSWORD).await;
            assert_eq!(told(&hall, who).await, 2, "{who}");
        }

        let remedy = |what: &str| {
            format!(
                "mutation {{ step: remedyIncident(number: \"E-2026-0001\", remedy: \"{what}\") {{ remedy remediedBy }} }}"
            )
        };
        hall.ask("tax.admin", &remedy("教育訓練"), json!({})).await.step();
        let further = hall.ask("fire.admin", &remedy("移出群組"), json!({})).await;
        assert_eq!(
            further.step(),
            &json!({ "remedy": "教育訓練（tax.admin，2026-03-10）\n移出群組", "remediedBy": "fire.admin" })
        );
    }
}
