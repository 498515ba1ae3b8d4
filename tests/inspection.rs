//! Inspections as those who make them live them: from what was queried to the report that the head has taken notice of;
//! what is conspicuous is found; nobody inspects themselves; what is late is told. On SQLite and on PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::city::{Cell, City};
use crate::support::hall::{Hall, PASSWORD, Reply};
use crate::support::hall_steps::PERMITS;
use cityquery::access::Code;
use cityquery::procedure::inspection_draw::sample;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use time::Duration;
use uuid::Uuid;

const FORM: &str = "FIRE-2026-001";

const DRAW: &str = "mutation { step: drawInspection { number agency from until percent atLeast seed population unreadable status \
    drawnBy entries { record account at sampled flags finding { verdict } recorded { form } } } }";

const FIND: &str = "mutation($inspection: String!, $record: String!, $verdict: Verdict!, $comment: String) { step: recordFinding(\
    inspection: $inspection, record: $record, verdict: $verdict, comment: $comment) { status entries { record finding \
    { verdict comment foundBy } } } }";

const REPORT: &str = "mutation($number: String!) { step: reportInspection(number: $number, summary: \"本期查驗如附\") { status \
    summary reportedBy acknowledgeBy } }";

const ACKNOWLEDGE: &str =
    "mutation($number: String!) { step: acknowledgeInspection(number: $number) { status acknowledgedBy } }";

const LOOK: &str = "query($number: String!) { inspection(number: $number) { number entries { record account recorded { form version \
    subForm purpose caseNumber operation variables rows } } } }";

pub(crate) const WHO: &str = "query($id: NationalId!) { person(nationalId: $id) { name } }";

/// A hall whose fire department queries; the national ids by row number, from 1 without a gap.
pub(crate) async fn in_use(hall: &mut Hall) -> Vec<String> {
    hall.prepared().await;
    let mut city = City::new(&hall.app.catalog, 1);
    let persons = city.tables.get_mut("persons").expect("persons");
    let id = persons.column("national_id");
    let mut ids = Vec::new();
    for (number, row) in (1..).zip(&mut persons.rows) {
        row[0] = Cell::Int(number);
        let Cell::Text(text) = &row[id] else { panic!("{:?}", row[id]) };
        ids.push(text.clone());
    }
    city.load(&hall.app.catalog.connections(&hall.config.datasets)).await;
    let uses = json!(["SELECT", "FILTER", "ORDER"]);
    let item = |coordinate: &str, uses: &Value| json!({ "coordinate": coordinate, "uses": uses, "reason": "查核" });
    let items = json!([
        item("Query.usePermits", &uses),
        item("UsePermit.{permitNo floorsAbove}", &uses),
        item("Query.{persons person}", &json!(["SELECT"])),
        item("Person.nationalId", &json!(["SELECT", "FILTER", "MATCH"])),
        item("Person.name", &json!(["SELECT"])),
        item("Query.households", &json!(["SELECT"])),
        item("Household.householdType", &json!(["SELECT"])),
        item("Household.members", &json!(["SELECT", "FILTER"])),
    ]);
    hall.granted("fire.admin", items, &["building.dba", "household.dba"], FORM).await;
    for name in ["fire.second", "fire.third"] {
        hall.known_person("fire.admin", name, "fire-department", "GENERAL_USER").await;
    }
    hall.handed_on("fire.admin", FORM, &["fire.officer", "fire.second", "fire.third"]).await;
    ids
}

/// Asks under a case number; the audit record.
pub(crate) async fn ask(hall: &Hall, who: &str, operation: &str, variables: Value, case: &str) -> String {
    let reply = match case {
        "" => hall.ask(who, operation, variables).await,
        case => hall.ask_with(who, operation, variables, &[("x-case-number", case)]).await,
    };
    reply.data();
    reply.body["extensions"]["audit"].as_str().expect("a record").to_owned()
}

/// Access tokens last a quarter of an hour.
async fn later(hall: &mut Hall, by: Duration) {
    hall.clock.advance(by);
    for name in [
        "it.admin",
        "ethics.officer",
        "fire.head",
        "fire.admin",
        "fire.officer",
        "fire.second",
        "fire.third",
        "tax.admin",
    ] {
        hall.sign_in(name, PASSWORD).await;
    }
}

