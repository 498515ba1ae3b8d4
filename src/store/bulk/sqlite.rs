//! Bulk load of one SQLite file: prepared inserts in a single transaction.

use std::path::PathBuf;

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, Statement, ToSql};

use super::{BulkError, Filled, Rows, Target, Value, not_empty, write_day};
use crate::store::layout::sqlite_file;

/// An open load. Dropping it without [`SqliteLoad::commit`] leaves the file as it was.
pub struct SqliteLoad {
    file: PathBuf,
    tables: Vec<Table>,
    indexes: Vec<String>,
    connection: Connection, // dropped last: the statements borrow from it
}

struct Table {
    name: &'static str,
    columns: Vec<&'static str>,
    insert: String,
    rows: i64,
}

/// Prepared inserts of a load, for one run of rows.
pub struct SqliteRows<'a> {
    file: String,
    connection: &'a Connection,
    tables: Vec<(&'a mut Table, Option<Statement<'a>>)>,
    day: String,
}

impl SqliteLoad {
    /// Opens the file, looks whether its tables are empty and drops their indexes.
    pub fn begin(target: &Target, filled: Filled) -> Result<SqliteLoad, BulkError> {
        let file = sqlite_file(&target.connection.url).unwrap_or_default();
        let failed = |source| BulkError::Sqlite { file: file.display().to_string(), source };
        let connection = Connection::open(&file).map_err(failed)?;
        let mut load = SqliteLoad {
            tables: target.tables().map(Table::new).collect(),
            indexes: Vec::new(),
            connection,
            file: file.clone(),
        };
        load.prepare(filled).map_err(|error| match error {
            Refused::Filled(tables) => not_empty(&tables),
            Refused::Sqlite(source) => failed(source),
        })?;
        Ok(load)
    }

    fn prepare(&mut self, filled: Filled) -> Result<(), Refused> {
        let connection = &self.connection;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        // A rollback journal instead of the write-ahead log: new pages at the file's end are not journalled, and a
        // load that is killed is rolled back by whoever opens the file next. Disk order does not matter until the
        // commit, which syncs. Where readers have the file open the log stays, slower but as safe.
        connection.pragma_update_and_check(None, "journal_mode", "TRUNCATE", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.pragma_update(None, "cache_size", -32_768)?; // KiB
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut held = Vec::new();
        for table in &self.tables {
            let rows: bool =
                connection.query_row(&format!("SELECT EXISTS (SELECT 1 FROM \"{}\")", table.name), [], |r| r.get(0))?;
            if rows {
                held.push(format!("table {} in {}", table.name, self.file.display()));
            }
        }
        if filled == Filled::Refuse && !held.is_empty() {
            return Err(Refused::Filled(held));
        }
        for table in &self.tables {
            connection.execute_batch(&format!("DELETE FROM \"{}\"", table.name))?;
            let mut indexes = connection
                .prepare("SELECT name, sql FROM sqlite_master WHERE tbl_name = ? AND type = 'index' AND sql <> ''")?;
            let found: Vec<(String, String)> =
                indexes.query_map([table.name], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
            for (name, sql) in found {
                connection.execute_batch(&format!("DROP INDEX \"{name}\""))?;
                self.indexes.push(sql);
            }
        }
        Ok(())
    }

    /// Takes rows; ends when the value is dropped.
    pub fn rows(&mut self) -> SqliteRows<'_> {
        SqliteRows {
            file: self.file.display().to_string(),
            connection: &self.connection,
            tables: self.tables.iter_mut().map(|table| (table, None)).collect(),
            day: String::new(),
        }
    }

    /// Builds the indexes again.
    pub fn build_indexes(&mut self) -> Result<(), BulkError> {
        for index in std::mem::take(&mut self.indexes) {
            self.connection.execute_batch(&index).map_err(|error| self.failed(error))?;
        }
        self.connection.execute_batch("PRAGMA analysis_limit = 1000; ANALYZE").map_err(|error| self.failed(error))
    }

    /// Rows taken so far.
    pub fn count(&self) -> u64 {
        self.tables.iter().map(|table| table.rows.unsigned_abs()).sum()
    }

    /// Makes everything last.
    pub fn commit(self) -> Result<(), BulkError> {
        self.connection.execute_batch("COMMIT").map_err(|error| self.failed(error))?;
        // Synced once, here: a load cut short before this line is loaded again, not mended.
        std::fs::File::open(&self.file)
            .and_then(|file| file.sync_all())
            .map_err(|error| BulkError::Stopped(format!("cannot sync {}: {error}", self.file.display())))?;
        self.connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
            .map_err(|error| self.failed(error))
    }

    fn failed(&self, source: rusqlite::Error) -> BulkError {
        BulkError::Sqlite { file: self.file.display().to_string(), source }
    }
}

enum Refused {
    Filled(Vec<String>),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Refused::Sqlite(error)
    }
}

impl Table {
    fn new(name: &'static str) -> Table {
        Table { name, columns: Vec::new(), insert: String::new(), rows: 0 }
    }

    /// The insert for a table, from the first row's columns.
    fn learn(&mut self, values: &[(&'static str, Value<'_>)]) {
        self.columns = values.iter().map(|(column, _)| *column).collect();
        let marks = ", ?".repeat(self.columns.len());
        self.insert =
            format!("INSERT INTO \"{}\" (id, \"{}\") VALUES (?{marks})", self.name, self.columns.join("\", \""));
    }
}

impl Rows for SqliteRows<'_> {
    fn row(&mut self, table: &'static str, values: &[(&'static str, Value<'_>)]) -> Result<(), BulkError> {
        let Some((entry, statement)) = self.tables.iter_mut().find(|(entry, _)| entry.name == table) else {
            return Err(BulkError::Stopped(format!("table {table} is not part of this load")));
        };
        let result = (|| {
            let statement = match statement {
                Some(statement) => statement,
                None => {
                    if entry.columns.is_empty() {
                        entry.learn(values);
                    }
                    statement.insert(self.connection.prepare(&entry.insert)?)
                }
            };
            debug_assert!(entry.columns.iter().eq(values.iter().map(|(column, _)| column)), "{table}");
            entry.rows += 1;
            statement.raw_bind_parameter(1, entry.rows)?;
            for (number, (_, value)) in values.iter().enumerate() {
                bind(statement, number + 2, *value, &mut self.day)?;
            }
            statement.raw_execute()
        })();
        result.map(|_| ()).map_err(|source| BulkError::Sqlite { file: self.file.clone(), source })
    }
}

fn bind(statement: &mut Statement<'_>, number: usize, value: Value<'_>, day: &mut String) -> rusqlite::Result<()> {
    match value {
        Value::Null => statement.raw_bind_parameter(number, rusqlite::types::Null),
        Value::Text(text) => statement.raw_bind_parameter(number, text),
        Value::Int(int) => statement.raw_bind_parameter(number, int),
        Value::Boolean(yes) => statement.raw_bind_parameter(number, yes),
        Value::Day(date) => {
            day.clear();
            write_day(date, day);
            statement.raw_bind_parameter(number, day.as_str())
        }
        Value::Decimal(mantissa, scale) => statement.raw_bind_parameter(number, Number(mantissa, scale)),
    }
}

/// A decimal as SQLite keeps it: an integer when it is one, else the nearest double, which prints the same digits.
struct Number(i64, u32);

impl ToSql for Number {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let power = 10_i64.pow(self.1);
        Ok(match self.0 % power {
            0 => ToSqlOutput::from(self.0 / power),
            _ => ToSqlOutput::from(self.0 as f64 / power as f64),
        })
    }
}
