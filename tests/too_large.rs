//! Input that is meant to cost the server more than it cost to send: refused by a limit, before any SQL, and quickly;
//! and text of any kind, which must never be a fault of ours.

use std::fmt::Write as _;
use std::future::IntoFuture as _;
use std::time::Instant;

use crate::support::trial::{QUICK, Trial, gate, post};
use proptest::prelude::*;
use serde_json::{Value, json};

#[tokio::test]
async fn what_is_too_large_is_refused_before_any_sql() {
    let gate = gate().await;
    let mut trial = Trial::new(&gate);
    let costly = "QUERY_TOO_COSTLY";
    let many = |count: usize, each: &dyn Fn(usize) -> String| (0..count).map(each).collect::<String>();
    let aliases = format!("{{ {} }}", many(10_000, &|n| format!("a{n}:__typename ")));
    trial.ask("10,000 aliases", costly, &aliases, json!({})).await;
    let aliases = format!("{{ {} }}", many(31, &|n| format!("a{n}: persons(first: 1) {{ nodes {{ id }} }} ")));
    trial.ask("31 aliases", costly, &aliases, json!({})).await;
    let directives = format!("{{ __typename {} }}", "@a".repeat(32_000));
    trial.ask("64 k directives", costly, &directives, json!({})).await;
    let directives = format!("{{ __typename {} }}", "@skip(if: false)".repeat(900));
    trial.ask("900 times @skip", "GRAPHQL_VALIDATION_FAILED", &directives, json!({})).await;
    let wrong = [
        ("arguments", format!("{{ persons({}) {{ nodes {{ id }} }} }}", many(6_000, &|n| format!("a{n}:1 ")))),
        (
            "fields of a condition",
            format!("{{ persons(where: {{ {} }}) {{ nodes {{ id }} }} }}", many(6_000, &|n| format!("a{n}:1 "))),
        ),
        (
            "values",
            format!("{{ persons(where: {{ name: {{ _in: [{}] }} }}) {{ nodes {{ id }} }} }}", "1 ".repeat(20_000)),
        ),
        ("variables", format!("query ({}) {{ __typename }}", many(4_000, &|n| format!("$a{n}: X{n} ")))),
        ("operations", many(2_000, &|n| format!("query Q{n} {{ nothing{n} }} "))),
        ("fragments", format!("{{ __typename }} {}", many(1_500, &|n| format!("fragment F{n} on X {{ nothing }} ")))),
    ];
    for (name, query) in wrong {
        let body =
            json!({ "query": query, "operationName": if name == "operations" { json!("Q1") } else { json!(null) } });
        let code = match name {
            "values" => "BAD_USER_INPUT",
            "variables" | "operations" => costly,
            _ => "GRAPHQL_VALIDATION_FAILED",
        };
        let got = trial.body(&format!("thousands of wrong {name}"), code, body.to_string()).await;
        assert!(got.text.len() < 60_000, "{name}: a short answer: {}", got.text.len());
    }
    trial.ask("100 kB", costly, &format!("{{ __typename }} # {}", "x".repeat(100_000)), json!({})).await;
    let unknown = format!("{{ persons {{ nodes {{ {} }} }} }}", many(400, &|n| format!("nothing{n} ")));
    let got = trial.ask("400 unknown fields", "GRAPHQL_VALIDATION_FAILED", &unknown, json!({})).await;
    assert!(got.text.len() < 60_000, "a short question has a short answer: {}", got.text.len());

    let deep = format!("{{ persons {{ nodes {{ {} id {} }} }} }}", "household { members { ".repeat(6), "} }".repeat(6));
    trial.ask("12 levels of joins", costly, &deep, json!({})).await;
    for levels in [70, 10_000] {
        let deep = format!("{{ persons {{ nodes {} {} }} }}", "{ household ".repeat(levels), "}".repeat(levels));
        trial.ask(&format!("{levels} levels"), costly, &deep, json!({})).await;
    }
    let deep = format!("{{ persons(first: {}1{}) {{ nodes {{ id }} }} }}", "[".repeat(200), "]".repeat(200));
    trial.ask("lists in lists", costly, &deep, json!({})).await;

    let leaves =
        [("a field", "{ name }"), ("a skipped field", "{ name @skip(if: true) }"), ("nothing", "{ ...Nothing }")];
    for (leaf, end) in leaves {
        let mut bomb = "{ persons { nodes { ...F0 } } } ".to_owned();
        for n in 0..30 {
            let _ = write!(bomb, "fragment F{n} on Person {{ ...F{m} ...F{m} }} ", m = n + 1);
        }
        let _ = write!(bomb, "fragment F30 on Person {end}");
        trial.ask(&format!("a bomb of fragments that ends in {leaf}"), costly, &bomb, json!({})).await;
    }
    let mut bomb = "{ persons { nodes { ...F0 } } } ".to_owned();
    for n in 0..14 {
        let _ = write!(bomb, "fragment F{n} on Person {{ father {{ ...F{m} }} mother {{ ...F{m} }} }} ", m = n + 1);
    }
    bomb.push_str("fragment F14 on Person { name }");
    trial.ask("a bomb of joins", costly, &bomb, json!({})).await;
    trial
        .ask(
            "introspection in itself",
            costly,
            "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
            json!({}),
        )
        .await;
    trial.ask("the cost", costly, "{ persons(first: 1000) { nodes { events(first: 1000) { person { name } } ownedLand(first: 1000) { share } } } }", json!({})).await;

    let query = "query ($where: PersonFilter!, $order: [PersonOrder!], $ids: [NationalId!], $names: [String!]) {
        persons(where: { _and: [$where, { nationalId: { _in: $ids } }, { name: { _in: $names } }] }, orderBy: $order) { nodes { id } } }";
    let one = json!({ "name": { "_eq": "x" } });
    let cases = [
        ("20,000 conditions", json!({ "where": { "_or": vec![one.clone(); 20_000] } })),
        ("20,000 empty conditions", json!({ "where": { "_or": vec![json!({}); 20_000] } })),
        (
            "conditions of the same column",
            json!({ "where": { "_and": vec![json!({ "name": { "_eq": "x", "_neq": "y", "_gt": "z" } }); 200] } }),
        ),
        ("17 fields of an order", json!({ "order": vec![json!({ "name": "ASC" }); 17] })),
        ("60,000 values", json!({ "names": vec!["王"; 60_000] })),
        ("40,000 numbers", json!({ "ids": vec!["A123456789"; 40_000] })),
    ];
    for (name, mut variables) in cases {
        let variables = variables.as_object_mut().expect("an object");
        for (key, value) in [("where", json!({})), ("order", json!([])), ("ids", json!([])), ("names", json!([]))] {
            variables.entry(key).or_insert(value);
        }
        trial.ask(name, costly, query, json!(variables)).await;
    }
    let mut nested = one.clone();
    for _ in 0..110 {
        nested = json!({ "_not": nested });
    }
    trial
        .ask(
            "where 110 deep",
            costly,
            "query ($where: PersonFilter) { persons(where: $where) { nodes { id } } }",
            json!({ "where": nested }),
        )
        .await;
    let mut nested = one;
    for _ in 0..20 {
        nested = json!({ "household": { "members": { "_some": nested } } });
    }
    trial
        .ask(
            "joins 40 deep",
            costly,
            "query ($where: PersonFilter) { persons(where: $where) { nodes { id } } }",
            json!({ "where": nested }),
        )
        .await;
    trial.end();
}

