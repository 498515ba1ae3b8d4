//! The log as the rest of the program sees it: open, commit, digest, close.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use rustix::fs::FlockOperation;
use tokio::sync::oneshot;

use super::coming::{Acknowledgement, Awaited, Coming};
use super::committer::{Committer, Job, Message};
use super::disk::{Disk, RealDisk};
use super::encode;
use super::keeper::Keeper;
use super::lost_key;
use super::queue::{Batch, Queue};
use super::record::Record;
use super::recover::{Reach, Recovery, recover};
use super::seal::Keyring;
use super::segment::{Folder, Prepared};
use super::state::{Durable, Numbers, Receipt, Shared, Unavailable};
use crate::config::{self, Clock, Entropy};

/// Folder of the keys within the log's folder.
pub const KEYS: &str = "keys";
/// Node of the server.
pub const SERVER: &str = "server";
/// Node of the command line, whose readings of the log are recorded while the server holds its own node.
pub const COMMAND_LINE: &str = "command";

/// Records that may wait for the disk, in bytes.
const QUEUE_BYTES: usize = 64 << 20;
/// Largest first segment: it is written whole before anything is served, since the first write to a block that is only
/// allocated makes its sync several times as dear. Further ones are written ahead.
const FIRST_SEGMENT: u64 = 2 << 20;
/// Smallest segment: a header, a record and an end must fit.
const SMALLEST_SEGMENT: u64 = 4096;

/// What a log is opened with.
#[derive(Clone)]
pub struct Options {
    /// The log's folder.
    pub dir: PathBuf,
    /// Who writes: [`SERVER`] or [`COMMAND_LINE`]. Each node has its own folder, numbers and lock.
    pub node: String,
    /// Size of a segment.
    pub segment_bytes: u64,
    /// After this long a record counts as not made.
    pub deadline: Duration,
    /// Records that may wait for the disk, in bytes.
    pub queue_bytes: usize,
    /// Hash of the declarations that records refer to.
    pub schema_hash: [u8; 32],
    /// Tells the time.
    pub clock: Clock,
    /// Makes keys and nonces.
    pub entropy: Entropy,
    /// Where segments are written.
    pub disk: Arc<dyn Disk>,
    /// False only to measure what the log costs: then nothing is written and every receipt is void.
    pub is_on: bool,
    /// How far the log is known to have reached. What is shorter goes on above it.
    pub known: Reach,
}

impl Options {
    /// The settings, on the real disk.
    pub fn new(settings: &config::Audit, node: &str, schema_hash: [u8; 32], clock: Clock, entropy: Entropy) -> Options {
        Options {
            dir: settings.dir.clone(),
            node: node.to_owned(),
            segment_bytes: settings.segment_bytes,
            deadline: Duration::from_millis(settings.deadline_ms),
            queue_bytes: QUEUE_BYTES,
            schema_hash,
            clock,
            entropy,
            disk: Arc::new(RealDisk),
            is_on: settings.enabled,
            known: Reach::default(),
        }
    }
}

/// Why the log could not be opened; the server must not serve then.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Something on the disk.
    #[error("the audit log in {folder} cannot be {what}: {source}")]
    Disk {
        /// The folder.
        folder: PathBuf,
        /// What was tried.
        what: &'static str,
        /// What the file system said.
        source: io::Error,
    },
    /// The node's folder is in use.
    #[error("another process writes the audit log in {0}; two writers would mix their records")]
    InUse(PathBuf),
    /// Somebody tries to serve without a log.
    #[error("audit.enabled is false: that is for measuring only, and refused unless CITYQUERY_BENCH=1")]
    Off,
}

/// The open log. Dropping it ends the segment in order.
pub struct AuditLog {
    shared: Arc<Shared>,
    keys: Arc<Keyring>,
    folder: Folder,
    queue: Arc<Queue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    closed: Mutex<Option<Sender<()>>>,
    is_on: bool,
    lock: Mutex<Option<std::fs::File>>,
}

