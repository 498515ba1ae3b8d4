//! The index: a thread of its own follows the segments into tables of the control database, gently and never
//! ahead of what is durable. It may lag behind and may be rebuilt; the segments are the truth, and searches
//! read on in them where the index ends.

mod batch;
mod follow;
pub mod search;
mod tables;

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sea_orm::DatabaseConnection;
use tokio::sync::oneshot;

use super::log::AuditLog;
use super::recover::Reach;
use super::seal::Keyring;
use super::segment::Folder;
use super::state::Durable;
use crate::config;
use crate::store::control;
use follow::Follower;
use tables::Tables;

/// Nice value of the thread: requests go first.
const NICE: i32 = 19;
/// How often to look for new records when there were none.
const IDLE: Duration = Duration::from_millis(250);
/// How long to wait after a failure of the database.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How long the program's end waits for the thread, which a disk or a database may hold up.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rest after each batch, as a multiple of the time that it took: once for each so many records a second that
/// the log takes. While the log is busy, processors and database are needed elsewhere, and the index can wait.
const RECORDS_PER_REST: f64 = 50.0;
/// The longest rest: the index then takes a thirtieth of one processor at most, the database's share included.
const LONGEST_REST: f64 = 30.0;

/// Why the index cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The control database cannot be reached.
    #[error(transparent)]
    Control(#[from] control::ControlError),
    /// A statement failed.
    #[error("the audit index: {0}")]
    Database(#[from] sea_orm::DbErr),
    /// Two logs have one name.
    #[error(
        "the index holds another log under the name \"{0}\". Servers that share a control database need a name each \
         (audit.node); a server whose log was lost takes a new one, too"
    )]
    NameTaken(String),
    /// A segment cannot be read.
    #[error("the audit segments: {0}")]
    Segments(#[from] std::io::Error),
}

/// The running indexer. Dropping it stops it where it is: a batch that is half written is taken back by the database.
pub struct Indexer {
    stop: Option<oneshot::Sender<()>>,
    /// Disconnected when the thread has ended.
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Indexer {
    /// Starts following the log into the control database, whose tables must have been migrated.
    pub fn start(log: &AuditLog, dir: PathBuf, control: config::Control) -> std::io::Result<Indexer> {
        let (stop, stopped) = oneshot::channel();
        let (ending, ended) = channel::<()>();
        let source = Source { dir, node: log.folder().node().to_owned(), keys: log.keys() };
        let (durable, records) = (log.durable(), log.record_count());
        let thread = std::thread::Builder::new().name("audit-index".to_owned()).spawn(move || {
            // First of all: threads that the database driver starts inherit it.
            super::keeper::lower_priority(NICE);
            let _ending = ending;
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return tracing::error!(%error, "the audit index has no runtime"),
            };
            let mut pace = Pace { records: Box::new(records), last: (Instant::now(), 0), rate: 0.0 };
            let following = async {
                loop {
                    let Err(error) = run(&source, &control, &durable, &mut pace).await;
                    tracing::warn!(%error, "the audit index waits; searches read the segments");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            };
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = following => {}
                }
            });
        })?;
        Ok(Indexer { stop: Some(stop), ended, thread: Some(thread) })
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            return tracing::warn!("the audit index's thread does not end and is left behind");
        }
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the audit index's thread had panicked");
        }
    }
}

/// Where records come from.
pub(super) struct Source {
    dir: PathBuf,
    /// The node whose durable end is known; others are read as far as whole frames go.
    node: String,
    keys: Arc<Keyring>,
}

/// Takes the name of a node for its log; refused where another log has it.
pub async fn claim(db: &DatabaseConnection, folder: &Folder) -> Result<(), IndexError> {
    tables::claim(db, folder.node(), folder.log_id().as_deref()).await.map(drop)
}

/// How far the index knows a node's log to have reached.
pub async fn reach(db: &DatabaseConnection, node: &str) -> Result<Reach, IndexError> {
    tables::reach(db, node).await
}

/// The number of the log that the index knows under a name.
pub async fn log_id(db: &DatabaseConnection, node: &str) -> Result<Option<String>, IndexError> {
    tables::log_id(db, node).await
}

/// How many operations of an agency in a time stand in logs that are not in this folder, as far as they are indexed:
/// queries under a form, and what came from outside channels.
pub async fn elsewhere(
    db: &DatabaseConnection,
    dir: &Path,
    agency: &str,
    span_us: (i64, i64),
) -> Result<u64, IndexError> {
    let here: Vec<String> = Folder::all(dir)?.iter().map(|folder| folder.node().to_owned()).collect();
    tables::elsewhere(db, &here, agency, span_us).await
}

/// Empties the index; the indexer, or [`catch_up`], fills it again from the segments.
pub async fn clear(control: &config::Control) -> Result<(), IndexError> {
    Tables::open(control).await?.clear().await
}

/// Indexes everything that stands in the segments of a log that no server writes at present.
pub async fn catch_up(dir: PathBuf, keys: Arc<Keyring>, control: &config::Control) -> Result<u64, IndexError> {
    let mut tables = Tables::open(control).await?;
    let mut follower = Follower::new(Source { dir, node: String::new(), keys }, &mut tables).await?;
    let mut records = 0;
    follower.claim(&tables).await?;
    while let Some(batch) = follower.next(None)? {
        records += batch.entries.len() as u64;
        tables.apply(&batch).await?;
    }
    Ok(records)
}

/// Follows until something fails.
async fn run(
    source: &Source,
    control: &config::Control,
    durable: &impl Fn() -> Durable,
    pace: &mut Pace,
) -> Result<Infallible, IndexError> {
    let source = Source { dir: source.dir.clone(), node: source.node.clone(), keys: source.keys.clone() };
    let mut tables = Tables::open(control).await?;
    let mut follower = Follower::new(source, &mut tables).await?;
    loop {
        follower.claim(&tables).await?;
        let began = Instant::now();
        let rest = match follower.next(Some(durable()))? {
            None => IDLE,
            Some(batch) => {
                tables.apply(&batch).await?;
                pace.rest(began.elapsed())
            }
        };
        tokio::time::sleep(rest).await;
    }
}

/// How gentle to be.
struct Pace {
    records: Box<dyn Fn() -> u64>,
    last: (Instant, u64),
    /// Records that the log took per second of late.
    rate: f64,
}

impl Pace {
    fn rest(&mut self, took: Duration) -> Duration {
        let since = self.last.0.elapsed();
        if since >= Duration::from_secs(1) {
            let records = (self.records)();
            self.rate = records.saturating_sub(self.last.1) as f64 / since.as_secs_f64();
            self.last = (Instant::now(), records);
        }
        took.mul_f64((self.rate / RECORDS_PER_REST).clamp(1.0, LONGEST_REST))
    }
}