fn piece() -> impl Strategy<Value = String> {
    let words = [
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        "$",
        "@",
        "!",
        "...",
        "\"",
        "\"\"\"",
        "#",
        "\\",
        "\\u",
        "D800",
        "query",
        "mutation",
        "fragment",
        "on",
        "Person",
        "persons",
        "person",
        "nodes",
        "edges",
        "cursor",
        "node",
        "where",
        "orderBy",
        "first",
        "after",
        "name",
        "nationalId",
        "household",
        "members",
        "_and",
        "_or",
        "_not",
        "_eq",
        "_some",
        "null",
        "true",
        "1",
        "-1",
        "1e9",
        "ASC",
        "@skip(if: true)",
        "__typename",
        "__schema",
        " ",
        "\n",
        ",",
        "\u{feff}",
        "中",
        "\u{0}",
    ];
    prop_oneof![4 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => "\\PC{1,6}"]
}

/// Whatever is sent: no fault of ours, and an end.
#[test]
fn no_text_breaks_the_server() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let gate = runtime.block_on(gate());
    let token = gate.token("asker").to_owned();
    let fine = |body: Vec<u8>| {
        let shown = String::from_utf8_lossy(&body).into_owned();
        let request = post(&token, "en").body(body.into()).expect("a request");
        let started = Instant::now();
        let got = runtime.block_on(gate.send(request));
        let fault = got.status.is_server_error() && got.code() != "SOURCE_UNAVAILABLE";
        prop_assert!(!fault && started.elapsed() < QUICK, "{shown}: {} {}", got.status, got.text);
        prop_assert!(got.body.is_object(), "{shown}: {}", got.text);
        Ok(())
    };
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner.run(&proptest::collection::vec(any::<u8>(), 0..200), fine).unwrap_or_else(|error| panic!("{error}"));
    let text = proptest::collection::vec(piece(), 0..40).prop_map(|pieces| pieces.join(" "));
    runner
        .run(&text, |text| fine(json!({ "query": text }).to_string().into_bytes()))
        .unwrap_or_else(|error| panic!("{error}"));
    let inside = proptest::collection::vec(piece(), 0..20)
        .prop_map(|pieces| format!("{{ persons({}) {{ nodes {{ id }} }} }}", pieces.join(" ")));
    runner
        .run(&inside, |text| fine(json!({ "query": text }).to_string().into_bytes()))
        .unwrap_or_else(|error| panic!("{error}"));
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        any::<f64>().prop_map(|value| json!(value)),
        "\\PC{0,8}".prop_map(|value| json!(value)),
        "[\\x00-\\x1f]{1,3}".prop_map(|value| json!(value)),
    ];
    let key = proptest::sample::select(vec![
        "_and",
        "_or",
        "_not",
        "name",
        "household",
        "members",
        "_some",
        "_every",
        "_eq",
        "_in",
        "_like",
        "_isNull",
        "birthDate",
        "x",
    ]);
    let json = leaf.prop_recursive(6, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::hash_map(key.clone().prop_map(str::to_owned), inner, 0..5).prop_map(|map| json!(map)),
        ]
    });
    let query = "query ($where: PersonFilter, $first: Int, $after: String) { persons(where: $where, first: $first, after: $after) { nodes { id } } }";
    runner
        .run(&(json.clone(), json.clone(), json), |(a, b, c)| {
            let body = json!({ "query": query, "variables": { "where": a, "first": b, "after": c } });
            fine(body.to_string().into_bytes())?;
            fine(json!({ "query": query, "variables": { "where": a } }).to_string().into_bytes())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

/// Over a real connection: a client that is still sending must be able to read why it is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_megabytes_are_read_to_their_end_and_refused() {
    let gate = gate().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let served = tokio::spawn(axum::serve(listener, gate.router.clone()).into_future());
    let client = reqwest::Client::new();
    let body = format!("{{\"query\":\"{{ __typename }} # {}\"}}", "x".repeat(10_000_000));
    for path in ["graphql", "auth/sign-in", "oauth/token"] {
        let request = client.post(format!("http://{address}/{path}")).bearer_auth(gate.token("asker"));
        let request = request.header("content-type", "application/json").body(body.clone());
        let started = Instant::now();
        let answer = request.send().await.expect("an answer, not a broken connection");
        assert!(started.elapsed() < QUICK, "{path}: after {:?}", started.elapsed());
        let (status, said) = (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"));
        match path {
            "oauth/token" => assert_eq!((status, &said["error"]), (413, &json!("invalid_request"))),
            _ => assert_eq!(&said["errors"][0]["extensions"]["code"], &json!("BAD_USER_INPUT"), "{path}: {status}"),
        }
    }
    served.abort();
}