impl AuditLog {
    /// Recovers what an earlier run left, opens a segment, and makes its header durable. Blocks; a log that
    /// cannot be written is an error here, not at the first request.
    pub fn open(options: Options) -> Result<(AuditLog, Recovery), OpenError> {
        let Options {
            dir,
            node,
            segment_bytes,
            deadline,
            queue_bytes,
            schema_hash,
            clock,
            entropy,
            disk,
            is_on,
            known,
        } = options;
        if !is_on && std::env::var_os("CITYQUERY_BENCH").is_none_or(|value| value != "1") {
            return Err(OpenError::Off);
        }
        let segment_bytes = segment_bytes.max(SMALLEST_SEGMENT);
        let folder = Folder::new(&dir, &node);
        let trouble = |what| {
            let folder = folder.path().to_owned();
            move |source| OpenError::Disk { folder, what, source }
        };
        make_folder(&folder).map_err(trouble("made"))?;
        let lock = lock(&folder).map_err(trouble("locked"))?.ok_or(OpenError::InUse(folder.path().to_owned()))?;
        let log_id = uuid::Builder::from_random_bytes(entropy.bytes()).into_uuid();
        folder.number(log_id).map_err(trouble("numbered"))?;
        let keys = Arc::new(open_keys(&dir, entropy).map_err(trouble("opened with its keys"))?);
        let shared = Shared::new(&node, schema_hash, deadline, queue_bytes, clock);
        lost_key::prepare(&keys, &dir, shared.now_us()).map_err(trouble("given this month's key"))?;
        let recovery = recover(&folder, known, shared.now_us()).map_err(trouble("recovered"))?;
        recovery.report(&node);

        let number = recovery.next_segment;
        let bytes = segment_bytes.min(FIRST_SEGMENT);
        let file = disk.create(&folder.segment(number), bytes, &|| false).map_err(trouble("extended"))?;
        let first = Prepared { number, file, bytes };
        let queue = Arc::<Queue>::default();
        let (outbox, prepared) = bounded(0);
        let committer = Committer::start(shared.clone(), queue.clone(), prepared, first, recovery.next_seq)
            .map_err(trouble("written"))?;
        let (closed, is_closed) = bounded(0);
        let keeper = Keeper {
            shared: shared.clone(),
            folder: folder.clone(),
            disk,
            keys: keys.clone(),
            segment_bytes,
            next_segment: number + 1,
            outbox,
            told: Vec::new(),
            closed: is_closed,
        };
        let threads = vec![
            spawn("audit-committer", move || committer.run()).map_err(trouble("given a thread"))?,
            spawn("audit-keeper", move || keeper.run()).map_err(trouble("given a thread"))?,
        ];
        let (threads, closed, lock) = (Mutex::new(threads), Mutex::new(Some(closed)), Mutex::new(Some(lock)));
        Ok((AuditLog { shared, keys, folder, queue, threads, closed, is_on, lock }, recovery))
    }