async fn find(hall: &Hall, by: &str, inspection: &str, record: &str, verdict: &str, comment: &str) -> Reply {
    let variables = json!({ "inspection": inspection, "record": record, "verdict": verdict, "comment": comment });
    hall.ask(by, FIND, variables).await
}

fn records(step: &Value) -> Vec<String> {
    let entries = step["entries"].as_array().expect("entries");
    entries.iter().map(|entry| entry["record"].as_str().expect("a record").to_owned()).collect()
}

/// 查驗: from queries to the head's notice.
#[tokio::test(flavor = "multi_thread")]
async fn from_queries_to_an_acknowledged_report() {
    for mut hall in Hall::on_each().await {
        let ids = in_use(&mut hall).await;
        let mut asked = Vec::new();
        for case in ["115-FS-0001", "115-FS-0002"] {
            asked.push(ask(&hall, "fire.officer", PERMITS, json!({}), case).await);
        }
        asked.push(ask(&hall, "fire.officer", WHO, json!({ "id": ids[4] }), "115-FS-0003").await);
        // An attempt whose every field was denied is drawn from too; what could not even be planned was no use of data.
        let denied = hall.ask("fire.officer", "{ households { totalCount } }", json!({})).await;
        denied.refused(Code::Forbidden);
        asked.push(denied.body["extensions"]["audit"].as_str().expect("a record").to_owned());
        hall.ask("fire.officer", "{ nothing }", json!({})).await.refused(Code::ValidationFailed);

        let rule = "{ inspectionRule { agency intervalDays percent atLeast setBy } }";
        let standing = hall.ask("fire.head", rule, json!({})).await;
        let default =
            json!({ "agency": "fire-department", "intervalDays": 30, "percent": 1, "atLeast": 1, "setBy": null });
        assert_eq!(standing.data()["inspectionRule"], default);
        let set = "mutation($percent: Int!) { step: setInspectionRule(intervalDays: 30, percent: $percent, atLeast: 2) { percent setBy } }";
        hall.ask("fire.admin", set, json!({ "percent": 0 })).await.refused(Code::BadUserInput);
        hall.ask("fire.head", set, json!({ "percent": 100 })).await.refused(Code::Forbidden);
        let changed = hall.ask("fire.admin", set, json!({ "percent": 100 })).await;
        assert_eq!(changed.step(), &json!({ "percent": 100, "setBy": "fire.admin" }));
        let of = "{ inspectionRule(agency: \"fire-department\") { percent } }";
        hall.ask("tax.admin", of, json!({})).await.refused(Code::NotFound);
        assert_eq!(hall.ask("ethics.officer", of, json!({})).await.data()["inspectionRule"]["percent"], 100);

        let key = [("idempotency-key", "this-month")];
        let before = hall.app.audit.record_count()();
        let drawn = hall.ask_with("fire.admin", DRAW, json!({}), &key).await;
        assert!(hall.app.audit.record_count()() >= before + 2, "the step and the reading of the log");
        let step = drawn.step();
        assert_eq!(step["number"], "I-2026-0001");
        assert_eq!((&step["from"], &step["until"]), (&json!("2026-02-01"), &json!("2026-03-02")));
        assert_eq!((&step["population"], &step["unreadable"]), (&json!(4), &json!(0)));
        assert_eq!(BTreeSet::from_iter(records(step)), BTreeSet::from_iter(asked.clone()));
        for entry in step["entries"].as_array().expect("entries") {
            assert_eq!(entry["sampled"], true);
            assert_eq!(
                (&entry["flags"], &entry["finding"], &entry["recorded"]),
                (&json!([]), &json!(null), &json!(null))
            );
        }
        let again = hall.ask_with("fire.admin", DRAW, json!({}), &key).await;
        assert_eq!(again.step(), step, "the same request again draws nothing twice");

        // Who sees it: administrator and head of the agency, ethics officers anywhere; and each look is recorded.
        let number = json!({ "number": "I-2026-0001" });
        for who in ["fire.admin", "fire.head", "ethics.officer"] {
            let before = hall.app.audit.record_count()();
            let seen = hall.ask(who, LOOK, number.clone()).await;
            assert!(hall.app.audit.record_count()() > before);
            let entries = seen.data()["inspection"]["entries"].as_array().expect("entries").clone();
            let said = entries.iter().find(|entry| entry["record"] == *asked[2]).expect("drawn");
            assert_eq!(
                said["recorded"],
                json!({
                    "form": FORM, "version": 1, "subForm": "FIRE-2026-001/1", "purpose": "fire-safety",
                    "caseNumber": "115-FS-0003", "operation": WHO, "variables": format!("{{\"id\":\"{}\"}}", ids[4]),
                    "rows": 1,
                })
            );
            let list = hall.ask(who, "{ inspections { number agency } }", json!({})).await;
            assert_eq!(list.data()["inspections"], json!([{ "number": "I-2026-0001", "agency": "fire-department" }]));
        }
        for clerk in ["fire.officer", "tax.clerk", "building.dba"] {
            hall.ask(clerk, "{ inspections { number } }", json!({})).await.refused(Code::Forbidden);
            hall.ask(clerk, LOOK, number.clone()).await.refused(Code::Forbidden);
            hall.ask(clerk, DRAW, json!({})).await.refused(Code::Forbidden);
        }
        let of = "{ inspections(agency: \"fire-department\") { number } }";
        for other in ["tax.admin", "tax.head"] {
            hall.ask(other, LOOK, number.clone()).await.refused(Code::NotFound);
            hall.ask(other, of, json!({})).await.refused(Code::NotFound);
        }
        find(&hall, "tax.admin", "I-2026-0001", &asked[0], "PROPER", "").await.refused(Code::NotFound);
        hall.ask("tax.head", ACKNOWLEDGE, number.clone()).await.refused(Code::NotFound);

        // No report without findings, no blame without a word; what was found may be said anew until the report.
        let early = hall.ask("fire.admin", REPORT, number.clone()).await;
        let current = &early.refused(Code::Conflict)["extensions"]["current"];
        assert_eq!(current["withoutFinding"].as_array().map(Vec::len), Some(4));
        hall.ask("fire.head", ACKNOWLEDGE, number.clone()).await.refused(Code::Conflict);
        find(&hall, "fire.admin", "I-2026-0001", &asked[0], "IMPROPER", " ").await.refused(Code::BadUserInput);
        find(&hall, "fire.admin", "I-2026-0001", "no-such-record", "PROPER", "").await.refused(Code::NotFound);
        find(&hall, "fire.admin", "I-2026-0001", &asked[0], "UNCLEAR", "待說明").await.step();
        for (at, verdict, comment) in
            [(0, "PROPER", ""), (1, "PROPER", ""), (2, "IMPROPER", "案號不存在"), (3, "PROPER", "")]
        {
            find(&hall, "fire.admin", "I-2026-0001", &asked[at], verdict, comment).await.step();
        }
        // The first finding stands against a second administrator's.
        hall.known_person("it.admin", "fire.deputy", "fire-department", "BUSINESS_ADMINISTRATOR").await;
        let second = find(&hall, "fire.deputy", "I-2026-0001", &asked[2], "PROPER", "").await;
        let current = &second.refused(Code::Conflict)["extensions"]["current"];
        assert_eq!((&current["verdict"], &current["foundBy"]), (&json!("improper"), &json!("fire.admin")));

        let reported = hall.ask("fire.admin", REPORT, number.clone()).await;
        let expected = json!({
            "status": "REPORTED", "summary": "本期查驗如附", "reportedBy": "fire.admin", "acknowledgeBy": "2026-03-16",
        });
        assert_eq!(reported.step(), &expected);
        let twice = hall.ask("fire.deputy", REPORT, number.clone()).await;
        assert_eq!(twice.refused(Code::Conflict)["extensions"]["current"]["status"], "reported");
        find(&hall, "fire.admin", "I-2026-0001", &asked[0], "PROPER", "").await.refused(Code::Conflict);
        let inbox = "{ inbox { about number textEn dueOn } }";
        for (who, due) in [("fire.head", json!("2026-03-16")), ("ethics.officer", json!(null))] {
            let told = hall.ask(who, inbox, json!({})).await;
            let told = &told.data()["inbox"][0];
            assert_eq!(
                (&told["about"], &told["number"], &told["dueOn"]),
                (&json!("inspection"), &json!("I-2026-0001"), &due)
            );
            assert!(told["textEn"].to_string().contains("4 operations, 1 improper"), "{told:#}");
        }

        // Whoever takes notice is the head, and nobody else.
        hall.ask("fire.admin", ACKNOWLEDGE, number.clone()).await.refused(Code::Forbidden);
        hall.ask("ethics.officer", ACKNOWLEDGE, number.clone()).await.refused(Code::Forbidden);
        let noticed = hall.ask("fire.head", ACKNOWLEDGE, number.clone()).await;
        assert_eq!(noticed.step(), &json!({ "status": "ACKNOWLEDGED", "acknowledgedBy": "fire.head" }));
        hall.ask("fire.head", ACKNOWLEDGE, number.clone()).await.refused(Code::Conflict);
    }
}

