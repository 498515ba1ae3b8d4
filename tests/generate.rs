//! The synthetic city: the same on every database, consistent, whole, and holding what the cross queries ask for.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::support::{Databases, Layout, digest};
use cityquery::catalog::scalar::Scalar;
use cityquery::catalog::{FieldKind, load_builtin};
use cityquery::config::Connection;
use cityquery::ingest::generate::{self, Options, Quiet};
use cityquery::store::layout::sqlite_file;
use cityquery::store::migrate;

const SCALE: f64 = 0.002;

async fn migrated(layout: Layout) -> (Databases, BTreeMap<String, Connection>) {
    let catalog = load_builtin().expect("the built-in declarations are sound");
    let databases = Databases::empty(layout).await;
    let connections = catalog.connections(&databases.connections);
    migrate::migrate(&connections).await.unwrap_or_else(|error| panic!("{layout:?}: {error}"));
    (databases, connections)
}

async fn generate(connections: &BTreeMap<String, Connection>, seed: u64, replace: bool) -> Result<(), String> {
    let options = Options { scale: SCALE, seed, replace };
    generate::run(connections, options, Arc::new(Quiet)).await.map(|_| ()).map_err(|error| error.to_string())
}

async fn digests(connections: &BTreeMap<String, Connection>) -> BTreeMap<&'static str, (u64, u64)> {
    let mut all = BTreeMap::new();
    for (dataset, connection) in connections {
        all.extend(digest::tables(dataset, connection).await);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_city_on_every_database() {
    let mut first: Option<BTreeMap<&'static str, (u64, u64)>> = None;
    for layout in Layout::all() {
        let (_databases, connections) = migrated(layout).await;
        generate(&connections, 7, false).await.unwrap_or_else(|error| panic!("{layout:?}: {error}"));
        let city = digests(&connections).await;
        for (table, (rows, _)) in &city {
            assert!(*rows > 0, "{layout:?}: {table} is empty");
        }
        let expected = first.get_or_insert_with(|| city.clone());
        assert_eq!(*expected, city, "{layout:?}");

        // Filled tables are refused, and stay as they are; replaced, they hold the other city; and back.
        let refused = generate(&connections, 8, false).await.expect_err("filled tables are refused");
        assert!(refused.contains("--replace"), "{refused}");
        assert_eq!(*expected, digests(&connections).await, "{layout:?}: after a refusal");
        if matches!(layout, Layout::SqliteOne | Layout::PostgresSchemas) {
            generate(&connections, 8, true).await.expect("replaces");
            assert_ne!(*expected, digests(&connections).await, "{layout:?}: another seed, another city");
            generate(&connections, 7, true).await.expect("replaces");
            assert_eq!(*expected, digests(&connections).await, "{layout:?}: back to the first seed");
        }
    }
}

/// Everything in one file, so that plain SQL sees all datasets.
async fn in_one_file(seed: u64) -> (Databases, rusqlite::Connection) {
    let (databases, connections) = migrated(Layout::SqliteOne).await;
    generate(&connections, seed, false).await.expect("makes a city");
    let file = sqlite_file(&connections["land"].url).expect("a SQLite file");
    let database = rusqlite::Connection::open(file).expect("opens");
    (databases, database)
}

fn count(database: &rusqlite::Connection, sql: &str) -> i64 {
    database.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_leads_nowhere() {
    let (_databases, database) = in_one_file(1).await;
    let keys = [
        ("households.address_key", "addresses.address_key"),
        ("households.plate_key", "addresses.address_key"),
        ("households.head_person_id", "persons.national_id"),
        ("households.village_code", "villages.village_code"),
        ("persons.household_no", "households.household_no"),
        ("persons.father_id", "persons.national_id"),
        ("persons.mother_id", "persons.national_id"),
        ("persons.spouse_id", "persons.national_id"),
        ("household_events.person_id", "persons.national_id"),
        ("addresses.village_code", "villages.village_code"),
        ("addresses.district_code", "districts.district_code"),
        ("addresses.plate_key", "addresses.address_key"),
        ("parcels.section_key", "land_sections.section_key"),
        ("land_ownerships.parcel_key", "parcels.parcel_key"),
        ("land_rights.parcel_key", "parcels.parcel_key"),
        ("registered_buildings.section_key", "land_sections.section_key"),
        ("registered_buildings.address_key", "addresses.address_key"),
        ("registered_buildings.use_permit_no", "use_permits.permit_no"),
        ("registered_buildings.shared_building_key", "registered_buildings.building_key"),
        ("registered_building_parcels.building_key", "registered_buildings.building_key"),
        ("registered_building_parcels.parcel_key", "parcels.parcel_key"),
        ("building_ownerships.building_key", "registered_buildings.building_key"),
        ("building_rights.building_key", "registered_buildings.building_key"),
        ("use_permit_parcels.permit_no", "use_permits.permit_no"),
        ("use_permit_parcels.parcel_key", "parcels.parcel_key"),
        ("use_permit_addresses.permit_no", "use_permits.permit_no"),
        ("use_permit_addresses.address_key", "addresses.address_key"),
        ("use_permit_floors.permit_no", "use_permits.permit_no"),
        ("use_permits.original_permit_no", "construction_permits.permit_no"),
        ("construction_permits.address_key", "addresses.address_key"),
        ("illegal_structures.address_key", "addresses.address_key"),
        ("illegal_structures.use_permit_no", "use_permits.permit_no"),
        ("safety_declarations.use_permit_no", "use_permits.permit_no"),
        ("parcel_zones.parcel_key", "parcels.parcel_key"),
        ("parcel_zones.zone_no", "zones.zone_no"),
        ("zones.rule_key", "zone_rules.rule_key"),
        ("zones.zone_code", "zone_codes.zone_code"),
        ("fire_premises.address_key", "addresses.address_key"),
        ("fire_premises.plate_key", "addresses.address_key"),
        ("fire_premises.use_permit_no", "use_permits.permit_no"),
        ("fire_inspections.premises_no", "fire_premises.premises_no"),
        ("fire_violations.premises_no", "fire_premises.premises_no"),
        ("fire_violations.inspection_no", "fire_inspections.inspection_no"),
        ("maintenance_reports.premises_no", "fire_premises.premises_no"),
    ];
    for (from, to) in keys {
        let ((from_table, from), (to_table, to)) = (from.split_once('.').unwrap(), to.split_once('.').unwrap());
        let lost = format!(
            "SELECT count(*) FROM {from_table} f WHERE f.{from} IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM {to_table} t WHERE t.{to} = f.{from})"
        );
        assert_eq!(count(&database, &lost), 0, "{from_table}.{from} → {to_table}.{to}");
    }
    // Every parcel has its owners and lies in zones, all of it.
    let without = "SELECT count(*) FROM parcels p WHERE NOT EXISTS (SELECT 1 FROM land_ownerships o WHERE o.parcel_key = p.parcel_key)";
    assert_eq!(count(&database, without), 0);
    let ratios = "SELECT count(*) FROM (SELECT sum(ratio_pct) s FROM parcel_zones GROUP BY parcel_key) WHERE abs(s - 100) > 0.001";
    assert_eq!(count(&database, ratios), 0);
    let overlaps = "SELECT count(*) FROM (SELECT p.area_m2 a, sum(z.overlap_m2) s FROM parcels p JOIN parcel_zones z \
                    ON z.parcel_key = p.parcel_key GROUP BY p.parcel_key) WHERE abs(s - a) > 0.001";
    assert_eq!(count(&database, overlaps), 0);
    // Owners: some are the city's people, some are not; nobody outside has the number of somebody inside.
    let strangers = "SELECT count(*) FROM land_ownerships o JOIN persons p ON p.national_id = o.owner_id WHERE p.name <> o.owner_name";
    assert_eq!(count(&database, strangers), 0);
    assert!(
        count(
            &database,
            "SELECT count(*) FROM land_ownerships o WHERE owner_kind = '自然人' AND NOT EXISTS (SELECT 1 FROM persons p WHERE p.national_id = o.owner_id)"
        ) > 0
    );
    let nothing_later = "SELECT (SELECT count(*) FROM persons WHERE birth_date > '2026-06-30' OR died_on > '2026-06-30') \
         + (SELECT count(*) FROM fire_inspections WHERE inspected_on > '2026-06-30') \
         + (SELECT count(*) FROM land_ownerships WHERE registered_on > '2026-06-30') \
         + (SELECT count(*) FROM use_permits WHERE issued_on > '2026-06-30' OR completed_on > issued_on)";
    assert_eq!(count(&database, nothing_later), 0);
}

/// The shares of each parcel and of each building add up to exactly 1; joint owners hold theirs together.
#[tokio::test(flavor = "multi_thread")]
async fn shares_add_up_to_one() {
    let (_databases, database) = in_one_file(1).await;
    for (table, key) in [("land_ownerships", "parcel_key"), ("building_ownerships", "building_key")] {
        let sql = format!(
            "SELECT {key}, share_numerator, share_denominator FROM {table} WHERE share_class IS NOT 'B' \
             UNION ALL SELECT {key}, min(share_numerator), min(share_denominator) FROM {table} WHERE share_class = 'B' \
             GROUP BY {key}, received_no ORDER BY 1"
        );
        let mut statement = database.prepare(&sql).unwrap();
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, String>(0)?, (row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))))
            .unwrap();
        let mut sums: BTreeMap<String, (i128, i128)> = BTreeMap::new();
        for row in rows {
            let (thing, (n, d)) = row.unwrap();
            let sum = sums.entry(thing).or_insert((0, 1));
            let (n, d) = (sum.0 * i128::from(d) + i128::from(n) * sum.1, sum.1 * i128::from(d));
            let divisor = gcd(n, d);
            *sum = (n / divisor, d / divisor);
        }
        let wrong: Vec<_> = sums.iter().filter(|(_, sum)| **sum != (1, 1)).take(5).collect();
        assert!(wrong.is_empty(), "{table}: {wrong:?} of {}", sums.len());
    }
    assert!(count(&database, "SELECT max(share_denominator) FROM land_ownerships") >= 8_618_400);
    assert!(count(&database, "SELECT count(*) FROM land_ownerships WHERE share_class = 'B'") > 0);
}

