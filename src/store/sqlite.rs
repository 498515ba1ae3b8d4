//! SQLite on the hot path: worker threads, each with a connection to every file, so that a whole plan over
//! several files runs on one thread without a hand-over per statement, and joins them in SQL.

mod cores;
mod files;
mod line;

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;
use futures::future::BoxFuture;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, ErrorCode};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use time::{Date, Month};

pub use self::files::position;
use self::files::{BUNDLE, Files, Holders};
use self::line::{Line, Next};
use super::bind::{Bind, iso};
use super::postgres_decode::write_decimal;
use super::rows::{ALL_DIGITS, Cell, Kind, Rows};
use super::source::{Dialect, Lane, Source, SourceError, Statement};
use crate::config;

/// Decimals have 28 digits.
const DECIMALS: f64 = 1e28;

/// Threads for statements that may run long: two for whoever asks for many, and one that is left to others.
pub(super) const LONG_THREADS: usize = 3;

type Job = Box<dyn FnOnce(&mut Worker) + Send>;

/// All SQLite files of the installation, behind a few threads.
pub struct SqliteGroup {
    quick: crossbeam_channel::Sender<Job>,
    long: Arc<Line<Job>>,
    bundles: usize,
}

/// One thread's connections.
pub struct Worker {
    files: Files,
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
    /// Opens every file on every thread, read only. Files are numbered in the order given. Statements that may run
    /// long have threads of their own, so that short ones never wait for them.
    pub fn open(files: Vec<PathBuf>, memory: &config::Sqlite) -> Result<Arc<SqliteGroup>, SourceError> {
        let bundles = files.len().div_ceil(BUNDLE);
        let threads = cores::threads();
        let holders = Arc::new(Holders::default());
        let open = || Worker::open(&files, memory, &holders);
        let (quick, queue) = crossbeam_channel::unbounded();
        let next = move |longest| match queue.recv_timeout(longest) {
            Ok(job) => Next::Work(job, None),
            Err(RecvTimeoutError::Timeout) => Next::Nothing,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        };
        start("sqlite-quick", &open, threads, cores::stay, next)?;
        let long = Line::before(LONG_THREADS);
        let line = long.clone();
        start("sqlite-long", &open, LONG_THREADS, |_, _| {}, move |longest| line.take(longest))?;
        Ok(Arc::new(SqliteGroup { quick, long, bundles }))
    }

    /// How many bundles of files there are.
    pub fn bundles(&self) -> usize {
        self.bundles
    }

    /// How much work waits for a thread of that lane.
    pub fn waiting(&self, lane: Lane) -> usize {
        match lane {
            Lane::Shared => self.quick.len(),
            Lane::Own => self.long.len(),
        }
    }

    /// Runs a piece of work on one of the threads; dropping the future stops the statement that it runs. What may run long
    /// waits its account's turn, if it is an account's; where none came before the deadline, the error says so.
    pub async fn run<T: Send + 'static>(
        &self,
        lane: Lane,
        account: Option<i64>,
        deadline: Instant,
        work: impl FnOnce(&mut Worker) -> T + Send + 'static,
    ) -> Result<T, SourceError> {
        let (answer, wait) = tokio::sync::oneshot::channel();
        let (flag, begun) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (guard, is_begun) = (FlagOnDrop(flag.clone()), begun.clone());
        let job: Job = Box::new(move |worker| {
            if flag.load(Ordering::Relaxed) {
                return;
            }
            begun.store(true, Ordering::Relaxed);
            worker.stop.set(Some((flag, deadline)));
            let result = work(worker);
            worker.stop.set(None);
            let _ = answer.send(result);
        });
        match lane {
            Lane::Shared => {
                self.quick.send(job).map_err(|_| SourceError::Unavailable("SQLite threads have ended".into()))?;
            }
            Lane::Own => self.long.push(account, job),
        }
        let result = match tokio::time::timeout_at(deadline.into(), wait).await {
            Ok(result) => result.map_err(|_| SourceError::Unavailable("SQLite thread broke off".into())),
            Err(_) if is_begun.load(Ordering::Relaxed) => Err(SourceError::Timeout),
            Err(_) => Err(SourceError::Waited),
        };
        drop(guard);
        result
    }
}

impl Drop for SqliteGroup {
    fn drop(&mut self) {
        self.long.shut();
    }
}