/// 異常態樣: misuse of every kind is drawn whatever the share, and the share is what the seed says.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_conspicuous_is_always_drawn() {
    for mut hall in Hall::on_each().await {
        let ids = in_use(&mut hall).await;
        let mut expected: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        let mut plain = Vec::new();
        let mut flag = |record: String, flag: &'static str| {
            expected.entry(record).or_default().insert(flag);
        };
        // Work as it should be: each under its own case.
        for number in 0..12 {
            plain.push(ask(&hall, "fire.officer", PERMITS, json!({}), &format!("115-FS-{number:04}")).await);
        }
        flag(ask(&hall, "fire.officer", WHO, json!({ "id": ids[20] }), "").await, "NO_CASE_NUMBER");
        // One case number, far too often.
        for _ in 0..21 {
            flag(ask(&hall, "fire.second", PERMITS, json!({}), "115-FS-9999").await, "REPEATED_CASE_NUMBER");
        }
        // Somebody whom everybody looks up.
        for (at, who) in ["fire.officer", "fire.second", "fire.third"].into_iter().enumerate() {
            flag(ask(&hall, who, WHO, json!({ "id": ids[25] }), &format!("115-X-{at}")).await, "ONE_SUBJECT_BY_MANY");
        }
        // One person after another, by key and by condition.
        let by_condition =
            "query($id: NationalId!) { persons(where: { nationalId: { _eq: $id } }) { nodes { name } } }";
        for (at, id) in ids.iter().enumerate().take(10).skip(5) {
            let operation = if at % 2 == 0 { WHO } else { by_condition };
            flag(ask(&hall, "fire.third", operation, json!({ "id": id }), &format!("115-Y-{at}")).await, "SEQUENTIAL");
        }
        // All there is, by somebody who reads three rows at a time.
        let all = "{ a: persons(first: 28) { nodes { name } } b: persons(first: 28) { nodes { name } } c: persons(first: 28) \
                   { nodes { name } } d: persons(first: 28) { nodes { name } } }";
        let mass = ask(&hall, "fire.officer", all, json!({}), "115-FS-0100").await;
        // It touches those whom two others have looked up.
        flag(mass, "UNUSUAL_VOLUME");
        // Nine in the morning is twelve hours from nine in the evening.
        later(&mut hall, Duration::hours(12)).await;
        flag(ask(&hall, "fire.second", PERMITS, json!({}), "115-FS-0200").await, "OFF_HOURS");

        let drawn = hall.ask("fire.admin", DRAW, json!({})).await;
        let step = drawn.step();
        let population = plain.len() + expected.len();
        assert_eq!(step["population"], population, "{step:#}");
        let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut sampled = BTreeSet::new();
        for entry in step["entries"].as_array().expect("entries") {
            let record = entry["record"].as_str().expect("a record");
            let flags = entry["flags"].as_array().expect("flags").iter().filter_map(Value::as_str).collect();
            found.insert(record, flags);
            if entry["sampled"] == true {
                sampled.insert(Uuid::parse_str(record).expect("a number"));
            }
        }
        for (record, flags) in &expected {
            let found = found.get(record.as_str()).unwrap_or_else(|| panic!("{flags:?} is not drawn"));
            assert!(flags.is_subset(found), "{flags:?}: found {found:?}");
            // The mass reading is one more reader of those whom others have read.
            if !flags.contains("UNUSUAL_VOLUME") && !flags.contains("SEQUENTIAL") {
                assert_eq!(found, flags);
            }
        }
        for record in &plain {
            assert!(found.get(record.as_str()).is_none_or(BTreeSet::is_empty), "{record}");
        }

        // Anybody who has the seed and the records draws the same.
        let seed = step["seed"].as_str().expect("a seed");
        let seed: Vec<u8> =
            (0..32).map(|at| u8::from_str_radix(&seed[2 * at..2 * at + 2], 16).expect("hexadecimal")).collect();
        let seed: [u8; 32] = seed.try_into().expect("32 bytes");
        let all: Vec<Uuid> =
            plain.iter().chain(expected.keys()).map(|record| Uuid::parse_str(record).expect("a number")).collect();
        assert_eq!(sampled, sample(&seed, &all, 1, 1));
        assert_eq!(sampled.len(), 1);
        let second = hall.ask("fire.admin", DRAW, json!({})).await;
        assert_eq!(second.step()["from"], "2026-03-02", "where the last one ended: that day was not over");
        assert_ne!(second.step()["seed"], step["seed"]);
    }
}

