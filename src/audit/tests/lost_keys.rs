//! Keys that are gone: they are missed, written back while somebody still knows them, and never replaced in silence.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::*;
use crate::audit::seal::SealError;

/// A log with one record, closed in order.
fn closed_log(dir: &Path) {
    let (log, _) = AuditLog::open(options(dir)).unwrap();
    log.commit_blocking(record(1)).unwrap();
}

/// The keys of another run of the program.
fn open(dir: &Path) -> AuditLog {
    AuditLog::open(Options { entropy: Entropy::seeded(2), ..options(dir) }).unwrap().0
}

#[test]
fn a_lasting_key_that_is_gone_is_not_replaced() {
    for name in ["case.key", "digest.key"] {
        let dir = tempfile::tempdir().unwrap();
        closed_log(dir.path());
        let file = dir.path().join("keys").join(name);
        fs::rename(&file, dir.path().join(name)).unwrap();
        for node in [SERVER, COMMAND_LINE] {
            let refused = AuditLog::open(Options { node: node.to_owned(), ..options(dir.path()) }).err();
            let told = format!("{:?}", refused.expect("refused"));
            assert!(told.contains(name) && told.contains("is gone"), "{told}");
        }
        assert!(!file.exists());
        fs::rename(dir.path().join(name), &file).unwrap();
        open(dir.path());
    }
}

#[test]
fn a_months_key_that_is_gone_opens_again_what_it_sealed_once_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    closed_log(dir.path());
    let (key, away) = (dir.path().join("keys/2026-11.key"), dir.path().join("away"));
    fs::rename(&key, &away).unwrap();
    let log = open(dir.path());
    log.commit_blocking(record(2)).unwrap();
    let found = stored(dir.path());
    let [lost, sealed_since] = [&found[0].1, &found[1].1];
    assert!(matches!(lost.secrets(&log.keys()), Err(SealError::NoKey { .. })), "{:?}", lost.secrets(&log.keys()));
    assert_eq!(sealed_since.secrets(&log.keys()).unwrap().case_number.as_deref(), Some("CASE-MARKER-4711"));
    drop(log);

    fs::rename(&away, &key).unwrap();
    let log = open(dir.path());
    log.commit_blocking(record(3)).unwrap();
    for (_, record, _) in stored(dir.path()) {
        assert!(record.secrets(&log.keys()).is_ok(), "{}", record.id);
    }
    let keys: Vec<String> = stored(dir.path()).into_iter().map(|found| found.1.sealed.unwrap().partition).collect();
    assert_eq!(keys, ["2026-11", "2026-11.2", "2026-11.2"]);
}

/// A month in which nothing was sealed yet has lost nothing.
#[test]
fn a_new_month_begins_with_its_own_key() {
    let dir = tempfile::tempdir().unwrap();
    closed_log(dir.path());
    let clock = Clock::standing_at(NOW + time::Duration::days(40));
    let log = AuditLog::open(Options { clock, ..options(dir.path()) }).unwrap().0;
    assert!(dir.path().join("keys/2027-01.key").exists());
    drop(log);
}

#[test]
fn a_key_that_is_removed_from_a_running_log_is_written_back() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    log.commit_blocking(record(1)).unwrap();
    let keys = dir.path().join("keys");
    let before: Vec<Vec<u8>> = KEYS.iter().map(|name| fs::read(keys.join(name)).unwrap()).collect();
    KEYS.iter().for_each(|name| fs::remove_file(keys.join(name)).unwrap());
    let begun = Instant::now();
    while !KEYS.iter().all(|name| keys.join(name).exists()) {
        assert!(begun.elapsed() < Duration::from_secs(10), "not written back");
        std::thread::sleep(Duration::from_millis(20));
    }
    let after: Vec<Vec<u8>> = KEYS.iter().map(|name| fs::read(keys.join(name)).unwrap()).collect();
    assert_eq!(before, after);
    drop(log);
}

const KEYS: [&str; 3] = ["2026-11.key", "case.key", "digest.key"];
