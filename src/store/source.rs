//! A database as the hot path sees it: a statement with parameters in, packed rows out. Which statements, is `query`'s.

use std::sync::Arc;
use std::time::Instant;

use futures::future::BoxFuture;

use super::bind::Bind;
use super::rows::{Kind, Rows};

/// SQL dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// PostgreSQL 13 or later.
    Postgres,
    /// SQLite 3.39 or later, as bundled.
    Sqlite,
}

/// How a statement shares its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Bounded by keys and short: pipelined with others on a shared connection.
    Shared,
    /// May run long: has a connection of its own and is cancelled when nobody waits any more.
    Own,
}

/// A statement that is run many times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// SQL text; never logged, since it can carry what a custodian named.
    pub sql: Arc<str>,
    /// What its columns hold.
    pub columns: Vec<Kind>,
    /// How it shares its connection.
    pub lane: Lane,
}

/// Why a statement gave no rows. Texts are for the log; clients get a code.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The database could not be reached or broke off.
    #[error("database unavailable: {0}")]
    Unavailable(String),
    /// The time limit passed before there was a place for it.
    #[error("waited for others that take long, until its time was over")]
    Waited,
    /// The time limit passed.
    #[error("statement timed out")]
    Timeout,
    /// The database refused the statement.
    #[error("statement failed: {0}")]
    Failed(String),
}

/// A database that answers statements.
pub trait Source: Send + Sync {
    /// Its dialect.
    fn dialect(&self) -> Dialect;

    /// Runs a statement; dropping the future stops it.
    fn query<'a>(
        &'a self,
        statement: &'a Statement,
        binds: Vec<Bind>,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Rows, SourceError>>;

    /// Whether it answers now.
    fn ping(&self) -> BoxFuture<'_, Result<(), SourceError>>;
}
