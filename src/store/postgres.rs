//! PostgreSQL on the hot path: prepared statements pipelined over a few shared connections, long ones on their own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use futures::future::BoxFuture;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

use super::bind::Bind;
use super::postgres_decode::decode;
use super::rows::Rows;
use super::source::{Dialect, Lane, Source, SourceError, Statement};

/// Prepared statements kept per connection before it starts afresh.
const PREPARED: usize = 1_000;

/// One PostgreSQL database.
pub struct Postgres {
    config: Config,
    quick: Config,
    shared: Vec<Slot>,
    own: Vec<Slot>,
    turn: AtomicUsize,
    free: Mutex<Vec<usize>>,
    permits: tokio::sync::Semaphore,
}

/// A place for a connection, opened when first used and again when it broke.
#[derive(Default)]
struct Slot {
    opening: tokio::sync::Mutex<()>,
    open: arc_swap::ArcSwapOption<Link>,
}

struct Link {
    client: Client,
    /// Statements on their way, on a shared connection.
    running: AtomicUsize,
    prepared: Mutex<HashMap<Arc<str>, tokio_postgres::Statement>>,
}

impl Postgres {
    /// A database by URL. Connections open when first needed; each refuses statements longer than `time`.
    pub fn new(url: &str, shared: usize, own: usize, time: Duration) -> Result<Postgres, SourceError> {
        let mut config: Config = url.parse().map_err(|error| SourceError::Failed(format!("{error}")))?;
        config.application_name("cityquery");
        config.connect_timeout(Duration::from_secs(5));
        let options =
            format!("-c statement_timeout={} -c default_transaction_read_only=on -c jit=off", time.as_millis());
        let mut quick = config.clone();
        config.options(&options);
        // Statements by key have one good plan; making a new one for each list of keys costs more than running it.
        quick.options(format!("{options} -c plan_cache_mode=force_generic_plan"));
        Ok(Postgres {
            config,
            quick,
            shared: (0..shared.max(1)).map(|_| Slot::default()).collect(),
            own: (0..own.max(1)).map(|_| Slot::default()).collect(),
            turn: AtomicUsize::new(0),
            free: Mutex::new((0..own.max(1)).collect()),
            permits: tokio::sync::Semaphore::new(own.max(1)),
        })
    }

    async fn link<'a>(&'a self, config: &Config, slot: &'a Slot) -> Result<Arc<Link>, SourceError> {
        if let Some(link) = slot.open.load_full().filter(|link| !link.client.is_closed()) {
            return Ok(link);
        }
        let _opening = slot.opening.lock().await;
        if let Some(link) = slot.open.load_full().filter(|link| !link.client.is_closed()) {
            return Ok(link);
        }
        let (client, connection) = config.connect(NoTls).await.map_err(unavailable)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(%error, "connection to PostgreSQL closed");
            }
        });
        let link = Arc::new(Link { client, running: AtomicUsize::new(0), prepared: Mutex::default() });
        slot.open.store(Some(link.clone()));
        Ok(link)
    }

    async fn run_shared(&self, statement: &Statement, binds: &[Bind]) -> Result<Rows, SourceError> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.shared.len();
        let slot = &self.shared[turn];
        let link = self.link(&self.quick, slot).await?;
        link.running.fetch_add(1, Ordering::SeqCst);
        let mut guard = Leave { slot, link: &link, ended: false };
        let rows = link.run(statement, binds).await;
        guard.ended = true;
        rows
    }

    async fn run_own(&self, statement: &Statement, binds: &[Bind]) -> Result<Rows, SourceError> {
        let _permit = self.permits.acquire().await.map_err(|error| SourceError::Unavailable(error.to_string()))?;
        let lease = Lease::take(&self.free)?;
        let link = self.link(&self.config, &self.own[lease.number]).await?;
        let mut guard = CancelOnDrop { slot: Some(&self.own[lease.number]) };
        let rows = link.run(statement, binds).await;
        guard.slot = None;
        rows
    }
}

/// A number out of the free list, put back when dropped.
struct Lease<'a> {
    free: &'a Mutex<Vec<usize>>,
    number: usize,
}

