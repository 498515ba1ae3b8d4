//! One number for all that a table holds, the same on SQLite and PostgreSQL if the rows are.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use cityquery::config::Connection;
use cityquery::store::layout::sqlite_file;
use migrations::Kind;
use migrations::table::{Column, ColumnKind, Table};

/// Rows and digest of every table of a dataset.
pub async fn tables(dataset: &str, connection: &Connection) -> BTreeMap<&'static str, (u64, u64)> {
    let mut all = BTreeMap::new();
    for table in Kind::of_dataset(dataset).expect("a dataset with tables").tables() {
        all.insert(table.name, digest(connection, table).await);
    }
    all
}

async fn digest(connection: &Connection, table: &Table) -> (u64, u64) {
    let columns: Vec<String> = table.columns.iter().map(|column| as_text(connection, column)).collect();
    let schema = connection.schema.as_ref().map(|schema| format!("\"{schema}\".")).unwrap_or_default();
    let sql = format!("SELECT {} FROM {schema}\"{}\" ORDER BY id", columns.join(", "), table.name);
    let mut hasher = std::hash::DefaultHasher::new();
    let mut count = 0;
    for row in rows(connection, &sql, columns.len()).await {
        row.hash(&mut hasher);
        count += 1;
    }
    (count, hasher.finish())
}

fn as_text(connection: &Connection, column: &Column) -> String {
    let name = column.name;
    match (sqlite_file(&connection.url).is_some(), column.kind) {
        (_, ColumnKind::Decimal(scale)) => {
            let power = 10_i64.pow(scale);
            format!("cast(cast(round(\"{name}\" * {power}) AS bigint) AS text)")
        }
        (false, ColumnKind::Boolean) => format!("cast(cast(\"{name}\" AS integer) AS text)"),
        _ => format!("cast(\"{name}\" AS text)"),
    }
}

/// Rows of a statement whose columns are all text.
pub async fn rows(connection: &Connection, sql: &str, columns: usize) -> Vec<Vec<Option<String>>> {
    if let Some(file) = sqlite_file(&connection.url) {
        let database = rusqlite::Connection::open(file).expect("the file opens");
        let mut statement = database.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let rows = statement.query_map([], |row| (0..columns).map(|at| row.get(at)).collect()).expect("it runs");
        return rows.collect::<Result<_, _>>().expect("its columns are text");
    }
    let (client, driver) = tokio_postgres::connect(&connection.url, tokio_postgres::NoTls).await.expect("it answers");
    let driver = tokio::spawn(driver);
    let rows = client.query(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    drop(client);
    driver.abort();
    rows.iter().map(|row| (0..columns).map(|at| row.get(at)).collect()).collect()
}
