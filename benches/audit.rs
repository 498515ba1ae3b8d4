//! What the audit log costs: bytes and time to pack a record, records made durable per second, and the
//! processor time they take. Prints; asserts nothing about time. `cargo bench --bench audit`

use std::sync::Arc;
use std::time::{Duration, Instant};

use cityquery::audit::{
    Asked, AuditLog, Blob, ColumnOutcome, Kind, Options, Outcome, Record, RectangleShape, Right, SERVER, Shape,
    ShapeColumn, Touched, Who, Why, encode, index,
};
use cityquery::config::{self, Clock, Entropy};
use cityquery::store::control;
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CLIENTS: usize = 32;

/// What one plan's records have in common.
struct Plan {
    document: Arc<Blob>,
    shape: Arc<Blob>,
    rectangles: u16,
    rows: i64,
    columns: u16,
}

impl Plan {
    fn new(rectangles: u16, rows: i64, columns: u16) -> Plan {
        let column =
            |number| ShapeColumn::select(format!("key{number}"), format!("field{number}"), ColumnOutcome::Shown);
        let rectangle = |number| RectangleShape {
            path: format!("path{number}"),
            type_name: "Parcel".into(),
            dataset: Some("land".into()),
            columns: (0..columns).map(column).collect(),
        };
        let shape = Shape { rectangles: (0..rectangles).map(rectangle).collect() }.to_blob();
        Plan { document: Blob::text("query { parcels { parcelNo } }"), shape, rectangles, rows, columns }
    }

    fn fields(&self) -> u64 {
        u64::from(self.rectangles) * self.rows as u64 * u64::from(self.columns)
    }

    /// As `query::write` does it: row by row, with a null in every eighth row of one column.
    fn record(&self, seed: i64) -> Record {
        let touched = (0..self.rectangles).map(|rectangle| {
            let mut touched = Touched::new(rectangle);
            for row in 0..self.rows {
                let position = touched.row((seed * 7919 + row * 13) % 2_500_000);
                if row % 8 == 3 {
                    touched.null(2, position);
                }
            }
            touched
        });
        Record {
            id: Uuid::now_v7(),
            started_us: 1_795_392_600_000_000,
            duration_us: 900,
            kind: Kind::Query,
            who: Who {
                account: "fire.officer".into(),
                agency: "fire-department".into(),
                session: Some(Uuid::nil()),
                client_address: Some([192, 0, 2, 7].into()),
            },
            why: Why {
                form: Some("F-2026-0001".into()),
                sub_form: None,
                form_version: 1,
                purpose: Some("fire safety inspection".into()),
                case_number: Some("115-000123".into()),
            },
            right: Right { epoch: 1, schema_hash: [1; 32] },
            touched: touched.collect(),
            asked: Some(Asked {
                strings: Default::default(),
                document: self.document.clone(),
                shape: self.shape.clone(),
                operation_name: Some("BuildingAtRisk".into()),
                variables: r#"{"no":"115使字第0001號"}"#.into(),
            }),
            outcome: Outcome { code: None, rows: 10, bytes: 4_000, digest: [0; 16] },
            note: None,
        }
    }
}

fn options(dir: &std::path::Path, enabled: bool) -> Options {
    let settings = config::Audit {
        dir: dir.to_owned(),
        node: SERVER.to_owned(),
        segment_bytes: 64 << 20,
        deadline_ms: 300,
        enabled,
    };
    Options::new(&settings, SERVER, [1; 32], Clock::system(), Entropy::system())
}

/// Processor time of this process.
fn processor() -> Duration {
    // Field 14 and 15 of /proc/self/stat, behind the name in parentheses: ticks of 1/100 s.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.rsplit(')').next().map(|rest| {
        rest.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>()
    });
    Duration::from_millis(ticks.unwrap_or(0) * 10)
}

fn pack(name: &str, plan: &Plan) {
    let dir = tempfile();
    let (log, _) = AuditLog::open(options(&dir, true)).expect("the log opens");
    let keys = log.keys();
    let rounds = (20_000_000 / plan.fields().max(1)).clamp(10, 100_000);
    let mut bytes = 0;
    let started = Instant::now();
    for round in 0..rounds {
        let record = plan.record(round as i64);
        bytes += encode::record(&record, &keys, &[1; 32]).expect("a record encodes").len();
    }
    let each = started.elapsed().as_secs_f64() / rounds as f64;
    let size = bytes as f64 / rounds as f64;
    let fields = plan.fields() as f64;
    println!(
        "pack    {name:32} {:8.0} B  {:6.2} B/field  {:8.1} us  {:6.1} M fields/s",
        size,
        size / fields,
        each * 1e6,
        fields / each / 1e6
    );
}

