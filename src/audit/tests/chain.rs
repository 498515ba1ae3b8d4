//! Segments that are gone as a whole or in part, and clocks that were set back.

use std::fs;
use std::path::Path;

use super::*;
use crate::audit::loss::Missing;
use crate::audit::reader::{Reader, reading};

/// A log of many small segments that was closed in order; their numbers.
fn closed_log(dir: &Path) -> Vec<u64> {
    let (log, _) = AuditLog::open(Options { segment_bytes: 4096, ..options(dir) }).unwrap();
    (0..60).for_each(|number| drop(log.commit_blocking(record(number)).unwrap()));
    drop(log);
    let numbers = Folder::new(dir, SERVER).numbers().unwrap();
    assert!(numbers.len() > 5, "{numbers:?}");
    numbers
}

/// Leave to read, with its own record in the log.
fn reader(log: &AuditLog, dir: &Path) -> Reader {
    let asked = reading(Uuid::from_u128(999), 0, record(1).who, Why::default(), "test", &serde_json::json!({}));
    Reader::new(&log.commit_blocking(asked).unwrap(), dir, log.keys())
}

fn missing(losses: &[loss::Loss]) -> Vec<&Missing> {
    losses.iter().map(|loss| &loss.what).collect()
}

#[test]
fn a_segment_that_is_gone_is_missed() {
    for gone in [1, 4] {
        let dir = tempfile::tempdir().unwrap();
        closed_log(dir.path());
        fs::remove_file(Folder::new(dir.path(), SERVER).segment(gone)).unwrap();
        let (log, recovery) = AuditLog::open(options(dir.path())).unwrap();
        let reader = reader(&log, dir.path());
        let listing = reader.last(1_000, |_, _| true).unwrap();
        for losses in [&recovery.losses, &listing.losses, &reader.losses().unwrap()] {
            let [Missing::Between { before, after, frames }] = missing(losses)[..] else { panic!("{losses:?}") };
            assert_eq!((*before, *after), (gone - 1, gone + 1));
            assert!(*frames > 3, "header, records and end: {frames}");
        }
        assert_eq!(reader.within((0, i64::MAX), |_| true, |_| ()).unwrap(), 1);
        // What was asked of another time lacks nothing.
        assert_eq!(reader.within((i64::MAX - 1, i64::MAX), |_| true, |_| ()).unwrap(), 0);
    }
}

#[test]
fn a_segment_that_was_cut_after_its_end_is_not_called_unfinished() {
    let dir = tempfile::tempdir().unwrap();
    let numbers = closed_log(dir.path());
    let cut = |number: u64| {
        let path = Folder::new(dir.path(), SERVER).segment(number);
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    };
    let newest = *numbers.last().unwrap();
    cut(3);
    cut(newest);
    let (log, recovery) = AuditLog::open(options(dir.path())).unwrap();
    assert_eq!((&recovery.torn, &recovery.cut), (&vec![], &vec![newest]));
    let found = missing(&recovery.losses);
    assert!(found.contains(&&Missing::End { segment: 3 }), "{found:?}");
    assert!(found.iter().any(|what| matches!(what, Missing::Between { before: 3, after: 4, .. })), "{found:?}");
    let unreadable = reader(&log, dir.path()).within((0, i64::MAX), |_| true, |_| ()).unwrap();
    assert!(unreadable >= 2, "{unreadable}");
}

/// A segment that is being written has no end, and one that was made ahead no beginning: nothing is missed there.
#[test]
fn an_open_log_lacks_nothing() {
    let dir = tempfile::tempdir().unwrap();
    closed_log(dir.path());
    let (log, recovery) = AuditLog::open(Options { segment_bytes: 4096, ..options(dir.path()) }).unwrap();
    let reader = reader(&log, dir.path());
    for number in 0..60 {
        log.commit_blocking(record(number)).unwrap();
        assert_eq!(reader.losses().unwrap(), []);
    }
    assert_eq!(recovery.losses, []);
}

#[test]
fn records_are_found_though_the_clock_was_set_back() {
    // Forward again, and back once more; the set-back falls between two segments, and into one.
    let hours: [i64; 8] = [0, 5, -40, -39, 10, 11, -20, 30];
    for each in [3, 10] {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::standing_at(NOW);
        let opened = AuditLog::open(Options { segment_bytes: 4096, clock: clock.clone(), ..options(dir.path()) });
        let log = opened.unwrap().0;
        let mut began = Vec::new();
        for (step, hour) in hours.iter().enumerate() {
            let at = NOW + time::Duration::hours(*hour);
            clock.advance(at - clock.now());
            for number in 0..each {
                let (started_us, number) =
                    (clock.now().unix_timestamp() * 1_000_000 + number, step as u128 * 100 + number as u128);
                log.commit_blocking(Record { started_us, ..record(number) }).unwrap();
                began.push((started_us, number));
            }
        }
        let reader = reader(&log, dir.path());
        for hour in hours {
            let from = (NOW + time::Duration::hours(hour)).unix_timestamp() * 1_000_000;
            let mut found = Vec::new();
            let span = (from, from + 1_000);
            let wants = |record: &StoredRecord| record.kind == Kind::Query;
            let unreadable = reader.within(span, wants, |entry| found.push(entry.record.id.as_u128())).unwrap();
            found.sort_unstable();
            let expected: Vec<u128> =
                began.iter().filter(|(at, _)| (span.0..span.1).contains(at)).map(|(_, number)| *number).collect();
            assert_eq!((found, unreadable), (expected, 0), "hour {hour}");
        }
    }
}
