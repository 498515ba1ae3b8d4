//! SQLite on the hot path: worker threads, each with a connection to every file, so that a whole plan over
//! several files runs on one thread without a hand-over per statement.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rust_decimal::Decimal;

use super::bind::{Bind, iso};
use super::postgres_decode::write_decimal;
use super::rows::{Cell, Kind, Rows};
use super::source::{Dialect, Source, SourceError, Statement};

/// Virtual-machine steps between two looks at the clock and at whether anybody still waits.
const STEPS_PER_LOOK: i32 = 10_000;

/// Prepared statements kept per connection.
const PREPARED: usize = 500;

type Job = Box<dyn FnOnce(&mut Worker) + Send>;

/// All SQLite files of the installation, behind a few threads.
pub struct SqliteGroup {
    jobs: crossbeam_channel::Sender<Job>,
}

/// One thread's connections.
pub struct Worker {
    files: Vec<Connection>,
    stop: Arc<StopSign>,
}

/// When the statement running now has to stop.
struct StopSign {
    cancelled: std::sync::Mutex<Option<(Arc<AtomicBool>, Instant)>>,
}

impl StopSign {
    fn says_stop(&self) -> bool {
        let sign = self.cancelled.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        sign.as_ref().is_some_and(|(flag, deadline)| flag.load(Ordering::Relaxed) || Instant::now() >= *deadline)
    }

    fn set(&self, sign: Option<(Arc<AtomicBool>, Instant)>) {
        *self.cancelled.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = sign;
    }
}

impl SqliteGroup {
    /// Opens every file on every thread, read only. Files are numbered in the order given.
    pub fn open(files: Vec<PathBuf>, threads: usize) -> Result<Arc<SqliteGroup>, SourceError> {
        let (jobs, queue) = crossbeam_channel::unbounded::<Job>();
        for number in 0..threads.max(1) {
            let mut worker = Worker::open(&files)?;
            let queue = queue.clone();
            std::thread::Builder::new()
                .name(format!("sqlite-{number}"))
                .spawn(move || {
                    while let Ok(job) = queue.recv() {
                        // Whoever waits for a job that panicked is told so; the thread is there for the others.
                        let job = std::panic::AssertUnwindSafe(|| job(&mut worker));
                        if std::panic::catch_unwind(job).is_err() {
                            worker.stop.set(None);
                            tracing::error!("a job on a SQLite thread panicked");
                        }
                    }
                })
                .map_err(|error| SourceError::Unavailable(error.to_string()))?;
        }
        Ok(Arc::new(SqliteGroup { jobs }))
    }

    /// Runs a piece of work on one of the threads; dropping the future stops the statement that it runs.
    pub async fn run<T: Send + 'static>(
        &self,
        deadline: Instant,
        work: impl FnOnce(&mut Worker) -> T + Send + 'static,
    ) -> Result<T, SourceError> {
        let (answer, wait) = tokio::sync::oneshot::channel();
        let flag = Arc::new(AtomicBool::new(false));
        let guard = FlagOnDrop(flag.clone());
        let job: Job = Box::new(move |worker| {
            if flag.load(Ordering::Relaxed) {
                return;
            }
            worker.stop.set(Some((flag, deadline)));
            let result = work(worker);
            worker.stop.set(None);
            let _ = answer.send(result);
        });
        self.jobs.send(job).map_err(|_| SourceError::Unavailable("SQLite threads have ended".into()))?;
        let result = wait.await.map_err(|_| SourceError::Unavailable("SQLite thread broke off".into()));
        drop(guard);
        result
    }
}

/// Raises the flag when the waiting future goes away.
struct FlagOnDrop(Arc<AtomicBool>);

impl Drop for FlagOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Worker {
    fn open(files: &[PathBuf]) -> Result<Worker, SourceError> {
        let stop = Arc::new(StopSign { cancelled: std::sync::Mutex::new(None) });
        let files = files.iter().map(|file| open_read_only(file, &stop)).collect::<Result<_, _>>()?;
        Ok(Worker { files, stop })
    }

    /// Runs a statement on one of the files.
    pub fn query(&self, file: usize, statement: &Statement, binds: &[Bind]) -> Result<Rows, SourceError> {
        let mut prepared = self.files[file].prepare_cached(&statement.sql).map_err(failed)?;
        for (number, bind) in binds.iter().enumerate() {
            bind_one(&mut prepared, number + 1, bind).map_err(failed)?;
        }
        let width = statement.columns.len();
        let mut rows = Rows::new(width);
        let mut cursor = prepared.raw_query();
        while let Some(row) = cursor.next().map_err(failed)? {
            for (number, kind) in statement.columns.iter().enumerate() {
                let value = row.get_ref(number).map_err(failed)?;
                push(value, *kind, &mut rows)
                    .ok_or_else(|| SourceError::Failed(format!("column {number} does not hold what was declared")))?;
            }
        }
        Ok(rows)
    }
}

