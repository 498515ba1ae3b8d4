//! The city's published files through the shipped mappings, on SQLite and PostgreSQL: what share is imported, that a
//! second run changes nothing, how fast it goes.

use crate::support;
use crate::support::real_data;

use std::path::PathBuf;

use crate::support::{Databases, Layout};
use cityquery::catalog::load_builtin;
use cityquery::config::Config;
use cityquery::ingest::import::{self, Counts, Options, Report};
use cityquery::store::migrate::migrate;

/// Mapping, file, rows, and how many of them at least are imported; in the order that docs/import.md names.
const FILES: &[(&str, &str, u64, u64)] = &[
    ("land-sections", "land_sections_taipei_20180814.csv", 560, 560),
    ("village-population", "village_population_taipei_2021_03.csv", 456, 456),
    ("village-events", "village_births_deaths_marriages_taipei_2026_06.csv", 456, 456),
    ("use-permits", "building_use_permits_2001_2026.csv", 8_855, 8_830),
    ("use-permit-parcels", "building_use_permit_parcels_2001_2026.csv", 45_258, 45_212),
    ("use-permit-addresses", "building_use_permit_addresses_2016_2026.csv", 74_854, 74_700),
    ("use-permit-floors", "building_use_permit_floors_2021_2026.csv", 15_609, 15_609),
    ("use-permits-json", "building_use_permits_115.json", 5_815, 5_800),
    ("addresses", "address_samples_with_village_neighbourhood.csv", 1_415, 1_402),
    ("zoning-summary", "zoning_control_summary_1150409.csv", 823, 823),
    ("zoning-codes", "zoning_code_to_category.csv", 252, 252),
    ("fire-noncompliance", "fire_major_noncompliance_202405.geojson", 16, 16),
    ("declared-land-values", "declared_land_value_sample.csv", 62, 62),
    ("real-price-sales", "real_price_registry_taipei.csv", 8_841, 8_841),
];

struct City {
    config: Config,
    databases: Databases,
}

impl City {
    async fn new(layout: Layout) -> City {
        let databases = Databases::empty(layout).await;
        let mut config = Config::embedded(databases.folder.path()).expect("settings");
        config.datasets = databases.connections.clone();
        let connections = load_builtin().expect("declarations").connections(&config.datasets);
        migrate(&connections).await.expect("migrated");
        City { config, databases }
    }

    async fn import(&self, mapping: &str, file: PathBuf) -> Report {
        let catalog = load_builtin().expect("declarations");
        let options = Options { rejects: self.databases.folder.path().to_owned(), strict: false, dry_run: false };
        let result = import::run(&self.config, &catalog, mapping, &[file], &options, &mut |_| {}).await;
        result.unwrap_or_else(|error| panic!("{mapping}: {error}"))
    }
}

fn adds_up(counts: &Counts) {
    assert_eq!(counts.read, counts.accepted + counts.rejected + counts.unchanged);
}

async fn whole_city(layout: Layout) {
    if FILES.iter().any(|(_, file, ..)| real_data::find(file).is_none()) {
        return;
    }
    let city = City::new(layout).await;
    for (mapping, file, rows, line) in FILES {
        let Some(path) = real_data::find(file) else { return };
        let report = city.import(mapping, path).await;
        let (counts, seconds) = (report.files[0].total(), report.files[0].seconds);
        let imported = counts.accepted + counts.unchanged;
        println!(
            "{layout:?} {mapping}: {} read = {} accepted + {} rejected + {} unchanged, {:.3} %; {} new, {} changed, {} left empty; {:.0} rows/s",
            counts.read,
            counts.accepted,
            counts.rejected,
            counts.unchanged,
            100.0 * imported as f64 / counts.read as f64,
            counts.inserted,
            counts.updated,
            counts.left_empty,
            counts.read as f64 / seconds
        );
        if let Some(rejects) = &report.files[0].rejects {
            let text = std::fs::read_to_string(rejects).expect("reject file");
            let refused = text.matches(",rejected,").count() as u64;
            assert_eq!(refused, counts.rejected, "{mapping}: one line for each refused row");
            text.lines().skip(1).take(8).for_each(|line| println!("    {line}"));
        }
        adds_up(&counts);
        if *mapping == "use-permits-json" {
            let permits = &report.files[0].records[0].1;
            assert_eq!((permits.read, permits.inserted, permits.rejected), (93, 0, 0), "the CSV has them all");
        }
        assert_eq!(counts.read, *rows, "{mapping}");
        assert!(imported >= *line, "{mapping}: {imported} of {rows} rows imported, {line} wanted");
    }
    // Once more: nothing changes.
    for (mapping, file, ..) in FILES {
        let Some(path) = real_data::find(file) else { return };
        let counts = city.import(mapping, path).await.files[0].total();
        adds_up(&counts);
        assert_eq!((counts.accepted, counts.inserted, counts.updated), (0, 0, 0), "{mapping} twice");
    }
}

#[tokio::test]
async fn on_sqlite() {
    whole_city(Layout::SqliteFive).await;
}

#[tokio::test]
async fn on_postgres() {
    if support::postgres::server().is_some() {
        whole_city(Layout::PostgresSchemas).await;
    }
}
