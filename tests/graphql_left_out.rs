//! What `@skip` and `@include` leave out of the procedure's answers and of introspection: as the specification has it,
//! an object keeps what is left, and nothing else is lost with what was left out.

use crate::support::gate::{Gate, Setup, everything};
use serde_json::{Value, json};

async fn gate() -> Gate {
    let gate = Gate::open(Setup::default(), &["asker"]).await;
    gate.form("ALL-1", everything(&gate.catalog), &["asker"]).await;
    gate
}

async fn data(gate: &Gate, query: &str, variables: Value) -> Value {
    let got = gate.ask("asker", "ALL-1", query, variables).await;
    assert!(got.status == 200 && got.body.get("errors").is_none(), "{query}: {}", got.text);
    got.body["data"].clone()
}

#[tokio::test]
async fn a_root_that_is_left_out_takes_nothing_with_it() {
    let gate = gate().await;
    let query =
        "query ($a: Boolean!) { usePermits(first: 1) { nodes { permitNo } } inbox(first: 1) @include(if: $a) { id } }";
    let empty = json!({ "nodes": [] });
    assert_eq!(data(&gate, query, json!({ "a": false })).await, json!({ "usePermits": empty }));
    assert_eq!(data(&gate, query, json!({ "a": true })).await, json!({ "usePermits": empty, "inbox": [] }));
    for nothing in [
        "{ __typename @skip(if: true) }",
        "{ ... @skip(if: true) { agencies { code } } }",
        "{ ...A @include(if: false) } fragment A on Query { agencies { code } __schema { queryType { name } } }",
        "mutation { reportIncident(input: { title: \"a\", description: \"b\" }) @skip(if: true) { number } }",
    ] {
        let got = gate.ask("asker", "ALL-1", nothing, json!({})).await;
        assert_eq!((got.status.as_u16(), &got.body["data"]), (200, &json!({})), "{nothing}: {}", got.text);
    }
}

#[tokio::test]
async fn an_object_of_which_all_is_left_out_is_empty_and_not_null() {
    let gate = gate().await;
    let cases = [
        ("{ agencies { code @skip(if: true) } }", json!({ "agencies": [{}] })),
        ("{ agencies { ... @skip(if: true) { code } } }", json!({ "agencies": [{}] })),
        (
            "{ agencies { code @skip(if: true) } agencies { code } }",
            json!({ "agencies": [{ "code": "fire-department" }] }),
        ),
        (
            "{ ...A agencies { code } } fragment A on Query { agencies { title @skip(if: true) } }",
            json!({ "agencies": [{ "code": "fire-department" }] }),
        ),
        (
            "{ agencies { title } agencies { code title } }",
            json!({ "agencies": [{ "title": "臺北市政府消防局", "code": "fire-department" }] }),
        ),
        ("{ __schema { queryType @skip(if: true) { name } } }", json!({ "__schema": {} })),
        (
            "{ __schema { queryType { name @skip(if: true) } mutationType { name } } }",
            json!({ "__schema": { "queryType": {}, "mutationType": { "name": "Mutation" } } }),
        ),
        ("{ __type(name: \"Nothing\") { name @skip(if: true) } }", json!({ "__type": null })),
        (
            "{ __type(name: \"Notice\") { kind } __type(name: \"Notice\") { name } }",
            json!({ "__type": { "kind": "OBJECT", "name": "Notice" } }),
        ),
    ];
    for (query, expected) in cases {
        assert_eq!(data(&gate, query, json!({})).await, expected, "{query}");
    }
}
