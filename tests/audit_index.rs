//! The index of the audit log on SQLite and PostgreSQL: whatever is asked, it finds what reading every segment
//! finds, while it lags, after a restart, and filled anew.

use crate::support::postgres;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use cityquery::audit::index::search::{Criteria, search};
use cityquery::audit::index::{self, Indexer};
use cityquery::audit::read::Release;
use cityquery::audit::reader::{Reader, reading};
use cityquery::audit::{
    Asked, AuditLog, Blob, ColumnOutcome, Kind, Options, Outcome, Record, Recovery, RectangleShape, Right, SERVER,
    Shape, ShapeColumn, Touched, Use, Who, Why,
};
use cityquery::config::{self, Clock, Entropy};
use cityquery::store::control;
use uuid::Uuid;

const START_US: i64 = 1_795_392_600_000_000;

fn options(dir: &Path) -> Options {
    let settings = config::Audit {
        dir: dir.to_owned(),
        node: SERVER.to_owned(),
        segment_bytes: 32 << 10,
        deadline_ms: 5_000,
        enabled: true,
    };
    Options::new(&settings, SERVER, [1; 32], Clock::system(), Entropy::system())
}

fn record(number: u128) -> Record {
    let is_land = number.is_multiple_of(3);
    let (type_name, dataset) = if is_land { ("Parcel", "land") } else { ("Person", "household") };
    let columns = vec![
        ShapeColumn::select("name", "name", ColumnOutcome::Masked),
        ShapeColumn {
            use_: Use::Filter,
            of: Some("Household".into()),
            ..ShapeColumn::select("where", "village", ColumnOutcome::Shown)
        },
    ];
    let shape = Shape {
        rectangles: vec![
            RectangleShape { path: "all".into(), type_name: "Connection".into(), dataset: None, columns: vec![] },
            RectangleShape {
                path: "all.nodes".into(),
                type_name: type_name.into(),
                dataset: Some(dataset.into()),
                columns,
            },
        ],
    };
    let (mut connection, mut rows) = (Touched::new(0), Touched::new(1));
    connection.row(0);
    for row in 0..(number % 7) as i64 {
        rows.row((number as i64 * 31 + row * 17) % 50 + 1);
    }
    Record {
        id: Uuid::from_u128(number),
        started_us: START_US + number as i64 * 1_000,
        duration_us: 10,
        kind: if number.is_multiple_of(11) { Kind::Denied } else { Kind::Query },
        who: Who {
            account: ["fire.officer", "tax.clerk", "welfare.clerk"][(number % 3) as usize].into(),
            agency: ["fire", "tax"][(number % 2) as usize].into(),
            session: None,
            client_address: None,
        },
        why: Why {
            sub_form: None,
            form: (!number.is_multiple_of(4)).then(|| format!("F-{}", number % 4).into()),
            form_version: 1,
            purpose: None,
            case_number: number.is_multiple_of(5).then(|| format!("115-{}", number % 9).into()),
        },
        right: Right { epoch: 1, schema_hash: [1; 32] },
        asked: Some(Asked {
            strings: Default::default(),
            document: Blob::text(type_name),
            shape: shape.to_blob(),
            operation_name: None,
            variables: "".into(),
        }),
        touched: vec![connection, rows],
        outcome: Outcome::default(),
        note: None,
    }
}

