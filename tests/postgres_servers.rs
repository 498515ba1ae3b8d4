//! Datasets on PostgreSQL servers as agencies run them: tables altered under a running server, schemas named by the address, few
//! connections, and values that an answer cannot hold.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cityquery::access::Code;
use cityquery::config::{Config, Connection};
use cityquery::store::layout::Databases;
use cityquery::store::rows::Kind;
use cityquery::store::source::{Lane, Statement};
use serde_json::json;

use crate::support::gate::{Gate, Got, Setup, everything};
use crate::support::hall::Hall;
use crate::support::{plots, postgres};
use axum::body::Body;
use axum::http::Request;

const CODES: [&str; 5] = ["household", "land", "building", "zoning", "fire"];

/// The city in one database, behind that address of it.
async fn city(settings: &str, role: &str) -> Option<(Gate, postgres::Database)> {
    let database = postgres::Database::create(&postgres::server()?).await;
    plots::execute(&database.url, "CREATE SCHEMA elsewhere").await;
    let url = format!("{}{settings}", database.url);
    let at = |url: &str| CODES.map(|code| (code.to_owned(), Connection { url: url.to_owned(), schema: None }));
    let (maker, reader) = (BTreeMap::from(at(&url)), BTreeMap::from(at(&url.replace("cityquery@", role))));
    let catalog = cityquery::catalog::load_builtin().expect("sound");
    let connections = catalog.connections(&maker);
    cityquery::store::migrate::migrate(&connections).await.expect("migrates");
    plots::load(&plots::plots(&catalog), &connections).await;
    let gate = Gate::open(Setup { datasets: Some(reader), ..Setup::default() }, &["asker"]).await;
    gate.form("ALL-1", everything(&gate.catalog), &["asker"]).await;
    Some((gate, database))
}

const NAMES: &str = "{ persons { nodes { name } } }";
const SEARCH: &str = "{ persons(where: { name: { _like: \"%\" } }) { nodes { name } } }";
const AREAS: &str = "{ parcels { nodes { areaM2 ownerships { owner { name } } } } }";

async fn ask(gate: &Gate, query: &str) -> Got {
    gate.ask("asker", "", query, json!({})).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_may_be_altered_under_a_running_server() {
    let Some((gate, database)) = city("", "cityquery@").await else { return };
    for _ in 0..20 {
        for query in [NAMES, SEARCH, AREAS] {
            assert_eq!(ask(&gate, query).await.status, 200);
        }
    }
    let alter =
        "ALTER TABLE persons ALTER name TYPE varchar(300); ALTER TABLE parcels ALTER area_m2 TYPE numeric(24,2)";
    plots::execute(&database.url, alter).await;
    for _ in 0..20 {
        for query in [NAMES, SEARCH, AREAS] {
            let got = ask(&gate, query).await;
            assert!(got.status == 200 && got.body["errors"].is_null(), "{query}: {}", got.text);
        }
    }
}

/// Whoever reads it finds the schema that the address names, as does whoever migrates.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_of_an_address_reach_every_connection() {
    let settings = "?options=-c%20search_path%3Delsewhere";
    let Some((gate, _database)) = city(settings, "cityquery@").await else { return };
    for query in [NAMES, SEARCH] {
        let got = ask(&gate, query).await;
        assert!(got.text.contains("persons-name-1"), "{query}: {}", got.text);
    }
}

/// Three connections, where sixteen would be opened: slower, but answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_connections_serve_all() {
    let Some(server) = postgres::server() else { return };
    let role = format!("few_{}", std::process::id());
    let make =
        format!("DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN CONNECTION LIMIT 3 IN ROLE pg_read_all_data");
    plots::execute(&server, &make).await;
    let Some((gate, database)) = city("", &format!("{role}@")).await else { return };
    for round in 0..6 {
        let asked = [NAMES, SEARCH, AREAS, NAMES, SEARCH, SEARCH, SEARCH, NAMES, AREAS].map(|query| ask(&gate, query));
        for got in futures::future::join_all(asked).await {
            assert_eq!(got.status, 200, "round {round}: {}", got.text);
        }
        let ready = gate.send(Request::get("/readyz").body(Body::empty()).expect("a request")).await;
        assert_eq!(ready.status, 200, "{}", ready.text);
    }
    drop((gate, database));
    plots::execute(&server, &format!("DROP ROLE {role}")).await;
}

/// What the log says of a statement that failed.
async fn failure(url: &str, sql: &str, columns: Vec<Kind>) -> String {
    let config = Config::load(None).expect("the defaults");
    let connections = [("land".to_owned(), Connection { url: url.to_owned(), schema: None })].into();
    let databases =
        Databases::open(&connections, &config.sqlite, &config.postgres, Duration::from_secs(9)).expect("an address");
    let statement = Statement { sql: sql.into(), columns, lane: Lane::Shared };
    let asked = databases.source(0).query(&statement, Vec::new(), Instant::now() + Duration::from_secs(9)).await;
    asked.expect_err("fails").to_string()
}

#[tokio::test]
async fn a_failure_names_what_has_to_be_mended() {
    let Some(server) = postgres::server() else { return };
    let database = postgres::Database::create(&server).await;
    let values = "CREATE TABLE odd (day date, size numeric);
        INSERT INTO odd VALUES ('infinity', 'NaN'), ('4713-01-01 BC', 1e40), (NULL, NULL)";
    plots::execute(&database.url, values).await;
    for (column, order, kind, expected) in [
        ("day", "DESC", Kind::Date, "column day is declared to hold Date and holds the day infinity"),
        ("day", "ASC", Kind::Date, "column day is declared to hold Date and holds a day before the year 1"),
        ("size", "DESC", Kind::Decimal(2), "column size is declared to hold Decimal(2) and holds the number NaN"),
        ("size", "ASC", Kind::Decimal(2), "a number of more than 28 digits"),
        ("gone", "ASC", Kind::Text, "column t0.gone does not exist (SQLSTATE 42703)"),
    ] {
        let sql = format!("SELECT \"t0\".{column} FROM \"odd\" AS \"t0\" ORDER BY 1 {order} NULLS LAST");
        let said = failure(&database.url, &sql, vec![kind]).await;
        assert!(said.contains(expected) && said.ends_with("t0 is odd"), "{column}: {said}");
    }
    let away = failure(&format!("{}_gone", database.url), "SELECT 1", vec![Kind::Int]).await;
    assert!(away.contains("does not exist (SQLSTATE 3D000)"), "{away}");
}

/// The procedure says of the control database what queries say of a dataset's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_control_database_that_is_away_is_said_to_be() {
    let Some(server) = postgres::server() else { return };
    let database = postgres::Database::create(&server).await;
    let (_, name) = database.url.rsplit_once('/').expect("a name");
    let shut = format!(
        "ALTER DATABASE {name} ALLOW_CONNECTIONS false;
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    );
    let mut hall = Hall::open(Some(database)).await;
    hall.found().await;
    hall.ask("it.admin", "{ inbox { id } }", json!({})).await.data();
    plots::execute(&server, &shut).await;
    hall.ask("it.admin", "{ inbox { id } }", json!({})).await.refused(Code::SourceUnavailable);
}
