//! Documents and variables that the specification refuses though they are read easily, and those that it takes though the
//! library's parser does not.

use crate::support::trial::{Trial, gate, post};
use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};

const VALIDATE: &str = "GRAPHQL_VALIDATION_FAILED";

#[tokio::test]
async fn a_name_stands_once_in_an_object() {
    let gate = gate().await;
    let mut trial = Trial::new(&gate);
    let cases = [
        (r#"{ parcels(where: { areaM2: { _eq: "1" }, areaM2: { _eq: "2" } }) { totalCount } }"#, "areaM2:"),
        (r#"{ parcels(where: { areaM2: { _gt: "1" _gt: "2" } }) { totalCount } }"#, "_gt:"),
        (
            r#"{ parcels(where: { _or: [{ areaM2: { _eq: "1" } }, { areaM2: {}, areaM2: {} }] }) { totalCount } }"#,
            "areaM2:",
        ),
        (r#"{ parcels(orderBy: [{ areaM2: ASC, areaM2: DESC }]) { totalCount } }"#, "areaM2:"),
        (r#"query ($w: ParcelFilter = { _not: {}, _not: {} }) { parcels(where: $w) { totalCount } }"#, "_not:"),
        (r#"mutation { reportIncident(input: { title: "a", title: "b", description: "c" }) { number } }"#, "title:"),
        (r#"{ persons(where: { name: { _eq: "{" }, name: { _eq: "}" } }) { totalCount } }"#, "name:"),
    ];
    for (query, name) in cases {
        let column = query.rfind(name).expect("the second") + 1;
        let got = trial.ask(query, VALIDATE, query, json!({})).await;
        assert_eq!(got.body["errors"][0]["locations"], json!([{ "line": 1, "column": column }]), "{query}");
    }
    // One name in several objects, or as a key of several selections, is none twice.
    let fine = r#"{ a: parcels(where: { _or: [{ areaM2: { _eq: "1" } }, { sectionKey: { _eq: "a: {" } }] # areaM2: areaM2:
        }) { a: totalCount } b: parcels { a: totalCount } }"#;
    let got = gate.ask("asker", "", fine, json!({})).await;
    assert_eq!(got.code(), "SOURCE_UNAVAILABLE", "{}", got.text);
    trial.end();
}

#[tokio::test]
async fn a_name_stands_once_in_json() {
    let gate = gate().await;
    let mut trial = Trial::new(&gate);
    let query = "query ($a: Int, $w: ParcelFilter) { parcels(first: $a, where: $w) { totalCount } }";
    let bodies = [
        r#""variables": { "a": 1, "a": 2 }"#,
        r#""variables": { "a": 1, "\u0061": 1 }"#,
        r#""variables": { "w": { "_or": [{ "areaM2": { "_eq": "1" }, "areaM2": { "_eq": "2" } }] } }"#,
        r#""variables": { "not declared": [{ "x": 1, "x": 1 }] }"#,
        r#""variables": {}, "variables": {}"#,
        r#""operationName": null, "operationName": null"#,
        r#""extensions": {}, "extensions": {}"#,
    ];
    for body in bodies {
        let got = trial.body(body, "BAD_USER_INPUT", format!(r#"{{ "query": "{query}", {body} }}"#)).await;
        assert_eq!(got.status, 400, "{body}");
    }
    let url = "/graphql?query=query($a:Int)%7B__typename%20@skip(if:false)%7D&variables=%7B%22a%22:1,%22a%22:1%7D";
    let request = Request::builder().method(Method::GET).uri(url).body(Body::empty()).expect("a request");
    let got = gate.send(request).await;
    assert_eq!((got.status.as_u16(), got.code()), (400, "BAD_USER_INPUT"), "{}", got.text);
    let fine = r#""variables": { "a": 1, "w": { "areaM2": { "_eq": 1.5 }, "_not": null } }, "extensions": { "b": 1 }"#;
    let request = post(gate.token("asker"), "en").body(format!(r#"{{ "query": "{query}", {fine} }}"#).into());
    let got = gate.send(request.expect("a request")).await;
    assert_eq!(got.code(), "BAD_USER_INPUT", "_not: null is no condition: {}", got.text);
    trial.end();
}

#[tokio::test]
async fn a_subscription_has_one_root_field() {
    let gate = gate().await;
    let mut trial = Trial::new(&gate);
    for query in [
        "subscription { inboxNotices { id } other: inboxNotices { id } }",
        "subscription { ...A inboxNotices { id } } fragment A on Subscription { other: inboxNotices { id } }",
        "subscription { inboxNotices { id } __typename }",
        "query A { __typename } subscription B { a: inboxNotices { id } b: inboxNotices { id } }",
    ] {
        let body = json!({ "query": query, "operationName": query.contains("query A").then_some("B") });
        trial.body(query, VALIDATE, body.to_string()).await;
    }
    trial.end();
}

#[tokio::test]
async fn directives_of_variables_are_checked() {
    let gate = gate().await;
    let mut trial = Trial::new(&gate);
    for (query, column) in [
        ("query ($a: Int @foo(x: $zz)) { parcels(first: $a) { totalCount } }", 16),
        ("query ($a: Int @foo) { parcels(first: $a) { totalCount } }", 16),
        ("query ($a: Int @skip(if: true)) { parcels(first: $a) { totalCount } }", 16),
        ("query @foo { parcels { totalCount } }", 7),
        ("query @skip(if: true) { parcels { totalCount } }", 7),
        ("{ ...A } fragment A on Query @foo { parcels { totalCount } }", 30),
    ] {
        let got = trial.ask(query, VALIDATE, query, json!({})).await;
        assert_eq!(got.body["errors"][0]["locations"], json!([{ "line": 1, "column": column }]), "{query}");
    }
    trial.end();
}

/// What the specification allows and the library's parser does not read is read all the same, and positions stay those
/// of what was sent.
#[tokio::test]
async fn what_the_parser_does_not_read_is_put_so_that_it_does() {
    let gate = gate().await;
    let variables = json!({ "n": "115使字第0001號", "f": [1] });
    for head in [
        "($n: PermitNumber !, $f: [ Int! ] !)",
        "($n : PermitNumber\n!, $f:\n[ # of whole numbers\n Int ! \n] ! = [ 1 ])",
        "($n: PermitNumber! $f: [,Int!,]!)",
    ] {
        let query = format!(
            "query {head} {{ usePermit(permitNo: $n) {{ permitNo }} usePermits(where: {{ floorsAbove: {{ _in: $f }} }}) {{ totalCount }} }}"
        );
        let got = gate.ask("asker", "", &query, variables.clone()).await;
        assert_eq!(got.code(), "SOURCE_UNAVAILABLE", "{query}: {}", got.text);
        // The same with a fault behind it.
        let faulty = query.replace("totalCount", "totalCuont");
        let at = |text: &str, byte: usize| {
            let line = text[..byte].rfind('\n').map_or(0, |newline| newline + 1);
            json!([{ "line": text[..byte].matches('\n').count() + 1, "column": text[line..byte].chars().count() + 1 }])
        };
        let expected = at(&faulty, faulty.find("totalCuont").expect("the fault"));
        let got = gate.ask("asker", "", &faulty, variables.clone()).await;
        assert_eq!((got.code(), &got.body["errors"][0]["locations"]), (VALIDATE, &expected), "{faulty}");
    }
    let pair = r#"{ persons(where: { name: { _eq: "a\uD83D\uDE00\\uD83D" } }, frist: 1) { totalCount } }"#;
    let got = gate.ask("asker", "", pair, Value::Null).await;
    let column = pair.find("frist").expect("the fault") + 1;
    assert_eq!(got.body["errors"][0]["locations"], json!([{ "line": 1, "column": column }]), "{}", got.text);
    let got = gate.ask("asker", "", &pair.replace(", frist: 1", ""), Value::Null).await;
    assert_eq!(got.code(), "SOURCE_UNAVAILABLE", "{}", got.text);
    for half in [r"\uD83D", r"\uDE00", r"\uDE00\uD83D", r"\uD83D\u0041", r"\uD83D\\uDE00", r"\uD83D\uDE0"] {
        let query = format!(r#"{{ persons(where: {{ name: {{ _eq: "{half}" }} }}) {{ totalCount }} }}"#);
        let got = gate.ask("asker", "", &query, Value::Null).await;
        assert_eq!(got.code(), "GRAPHQL_PARSE_FAILED", "{half}: {}", got.text);
    }
}