    /// Says that an answer is being worked on whose record will come soon: others may wait for it.
    pub fn expect(&self) -> Coming<'_> {
        Coming::new(self, self.is_on.then(|| self.queue.expect()))
    }

    /// Hands the record over at once, and waits for it to be durable when awaited. A record that was handed
    /// over is written even when the future is dropped; it is marked then as one whose answer did not leave.
    pub fn commit(&self, record: Record) -> impl Future<Output = Result<Receipt, Unavailable>> + Send + use<> {
        self.commit_begun(&record, &mut None)
    }

    /// The same for an answer that was begun in that batch, which is taken once the record is handed over.
    pub(super) fn commit_begun(
        &self,
        record: &Record,
        begun: &mut Option<Batch>,
    ) -> impl Future<Output = Result<Receipt, Unavailable>> + Send + use<> {
        let submitted = Instant::now();
        let handed_over = self.submit(record, begun);
        let awaited = handed_over.map(|(done, batch)| Awaited::new(done, submitted, batch, self.queue.clone()));
        let deadline = self.shared.deadline;
        async move { awaited?.receipt(deadline).await }
    }

    /// The record of an answer that was begun in that batch will not come.
    pub(super) fn gone(&self, begun: Batch) {
        self.queue.gone(begun);
    }

    /// For threads of their own and commands: waits as long as it takes. Not for the async runtime.
    pub fn commit_blocking(&self, record: Record) -> Result<Receipt, Unavailable> {
        let (done, batch) = self.submit(&record, &mut None)?;
        self.queue.press(batch);
        done.blocking_recv().unwrap_or(Err(Unavailable::Closed))
    }

    fn submit(&self, record: &Record, begun: &mut Option<Batch>) -> Result<(Acknowledgement, Batch), Unavailable> {
        let (done, receiver) = oneshot::channel();
        if !self.is_on {
            let receipt = Receipt { id: record.id, node: self.shared.node.clone(), seq: 0, segment: 0 };
            let _ = done.send(Ok(receipt)); // the receiver stands right above
            return Ok((receiver, 0));
        }
        self.shared.check()?;
        let payload = encode::record(record, &self.keys, &self.shared.schema_hash)
            .map_err(|error| Unavailable::Unwritable(error.to_string().into()))?;
        let blobs = match &record.asked {
            Some(asked) => [Some(asked.document.clone()), Some(asked.shape.clone())],
            None => [None, None],
        };
        let job = Job { id: record.id, payload, blobs, submitted: Instant::now(), done };
        let cost = job.cost();
        self.shared.enter_queue(cost)?;
        match self.queue.push(Message::Commit(job), begun.take()) {
            Ok(batch) => Ok((receiver, batch)),
            Err(_) => {
                self.shared.leave_queue(cost);
                Err(Unavailable::Closed)
            }
        }
    }

    /// Keyed digest of an answer's body, for [`Outcome::digest`](super::Outcome::digest).
    pub fn digest(&self, body: &[u8]) -> [u8; 16] {
        self.keys.digest(body)
    }

    /// Fails with the reason when no record can be made at present.
    pub fn check(&self) -> Result<(), Unavailable> {
        self.shared.check()
    }

    /// What the committer says when no segment came in time.
    #[cfg(test)]
    pub(super) fn out_of_room(&self) {
        self.shared.fail(Unavailable::NoSpace);
    }

    /// Records can be made.
    pub fn is_ready(&self) -> bool {
        self.check().is_ok()
    }

    /// Numbers for `/metrics`.
    pub fn numbers(&self) -> Numbers {
        self.shared.numbers()
    }

    /// How far the log is durable; a cheap look that shares nothing else with the writers.
    pub fn durable(&self) -> impl Fn() -> Durable + Send + 'static + use<> {
        let shared = self.shared.clone();
        move || shared.durable()
    }

    /// Counts the records made so far; as cheap and as separate as [`AuditLog::durable`].
    pub fn record_count(&self) -> impl Fn() -> u64 + Send + 'static + use<> {
        let shared = self.shared.clone();
        move || shared.numbers().records
    }

    /// The log's keys.
    pub fn keys(&self) -> Arc<Keyring> {
        self.keys.clone()
    }

    /// The node's folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Writes what is queued, ends the segment and refuses everything after. Blocks until that is done.
    pub fn close(&self) {
        let _ = self.queue.push(Message::Close, None); // closed already: nobody listens
        drop(self.closed.lock().unwrap_or_else(PoisonError::into_inner).take());
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the audit log had panicked");
            }
        }
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Drop for AuditLog {
    fn drop(&mut self) {
        self.close();
    }
}

/// The lasting keys are made for a log without segments only.
fn open_keys(dir: &Path, entropy: Entropy) -> io::Result<Keyring> {
    let keys = dir.join(KEYS);
    if Folder::all(dir)?.iter().any(Folder::has_segments) {
        Keyring::open(&keys, entropy)
    } else {
        Keyring::make(&keys, entropy)
    }
}

fn make_folder(folder: &Folder) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder.path())
}

/// Whether a process writes a node's log at this moment.
pub fn is_in_use(dir: &Path, node: &str) -> bool {
    let folder = Folder::new(dir, node);
    folder.path().join("lock").exists() && matches!(lock(&folder), Ok(None))
}

/// `None` when another process holds it. The lock goes with the file, so a killed process leaves none behind.
fn lock(folder: &Folder) -> io::Result<Option<std::fs::File>> {
    use std::os::unix::fs::OpenOptionsExt;
    let path = folder.path().join("lock");
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}
