//! Bulk loading of empty tables: as fast as the database takes rows, all or nothing. What the rows are is left to
//! the caller; changing single rows of filled tables is left to `ingest`.
//!
//! A load is one transaction per database. Secondary indexes are dropped before and built after, inside it, so a
//! load that is interrupted leaves tables and indexes as they were: nothing to clean up.

mod encode;
mod postgres;
mod sqlite;

use std::collections::BTreeMap;

pub use postgres::PostgresLoad;
pub use sqlite::SqliteLoad;

use super::layout::sqlite_file;
use super::postgres_address::{AddressError, why};
use crate::config::Connection;

/// One value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// No value.
    Null,
    /// Text.
    Text(&'a str),
    /// A 32-bit integer.
    Int(i32),
    /// True or false.
    Boolean(bool),
    /// Days since 1970-01-01.
    Day(i32),
    /// Mantissa and digits after the point: `(61494, 2)` is 614.94.
    Decimal(i64, u32),
}

impl<'a> Value<'a> {
    /// Text, or nothing when it is empty.
    pub fn text_or_null(text: &'a str) -> Value<'a> {
        if text.is_empty() { Value::Null } else { Value::Text(text) }
    }

    /// A day, or nothing.
    pub fn day(day: Option<i32>) -> Value<'a> {
        day.map_or(Value::Null, Value::Day)
    }
}

/// Takes rows. Each row of a table names the same columns in the same order; `id` is counted from 1.
pub trait Rows {
    /// Takes one row.
    fn row(&mut self, table: &'static str, values: &[(&'static str, Value<'_>)]) -> Result<(), BulkError>;
}

/// Why a load failed. The databases are as they were before, unless it says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// Somebody's data would be mixed with ours.
    #[error("{0}")]
    NotEmpty(String),
    /// SQLite.
    #[error("SQLite file {file}: {source}")]
    Sqlite {
        /// The file.
        file: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The address of PostgreSQL.
    #[error("PostgreSQL: {0}")]
    Address(#[from] AddressError),
    /// PostgreSQL.
    #[error("PostgreSQL: {}", reason(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// The other side of a channel or a thread ended early; its own error says more.
    #[error("the load was stopped: {0}")]
    Stopped(String),
}

fn reason(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("{}{}", error.message(), error.detail().map(|d| format!(" ({d})")).unwrap_or_default()),
        None => why(error),
    }
}

/// Whether tables that hold rows are refused or emptied first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// Refuse.
    Refuse,
    /// Empty them first, in the same transaction.
    Replace,
}

/// The datasets of one database: loaded by one transaction, one after the other.
#[derive(Clone, Debug)]
pub struct Target {
    /// The connection.
    pub connection: Connection,
    /// Dataset codes with the tables to load, in order.
    pub datasets: Vec<(String, Vec<&'static str>)>,
}

impl Target {
    /// Whether it is a SQLite file.
    pub fn is_sqlite(&self) -> bool {
        sqlite_file(&self.connection.url).is_some()
    }

    /// All tables of the target.
    pub fn tables(&self) -> impl Iterator<Item = &'static str> {
        self.datasets.iter().flat_map(|(_, tables)| tables.iter().copied())
    }
}

/// One target per SQLite file, since a file has one writer, and one per dataset on PostgreSQL.
pub fn targets(connections: &BTreeMap<String, Connection>, tables: &[(&str, Vec<&'static str>)]) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    for (code, tables) in tables {
        let Some(connection) = connections.get(*code) else { continue };
        let dataset = ((*code).to_owned(), tables.clone());
        let shared = targets.iter_mut().find(|target| target.is_sqlite() && target.connection.url == connection.url);
        match shared {
            Some(target) => target.datasets.push(dataset),
            None => targets.push(Target { connection: connection.clone(), datasets: vec![dataset] }),
        }
    }
    targets
}

/// Text of the refusal to load into filled tables.
fn not_empty(filled: &[String]) -> BulkError {
    BulkError::NotEmpty(format!(
        "{} already hold rows. Say that they may be replaced (--replace), which empties the datasets first, or choose \
         other databases",
        filled.join(", ")
    ))
}

/// `2026-06-30` of days since 1970-01-01.
pub(crate) fn write_day(day: i32, out: &mut String) {
    use std::fmt::Write;
    // Days to civil date by 400-year eras; the year begins in March so that a leap day is its last.
    let shifted = i64::from(day) + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let _ = write!(out, "{year:04}-{month:02}-{day:02}"); // writing into a String cannot fail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_calendar_days() {
        for (day, text) in [(0, "1970-01-01"), (-1, "1969-12-31"), (11_016, "2000-02-29"), (20_634, "2026-06-30")] {
            let mut out = String::new();
            write_day(day, &mut out);
            assert_eq!(out, text);
        }
    }
}
