//! What holds of every step of the procedure: a rule and a record for each, one winner where two act at once, nothing done
//! twice, effective on every server within a second. The table of roles and operations is `procedure/operations.txt`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::hall::Hall;
use crate::support::hall_steps::{DECIDE, PERMITS, permit_items};
use axum::http::{Request, header};
use cityquery::access::{Code, Role};
use cityquery::procedure::rules::{Allowed, RULES};
use serde_json::{Value, json};

/// The procedure's root fields with the arguments that each demands, as the schema tells them.
async fn operations(hall: &Hall) -> BTreeMap<String, Vec<Operation>> {
    let ask = "{ __schema { types { name kind enumValues { name } inputFields { name type { ...T } } } queryType { ...R } \
               mutationType { ...R } subscriptionType { ...R } } } fragment R on __Type { name fields { name args { name type \
               { ...T } } type { ...T } } } fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { \
               kind name ofType { kind name } } } } }";
    let schema = hall.ask("", ask, json!({})).await.data()["__schema"].clone();
    let mut by_root: BTreeMap<String, Vec<Operation>> = BTreeMap::new();
    for root in ["queryType", "mutationType", "subscriptionType"] {
        for field in schema[root]["fields"].as_array().expect("fields") {
            let name = field["name"].as_str().expect("a name").to_owned();
            if root == "queryType" && hall.app.catalog.find_root(&name).is_some() {
                continue;
            }
            let arguments = field["args"].as_array().expect("arguments");
            let given: Vec<String> = arguments
                .iter()
                .filter(|argument| argument["type"]["kind"] == "NON_NULL")
                .map(|argument| {
                    format!(
                        "{}: {}",
                        argument["name"].as_str().unwrap_or_default(),
                        example(&schema, &argument["type"])
                    )
                })
                .collect();
            let arguments = if given.is_empty() { String::new() } else { format!("({})", given.join(", ")) };
            let leaf = matches!(innermost(&field["type"])["kind"].as_str(), Some("SCALAR" | "ENUM"));
            let selection = if leaf { "" } else { " { __typename }" };
            by_root
                .entry(root.to_owned())
                .or_default()
                .push(Operation { name: name.clone(), text: format!("{name}{arguments}{selection}") });
        }
    }
    by_root
}

/// A root field as it can be sent.
struct Operation {
    name: String,
    text: String,
}

fn innermost(of: &Value) -> &Value {
    match &of["ofType"] {
        Value::Null => of,
        inner => innermost(inner),
    }
}

/// A value that passes validation and means nothing.
fn example(schema: &Value, of: &Value) -> String {
    match (of["kind"].as_str().unwrap_or_default(), of["name"].as_str().unwrap_or_default()) {
        ("NON_NULL", _) => example(schema, &of["ofType"]),
        ("LIST", _) => format!("[{}]", example(schema, &of["ofType"])),
        ("ENUM", name) => known(schema, name)["enumValues"][0]["name"].as_str().unwrap_or_default().to_owned(),
        ("INPUT_OBJECT", name) => {
            let fields = known(schema, name)["inputFields"].as_array().expect("fields").clone();
            let demanded = fields.iter().filter(|field| field["type"]["kind"] == "NON_NULL");
            let given = demanded.map(|field| {
                format!("{}: {}", field["name"].as_str().unwrap_or_default(), example(schema, &field["type"]))
            });
            format!("{{ {} }}", given.collect::<Vec<_>>().join(", "))
        }
        (_, "Int") => "1".to_owned(),
        (_, "ID") => "\"1\"".to_owned(),
        (_, "Boolean") => "false".to_owned(),
        (_, "Date") => "\"2026-06-01\"".to_owned(),
        (_, "DateTime") => "\"2026-06-01T00:00:00Z\"".to_owned(),
        _ => "\"nothing-of-that-name\"".to_owned(),
    }
}

fn known<'a>(schema: &'a Value, name: &str) -> &'a Value {
    let types = schema["types"].as_array().expect("types");
    types.iter().find(|one| one["name"] == *name).unwrap_or_else(|| panic!("no type {name}"))
}

