//! At start: finds where the log ended, cuts a batch that was never finished, and says plainly what it met.
//! Damage is reported and left as it is; only what was never acknowledged is cut.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::chain::Chain;
use super::disk::sync_folder_of;
use super::frame::{self, Frame, FrameKind};
use super::loss::Loss;
use super::marks::{End, EndReason};
use super::scan::{Gap, Piece, Scan};
use super::segment::{END_ROOM, Folder};

/// How far the log is known to have reached, from those who keep it apart: the index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// A segment that there was.
    pub segment: u64,
    /// A frame that there was.
    pub last_seq: u64,
}

/// What the start met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Segments that had not been ended.
    pub recovered_segments: Vec<u64>,
    /// Records in them.
    pub records: u64,
    /// Records that were durable, but whether their answers left is not known: the last batch before a crash.
    pub unconfirmed: u64,
    /// Batches that were never finished, cut off: segment and bytes.
    pub torn: Vec<(u64, u64)>,
    /// Segments whose file was cut short after it was written.
    pub cut: Vec<u64>,
    /// Places that were durable and have been altered since: segment and place.
    pub damaged: Vec<(u64, Gap)>,
    /// What is missing between the segments.
    pub losses: Vec<Loss>,
    /// Frames that the log is known to have had, and has no more at its end; those that nobody else knew do not count.
    pub lost: u64,
    /// Number of the next segment.
    pub next_segment: u64,
    /// Number of the next frame.
    pub next_seq: u64,
}

/// Goes through the newest segments up to one that was ended in order. A log that is shorter than it was goes on above
/// what it is known to have had: no number is used twice, and the jump tells every reader how much is missing.
pub fn recover(folder: &Folder, known: Reach, now_us: i64) -> io::Result<Recovery> {
    let numbers = folder.numbers()?;
    let last_segment = numbers.last().copied().unwrap_or(0).max(known.segment);
    let (lost, next_seq) = (known.last_seq, known.last_seq + 1);
    let mut recovery = Recovery { next_segment: last_segment + 1, lost, next_seq, ..Recovery::default() };
    let mut is_newest = true;
    for number in numbers.into_iter().rev() {
        let path = folder.segment(number);
        match Walked::read(&path)? {
            // Made ahead and never used; or the very first batch, which holds the header, was not finished.
            None => remove_unused(&path, number, &mut recovery)?,
            Some(mut walked) => {
                recovery.next_seq = recovery.next_seq.max(walked.next_seq);
                if is_newest {
                    recovery.lost = recovery.next_seq - walked.next_seq;
                    walked.next_seq = recovery.next_seq;
                }
                is_newest = false;
                if walked.is_ended {
                    break;
                }
                walked.end(&path, number, now_us, &mut recovery)?;
            }
        }
    }
    recovery.losses = Chain::read(folder).losses(folder, (i64::MIN, i64::MAX));
    Ok(recovery)
}

impl Recovery {
    /// Says what was met, to whoever reads the program's own log.
    pub fn report(&self, node: &str) {
        for segment in &self.recovered_segments {
            let (records, unconfirmed) = (self.records, self.unconfirmed);
            tracing::warn!(
                node,
                segment,
                records,
                unconfirmed,
                "ended an audit segment that a stopped process left open"
            );
        }
        for (segment, bytes) in &self.torn {
            tracing::warn!(node, segment, bytes, "cut an audit batch that was never finished or acknowledged");
        }
        for segment in &self.cut {
            tracing::error!(
                node,
                segment,
                "an audit segment was cut short after it was written: records at its end are gone"
            );
        }
        for (segment, gap) in &self.damaged {
            let (offset, bytes, missing) = (gap.offset, gap.bytes, gap.missing);
            tracing::error!(
                node,
                segment,
                offset,
                bytes,
                missing,
                "audit records were altered after they were durable"
            );
        }
        for loss in &self.losses {
            tracing::error!(%loss, "the audit log is not whole; find what is missing in a copy of the folder");
        }
        if self.lost > 0 {
            let (lost, segment, frame) = (self.lost, self.next_segment, self.next_seq);
            tracing::error!(
                node,
                lost,
                segment,
                frame,
                "the audit log is shorter than its index: so many frames at its end are gone, and those not indexed yet. \
                 It goes on above them; find the lost segments in a copy of the folder"
            );
        }
    }
}

/// A segment after a walk over all of it.
struct Walked {
    /// Number of the frame that comes next; 0 when there is none before it.
    next_seq: u64,
    last_batch: u64,
    end: u64,
    is_ended: bool,
    records: u64,
    in_last_batch: u64,
    unconfirmed_from: Option<u64>,
    gaps: Vec<Gap>,
    torn: Vec<u8>,
    is_cut: bool,
}