fn open_read_only(file: &Path, stop: &Arc<StopSign>) -> Result<Connection, SourceError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(file, flags)
        .map_err(|error| SourceError::Unavailable(format!("{}: {error}", file.display())))?;
    let settings =
        "PRAGMA mmap_size=268435456; PRAGMA cache_size=-16384; PRAGMA case_sensitive_like=ON; PRAGMA query_only=ON;";
    connection.execute_batch(settings).map_err(failed)?;
    connection.busy_timeout(Duration::from_secs(2)).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    rusqlite::vtab::array::load_module(&connection).map_err(failed)?;
    let stop = stop.clone();
    connection.progress_handler(STEPS_PER_LOOK, Some(move || stop.says_stop())).map_err(failed)?;
    Ok(connection)
}

fn bind_one(prepared: &mut rusqlite::CachedStatement, number: usize, bind: &Bind) -> rusqlite::Result<()> {
    let list = |values: Vec<Value>| ToSqlOutput::Array(Rc::new(values));
    match bind {
        Bind::Text(text) => prepared.raw_bind_parameter(number, text),
        Bind::Int(value) => prepared.raw_bind_parameter(number, value),
        Bind::Bool(value) => prepared.raw_bind_parameter(number, value),
        Bind::Date(day) => prepared.raw_bind_parameter(number, iso(*day)),
        Bind::Decimal(value) => prepared.raw_bind_parameter(number, real(*value)),
        Bind::Texts(texts) => {
            prepared.raw_bind_parameter(number, list(texts.iter().map(|text| Value::Text(text.into())).collect()))
        }
        Bind::Ints(values) => {
            prepared.raw_bind_parameter(number, list(values.iter().map(|value| Value::Integer(*value)).collect()))
        }
        Bind::Dates(days) => {
            prepared.raw_bind_parameter(number, list(days.iter().map(|day| Value::Text(iso(*day))).collect()))
        }
        Bind::Decimals(values) => {
            prepared.raw_bind_parameter(number, list(values.iter().map(|value| Value::Real(real(*value))).collect()))
        }
    }
}

/// SQLite has no decimals: comparisons run on the nearest double, which is exact to 15 digits.
fn real(value: Decimal) -> f64 {
    f64::try_from(value).unwrap_or(f64::NAN)
}

fn push(value: ValueRef, kind: Kind, rows: &mut Rows) -> Option<()> {
    match (kind, value) {
        (_, ValueRef::Null) => rows.push(Cell::Null),
        (Kind::Text | Kind::Date, ValueRef::Text(text)) => rows.push_text(std::str::from_utf8(text).ok()?),
        (Kind::Int, ValueRef::Integer(value)) => rows.push(Cell::Int(value)),
        (Kind::Bool, ValueRef::Integer(value)) => rows.push(Cell::Bool(value != 0)),
        (Kind::Decimal(scale), ValueRef::Integer(value)) => {
            rows.push_written(|text| write_decimal(value.into(), scale, text));
        }
        (Kind::Decimal(scale), ValueRef::Real(value)) => {
            rows.push_written(|text| {
                use std::fmt::Write as _;
                let _ = write!(text, "{value:.*}", scale as usize);
            });
        }
        (Kind::Decimal(scale), ValueRef::Text(text)) => {
            let value: Decimal = std::str::from_utf8(text).ok()?.parse().ok()?;
            rows.push_written(|text| write_decimal(value, scale, text));
        }
        _ => return None,
    }
    Some(())
}

fn failed(error: rusqlite::Error) -> SourceError {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => SourceError::Timeout,
        Some(
            ErrorCode::CannotOpen
            | ErrorCode::NotADatabase
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::SystemIoFailure
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked,
        ) => SourceError::Unavailable(error.to_string()),
        _ => SourceError::Failed(error.to_string()),
    }
}

/// One file of a group.
pub struct SqliteFile {
    group: Arc<SqliteGroup>,
    number: usize,
}

impl SqliteFile {
    /// The file of that number in its group.
    pub fn new(group: Arc<SqliteGroup>, number: usize) -> SqliteFile {
        SqliteFile { group, number }
    }
}

impl Source for SqliteFile {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn query<'a>(
        &'a self,
        statement: &'a Statement,
        binds: Vec<Bind>,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Rows, SourceError>> {
        let (statement, number) = (statement.clone(), self.number);
        let work = move |worker: &mut Worker| worker.query(number, &statement, &binds);
        Box::pin(async move { self.group.run(deadline, work).await? })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        let statement =
            Statement { sql: "SELECT 1".into(), columns: vec![Kind::Int], lane: super::source::Lane::Shared };
        let deadline = Instant::now() + Duration::from_secs(2);
        let number = self.number;
        let work = move |worker: &mut Worker| worker.query(number, &statement, &[]).map(|_| ());
        Box::pin(async move { self.group.run(deadline, work).await? })
    }
}
