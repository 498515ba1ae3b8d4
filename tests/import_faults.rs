//! Import of what is broken: the databases stay as they were, the reason is told, and nothing panics.

use std::path::PathBuf;

use crate::support::importing::ImportCity;
use crate::support::{Layout, postgres};
use cityquery::ingest::import::{ImportError, Mapping, SHIPPED};

async fn sections(city: &ImportCity) -> Vec<String> {
    city.rows("land", "land_sections", &["id", "section_key", "name"]).await
}

const SECTIONS: &str = "town_code,town_name,office_code,section_code,section_name,small_section_name\n\
                        A01,松山區,AD,0604,寶清段,一小段\nA01,松山區,AD,0655,民生段,\n";

fn many_sections(count: usize) -> String {
    let mut text = SECTIONS.to_owned();
    (0..count).for_each(|n| text.push_str(&format!("A02,大安區,AF,X{n},某{n}段,\n")));
    text
}

fn layouts() -> Vec<Layout> {
    let mut layouts = vec![Layout::SqliteFive];
    layouts.extend(postgres::server().map(|_| Layout::PostgresOne));
    layouts
}

#[tokio::test]
async fn a_broken_file_leaves_the_databases_as_they_were() {
    for layout in layouts() {
        let city = ImportCity::new(layout).await;
        city.import("land-sections", &city.file("good.csv", SECTIONS)).await.expect("good");
        let before = sections(&city).await;
        assert_eq!(before.len(), 2);

        let no_column = city.file("column.csv", "town_code,office\nA01,AD\n");
        let error = city.import("land-sections", &no_column).await.expect_err("a column is missing");
        assert!(error.to_string().contains("has no column"), "{error}");
        let torn = city.file("torn.json", "[{\"執照號碼\":\"115使字第0001號\"},{\"執");
        let error = city.import("use-permits-json", &torn).await.expect_err("torn");
        assert!(error.to_string().contains("is broken"), "{error}");
        let empty = city.file("empty.csv", "");
        city.import("land-sections", &empty).await.expect_err("empty");
        let nothing = city.databases.folder.path().join("nothing.csv");
        city.import("land-sections", &nothing).await.expect_err("not there");

        // Portions were sent already when the last row is refused.
        let late = city.file("late.csv", many_sections(25_000) + "A99,無區,AD,0001,無段,\n");
        let error = city.run("land-sections", std::slice::from_ref(&late), true, false).await.expect_err("strict");
        assert!(matches!(error, ImportError::Strict { rejected: 1, .. }), "{error}");
        let dry = city.run("land-sections", &[late], false, true).await.expect("a dry run").files[0].total();
        assert_eq!((dry.inserted, dry.rejected), (25_001, 1));
        assert_eq!(sections(&city).await, before, "{layout:?}");
    }
}

/// A mapping whose key is not the table's own makes the database refuse in the second portion.
#[tokio::test]
async fn a_refusing_database_keeps_nothing_of_the_file() {
    for layout in layouts() {
        let city = ImportCity::new(layout).await;
        let shipped = SHIPPED.iter().find(|(name, _)| *name == "land-sections").expect("shipped").1;
        let mapping = city.file("own.toml", shipped.replace("key = [\"section_key\"]", "key = [\"name\"]"));
        let twice = many_sections(25_000) + "A02,大安區,AF,X7,另一段,\n";
        let file = city.file("twice.csv", twice);
        let error = city.import(&mapping.display().to_string(), &file).await.expect_err("refused");
        assert!(matches!(error, ImportError::Database { .. }), "{error}");
        assert!(!error.to_string().contains("另一段"), "values stay out of error texts: {error}");
        assert_eq!(sections(&city).await.len(), 0, "{layout:?}");
    }
}

#[tokio::test]
async fn surrogate_keys_stay_and_only_what_differs_is_written() {
    for layout in layouts() {
        let city = ImportCity::new(layout).await;
        city.import("land-sections", &city.file("first.csv", SECTIONS)).await.expect("first");
        let changed = SECTIONS.replace("民生段", "新生段") + "A02,大安區,AF,0001,大安段,一小段\n";
        let report = city.import("land-sections", &city.file("second.csv", changed)).await.expect("second");
        let counts = report.files[0].total();
        // 大安區 is new among the districts, too.
        assert_eq!((counts.accepted, counts.unchanged, counts.inserted, counts.updated), (2, 1, 2, 1), "{layout:?}");
        let rows = sections(&city).await;
        assert_eq!(rows, ["1 AD0604 寶清段一小段", "2 AD0655 新生段", "3 AF0001 大安段一小段"], "{layout:?}");
    }
}

#[tokio::test]
async fn a_mapping_tells_every_fault_at_once() {
    let city = ImportCity::new(Layout::SqliteOne).await;
    let faulty = city.file(
        "faulty.toml",
        r#"
title = "faulty"
[[records]]
name = "r"
[records.values]
a = { from = "{b}", read = "addresses" }
b = { from = "{a}", read = "nonsense" }
c = { lookup = "missing", with = [] }
[[records.tables]]
dataset = "land"
table = "land_sections"
key = ["section_key", "no_key"]
[records.tables.columns]
section_key = "{a.nothing}"
colour = "x"
name = { from = "n", lenient = true }
"#,
    );
    let file = city.file("any.csv", "x\n1\n");
    let error = city.import(&faulty.display().to_string(), &file).await.expect_err("faulty").to_string();
    for said in [
        "a needs itself",
        "b needs itself",
        "no reader `nonsense`",
        "no lookup `missing`",
        "key column no_key",
        "no part `nothing`",
        "no such column",
        "cannot be lenient",
        "district_code is never empty",
    ] {
        assert!(error.contains(said), "`{said}` is missing in\n{error}");
    }
    assert!(Mapping::load("nothing-of-the-kind").is_err());
    let typo = city.file("typo.toml", "title = \"t\"\nrecord = []\n");
    assert!(city.import(&typo.display().to_string(), &file).await.is_err());
}

/// Every shipped mapping over bytes of all kinds: an error or counts that add up, never a panic.
#[tokio::test]
async fn odd_bytes_never_panic() {
    let city = ImportCity::new(Layout::SqliteOne).await;
    let cases = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/import");
    let mut inputs: Vec<Vec<u8>> = Vec::new();
    for case in std::fs::read_dir(cases).expect("cases") {
        for file in std::fs::read_dir(case.expect("case").path()).expect("files") {
            let path = file.expect("file").path();
            if path.file_stem().is_some_and(|stem| stem == "input") {
                inputs.push(std::fs::read(path).expect("input"));
            }
        }
    }
    // A fixed stream of numbers: a failure can be run again.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    for round in 0..400 {
        let mut bytes = inputs[next(inputs.len())].clone();
        for _ in 0..=next(12) {
            let at = next(bytes.len());
            match next(4) {
                0 => bytes[at] = next(256) as u8,
                1 => bytes.truncate(at.max(1)),
                2 => bytes.insert(at, b"\",\n\r{}[]\0\xff"[next(10)]),
                _ => {
                    let end = (at + next(40)).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    let to = next(bytes.len());
                    bytes.splice(to..to, piece);
                }
            }
        }
        let (mapping, _) = SHIPPED[next(SHIPPED.len())];
        let file = city.file(["odd.csv", "odd.json", "odd.geojson"][round % 3], &bytes);
        if let Ok(report) = city.run(mapping, &[file], false, true).await {
            for (name, counts) in &report.files[0].records {
                assert_eq!(
                    counts.read,
                    counts.accepted + counts.rejected + counts.unchanged,
                    "{mapping} {name} in round {round}"
                );
            }
        }
    }
}