impl Walked {
    /// `None` when not one whole frame is there.
    fn read(path: &Path) -> io::Result<Option<Walked>> {
        let bytes = fs::read(path)?;
        let mut walked = Walked {
            next_seq: 0,
            last_batch: 0,
            end: 0,
            is_ended: false,
            records: 0,
            in_last_batch: 0,
            unconfirmed_from: None,
            gaps: Vec::new(),
            torn: Vec::new(),
            is_cut: false,
        };
        for piece in Scan::segment(&bytes) {
            match piece {
                Piece::Frame(frame) => walked.pass(&frame),
                Piece::Gap(gap) => walked.gaps.push(gap),
            }
        }
        if let Some(tail) = walked.gaps.pop_if(|gap| gap.offset >= walked.end) {
            walked.torn = bytes[tail.offset as usize..(tail.offset + tail.bytes) as usize].to_vec();
        }
        // While a segment is in use there is room behind its last frame for the one that ends it.
        let room = bytes.iter().rev().take_while(|byte| **byte == 0).count() as u64;
        walked.is_cut = !walked.is_ended && room < END_ROOM;
        for gap in &mut walked.gaps {
            // Batches are synced one after the other: before the start of the last one, all was durable.
            gap.was_durable |= gap.offset < walked.last_batch;
        }
        Ok((walked.next_seq > 0).then_some(walked))
    }

    fn pass(&mut self, frame: &Frame<'_>) {
        if frame.batch != self.last_batch {
            (self.last_batch, self.in_last_batch, self.unconfirmed_from) = (frame.batch, 0, None);
        }
        if frame.kind == FrameKind::Record {
            self.records += 1;
            self.in_last_batch += 1;
            self.unconfirmed_from.get_or_insert(frame.seq);
        }
        self.is_ended = frame.kind == FrameKind::End;
        (self.next_seq, self.end) = (frame.seq + 1, frame.end());
    }

    /// Cuts behind the last whole frame and writes the segment's last frame. What is cut is kept beside it.
    fn end(self, path: &Path, number: u64, now_us: i64, recovery: &mut Recovery) -> io::Result<()> {
        if !self.torn.is_empty() {
            keep_torn(path, &self.torn)?;
        }
        let torn_bytes = self.torn.len() as u64;
        match self.is_cut {
            true => recovery.cut.push(number),
            false if torn_bytes > 0 => recovery.torn.push((number, torn_bytes)),
            false => {}
        }
        let (damaged, holes): (Vec<Gap>, Vec<Gap>) = self.gaps.iter().partition(|gap| gap.was_durable);
        recovery.torn.extend(holes.iter().map(|gap| (number, gap.bytes)));
        recovery.damaged.extend(damaged.iter().map(|gap| (number, *gap)));
        let end = End {
            reason: EndReason::Recovered,
            at_us: now_us,
            unconfirmed_from: self.unconfirmed_from,
            torn_bytes: torn_bytes + holes.iter().map(|gap| gap.bytes).sum::<u64>(),
            damaged_bytes: damaged.iter().map(|gap| gap.bytes).sum(),
        };
        let mut batch = Vec::new();
        frame::push(&mut batch, FrameKind::End, self.next_seq, &minicbor::to_vec(end).map_err(io::Error::other)?);
        let file = OpenOptions::new().write(true).open(path)?;
        // In this order: a stop in between must not leave a segment that looks as if somebody had cut it.
        file.write_all_at(&batch, self.end)?;
        file.set_len(self.end + batch.len() as u64)?;
        file.sync_all()?;
        recovery.next_seq = recovery.next_seq.max(self.next_seq + 1);
        recovery.recovered_segments.push(number);
        recovery.records += self.records;
        recovery.unconfirmed += self.in_last_batch;
        Ok(())
    }
}

fn keep_torn(path: &Path, torn: &[u8]) -> io::Result<()> {
    let kept = path.with_extension("torn");
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&kept)?;
    file.write_all_at(torn, 0)?;
    file.sync_all()?;
    sync_folder_of(&kept)
}

/// Removes a file without any whole frame, keeping what may stand in it.
fn remove_unused(path: &Path, number: u64, recovery: &mut Recovery) -> io::Result<()> {
    let bytes = fs::read(path)?;
    if let Some(last) = bytes.iter().rposition(|byte| *byte != 0) {
        keep_torn(path, &bytes[..=last])?;
        recovery.torn.push((number, last as u64 + 1));
    }
    fs::remove_file(path)?;
    sync_folder_of(path)
}
