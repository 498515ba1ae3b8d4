//! The ways in which an installation may lay out its datasets, each made fresh and empty for a test.

use std::collections::BTreeMap;

use cityquery::config::Connection;

use super::postgres;

const DATASETS: [&str; 5] = ["household", "land", "building", "zoning", "fire"];

/// A way to lay out five datasets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Five SQLite files.
    SqliteFive,
    /// One SQLite file.
    SqliteOne,
    /// Five PostgreSQL databases.
    PostgresFive,
    /// Five schemas of one PostgreSQL database.
    PostgresSchemas,
    /// One PostgreSQL database, one schema.
    PostgresOne,
}

impl Layout {
    /// All of them, or those on SQLite where the tests go without PostgreSQL.
    pub fn all() -> Vec<Layout> {
        let mut all = vec![Layout::SqliteFive, Layout::SqliteOne];
        if postgres::server().is_some() {
            all.extend([Layout::PostgresFive, Layout::PostgresSchemas, Layout::PostgresOne]);
        }
        all
    }
}

/// Empty databases, gone with this value.
pub struct Databases {
    /// Connections by dataset code, as the settings have them.
    pub connections: BTreeMap<String, Connection>,
    /// Folder for SQLite files and whatever else a test keeps.
    pub folder: tempfile::TempDir,
    _servers: Vec<postgres::Database>,
}

impl Databases {
    /// Makes empty databases in that layout; no tables yet.
    pub async fn empty(layout: Layout) -> Databases {
        let folder = tempfile::tempdir().expect("a folder");
        let mut servers = Vec::new();
        let mut connections = BTreeMap::new();
        for dataset in DATASETS {
            let first = servers.is_empty();
            let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
            let url = match layout {
                Layout::SqliteFive => file(&format!("{dataset}.db")),
                Layout::SqliteOne => file("city.db"),
                Layout::PostgresFive => new_server(&mut servers).await,
                Layout::PostgresSchemas | Layout::PostgresOne if first => new_server(&mut servers).await,
                Layout::PostgresSchemas | Layout::PostgresOne => servers[0].url.clone(),
            };
            let schema = (layout == Layout::PostgresSchemas).then(|| dataset.to_owned());
            connections.insert(dataset.to_owned(), Connection { url, schema });
        }
        Databases { connections, folder, _servers: servers }
    }
}

async fn new_server(servers: &mut Vec<postgres::Database>) -> String {
    let server = postgres::server().expect("a PostgreSQL layout is asked for only where there is a server");
    let database = postgres::Database::create(&server).await;
    let url = database.url.clone();
    servers.push(database);
    url
}