impl<'a> Lease<'a> {
    fn take(free: &'a Mutex<Vec<usize>>) -> Result<Lease<'a>, SourceError> {
        let number = free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        // A permit was acquired before, so there is a free one.
        number.map(|number| Lease { free, number }).ok_or_else(|| SourceError::Unavailable("no connection free".into()))
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(self.number);
    }
}

/// Cancels what runs on a connection when nobody waits for it any more, and gives the connection up: a cancel
/// request that comes late must not hit the next caller's statement.
struct CancelOnDrop<'a> {
    slot: Option<&'a Slot>,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        let Some(link) = self.slot.take().and_then(|slot| slot.open.swap(None)) else { return };
        let cancel = link.client.cancel_token();
        tokio::spawn(async move {
            if let Err(error) = cancel.cancel_query(NoTls).await {
                tracing::debug!(%error, "cancel request failed");
            }
        });
    }
}

/// A statement on a shared connection. When nobody waits for it any more and it is alone there, it is cancelled and
/// the connection given up; beside others it runs on, at most for the time limit, since a cancel request names
/// the connection and not the statement.
struct Leave<'a> {
    slot: &'a Slot,
    link: &'a Arc<Link>,
    ended: bool,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let before = self.link.running.fetch_sub(1, Ordering::SeqCst);
        if self.ended || before > 1 {
            return;
        }
        let link = Arc::clone(self.link);
        // From here on nobody new comes to this connection.
        self.slot.open.compare_and_swap(&Some(Arc::clone(&link)), None);
        tokio::spawn(async move {
            if link.running.load(Ordering::SeqCst) > 0 {
                return;
            }
            if let Err(error) = link.client.cancel_token().cancel_query(NoTls).await {
                tracing::debug!(%error, "cancel request failed");
            }
        });
    }
}

impl Link {
    async fn run(&self, statement: &Statement, binds: &[Bind]) -> Result<Rows, SourceError> {
        let prepared = self.prepare(&statement.sql).await?;
        let stream = self.client.query_raw(&prepared, binds.iter()).await.map_err(failed)?;
        futures::pin_mut!(stream);
        let mut rows = Rows::new(statement.columns.len());
        while let Some(row) = stream.try_next().await.map_err(failed)? {
            decode(&row, &statement.columns, &mut rows)?;
        }
        Ok(rows)
    }

    async fn prepare(&self, sql: &Arc<str>) -> Result<tokio_postgres::Statement, SourceError> {
        let known = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await.map_err(failed)?;
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if prepared.len() >= PREPARED {
            prepared.clear();
        }
        prepared.insert(sql.clone(), statement.clone());
        Ok(statement)
    }
}

impl Source for Postgres {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn query<'a>(
        &'a self,
        statement: &'a Statement,
        binds: Vec<Bind>,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Rows, SourceError>> {
        Box::pin(async move {
            let run = async {
                match statement.lane {
                    Lane::Shared => self.run_shared(statement, &binds).await,
                    Lane::Own => self.run_own(statement, &binds).await,
                }
            };
            tokio::time::timeout_at(deadline.into(), run).await.unwrap_or(Err(SourceError::Timeout))
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        Box::pin(async move {
            let link = self.link(&self.quick, &self.shared[0]).await?;
            link.client.simple_query("SELECT 1").await.map(|_| ()).map_err(failed)
        })
    }
}

fn unavailable(error: tokio_postgres::Error) -> SourceError {
    SourceError::Unavailable(error.to_string())
}

fn failed(error: tokio_postgres::Error) -> SourceError {
    match error.code() {
        Some(code) if *code == SqlState::QUERY_CANCELED => SourceError::Timeout,
        Some(code) if is_away(code) => SourceError::Unavailable(format!("SQLSTATE {}", code.code())),
        // The server's own text can carry values, so only its code is kept.
        Some(code) => SourceError::Failed(format!("SQLSTATE {}", code.code())),
        None => SourceError::Unavailable(error.to_string()),
    }
}

/// The server is going down or up, is full, or lost the database: not the statement's fault.
fn is_away(code: &SqlState) -> bool {
    ["08", "53", "57P", "58", "3D"].iter().any(|class| code.code().starts_with(class))
}
