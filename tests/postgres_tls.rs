//! Datasets and the control database on a PostgreSQL server that wants TLS: what each `sslmode` of an address means, alike for
//! migrating, for looking at columns and for answering.

use std::collections::BTreeMap;

use cityquery::config::{Connection, Control};
use cityquery::store::{columns, control, migrate};
use serde_json::json;

use crate::support::gate::{Gate, Setup, everything};
use crate::support::plots;
use crate::support::tls_server::TlsServer;

const CODES: [&str; 5] = ["household", "land", "building", "zoning", "fire"];

fn all_at(url: &str) -> BTreeMap<String, Connection> {
    CODES.map(|code| (code.to_owned(), Connection { url: url.to_owned(), schema: None })).into()
}

/// Whether the migrations' driver, that of the columns and that of the answers get in.
async fn let_in(url: &str) -> [bool; 3] {
    let catalog = cityquery::catalog::load_builtin().expect("sound");
    let connections = catalog.connections(&all_at(url));
    let migrates = migrate::pending(&connections).await.is_ok();
    let looks = columns::check(&connections, &catalog.declared_columns()).await;
    let looks = looks.is_ok_and(|faults| faults.is_empty());
    // An address that cannot be used keeps the server from starting.
    if cityquery::store::postgres_address::Address::read(url, "test").is_err() {
        return [migrates, looks, false];
    }
    let gate = Gate::open(Setup { datasets: Some(connections), ..Setup::default() }, &["asker"]).await;
    gate.form("ALL-1", everything(&gate.catalog), &["asker"]).await;
    let got = gate.ask("asker", "", "{ persons { nodes { name } } }", json!({})).await;
    let answers = got.text.contains("persons-name-1");
    assert!(answers || (got.status == 503 && got.code() == "SOURCE_UNAVAILABLE"), "{}", got.text);
    [migrates, looks, answers]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_sslmode_means_the_same_to_all() {
    let Some(server) = TlsServer::start() else { return };
    let role = "CREATE ROLE cityquery SUPERUSER LOGIN PASSWORD 'Lanterns-7-above'";
    plots::execute(&server.in_the_clear("postgres"), role).await;
    let catalog = cityquery::catalog::load_builtin().expect("sound");
    let prepared = catalog.connections(&all_at(&server.in_the_clear("postgres")));
    migrate::migrate(&prepared).await.expect("migrates");
    plots::load(&plots::plots(&catalog), &prepared).await;

    let (city, stranger) = (server.file("city.pem"), server.file("stranger.pem"));
    let yes = ["localhost", "localhost?sslmode=prefer", "localhost?sslmode=allow", "127.0.0.1?sslmode=require"];
    let mut cases: Vec<(String, bool)> = yes.map(|case| (case.to_owned(), true)).into();
    cases.extend([
        // The server lets nobody in who does not encrypt.
        ("localhost?sslmode=disable".to_owned(), false),
        (format!("localhost?sslmode=verify-full&sslrootcert={city}"), true),
        (format!("127.0.0.1?sslmode=verify-full&sslrootcert={city}"), false),
        (format!("127.0.0.1?sslmode=verify-ca&sslrootcert={city}"), true),
        (format!("127.0.0.1?sslmode=require&sslrootcert={city}"), true),
        (format!("localhost?sslmode=verify-ca&sslrootcert={stranger}"), false),
        (format!("localhost?sslmode=require&sslrootcert={stranger}"), false),
        // No authority of this machine vouches for it.
        ("localhost?sslmode=verify-full".to_owned(), false),
        (format!("localhost?sslmode=verify-full&sslrootcert={city}.gone"), false),
        ("localhost?sslmode=verify".to_owned(), false),
    ]);
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        cases.push(("[::1]".to_owned(), true));
        cases.push((format!("[::1]?sslmode=verify-full&sslrootcert={city}"), false));
    }
    for (case, lets_in) in cases {
        let (host, settings) = case.split_once('?').unwrap_or((&case, ""));
        let url = format!("postgres://cityquery:Lanterns-7-above@{host}:{}/postgres?{settings}", server.port);
        assert_eq!(let_in(&url).await, [lets_in; 3], "{case}");
    }

    let url = format!(
        "postgres://cityquery:Lanterns-7-above@localhost:{}/postgres?sslmode=verify-full&sslrootcert={city}",
        server.port
    );
    let at = Control { url, schema: Some("control".to_owned()), connections: 2 };
    let db = control::connect(&at).await.expect("connects");
    control::migrate(&at, &db).await.expect("migrates");
}

/// Whoever sends rows and passwords over a network without having to encrypt them is warned of it.
#[test]
fn the_doctor_warns_of_ways_in_the_clear() {
    let folder = tempfile::tempdir().expect("a folder");
    let warned = |url: &str| {
        let said = std::process::Command::new(env!("CARGO_BIN_EXE_cityquery"))
            .arg("doctor")
            .env("CITYQUERY__DATASETS__LAND__URL", url)
            .current_dir(folder.path())
            .output()
            .expect("runs");
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(said.contains("dataset land"), "{said}");
        said.contains("warn  dataset land: need not encrypt on the way to db.invalid")
    };
    assert!(warned("postgres://land@db.invalid/land") && warned("postgres://land@db.invalid/land?sslmode=prefer"));
    assert!(
        !warned("postgres://land@db.invalid/land?sslmode=verify-full") && !warned("postgres://land@localhost:1/land")
    );
}
