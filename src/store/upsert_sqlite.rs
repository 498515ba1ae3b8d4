//! Imported rows into a SQLite file: one probe by key a row, then insert, update or nothing. In process this
//! is as fast as staging, and needs no unique index. Called from async code, it blocks: an import is a command
//! of its own.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params_from_iter};

use super::upsert::{Change, Datum, Fate, NextIds, Outcome, TableColumn, Target, UpsertError, quoted};

/// How long a writer waits for another one.
const WAIT: Duration = Duration::from_secs(30);

/// One transaction on one file.
pub struct SqliteSession {
    connection: Connection,
    next_ids: NextIds,
}

impl ToSql for Datum {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Datum::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            // Decimals go in as text; the column's numeric affinity makes them numbers, and compares them so.
            Datum::Text(text) | Datum::Decimal(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Datum::Int(number) => ToSqlOutput::Borrowed(ValueRef::Integer(*number)),
            Datum::Boolean(value) => ToSqlOutput::Borrowed(ValueRef::Integer(i64::from(*value))),
        })
    }
}

/// The three statements of one target.
struct Statements {
    probe: String,
    insert: String,
    update: Option<String>,
}

impl Statements {
    fn of(target: &Target) -> Statements {
        let id = quoted(&target.id_column);
        let table = target.name();
        let key = target.key().iter().enumerate();
        let matches: Vec<String> = key.map(|(at, column)| format!("{} = ?{}", quoted(column), at + 1)).collect();
        let rest: Vec<_> = target
            .rest()
            .enumerate()
            .map(|(at, (c, change))| (quoted(c), at + 1 + target.key_length, change))
            .collect();
        let same = rest.iter().map(|(c, n, change)| match change {
            Change::Replace => format!("{c} IS ?{n}"),
            Change::Keep(with) => format!("(?{} IS NULL OR {c} IS ?{n})", with + 1 + target.key_length),
            Change::Fill => format!("({c} IS NOT NULL OR ?{n} IS NULL)"),
            // Each statement has a place for each column.
            Change::Stay => format!("?{n} IS ?{n}"),
        });
        let same: Vec<String> = same.collect();
        let same = if same.is_empty() { "1".to_owned() } else { same.join(" AND ") };
        let filled = rest.iter().filter(|(_, _, change)| *change == Change::Fill);
        let gave_way = filled.map(|(c, n, _)| format!("({c} IS NOT NULL AND ?{n} IS NOT NULL AND {c} IS NOT ?{n})"));
        let gave_way = gave_way.collect::<Vec<_>>().join(" OR ");
        let gave_way = if gave_way.is_empty() { "0" } else { &gave_way };
        let columns: Vec<String> = target.columns.iter().map(|column| quoted(column)).collect();
        let places: Vec<String> = (1..=columns.len()).map(|n| format!("?{n}")).collect();
        let id_place = columns.len() + 1;
        let set = rest.iter().map(|(c, n, change)| match change {
            Change::Replace => format!("{c} = ?{n}"),
            Change::Keep(with) => format!("{c} = iif(?{} IS NULL, {c}, ?{n})", with + 1 + target.key_length),
            Change::Fill => format!("{c} = coalesce({c}, ?{n})"),
            Change::Stay => format!("{c} = iif(TRUE, {c}, ?{n})"),
        });
        let set: Vec<String> = set.collect();
        Statements {
            probe: format!("SELECT {same}, {gave_way} FROM {table} WHERE {} LIMIT 1", matches.join(" AND ")),
            insert: format!(
                "INSERT INTO {table} ({}, {id}) VALUES ({}, ?{id_place})",
                columns.join(", "),
                places.join(", ")
            ),
            update: (!set.is_empty())
                .then(|| format!("UPDATE {table} SET {} WHERE {}", set.join(", "), matches.join(" AND "))),
        }
    }
}