/// 自我查驗: neither by one account in two roles over time, nor by a head who inspects.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_inspects_themselves() {
    for mut hall in Hall::on_each().await {
        in_use(&mut hall).await;
        let own = ask(&hall, "fire.officer", PERMITS, json!({}), "115-FS-0001").await;
        let others = ask(&hall, "fire.second", PERMITS, json!({}), "115-FS-0002").await;
        let remove = "mutation { step: removeMember(group: \"users\", account: \"fire.officer\") { members } }";
        hall.ask("fire.admin", remove, json!({})).await.step();
        let roles = "mutation($account: String!, $roles: [Role!]!) { step: setRoles(account: $account, roles: $roles) { roles } }";
        let promote = json!({ "account": "fire.officer", "roles": ["BUSINESS_ADMINISTRATOR"] });
        hall.ask("it.admin", roles, promote).await.step();
        hall.sign_in("fire.officer", PASSWORD).await;
        let rule = "mutation { step: setInspectionRule(intervalDays: 30, percent: 100, atLeast: 1) { percent } }";
        hall.ask("fire.officer", rule, json!({})).await.step();
        let drawn = hall.ask("fire.officer", DRAW, json!({})).await;
        assert_eq!(records(drawn.step()).len(), 2);
        let refused = find(&hall, "fire.officer", "I-2026-0001", &own, "PROPER", "").await;
        assert_eq!(refused.refused(Code::Forbidden)["extensions"]["clause"], "8(3)");
        find(&hall, "fire.officer", "I-2026-0001", &others, "PROPER", "").await.step();
        find(&hall, "fire.admin", "I-2026-0001", &own, "PROPER", "").await.step();
        let number = json!({ "number": "I-2026-0001" });
        hall.ask("fire.officer", REPORT, number.clone()).await.step();

        // Who has inspected is made head: another head has to take notice.
        for inspector in ["fire.officer", "fire.admin"] {
            let crown = json!({ "account": inspector, "roles": ["AGENCY_HEAD"] });
            hall.ask("it.admin", roles, crown).await.step();
            hall.sign_in(inspector, PASSWORD).await;
            let refused = hall.ask(inspector, ACKNOWLEDGE, number.clone()).await;
            assert_eq!(refused.refused(Code::Forbidden)["extensions"]["clause"], "8(3)");
        }
        hall.ask("fire.head", ACKNOWLEDGE, number).await.step();
    }
}

