//! The datasets' tables from empty, in every layout, and that they are the tables that are declared.

use std::collections::BTreeSet;

use crate::support::{Databases, Layout};
use cityquery::catalog::load_builtin;
use cityquery::store::{columns, migrate};

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
