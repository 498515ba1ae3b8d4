//! What the log does when the disk fails: it refuses, says so, and never claims what it does not know.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use super::disk::FaultyDisk;
use super::*;
use crate::audit::marks::WithheldReason;

fn open(dir: &std::path::Path, disk: &FaultyDisk) -> AuditLog {
    AuditLog::open(Options { disk: Arc::new(disk.clone()), ..options(dir) }).unwrap().0
}

/// A log whose records may not take long, for tests in which they do.
fn hasty(dir: &std::path::Path, disk: &FaultyDisk) -> AuditLog {
    let (disk, deadline) = (Arc::new(disk.clone()), Duration::from_millis(300));
    AuditLog::open(Options { disk, deadline, ..options(dir) }).unwrap().0
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within five seconds: {what}");
}

#[tokio::test]
async fn what_is_acknowledged_stands_in_order_and_without_gaps() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), &FaultyDisk::default());
    let mut receipts = Vec::new();
    for number in 1..=600 {
        receipts.push(log.commit(record(number)).await.unwrap());
    }
    log.close();
    let found = stored(dir.path());
    assert_eq!(found.len(), 600);
    for ((seq, record, release), receipt) in found.iter().zip(&receipts) {
        assert_eq!((*seq, record.id, release), (receipt.seq, receipt.id, &Release::Released));
    }
    let segments = Folder::new(dir.path(), SERVER).numbers().unwrap();
    assert!(segments.len() > 2, "600 records do not go into one segment of 64 KiB: {segments:?}");
    let (_, recovery) = AuditLog::open(options(dir.path())).unwrap();
    assert_eq!((recovery.recovered_segments, recovery.torn, recovery.damaged), (vec![], vec![], vec![]));
}

/// A log that fills faster than the disk writes zeros goes on: the next segment is had without them. Nor does closing the log
/// wait for the zeros of a segment that is never taken.
#[tokio::test]
async fn a_segment_that_is_waited_for_comes_without_its_zeros() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let log = open(dir.path(), &disk);
    disk.0.only_hurried.store(true, SeqCst);
    for number in 1..=1_000 {
        log.commit(record(number)).await.expect("no record is refused");
    }
    let segments = || Folder::new(dir.path(), SERVER).numbers().unwrap().len();
    let (before, mut made) = (segments(), 1_000);
    assert!(before > 3);
    // The next file is made when the one in use is nearly full; some records more, and there is time again.
    let mut further = usize::MAX;
    while further > 0 {
        further = if segments() == before { 60 } else { further - 1 };
        made += 1;
        log.commit(record(made)).await.expect("no record is refused");
    }
    let (done, closed) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        log.close();
        done.send(())
    });
    closed.recv_timeout(Duration::from_secs(60)).expect("closed");
    assert_eq!(stored(dir.path()).len() as u128, made);
}

#[tokio::test]
async fn a_record_larger_than_a_segment_is_kept_whole() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), &FaultyDisk::default());
    let mut large = record(1);
    let rows: Vec<i64> = (0..300_000).map(|row| row * 7919 % 1_000_003).collect();
    large.touched[0] = Touched { rows: rows.iter().copied().collect(), ..Touched::new(0) };
    log.commit(large).await.unwrap();
    log.commit(record(2)).await.unwrap();
    log.close();
    let found = stored(dir.path());
    assert!(found[0].1.touched[0].rows.iter().eq(rows));
    assert_eq!(found[1].1.id, Uuid::from_u128(2));
}

#[tokio::test]
async fn a_failed_sync_refuses_all_that_follows_and_is_never_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let log = open(dir.path(), &disk);
    log.commit(record(1)).await.unwrap();
    disk.0.fail_one_sync.store(true, SeqCst);
    let syncs = disk.0.syncs.load(SeqCst);
    assert!(matches!(log.commit(record(2)).await, Err(Unavailable::Poisoned(_))));
    assert!(!log.is_ready());
    for number in 3..10 {
        assert!(matches!(log.commit(record(number)).await, Err(Unavailable::Poisoned(_))));
    }
    log.close();
    assert_eq!(disk.0.syncs.load(SeqCst), syncs + 1, "the disk would have said yes to a second try");
    // After a restart the log works again, and says that the answer of record 2 may or may not have left.
    let (log, recovery) = AuditLog::open(options(dir.path())).unwrap();
    assert_eq!((recovery.recovered_segments, recovery.unconfirmed), (vec![1], 1));
    log.commit(record(20)).await.unwrap();
    log.close();
    let releases: Vec<(u128, Release)> =
        stored(dir.path()).into_iter().map(|(_, r, to)| (r.id.as_u128(), to)).collect();
    assert_eq!(releases, [(1, Release::Released), (2, Release::Unconfirmed), (20, Release::Released)]);
}