fn gcd(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// National ids and firms' numbers have right check digits, written here a second time and from the rule alone.
#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_valid_and_nobody_has_anothers() {
    let (_databases, database) = in_one_file(3).await;
    let mut statement = database
        .prepare(
            "SELECT national_id FROM persons UNION SELECT owner_id FROM land_ownerships WHERE owner_kind = '自然人'",
        )
        .unwrap();
    let ids: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(ids.len() > 5_000);
    for id in &ids {
        assert!(national_id_is_valid(id), "{id}");
    }
    let mut statement = database
        .prepare(
            "SELECT owner_id FROM land_ownerships WHERE owner_kind = '法人' UNION SELECT holder_id FROM land_rights",
        )
        .unwrap();
    for id in statement.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap) {
        assert!(firm_id_is_valid(&id), "{id}");
    }
    assert_eq!(count(&database, "SELECT count(*) - count(DISTINCT national_id) FROM persons"), 0);
    assert_eq!(
        count(
            &database,
            "SELECT count(*) FROM persons WHERE (substr(national_id, 2, 1) IN ('1', '8')) <> (sex = '男')"
        ),
        0
    );
    assert_eq!(
        count(&database, "SELECT count(*) FROM persons WHERE notes NOT LIKE '合成資料%'"),
        0,
        "every person says so"
    );
}

