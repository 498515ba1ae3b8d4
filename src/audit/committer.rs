//! The thread that makes records durable: takes what has gathered, writes once, syncs once, then acknowledges.
//! No timer: while one batch is being synced, the next one gathers; when it has is left to `queue`. A failed write or sync
//! is never tried again on the same file, because a later success would say nothing about the pages that failed.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::frame::{self, FrameKind, MAGIC};
use super::marks::{BlobMark, End, EndReason, FORMAT, SegmentHeader, Withheld, WithheldReason};
use super::queue::Queue;
use super::segment::{END_ROOM, Prepared, Segment, framed};
use super::shape::Blob;
use super::state::{Receipt, Shared, Unavailable};

/// A batch is closed at this size even when more is waiting.
const BATCH_BYTES: usize = 4 << 20;
/// How often an idle log looks whether its file is still there.
const IDLE_CHECK: Duration = Duration::from_secs(1);

/// What the committer is told.
pub(super) enum Message {
    /// Make a record durable.
    Commit(Job),
    /// Mark a durable record: its acknowledgement was sent, and nobody looked at it.
    Unread { id: Uuid, seq: u64, submitted: Instant },
    /// Finish what is queued, end the segment, stop.
    Close,
}

/// An encoded record on its way.
pub(super) struct Job {
    pub id: Uuid,
    pub payload: Vec<u8>,
    pub blobs: [Option<Arc<Blob>>; 2],
    pub submitted: Instant,
    pub done: oneshot::Sender<Result<Receipt, Unavailable>>,
}

impl Job {
    /// Memory that the job holds while it waits.
    pub fn cost(&self) -> usize {
        size_of::<Job>() + self.payload.len()
    }
}

/// A record in the batch that is being gathered.
struct Waiting {
    id: Uuid,
    seq: u64,
    submitted: Instant,
    done: oneshot::Sender<Result<Receipt, Unavailable>>,
}

pub(super) struct Committer {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    /// What was taken from the queue and is not in the batch yet.
    taken: VecDeque<Message>,
    prepared: Receiver<Prepared>,
    active: Option<Segment>,
    next_seq: u64,
    batch: Vec<u8>,
    waiting: Vec<Waiting>,
    withheld: Vec<Withheld>,
}

impl Committer {
    /// Takes the first segment into use and makes its header durable: a log that cannot be written fails here.
    pub fn start(
        shared: Arc<Shared>,
        queue: Arc<Queue>,
        prepared: Receiver<Prepared>,
        first: Prepared,
        next_seq: u64,
    ) -> io::Result<Committer> {
        let mut committer = Committer {
            shared,
            queue,
            taken: VecDeque::new(),
            prepared,
            active: None,
            next_seq,
            batch: Vec::with_capacity(64 << 10),
            waiting: Vec::new(),
            withheld: Vec::new(),
        };
        committer.begin(first);
        committer.write_batch()?;
        Ok(committer)
    }

    /// Runs until the log is closed.
    pub fn run(mut self) {
        loop {
            // Marks wait for nobody, unless there is no segment that they could go into.
            let has_marks = !self.withheld.is_empty() && self.active.is_some();
            if self.taken.is_empty() {
                self.queue.take(&mut self.taken, if has_marks { Duration::ZERO } else { IDLE_CHECK });
            }
            if self.taken.is_empty() && !has_marks {
                self.check();
            }
            let is_closing = self.gather();
            self.mark_withheld();
            self.flush();
            if is_closing {
                self.mark_all_withheld();
                return self.close();
            }
        }
    }

    /// Puts what was taken into the batch, as far as it goes; true when the log is to be closed.
    fn gather(&mut self) -> bool {
        while self.batch.len() < BATCH_BYTES
            && let Some(message) = self.taken.pop_front()
        {
            match message {
                Message::Commit(job) => self.take(job),
                Message::Unread { id, seq, submitted } => {
                    self.withhold(id, seq, submitted.elapsed(), WithheldReason::Abandoned);
                }
                Message::Close => return true,
            }
        }
        false
    }

