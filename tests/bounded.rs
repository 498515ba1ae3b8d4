//! What one caller may take of the server: memory, threads and the log are everybody's.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::gate::{Gate, Setup, everything};
use crate::support::plots;
use cityquery::audit::decode::StoredRecord;
use cityquery::audit::read::Contents;
use cityquery::config::Config;
use cityquery::http::connections::{self, Bounds};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn filled(change: fn(&mut Config)) -> Gate {
    let gate = Gate::open(Setup { change: Some(change), ..Setup::default() }, &["asker"]).await;
    plots::load(&plots::plots(&gate.catalog), &gate.catalog.connections(&gate.app.config.datasets)).await;
    gate.form("ALL-1", everything(&gate.catalog), &["asker"]).await;
    gate
}

fn records(gate: &Gate) -> Vec<StoredRecord> {
    let folder = gate.app.audit.folder();
    let numbers = folder.numbers().expect("a folder");
    let bytes = numbers.into_iter().map(|number| std::fs::read(folder.segment(number)).unwrap_or_default());
    bytes
        .flat_map(|bytes| {
            let contents = Contents::of(&bytes);
            contents.records.iter().filter_map(|frame| contents.decode(frame).ok()).collect::<Vec<_>>()
        })
        .collect()
}

/// Few rows that lead to one another make an answer of any size: six ownerships of one parcel, there and back again, are
/// 6, 36, 216 … objects. What stands in the answer is bounded like what is loaded.
#[tokio::test]
async fn a_walk_there_and_back_is_bounded_by_what_it_writes() {
    let gate = filled(|config| config.limits.rows = 150).await;
    let one_parcel = "UPDATE land_ownerships SET parcel_key = (SELECT parcel_key FROM parcels WHERE id = 1)";
    plots::execute(&gate.app.config.datasets["land"].url, one_parcel).await;
    let walk = |turns: usize| {
        let (way, back) = ("ownerships { parcel { ".repeat(turns), "} }".repeat(turns));
        format!("{{ parcels(first: 10) {{ nodes {{ {way} parcelNo {back} }} }} }}")
    };
    let once = gate.ask("asker", "", &walk(1), json!({})).await;
    assert_eq!(once.text.matches("parcelNo").count(), 6, "{}", once.text);
    let twice = gate.ask("asker", "", &walk(2), json!({})).await;
    assert_eq!(twice.text.matches("parcelNo").count(), 36, "{}", twice.text);
    for turns in [3, 4] {
        let more = gate.ask("asker", "", &walk(turns), json!({})).await;
        assert_eq!((more.code(), &more.body["errors"][0]["extensions"]["limit"]), ("QUERY_TOO_COSTLY", &json!("rows")));
    }
}

/// A view that takes for ever, under the name of a table.
const ENDLESS: &str = "ALTER TABLE persons RENAME TO persons_kept;
    CREATE VIEW persons AS SELECT kept.* FROM persons_kept AS kept,
    (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000000000) SELECT max(i) AS m FROM n) AS s
    WHERE s.m > 0;";

/// A condition on a nested list can run as long as one on a root. Whoever looks up one row does not wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_on_nested_lists_keep_nobody_waiting() {
    let gate = filled(|config| config.limits.time_ms = 3_000).await;
    plots::execute(&gate.app.config.datasets["household"].url, ENDLESS).await;
    let slow = "{ parcels(first: 1) { nodes { ownerships(where: { owner: { name: { _neq: \"x\" } } }) { share } } } }";
    let asked = (0..12).map(|_| gate.ask("asker", "", slow, json!({})));
    let quick = async {
        tokio::time::sleep(Duration::from_millis(300)).await; // until all of them run
        let started = Instant::now();
        let got = gate.ask("asker", "", "{ parcels(first: 1) { nodes { areaM2 } } }", json!({})).await;
        (got, started.elapsed())
    };
    let (all, (got, took)) = futures::future::join(futures::future::join_all(asked), quick).await;
    assert!(all.iter().all(|got| got.code() == "TIMEOUT"), "{}", all[0].text);
    assert_eq!(got.status.as_u16(), 200, "{}", got.text);
    assert!(took < Duration::from_secs(1), "after {took:?}");
}

/// Variables that no operation declares are passed over. They do not fill the log.
#[tokio::test]
async fn what_is_not_declared_is_not_kept() {
    let gate = filled(|_| {}).await;
    let query = "query($n: Int) { parcels(first: $n) { nodes { areaM2 } } }";
    let got = gate.ask("asker", "", query, json!({ "n": 1, "filling": "x".repeat(500_000) })).await;
    let id = got.body["extensions"]["audit"].as_str().expect("a record").to_owned();
    let records = records(&gate);
    let record = records.iter().find(|record| record.id.to_string() == id).expect("the record");
    let sealed = record.sealed.as_ref().expect("variables are sealed");
    assert!(sealed.text.len() < 200, "{} bytes", sealed.text.len());
}

/// Whoever asks for much and reads none of it is not kept in memory for ever; whoever reads slowly gets it all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_nobody_reads_are_given_up() {
    const LENGTH: usize = 24 << 20;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let bounds = Bounds { places: 4, head: Duration::from_secs(60), stall: Duration::from_millis(500) };
    let router = axum::Router::new().route("/", axum::routing::get(async || "x".repeat(LENGTH)));
    let serving = tokio::spawn(connections::serve(listener, router, bounds, std::future::pending()));
    let read = async |rest: Duration, rests: u32| {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.expect("is written");
        let (mut taken, mut some) = (0, vec![0; LENGTH / 16]);
        for _ in 0..rests {
            tokio::time::sleep(rest).await;
            taken += stream.read(&mut some).await.unwrap_or(0);
        }
        loop {
            match stream.read(&mut some).await {
                Ok(0) | Err(_) => return taken,
                Ok(bytes) => taken += bytes,
            }
        }
    };
    let slow = read(Duration::from_millis(50), 20);
    let deaf = read(Duration::from_millis(2_000), 1);
    let (slow, deaf) = futures::future::join(slow, deaf).await;
    assert!(slow > LENGTH, "{slow} with the head");
    assert!(deaf < LENGTH, "the server went on waiting");
    serving.abort();
}

/// The same in the other version of HTTP, whose clients open no window and ask for many answers on one connection: it is not
/// spoken, since no limit of a connection would hold there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_window_holds_many_answers_on_one_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let bounds = Bounds { places: 4, head: Duration::from_secs(60), stall: Duration::from_millis(500) };
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let answer = axum::routing::get(async move || {
        counted.fetch_add(1, Ordering::Relaxed);
        "x".repeat(1 << 20)
    });
    let router = axum::Router::new().route("/", answer);
    let serving = tokio::spawn(connections::serve(listener, router, bounds, std::future::pending()));

    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        frame
    };
    let mut said = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    said.extend(frame(4, 0, 0, &[0, 4, 0, 0, 0, 0])); // a window of nothing
    for number in 0..8 {
        // GET / over http, and a host.
        said.extend(frame(1, 5, 2 * number + 1, b"\x82\x84\x86\x41\x01x"));
    }
    let mut stream = TcpStream::connect(address).await.expect("connects");
    stream.write_all(&said).await.expect("is written");
    let mut heard = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut heard)).await;
    assert!(ended.is_ok(), "{} answers are held for one who reads none", asked.load(Ordering::Relaxed));
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    serving.abort();
}