fn questions() -> Vec<(&'static str, Criteria)> {
    let all = Criteria { limit: 10_000, ..Criteria::default() };
    let text = |text: &str| Some(text.to_owned());
    vec![
        ("everything", all.clone()),
        ("the latest", Criteria { limit: 7, ..all.clone() }),
        ("an account", Criteria { account: text("tax.clerk"), ..all.clone() }),
        ("an agency", Criteria { agency: text("fire"), ..all.clone() }),
        ("a form", Criteria { form: text("F-2"), ..all.clone() }),
        ("a case", Criteria { case_number: text("115-3"), ..all.clone() }),
        ("a field", Criteria { coordinate: text("Parcel.name"), ..all.clone() }),
        ("a field of a filter", Criteria { coordinate: text("Household.village"), ..all.clone() }),
        ("a row", Criteria { row: Some(("Person".into(), 18)), ..all.clone() }),
        ("a connection is no row", Criteria { row: Some(("Connection".into(), 0)), ..all.clone() }),
        ("a kind", Criteria { kind: Some(Kind::Denied), ..all.clone() }),
        ("a time", Criteria { from_us: Some(START_US + 50_000), until_us: Some(START_US + 90_000), ..all.clone() }),
        (
            "all at once",
            Criteria {
                account: text("fire.officer"),
                agency: text("tax"),
                row: Some(("Parcel".into(), 20)),
                kind: Some(Kind::Query),
                ..all
            },
        ),
    ]
}

async fn agree(reader: &Reader, control: &config::Control, expected: usize) {
    for (what, criteria) in questions() {
        let ids = |listing: cityquery::audit::reader::Listing| -> Vec<u128> {
            assert!(listing.losses.is_empty(), "{what}: {:?}", listing.losses);
            listing.entries.iter().map(|entry| entry.record.id.as_u128()).collect()
        };
        let by_index = ids(search(reader, Some(control), &criteria).await.unwrap());
        let by_reading = ids(search(reader, None, &criteria).await.unwrap());
        assert_eq!(by_index, by_reading, "{what}");
        match what {
            "everything" => assert_eq!(by_index.len(), expected),
            "the latest" => assert_eq!(by_index.len(), 7),
            "a connection is no row" => assert!(by_index.is_empty()),
            _ => assert!(!by_index.is_empty() && by_index.len() < expected, "{what}: {} found", by_index.len()),
        }
    }
}

/// Entries in the index itself.
async fn indexed(control: &config::Control) -> usize {
    use sea_orm::{ConnectionTrait, Statement};
    let db = control::connect(control).await.unwrap();
    let statement = Statement::from_string(db.get_database_backend(), "SELECT entry FROM audit_entries");
    db.query_all_raw(statement).await.unwrap().len()
}

async fn wait_for(control: &config::Control, records: usize) {
    for _ in 0..1_000 {
        if indexed(control).await == records {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{} of {records} records are indexed after 20 s", indexed(control).await);
}

async fn finds_what_the_segments_hold(control: config::Control) {
    let db = control::connect(&control).await.unwrap();
    control::migrate(&control, &db).await.unwrap();
    drop(db);
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = AuditLog::open(options(dir.path())).unwrap();
    let who = Who { account: "auditor".into(), agency: "ethics".into(), session: None, client_address: None };
    let arguments = serde_json::json!({});
    let receipt = log.commit(reading(Uuid::from_u128(1), START_US, who, Why::default(), "test", &arguments)).await;
    let reader = Reader::new(&receipt.unwrap(), dir.path(), log.keys());

    // Nothing is indexed: the segments answer.
    for number in 2..=300 {
        log.commit(record(number)).await.unwrap();
    }
    agree(&reader, &control, 300).await;

    // Indexed in the background, stopped, and gone on with in the middle of a segment.
    let indexer = Indexer::start(&log, dir.path().to_owned(), control.clone()).unwrap();
    wait_for(&control, 300).await;
    agree(&reader, &control, 300).await;
    drop(indexer);
    for number in 301..=400 {
        log.commit(record(number)).await.unwrap();
    }
    drop(log.commit(record(401))); // its client hung up
    while log.numbers().records < 401 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    agree(&reader, &control, 401).await;
    let indexer = Indexer::start(&log, dir.path().to_owned(), control.clone()).unwrap();
    wait_for(&control, 401).await;
    agree(&reader, &control, 401).await;
    drop(indexer);

    // A new run of the server, and an index filled anew.
    log.close();
    let (log, _) = AuditLog::open(options(dir.path())).unwrap();
    log.commit(record(402)).await.unwrap();
    index::catch_up(dir.path().to_owned(), log.keys(), &control).await.unwrap();
    assert_eq!(indexed(&control).await, 402);
    index::clear(&control).await.unwrap();
    assert_eq!(index::catch_up(dir.path().to_owned(), log.keys(), &control).await.unwrap(), 402);
    agree(&reader, &control, 402).await;

    // The index knows which answers did not leave.
    let all = Criteria { limit: 1_000, ..Criteria::default() };
    let listing = search(&reader, Some(&control), &all).await.unwrap();
    let releases: BTreeMap<u128, Release> =
        listing.entries.into_iter().map(|entry| (entry.record.id.as_u128(), entry.release)).collect();
    let withheld: Vec<u128> =
        releases.iter().filter(|(_, to)| matches!(to, Release::Withheld(_))).map(|(id, _)| *id).collect();
    assert_eq!(withheld, [401]);
}

#[tokio::test]
async fn sqlite_finds_what_the_segments_hold() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("control.db").display());
    finds_what_the_segments_hold(config::Control { url, schema: None, connections: 8 }).await;
}