    fn take(&mut self, job: Job) {
        self.shared.leave_queue(job.cost());
        if let Err(unavailable) = self.shared.check().and_then(|()| self.make_room(&job)) {
            let _ = job.done.send(Err(unavailable)); // whoever asked may be gone
            return;
        }
        for blob in job.blobs.iter().flatten() {
            if self.active.as_mut().is_some_and(|active| active.is_new(&blob.hash)) {
                let mark = BlobMark { hash: blob.hash, bytes: &blob.bytes };
                self.push(FrameKind::Blob, &cbor(&mark));
            }
        }
        let seq = self.push(FrameKind::Record, &job.payload);
        self.waiting.push(Waiting { id: job.id, seq, submitted: job.submitted, done: job.done });
    }

    /// Sees to it that the job fits into the segment in use, going on to the next one where it does not.
    fn make_room(&mut self, job: &Job) -> Result<(), Unavailable> {
        let blobs: u64 = job.blobs.iter().flatten().map(|blob| framed(blob.bytes.len()) + 64).sum();
        let need = framed(job.payload.len()) + blobs;
        if self.active.as_ref().is_some_and(|active| active.room(self.batch.len()) >= need) {
            return Ok(());
        }
        self.next_segment()?;
        let need = need + self.batch.len() as u64;
        match self.active.as_mut() {
            Some(active) if active.room(0) < need => active.grow(need).map_err(|error| self.poison(&error)),
            _ => Ok(()),
        }
    }

    /// Ends the segment in use and goes on to the one that was made ahead.
    fn next_segment(&mut self) -> Result<(), Unavailable> {
        self.flush();
        self.shared.check()?;
        self.end(EndReason::Full);
        self.shared.check()?;
        self.shared.hurry(true);
        // Most of the time that a record may take; the rest is for writing it.
        let Ok(prepared) = self.prepared.recv_timeout(self.shared.deadline * 5 / 6) else {
            return Err(self.shared.fail(Unavailable::NoSpace));
        };
        self.shared.hurry(false); // at once: the one after it is begun already, and there is time for its zeros
        self.begin(prepared);
        Ok(())
    }

    /// Starts a segment's first batch.
    fn begin(&mut self, prepared: Prepared) {
        let header = SegmentHeader {
            format: FORMAT,
            node: self.shared.node.to_string(),
            segment: prepared.number,
            created_us: self.shared.now_us(),
            schema_hash: self.shared.schema_hash,
            program: env!("CARGO_PKG_VERSION").to_owned(),
        };
        self.active = Some(Segment::begin(prepared));
        self.batch.extend_from_slice(MAGIC);
        self.push(FrameKind::Header, &cbor(&header));
    }

