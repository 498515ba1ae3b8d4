//! What the log's threads and its callers share: whether it can be trusted, how much is queued, how far the
//! disk has got, and the numbers for `/metrics`.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use uuid::Uuid;

use crate::config::Clock;

/// Proof that a record is durable; only with it may an answer leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Id of the record, for `extensions.audit`.
    pub id: Uuid,
    /// The node that wrote it.
    pub node: Arc<str>,
    /// Number of its frame in the node's log.
    pub seq: u64,
    /// The segment it stands in.
    pub segment: u64,
}

/// Why a record is not durable: the answer must be refused with AUDIT_UNAVAILABLE.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// Not durable within the deadline. It may become so later, and is marked then.
    #[error("the audit record was not durable within {0} ms")]
    Late(u64),
    /// A write or sync failed, or the segment was taken away. Only a restart, after the disk was seen to, helps.
    #[error("the audit log is out of use: {0}")]
    Poisoned(Arc<str>),
    /// No room for a further segment. Passes by itself once there is.
    #[error("the audit log's disk is full")]
    NoSpace,
    /// Too much is waiting already.
    #[error("too many audit records wait for the disk")]
    QueueFull,
    /// The log was closed.
    #[error("the audit log is closed")]
    Closed,
    /// The record could not be encoded.
    #[error("the audit record cannot be written: {0}")]
    Unwritable(Arc<str>),
}

/// Numbers for `/metrics` and `doctor`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Records made durable.
    pub records: u64,
    /// Batches, each one write and one sync.
    pub batches: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Records whose answer was withheld, and that were marked so.
    pub withheld: u64,
    /// Bytes that wait for the committer.
    pub queued: u64,
}

/// How far the log is durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Durable {
    /// Segment in use.
    pub segment: u64,
    /// End of its last durable batch.
    pub offset: u64,
}

pub(super) struct Shared {
    pub node: Arc<str>,
    pub schema_hash: [u8; 32],
    pub deadline: Duration,
    pub clock: Clock,
    queue_bytes: usize,
    queued: AtomicUsize,
    trouble: ArcSwapOption<Unavailable>,
    durable: Mutex<Durable>,
    records: AtomicU64,
    batches: AtomicU64,
    bytes: AtomicU64,
    withheld: AtomicU64,
    hurried: AtomicBool,
}

impl Shared {
    pub fn new(node: &str, schema_hash: [u8; 32], deadline: Duration, queue_bytes: usize, clock: Clock) -> Arc<Shared> {
        Arc::new(Shared {
            node: node.into(),
            schema_hash,
            deadline,
            clock,
            queue_bytes,
            queued: AtomicUsize::new(0),
            trouble: ArcSwapOption::empty(),
            durable: Mutex::default(),
            records: AtomicU64::new(0),
            batches: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            withheld: AtomicU64::new(0),
            hurried: AtomicBool::new(false),
        })
    }

    /// Says whether the segment in use is nearly full, so that the next one is needed as soon as it can be had.
    pub fn hurry(&self, is_nearly_full: bool) {
        self.hurried.store(is_nearly_full, Ordering::Relaxed);
    }

    /// Whether the next segment is waited for, or will never be: closing the log does not wait for its zeros.
    pub fn is_hurried(&self) -> bool {
        self.hurried.load(Ordering::Relaxed) || self.check() == Err(Unavailable::Closed)
    }

    pub fn now_us(&self) -> i64 {
        i64::try_from(self.clock.now().unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
    }

    /// Fails when records cannot be taken at present.
    pub fn check(&self) -> Result<(), Unavailable> {
        self.trouble.load().as_ref().map_or(Ok(()), |trouble| Err((**trouble).clone()))
    }

    /// Fails when the segment in use must not be written any more.
    pub fn check_poison(&self) -> Result<(), Unavailable> {
        match self.check() {
            Err(poisoned @ Unavailable::Poisoned(_)) => Err(poisoned),
            _ => Ok(()),
        }
    }

    /// From now on every record is refused with this.
    pub fn fail(&self, trouble: Unavailable) -> Unavailable {
        // What is poisoned stays so; nothing lighter hides it.
        if self.check_poison().is_ok() {
            if trouble != Unavailable::Closed {
                tracing::error!(reason = %trouble, "no audit record can be made: answers are refused");
            }
            self.trouble.store(Some(Arc::new(trouble.clone())));
        }
        trouble
    }

    pub fn poison(&self, segment: u64, error: &io::Error) -> Unavailable {
        self.fail(Unavailable::Poisoned(format!("segment {segment}: {error}").into()))
    }

    /// There is room again.
    pub fn relieve(&self) {
        if self.check() == Err(Unavailable::NoSpace) {
            tracing::info!("the audit log has room again");
            self.trouble.store(None);
        }
    }

    /// Takes a place in the queue. A record larger than the whole queue gets in when it is alone.
    pub fn enter_queue(&self, cost: usize) -> Result<(), Unavailable> {
        let before = self.queued.fetch_add(cost, Ordering::Relaxed);
        if before > 0 && before + cost > self.queue_bytes {
            self.leave_queue(cost);
            return Err(Unavailable::QueueFull);
        }
        Ok(())
    }

    pub fn leave_queue(&self, cost: usize) {
        self.queued.fetch_sub(cost, Ordering::Relaxed);
    }

    pub fn note_batch(&self, segment: u64, offset: u64, records: usize, bytes: usize) {
        *self.durable.lock().unwrap_or_else(PoisonError::into_inner) = Durable { segment, offset };
        self.records.fetch_add(records as u64, Ordering::Relaxed);
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub fn note_withheld(&self, records: usize) {
        self.withheld.fetch_add(records as u64, Ordering::Relaxed);
    }

    pub fn durable(&self) -> Durable {
        *self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn numbers(&self) -> Numbers {
        Numbers {
            records: self.records.load(Ordering::Relaxed),
            batches: self.batches.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            withheld: self.withheld.load(Ordering::Relaxed),
            queued: self.queued.load(Ordering::Relaxed) as u64,
        }
    }
}
