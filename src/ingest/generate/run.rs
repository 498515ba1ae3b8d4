//! Fills the databases of an installation with a city: all of them or none. Progress is told, not shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::city::City;
use super::{Scale, Step, building, fire, household, land, shared, zoning};
use crate::config::Connection;
use crate::store::bulk::{BulkError, Filled, PostgresLoad, Rows, SqliteLoad, Target, targets};

/// What city to make.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Size: 1.0 is all of Taipei, 2.0 the most.
    pub scale: f64,
    /// The same seed makes the same city.
    pub seed: u64,
    /// Empties tables that hold rows instead of refusing.
    pub replace: bool,
}

/// Hears how far it is. Called from several threads.
pub trait Progress: Send + Sync {
    /// A dataset begins; it has that many steps.
    fn began(&self, dataset: &str, steps: u64);
    /// So many steps of a dataset are done.
    fn advanced(&self, dataset: &str, steps: u64);
    /// The rows of a dataset are in; its indexes are being built.
    fn indexing(&self, dataset: &str);
    /// A dataset is ready to be committed with the others.
    fn ready(&self, dataset: &str);
}

/// Progress that nobody hears.
#[derive(Debug)]
pub struct Quiet;

impl Progress for Quiet {
    fn began(&self, _: &str, _: u64) {}
    fn advanced(&self, _: &str, _: u64) {}
    fn indexing(&self, _: &str) {}
    fn ready(&self, _: &str) {}
}

/// What was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Rows in all tables.
    pub rows: u64,
    /// Sites.
    pub sites: u64,
    /// Households.
    pub households: u64,
    /// Persons.
    pub persons: u64,
}

/// Why no city was made.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The scale makes no sense.
    #[error("the scale must be above 0 and at most 2, not {0}")]
    Scale(f64),
    /// The tables hold rows, or a database failed; nothing was changed.
    #[error(transparent)]
    Load(#[from] BulkError),
    /// Some databases were committed and one then failed.
    #[error(
        "the databases of {committed} are filled, but {failed} could not be committed and is as it was: {source}. \
         Run it again with --replace"
    )]
    Half {
        /// Datasets that hold the city.
        committed: String,
        /// Datasets that do not.
        failed: String,
        /// What the database said.
        source: BulkError,
    },
}

/// Makes a city in the databases of the datasets; connections by dataset code, tables there already.
pub async fn run(
    connections: &BTreeMap<String, Connection>,
    options: Options,
    progress: Arc<dyn Progress>,
) -> Result<Summary, GenerateError> {
    let scale = Scale::new(options.scale).ok_or(GenerateError::Scale(options.scale))?;
    let filled = if options.replace { Filled::Replace } else { Filled::Refuse };
    let stopped = |error: tokio::task::JoinError| BulkError::Stopped(error.to_string());
    let city = tokio::task::spawn_blocking(move || City::lay_out(options.seed, scale)).await.map_err(stopped)?;
    let city = Arc::new(city);

    let mut loads = JoinSet::new();
    for target in targets(connections, &datasets()) {
        let (city, progress) = (city.clone(), progress.clone());
        loads.spawn(load(target, filled, city, progress));
    }
    let mut loaded = Vec::new();
    while let Some(load) = loads.join_next().await {
        // The first error ends all: what is dropped is rolled back.
        loaded.push(load.map_err(stopped)??);
    }
    let rows = loaded.iter().map(|load| load.rows).sum();
    commit(loaded).await?;
    Ok(Summary {
        rows,
        sites: city.sites.len() as u64,
        households: u64::from(city.households),
        persons: u64::from(city.persons),
    })
}

/// The datasets with their tables, in an order that puts the largest first.
fn datasets() -> Vec<(&'static str, Vec<&'static str>)> {
    ["land", "household", "building", "shared", "zoning", "fire"]
        .into_iter()
        .map(|code| {
            let tables = migrations::Kind::of_dataset(code).map_or(&[][..], migrations::Kind::tables);
            (code, tables.iter().map(|table| table.name).collect())
        })
        .collect()
}

struct Loaded {
    datasets: String,
    rows: u64,
    load: Load,
}

enum Load {
    Sqlite(SqliteLoad),
    Postgres(PostgresLoad),
}

async fn load(
    target: Target,
    filled: Filled,
    city: Arc<City>,
    progress: Arc<dyn Progress>,
) -> Result<Loaded, BulkError> {
    let codes: Vec<String> = target.datasets.iter().map(|(code, _)| code.clone()).collect();
    let datasets = codes.join(", ");
    if target.is_sqlite() {
        let work = move || {
            let mut load = SqliteLoad::begin(&target, filled)?;
            for code in &codes {
                make(code, &city, &mut load.rows(), &*progress)?;
            }
            codes.iter().for_each(|code| progress.indexing(code));
            load.build_indexes()?;
            codes.iter().for_each(|code| progress.ready(code));
            Ok(load)
        };
        let load: Result<SqliteLoad, BulkError> =
            tokio::task::spawn_blocking(work).await.map_err(|error| BulkError::Stopped(error.to_string()))?;
        let load = load?;
        return Ok(Loaded { datasets, rows: load.count(), load: Load::Sqlite(load) });
    }
    let mut load = PostgresLoad::begin(&target, filled).await?;
    let (making, hearing, all) = (city, progress.clone(), codes.clone());
    let rows = load.rows(move |rows| all.iter().try_for_each(|code| make(code, &making, rows, &*hearing))).await?;
    codes.iter().for_each(|code| progress.indexing(code));
    load.build_indexes().await?;
    codes.iter().for_each(|code| progress.ready(code));
    Ok(Loaded { datasets, rows, load: Load::Postgres(load) })
}

/// Makes the rows of one dataset.
fn make(code: &str, city: &City, rows: &mut dyn Rows, progress: &dyn Progress) -> Result<(), BulkError> {
    progress.began(code, city.sites.len() as u64);
    let mut done = 0;
    let mut step = |steps| {
        done += steps;
        if done % 64 == 0 {
            progress.advanced(code, 64);
        }
    };
    let step: Step<'_> = &mut step;
    match code {
        "household" => household::fill(city, rows, step),
        "shared" => shared::fill(city, rows, step),
        "land" => land::fill(city, rows, step),
        "building" => building::fill(city, rows, step),
        "zoning" => zoning::fill(city, rows, step),
        "fire" => fire::fill(city, rows, step),
        _ => Ok(()), // a dataset that the city knows nothing of stays empty
    }
}

/// Commits one database after the other: each has everything that it needs by now, so little can still fail.
async fn commit(loaded: Vec<Loaded>) -> Result<(), GenerateError> {
    let mut committed: Vec<String> = Vec::new();
    for Loaded { datasets, load, .. } in loaded {
        let result = match load {
            Load::Postgres(load) => load.commit().await,
            Load::Sqlite(load) => match tokio::task::spawn_blocking(move || load.commit()).await {
                Ok(result) => result,
                Err(error) => Err(BulkError::Stopped(error.to_string())),
            },
        };
        match result {
            Ok(()) => committed.push(datasets),
            Err(source) if committed.is_empty() => return Err(source.into()),
            Err(source) => {
                return Err(GenerateError::Half { committed: committed.join(", "), failed: datasets, source });
            }
        }
    }
    Ok(())
}
