//! Writing imported rows by their natural keys: insert what is new, update what differs, leave what is equal,
//! all in one transaction of one database. What the rows say is left to `ingest::import`; loading without
//! looking is left to the bulk loader.

use std::collections::HashMap;

use super::layout::sqlite_file;
use super::upsert_postgres::PostgresSession;
use super::upsert_sqlite::SqliteSession;

/// A value on its way into a table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Datum {
    /// SQL null.
    Null,
    /// Text, and dates as `YYYY-MM-DD`.
    Text(String),
    /// Whole number.
    Int(i64),
    /// Exact decimal as plain digits.
    Decimal(String),
    /// Truth value.
    Boolean(bool),
}

/// What a column of a row that exists becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// The new value.
    Replace,
    /// The new value, unless this column (counted from the key on) is null in the new row.
    Keep(usize),
    /// What it was, unless that is null.
    Fill,
    /// What it was: it is never null, and given for rows that are new.
    Stay,
}

/// A table and what of it is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Schema inside a PostgreSQL database.
    pub schema: Option<String>,
    /// Table name.
    pub table: String,
    /// Surrogate key, given out here and never changed.
    pub id_column: String,
    /// Columns in the order of the rows; the key comes first.
    pub columns: Vec<String>,
    /// How many of the columns make the key.
    pub key_length: usize,
    /// What the columns after the key become in rows that exist; empty where those are left as they are.
    pub changes: Vec<Change>,
}

impl Target {
    /// Quoted, with its schema.
    pub(super) fn name(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quoted(schema), quoted(&self.table)),
            None => quoted(&self.table),
        }
    }

    pub(super) fn key(&self) -> &[String] {
        &self.columns[..self.key_length]
    }

    /// Columns that an update compares and writes.
    pub fn rest(&self) -> impl Iterator<Item = (&String, Change)> {
        self.columns[self.key_length..].iter().zip(self.changes.iter().copied())
    }

    /// How many columns are compared: the key and the rest.
    pub(super) fn compared(&self) -> usize {
        self.key_length + self.changes.len()
    }
}

/// A column as its table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// Name.
    pub name: String,
    /// Never null.
    pub not_null: bool,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What was done.
    pub fate: Fate,
    /// What is there says otherwise in a column of which only gaps are filled, and stays.
    pub gave_way: bool,
}

/// What was done with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was not there.
    Inserted,
    /// It was there and differed.
    Updated,
    /// It was there and stays as it is.
    Unchanged,
}

/// Why a database did not take the rows. The texts name tables and columns, never values.
#[derive(Debug, thiserror::Error)]
pub enum UpsertError {
    /// It could not be reached or opened.
    #[error("the database cannot be used: {0}")]
    Unavailable(String),
    /// It refused.
    #[error("the database refused: {0}")]
    Refused(String),
}

/// One transaction on one database. Dropped without [`Session::commit`], it leaves nothing behind.
pub enum Session {
    /// A SQLite file.
    Sqlite(SqliteSession),
    /// A PostgreSQL database.
    Postgres(PostgresSession),
}

impl Session {
    /// Connects and begins.
    pub async fn begin(url: &str) -> Result<Session, UpsertError> {
        match sqlite_file(url) {
            Some(path) => SqliteSession::begin(&path).map(Session::Sqlite),
            None => PostgresSession::begin(url).await.map(Session::Postgres),
        }
    }

    /// The columns of a table; none if there is no such table.
    pub async fn columns(&mut self, schema: Option<&str>, table: &str) -> Result<Vec<TableColumn>, UpsertError> {
        match self {
            Session::Sqlite(session) => session.columns(table),
            Session::Postgres(session) => session.columns(schema, table).await,
        }
    }

    /// Reads whole columns as text, each combination once, for looking things up.
    pub async fn read(
        &mut self,
        schema: Option<&str>,
        table: &str,
        columns: &[String],
    ) -> Result<Vec<Vec<Option<String>>>, UpsertError> {
        match self {
            Session::Sqlite(session) => session.read(table, columns),
            Session::Postgres(session) => session.read(schema, table, columns).await,
        }
    }

    /// Keeps other writers out of a table, so that what is read of it from here on stays true until the end.
    pub async fn hold(&mut self, schema: Option<&str>, table: &str) -> Result<(), UpsertError> {
        match self {
            Session::Sqlite(_) => Ok(()), // it keeps them out of the whole file
            Session::Postgres(session) => session.hold(schema, table).await,
        }
    }

    /// Writes rows and says what became of each. Keys must not repeat within one call.
    pub async fn upsert(&mut self, target: &Target, rows: &[Vec<Datum>]) -> Result<Vec<Outcome>, UpsertError> {
        match self {
            Session::Sqlite(session) => session.upsert(target, rows),
            Session::Postgres(session) => session.upsert(target, rows).await,
        }
    }

    /// Makes everything durable.
    pub async fn commit(self) -> Result<(), UpsertError> {
        match self {
            Session::Sqlite(session) => session.commit(),
            Session::Postgres(session) => session.commit().await,
        }
    }

    /// Takes everything back.
    pub async fn roll_back(self) -> Result<(), UpsertError> {
        match self {
            Session::Sqlite(session) => session.roll_back(),
            Session::Postgres(session) => session.roll_back().await,
        }
    }
}

/// The next surrogate key of each table, counted on from the highest in use.
#[derive(Default)]
pub(super) struct NextIds(HashMap<String, i64>);

impl NextIds {
    pub(super) fn get(&self, table: &str) -> Option<i64> {
        self.0.get(table).copied()
    }

    pub(super) fn set(&mut self, table: &str, next: i64) {
        self.0.insert(table.to_owned(), next);
    }

    pub(super) fn into_tables(self) -> HashMap<String, i64> {
        self.0
    }
}

/// An identifier in double quotes.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
