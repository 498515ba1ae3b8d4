//! The datasets' tables from empty, in every layout, and that they are the tables that are declared.

use std::collections::BTreeSet;

use crate::support::{Databases, Layout, postgres};
use cityquery::catalog::load_builtin;
use cityquery::config;
use cityquery::store::{columns, control, migrate};
use sea_orm::ConnectionTrait;

#[tokio::test]
async fn every_layout_from_empty_and_again() {
    let catalog = load_builtin().expect("the built-in declarations are sound");
    let declared = catalog.declared_columns();
    for layout in Layout::all() {
        let databases = Databases::empty(layout).await;
        let connections = catalog.connections(&databases.connections);
        assert_eq!(connections.len(), 6, "{layout:?}: shared lives with household");

        let before = columns::check(&connections, &declared).await;
        if let Ok(faults) = before {
            assert!(faults.iter().any(|fault| fault.contains("table parcels is missing")), "{layout:?}: {faults:?}");
        } // a SQLite file that is not there yet cannot be asked, which is an error of its own

        assert!(migrate::pending(&connections).await.expect("asks").iter().all(|one| !one.migrations.is_empty()));
        let applied = migrate::migrate(&connections).await.unwrap_or_else(|error| panic!("{layout:?}: {error}"));
        assert!(applied.iter().all(|one| !one.migrations.is_empty()), "{layout:?}: {applied:?}");
        let again = migrate::migrate(&connections).await.unwrap_or_else(|error| panic!("{layout:?}: {error}"));
        assert!(again.iter().all(|one| one.migrations.is_empty()), "{layout:?}: {again:?}");
        assert!(migrate::pending(&connections).await.expect("asks").iter().all(|one| one.migrations.is_empty()));

        let faults = columns::check(&connections, &declared).await.expect("asks");
        assert_eq!(faults, Vec::<String>::new(), "{layout:?}");
    }
}

/// The default tables hold what is declared and nothing else: a column that nobody declared is data that no
/// rule covers.
#[tokio::test]
async fn tables_hold_exactly_what_is_declared() {
    let catalog = load_builtin().expect("the built-in declarations are sound");
    let declared: BTreeSet<(String, String, String)> =
        catalog.declared_columns().into_iter().map(|column| (column.dataset, column.table, column.column)).collect();
    let links = ["use_permit_parcels", "use_permit_addresses", "registered_building_parcels"];
    let databases = Databases::empty(Layout::SqliteFive).await;
    let connections = catalog.connections(&databases.connections);
    migrate::migrate(&connections).await.expect("migrates");
    for (dataset, connection) in &connections {
        for (table, columns) in columns::tables(connection).await.expect("asks") {
            // `shared` and `household` are in one file; each table belongs to one of them.
            let owned = declared.iter().any(|(d, t, _)| d == dataset && *t == table);
            if table.ends_with("_migrations") || table.starts_with("sqlite_") || !owned {
                continue;
            }
            for column in columns.keys().filter(|column| !(links.contains(&table.as_str()) && *column == "id")) {
                let key = (dataset.clone(), table.clone(), column.clone());
                assert!(declared.contains(&key), "{dataset}: {table}.{column} is not declared");
            }
        }
    }
}

/// A control database for each kind of server there is, empty.
async fn controls() -> Vec<(config::Control, Box<dyn std::any::Any>)> {
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = format!("sqlite:{}", folder.path().join("control.db").display());
    let mut all: Vec<(_, Box<dyn std::any::Any>)> =
        vec![(config::Control { url: sqlite, schema: None, connections: 8 }, Box::new(folder))];
    if let Some(server) = postgres::server() {
        let database = postgres::Database::create(&server).await;
        all.push((
            config::Control { url: database.url.clone(), schema: Some("office".into()), connections: 8 },
            Box::new(database),
        ));
    }
    all
}

/// Servers that migrate before they start may start together: one does it, the others find it done.
#[tokio::test(flavor = "multi_thread")]
async fn those_who_migrate_together_wait_for_one_another() {
    for (control, _kept) in controls().await {
        let one = async || {
            let db = control::connect(&control).await.expect("connects");
            assert!(control::pending(&db).await.is_ok(), "asking makes nothing, and needs nothing made");
            control::migrate(&control, &db).await.unwrap_or_else(|error| panic!("{}: {error}", control.url)).len()
        };
        let applied = futures::future::join_all((0..4).map(|_| one())).await;
        assert_eq!(applied.iter().filter(|applied| **applied > 0).count(), 1, "{applied:?}");
    }
}

/// A migration that breaks off half way leaves nothing behind: the next run begins it anew. PostgreSQL does so by itself.
#[tokio::test]
async fn a_migration_that_breaks_off_is_begun_anew() {
    let (control, _kept) = controls().await.remove(0);
    let db = control::connect(&control).await.expect("connects");
    // It stands in the way of an index that is made when the same migration has added columns to other tables.
    db.execute_unprepared("CREATE TABLE ix_sub_forms_form_id (x int)").await.expect("stands in the way");
    assert!(control::migrate(&control, &db).await.is_err());
    db.execute_unprepared("DROP TABLE ix_sub_forms_form_id").await.expect("out of the way");
    control::migrate(&control, &db).await.expect("begins anew");
    assert!(control::pending(&db).await.expect("asks").is_empty());
}

/// What a newer version has done is not touched, and is called by its name.
#[tokio::test]
async fn what_a_newer_version_migrated_is_refused() {
    for (control, _kept) in controls().await {
        let db = control::connect(&control).await.expect("connects");
        control::migrate(&control, &db).await.expect("migrates");
        let newer = "INSERT INTO control_migrations (version, applied_at) VALUES ('m20990101_000001_later', 0)";
        db.execute_unprepared(newer).await.expect("a later version");
        let told = control::migrate(&control, &db).await.expect_err("refused").to_string();
        assert!(told.contains("newer cityquery"), "{told}");
    }
}
