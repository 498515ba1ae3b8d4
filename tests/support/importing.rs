//! A city's empty databases and the importer over them, for the tests that import files they write themselves.

use std::path::{Path, PathBuf};

use super::{Databases, Layout};
use cityquery::catalog::load_builtin;
use cityquery::config::Config;
use cityquery::ingest::import::{self, Counts, ImportError, Options, Report};
use cityquery::store::migrate::migrate;
use cityquery::store::upsert::Session;

/// Migrated databases without a row.
pub struct ImportCity {
    pub config: Config,
    pub databases: Databases,
}

impl ImportCity {
    pub async fn new(layout: Layout) -> ImportCity {
        let databases = Databases::empty(layout).await;
        let mut config = Config::embedded(databases.folder.path()).expect("settings");
        config.datasets = databases.connections.clone();
        migrate(&load_builtin().expect("declarations").connections(&config.datasets)).await.expect("migrated");
        ImportCity { config, databases }
    }

    /// Writes a file into the city's folder; its name may have folders before it.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.databases.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, bytes).expect("written");
        path
    }

    pub async fn run(
        &self,
        mapping: &str,
        files: &[PathBuf],
        strict: bool,
        dry_run: bool,
    ) -> Result<Report, ImportError> {
        let catalog = load_builtin().expect("declarations");
        let options = Options { rejects: self.databases.folder.path().to_owned(), strict, dry_run };
        import::run(&self.config, &catalog, mapping, files, &options, &mut |_| {}).await
    }

    pub async fn import(&self, mapping: &str, file: &Path) -> Result<Report, ImportError> {
        self.run(mapping, &[file.to_owned()], false, false).await
    }

    /// Imports a file that is in order, and tells its counts.
    pub async fn counts(&self, mapping: &str, file: &Path) -> Counts {
        let report = self.import(mapping, file).await.unwrap_or_else(|error| panic!("{mapping}: {error}"));
        report.files[0].total()
    }

    /// Why a file is refused as a whole.
    pub async fn refusal(&self, mapping: &str, file: &Path) -> String {
        self.import(mapping, file).await.err().unwrap_or_else(|| panic!("{mapping} was imported")).to_string()
    }

    /// Rows of a table, in order of their texts; `-` where there is nothing.
    pub async fn rows(&self, dataset: &str, table: &str, columns: &[&str]) -> Vec<String> {
        let connections = load_builtin().expect("declarations").connections(&self.config.datasets);
        let connection = &connections[dataset];
        let mut session = Session::begin(&connection.url).await.expect("a session");
        let names: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        let rows = session.read(connection.schema.as_deref(), table, &names).await.expect("rows");
        session.roll_back().await.expect("rolled back");
        let text = |row: Vec<Option<String>>| {
            row.into_iter().map(|value| value.unwrap_or_else(|| "-".to_owned())).collect::<Vec<_>>().join(" ")
        };
        let mut rows: Vec<String> = rows.into_iter().map(text).collect();
        rows.sort();
        rows
    }
}

/// Lines of a report's reject files: line, field, value, effect.
pub fn rejects(report: &Report) -> Vec<[String; 4]> {
    let files = report.files.iter().filter_map(|file| file.rejects.as_ref());
    let lines = files.flat_map(|path| {
        let mut reader = csv::Reader::from_path(path).expect("a reject file");
        reader.records().map(|line| line.expect("a line")).collect::<Vec<_>>()
    });
    lines.map(|line| [1, 2, 3, 6].map(|at| line[at].to_owned())).collect()
}