    fn push(&mut self, kind: FrameKind, payload: &[u8]) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        frame::push(&mut self.batch, kind, seq, payload);
        seq
    }

    /// Writes, syncs, and only then acknowledges.
    fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let outcome = match self.shared.check_poison() {
            Ok(()) => self.write_batch().map_err(|error| self.poison(&error)),
            poisoned => poisoned,
        };
        self.batch.clear();
        let segment = self.active.as_ref().map_or(0, |active| active.number);
        let waiting = std::mem::take(&mut self.waiting);
        for Waiting { id, seq, submitted, done } in waiting {
            let receipt = Receipt { id, node: self.shared.node.clone(), seq, segment };
            let answer = outcome.clone().map(|()| receipt);
            // A sent acknowledgement is a promise kept; one that nobody waits for any more must be marked.
            if done.send(answer).is_err() && outcome.is_ok() {
                let waited = submitted.elapsed();
                let is_late = waited >= self.shared.deadline;
                let reason = if is_late { WithheldReason::Late } else { WithheldReason::Abandoned };
                self.withhold(id, seq, waited, reason);
            }
        }
    }

    fn write_batch(&mut self) -> io::Result<()> {
        let Some(active) = self.active.as_mut() else {
            return Err(io::Error::other("no segment is open"));
        };
        active.append(&self.batch)?;
        self.shared.hurry(active.is_nearly_full());
        self.shared.note_batch(active.number, active.offset, self.waiting.len(), self.batch.len());
        self.batch.clear();
        Ok(())
    }

    fn withhold(&mut self, record: Uuid, seq: u64, waited: Duration, reason: WithheldReason) {
        let after_us = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
        self.withheld.push(Withheld { record: record.into_bytes(), seq, reason, after_us });
    }

    /// Makes every mark durable, over as many segments as that takes; what finds no segment stays unmarked.
    fn mark_all_withheld(&mut self) {
        let mut left = usize::MAX;
        while !self.withheld.is_empty() && self.withheld.len() < left {
            left = self.withheld.len();
            self.mark_withheld();
            self.flush();
        }
    }

    /// Puts those marks into the batch that its segment has room for.
    fn mark_withheld(&mut self) {
        const MARK_ROOM: u64 = 96;
        if self.withheld.is_empty() {
            return;
        }
        if self.shared.check_poison().is_err() {
            self.withheld.clear(); // the log is lost to this process; the next start calls them unconfirmed
            return;
        }
        let room = |active: &Option<Segment>, batch: &[u8]| match active {
            Some(active) => (active.room(batch.len()) / MARK_ROOM) as usize,
            None => 0,
        };
        if room(&self.active, &self.batch) == 0 && (self.active.is_none() || self.next_segment().is_err()) {
            return; // they stay until there is a segment again
        }
        let fits = room(&self.active, &self.batch).min(self.withheld.len());
        let withheld: Vec<Withheld> = self.withheld.drain(..fits).collect();
        for mark in &withheld {
            self.push(FrameKind::Withheld, &cbor(mark));
        }
        self.shared.note_withheld(withheld.len());
    }

    /// Ends the segment in use.
    fn end(&mut self, reason: EndReason) {
        let Some(mut active) = self.active.take() else { return };
        let end = End { reason, at_us: self.shared.now_us(), unconfirmed_from: None, torn_bytes: 0, damaged_bytes: 0 };
        let mut batch = Vec::with_capacity(END_ROOM as usize);
        frame::push(&mut batch, FrameKind::End, self.next_seq, &cbor(&end));
        self.next_seq += 1;
        match active.append(&batch).and_then(|()| active.cut()) {
            Ok(()) => self.shared.note_batch(active.number, active.offset, 0, batch.len()),
            Err(error) => {
                self.poison(&error);
            }
        }
    }

    /// What an idle log sees to: that its file is still there, and that a segment which came when nobody waited for it any
    /// more ends the want of room; no record would ask for it, since all are refused until then.
    fn check(&mut self) {
        match self.active.as_ref().map(Segment::check) {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                self.poison(&error);
            }
            None if self.shared.check() == Err(Unavailable::NoSpace) => {
                if let Ok(prepared) = self.prepared.try_recv() {
                    self.begin(prepared);
                    self.shared.relieve();
                }
            }
            None => {}
        }
    }

    fn poison(&mut self, error: &io::Error) -> Unavailable {
        let segment = self.active.as_ref().map_or(0, |active| active.number);
        self.active = None;
        self.shared.poison(segment, error)
    }

    fn close(mut self) {
        if self.shared.check_poison().is_ok() {
            self.end(EndReason::Closed);
        }
        self.shared.fail(Unavailable::Closed);
        for message in self.taken.drain(..).chain(self.queue.shut()) {
            if let Message::Commit(job) = message {
                let _ = job.done.send(Err(Unavailable::Closed)); // whoever asked may be gone
            }
        }
    }
}

impl Drop for Committer {
    /// However the thread ends, even by a panic: without it no record can be made, and the log must say so.
    fn drop(&mut self) {
        self.shared.fail(Unavailable::Closed);
        self.queue.shut(); // whoever waits is told by the loss of what was to tell them
    }
}

/// Encodes one of the small frames.
fn cbor<T: minicbor::Encode<()>>(mark: &T) -> Vec<u8> {
    // Plain structs into memory: there is no way to fail. An empty payload would be refused by every reader.
    minicbor::to_vec(mark).unwrap_or_default()
}
