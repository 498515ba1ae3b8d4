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
    city_read_with(settings, role, "").await
}

/// The same, with further settings for the server alone.
async fn city_read_with(settings: &str, role: &str, further: &str) -> Option<(Gate, postgres::Database)> {
    let database = postgres::Database::create(&postgres::server()?).await;
    plots::execute(&database.url, "CREATE SCHEMA elsewhere").await;
    let url = format!("{}{settings}", database.url);
    let at = |url: &str| CODES.map(|code| (code.to_owned(), Connection { url: url.to_owned(), schema: None }));
    let read_at = format!("{}{further}", url.replace("cityquery@", role));
    let (maker, reader) = (BTreeMap::from(at(&url)), BTreeMap::from(at(&read_at)));
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

/// Three connections, where sixteen would be opened: slower, but answered. Those that are let in take a second longer than
/// those that are refused, so that the first questions come when none is open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_connections_serve_all() {
    let Some(server) = postgres::server() else { return };
    let role = format!("few_{}", std::process::id());
    let make = format!("DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN CONNECTION LIMIT 3");
    plots::execute(&server, &make).await;
    let slow = "?options=-c%20post_auth_delay%3D1";
    let Some((gate, database)) = city_read_with("", &format!("{role}@"), slow).await else { return };
    plots::execute(&database.url, &format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")).await;
    for round in 0..6 {
        let asked = [NAMES, SEARCH, AREAS, NAMES, SEARCH, SEARCH, SEARCH, NAMES, AREAS].map(|query| ask(&gate, query));
        for got in futures::future::join_all(asked).await {
            assert_eq!(got.status, 200, "round {round}: {}", got.text);
        }
        let ready = gate.send(Request::get("/readyz").body(Body::empty()).expect("a request")).await;
        assert_eq!(ready.status, 200, "{}", ready.text);
    }
    let held = format!("(SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}') = 3");
    plots::execute(&server, &format!("DO $$ BEGIN ASSERT {held}, 'they were not short'; END $$")).await;
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
    plots::execute(&database.url, "CREATE TABLE odd (day integer); INSERT INTO odd VALUES (1)").await;
    for (column, kind, expected) in [
        ("day", Kind::Date, "column day does not hold Date, as declared, but int4"),
        ("gone", Kind::Text, "column t0.gone does not exist (SQLSTATE 42703)"),
    ] {
        let sql = format!("SELECT \"t0\".{column} FROM \"odd\" AS \"t0\"");
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

/// What no scalar can tell is null in its own place, with an error; all other rows are answered. No cursor is made of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_odd_value_leaves_the_others_alone() {
    let Some((gate, database)) = city("", "cityquery@").await else { return };
    let odd = "ALTER TABLE parcels ALTER area_m2 TYPE numeric;
        UPDATE persons SET birth_date = 'infinity' WHERE id = 1;
        UPDATE persons SET birth_date = '4713-01-01 BC' WHERE id = 2;
        UPDATE parcels SET area_m2 = 'NaN' WHERE id = 3;
        UPDATE parcels SET area_m2 = 1e40 WHERE id = 4";
    plots::execute(&database.url, odd).await;
    let got = ask(&gate, "{ persons { nodes { id born: birthDate } } parcels { edges { node { id areaM2 } } } }").await;
    let (persons, parcels) = (&got.body["data"]["persons"]["nodes"], &got.body["data"]["parcels"]["edges"]);
    for (row, is_odd) in [(0, true), (1, true), (2, false), (5, false)] {
        assert_eq!(persons[row]["born"].is_null(), is_odd, "{}", got.text);
    }
    for (row, is_odd) in [(1, false), (2, true), (3, true), (4, false)] {
        assert_eq!(parcels[row]["node"]["areaM2"].is_null(), is_odd, "{}", got.text);
    }
    let errors = got.body["errors"].as_array().expect("errors");
    let told = |number: usize| (&errors[number]["path"], &errors[number]["extensions"]["coordinate"]);
    assert_eq!(errors.len(), 2, "one for each field: {}", got.text);
    assert_eq!(told(0), (&json!(["persons", "nodes", "born"]), &json!("Person.birthDate")));
    assert_eq!(told(1), (&json!(["parcels", "edges", "node", "areaM2"]), &json!("Parcel.areaM2")));
    assert_eq!((got.status.as_u16(), got.code()), (200, "INTERNAL"), "{}", got.text);

    let page = |first: u8| {
        format!(
            "{{ persons(first: {first}, orderBy: [{{ birthDate: DESC }}]) {{ nodes {{ id }} pageInfo {{ endCursor }} }} }}"
        )
    };
    let got = ask(&gate, &page(1)).await;
    assert!(got.body.get("data").is_none() && got.text.contains("no cursor can tell"), "{}", got.text);
    assert_eq!(ask(&gate, &page(3)).await.status, 200, "its end can be told");
}

/// Forty statements wait in line on eight connections, and everybody who asked hangs up: none of them runs on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_that_nobody_waits_for_are_all_ended() {
    let Some(server) = postgres::server() else { return };
    let database = postgres::Database::create(&server).await;
    let config = Config::load(None).expect("the defaults");
    let connections = [("land".to_owned(), Connection { url: database.url.clone(), schema: None })].into();
    let time = Duration::from_secs(20);
    let databases = Databases::open(&connections, &config.sqlite, &config.postgres, time).expect("an address");
    let sleep = Statement { sql: "SELECT pg_sleep(4)::text".into(), columns: vec![Kind::Text], lane: Lane::Shared };
    let deadline = Instant::now() + time;
    let asked = (0..40).map(|_| databases.source(0).query(&sleep, Vec::new(), deadline));
    assert!(tokio::time::timeout(Duration::from_millis(500), futures::future::join_all(asked)).await.is_err());
    let name = database.url.rsplit('/').next().expect("a name");
    let asleep = format!(
        "DO $$ BEGIN ASSERT (SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND state = 'active' \
         AND query LIKE '%pg_sleep(4)%' AND pid <> pg_backend_pid()) = 0; END $$"
    );
    let (client, connection) =
        tokio_postgres::connect(&server, tokio_postgres::NoTls).await.expect("the server answers");
    let driver = tokio::spawn(connection);
    let gone = Instant::now();
    while client.batch_execute(&asleep).await.is_err() {
        assert!(gone.elapsed() < Duration::from_secs(3), "they run on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    driver.abort();
}

/// What the role may not read is called that, and not missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_be_read_is_not_called_missing() {
    let Some(server) = postgres::server() else { return };
    let role = format!("kept_out_{}", std::process::id());
    plots::execute(&server, &format!("DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN")).await;
    let Some((gate, database)) = city("", "cityquery@").await else { return };
    plots::execute(&database.url, &format!("GRANT SELECT (id, parcel_key) ON parcels TO {role}")).await;
    let url = database.url.replace("cityquery@", &format!("{role}@"));
    let connections = [("land".to_owned(), Connection { url, schema: None })].into();
    let declared = gate.catalog.declared_columns();
    let of_parcels: Vec<_> = declared.into_iter().filter(|column| column.table == "parcels").collect();
    let faults = cityquery::store::columns::check(&connections, &of_parcels).await.expect("asks");
    assert!(!faults.is_empty() && faults.iter().all(|fault| fault.contains("GRANT SELECT ON parcels")), "{faults:#?}");
    assert!(!faults.iter().any(|fault| fault.contains("parcels.parcel_key ")), "{faults:#?}");
    drop((gate, database));
    plots::execute(&server, &format!("DROP ROLE {role}")).await;
}
