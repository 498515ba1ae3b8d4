//! The files of a thread: opened read only, a bundle of them on one connection, and opened anew when others stand under
//! their names: whoever replaces one, by `mv` or from a backup, does not tell the programs that read it.

use std::cell::Cell;
use std::fs::metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{StopSign, failed};
use crate::config;
use crate::store::source::SourceError;

/// Files that one connection can attach; joins between them are joins in SQL.
pub(super) const BUNDLE: usize = 10;

/// Prepared statements kept per connection.
const PREPARED: usize = 500;

/// Virtual-machine steps between two looks at the clock and at whether anybody still waits.
const STEPS_PER_LOOK: i32 = 10_000;

/// How long a file that was replaced may still be read.
pub(super) const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// Device and inode; none where nothing can be read.
type Identity = Option<(u64, u64)>;

/// What the threads of a process have open of the same files.
///
/// SQLite tells connections in WAL mode apart by the file, and their shared memory by its name: who opens a new file while
/// others of the process still read the old one of that name cuts the memory under their feet. So all let go first.
#[derive(Default)]
pub(super) struct Holders {
    state: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    threads: usize,
    of: Vec<Identity>,
}

/// The files of a thread.
pub(super) struct Files {
    paths: Vec<PathBuf>,
    memory: config::Sqlite,
    stop: Arc<StopSign>,
    holders: Arc<Holders>,
    /// Empty while a file is not there, is half there, or is still held by others in its old form.
    bundles: Vec<Connection>,
    seen: Vec<Identity>,
    looked: Instant,
    /// Something was wrong with one since the last look.
    doubtful: Cell<bool>,
}

impl Files {
    /// Opens them.
    pub fn open(
        paths: &[PathBuf],
        memory: &config::Sqlite,
        stop: Arc<StopSign>,
        holders: Arc<Holders>,
        now: Instant,
    ) -> Result<Files, SourceError> {
        let (paths, memory) = (paths.to_vec(), memory.clone());
        let seen = identities(&paths); // before they are opened, so that a change in between is noticed
        let (bundles, doubtful) = (Vec::new(), Cell::new(false));
        let mut files = Files { paths, memory, stop, holders, bundles, seen, looked: now, doubtful };
        files.take(files.seen.clone())?;
        Ok(files)
    }

    /// The connections, in the order of the bundles. None while a file is not there: what was taken away is not to be
    /// answered from.
    pub fn bundles(&self) -> Result<&[Connection], SourceError> {
        match self.bundles.as_slice() {
            [] => Err(SourceError::Unavailable("a SQLite file was taken away or is being replaced".into())),
            bundles => Ok(bundles),
        }
    }

    /// A file may have been half there when it was opened: at the next look all are opened anew.
    pub fn doubt(&self) {
        self.doubtful.set(true);
    }

    /// Goes over to the files that stand under the names now, where others did or something was wrong with them; looks once
    /// in [`BETWEEN_LOOKS`].
    pub fn follow(&mut self, now: Instant) {
        if now.duration_since(self.looked) < BETWEEN_LOOKS {
            return;
        }
        self.looked = now;
        let found = identities(&self.paths);
        if found == self.seen && !self.bundles.is_empty() && !self.doubtful.take() {
            return;
        }
        let had = self.let_go();
        match self.take(found) {
            Ok(true) => tracing::info!("SQLite files were opened anew"),
            Ok(false) => {} // other threads still read the old ones; they let go within a second
            Err(error) if had => {
                tracing::error!(%error, "SQLite files cannot be read: what needs them is refused until they can");
            }
            Err(_) => {}
        }
    }

    /// Opens the files, unless others of that name are still held.
    fn take(&mut self, found: Vec<Identity>) -> Result<bool, SourceError> {
        let mut held = self.holders.state.lock().unwrap_or_else(PoisonError::into_inner);
        if held.threads > 0 && held.of != found {
            return Ok(false);
        }
        check_logs(&self.paths, &self.seen, &found)?;
        self.bundles = open_bundles(&self.paths, &self.memory, &self.stop)?;
        self.seen.clone_from(&found);
        *held = Held { threads: held.threads + 1, of: found };
        Ok(true)
    }

    /// Closes the connections; true where there were any.
    fn let_go(&mut self) -> bool {
        if self.bundles.is_empty() {
            return false;
        }
        let mut held = self.holders.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.bundles.clear();
        held.threads -= 1;
        true
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.let_go();
    }
}

fn identities(paths: &[PathBuf]) -> Vec<Identity> {
    let identity = |path: &PathBuf| metadata(path).ok().map(|file| (file.dev(), file.ino()));
    paths.iter().map(identity).collect()
}

/// A log of changes that stands beside a new file is the old file's, and SQLite would write it over the new one.
fn check_logs(paths: &[PathBuf], seen: &[Identity], found: &[Identity]) -> Result<(), SourceError> {
    let replaced = paths.iter().zip(seen.iter().zip(found)).filter(|(_, (seen, found))| seen != found);
    for (path, _) in replaced {
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        if metadata(&log).is_ok_and(|log| log.len() > 0) {
            let log = Path::new(&log).display();
            return Err(SourceError::Unavailable(format!("{log} belongs to the file that was replaced: remove it")));
        }
    }
    Ok(())
}

fn open_bundles(
    paths: &[PathBuf],
    memory: &config::Sqlite,
    stop: &Arc<StopSign>,
) -> Result<Vec<Connection>, SourceError> {
    paths.chunks(BUNDLE).map(|paths| open_bundle(paths, memory, stop)).collect()
}

/// Where a file stands: the bundle's number, and the schema that it is attached as.
pub fn position(file: usize) -> (usize, String) {
    (file / BUNDLE, format!("f{}", file % BUNDLE))
}

/// Opens a connection with all files of a bundle attached, read only.
fn open_bundle(files: &[PathBuf], memory: &config::Sqlite, stop: &Arc<StopSign>) -> Result<Connection, SourceError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_MEMORY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(":memory:", flags).map_err(failed)?;
    let (mapped, cache_kb) = (memory.map_bytes, memory.cache_bytes.div_ceil(1024));
    connection.execute_batch(&format!("PRAGMA mmap_size={mapped};")).map_err(failed)?;
    for (number, file) in files.iter().enumerate() {
        let (_, schema) = position(number);
        let unavailable = |error| SourceError::Unavailable(format!("{}: {error}", file.display()));
        connection.execute(&format!("ATTACH ?1 AS {schema}"), [read_only(file)]).map_err(unavailable)?;
        connection
            .execute_batch(&format!("PRAGMA {schema}.mmap_size={mapped}; PRAGMA {schema}.cache_size=-{cache_kb};"))
            .map_err(unavailable)?;
    }
    connection.execute_batch("PRAGMA case_sensitive_like=ON; PRAGMA query_only=ON;").map_err(failed)?;
    // One plan per statement, whatever is bound to it; without this each new list of keys is planned anew.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(failed)?;
    connection.busy_timeout(Duration::from_secs(2)).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    rusqlite::vtab::array::load_module(&connection).map_err(failed)?;
    let stop = stop.clone();
    connection.progress_handler(STEPS_PER_LOOK, Some(move || stop.says_stop())).map_err(failed)?;
    Ok(connection)
}

/// The URI of a file that must exist and is not written to.
fn read_only(file: &Path) -> String {
    let mut uri = String::from("file:");
    for letter in file.to_string_lossy().chars() {
        match letter {
            '%' => uri.push_str("%25"),
            '?' => uri.push_str("%3f"),
            '#' => uri.push_str("%23"),
            plain => uri.push(plain),
        }
    }
    uri + "?mode=ro"
}
