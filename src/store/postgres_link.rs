//! One connection to PostgreSQL: statements prepared once, run, and cancelled when nobody waits for them. Which connection
//! a statement gets is `postgres`'s.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::TryStreamExt;
use postgres_types::Type;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::bind::Bind;
use super::postgres_address::{Address, is_away, why};
use super::postgres_decode::decode;
use super::rows::Rows;
use super::source::{SourceError, Statement};

/// Prepared statements kept per connection before it starts afresh, and their text in bytes: the server keeps some forty
/// times that for each connection.
const PREPARED: usize = 1_000;
const PREPARED_BYTES: usize = 1 << 20;

/// Between two requests to cancel what is left on a connection that was given up: each ends one statement.
const CANCEL_AGAIN: Duration = Duration::from_millis(50);

/// A place for a connection, opened when first used and again when it broke.
#[derive(Default)]
pub struct Slot {
    opening: tokio::sync::Mutex<()>,
    open: arc_swap::ArcSwapOption<Link>,
}

/// An open connection.
pub struct Link {
    client: Client,
    address: Address,
    /// Statements on their way, on a shared connection.
    running: AtomicUsize,
    prepared: Mutex<Prepared>,
}

/// What was prepared on a connection, by its text.
#[derive(Default)]
struct Prepared {
    statements: HashMap<Arc<str>, tokio_postgres::Statement>,
    bytes: usize,
}

impl Slot {
    /// The connection, if it is open.
    pub fn opened(&self) -> Option<Arc<Link>> {
        self.open.load_full().filter(|link| !link.client.is_closed())
    }

    /// The connection, opened now if it is not.
    pub async fn link(&self, address: &Address) -> Result<Arc<Link>, SourceError> {
        if let Some(link) = self.opened() {
            return Ok(link);
        }
        let _opening = self.opening.lock().await;
        if let Some(link) = self.opened() {
            return Ok(link);
        }
        let client = address.connect().await.map_err(|error| SourceError::Unavailable(why(&error)))?;
        let link = Link { client, address: address.clone(), running: AtomicUsize::new(0), prepared: Mutex::default() };
        let link = Arc::new(link);
        self.open.store(Some(link.clone()));
        Ok(link)
    }

    /// Runs a statement beside others. When nobody waits for it any more and it is alone there, it is cancelled and the
    /// connection given up; beside others it runs on, at most for the time limit, since a cancel request names the
    /// connection and not the statement.
    pub async fn run_beside(
        &self,
        link: &Arc<Link>,
        statement: &Statement,
        binds: &[Bind],
    ) -> Result<Rows, SourceError> {
        link.running.fetch_add(1, Ordering::SeqCst);
        let mut guard = Leave { slot: self, link, ended: false };
        let rows = link.run(statement, binds).await;
        guard.ended = true;
        rows
    }

    /// Runs a statement on a connection that nobody else has now. It is cancelled when nobody waits for it any more, and
    /// the connection given up: a cancel request that comes late must not hit the next caller's statement.
    pub async fn run_alone(&self, link: &Link, statement: &Statement, binds: &[Bind]) -> Result<Rows, SourceError> {
        let mut guard = CancelOnDrop { slot: Some(self) };
        let rows = link.run(statement, binds).await;
        guard.slot = None;
        rows
    }
}

struct CancelOnDrop<'a> {
    slot: Option<&'a Slot>,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        let Some(link) = self.slot.take().and_then(|slot| slot.open.swap(None)) else { return };
        tokio::spawn(async move { link.give_up().await });
    }
}

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
            if link.running.load(Ordering::SeqCst) == 0 {
                link.give_up().await;
            }
        });
    }
}

impl Link {
    /// Whether the server answers on it.
    pub async fn ping(&self) -> Result<(), SourceError> {
        self.client.simple_query("SELECT 1").await.map(|_| ()).map_err(failed)
    }

