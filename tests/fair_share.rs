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

/// Holds up the thread that comes to it, until told or until nobody can tell any more; says when it has.
fn hold(gate: &Gate, held: &crossbeam_channel::Receiver<()>) -> (Held, tokio::sync::oneshot::Receiver<()>) {
    let group = gate.app.engine.databases().sqlite_only().expect("SQLite").clone();
    let deadline = Instant::now() + Duration::from_secs(60);
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let held = held.clone();
    let hold = move |_: &mut cityquery::store::sqlite::Worker| {
        let _ = begun.send(());
        held.recv()
    };
    (tokio::spawn(async move { group.run(Lane::Own, None, deadline, hold).await }), has_begun)
}

/// Holds up every thread that reads SQLite files for long.
async fn hold_up(gate: &Gate) -> (crossbeam_channel::Sender<()>, Vec<Held>) {
    let (go_on, held) = crossbeam_channel::unbounded::<()>();
    let mut holders = Vec::new();
    for _ in 0..3 {
        let (holder, has_begun) = hold(gate, &held);
        holders.push(holder);
        has_begun.await.expect("a thread is held up");
    }
    (go_on, holders)
}

/// Waits until so many pieces of work stand before these threads.
async fn in_line(gate: &Gate, many: usize) {
    let started = Instant::now();
    while gate.app.engine.databases().sqlite_only().expect("SQLite").waiting(Lane::Own) < many {
        assert!(started.elapsed() < Duration::from_secs(30), "the searches do not come");
        tokio::task::yield_now().await;
    }
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

/// The threads that read SQLite files for long are held up while an analyst's ten searches line up, a clerk's, and what will
/// hold up the next thread. Then one goes on, once round: a search of each is answered, and no more.
#[tokio::test]
async fn one_account_has_no_long_line_of_its_own_before_others() {
    let gate = open(Setup::default()).await;
    let (go_on, mut holders) = hold_up(&gate).await;
    let (ended, mut answers) = tokio::sync::mpsc::unbounded_channel();
    for person in std::iter::repeat_n("analyst", 10).chain(["clerk"]) {
        let (gate, ended) = (gate.clone(), ended.clone());
        tokio::spawn(async move {
            let got = gate.ask(person, "", SEARCH, json!({})).await;
            let _ = ended.send((person, got));
        });
    }
    let mut answer = async || {
        let (person, got) = answers.recv().await.expect("an answer");
        assert!(got.status == 200 && got.body["errors"].is_null(), "{}", got.text);
        person
    };
    in_line(&gate, 11).await;
    let (go_on_again, held_again) = crossbeam_channel::unbounded::<()>();
    let (last, is_held_again) = hold(&gate, &held_again);
    holders.push(last);
    in_line(&gate, 12).await;
    go_on.send(()).expect("a thread goes on");
    is_held_again.await.expect("and is held up again");
    let mut first = [answer().await, answer().await];
    first.sort_unstable();
    assert_eq!(first, ["analyst", "clerk"]);
    drop((go_on, go_on_again));
    for _ in 2..11 {
        assert_eq!(answer().await, "analyst");
    }
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
