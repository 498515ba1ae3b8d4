//! What the GraphQL-over-HTTP specification says of methods, media types and the entry `data`, through the router.

use crate::support::gate::{Gate, Setup, everything};
use serde_json::{Value, json};

async fn gate() -> Gate {
    let gate = Gate::open(Setup::default(), &["asker"]).await;
    gate.form("ALL-1", everything(&gate.catalog), &["asker"]).await;
    gate
}

/// A field that fails while it is worked on is an error of execution: the answer has its entry `data`, which is null
/// since every root of the procedure is there or the whole is not. What fails before has none.
#[tokio::test]
async fn an_error_of_a_field_leaves_data_null() {
    let gate = gate().await;
    let query = "{ usePermits(first: 1) { nodes { permitNo } } channels { __typename } }";
    let got = gate.ask("asker", "ALL-1", query, json!({})).await;
    assert_eq!((got.status.as_u16(), got.code()), (403, "FORBIDDEN"), "{}", got.text);
    assert_eq!(got.body["errors"][0]["path"], json!(["channels"]));
    assert_eq!(got.body.get("data"), Some(&Value::Null), "{}", got.text);
    assert!(got.body["extensions"]["audit"].is_string(), "it is recorded: {}", got.text);
    let got = gate
        .ask(
            "asker",
            "ALL-1",
            "mutation { step: openAgency(code: \"a\", title: \"a\", kind: OFFICE) { code } }",
            json!({}),
        )
        .await;
    assert_eq!(got.body.get("data"), got.body["errors"][0].get("path").map(|_| &Value::Null), "{}", got.text);
    for before in ["{ nothing }", "{", "{ parcels(first: -1) { totalCount } }"] {
        let got = gate.ask("asker", "ALL-1", before, json!({})).await;
        assert!(!got.codes().is_empty() && got.body.get("data").is_none(), "{before}: {}", got.text);
    }
}
