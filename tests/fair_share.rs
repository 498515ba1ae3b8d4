//! Whoever asks for much at once does not keep others from their answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cityquery::store::source::{Lane, SourceError};
use serde_json::json;

use crate::support::gate::{Gate, Got, Setup, everything, in_one};
use crate::support::{plots, postgres};

/// May run long: its condition may read every row.
const SEARCH: &str = "{ persons(where: { name: { _like: \"%\" } }) { nodes { name } } }";
const OTHER_SEARCH: &str = "{ zones(where: { name: { _like: \"%\" } }) { nodes { name } } }";

async fn open(setup: Setup) -> Arc<Gate> {
    let gate = Gate::open(setup, &["analyst", "clerk"]).await;
    gate.form("ALL-1", everything(&gate.catalog), &["analyst", "clerk"]).await;
    plots::load(&plots::plots(&gate.catalog), &gate.catalog.connections(&gate.app.config.datasets)).await;
    Arc::new(gate)
}

type Held = tokio::task::JoinHandle<Result<Result<(), crossbeam_channel::RecvError>, SourceError>>;

/// Holds up every thread that reads SQLite files for long; each goes on when told, or when nobody can tell any more.
async fn hold_up(gate: &Gate) -> (crossbeam_channel::Sender<()>, Vec<Held>) {
    let group = gate.app.engine.databases().sqlite_only().expect("SQLite").clone();
    let deadline = Instant::now() + Duration::from_secs(60);
    let (go_on, held) = crossbeam_channel::unbounded::<()>();
    let mut holders = Vec::new();
    for _ in 0..3 {
        let (group, held) = (group.clone(), held.clone());
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        holders.push(tokio::spawn(async move {
            let hold = move |_: &mut cityquery::store::sqlite::Worker| {
                let _ = begun.send(());
                held.recv()
            };
            group.run(Lane::Own, None, deadline, hold).await
        }));
        has_begun.await.expect("a thread is held up");
    }
    (go_on, holders)
}

fn ask(gate: &Arc<Gate>, person: &'static str, query: &'static str) -> tokio::task::JoinHandle<Got> {
    let gate = gate.clone();
    tokio::spawn(async move { gate.ask(person, "", query, json!({})).await })
}

/// An analyst's ten searches wait for a lock that lasts; the clerk's is answered all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_is_left_to_others() {
    let Some(server) = postgres::server() else { return };
    let database = postgres::Database::create(&server).await;
    let few = |config: &mut cityquery::config::Config| config.postgres.own_connections = 3;
    let gate = open(Setup { change: Some(few), ..in_one(&database).await }).await;

    let (mut client, driver) = tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await.expect("connects");
    let driver = tokio::spawn(driver);
    let lock = client.transaction().await.expect("begins");
    lock.batch_execute("LOCK TABLE persons IN ACCESS EXCLUSIVE MODE").await.expect("locks");
    let searches: Vec<_> = (0..10).map(|_| ask(&gate, "analyst", SEARCH)).collect();
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let started = Instant::now();
    while lock.query_one(waiting, &[]).await.expect("counts").get::<_, i64>(0) < 2 {
        assert!(started.elapsed() < Duration::from_secs(9), "the searches do not begin");
        tokio::task::yield_now().await;
    }
    let got = ask(&gate, "clerk", OTHER_SEARCH).await.expect("ends");
    assert!(got.status == 200 && got.body["errors"].is_null(), "{}", got.text);
    assert_eq!(lock.query_one(waiting, &[]).await.expect("counts").get::<_, i64>(0), 2, "of three connections two");
    lock.rollback().await.expect("unlocks");
    for search in searches {
        let got = search.await.expect("ends");
        assert!(got.status == 200 && got.body["errors"].is_null(), "{}", got.text);
    }
    driver.abort();
}

/// The threads that read SQLite files for long are held up while an analyst's ten searches and then a clerk's line up; then one of
/// them goes on. The clerk's is the second to be answered.
#[tokio::test]
async fn one_account_has_no_long_line_of_its_own_before_others() {
    let gate = open(Setup::default()).await;
    let group = gate.app.engine.databases().sqlite_only().expect("SQLite").clone();
    let (go_on, holders) = hold_up(&gate).await;
    let (ended, mut order) = tokio::sync::mpsc::unbounded_channel();
    let whose = std::iter::repeat_n("analyst", 10).chain(["clerk"]);
    for person in whose {
        let (gate, ended) = (gate.clone(), ended.clone());
        tokio::spawn(async move {
            let got = gate.ask(person, "", SEARCH, json!({})).await;
            let _ = ended.send((person, got));
        });
    }
    let started = Instant::now();
    while group.waiting(Lane::Own) < 11 {
        assert!(started.elapsed() < Duration::from_secs(30), "the searches do not come");
        tokio::task::yield_now().await;
    }
    go_on.send(()).expect("a thread goes on");
    let mut answered = Vec::new();
    for _ in 0..11 {
        let (person, got) = order.recv().await.expect("an answer");
        assert!(got.status == 200 && got.body["errors"].is_null(), "{}", got.text);
        answered.push(person);
    }
    let at = answered.iter().position(|person| *person == "clerk");
    assert!(at.is_some_and(|at| at <= 1), "{answered:?}");
    drop(go_on);
    for holder in holders {
        let _ = holder.await.expect("ends");
    }
}

/// Who waits in vain for others that take long is told so, and not to narrow what was asked.
#[tokio::test]
async fn who_waits_in_vain_is_told_so() {
    let hasty = |config: &mut cityquery::config::Config| config.limits.time_ms = 300;
    let gate = open(Setup { change: Some(hasty), ..Setup::default() }).await;
    let (_go_on, holders) = hold_up(&gate).await;
    let got = ask(&gate, "analyst", SEARCH).await.expect("ends");
    assert_eq!(got.code(), "TIMEOUT", "{}", got.text);
    assert!(got.text.contains("Send fewer of them at a time"), "{}", got.text);
    drop((_go_on, holders));
}
