//! A log that lost its end, while the index remembers how far it had reached.

use super::*;

/// Numbers are never used twice: not those of frames, and not those of segments.
#[test]
fn a_log_that_is_shorter_than_the_index_goes_on_above_both() {
    let dir = tempfile::tempdir().unwrap();
    let (log, recovery) = AuditLog::open(options(dir.path())).unwrap();
    assert_eq!(recovery.lost, 0);
    log.commit_blocking(record(1)).unwrap();
    drop(log);

    let known = Reach { segment: 9, last_seq: 500 };
    let (log, recovery) = AuditLog::open(Options { known, ..options(dir.path()) }).unwrap();
    let had = stored(dir.path())[0].0 + 1; // the record, and the segment's end
    assert_eq!((recovery.lost, recovery.next_segment, recovery.next_seq), (500 - had, 10, 501));
    let receipt = log.commit_blocking(record(2)).unwrap();
    assert!(receipt.seq > 500 && receipt.segment == 10, "{receipt:?}");
    drop(log);

    // Once it has gone on, nothing is lost any more than was.
    let known = Reach { segment: 10, last_seq: receipt.seq };
    let (_, recovery) = AuditLog::open(Options { known, ..options(dir.path()) }).unwrap();
    assert_eq!((recovery.lost, recovery.next_segment), (0, 11));
}

/// A copy from while the segment was written: its end carries the number behind all that is known, so that whoever reads
/// the segment sees how many frames it lacks.
#[test]
fn a_segment_that_went_back_in_time_says_what_it_lacks() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = AuditLog::open(options(dir.path())).unwrap();
    let segment = log.folder().segment(1);
    log.commit_blocking(record(1)).unwrap();
    let older = std::fs::read(&segment).unwrap();
    let last = (2..=20).map(|number| log.commit_blocking(record(number)).unwrap().seq).max().unwrap();
    drop(log);
    std::fs::write(&segment, older).unwrap();

    let known = Reach { segment: 1, last_seq: last };
    let (log, recovery) = AuditLog::open(Options { known, ..options(dir.path()) }).unwrap();
    assert_eq!((recovery.lost, recovery.recovered_segments), (19, vec![1]));
    drop(log);
    let bytes = std::fs::read(&segment).unwrap();
    let missing: Vec<_> = Contents::of(&bytes).gaps.iter().map(|gap| (gap.missing, gap.was_durable)).collect();
    assert_eq!(missing, [(Some(19), true)]);
}
