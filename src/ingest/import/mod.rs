//! Import of real files by mappings: a published file in, rows of the declared tables out. Every row is
//! accepted, unchanged or in the reject file; a file that breaks leaves every database as it was. The mapping
//! language is explained in `docs/import.md`; generated cities are `ingest::generate`'s.

mod check;
mod check_tables;
mod column;
mod csv_records;
mod csv_text;
mod decode;
mod json_records;
mod load;
mod lookup;
mod mapping;
mod numbers;
mod plan;
mod reader;
mod rejects;
mod roads;
mod row;
mod source;
mod tables;
mod template;
mod unit;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

pub use check::MappingFaults;
pub use load::Counts;
pub use mapping::{Mapping, MappingError, SHIPPED};
pub use source::SourceFault;

use load::{Loader, Sessions};
use lookup::LookupTable;
use numbers::Numbers;
use plan::{Plan, ValueKind};
use rejects::{Effect, Rejects};
use row::{Complaint, Evaluator};
use tables::Tables;

use crate::catalog::Catalog;
use crate::config::Config;
use crate::store::upsert::UpsertError;

/// Rows between two looks at the progress.
const ROWS_PER_LOOK: u64 = 5_000;

/// How to import.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder for reject files.
    pub rejects: PathBuf,
    /// Refuses a file as a whole when one of its rows is refused.
    pub strict: bool,
    /// Does everything but keep the result.
    pub dry_run: bool,
}

/// How far an import is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The file.
    pub file: &'a Path,
    /// Its rows read so far.
    pub rows: u64,
}

/// What an import did.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Report {
    /// File by file, in the order given.
    pub files: Vec<FileReport>,
}

/// What became of one file.
#[derive(Debug, Clone, serde::Serialize)]
pub struct FileReport {
    /// The file.
    pub file: PathBuf,
    /// Each `[[records]]` of the mapping and its counts: read = accepted + rejected + unchanged.
    pub records: Vec<(String, Counts)>,
    /// The reject file, if there is one.
    pub rejects: Option<PathBuf>,
    /// Tables that were to be looked up in and hold nothing, as `dataset.table`.
    pub empty_lookups: Vec<String>,
    /// How long it took.
    pub seconds: f64,
}

impl FileReport {
    /// All records together.
    pub fn total(&self) -> Counts {
        self.records.iter().fold(Counts::default(), |sum, (_, counts)| Counts {
            read: sum.read + counts.read,
            accepted: sum.accepted + counts.accepted,
            rejected: sum.rejected + counts.rejected,
            unchanged: sum.unchanged + counts.unchanged,
            left_empty: sum.left_empty + counts.left_empty,
            inserted: sum.inserted + counts.inserted,
            updated: sum.updated + counts.updated,
        })
    }
}

/// Why an import ended early. The databases are as they were before the file that is named.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No such mapping, or no TOML of its kind.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// The mapping does not fit.
    #[error(transparent)]
    Faults(#[from] MappingFaults),
    /// The file as a whole cannot be read.
    #[error("{file} {fault}", file = .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        fault: SourceFault,
    },
    /// A database cannot be used or refused a row.
    #[error("{file}: {fault}", file = .file.display())]
    Database {
        /// The file that was being imported.
        file: PathBuf,
        /// What it said.
        fault: UpsertError,
    },
    /// The databases lack tables or columns that the mapping writes.
    #[error("the databases lack what the mapping needs (run `cityquery migrate`):\n  {}", .0.join("\n  "))]
    Tables(Vec<String>),
    /// `strict`, and rows were refused.
    #[error("{file}: {rejected} of {read} rows were refused, so nothing was imported; see {rejects}",
        file = .file.display(), rejects = .rejects.display())]
    Strict {
        /// The file.
        file: PathBuf,
        /// Rows refused.
        rejected: u64,
        /// Rows read.
        read: u64,
        /// The reject file.
        rejects: PathBuf,
    },
    /// The reject file cannot be written.
    #[error("the reject file cannot be written: {0}")]
    Rejects(std::io::Error),
}

