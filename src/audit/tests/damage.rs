//! What recovery and readers make of torn and altered files.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::audit::frame::{self, Found, FrameKind, HEADER};
use crate::audit::scan::{Piece, Scan};
use crate::audit::seal::Keyring;

/// A log with one record per batch, whose process was killed: no end frame, the zeros still behind it.
fn killed_log(dir: &Path, records: u128) -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (log, _) = AuditLog::open(options(dir)).unwrap();
    for number in 1..=records {
        runtime.block_on(log.commit(record(number))).unwrap();
    }
    let alive = fs::read(log.folder().segment(1)).unwrap();
    drop(log);
    for number in Folder::new(dir, SERVER).numbers().unwrap() {
        fs::remove_file(Folder::new(dir, SERVER).segment(number)).unwrap();
    }
    fs::write(Folder::new(dir, SERVER).segment(1), &alive).unwrap();
    alive
}

fn ids(dir: &Path) -> Vec<u128> {
    stored(dir).into_iter().map(|(_, record, _)| record.id.as_u128()).collect()
}

/// Start and end of every frame.
fn frames(bytes: &[u8]) -> Vec<(usize, usize)> {
    Scan::segment(bytes)
        .filter_map(|piece| match piece {
            Piece::Frame(frame) => Some((frame.offset as usize, frame.end() as usize)),
            Piece::Gap(_) => None,
        })
        .collect()
}

#[test]
fn every_altered_byte_of_a_frame_is_noticed() {
    let mut bytes = Vec::new();
    frame::push(&mut bytes, FrameKind::Record, 1, b"first payload");
    let second = bytes.len();
    frame::push(&mut bytes, FrameKind::Record, 2, &[0xa5; 300]);
    let third = bytes.len();
    frame::push(&mut bytes, FrameKind::Record, 3, b"third payload");
    for at in second..third {
        for change in 1..=255u8 {
            let mut altered = bytes.clone();
            altered[at] ^= change;
            let found = frame::read(&altered, second, second as u64);
            assert!(matches!(found, Found::Bad), "byte {at} of the frame changed by {change}: {found:?}");
            if change == 0x80 {
                let pieces: Vec<Piece> = Scan::from(&altered, 0, 0).collect();
                let [Piece::Frame(one), Piece::Gap(gap), Piece::Frame(three)] = pieces[..] else {
                    panic!("byte {at}: {pieces:?}")
                };
                assert_eq!((one.seq, gap.missing, three.seq), (1, Some(1), 3));
            }
        }
    }
}

#[test]
fn a_torn_last_batch_is_cut_and_all_before_it_stays() {
    let dir = tempfile::tempdir().unwrap();
    let whole = killed_log(dir.path(), 20);
    let last = *frames(&whole).last().unwrap();
    for cut in (last.0..last.1).step_by(11) {
        let dir = tempfile::tempdir().unwrap();
        let segment = Folder::new(dir.path(), SERVER).segment(1);
        fs::create_dir_all(segment.parent().unwrap()).unwrap();
        Keyring::make(&dir.path().join("keys"), Entropy::seeded(1)).unwrap();
        let mut torn = whole.clone();
        torn[cut..].fill(0);
        fs::write(&segment, &torn).unwrap();
        let (log, recovery) = AuditLog::open(options(dir.path())).unwrap();
        assert_eq!(recovery.recovered_segments, [1]);
        assert_eq!(recovery.damaged, [], "cut at {cut}");
        assert_eq!(recovery.torn.len(), usize::from(cut > last.0), "cut at {cut}: {recovery:?}");
        drop(log);
        assert_eq!(ids(dir.path()), (1..=19).collect::<Vec<_>>());
        let (_, again) = AuditLog::open(options(dir.path())).unwrap();
        assert!(again.recovered_segments.is_empty(), "recovering once is enough");
    }
}

#[test]
fn a_crash_loses_nothing_and_says_what_it_does_not_know() {
    let dir = tempfile::tempdir().unwrap();
    killed_log(dir.path(), 20);
    let (log, recovery) = AuditLog::open(options(dir.path())).unwrap();
    assert_eq!((recovery.records, recovery.unconfirmed, recovery.next_segment), (20, 1, 2));
    drop(log);
    assert_eq!(ids(dir.path()), (1..=20).collect::<Vec<_>>());
    assert_eq!(stored(dir.path())[19].2, Release::Unconfirmed);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever is altered in what was acknowledged: it is reported, and every untouched record stays readable.
    #[test]
    fn damage_is_reported_and_never_cut(at in 0.0..1.0f64, length in 1usize..200, seed: u64) {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = killed_log(dir.path(), 20);
        let spans = frames(&bytes);
        let acknowledged = spans[spans.len() - 1].0;
        let from = (acknowledged as f64 * at) as usize;
        let until = (from + length).min(acknowledged);
        let before = bytes[from..until].to_vec();
        crate::config::Entropy::seeded(seed).fill(&mut bytes[from..until]);
        prop_assume!(bytes[from..until] != before[..]);
        fs::write(Folder::new(dir.path(), SERVER).segment(1), &bytes).unwrap();

        let (log, recovery) = AuditLog::open(options(dir.path())).unwrap();
        drop(log);
        prop_assert_eq!(recovery.damaged.is_empty(), false, "{:?}", recovery);
        prop_assert_eq!(&recovery.torn, &[]);
        let untouched = spans.iter().filter(|(start, end)| *end <= from || *start >= until).count();
        let kept = frames(&fs::read(Folder::new(dir.path(), SERVER).segment(1)).unwrap()).len();
        prop_assert!(kept > untouched, "{kept} frames with the end frame, {untouched} untouched");
    }

    /// Reading never panics and never invents a frame, whatever stands in the file.
    #[test]
    fn garbage_holds_no_frames(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert_eq!(frames(&bytes), vec![]);
        prop_assert!(Contents::of(&bytes).records.is_empty());
    }
}

#[test]
fn a_removed_frame_is_missed() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = killed_log(dir.path(), 5);
    let spans = frames(&bytes);
    let (from, until) = spans[spans.len() - 3];
    let shorter = [&bytes[..from], &bytes[until..]].concat();
    let contents = Contents::of(&shorter);
    assert_eq!(contents.gaps.iter().map(|gap| gap.missing).collect::<Vec<_>>(), [Some(1)]);
    assert_eq!(HEADER, 24, "docs/audit-format.md says so");
}
