//! When something fails: no answer without its record, none without its database, none after its time; and what nobody
//! waits for any more is stopped.

use crate::support;

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use crate::support::disk::FaultyDisk;
use crate::support::gate::{Gate, PASSWORD, Setup, dead, everything};
use crate::support::{plots, postgres};
use axum::body::Body;
use axum::http::Request;
use cityquery::accounts::Actor;
use cityquery::audit::SERVER;
use cityquery::audit::decode::StoredRecord;
use cityquery::audit::read::Contents;
use cityquery::audit::segment::Folder;
use cityquery::config::{Config, Connection};
use cityquery::http::connections::{self, Bounds};
use cityquery::store::layout::sqlite_file;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const NAMES: &str = "{ persons { nodes { name } } }";

async fn filled(setup: Setup) -> Gate {
    let gate = Gate::open(setup, &["asker"]).await;
    plots::load(&plots::plots(&gate.catalog), &gate.catalog.connections(&gate.app.config.datasets)).await;
    gate.form("ALL-1", everything(&gate.catalog), &["asker"]).await;
    gate
}

async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(5) {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within five seconds: {what}");
}

/// The records that are durable in the server's log.
fn records(gate: &Gate) -> Vec<StoredRecord> {
    let folder: &Folder = gate.app.audit.folder();
    let mut records = Vec::new();
    for number in folder.numbers().expect("a folder") {
        let bytes = std::fs::read(folder.segment(number)).unwrap_or_default();
        let contents = Contents::of(&bytes);
        records.extend(contents.records.iter().filter_map(|frame| contents.decode(frame).ok()));
    }
    assert!(folder.path().ends_with(SERVER));
    records
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_leaves_before_its_record_is_durable() {
    let disk = FaultyDisk::default();
    let gate = filled(Setup { disk: Some(Arc::new(disk.clone())), ..Setup::default() }).await;
    let got = gate.ask("asker", "", NAMES, json!({})).await;
    assert_eq!((got.status.as_u16(), got.text.contains("persons-name-1")), (200, true), "{}", got.text);
    let id = got.body["extensions"]["audit"].as_str().expect("a record").to_owned();
    assert!(records(&gate).iter().any(|record| record.id.to_string() == id), "the record is there before the answer");

    let withheld = |got: &support::gate::Got| {
        assert_eq!((got.status.as_u16(), got.code()), (503, "AUDIT_UNAVAILABLE"), "{}", got.text);
        assert!(!got.text.contains("persons-name") && got.body.get("data").is_none(), "{}", got.text);
        assert!(got.body["extensions"].is_null(), "no cost, no rows: {}", got.text);
    };
    // The disk stalls: refused when the deadline has passed, not when the disk comes back.
    disk.0.stall_ms.store(1_500, SeqCst);
    let started = Instant::now();
    withheld(&gate.ask("asker", "", NAMES, json!({})).await);
    assert!(started.elapsed() < Duration::from_millis(1_400), "after {:?}", started.elapsed());
    disk.0.stall_ms.store(0, SeqCst);
    eventually("answers again after a stall", async || gate.ask("asker", "", NAMES, json!({})).await.status == 200)
        .await;

    // A refusal is an answer, too: it would tell that it was one.
    disk.0.fail_one_sync.store(true, SeqCst);
    withheld(&gate.ask("asker", "", "{ persons { nodes { nothing } } }", json!({})).await);
    // Poisoned: nothing more is answered, though the disk would say yes again; and the server says so.
    for query in [NAMES, "{ __typename }", "{ persons(first: -1) { nodes { name } } }"] {
        withheld(&gate.ask("asker", "", query, json!({})).await);
    }
    let ready = gate.send(Request::get("/readyz").body(Body::empty()).expect("a request")).await;
    assert_eq!((ready.status.as_u16(), &ready.body["audit"]), (503, &json!(false)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_withholds_answers() {
    let disk = FaultyDisk::default();
    let gate = filled(Setup { disk: Some(Arc::new(disk.clone())), ..Setup::default() }).await;
    disk.0.is_full.store(true, SeqCst);
    for _ in 0..3 {
        let got = gate.ask("asker", "", NAMES, json!({})).await;
        assert_eq!((got.status.as_u16(), got.code()), (503, "AUDIT_UNAVAILABLE"), "{}", got.text);
        assert!(!got.text.contains("persons-name"), "{}", got.text);
    }
}

/// Changes to a session or a password are as little without their record as answers are: what is refused has not happened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_and_passwords_stay_as_they_are_without_a_record() {
    let post = |path: &str, body: Value| {
        let request = Request::post(path).header("content-type", "application/json");
        request.body(Body::from(body.to_string())).expect("a request")
    };
    for (path, body) in [
        ("/auth/refresh", json!({ "refresh_token": "" })),
        ("/auth/sign-out", json!({ "refresh_token": "" })),
        ("/auth/password", json!({ "account": "asker", "password": PASSWORD, "newPassword": "Zebra-Kite-9931-quilt" })),
    ] {
        let disk = FaultyDisk::default();
        let gate = filled(Setup { disk: Some(Arc::new(disk.clone())), ..Setup::default() }).await;
        let signed_in = gate.send(post("/auth/sign-in", json!({ "account": "asker", "password": PASSWORD }))).await;
        let mut body = body;
        if let Some(token) = body.get_mut("refresh_token") {
            *token = signed_in.body["refresh_token"].clone();
        }
        disk.0.fail_one_sync.store(true, SeqCst);
        let got = gate.send(post(path, body)).await;
        assert_eq!((got.status.as_u16(), got.code()), (503, "AUDIT_UNAVAILABLE"), "{path}: {}", got.text);

        // Asked of the accounts themselves, since no route answers any more.
        let accounts = &gate.app.accounts;
        let nobody_asks = async |_: &Actor| Ok(());
        let token = signed_in.body["refresh_token"].as_str().expect("a token");
        accounts.refresh(token, nobody_asks).await.unwrap_or_else(|error| panic!("{path}: {error}"));
        accounts.sign_in("asker", PASSWORD, None).await.unwrap_or_else(|error| panic!("{path}: {error}"));
    }
}

/// What operators see of it: how operations ended, and whether the log keeps up. No name, no field.
#[tokio::test]
async fn the_numbers_tell_how_operations_ended() {
    let gate = filled(Setup::default()).await;
    gate.ask("asker", "", NAMES, json!({})).await;
    gate.ask("asker", "NO-SUCH", NAMES, json!({})).await;
    gate.ask("asker", "", "{ nothing }", json!({})).await;
    let numbers = gate.send(Request::get("/metrics").body(Body::empty()).expect("a request")).await;
    for expected in [
        "cityquery_graphql_operations_total{code=\"OK\"} 1",
        "cityquery_graphql_operations_total{code=\"FORM_REQUIRED\"} 1",
        "cityquery_graphql_operations_total{code=\"GRAPHQL_VALIDATION_FAILED\"} 1",
        "cityquery_graphql_operation_seconds_count 3",
        "cityquery_audit_ready 1",
        "cityquery_audit_records ",
    ] {
        assert!(numbers.text.contains(expected), "no {expected} in\n{}", numbers.text);
    }
    assert!(!numbers.text.contains("asker") && numbers.text.ends_with("# EOF\n"), "{}", numbers.text);
}

/// A denial is an act, too: who wanted what, and was refused.
#[tokio::test]
async fn denials_are_recorded() {
    let gate = Gate::open(Setup { datasets: Some(dead()), ..Setup::default() }, &["asker"]).await;
    for query in [SEARCH, NAMES] {
        let got = gate.ask("asker", "", query, json!({})).await;
        let id = got.body["extensions"]["audit"].as_str().expect("a record").to_owned();
        let records = records(&gate);
        let record = records.iter().find(|record| record.id.to_string() == id).expect("the record");
        assert_eq!((&*record.who.account, record.asked.is_some()), ("asker", true), "{record:?}");
        assert_eq!(record.outcome.rows, 0);
        let refused = got.body["data"].is_null();
        assert_eq!(record.outcome.code.as_deref(), refused.then_some("FORBIDDEN"), "{query}");
    }
}

/// One of five databases is down: what needs it is refused as a whole, what does not is answered.
#[tokio::test]
async fn a_database_that_is_down_is_said_to_be() {
    let gate = filled(Setup::default()).await;
    let mut datasets = gate.app.config.datasets.clone();
    datasets.extend(dead().into_iter().filter(|(code, _)| code == "land"));
    let half = Gate::open(Setup { datasets: Some(datasets), ..Setup::default() }, &["asker"]).await;
    half.form("ALL-1", everything(&half.catalog), &["asker"]).await;
    let got = half.ask("asker", "", NAMES, json!({})).await;
    assert!(got.text.contains("persons-name-1"), "{}", got.text);
    for query in [
        "{ parcels { nodes { areaM2 } } }",
        "{ persons { nodes { name ownedLand { share } } } }",
        "{ persons(where: { ownedLand: { _some: {} } }) { nodes { name } } }",
        "{ persons { nodes { name } } parcels { totalCount } }",
    ] {
        let got = half.ask("asker", "", query, json!({})).await;
        assert_eq!((got.status.as_u16(), got.code()), (503, "SOURCE_UNAVAILABLE"), "{query}: {}", got.text);
        assert!(!got.text.contains("persons-name") && !got.text.contains("127.0.0.1"), "{}", got.text);
    }
    assert_eq!(
        records(&half).last().and_then(|record| record.outcome.code.as_deref().map(str::to_owned)).as_deref(),
        Some("SOURCE_UNAVAILABLE")
    );
}

/// A custodian hands over a new edition of its file: it is read from then on, without a restart. While none is there, or the
/// old one's log of changes stands beside it, nothing is answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_file_that_is_replaced_is_read_anew() {
    let gate = filled(Setup::default()).await;
    let url = &gate.app.config.datasets["household"].url;
    let file = sqlite_file(url).expect("a file");
    let (next, away) = (file.with_extension("next"), file.with_extension("away"));
    plots::execute(url, &format!("VACUUM INTO '{}'", next.display())).await;
    plots::execute(&format!("sqlite:{}", next.display()), "UPDATE persons SET name = 'next edition'").await;
    let beside = |end: &str| std::path::PathBuf::from(format!("{}{end}", file.display()));
    let says = async |text: &str| gate.ask("asker", "", NAMES, json!({})).await.text.contains(text);
    // Each thread looks for itself, within a second, whether it is asked or not.
    let all_say = async |text: &str| {
        let until = Instant::now() + Duration::from_millis(1_500);
        while Instant::now() < until {
            says(text).await;
        }
        futures::future::join_all((0..20).map(|_| says(text))).await.iter().all(|said| *said)
    };
    assert!(says("persons-name-1").await);

    fs::rename(&file, &away).expect("taken away");
    eventually("what is away is refused by every thread", async || all_say("SOURCE_UNAVAILABLE").await).await;
    fs::write(beside("-wal"), "of the old edition").expect("a log");
    fs::rename(&next, &file).expect("handed over");
    // A look has passed when the thread that answers has been asked over more than its time.
    let until = Instant::now() + Duration::from_millis(2_500);
    while Instant::now() < until {
        assert!(says("SOURCE_UNAVAILABLE").await, "SQLite would write the old changes over the new edition");
    }
    fs::remove_file(beside("-wal")).expect("removed");
    eventually("the next edition is read by every thread", async || all_say("next edition").await).await;
}

/// A view that takes for ever, under the name of a table.
const ENDLESS: &str = "ALTER TABLE persons RENAME TO persons_kept;
    CREATE VIEW persons AS SELECT kept.* FROM persons_kept AS kept,
    (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000000000) SELECT max(i) AS m FROM n) AS s
    WHERE s.m > 0;";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_stops_at_the_limit_and_when_nobody_waits() {
    let gate =
        filled(Setup { change: Some(|config: &mut Config| config.limits.time_ms = 700), ..Setup::default() }).await;
    plots::execute(&gate.app.config.datasets["household"].url, ENDLESS).await;
    let started = Instant::now();
    let got = gate.ask("asker", "", NAMES, json!({})).await;
    assert_eq!((got.status.as_u16(), got.code()), (504, "TIMEOUT"), "{}", got.text);
    assert!(got.body.get("data").is_none() && started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    let free = gate.ask("asker", "", "{ parcels(first: 1) { nodes { areaM2 } } }", json!({})).await;
    assert_eq!(free.status.as_u16(), 200, "the thread is free again: {}", free.text);

    // As many as there are threads, all given up at once: the next is answered at once.
    let before = records(&gate).len();
    for _ in 0..4 {
        let asked = gate.ask("asker", "", NAMES, json!({}));
        assert!(tokio::time::timeout(Duration::from_millis(50), asked).await.is_err());
    }
    let started = Instant::now();
    let free = gate.ask("asker", "", "{ parcels(first: 1) { nodes { areaM2 } } }", json!({})).await;
    assert_eq!(free.status.as_u16(), 200, "{}", free.text);
    assert!(started.elapsed() < Duration::from_millis(600), "after {:?}", started.elapsed());
    eventually("each has its record", async || {
        let records = records(&gate);
        let abandoned = records[before..].iter().filter(|record| record.outcome.code.as_deref() == Some("ABANDONED"));
        abandoned.filter(|record| record.asked.is_some()).count() == 4
    })
    .await;
}

/// A server with one PostgreSQL database for everything, and a way to look into it.
struct OnPostgres {
    gate: Gate,
    watch: tokio_postgres::Client,
    locker: tokio_postgres::Client,
    _database: postgres::Database,
}

impl OnPostgres {
    async fn open(change: fn(&mut Config)) -> Option<OnPostgres> {
        let database = postgres::Database::create(&postgres::server()?).await;
        let codes = ["household", "land", "building", "zoning", "fire"];
        let connections: BTreeMap<String, Connection> = codes
            .map(|code| (code.to_owned(), Connection { url: database.url.clone(), schema: Some(code.to_owned()) }))
            .into();
        let catalog = cityquery::catalog::load_builtin().expect("sound");
        cityquery::store::migrate::migrate(&catalog.connections(&connections)).await.expect("migrates");
        let gate = filled(Setup { datasets: Some(connections), change: Some(change), ..Setup::default() }).await;
        let connect = async || {
            let (client, connection) =
                tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await.expect("connects");
            tokio::spawn(connection);
            client
        };
        let (watch, locker) = (connect().await, connect().await);
        Some(OnPostgres { gate, watch, locker, _database: database })
    }

    /// Holds a table so that whoever reads it waits.
    async fn lock(&self) {
        self.locker.batch_execute("BEGIN; LOCK TABLE household.persons IN ACCESS EXCLUSIVE MODE").await.expect("locks");
    }

    async fn unlock(&self) {
        self.locker.batch_execute("ROLLBACK").await.expect("unlocks");
    }

    /// Statements of ours that run or wait.
    async fn running(&self) -> i64 {
        let row = self
            .watch
            .query_one(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'cityquery' AND state = 'active'",
                &[],
            )
            .await
            .expect("counts");
        row.get(0)
    }
}

const SEARCH: &str = "{ persons(where: { name: { _like: \"%\" } }) { nodes { name } } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_stops_at_the_limit() {
    let Some(on) = OnPostgres::open(|config| config.limits.time_ms = 600).await else { return };
    assert_eq!(on.gate.ask("asker", "", SEARCH, json!({})).await.status, 200);
    on.lock().await;
    for query in
        [SEARCH, NAMES, "{ parcels { nodes { ownerships { owner { name } } } } }", "{ persons { totalCount } }"]
    {
        let started = Instant::now();
        let got = on.gate.ask("asker", "", query, json!({})).await;
        assert_eq!((got.status.as_u16(), got.code()), (504, "TIMEOUT"), "{query}: {}", got.text);
        assert!(
            got.body.get("data").is_none() && started.elapsed() < Duration::from_secs(2),
            "{:?}",
            started.elapsed()
        );
        eventually("nothing runs on", async || on.running().await == 0).await;
    }
    on.unlock().await;
    let got = on.gate.ask("asker", "", SEARCH, json!({})).await;
    assert_eq!(got.status, 200, "the connections are sound: {}", got.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_hangs_up_stops_its_statement() {
    let Some(on) = OnPostgres::open(|config| config.limits.time_ms = 30_000).await else { return };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let routes = on.gate.router.clone();
    let serving = tokio::spawn(async move { axum::serve(listener, routes).await });
    let before = records(&on.gate).len();

    on.lock().await;
    let request = |query: &str| {
        let body = json!({ "query": query }).to_string();
        format!(
            "POST /graphql HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{body}",
            on.gate.token("asker"),
            body.len()
        )
    };
    // On a connection of its own, and alone on a shared one.
    for query in [SEARCH, NAMES] {
        let mut connection = tokio::net::TcpStream::connect(address).await.expect("connects");
        connection.write_all(request(query).as_bytes()).await.expect("sends");
        eventually("the statement waits", async || on.running().await == 1).await;
        let started = Instant::now();
        drop(connection);
        eventually("the statement is cancelled", async || on.running().await == 0).await;
        eprintln!("cancelled after {:?}", started.elapsed());
    }
    eventually("there is a record of each", async || {
        let abandoned = |record: &&StoredRecord| record.outcome.code.as_deref() == Some("ABANDONED");
        records(&on.gate)[before..].iter().filter(abandoned).count() == 2
    })
    .await;
    let record = records(&on.gate).pop().expect("a record");
    assert_eq!((&*record.who.account, record.asked.is_some()), ("asker", true), "{record:?}");
    on.unlock().await;
    let got = on.gate.ask("asker", "", SEARCH, json!({})).await;
    assert_eq!(got.status, 200, "{}", got.text);
    serving.abort();
}

/// The server throws our connections out, as it does when it goes down.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_off_is_opened_again() {
    let Some(on) = OnPostgres::open(|config| config.limits.time_ms = 10_000).await else { return };
    on.lock().await;
    for query in [SEARCH, NAMES] {
        let asked = on.gate.ask("asker", "", query, json!({}));
        let thrown = async {
            eventually("the statement waits", async || on.running().await == 1).await;
            let throw = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'cityquery'";
            on.watch.execute(throw, &[]).await.expect("throws out");
        };
        let (got, ()) = tokio::join!(asked, thrown);
        assert_eq!(
            (got.status.as_u16(), got.code(), got.body.get("data")),
            (503, "SOURCE_UNAVAILABLE", None::<&Value>),
            "{}",
            got.text
        );
    }
    on.unlock().await;
    for query in [SEARCH, NAMES] {
        eventually("answers again", async || on.gate.ask("asker", "", query, json!({})).await.status == 200).await;
    }
}

/// What PostgreSQL takes differently from SQLite: all these are answered, or refused as bad input.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_values_do_not_break_a_statement() {
    let Some(on) = OnPostgres::open(|_| {}).await else { return };
    let lite = filled(Setup::default()).await;
    let person = |condition: Value| {
        ("query ($w: PersonFilter) { persons(where: $w) { nodes { id } totalCount } }", json!({ "w": condition }))
    };
    let parcel = |condition: Value| {
        ("query ($w: ParcelFilter) { parcels(where: $w) { nodes { id } totalCount } }", json!({ "w": condition }))
    };
    let cases = [
        person(json!({ "name": { "_like": "a\\" } })),
        person(json!({ "name": { "_like": "\\%\\_\\\\" } })),
        person(json!({ "name": { "_ilike": "\\A%" } })),
        person(json!({ "name": { "_startsWith": "%_\\" } })),
        person(json!({ "name": { "_eq": "\u{feff}\u{202e}😀'\"\\;--" } })),
        person(json!({ "name": { "_in": [] } })),
        person(json!({ "name": { "_nin": [] } })),
        person(json!({ "id": { "_in": [1, "2", "-9223372036854775808"] } })),
        person(json!({ "id": { "_eq": "9223372036854775807" } })),
        person(json!({ "birthDate": { "_gt": "0001-01-01", "_lt": "9999-12-31" } })),
        person(json!({ "birthDate": { "_in": ["1951-02-02", "民國41年3月3日"] } })),
        person(json!({ "protectionMark": { "_eq": false } })),
        person(json!({ "protectionMark": { "_neq": true } })),
        person(json!({ "_or": vec![json!({ "name": { "_eq": "x" } }); 200] })),
        person(json!({ "_and": [], "_or": [{}] })),
        person(json!({ "_or": [] })),
        person(
            json!({ "household": { "head": { "household": { "members": { "_every": { "name": { "_like": "%" } } } } } } }),
        ),
        parcel(json!({ "areaM2": { "_gt": 0.1, "_lt": "9999999999999999999999999.99" } })),
        parcel(json!({ "areaM2": { "_in": ["1.25", 2.25, "1e1"] } })),
        parcel(json!({ "areaM2": { "_eq": "-0" } })),
        parcel(json!({ "usePermits": { "_some": { "floorsAbove": { "_in": [-2_147_483_648, 2_147_483_647, 11] } } } })),
    ];
    for (query, variables) in cases {
        let (a, b) = (
            on.gate.ask("asker", "", query, variables.clone()).await,
            lite.ask("asker", "", query, variables.clone()).await,
        );
        assert!(matches!(a.code(), "-" | "BAD_USER_INPUT"), "{variables}: {}", a.text);
        assert_eq!((a.code(), &a.body["data"]), (b.code(), &b.body["data"]), "{variables}");
    }
    // Many to-one joins within one database.
    let tree = "father { sex mother { sex spouse { sex } father { sex } } } mother { sex father { sex } spouse { sex } } spouse { sex household { head { sex father { sex } } } }";
    let mut wide = tree.to_owned();
    for _ in 0..2 {
        wide = format!("father {{ sex {wide} }} mother {{ sex {wide} }} household {{ head {{ {tree} }} }}");
    }
    let query = format!("{{ persons(first: 2) {{ nodes {{ {wide} }} }} }}");
    for gate in [&on.gate, &lite] {
        let got = gate.ask("asker", "", &query, json!({})).await;
        assert_eq!(got.code(), "-", "{}", got.text);
    }
}

/// Whoever connects and says nothing, or half a head, does not keep others out for long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_connections_give_their_places_back() {
    let gate = filled(Setup::default()).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let bounds = Bounds { places: 2, head: Duration::from_millis(300), stall: Duration::from_secs(60) };
    let router = cityquery::http::router(Arc::clone(&gate.app));
    let serving = tokio::spawn(connections::serve(listener, router, bounds, std::future::pending()));
    let connect = async || tokio::net::TcpStream::connect(address).await.expect("connects");
    let silent = connect().await;
    let mut half = connect().await;
    half.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n").await.expect("is written");
    let started = Instant::now();
    let healthy = reqwest::get(format!("http://{address}/healthz")).await.expect("an answer");
    assert_eq!(healthy.text().await.expect("a text"), "ok\n");
    assert!(started.elapsed() > Duration::from_millis(200), "both places were taken");
    for (mut stream, what) in [(half, "half a head"), (silent, "nothing")] {
        let ended = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut Vec::new())).await;
        assert!(ended.is_ok(), "whoever said {what} keeps the place");
    }
    serving.abort();
}