#[tokio::test]
async fn postgresql_finds_what_the_segments_hold() {
    let Some(server) = postgres::server() else { return };
    let database = postgres::Database::create(&server).await;
    finds_what_the_segments_hold(config::Control {
        url: database.url.clone(),
        schema: Some("control".into()),
        connections: 8,
    })
    .await;
}

/// Two logs under one name would write over each other's entries: the second is refused, here and at a server's start.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_one_logs() {
    let folder = tempfile::tempdir().unwrap();
    let config = cityquery::config::Config::embedded(folder.path()).unwrap();
    let db = cityquery::store::control::connect(&config.control).await.unwrap();
    cityquery::store::control::migrate(&config.control, &db).await.unwrap();
    let open = |name: &str, node: &str| {
        let settings = cityquery::config::Audit { dir: folder.path().join(name), ..config.audit.clone() };
        let clock = cityquery::config::Clock::system();
        let seed = if name == "west" { 1 } else { 2 };
        AuditLog::open(Options::new(&settings, node, [1; 32], clock, cityquery::config::Entropy::seeded(seed)))
            .unwrap()
            .0
    };
    let west = open("west", SERVER);
    index::claim(&db, west.folder()).await.unwrap();
    index::claim(&db, west.folder()).await.unwrap();
    let east = open("east", SERVER);
    let refused = index::claim(&db, east.folder()).await.unwrap_err();
    assert!(refused.to_string().contains("a name each"), "{refused}");
    let north = open("north", "north");
    index::claim(&db, north.folder()).await.unwrap();
    // Begun again in the same folder, it is the same log.
    drop(west);
    index::claim(&db, open("west", SERVER).folder()).await.unwrap();
}

/// Opens the log as a server does: above what the index knows.
async fn open_above(dir: &Path, control: &config::Control) -> (AuditLog, Recovery) {
    let db = control::connect(control).await.unwrap();
    AuditLog::open(Options { known: index::reach(&db, SERVER).await.unwrap(), ..options(dir) }).unwrap()
}

