//! The control database: connecting and migrating. Its tables' entities stand beside what uses them.

use std::path::Path;
use std::time::Duration;

use migrations::Kind;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr};

use super::layout::sqlite_file;
use super::postgres_address::for_sqlx;
use super::turn::turn;
use crate::config;

/// A control database that cannot be used, without the password that its address may carry.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The folder of the SQLite file cannot be made.
    #[error("cannot make the folder of {path}: {source}")]
    Folder {
        /// The SQLite file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database does not answer, or not as expected.
    #[error("the control database: {0}")]
    Database(#[from] DbErr),
    /// It has tables that this program does not know.
    #[error("the control database was migrated by a newer cityquery: use that version")]
    Newer,
}

impl ControlError {
    fn of(error: DbErr) -> ControlError {
        if migrations::is_of_a_newer_version(&error) { ControlError::Newer } else { ControlError::Database(error) }
    }
}

/// Connects; a SQLite file is made when it is not there. What is committed outlives a power cut, as the audit record of it
/// does.
pub async fn connect(control: &config::Control) -> Result<DatabaseConnection, ControlError> {
    connect_with(control, "FULL", control.connections).await
}

/// Connects one thread that writes what can be made anew: its last commits may be lost with the power.
pub async fn connect_for_an_index(control: &config::Control) -> Result<DatabaseConnection, ControlError> {
    connect_with(control, "NORMAL", 1).await
}

async fn connect_with(
    control: &config::Control,
    synchronous: &'static str,
    connections: u16,
) -> Result<DatabaseConnection, ControlError> {
    let sqlite = control.url.strip_prefix("sqlite:");
    let mut options = match sqlite {
        Some(path) => {
            make_folder(path)?;
            let mode = if path.contains('?') { "" } else { "?mode=rwc" };
            ConnectOptions::new(format!("{}{mode}", control.url))
        }
        None => for_sqlx(&control.url),
    };
    // Statements carry account names; they stay out of logs and spans.
    options.sqlx_logging(false).record_stmt_in_spans(false).acquire_timeout(Duration::from_secs(5));
    if sqlite.is_some() {
        // One connection: writers of one process queue for it instead of failing on each other's locks.
        options.max_connections(1).map_sqlx_sqlite_opts(move |options| {
            options
                .pragma("journal_mode", "WAL")
                .pragma("synchronous", synchronous)
                .pragma("foreign_keys", "ON")
                .busy_timeout(Duration::from_secs(5))
        });
    } else {
        options.max_connections(connections.into()).test_before_acquire(true);
        if let Some(schema) = &control.schema {
            options.set_schema_search_path(schema.clone());
        }
    }
    Ok(Database::connect(options).await?)
}

/// Creates or updates the control tables; the names of the migrations that were applied.
pub async fn migrate(control: &config::Control, db: &DatabaseConnection) -> Result<Vec<String>, ControlError> {
    let _turn = turn(db, sqlite_file(&control.url).as_deref()).await?;
    if pending(db).await?.is_empty() {
        return Ok(Vec::new()); // whoever may not make a schema need not, where it is there
    }
    if let (Some(schema), sea_orm::DbBackend::Postgres) = (&control.schema, db.get_database_backend()) {
        let quoted = schema.replace('"', "\"\"");
        db.execute_unprepared(&format!("CREATE SCHEMA IF NOT EXISTS \"{quoted}\"")).await?;
    }
    migrations::up(Kind::Control, db).await.map_err(ControlError::of)
}

/// Names of the migrations that have not been applied. Writes nothing.
pub async fn pending(db: &DatabaseConnection) -> Result<Vec<String>, ControlError> {
    migrations::pending(Kind::Control, db).await.map_err(ControlError::of)
}

fn make_folder(path: &str) -> Result<(), ControlError> {
    let file = path.split('?').next().unwrap_or(path);
    match Path::new(file).parent() {
        Some(folder) if file != ":memory:" && !folder.as_os_str().is_empty() => {
            std::fs::create_dir_all(folder).map_err(|source| ControlError::Folder { path: file.to_owned(), source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn migrates_from_empty_and_twice() {
        let control = config::Control { url: "sqlite::memory:".to_owned(), schema: None, connections: 8 };
        let db = connect(&control).await.expect("connects");
        assert!(!pending(&db).await.expect("asks").is_empty());
        migrate(&control, &db).await.expect("migrates");
        migrate(&control, &db).await.expect("has nothing more to do");
        assert!(pending(&db).await.expect("asks").is_empty());
    }
}
