//! One program at a time changes the tables of a database: servers that migrate before they start may start together. What
//! is changed is left to `control` and `migrate`.

use std::fs::File;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, TransactionTrait};

/// Number of the lock among PostgreSQL's advisory ones.
const LOCK: i64 = 0x6369_7479_7175;

/// One's turn; it ends with this value.
pub(super) struct Turn {
    _file: Option<File>,
    _lock: Option<DatabaseTransaction>,
}

/// Waits for one's turn. On PostgreSQL it takes a connection of its own until it ends. `file` is that of a SQLite database.
pub(super) async fn turn(db: &DatabaseConnection, file: Option<&Path>) -> Result<Turn, DbErr> {
    if db.get_database_backend() == DbBackend::Postgres {
        let lock = db.begin().await?;
        lock.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
        return Ok(Turn { _file: None, _lock: Some(lock) });
    }
    let Some(file) = file.filter(|file| file.is_file()) else { return Ok(Turn { _file: None, _lock: None }) };
    let file = file.to_owned();
    // SQLite itself locks with `fcntl`, which knows nothing of this lock.
    let locked = tokio::task::spawn_blocking(move || {
        let file = File::open(file)?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok::<File, std::io::Error>(file)
    });
    let locked = locked.await.map_err(|error| DbErr::Custom(error.to_string()))?;
    Ok(Turn { _file: Some(locked.map_err(|error| DbErr::Custom(error.to_string()))?), _lock: None })
}