impl SqliteSession {
    /// Opens the file, which must exist, and begins to write.
    pub(super) fn begin(path: &Path) -> Result<SqliteSession, UpsertError> {
        let unavailable = |error: rusqlite::Error| UpsertError::Unavailable(format!("{}: {error}", path.display()));
        if !path.exists() {
            let text = format!("{} is not there; `cityquery migrate` makes it", path.display());
            return Err(UpsertError::Unavailable(text));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(unavailable)?;
        connection.busy_timeout(WAIT).map_err(unavailable)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.execute_batch("PRAGMA cache_size=-65536; BEGIN IMMEDIATE").map_err(unavailable)?;
        Ok(SqliteSession { connection, next_ids: NextIds::default() })
    }

    pub(super) fn columns(&self, table: &str) -> Result<Vec<TableColumn>, UpsertError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT name, \"notnull\" FROM pragma_table_info(?1)")
            .map_err(refused(table))?;
        let columns = statement
            .query_map([table], |row| Ok(TableColumn { name: row.get(0)?, not_null: row.get(1)? }))
            .map_err(refused(table))?;
        columns.collect::<Result<_, _>>().map_err(refused(table))
    }

    pub(super) fn read(&self, table: &str, columns: &[String]) -> Result<Vec<Vec<Option<String>>>, UpsertError> {
        let list: Vec<String> = columns.iter().map(|column| format!("CAST({} AS TEXT)", quoted(column))).collect();
        let sql = format!("SELECT DISTINCT {} FROM {}", list.join(", "), quoted(table));
        let mut statement = self.connection.prepare(&sql).map_err(refused(table))?;
        let rows = statement
            .query_map([], |row| (0..columns.len()).map(|at| row.get(at)).collect::<Result<Vec<_>, _>>())
            .map_err(refused(table))?;
        rows.collect::<Result<_, _>>().map_err(refused(table))
    }

    pub(super) fn upsert(&mut self, target: &Target, rows: &[Vec<Datum>]) -> Result<Vec<Outcome>, UpsertError> {
        let refused = refused(&target.table);
        let mut next_id = match self.next_ids.get(&target.table) {
            Some(next) => next,
            None => {
                let sql = format!("SELECT coalesce(max({}), 0) + 1 FROM {}", quoted(&target.id_column), target.name());
                self.connection.query_row(&sql, [], |row| row.get(0)).map_err(&refused)?
            }
        };
        let sql = Statements::of(target);
        let mut probe = self.connection.prepare_cached(&sql.probe).map_err(&refused)?;
        let mut insert = self.connection.prepare_cached(&sql.insert).map_err(&refused)?;
        let mut update =
            sql.update.as_deref().map(|sql| self.connection.prepare_cached(sql)).transpose().map_err(&refused)?;
        let compared = target.compared();
        let mut outcomes = Vec::with_capacity(rows.len());
        for row in rows {
            let known: Option<(bool, bool)> = probe
                .query_row(params_from_iter(&row[..compared]), |r| Ok((r.get(0)?, r.get(1)?)))
                .optional()
                .map_err(&refused)?;
            let fate = match (known, &mut update) {
                (None, _) => {
                    let id = Datum::Int(next_id);
                    insert.execute(params_from_iter(row.iter().chain([&id]))).map_err(&refused)?;
                    next_id += 1;
                    Fate::Inserted
                }
                (Some((false, _)), Some(update)) => {
                    update.execute(params_from_iter(&row[..compared])).map_err(&refused)?;
                    Fate::Updated
                }
                _ => Fate::Unchanged,
            };
            outcomes.push(Outcome { fate, gave_way: known.is_some_and(|(_, gave_way)| gave_way) });
        }
        self.next_ids.set(&target.table, next_id);
        Ok(outcomes)
    }

    pub(super) fn commit(self) -> Result<(), UpsertError> {
        self.connection.execute_batch("COMMIT").map_err(|error| UpsertError::Refused(error.to_string()))
    }

    pub(super) fn roll_back(self) -> Result<(), UpsertError> {
        self.connection.execute_batch("ROLLBACK").map_err(|error| UpsertError::Refused(error.to_string()))
    }
}

fn refused(table: &str) -> impl Fn(rusqlite::Error) -> UpsertError + '_ {
    move |error| UpsertError::Refused(format!("{table}: {error}"))
}