/// Imports files by a mapping (shipped, or a path). Each file is one transaction per database; the first file
/// that breaks ends the import, with the files before it in place.
pub async fn run(
    config: &Config,
    catalog: &Catalog,
    mapping: &str,
    files: &[PathBuf],
    options: &Options,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Report, ImportError> {
    let mapping = Mapping::load(mapping)?;
    let plan = check::check(&mapping, catalog)?;
    let connections = catalog.connections(&config.datasets);
    let mut report = Report::default();
    let mut reject_files = Vec::new();
    for file in files {
        let database = |fault| ImportError::Database { file: file.clone(), fault };
        let mut sessions = Sessions::begin(&plan, &connections).await.map_err(database)?;
        let rejects = Rejects::begin(&options.rejects, file, &mut reject_files).map_err(ImportError::Rejects)?;
        let done = one_file(&plan, &mut sessions, file, rejects, progress).await;
        let done = done.and_then(|done| if options.strict { without_rejects(done) } else { Ok(done) });
        match done {
            Ok(done) if options.dry_run => {
                sessions.roll_back().await.map_err(database)?;
                report.files.push(done);
            }
            Ok(done) => {
                sessions.commit().await.map_err(database)?;
                report.files.push(done);
            }
            Err(error) => {
                // What failed is worth telling, not that taking it back on a broken connection failed, too.
                let _ = sessions.roll_back().await;
                return Err(error);
            }
        }
    }
    Ok(report)
}

async fn one_file(
    plan: &Plan,
    sessions: &mut Sessions<'_>,
    file: &Path,
    mut rejects: Rejects,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<FileReport, ImportError> {
    let begun = Instant::now();
    let broken = |fault| ImportError::File { file: file.to_owned(), fault };
    let database = |fault| ImportError::Database { file: file.to_owned(), fault };
    let records = source::open(file, &plan.source, plan.needed()).map_err(broken)?;
    let tables = Tables::read(plan, sessions).await.map_err(database)?;
    if !tables.lacking.is_empty() {
        return Err(ImportError::Tables(tables.lacking.into_iter().collect()));
    }
    let mut lookups = Vec::new();
    for lookup in &plan.lookups {
        let (session, schema) = sessions.of(&lookup.dataset).map_err(database)?;
        lookups.push(LookupTable::read(lookup, schema, session).await.map_err(database)?);
    }
    let empty = plan.lookups.iter().zip(&lookups).filter(|(_, table)| table.is_empty());
    let empty_lookups = empty.map(|(lookup, _)| format!("{}.{}", lookup.dataset, lookup.table)).collect();
    let numbers = kept_numbers(plan, sessions).await.map_err(database)?;
    let mut evaluator = Evaluator::new(plan, &lookups, numbers);
    let mut loader = Loader::new(plan, &tables, sessions).map_err(database)?;
    let mut rows = 0;
    for record in records {
        let record = record.map_err(broken)?;
        for (number, of_plan) in plan.records.iter().enumerate() {
            let mut take = |item, loader: &mut Loader| {
                row(&mut evaluator, loader, &mut rejects, &of_plan.name, (number, record.line), &record.body, item)
            };
            match (&of_plan.each, &record.body) {
                // A record that is none is refused once, not for each kind of row it might have held.
                (_, source::Body::Unfit(_)) if number > 0 => {}
                (None, _) | (_, source::Body::Unfit(_)) => take(None, &mut loader).map_err(ImportError::Rejects)?,
                (Some(path), body @ source::Body::Json(_)) => {
                    for (at, item) in body.items(path).into_iter().enumerate() {
                        take(Some((item, at + 1)), &mut loader).map_err(ImportError::Rejects)?;
                    }
                }
                (Some(path), source::Body::Fields(..)) => {
                    let text = format!("`{path}` is a list inside a record, which CSV does not have");
                    return Err(broken(SourceFault::Broken(text)));
                }
            }
        }
        rows += 1;
        if loader.is_full() {
            send(&mut loader, &mut rejects, plan, file).await?;
        }
        if rows % ROWS_PER_LOOK == 0 {
            progress(Progress { file, rows });
        }
    }
    send(&mut loader, &mut rejects, plan, file).await?;
    progress(Progress { file, rows });
    let names = plan.records.iter().map(|records| records.name.clone());
    let records = names.zip(std::mem::take(&mut loader.counts)).collect();
    let rejects = rejects.finish().map_err(ImportError::Rejects)?;
    let seconds = begun.elapsed().as_secs_f64();
    Ok(FileReport { file: file.to_owned(), records, rejects, empty_lookups, seconds })
}

/// Sends what is collected, and writes down what of it gave way to rows that were there.
async fn send(loader: &mut Loader<'_, '_>, rejects: &mut Rejects, plan: &Plan, file: &Path) -> Result<(), ImportError> {
    let told = loader.send().await.map_err(|fault| ImportError::Database { file: file.to_owned(), fault })?;
    told.iter()
        .try_for_each(|(records, line, complaint)| {
            rejects.write(*line, &plan.records[*records].name, complaint, Effect::TableStays)
        })
        .map_err(ImportError::Rejects)
}

/// For `strict`: a file in which a row was refused is none.
fn without_rejects(report: FileReport) -> Result<FileReport, ImportError> {
    match (&report.rejects, report.total()) {
        (Some(path), total) if total.rejected > 0 => Err(ImportError::Strict {
            file: report.file,
            rejected: total.rejected,
            read: total.read,
            rejects: path.clone(),
        }),
        _ => Ok(report),
    }
}

/// Evaluates one row and hands it on, or writes it to the reject file.
fn row(
    evaluator: &mut Evaluator,
    loader: &mut Loader,
    rejects: &mut Rejects,
    name: &str,
    (records, line): (usize, u64),
    body: &source::Body,
    item: Option<(&serde_json::Value, usize)>,
) -> std::io::Result<()> {
    loader.counts[records].read += 1;
    let taken = if let source::Body::Unfit(found) = body {
        let (en, zh) = (format!("not a record: {found}"), format!("不是一筆資料：{found}"));
        Err(Complaint::new("", "", en, zh))
    } else {
        let outcome = evaluator.evaluate(records, body, item);
        outcome.rows.and_then(|rows| loader.take(records, line, rows)).map(|told| (outcome.notes, told))
    };
    match taken {
        Ok((notes, told)) => {
            loader.counts[records].left_empty += notes.len() as u64;
            notes.iter().try_for_each(|note| rejects.write(line, name, note, Effect::LeftEmpty))?;
            told.iter().try_for_each(|note| rejects.write(line, name, note, Effect::FirstStays))
        }
        Err(complaint) => {
            loader.counts[records].rejected += 1;
            rejects.write(line, name, &complaint, Effect::Rejected)
        }
    }
}

/// The numbers of every counter that goes on from its table, by records and value.
async fn kept_numbers(
    plan: &Plan,
    sessions: &mut Sessions<'_>,
) -> Result<HashMap<(usize, usize), Numbers>, UpsertError> {
    let mut all = HashMap::new();
    for (at, records) in plan.records.iter().enumerate() {
        for (value, of_plan) in records.values.iter().enumerate() {
            if let ValueKind::Count { kept: Some(kept), .. } = &of_plan.kind {
                let table = &records.tables[kept.table];
                let (session, schema) = sessions.of(&table.dataset)?;
                all.insert((at, value), Numbers::read(kept, table, schema, session).await?);
            }
        }
    }
    Ok(all)
}
