//! Creates and updates the datasets' default tables, each dataset in its own database, schema or file. The tables
//! stand in the `migrations` crate; the control database is left to `control`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr};

use super::layout::sqlite_file;
use super::postgres_address::for_sqlx;
use super::turn::turn;
use crate::config::Connection;

/// What was applied to one dataset; nothing when it was up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Dataset code.
    pub dataset: String,
    /// Names of the migrations, in order.
    pub migrations: Vec<String>,
}

/// A dataset whose tables could not be made, without the password that its address may carry.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The folder of a SQLite file cannot be made.
    #[error("cannot make the folder of {path}: {source}")]
    Folder {
        /// The SQLite file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database does not answer, or refuses.
    #[error("dataset {dataset}: {source}")]
    Database {
        /// Dataset code.
        dataset: String,
        /// What the database said.
        source: DbErr,
    },
    /// The dataset has tables that this program does not know.
    #[error("dataset {0} was migrated by a newer cityquery: use that version")]
    Newer(String),
}

impl MigrateError {
    fn of(dataset: &str, source: DbErr) -> MigrateError {
        match migrations::is_of_a_newer_version(&source) {
            true => MigrateError::Newer(dataset.to_owned()),
            false => MigrateError::Database { dataset: dataset.to_owned(), source },
        }
    }
}

/// Brings every dataset up to date; connections by dataset code. One that has no default tables is passed over.
pub async fn migrate(connections: &BTreeMap<String, Connection>) -> Result<Vec<Applied>, MigrateError> {
    let mut all = Vec::new();
    for (dataset, connection, kind) in with_tables(connections) {
        let database = connect(dataset, connection).await?;
        let result = async {
            let _turn = turn(&database, sqlite_file(&connection.url).as_deref()).await?;
            if migrations::pending(kind, &database).await?.is_empty() {
                return Ok(Vec::new()); // whoever may not make a schema need not, where it is there
            }
            if let (Some(schema), DbBackend::Postgres) = (&connection.schema, database.get_database_backend()) {
                let quoted = schema.replace('"', "\"\"");
                database.execute_unprepared(&format!("CREATE SCHEMA IF NOT EXISTS \"{quoted}\"")).await?;
            }
            migrations::up(kind, &database).await
        };
        let migrations = result.await.map_err(|source| MigrateError::of(dataset, source))?;
        all.push(Applied { dataset: dataset.to_owned(), migrations });
        close(dataset, database).await?;
    }
    Ok(all)
}

/// What `migrate` would apply, without writing anything but the empty file of a SQLite database.
pub async fn pending(connections: &BTreeMap<String, Connection>) -> Result<Vec<Applied>, MigrateError> {
    let mut all = Vec::new();
    for (dataset, connection, kind) in with_tables(connections) {
        let database = connect(dataset, connection).await?;
        let migrations =
            migrations::pending(kind, &database).await.map_err(|source| MigrateError::of(dataset, source))?;
        all.push(Applied { dataset: dataset.to_owned(), migrations });
        close(dataset, database).await?;
    }
    Ok(all)
}

fn with_tables(
    connections: &BTreeMap<String, Connection>,
) -> impl Iterator<Item = (&str, &Connection, migrations::Kind)> {
    connections.iter().filter_map(|(code, connection)| {
        migrations::Kind::of_dataset(code).map(|kind| (code.as_str(), connection, kind))
    })
}

async fn connect(dataset: &str, connection: &Connection) -> Result<DatabaseConnection, MigrateError> {
    let file = sqlite_file(&connection.url);
    let mut options = match &file {
        Some(path) => {
            make_folder(path)?;
            ConnectOptions::new(format!("sqlite://{}?mode=rwc", path.display()))
        }
        None => for_sqlx(&connection.url),
    };
    options.sqlx_logging(false).record_stmt_in_spans(false).max_connections(2).acquire_timeout(Duration::from_secs(5));
    if file.is_some() {
        // The mode stays with the file: readers go on while an import writes.
        options
            .map_sqlx_sqlite_opts(|options| options.pragma("journal_mode", "WAL").busy_timeout(Duration::from_secs(5)));
    } else if let Some(schema) = &connection.schema {
        options.set_schema_search_path(schema.clone());
    }
    Database::connect(options).await.map_err(|source| MigrateError::Database { dataset: dataset.to_owned(), source })
}

async fn close(dataset: &str, database: DatabaseConnection) -> Result<(), MigrateError> {
    database.close().await.map_err(|source| MigrateError::Database { dataset: dataset.to_owned(), source })
}

fn make_folder(file: &Path) -> Result<(), MigrateError> {
    match file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => std::fs::create_dir_all(folder)
            .map_err(|source| MigrateError::Folder { path: file.display().to_string(), source }),
        None => Ok(()),
    }
}