/// 逾期: no report in time, and a report that nobody has taken notice of.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_late_is_told() {
    for mut hall in Hall::on_each().await {
        in_use(&mut hall).await;
        let overdue = "{ overdueInspections { agency matter number lastReportedAt dueOn daysLate } }";
        let late =
            async |hall: &Hall, who: &str| hall.ask(who, overdue, json!({})).await.data()["overdueInspections"].clone();
        later(&mut hall, Duration::days(37)).await;
        assert_eq!(late(&hall, "ethics.officer").await, json!([]), "interval and grace are not over");
        later(&mut hall, Duration::days(1)).await;
        let no_report = json!([{
            "agency": "fire-department", "matter": "REPORT", "number": null, "lastReportedAt": null,
            "dueOn": "2026-04-01", "daysLate": 8,
        }]);
        for who in ["ethics.officer", "it.admin", "fire.head", "fire.admin"] {
            assert_eq!(late(&hall, who).await, no_report);
        }
        assert_eq!(late(&hall, "tax.admin").await, json!([]), "its own agency's only");
        let remind = "mutation { step: remindOverdueInspections { agency matter } }";
        hall.ask("fire.head", remind, json!({})).await.refused(Code::Forbidden);
        let told = hall.ask("ethics.officer", remind, json!({})).await;
        assert_eq!(told.step(), &json!([{ "agency": "fire-department", "matter": "REPORT" }]));
        for who in ["fire.head", "fire.admin", "ethics.officer"] {
            let inbox = hall.ask(who, "{ inbox { about textEn } }", json!({})).await;
            let text = inbox.data()["inbox"][0].to_string();
            assert!(text.contains("no inspection was reported by 2026-04-01"), "{who}: {text}");
        }

        // Nothing was used: that too is a report.
        let drawn = hall.ask("fire.admin", DRAW, json!({})).await;
        assert_eq!(drawn.step()["entries"], json!([]));
        hall.ask("fire.admin", REPORT, json!({ "number": "I-2026-0001" })).await.step();
        assert_eq!(late(&hall, "it.admin").await, json!([]));
        later(&mut hall, Duration::days(15)).await;
        let waiting = late(&hall, "it.admin").await;
        assert_eq!(waiting[0]["matter"], "ACKNOWLEDGEMENT", "{waiting:#}");
        assert_eq!((&waiting[0]["number"], &waiting[0]["daysLate"]), (&json!("I-2026-0001"), &json!(1)));
        hall.ask("it.admin", remind, json!({})).await.step();
        hall.ask("fire.head", ACKNOWLEDGE, json!({ "number": "I-2026-0001" })).await.step();
        assert_eq!(late(&hall, "it.admin").await, json!([]));
    }
}