    /// Cancels whatever is on its way, one statement after the other.
    async fn give_up(&self) {
        let drained = self.ping();
        futures::pin_mut!(drained);
        loop {
            self.address.cancel(self.client.cancel_token()).await;
            if tokio::time::timeout(CANCEL_AGAIN, &mut drained).await.is_ok() {
                return;
            }
        }
    }

    async fn run(&self, statement: &Statement, binds: &[Bind]) -> Result<Rows, SourceError> {
        let mut asked = self.ask(statement, binds).await;
        // The table was altered since: what was prepared for it holds no longer.
        if asked.as_ref().is_err_and(is_outdated) {
            self.prepared.lock().unwrap_or_else(PoisonError::into_inner).statements.remove(&statement.sql);
            asked = self.ask(statement, binds).await;
        }
        asked.map_err(failed).flatten().map_err(|error| match error {
            SourceError::Failed(text) => SourceError::Failed(format!("{text}; {}", tables(&statement.sql))),
            other => other,
        })
    }

    /// The outer result is the server's, the inner one that of reading what it sent.
    async fn ask(
        &self,
        statement: &Statement,
        binds: &[Bind],
    ) -> Result<Result<Rows, SourceError>, tokio_postgres::Error> {
        let prepared = self.prepare(&statement.sql, binds).await?;
        let stream = self.client.query_raw(&prepared, binds.iter()).await?;
        futures::pin_mut!(stream);
        let mut rows = Rows::new(statement.columns.len());
        while let Some(row) = stream.try_next().await? {
            if let Err(error) = decode(&row, &statement.columns, &mut rows) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(rows))
    }

    async fn prepare(
        &self,
        sql: &Arc<str>,
        binds: &[Bind],
    ) -> Result<tokio_postgres::Statement, tokio_postgres::Error> {
        let known = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).statements.get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let types: Vec<Type> = binds.iter().map(Bind::sent_as).collect();
        let statement = self.client.prepare_typed(sql, &types).await?;
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if prepared.statements.len() >= PREPARED || prepared.bytes + sql.len() > PREPARED_BYTES {
            *prepared = Prepared::default();
        }
        prepared.bytes += sql.len();
        prepared.statements.insert(sql.clone(), statement.clone());
        Ok(statement)
    }
}

/// The tables of a statement under the names that it gives them: `t0 is persons`.
fn tables(sql: &str) -> String {
    let named = sql.split(" AS \"").skip(1).zip(sql.split(" AS \"")).filter_map(|(after, before)| {
        let (name, table) = (after.split('"').next()?, before.strip_suffix('"')?.rsplit('"').next()?);
        name.starts_with('t').then(|| format!("{name} is {table}"))
    });
    named.collect::<Vec<_>>().join(", ")
}

/// "Cached plan must not change result type", or a pooler in between lost the statement.
fn is_outdated(error: &tokio_postgres::Error) -> bool {
    matches!(error.code(), Some(&SqlState::FEATURE_NOT_SUPPORTED | &SqlState::INVALID_SQL_STATEMENT_NAME))
}

fn failed(error: tokio_postgres::Error) -> SourceError {
    match error.code() {
        Some(code) if *code == SqlState::QUERY_CANCELED => SourceError::Timeout,
        Some(code) if is_away(code.code()) => SourceError::Unavailable(why(&error)),
        // What is wrong with a table or a right is told by names alone.
        Some(code) if code.code().starts_with("42") => SourceError::Failed(why(&error)),
        // The server's own text can carry values, so only its code is kept.
        Some(code) => SourceError::Failed(format!("SQLSTATE {}", code.code())),
        None => SourceError::Unavailable(why(&error)),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn tables_are_told_by_their_names() {
        let sql = "SELECT \"t0\".\"id\" FROM \"land\".\"parcels\" AS \"t0\" LEFT JOIN \"zones\" AS \"t1\" ON \"t1\".\"a\" = $1";
        assert_eq!(super::tables(sql), "t0 is parcels, t1 is zones");
    }
}
