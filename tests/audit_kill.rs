//! Kills a writing process at random moments, again and again, and looks whether anything that it had
//! acknowledged is missing. `CITYQUERY_KILLS=1000 cargo nextest run audit_kill::` for more than the usual fifty.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use cityquery::audit::read::Contents;
use cityquery::audit::{AuditLog, Kind, Options, Outcome, Record, Right, SERVER, Touched, Who, Why};
use cityquery::config::{self, Clock, Entropy};
use uuid::Uuid;

/// Set for the child process: the folder to write to.
const CHILD: &str = "CITYQUERY_KILL_CHILD";

fn options(dir: &Path) -> Options {
    let settings = config::Audit {
        dir: dir.to_owned(),
        node: SERVER.to_owned(),
        segment_bytes: 256 << 10,
        deadline_ms: 5_000,
        enabled: true,
    };
    Options::new(&settings, SERVER, [1; 32], Clock::system(), Entropy::system())
}

fn record(entropy: &Entropy) -> Record {
    let id = Uuid::from_bytes(entropy.bytes());
    let mut touched = Touched::new(0);
    for row in 0..i64::from(entropy.bytes::<1>()[0]) {
        touched.row(row * 31);
    }
    Record {
        id,
        started_us: 1_795_392_600_000_000,
        duration_us: 100,
        kind: Kind::Query,
        who: Who { account: "fire.officer".into(), agency: "fire".into(), session: None, client_address: None },
        why: Why::default(),
        right: Right { epoch: 1, schema_hash: [1; 32] },
        asked: None,
        touched: vec![touched],
        outcome: Outcome::default(),
        note: None,
    }
}

/// The child: sixteen clients that write and tell each acknowledged id, until they are killed.
#[test]
fn child_writes_until_it_is_killed() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let (log, _) = AuditLog::open(options(Path::new(&dir))).unwrap();
    let log = Arc::new(log);
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(async {
        let clients = (0..16).map(|_| {
            let log = log.clone();
            tokio::spawn(async move {
                let entropy = Entropy::system();
                loop {
                    let receipt = log.commit(record(&entropy)).await.unwrap();
                    let line = format!("acknowledged {}\n", receipt.id);
                    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                }
            })
        });
        futures::future::join_all(clients.collect::<Vec<_>>()).await;
    });
}

/// Starts a child, kills it some time after its first acknowledgement, and returns what it acknowledged.
fn run_and_kill(dir: &Path, after: Duration) -> Vec<Uuid> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "audit_kill::child_writes_until_it_is_killed", "--nocapture"])
        .env(CHILD, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged = Vec::new();
    let mut line = String::new();
    let mut killer = None;
    while lines.read_line(&mut line).unwrap() > 0 {
        // The test harness writes to the same pipe, and the last line may be cut short by the kill.
        if let Some((_, id)) = line.trim_end().rsplit_once("acknowledged ").filter(|_| line.ends_with('\n')) {
            acknowledged.push(Uuid::parse_str(id).unwrap());
            if killer.is_none() {
                let id = child.id();
                killer = Some(std::thread::spawn(move || {
                    std::thread::sleep(after);
                    let pid = rustix::process::Pid::from_raw(id as i32).unwrap();
                    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
                }));
            }
        }
        line.clear();
    }
    killer.expect("the child acknowledged something").join().unwrap();
    child.wait().unwrap();
    acknowledged
}

#[test]
fn nothing_acknowledged_is_lost() {
    let kills: u32 = std::env::var("CITYQUERY_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(50);
    let entropy = Entropy::system();
    let (mut acknowledged, mut lost, mut torn, mut unconfirmed) = (0, 0, 0, 0);
    for _ in 0..kills.div_ceil(10) {
        let dir = tempfile::tempdir().unwrap();
        let mut expected = HashSet::new();
        for _ in 0..10 {
            let after = Duration::from_micros(u64::from(u16::from_le_bytes(entropy.bytes())) * 2 / 3);
            expected.extend(run_and_kill(dir.path(), after));
            // The next start recovers; opening and closing here counts what it met.
            let (log, recovery) = AuditLog::open(options(dir.path())).unwrap();
            drop(log);
            assert_eq!(recovery.damaged, [], "a kill is not damage");
            torn += recovery.torn.len();
            unconfirmed += recovery.unconfirmed;
        }
        let mut found = HashSet::new();
        let mut last_seq = 0;
        let folder = cityquery::audit::segment::Folder::new(dir.path(), SERVER);
        for number in folder.numbers().unwrap() {
            let bytes = std::fs::read(folder.segment(number)).unwrap();
            let contents = Contents::of(&bytes);
            assert!(contents.gaps.is_empty(), "segment {number}: {:?}", contents.gaps);
            for frame in &contents.records {
                assert!(frame.seq > last_seq, "numbers go up");
                last_seq = frame.seq;
                assert!(found.insert(contents.decode(frame).unwrap().id), "a record stands twice");
            }
        }
        acknowledged += expected.len();
        lost += expected.difference(&found).count();
    }
    let kills = kills.div_ceil(10) * 10;
    eprintln!("{kills} kills: {acknowledged} acknowledged, {lost} lost; {torn} torn tails, {unconfirmed} unconfirmed");
    assert_eq!(lost, 0);
}
