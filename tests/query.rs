//! The one query that everything is judged by, word for word and through the true router, in every layout.

use crate::support::app::everything;
use crate::support::city::{Cell, City};
use crate::support::{Databases, Layout, TestApp};
use axum::http::StatusCode;
use cityquery::store::migrate;
use serde_json::{Value, json};

const AT_RISK: &str = include_str!("graphql/building_at_risk.graphql");

/// The permit to which most parcels belong.
fn busiest_permit(city: &City) -> String {
    let links = city.table("use_permit_parcels");
    let permit = links.column("permit_no");
    let count = |cell: &Cell| links.rows.iter().filter(|row| row[permit] == *cell).count();
    let known = |cell: &&Cell| city.table("use_permits").rows.iter().any(|row| row.contains(cell));
    let busiest = links.rows.iter().map(|row| &row[permit]).filter(known).max_by_key(|cell| count(cell));
    match busiest {
        Some(Cell::Text(number)) => number.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_query_walks_five_datasets_in_every_layout() {
    let mut answers: Vec<(Layout, Value)> = Vec::new();
    for layout in Layout::all() {
        let databases = Databases::empty(layout).await;
        let catalog = cityquery::catalog::load_builtin().expect("sound declarations");
        let connections = catalog.connections(&databases.connections);
        migrate::migrate(&connections).await.expect("migrates");
        let city = City::new(&catalog, 1);
        city.load(&connections).await;
        let test = TestApp::over(&databases).await;
        test.open_form_of("ALL", everything(&catalog), "fire.officer").await;
        let token = test.sign_in("fire.officer").await.text("access_token");
        let answer = test.ask(&token, "ALL", AT_RISK, json!({ "no": busiest_permit(&city) })).await;
        assert_eq!(answer.status, StatusCode::OK, "{layout:?}: {answer:?}");
        assert_eq!(answer.body["errors"], Value::Null, "{layout:?}: {answer:?}");
        assert!(answer.body["extensions"]["audit"].is_string(), "{layout:?}: {answer:?}");
        answers.push((layout, answer.body["data"].clone()));
    }
    let first = &answers[0].1;
    let text = first.to_string();
    for deep in ["section\":{", "zone\":{", "owner\":{", "household\":{", "village\":{", "result", "members\":[{"] {
        assert!(text.contains(deep), "no {deep} in {first:#}");
    }
    for (layout, answer) in &answers {
        assert_eq!(answer.to_string(), text, "{layout:?} answers otherwise than {:?}", answers[0].0);
    }
}
