//! What 1,000 rows of ten fields cost beyond the time that the database takes for them: the statement alone, and the whole
//! request from body to answer with its record durable, in turn, in one process and without a network.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, header};
use cityquery::catalog::{Catalog, load_builtin};
use cityquery::config::{Clock, Entropy};
use cityquery::http::App;
use cityquery::store::rows::Kind;
use cityquery::store::source::{Lane, Statement};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{Arguments, city, median};

const ROWS: usize = 1_000;
const TURNS: usize = 300;
/// Field, column, what it holds.
const FIELDS: [(&str, &str, Kind); 10] = [
    ("nationalId", "national_id", Kind::Text),
    ("name", "name", Kind::Text),
    ("sex", "sex", Kind::Text),
    ("birthDate", "birth_date", Kind::Date),
    ("householdNo", "household_no", Kind::Text),
    ("relationToHead", "relation_to_head", Kind::Text),
    ("maritalStatus", "marital_status", Kind::Text),
    ("status", "status", Kind::Text),
    ("districtCode", "district_code", Kind::Text),
    ("villageCode", "village_code", Kind::Text),
];

/// Measures and prints.
pub async fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let mut config = city::settings(arguments)?;
    config.audit.dir = config.audit.dir.join("rows");
    config.audit.node = "rows".to_owned();
    let catalog: Arc<Catalog> = Arc::new(load_builtin().map_err(|faults| anyhow::anyhow!("{faults:?}"))?);
    let (app, _) = App::open(config, catalog, Clock::system(), Entropy::system()).await?;
    let app = Arc::new(app);
    let statement = statement(&app)?;
    let place = app.engine.databases().place("household").ok_or_else(|| anyhow::anyhow!("no household"))?.clone();
    let body = json!({ "account": "bench", "password": city::PASSWORD }).to_string();
    let signed_in: Value = serde_json::from_slice(&send(&app, "/auth/sign-in", "", body).await?)?;
    let token = signed_in["access_token"].as_str().unwrap_or_default().to_owned();
    let fields: Vec<&str> = FIELDS.iter().map(|(field, ..)| *field).collect();
    let body =
        json!({ "query": format!("{{ persons(first: {ROWS}) {{ nodes {{ {} }} }} }}", fields.join(" ")) }).to_string();
    let (mut alone, mut whole, mut bytes) = (Vec::new(), Vec::new(), 0);
    for turn in 0..TURNS + 20 {
        let started = Instant::now();
        let deadline = started + Duration::from_secs(10);
        let rows = app.engine.databases().source(place.database).query(&statement, vec![], deadline).await?;
        let statement_ms = started.elapsed().as_secs_f64() * 1e3;
        anyhow::ensure!(rows.len() == ROWS + 1, "the city is too small: {} persons", rows.len());
        let started = Instant::now();
        let answer = send(&app, "/graphql", &token, body.clone()).await?;
        let whole_ms = started.elapsed().as_secs_f64() * 1e3;
        bytes = answer.len();
        if turn == 0 {
            let answer: Value = serde_json::from_slice(&answer)?;
            let nodes = answer["data"]["persons"]["nodes"].as_array().map_or(0, Vec::len);
            anyhow::ensure!(nodes == ROWS && answer["errors"].is_null(), "{}", answer["errors"]);
        }
        if turn >= 20 {
            alone.push(statement_ms);
            whole.push(whole_ms);
        }
    }
    let beyond: Vec<f64> = whole.iter().zip(&alone).map(|(whole, alone)| whole - alone).collect();
    println!("\n{ROWS} rows of {} fields ({bytes} bytes), one after the other, medians of {TURNS}", FIELDS.len());
    println!("  the statement alone {:>6.2} ms", median(&alone));
    println!("  the whole request   {:>6.2} ms", median(&whole));
    println!("  beyond the database {:>6.2} ms", median(&beyond));
    app.audit.close();
    Ok(())
}

/// The statement that the plan runs.
fn statement(app: &App) -> anyhow::Result<Statement> {
    let place = app.engine.databases().place("household").ok_or_else(|| anyhow::anyhow!("no household"))?;
    let schema = place.schema.as_ref().map(|schema| format!("\"{schema}\".")).unwrap_or_default();
    let columns: Vec<String> = FIELDS.iter().map(|(_, column, _)| format!("\"t0\".\"{column}\"")).collect();
    let columns = columns.join(", ");
    let limit = ROWS + 1;
    let sql = format!(
        "SELECT \"t0\".\"id\", {columns} FROM {schema}\"persons\" AS \"t0\" ORDER BY \"t0\".\"id\" ASC LIMIT {limit}"
    );
    let kinds = std::iter::once(Kind::Int).chain(FIELDS.iter().map(|(.., kind)| *kind)).collect();
    Ok(Statement { sql: sql.into(), columns: kinds, lane: Lane::Shared })
}

/// Sends a request through the program's own router.
async fn send(app: &Arc<App>, path: &str, token: &str, body: String) -> anyhow::Result<Vec<u8>> {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header("x-case-number", "BENCH-1")
        .body(Body::from(body))?;
    let response = cityquery::http::router(app.clone()).oneshot(request).await?;
    Ok(response.into_body().collect().await?.to_bytes().to_vec())
}
