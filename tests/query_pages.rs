//! What a page says of its neighbours: what is known, and no more. A cursor tells that its row was there, for the filter
//! under which it was given; rows passed over by an offset are there if any row follows them.

use crate::support::app::everything;
use crate::support::city::City;
use crate::support::{Databases, Layout, TestApp};
use cityquery::store::migrate;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_page_says_of_its_neighbours_what_is_known() {
    for layout in Layout::all() {
        let databases = Databases::empty(layout).await;
        let catalog = cityquery::catalog::load_builtin().expect("sound declarations");
        let connections = catalog.connections(&databases.connections);
        migrate::migrate(&connections).await.expect("migrates");
        City::new(&catalog, 1).load(&connections).await;
        let test = TestApp::over(&databases).await;
        test.open_form_of("ALL", everything(&catalog), "fire.officer").await;
        let token = test.sign_in("fire.officer").await.text("access_token");
        let list = async |arguments: &str, variables: Value| {
            let head = match (variables.get("w"), variables.get("k")) {
                (Some(_), _) => "query ($w: ParcelFilter) ",
                (_, Some(_)) => "query ($k: String) ",
                _ => "",
            };
            let query =
                format!("{head}{{ parcels({arguments}) {{ pageInfo {{ hasPreviousPage hasNextPage endCursor }} }} }}");
            let answer = test.ask(&token, "ALL", &query, variables).await;
            assert_eq!(answer.body["errors"], Value::Null, "{query}: {answer:?}");
            answer.body["data"]["parcels"]["pageInfo"].clone()
        };
        let neighbours = |info: &Value| (info["hasPreviousPage"].clone(), info["hasNextPage"].clone());
        let known = |previous: bool, next: bool| (json!(previous), json!(next));

        let first = list("first: 1", Value::Null).await;
        assert_eq!(neighbours(&first), known(false, true), "{layout:?}");
        let cursor = first["endCursor"].as_str().expect("a cursor");
        // Under the same filter, which is none, the cursor's row is there.
        for (arguments, expected) in [
            (format!("first: 1, after: \"{cursor}\""), known(true, true)),
            (format!("last: 1, before: \"{cursor}\""), known(false, true)),
            (format!("where: {{ parcelKey: {{ _eq: \"-\" }} }}, last: 1, before: \"{cursor}\""), known(false, false)),
            (format!("where: {{ parcelKey: {{ _eq: \"-\" }} }}, first: 1, after: \"{cursor}\""), known(false, false)),
            ("first: 1, offset: 1".to_owned(), known(true, true)),
            ("first: 0, offset: 1".to_owned(), known(true, true)),
            ("first: 1, offset: 1000000".to_owned(), known(false, false)),
            ("where: { parcelKey: { _eq: \"-\" } }, first: 1, offset: 1".to_owned(), known(false, false)),
        ] {
            assert_eq!(neighbours(&list(&arguments, Value::Null).await), expected, "{layout:?}: {arguments}");
        }
        // The same filter is the same however it is sent.
        let filter = "where: { parcelKey: { _neq: \"-\" } }";
        let first = list(&format!("{filter}, first: 1"), Value::Null).await;
        let cursor = first["endCursor"].as_str().expect("a cursor");
        let whole = json!({ "w": { "parcelKey": { "_neq": "-" } } });
        for (filter, variables, expected) in [
            (filter, Value::Null, true),
            ("where: $w", whole, true),
            ("where: { parcelKey: { _neq: $k } }", json!({ "k": "-" }), true),
            ("where: { parcelKey: { _neq: $k } }", json!({ "k": "?" }), false),
        ] {
            let arguments = format!("{filter}, first: 1, after: \"{cursor}\"");
            let info = list(&arguments, variables).await;
            assert_eq!(info["hasPreviousPage"], json!(expected), "{layout:?}: {arguments}");
        }
    }
}