/// Everybody who could ask: one account for each role, and a stranger.
const CALLERS: [(&str, &str); 8] = [
    ("InformationOffice", "it.admin"),
    ("DatabaseAdmin", "land.dba"),
    ("BusinessAdmin", "tax.admin"),
    ("GeneralUser", "tax.clerk"),
    ("AgencyHead", "tax.head"),
    ("EthicsOfficer", "ethics.officer"),
    ("Commission", "commission.officer"),
    ("stranger", ""),
];

#[tokio::test(flavor = "multi_thread")]
async fn who_may_take_which_step() {
    let mut hall = Hall::on_sqlite().await;
    hall.staffed().await;
    let operations = operations(&hall).await;
    let mut table = String::from("# Which role may ask or do what: yes, or the code of the refusal.\n");
    let mut named = Vec::new();
    for (root, kind) in [("queryType", "query"), ("mutationType", "mutation")] {
        table += &format!("\n{kind:<28}");
        CALLERS.iter().for_each(|(role, _)| table += &format!(" {role:<17}"));
        table = table.trim_end().to_owned() + "\n";
        for Operation { name, text } in &operations[root] {
            named.push(name.clone());
            let mut line = format!("{name:<28}");
            for (_, caller) in CALLERS {
                let before = hall.app.audit.record_count()();
                let reply = hall.ask(caller, &format!("{kind} {{ {text} }}"), json!({})).await;
                let code = reply.code().to_owned();
                // What passes the rules may fail for what it names; what does not is refused by the rules alone.
                let by_rule = reply.body["errors"][0]["extensions"]["operation"] == **name;
                let cell = match code.as_str() {
                    "FORBIDDEN" if by_rule => "no",
                    "UNAUTHENTICATED" => "-",
                    "GRAPHQL_VALIDATION_FAILED" => panic!("{text}: {:#}", reply.body),
                    "INTERNAL" | "SOURCE_UNAVAILABLE" | "AUDIT_UNAVAILABLE" => panic!("{text}: {:#}", reply.body),
                    _ => "yes",
                };
                line += &format!(" {cell:<17}");
                let records = hall.app.audit.record_count()() - before;
                let expected = match (caller, kind) {
                    ("", _) => 0,
                    (_, "mutation") => 2,
                    _ => 1,
                };
                assert!(records >= expected, "{name} as {caller}: {records} records");
            }
            table += line.trim_end();
            table += "\n";
        }
    }
    for Operation { name, .. } in &operations["subscriptionType"] {
        named.push(name.clone());
    }
    // No operation without a rule, no rule without an operation.
    let mut ruled: Vec<&str> = RULES.iter().map(|rule| rule.operation).collect();
    named.sort();
    ruled.sort_unstable();
    assert_eq!(named, ruled);
    assert!(RULES.iter().all(|rule| !rule.clause.is_empty()));
    assert!(
        RULES.iter().all(|rule| !matches!(rule.allowed, Allowed::Roles(roles) if roles.contains(&Role::MachineClient)))
    );

    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/procedure/operations.txt");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(&file, &table).expect("written");
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(table == expected, "tests/procedure/operations.txt is not what is true:\n{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_act_at_once_one_wins_and_the_other_learns_what_stands() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        let drafted = hall.draft("fire.admin", Hall::input(&permit_items())).await;
        let submitted = hall.submit("fire.admin", &drafted).await;
        let variables = |decision: &str| json!({ "number": submitted.number, "revision": submitted.revision, "decision": decision, "comment": "因" });
        let (approve, refuse) = (variables("APPROVE"), variables("REFUSE"));
        let (one, other) =
            tokio::join!(hall.ask("building.dba", DECIDE, approve), hall.ask("building.head", DECIDE, refuse));
        let (winner, loser) = if one.body["errors"].is_null() { (one, other) } else { (other, one) };
        let stands = winner.step()["annexes"][0]["status"].as_str().expect("a status").to_lowercase();
        let current = &loser.refused(Code::Conflict)["extensions"]["current"];
        assert_eq!(current["annexes"][0]["status"], stands.as_str(), "{current:#}");
        let after = hall
            .ask("fire.admin", "{ application(number: \"A-2026-0001\") { annexes { status decidedBy } } }", json!({}))
            .await;
        assert_eq!(after.data()["application"]["annexes"][0]["status"], winner.step()["annexes"][0]["status"]);

        // Whoever changes something must have seen it as it is.
        let stale = json!({ "number": "A-2026-0001", "revision": 1 });
        let attach = "mutation($number: String!, $revision: Int!) { step: attachDocument(number: $number, revision: $revision, \
                      input: { name: \"a\", mediaType: \"text/plain\", content: \"YQ==\" }) { number } }";
        let late = hall.ask("fire.admin", attach, stale).await;
        assert!(late.refused(Code::Conflict)["extensions"]["current"]["revision"].as_i64() > Some(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_again_does_nothing_twice() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        let create =
            "mutation($input: ApplicationInput!) { step: createApplication(input: $input) { number revision } }";
        let input = json!({ "input": Hall::input(&permit_items()) });
        let key = [("idempotency-key", "a-key-of-mine")];
        let first = hall.ask_with("fire.admin", create, input.clone(), &key).await;
        let again = hall.ask_with("fire.admin", create, input.clone(), &key).await;
        assert_eq!(first.step(), again.step());
        let all = hall.ask("fire.admin", "{ applications { number } }", json!({})).await;
        assert_eq!(all.data()["applications"].as_array().map(Vec::len), Some(1));
        // Another request under the same key is a mistake; somebody else's key is their own.
        let mut other = input.clone();
        other["input"]["title"] = "另一件".into();
        hall.ask_with("fire.admin", create, other, &key).await.refused(Code::Conflict);
        let theirs = hall.ask_with("tax.admin", create, input.clone(), &key).await;
        assert_eq!(theirs.step()["number"], "A-2026-0002");

        // A first password is told once.
        let open = "mutation { step: openAccount(input: { account: \"fire.new\", title: \"新進\", staffNumber: \"S-9\", roles: \
                    [GENERAL_USER] }) { firstPassword account { account } } }";
        let key = [("idempotency-key", "another")];
        let first = hall.ask_with("fire.admin", open, json!({}), &key).await;
        assert!(first.step()["firstPassword"].is_string());
        let again = hall.ask_with("fire.admin", open, json!({}), &key).await;
        assert_eq!(again.step(), &json!({ "firstPassword": null, "account": { "account": "fire.new" } }));

        // Without a key, a step is a step.
        hall.ask("fire.admin", create, input.clone()).await.step();
        let all = hall.ask("fire.admin", "{ applications { number } }", json!({})).await;
        assert_eq!(all.data()["applications"].as_array().map(Vec::len), Some(2));
    }
}

/// Two servers over one control database, under load: what one takes back, neither answers a second later.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_right_taken_back_is_gone_from_every_server_within_a_second() {
    for mut hall in Hall::on_each().await {
        hall.prepared().await;
        hall.granted("fire.admin", permit_items(), &["building.dba"], "FIRE-2026-001").await;
        hall.handed_on("fire.admin", "FIRE-2026-001", &["fire.officer"]).await;
        let second = hall.second_server().await;
        let watching = [hall.app.accounts.watch(), second.app.accounts.watch()];
        second.ask("fire.officer", PERMITS, json!({})).await.data();

        let stop = AtomicBool::new(false);
        let load = async |server: &Hall| {
            // When the last answer that still held rows began.
            let (mut last, mut count) = (Instant::now(), 0u32);
            while !stop.load(Ordering::Relaxed) {
                let begun = Instant::now();
                let reply = server.ask("fire.officer", PERMITS, json!({})).await;
                if !reply.body["data"]["usePermits"].is_null() {
                    last = begun;
                }
                count += 1;
                tokio::task::yield_now().await;
            }
            (last, count)
        };
        let revoke = async {
            tokio::time::timeout(Duration::from_millis(300), std::future::pending::<()>()).await.unwrap_err();
            let suspend =
                "mutation { step: suspendMasterForm(number: \"FIRE-2026-001\", reason: \"停用\") { status } }";
            hall.ask("it.admin", suspend, json!({})).await.step();
            let revoked = Instant::now();
            tokio::time::timeout(Duration::from_millis(1500), std::future::pending::<()>()).await.unwrap_err();
            stop.store(true, Ordering::Relaxed);
            revoked
        };
        let ((here, asked_here), (there, asked_there), revoked) = tokio::join!(load(&hall), load(&second), revoke);
        assert!(asked_here > 10 && asked_there > 10, "{asked_here} and {asked_there} requests");
        for (server, last) in [("here", here), ("there", there)] {
            let late = last.saturating_duration_since(revoked);
            assert!(late < Duration::from_secs(1), "{server}: still answered {late:?} after");
        }
        watching.into_iter().for_each(|task| task.abort());
    }
}

/// The document that shows each clause names every step there is, and no test that is not there.
#[test]
fn the_document_names_what_there_is() {
    let document = include_str!("../docs/procedure.md");
    let table =
        document.split("## Clause by clause").nth(1).expect("the table").split("\n## ").next().expect("its end");
    for rule in RULES {
        assert!(table.contains(&format!("`{}`", rule.operation)), "{} stands in no clause", rule.operation);
    }
    let tests: String = std::fs::read_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests"))
        .expect("the tests")
        .filter_map(|entry| std::fs::read_to_string(entry.expect("an entry").path()).ok())
        .collect();
    for row in table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| clause")) {
        let shown = row.trim_end_matches(" |").rsplit('|').next().expect("a cell");
        for name in shown.split('`').skip(1).step_by(2) {
            let there = match name.strip_prefix("tests/") {
                Some(_) => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name).exists(),
                None => tests.contains(&format!("fn {name}(")),
            };
            assert!(there, "{name} is no test");
        }
    }
}

