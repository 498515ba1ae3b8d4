//! Import, case by case: a folder of `tests/import` holds a file, names its mapping, and keeps what came of it.
//! UPDATE_EXPECT=1 writes the expected files anew; read the difference before committing it.

use crate::support;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::support::{Databases, Layout};
use cityquery::catalog::load_builtin;
use cityquery::config::Config;
use cityquery::ingest::import::{self, ImportError, Options, Report};
use cityquery::store::migrate::migrate;
use cityquery::store::upsert::Session;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Why the case is here.
    #[allow(dead_code)]
    about: String,
    mapping: String,
    input: String,
    encode: Option<String>,
    #[serde(default)]
    before: Vec<[String; 2]>,
    /// `dataset.table: columns`
    show: Vec<String>,
}

struct City {
    config: Config,
    databases: Databases,
}

impl City {
    async fn new(layout: Layout) -> City {
        let databases = Databases::empty(layout).await;
        let mut config = Config::embedded(databases.folder.path()).expect("settings");
        config.datasets = databases.connections.clone();
        migrate(&load_builtin().expect("declarations").connections(&config.datasets)).await.expect("migrated");
        City { config, databases }
    }

    fn rejects(&self) -> PathBuf {
        let folder = self.databases.folder.path().join("rejects");
        std::fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    async fn import(&self, mapping: &str, file: &Path, strict: bool) -> Result<Report, ImportError> {
        let catalog = load_builtin().expect("declarations");
        let options = Options { rejects: self.rejects(), strict, dry_run: false };
        import::run(&self.config, &catalog, mapping, &[file.to_owned()], &options, &mut |_| {}).await
    }

    /// The rows of a table by its surrogate key, written the same whatever database they are in.
    async fn rows(&self, dataset: &str, table: &str, columns: &[&str]) -> Vec<Vec<String>> {
        let connections = load_builtin().expect("declarations").connections(&self.config.datasets);
        let connection = &connections[dataset];
        let mut session = Session::begin(&connection.url).await.expect("a session");
        let names: Vec<String> = ["id"].iter().chain(columns).map(|name| (*name).to_owned()).collect();
        let rows = session.read(connection.schema.as_deref(), table, &names).await.expect("rows");
        session.roll_back().await.expect("rolled back");
        let mut rows: Vec<Vec<String>> = rows
            .into_iter()
            .map(|row| row.into_iter().map(|value| same_everywhere(value.as_deref())).collect())
            .collect();
        rows.sort_by_key(|row| row[0].parse::<i64>().unwrap_or(0));
        rows
    }
}

/// Decimals without trailing zeros, truth values as numbers, nulls as a dash.
fn same_everywhere(value: Option<&str>) -> String {
    match value {
        None => "-".to_owned(),
        Some("true") => "1".to_owned(),
        Some("false") => "0".to_owned(),
        Some(text) if text.contains('.') && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') => {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        Some(text) => text.replace('\n', "\\n"),
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/import")
}

fn counts(report: &Report) -> String {
    let mut text = String::new();
    for (name, counts) in &report.files[0].records {
        assert_eq!(counts.read, counts.accepted + counts.rejected + counts.unchanged, "{name} does not add up");
        let _ = writeln!(
            text,
            "{name}: {} read = {} accepted + {} rejected + {} unchanged; {} left empty",
            counts.read, counts.accepted, counts.rejected, counts.unchanged, counts.left_empty
        );
    }
    text
}

async fn outcome(name: &str, layout: Layout) -> String {
    let place = folder().join(name);
    let case: Case =
        toml::from_str(&std::fs::read_to_string(place.join("case.toml")).expect("case.toml")).expect("a case");
    let city = City::new(layout).await;
    let path_of = |mapping: &str| match mapping.ends_with(".toml") {
        true => place.join(mapping).display().to_string(),
        false => mapping.to_owned(),
    };
    for [mapping, file] in &case.before {
        city.import(&path_of(mapping), &folder().join(file), true).await.expect("what comes before");
    }
    let mut input = place.join(&case.input);
    if let Some(label) = &case.encode {
        let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).expect("an encoding");
        let text = std::fs::read_to_string(&input).expect("input");
        input = city.databases.folder.path().join(&case.input);
        std::fs::write(&input, encoding.encode(&text).0).expect("encoded");
    }
    let first = city.import(&path_of(&case.mapping), &input, false).await.expect("imported");
    let mut text = counts(&first);
    if let Some(rejects) = &first.files[0].rejects {
        let _ = write!(text, "\nrejects:\n{}", std::fs::read_to_string(rejects).expect("rejects"));
    }
    for show in &case.show {
        let (table, columns) = show.split_once(": ").expect("table: columns");
        let (dataset, name) = table.split_once('.').expect("dataset.table");
        let columns: Vec<&str> = columns.split(' ').collect();
        let _ = writeln!(text, "\n{table}: {}", columns.join(" | "));
        for row in city.rows(dataset, name, &columns).await {
            let _ = writeln!(text, "  {}", row.join(" | "));
        }
    }
    // The same again: nothing is accepted, the same rows are refused.
    let second = city.import(&path_of(&case.mapping), &input, false).await.expect("imported again");
    for ((name, before), (_, after)) in first.files[0].records.iter().zip(&second.files[0].records) {
        let expected = (0, before.rejected, before.accepted + before.unchanged, 0, 0);
        let found = (after.accepted, after.rejected, after.unchanged, after.inserted, after.updated);
        assert_eq!(found, expected, "{name} twice");
    }
    text
}

async fn all_cases(layout: Layout) {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .expect("tests/import")
        .map(|entry| entry.expect("a folder").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    for name in names {
        let found = outcome(&name, layout).await;
        let path = folder().join(&name).join("expected.txt");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&path, &found).expect("written");
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == expected, "{name} on {layout:?}: expected\n{expected}\nfound\n{found}");
    }
}

#[tokio::test]
async fn cases_on_sqlite() {
    all_cases(Layout::SqliteFive).await;
}

#[tokio::test]
async fn cases_on_postgres() {
    if support::postgres::server().is_some() {
        all_cases(Layout::PostgresSchemas).await;
    }
}