#[tokio::test]
async fn short_writes_are_completed_and_failed_writes_refuse() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let log = open(dir.path(), &disk);
    disk.0.write_at_most.store(7, SeqCst);
    log.commit(record(1)).await.unwrap();
    disk.0.fail_writes.store(true, SeqCst);
    assert!(matches!(log.commit(record(2)).await, Err(Unavailable::Poisoned(_))));
    disk.0.fail_writes.store(false, SeqCst);
    assert!(matches!(log.commit(record(3)).await, Err(Unavailable::Poisoned(_))));
    drop(log);
    assert_eq!(stored(dir.path()).len(), 1);
}

#[tokio::test]
async fn a_segment_that_comes_when_the_wait_for_it_is_just_over_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let log = hasty(dir.path(), &disk);
    disk.0.is_full.store(true, SeqCst);
    let mut number = 0;
    while log.commit(record(number)).await.is_ok() {
        number += 1;
    }
    // The keeper finds room and holds a segment out; the committer's refusal comes a moment later.
    disk.0.is_full.store(false, SeqCst);
    eventually("the keeper has a segment", || log.is_ready()).await;
    log.out_of_room();
    eventually("the segment is taken, though every record is refused", || log.is_ready()).await;
    log.commit(record(5000)).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_refuses_until_there_is_room_and_needs_no_restart() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    disk.0.is_full.store(false, SeqCst);
    let log = hasty(dir.path(), &disk);
    disk.0.is_full.store(true, SeqCst);
    let mut acknowledged = 0;
    let mut number = 0;
    let refused = loop {
        number += 1;
        match log.commit(record(number)).await {
            Ok(_) => acknowledged += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused, Unavailable::NoSpace);
    assert!(acknowledged > 100 && !log.is_ready(), "the segments made before were used up: {acknowledged}");
    disk.0.is_full.store(false, SeqCst);
    eventually("ready again", || log.is_ready()).await;
    log.commit(record(5000)).await.unwrap();
    log.close();
    assert_eq!(stored(dir.path()).len(), acknowledged + 1);
}

#[tokio::test]
async fn a_slow_disk_refuses_in_time_and_the_late_record_is_marked() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let log = hasty(dir.path(), &disk);
    *disk.0.stall.lock().unwrap() = Duration::from_millis(700);
    let asked = std::time::Instant::now();
    assert_eq!(log.commit(record(1)).await, Err(Unavailable::Late(300)));
    assert!(asked.elapsed() < Duration::from_millis(700), "refused after {:?}", asked.elapsed());
    *disk.0.stall.lock().unwrap() = Duration::ZERO;
    eventually("marked", || log.numbers().withheld == 1).await;
    log.commit(record(2)).await.unwrap();
    log.close();
    let found = stored(dir.path());
    let Release::Withheld(mark) = &found[0].2 else { panic!("not marked: {found:?}") };
    assert_eq!((mark.record, mark.reason), (record(1).id.into_bytes(), WithheldReason::Late));
    assert_eq!(found[1].2, Release::Released);
}

#[tokio::test]
async fn a_record_outlives_the_request_that_made_it() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), &FaultyDisk::default());
    drop(log.commit(record(1))); // the client hangs up; not polled once
    eventually("written", || log.numbers().records == 1).await;
    log.close();
    assert_eq!(log.numbers().withheld, 1, "once, whoever noticed");
    let found = stored(dir.path());
    assert_eq!(found.len(), 1);
    let Release::Withheld(mark) = &found[0].2 else { panic!("not marked: {found:?}") };
    assert_eq!(mark.reason, WithheldReason::Abandoned);
}

#[tokio::test]
async fn an_acknowledgement_that_nobody_looked_at_released_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), &FaultyDisk::default());
    let unread = log.commit(record(1));
    log.commit(record(2)).await.unwrap(); // the first one's acknowledgement was sent before
    drop(unread);
    eventually("marked", || log.numbers().withheld == 1).await;
    log.close();
    let found = stored(dir.path());
    let Release::Withheld(mark) = &found[0].2 else { panic!("not marked: {found:?}") };
    assert_eq!((mark.record, mark.reason), (record(1).id.into_bytes(), WithheldReason::Abandoned));
    assert_eq!(found[1].2, Release::Released);
}