/// Starts threads; each does `first` before anything else, with its number and how many they are, and then what `next` gives.
fn start(
    name: &str,
    open: &dyn Fn() -> Result<Worker, SourceError>,
    threads: usize,
    first: fn(usize, usize),
    next: impl Fn(Duration) -> Next<Job> + Clone + Send + 'static,
) -> Result<(), SourceError> {
    for number in 0..threads {
        let (mut worker, next) = (open()?, next.clone());
        std::thread::Builder::new()
            .name(format!("{name}-{number}"))
            .spawn(move || {
                first(number, threads);
                loop {
                    // Also one that has nothing to do looks at its files, and lets go of those that were replaced.
                    let next = next(files::BETWEEN_LOOKS);
                    worker.files.follow(Instant::now());
                    let (job, _turn) = match next {
                        Next::Work(job, turn) => (job, turn),
                        Next::Nothing => continue,
                        Next::End => return,
                    };
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
    Ok(())
}

/// Raises the flag when the waiting future goes away.
struct FlagOnDrop(Arc<AtomicBool>);

impl Drop for FlagOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Worker {
    fn open(files: &[PathBuf], memory: &config::Sqlite, holders: &Arc<Holders>) -> Result<Worker, SourceError> {
        let stop = Arc::new(StopSign { cancelled: std::sync::Mutex::new(None) });
        let files = Files::open(files, memory, stop.clone(), holders.clone(), Instant::now())?;
        Ok(Worker { files, stop })
    }

    /// Lets the statements that follow read the files as of one moment, until the guard goes. It also spares each of them
    /// taking and giving back every file's lock.
    pub fn snapshot(&self) -> Result<Snapshot<'_>, SourceError> {
        let snapshot = Snapshot(self.files.bundles()?);
        for bundle in snapshot.0 {
            bundle.prepare_cached("BEGIN").and_then(|mut begin| begin.raw_execute()).map_err(failed)?;
        }
        Ok(snapshot)
    }

    /// Runs a statement on one of the bundles.
    pub fn query(&self, bundle: usize, statement: &Statement, binds: &[Bind]) -> Result<Rows, SourceError> {
        let mut prepared = self.files.bundles()?[bundle].prepare_cached(&statement.sql).map_err(failed)?;
        let mut lists = Vec::new();
        let bound = binds.iter().enumerate().try_for_each(|(number, bind)| match list(bind) {
            Some(list) => {
                lists.push(list.clone());
                prepared.raw_bind_parameter(number + 1, list)
            }
            None => bind_one(&mut prepared, number + 1, bind),
        });
        let rows = bound.map_err(failed).and_then(|()| read(&mut prepared, &statement.columns));
        // SQLite gives up its share of the lists before we do: rusqlite 0.39 frees only the count of the last share, not
        // what is in the list (`ToSqlOutput::from_rc` forgets its type).
        prepared.clear_bindings();
        if matches!(rows, Err(SourceError::Unavailable(_))) {
            self.files.doubt();
        }
        rows
    }
}

fn read(prepared: &mut rusqlite::CachedStatement, columns: &[Kind]) -> Result<Rows, SourceError> {
    let mut rows = Rows::new(columns.len());
    let mut cursor = prepared.raw_query();
    while let Some(row) = cursor.next().map_err(failed)? {
        for (number, kind) in columns.iter().enumerate() {
            let value = row.get_ref(number).map_err(failed)?;
            if push(value, *kind, &mut rows).is_some() {
                continue;
            }
            if !matches!(kind, Kind::Date | Kind::Decimal(_)) {
                return Err(SourceError::Failed(format!("column {number} does not hold what was declared")));
            }
            if rows.push_unreadable() {
                let name = row.as_ref().column_name(number).unwrap_or_default();
                tracing::warn!(column = name, "what is no {kind:?} is null in an answer: correct it in the dataset");
            }
        }
    }
    Ok(rows)
}

/// Ends the moment as of which files are read.
pub struct Snapshot<'a>(&'a [Connection]);

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        for bundle in self.0.iter().filter(|bundle| !bundle.is_autocommit()) {
            let ended = bundle.prepare_cached("COMMIT").and_then(|mut commit| commit.raw_execute());
            if let Err(error) = ended.or_else(|_| bundle.execute_batch("ROLLBACK").map(|()| 0)) {
                tracing::error!(%error, "a moment in SQLite files cannot be ended; they go on being read as of it");
            }
        }
    }
}