fn tempfile() -> std::path::PathBuf {
    let dir = std::env::temp_dir().join(format!("cityquery-bench-{}", Uuid::now_v7()));
    std::fs::create_dir_all(&dir).expect("a temporary folder");
    dir
}

/// Runs the clients for some seconds; `pace` is the time between two records of one client, zero for as fast as
/// they come.
async fn commit(name: &str, plan: Arc<Plan>, pace: Duration, enabled: bool) -> f64 {
    let dir = tempfile();
    let log = Arc::new(AuditLog::open(options(&dir, enabled)).expect("the log opens").0);
    let seconds = 5.0;
    let (before, started) = (processor(), Instant::now());
    let clients = (0..CLIENTS).map(|client| {
        let (log, plan) = (log.clone(), plan.clone());
        tokio::spawn(async move {
            let mut waits = Vec::new();
            let mut next = Instant::now() + pace.mul_f64(client as f64 / CLIENTS as f64);
            while started.elapsed().as_secs_f64() < seconds {
                if !pace.is_zero() {
                    tokio::time::sleep_until(next.into()).await;
                    next += pace;
                }
                let record = plan.record(client as i64 + waits.len() as i64 * 31);
                let asked = Instant::now();
                log.commit(record).await.expect("a record is made");
                waits.push(asked.elapsed());
            }
            waits
        })
    });
    let mut waits: Vec<Duration> = Vec::new();
    for client in clients.collect::<Vec<_>>() {
        waits.extend(client.await.expect("a client ends"));
    }
    let (took, used) = (started.elapsed().as_secs_f64(), (processor() - before).as_secs_f64());
    waits.sort();
    let numbers = log.numbers();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "commit  {name:32} {:8.0} records/s  p50 {:5.2} ms  p99 {:5.2} ms  {:5.1} records/batch  {:5.1} us CPU/record  {:5.1} % of 2 cores",
        waits.len() as f64 / took,
        at(0.5),
        at(0.99),
        numbers.records as f64 / numbers.batches.max(1) as f64,
        used / waits.len() as f64 * 1e6,
        used / took / 2.0 * 100.0
    );
    log.close();
    let _ = std::fs::remove_dir_all(dir);
    used / took / 2.0 * 100.0
}

/// Indexes what a log holds into a SQLite file, with nothing else to do.
async fn fill_index(plan: &Plan) {
    let dir = tempfile();
    let control =
        config::Control { url: format!("sqlite:{}", dir.join("control.db").display()), schema: None, connections: 1 };
    let db = control::connect(&control).await.expect("the control database opens");
    control::migrate(&control, &db).await.expect("the control database migrates");
    let log = AuditLog::open(options(&dir.join("audit"), true)).expect("the log opens").0;
    let records = 20_000;
    let committed: Vec<_> = (0..records).map(|number| log.commit(plan.record(number))).collect();
    futures::future::join_all(committed).await;
    let (before, started) = (processor(), Instant::now());
    let indexed = index::catch_up(dir.join("audit"), log.keys(), &control).await.expect("the log is indexed");
    let took = started.elapsed().as_secs_f64();
    let touches = indexed as f64 * f64::from(plan.rectangles) * plan.rows as f64;
    let used = (processor() - before).as_secs_f64();
    println!(
        "index   SQLite                           {:8.0} records/s  {:8.0} rows touched/s  {:5.1} us CPU/record",
        indexed as f64 / took,
        touches / took,
        used / indexed as f64 * 1e6
    );
    log.close();
    let _ = std::fs::remove_dir_all(dir);
}

fn main() {
    let point = Arc::new(Plan::new(10, 2, 4));
    pack("point, 10 rectangles of 2 x 4", &point);
    pack("list, 100 x 12", &Plan::new(1, 100, 12));
    pack("list, 1,000 x 12", &Plan::new(1, 1_000, 12));
    pack("huge, 100,000 x 10", &Plan::new(1, 100_000, 10));

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        commit("32 clients, as fast as they come", point.clone(), Duration::ZERO, true).await;
        fill_index(&point).await;
        let pace = Duration::from_micros(CLIENTS as u64 * 1_000_000 / 5_000);
        let with = commit("32 clients, 5,000/s", point.clone(), pace, true).await;
        if std::env::var_os("CITYQUERY_BENCH").is_some_and(|value| value == "1") {
            let without = commit("the same with the log off", point, pace, false).await;
            println!("the log costs {:.1} % of two cores at 5,000 records/s", with - without);
        } else {
            println!("set CITYQUERY_BENCH=1 to see what the clients alone take");
        }
    });
}