/// The log lost its end while the index kept it: what the index knows is shown of nobody else's record, what comes new is
/// indexed and found, and the indexer ends when it is told to.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_got_shorter_is_gone_on_with() {
    for is_removed in [true, false] {
        let place = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", place.path().join("control.db").display());
        let control = config::Control { url, schema: None, connections: 8 };
        let db = control::connect(&control).await.unwrap();
        control::migrate(&control, &db).await.unwrap();
        let dir = place.path().join("audit");
        let (log, _) = open_above(&dir, &control).await;
        let folder = log.folder().clone();
        for number in 1..=10 {
            log.commit(record(number)).await.unwrap();
        }
        let copy = std::fs::read(folder.segment(1)).unwrap();
        for number in 11..=30 {
            log.commit(record(number)).await.unwrap();
        }
        let keys = log.keys();
        log.close();
        index::catch_up(dir.clone(), keys, &control).await.unwrap();
        assert_eq!(indexed(&control).await, 30);
        match is_removed {
            true => std::fs::remove_file(folder.segment(1)).unwrap(),
            false => std::fs::write(folder.segment(1), copy).unwrap(),
        }
        let left = if is_removed { 0 } else { 10 };

        let (log, recovery) = open_above(&dir, &control).await;
        assert!(recovery.lost >= 20, "{recovery:?}");
        let who = Who { account: "auditor".into(), agency: "ethics".into(), session: None, client_address: None };
        let asked = reading(Uuid::from_u128(500), 0, who, Why::default(), "test", &serde_json::json!({}));
        let receipt = log.commit(asked).await.unwrap();
        for number in 101..=130 {
            log.commit(record(number)).await.unwrap();
        }
        let indexer = Indexer::start(&log, dir.clone(), control.clone()).unwrap();
        wait_for(&control, 30 + 31).await;
        let reader = Reader::new(&receipt, &dir, log.keys());
        let criteria = Criteria { account: Some("tax.clerk".into()), limit: 1_000, ..Criteria::default() };
        let listing = search(&reader, Some(&control), &criteria).await.unwrap();
        assert!(listing.entries.iter().all(|entry| &*entry.record.who.account == "tax.clerk"));
        let expected = (1..=left).chain(101..=130).filter(|number| number % 3 == 1).count();
        assert_eq!(listing.entries.len(), expected, "removed: {is_removed}");
        assert!(!listing.losses.is_empty(), "what the index knows and the log lacks is told");
        log.close();
        let stopping = tokio::task::spawn_blocking(move || drop(indexer));
        tokio::time::timeout(Duration::from_secs(10), stopping).await.expect("the indexer ends").unwrap();
    }
}

/// What is no node, and a node that cannot be read, hold up neither the index nor a search.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_be_read_holds_up_no_other() {
    let place = tempfile::tempdir().unwrap();
    let control = config::Control {
        url: format!("sqlite:{}", place.path().join("control.db").display()),
        schema: None,
        connections: 8,
    };
    let db = control::connect(&control).await.unwrap();
    control::migrate(&control, &db).await.unwrap();
    let dir = place.path().join("audit");
    let (log, _) = open_above(&dir, &control).await;
    // The first is no node, and the segment of the second cannot be read.
    std::fs::create_dir_all(dir.join("lost+found/lost+found-0000000001.seg")).unwrap();
    std::fs::create_dir_all(dir.join("command/command-0000000001.seg")).unwrap();
    for number in 1..=20 {
        log.commit(record(number)).await.unwrap();
    }
    let _indexer = Indexer::start(&log, dir.clone(), control.clone()).unwrap();
    wait_for(&control, 20).await;
    let who = Who { account: "auditor".into(), agency: "ethics".into(), session: None, client_address: None };
    let asked = reading(Uuid::from_u128(500), START_US, who, Why::default(), "test", &serde_json::json!({}));
    let reader = Reader::new(&log.commit(asked).await.unwrap(), &dir, log.keys());
    let all = Criteria { limit: 1_000, ..Criteria::default() };
    let by_index = search(&reader, Some(&control), &all).await.unwrap();
    for listing in [by_index, search(&reader, None, &all).await.unwrap(), reader.last(1_000, |_, _| true).unwrap()] {
        assert_eq!(listing.entries.len(), 21);
        let [loss] = &listing.losses[..] else { panic!("{:?}", listing.losses) };
        assert!(loss.to_string().contains("command-0000000001.seg cannot be read"), "{loss}");
    }
    assert_eq!(reader.within((i64::MIN, i64::MAX), |_| true, |_| ()).unwrap(), 1, "an inspection counts it");
}