/// Many values as `rarray` takes them.
fn list(bind: &Bind) -> Option<Rc<Vec<Value>>> {
    let values = match bind {
        Bind::Texts(texts) => texts.iter().map(|text| Value::Text(text.into())).collect(),
        Bind::Ints(values) => values.iter().map(|value| Value::Integer(*value)).collect(),
        Bind::Dates(days) => days.iter().map(|day| Value::Text(iso(*day))).collect(),
        Bind::Decimals(values) => values.iter().map(|value| number(*value)).collect(),
        Bind::Text(_) | Bind::Int(_) | Bind::Bool(_) | Bind::Date(_) | Bind::Decimal(_) => return None,
    };
    Some(Rc::new(values))
}

fn bind_one(prepared: &mut rusqlite::CachedStatement, at: usize, bind: &Bind) -> rusqlite::Result<()> {
    match bind {
        Bind::Text(text) => prepared.raw_bind_parameter(at, text),
        Bind::Int(value) => prepared.raw_bind_parameter(at, value),
        Bind::Bool(value) => prepared.raw_bind_parameter(at, value),
        Bind::Date(day) => prepared.raw_bind_parameter(at, iso(*day)),
        Bind::Decimal(value) => prepared.raw_bind_parameter(at, number(*value)),
        // Lists are bound where they are kept.
        Bind::Texts(_) | Bind::Ints(_) | Bind::Dates(_) | Bind::Decimals(_) => Ok(()),
    }
}

/// SQLite has no decimals: whole numbers compare exactly, others as the nearest double, which is exact to 15 digits.
fn number(value: Decimal) -> Value {
    let whole = value.is_integer().then(|| value.to_i64()).flatten();
    // By its digits: the conversion of the library is not always to the nearest.
    whole.map_or_else(|| Value::Real(value.to_string().parse().unwrap_or(f64::NAN)), Value::Integer)
}

fn push(value: ValueRef, kind: Kind, rows: &mut Rows) -> Option<()> {
    match (kind, value) {
        (_, ValueRef::Null) => rows.push(Cell::Null),
        (Kind::Text, ValueRef::Text(text)) => rows.push_text(std::str::from_utf8(text).ok()?),
        (Kind::Date, ValueRef::Text(text)) => rows.push_text(day(text)?),
        (Kind::Int, ValueRef::Integer(value)) => rows.push(Cell::Int(value)),
        (Kind::Bool, ValueRef::Integer(value)) => rows.push(Cell::Bool(value != 0)),
        (Kind::Decimal(scale), ValueRef::Integer(value)) => {
            rows.push_written(|text| write_decimal(value.into(), scale, text));
        }
        (Kind::Decimal(scale), ValueRef::Real(value)) if value.abs() < DECIMALS => {
            rows.push_written(|text| {
                use std::fmt::Write as _;
                let _ = match scale {
                    ALL_DIGITS => write!(text, "{value}"),
                    scale => write!(text, "{value:.*}", scale as usize),
                };
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

/// A day as a scalar has it. SQLite keeps any text as one, and what is written otherwise would neither compare like a day nor
/// be cut by a mask where a day has its year.
fn day(text: &[u8]) -> Option<&str> {
    let is_written =
        |(at, letter): (usize, &u8)| if matches!(at, 4 | 7) { *letter == b'-' } else { letter.is_ascii_digit() };
    (text.len() == 10 && text.iter().enumerate().all(is_written)).then_some(())?;
    let number = |part: &[u8]| part.iter().fold(0_u16, |number, digit| number * 10 + u16::from(digit - b'0'));
    let (year, month, day) = (number(&text[..4]), number(&text[5..7]), number(&text[8..]));
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    (year > 0).then_some(())?;
    Date::from_calendar_date(year.into(), month, u8::try_from(day).ok()?).ok()?;
    std::str::from_utf8(text).ok()
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

/// One bundle of a group's files.
pub struct SqliteBundle {
    group: Arc<SqliteGroup>,
    number: usize,
}

impl SqliteBundle {
    /// The bundle of that number in its group.
    pub fn new(group: Arc<SqliteGroup>, number: usize) -> SqliteBundle {
        SqliteBundle { group, number }
    }
}

impl Source for SqliteBundle {
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
        let lane = statement.lane;
        let work = move |worker: &mut Worker| worker.query(number, &statement, &binds);
        Box::pin(async move { self.group.run(lane, None, deadline, work).await? })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        let statement = Statement { sql: "SELECT 1".into(), columns: vec![Kind::Int], lane: Lane::Shared };
        let deadline = Instant::now() + Duration::from_secs(2);
        let number = self.number;
        let work = move |worker: &mut Worker| worker.query(number, &statement, &[]).map(|_| ());
        Box::pin(async move { self.group.run(Lane::Shared, None, deadline, work).await? })
    }
}

#[cfg(test)]
mod tests;