/// What stands in another server's log is not drawn, and the inspection says how much that is.
#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_another_servers_log_is_counted() {
    for mut hall in Hall::on_each().await {
        in_use(&mut hall).await;
        let db = hall.app.accounts.db();
        // As another server's indexer leaves them: two of the agency, one of another, one of last year.
        let (day, year) = (1_772_409_600_000_000_i64, 31_536_000_000_000_i64); // 2026-03-02 in Taipei, microseconds
        db.execute_unprepared(
            "INSERT INTO audit_nodes (id, node, segment, frame_offset, last_seq) VALUES (900, 'east', 1, 9, 9)",
        )
        .await
        .expect("writes");
        for (seq, agency, at) in [
            (1, "fire-department", day),
            (2, "fire-department", day),
            (3, "revenue-service", day),
            (4, "fire-department", day - year),
        ] {
            let entry = (900_i64 << 40) | seq;
            let sql = format!(
                "INSERT INTO audit_entries (entry, record_id, segment, started_us, duration_us, kind, account, agency, form, \
                 row_count, release_state) VALUES ({entry}, 'r{seq}', 1, {at}, 1, 1, 'x', '{agency}', 'F-1', 1, 0)"
            );
            db.execute_unprepared(&sql).await.expect("writes");
        }
        ask(&hall, "fire.officer", PERMITS, json!({}), "115-FS-0001").await;
        let drawn = hall.ask("fire.admin", DRAW, json!({})).await;
        assert_eq!((&drawn.step()["unreadable"], &drawn.step()["population"]), (&json!(2), &json!(1)));
    }
}