/// A client that goes away in the middle of a step does not leave half of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_comes_to_its_end_without_its_client() {
    let mut hall = Hall::on_sqlite().await;
    hall.staffed().await;
    let before = hall.app.audit.record_count()();
    let suspend = "mutation { step: suspendAccount(account: \"fire.officer\", reason: \"停用\") { status } }";
    let mut gone = Box::pin(hall.ask("fire.admin", suspend, json!({})));
    // As far as its first record, which says that it begins.
    while hall.app.audit.record_count()() == before {
        let waited = tokio::time::timeout(Duration::from_micros(50), &mut gone).await;
        assert!(waited.is_err(), "it ended before its client could go");
    }
    let _ = tokio::time::timeout(Duration::from_micros(1), &mut gone).await;
    drop(gone);
    let ended = async {
        while hall.ask("fire.officer", "{ inbox { id } }", json!({})).await.code() != Code::Unauthenticated.word() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("the step came to its end");
}

/// 冪等鍵: one document with two operations holds two requests.
#[tokio::test(flavor = "multi_thread")]
async fn another_operation_of_the_same_document_is_another_request() {
    let document = "mutation One { step: putUserGroup(name: \"one\", title: \"一\") { name } } \
                    mutation Two { step: putUserGroup(name: \"two\", title: \"二\") { name } }";
    for mut hall in Hall::on_each().await {
        hall.staffed().await;
        let ask = async |operation: &str| {
            let request = Request::post("/graphql")
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::AUTHORIZATION, format!("Bearer {}", hall.token("fire.admin")))
                .header("idempotency-key", "a-key-of-mine");
            let body = json!({ "query": document, "operationName": operation });
            hall.send(request.body(body.to_string().into()).expect("a request")).await
        };
        assert_eq!(ask("One").await.step()["name"], "one");
        ask("Two").await.refused(Code::Conflict);
        assert_eq!(ask("One").await.step()["name"], "one");
        let groups = hall.ask("fire.admin", "{ userGroups { name } }", json!({})).await;
        assert_eq!(groups.data()["userGroups"], json!([{ "name": "one" }]));
    }
}
