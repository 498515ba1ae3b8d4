//! Compares declared tables and columns with the real ones, every fault at once. What is declared is told by
//! `catalog`; refusing to start is left to the command.

use std::collections::{BTreeMap, HashMap};

use super::layout::sqlite_file;
use super::postgres_address::{Address, why};
use crate::config::Connection;
use rusqlite::OpenFlags;

/// What a declared column has to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Text, and every scalar kept as text.
    Text,
    /// A 32-bit integer.
    Int,
    /// A 64-bit key.
    Key,
    /// True or false.
    Boolean,
    /// A calendar day.
    Date,
    /// An exact number.
    Decimal,
}

/// A column that a declaration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Dataset code.
    pub dataset: String,
    /// Table without schema.
    pub table: String,
    /// Column.
    pub column: String,
    /// What it has to hold.
    pub holds: Holds,
    /// Who needs it: `Parcel.areaM2`.
    pub coordinate: String,
}

/// A database that could not be asked.
#[derive(Debug, thiserror::Error)]
#[error("dataset {dataset}: {reason}")]
pub struct ColumnsError {
    /// Dataset code.
    pub dataset: String,
    /// Why not.
    pub reason: String,
}

/// Tables of a database: name → column → type as the database names it.
pub type Tables = HashMap<String, HashMap<String, String>>;

/// In place of a type where the database's user may not read the column.
const NOT_READABLE: &str = "not readable";

/// Compares; one text per fault, none if all is well.
pub async fn check(
    connections: &BTreeMap<String, Connection>,
    declared: &[Declared],
) -> Result<Vec<String>, ColumnsError> {
    let mut by_dataset: BTreeMap<&str, Vec<&Declared>> = BTreeMap::new();
    for column in declared {
        by_dataset.entry(&column.dataset).or_default().push(column);
    }
    let mut faults = Vec::new();
    for (dataset, columns) in by_dataset {
        let Some(connection) = connections.get(dataset) else {
            faults.push(format!("dataset {dataset}: no connection; add [datasets.{dataset}] to the settings"));
            continue;
        };
        let tables = tables(connection).await.map_err(|reason| ColumnsError { dataset: dataset.to_owned(), reason })?;
        let exact = sqlite_file(&connection.url).is_none();
        faults.extend(compare(dataset, &columns, &tables, exact));
    }
    Ok(faults)
}

/// Reads the real tables and views of a database (of its schema, if it has one).
pub async fn tables(connection: &Connection) -> Result<Tables, String> {
    match sqlite_file(&connection.url) {
        Some(file) => tokio::task::spawn_blocking(move || sqlite_tables(&file).map_err(|error| error.to_string()))
            .await
            .map_err(|error| error.to_string())?,
        None => {
            let address = Address::read(&connection.url, "cityquery").map_err(|error| error.to_string())?;
            postgres_tables(&address, connection.schema.as_deref()).await.map_err(|error| why(&error))
        }
    }
}

fn sqlite_tables(file: &std::path::Path) -> rusqlite::Result<Tables> {
    let database = rusqlite::Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = database.prepare(
        "SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c \
         WHERE m.type IN ('table', 'view')",
    )?;
    let mut tables = Tables::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        tables.entry(row.get(0)?).or_default().insert(row.get(1)?, row.get(2)?);
    }
    Ok(tables)
}

async fn postgres_tables(address: &Address, schema: Option<&str>) -> Result<Tables, tokio_postgres::Error> {
    let client = address.connect().await?;
    let rows = client
        .query(
            // `information_schema` hides what may not be read, and materialized views.
            "SELECT c.relname::text, a.attname::text, \
             format_type(CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END, NULL), \
             has_column_privilege(c.oid, a.attnum, 'SELECT') \
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid \
             WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = coalesce($1::text, current_schema())) \
             AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped",
            &[&schema],
        )
        .await?;
    let mut tables = Tables::new();
    for row in rows {
        let of_type = if row.get(3) { row.get(2) } else { NOT_READABLE.to_owned() };
        tables.entry(row.get(0)).or_default().insert(row.get(1), of_type);
    }
    Ok(tables)
}

/// The faults of one dataset. SQLite's columns take any value: there names count, and whether texts and integers are taken
/// for one another.
fn compare(dataset: &str, declared: &[&Declared], tables: &Tables, exact: bool) -> Vec<String> {
    let mut faults = Vec::new();
    let mut missing_tables: Vec<&str> = Vec::new();
    for Declared { table, column, holds, coordinate, .. } in declared {
        let Some(columns) = tables.get(table) else {
            if !missing_tables.contains(&table.as_str()) {
                missing_tables.push(table);
                faults.push(format!("dataset {dataset}: table {table} is missing (needed by {coordinate})"));
            }
            continue;
        };
        match columns.get(column) {
            None => {
                faults.push(format!("dataset {dataset}: column {table}.{column} is missing (needed by {coordinate})"))
            }
            Some(real) if real == NOT_READABLE => faults.push(format!(
                "dataset {dataset}: column {table}.{column} may not be read: GRANT SELECT ON {table} to the role (needed by {coordinate})"
            )),
            Some(real) if !(if exact { fits(*holds, real) } else { can_fit(*holds, real) }) => faults.push(format!(
                "dataset {dataset}: column {table}.{column} is {real}, which cannot hold {coordinate} ({holds:?})"
            )),
            Some(_) => {}
        }
    }
    faults
}

fn fits(holds: Holds, real: &str) -> bool {
    match holds {
        // `character` would be compared with its padding here and without it there.
        Holds::Text => matches!(real, "text" | "character varying"),
        Holds::Int => matches!(real, "integer" | "smallint"),
        Holds::Key => matches!(real, "bigint" | "integer" | "smallint"),
        Holds::Boolean => real == "boolean",
        Holds::Date => real == "date",
        Holds::Decimal => real == "numeric",
    }
}

/// By the rules of SQLite's affinity; columns of views may have no type.
fn can_fit(holds: Holds, real: &str) -> bool {
    let real = real.to_ascii_uppercase();
    let (number, text) = (real.contains("INT"), ["CHAR", "CLOB", "TEXT"].iter().any(|word| real.contains(word)));
    match holds {
        Holds::Text => !number,
        // With a text SQLite compares, and sorts, any number as a text.
        Holds::Int | Holds::Key | Holds::Boolean | Holds::Decimal => !text,
        Holds::Date => !number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(table: &str, column: &str, holds: Holds) -> Declared {
        Declared {
            dataset: "land".to_owned(),
            table: table.to_owned(),
            column: column.to_owned(),
            holds,
            coordinate: format!("{table}.{column}"),
        }
    }

    #[test]
    fn tells_every_fault_at_once() {
        let columns = HashMap::from([("area_m2".to_owned(), "text".to_owned())]);
        let tables = Tables::from([("parcels".to_owned(), columns)]);
        let wanted = [
            declared("parcels", "area_m2", Holds::Decimal),
            declared("parcels", "gone", Holds::Text),
            declared("lost", "a", Holds::Text),
            declared("lost", "b", Holds::Text),
        ];
        let wanted: Vec<&Declared> = wanted.iter().collect();
        assert_eq!(
            compare("land", &wanted, &tables, true),
            [
                "dataset land: column parcels.area_m2 is text, which cannot hold parcels.area_m2 (Decimal)",
                "dataset land: column parcels.gone is missing (needed by parcels.gone)",
                "dataset land: table lost is missing (needed by lost.a)",
            ]
        );
        assert_eq!(compare("land", &wanted, &tables, false).len(), 3);
    }
}