fn national_id_is_valid(id: &str) -> bool {
    let bytes = id.as_bytes();
    let Some(letter) = "ABCDEFGHJKLMNPQRSTUVXYWZIO".find(char::from(bytes[0])) else { return false };
    let value = letter as u32 + 10;
    let digits: Vec<u32> = bytes[1..].iter().map(|byte| u32::from(byte - b'0')).collect();
    let weights = [8, 7, 6, 5, 4, 3, 2, 1, 1];
    let sum: u32 = digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum();
    digits.len() == 9 && [1, 2, 8, 9].contains(&digits[0]) && (value / 10 + value % 10 * 9 + sum).is_multiple_of(10)
}

fn firm_id_is_valid(id: &str) -> bool {
    let products = id.bytes().zip([1, 2, 1, 2, 1, 2, 4, 1]).map(|(byte, weight)| u32::from(byte - b'0') * weight);
    id.len() == 8 && products.map(|product| product / 10 + product % 10).sum::<u32>() % 10 == 0
}

/// What the city writes is what the scalars read: keys in their canonical form, addresses as people write them.
#[tokio::test(flavor = "multi_thread")]
async fn every_value_is_in_its_canonical_form() {
    let catalog = load_builtin().expect("the built-in declarations are sound");
    let (_databases, database) = in_one_file(4).await;
    let texts = |sql: &str| -> Vec<(String, String)> {
        let mut statement = database.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    };
    let (mut checked, mut wrong) = (0, Vec::new());
    for field in &catalog.fields {
        let FieldKind::Column(column) = &field.kind else { continue };
        if !matches!(
            column.scalar,
            Scalar::NationalId
                | Scalar::ParcelNumber
                | Scalar::BuildingNumber
                | Scalar::PermitNumber
                | Scalar::AddressKey
        ) {
            continue;
        }
        let (name, table) = (&column.name, &catalog.type_def(field.owner).table);
        for (value, _) in texts(&format!("SELECT DISTINCT {name}, {name} FROM {table} WHERE {name} IS NOT NULL")) {
            let read = column.scalar.parse_text(&value).map_err(|expected| expected.en.to_owned());
            if read.as_ref() != Ok(&value) {
                wrong.push(format!("{}: {value} read as {read:?}", field.coordinate));
            }
            checked += 1;
        }
    }
    assert!(checked > 20_000, "{checked}");
    for (text, key) in texts("SELECT text, address_key FROM addresses") {
        let read = Scalar::AddressKey.parse_text(&text).map_err(|expected| expected.en.to_owned());
        if read.as_ref() != Ok(&key) {
            wrong.push(format!("{text}: read as {read:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {checked}:\n{}", wrong.len(), wrong[..wrong.len().min(30)].join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_extremes_are_there() {
    let (_databases, database) = in_one_file(5).await;
    assert_eq!(count(&database, "SELECT count(*) FROM use_permit_parcels WHERE permit_no = '098使字第0001號'"), 471);
    assert_eq!(count(&database, "SELECT count(*) FROM use_permit_addresses WHERE permit_no = '102使字第0001號'"), 1459);
    assert_eq!(count(&database, "SELECT count(*) FROM persons WHERE national_id = 'A123456789'"), 1);
}

/// The cross queries of the domain, in plain SQL: each finds something in every city, however small.
#[tokio::test(flavor = "multi_thread")]
async fn every_cross_query_finds_something() {
    for seed in [1, 2, 42] {
        let (_databases, database) = in_one_file(seed).await;
        for (number, sql) in include_str!("generate/cross_queries.sql").split(";\n").map(str::trim).enumerate() {
            if !sql.is_empty() {
                let found = count(&database, &format!("SELECT count(*) FROM ({sql})"));
                assert!(found > 0, "seed {seed}: query {} finds nothing:\n{sql}", number + 1);
            }
        }
    }
}

/// A load that is killed leaves tables and indexes as they were, and the next one works.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_load_leaves_nothing_behind() {
    let (databases, connections) = migrated(Layout::SqliteFive).await;
    let indexes = |file: &str| {
        let database = rusqlite::Connection::open(databases.folder.path().join(file)).unwrap();
        count(&database, "SELECT count(*) FROM sqlite_master WHERE type = 'index'")
    };
    let before = indexes("land.db");
    assert!(before > 20);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cityquery"));
    for (dataset, connection) in &databases.connections {
        command.env(format!("CITYQUERY__DATASETS__{}__URL", dataset.to_uppercase()), &connection.url);
    }
    command.current_dir(databases.folder.path()).args(["generate", "--scale", "0.2"]);
    let mut load = command.stdout(std::process::Stdio::null()).spawn().expect("starts");
    let file = databases.folder.path().join("land.db");
    let empty = std::fs::metadata(&file).unwrap().len();
    // Rows have reached the file when it has grown well beyond its empty tables.
    while std::fs::metadata(&file).unwrap().len() < empty + 4_000_000 {
        assert_eq!(load.try_wait().expect("asks"), None, "it ended by itself");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    load.kill().expect("is killed");
    load.wait().expect("is gone");

    assert_eq!(indexes("land.db"), before);
    let database = rusqlite::Connection::open(&file).unwrap();
    assert_eq!(count(&database, "SELECT count(*) FROM parcels"), 0);
    assert_eq!(count(&database, "SELECT count(*) FROM registered_buildings"), 0);
    drop(database);
    generate(&connections, 1, false).await.expect("the next load works");
}
