//! Where each dataset lives: which database, which schema. Opening them is here; asking them is `query`'s.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::postgres::Postgres;
use super::share::Shares;
use super::source::{Dialect, Source, SourceError};
use super::sqlite::{self, SqliteBundle, SqliteGroup};
use crate::config::{self, Connection};

/// Where a dataset's tables are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Number of the database in [`Databases`].
    pub database: usize,
    /// Its dialect.
    pub dialect: Dialect,
    /// Schema inside it.
    pub schema: Option<String>,
}

/// The databases of an installation. Datasets with the same URL share one, and can be joined in SQL.
pub struct Databases {
    places: BTreeMap<String, Place>,
    sources: Vec<Arc<dyn Source>>,
    /// Who has how many of the places for long statements, by number of the database.
    shares: Vec<Arc<Shares>>,
    group: Option<Arc<SqliteGroup>>,
}

impl Databases {
    /// Opens the connections by dataset code. `time` is the longest a statement may run.
    pub fn open(
        connections: &BTreeMap<String, Connection>,
        sqlite: &config::Sqlite,
        postgres: &config::Postgres,
        time: Duration,
    ) -> Result<Databases, SourceError> {
        let mut urls: Vec<&str> = connections.values().map(|connection| connection.url.as_str()).collect();
        urls.sort_unstable();
        urls.dedup();
        let (files, servers): (Vec<&str>, Vec<&str>) = urls.into_iter().partition(|url| sqlite_file(url).is_some());
        let paths: Vec<PathBuf> = files.iter().filter_map(|url| sqlite_file(url)).collect();
        let group = if paths.is_empty() { None } else { Some(SqliteGroup::open(paths, sqlite)?) };
        let mut sources: Vec<Arc<dyn Source>> = Vec::new();
        for bundle in 0..group.as_ref().map_or(0, |group| group.bundles()) {
            sources.extend(
                group.iter().map(|group| Arc::new(SqliteBundle::new(group.clone(), bundle)) as Arc<dyn Source>),
            );
        }
        let bundles = sources.len();
        // All bundles are read by the same threads.
        let of_threads = Arc::new(Shares::of(sqlite::LONG_THREADS));
        let mut shares: Vec<Arc<Shares>> = std::iter::repeat_n(of_threads, bundles).collect();
        for url in &servers {
            sources.push(Arc::new(Postgres::new(url, postgres, time)?));
            shares.push(Arc::new(Shares::of(postgres.own_connections.into())));
        }
        let place = |connection: &Connection| match files.iter().position(|url| *url == connection.url) {
            Some(number) => {
                let (bundle, schema) = sqlite::position(number);
                Place { database: bundle, dialect: Dialect::Sqlite, schema: Some(schema) }
            }
            None => {
                // Every connection's URL is in one of the lists that were made from them.
                let number = servers.iter().position(|url| *url == connection.url).unwrap_or_default();
                Place { database: bundles + number, dialect: Dialect::Postgres, schema: connection.schema.clone() }
            }
        };
        let places = connections.iter().map(|(code, connection)| (code.clone(), place(connection))).collect();
        // A plan may run on one SQLite thread only when there is no other kind of database.
        let group = group.filter(|_| servers.is_empty());
        Ok(Databases { places, sources, shares, group })
    }

    /// Where a dataset lives, if a connection is configured for it.
    pub fn place(&self, dataset: &str) -> Option<&Place> {
        self.places.get(dataset)
    }

    /// The database of that number.
    pub fn source(&self, database: usize) -> &Arc<dyn Source> {
        &self.sources[database]
    }

    /// Who has how many of that database's places for statements that may run long.
    pub fn shares(&self, database: usize) -> &Shares {
        &self.shares[database]
    }

    /// The SQLite threads, when every database is a bundle of SQLite files; bundles are numbered like databases.
    pub fn sqlite_only(&self) -> Option<&Arc<SqliteGroup>> {
        self.group.as_ref()
    }
}

/// `sqlite:PATH` or `sqlite://PATH` → PATH.
pub fn sqlite_file(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    Some(PathBuf::from(path.split('?').next().unwrap_or(path)))
}