#[tokio::test]
async fn a_segment_that_is_taken_away_is_noticed() {
    type Mischief = fn(&std::path::Path);
    let deeds: [(&str, Mischief); 4] = [
        ("removed", |path| std::fs::remove_file(path).unwrap()),
        ("renamed", |path| std::fs::rename(path, path.with_extension("away")).unwrap()),
        ("cut", |path| std::fs::File::options().write(true).open(path).unwrap().set_len(100).unwrap()),
        ("replaced", |path| {
            std::fs::copy(path, path.with_extension("copy")).unwrap();
            std::fs::rename(path.with_extension("copy"), path).unwrap();
        }),
    ];
    for (what, deed) in deeds {
        let dir = tempfile::tempdir().unwrap();
        let log = open(dir.path(), &FaultyDisk::default());
        log.commit(record(1)).await.unwrap();
        deed(&log.folder().segment(1));
        let answer = log.commit(record(2)).await;
        assert!(matches!(answer, Err(Unavailable::Poisoned(_))), "{what}: {answer:?}");
        // An idle log notices by itself, so that the balancer moves on.
        let dir = tempfile::tempdir().unwrap();
        let log = open(dir.path(), &FaultyDisk::default());
        deed(&log.folder().segment(1));
        eventually(what, || !log.is_ready()).await;
    }
}

#[tokio::test]
async fn the_queue_is_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let log = AuditLog::open(Options {
        disk: Arc::new(disk.clone()),
        deadline: Duration::from_secs(30),
        ..options(dir.path())
    });
    let log = log.unwrap().0;
    *disk.0.stall.lock().unwrap() = Duration::from_millis(500);
    let waiting: Vec<_> = (0..5000).map(|number| log.commit(record(number))).collect();
    let queued = log.numbers().queued;
    assert!(queued <= 1 << 20, "{queued} bytes wait");
    *disk.0.stall.lock().unwrap() = Duration::ZERO;
    let answers = futures::future::join_all(waiting).await;
    let refused = answers.iter().filter(|answer| **answer == Err(Unavailable::QueueFull)).count();
    let made = answers.iter().filter(|answer| answer.is_ok()).count();
    assert!(refused > 0 && made > 0 && refused + made == 5000, "{made} made, {refused} refused");
    assert_eq!(log.numbers().queued, 0);
    log.close();
    assert_eq!(stored(dir.path()).len(), made);
}

#[test]
fn two_processes_never_share_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = AuditLog::open(options(dir.path())).unwrap();
    assert!(matches!(AuditLog::open(options(dir.path())), Err(OpenError::InUse(_))));
    // Another node of the same log has a folder of its own.
    AuditLog::open(Options { node: COMMAND_LINE.to_owned(), ..options(dir.path()) }).unwrap();
    drop(log);
    AuditLog::open(options(dir.path())).unwrap();
}

#[test]
fn a_log_that_cannot_be_written_does_not_open() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    disk.0.fail_one_sync.store(true, SeqCst);
    assert!(AuditLog::open(Options { disk: Arc::new(disk), ..options(dir.path()) }).is_err());
    let disk = FaultyDisk::default();
    disk.0.is_full.store(true, SeqCst);
    assert!(AuditLog::open(Options { disk: Arc::new(disk), ..options(dir.path()) }).is_err());
    assert!(AuditLog::open(Options { is_on: false, ..options(dir.path()) }).is_err());
}

#[tokio::test]
async fn marks_find_their_place_when_segments_are_full() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    // No record is durable before nobody waits for it any more.
    *disk.0.stall.lock().unwrap() = Duration::from_millis(2);
    let options = Options { segment_bytes: 4096, disk: Arc::new(disk), ..options(dir.path()) };
    let log = AuditLog::open(options).unwrap().0;
    for number in 0..400 {
        drop(log.commit(record(number)));
        if number % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    eventually("all written", || log.numbers().records == 400).await;
    log.close();
    let found = stored(dir.path());
    assert_eq!(found.len(), 400);
    let marked = found.iter().filter(|(_, _, release)| matches!(release, Release::Withheld(_))).count();
    // A machine that is busy elsewhere for those two milliseconds may have let one be acknowledged.
    assert!(marked >= 395 && marked as u64 == log.numbers().withheld, "{marked} of 400 marked");
}
