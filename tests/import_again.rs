//! Import of the same things again: a file in parts, a corrected row, another file about the same rows. What is
//! there is confirmed or completed, and never written over by what knows less.

use crate::support::importing::{ImportCity, rejects};
use crate::support::{Layout, postgres};

fn layouts() -> Vec<Layout> {
    let mut layouts = vec![Layout::SqliteFive];
    layouts.extend(postgres::server().map(|_| Layout::PostgresOne));
    layouts
}

const PERMITS: &str = include_str!("import/permit_floors/permits.csv");
const FLOORS: [&str; 6] = [
    "112使字第0001號,地下1樓,138.5,3.2,停車空間",
    "112使字第0001號,地下1樓,85.23,3.2,機械室",
    "112使字第0001號,地上1樓,68.54,4.2,(第十九組)零售業(G3)",
    "112使字第0001號,地上2樓,68.54,3.2,(第二組)多戶住宅(H2)",
    "112使字第0002號,地上1樓,20,3,(H2)",
    "112使字第0002號,地上2樓,20,3,(H2)",
];

fn floors(rows: &[&str]) -> String {
    format!("permit_no,floor_label,area_sqm,height_m,use_raw\n{}\n", rows.join("\n"))
}

async fn city_with_permits(layout: Layout) -> ImportCity {
    let city = ImportCity::new(layout).await;
    city.counts("use-permits", &city.file("permits.csv", PERMITS)).await;
    city
}

async fn floor_rows(city: &ImportCity) -> Vec<String> {
    city.rows("building", "use_permit_floors", &["permit_no", "seq", "floor_label", "use_text"]).await
}

/// Numbers that the file leaves to the importer count on from what is there.
#[tokio::test]
async fn a_file_in_parts_and_a_corrected_row_make_the_same_table() {
    for layout in layouts() {
        let whole = city_with_permits(layout).await;
        whole.counts("use-permit-floors", &whole.file("whole.csv", floors(&FLOORS))).await;
        let expected = floor_rows(&whole).await;
        assert_eq!(expected.len(), 6);

        let parts = city_with_permits(layout).await;
        for (from, to) in [(0, 2), (2, 6), (1, 4)] {
            parts.counts("use-permit-floors", &parts.file("part.csv", floors(&FLOORS[from..to]))).await;
        }
        assert_eq!(floor_rows(&parts).await, expected, "{layout:?}: in parts");

        let corrected = city_with_permits(layout).await;
        let slip = FLOORS[1].replace("85.23", "八十五");
        let mut rows = FLOORS;
        rows[1] = &slip;
        let counts = corrected.counts("use-permit-floors", &corrected.file("slip.csv", floors(&rows))).await;
        assert_eq!((counts.accepted, counts.rejected), (5, 1));
        corrected.counts("use-permit-floors", &corrected.file("corrected.csv", floors(&FLOORS[1..2]))).await;
        assert_eq!(floor_rows(&corrected).await, expected, "{layout:?}: corrected");
        let again = corrected.counts("use-permit-floors", &corrected.file("whole.csv", floors(&FLOORS))).await;
        assert_eq!((again.unchanged, again.updated), (6, 0));
    }
}

#[tokio::test]
async fn numbers_that_are_kept_stand_in_a_key() {
    let city = ImportCity::new(Layout::SqliteOne).await;
    let shipped = include_str!("../src/ingest/mappings/use-permit-floors.toml");
    let file = city.file("floors.csv", floors(&FLOORS));
    for (from, to, said) in [
        ("seq = \"seq\"", "seq = \"{seq}\"", "seq: `same` needs a table that has this number alone in its key"),
        ("same = [\"floor_label\"", "same = [\"colour\"", "seq: `same` names colour, which building.use_permit_floors"),
        ("same = [\"floor_label\"", "same = [\"seq\"", "seq: `same` names seq, which is part of the key"),
    ] {
        let mapping = shipped.replace(from, to);
        assert_ne!(mapping, shipped);
        let refusal = city.refusal(&city.file("own.toml", mapping).display().to_string(), &file).await;
        assert!(refusal.contains(said), "{refusal}");
    }
}

/// Two lists about the same floors: the one that says nothing of a floor's use leaves what the other one said.
#[tokio::test]
async fn an_empty_cell_does_not_erase() {
    for layout in layouts() {
        let city = city_with_permits(layout).await;
        let full = city.file("full.csv", floors(&FLOORS));
        let sparse = FLOORS.map(|row| row.rsplit_once(',').expect("fields").0.to_owned() + ",");
        let sparse = city.file("sparse.csv", floors(&sparse.each_ref().map(String::as_str)));
        city.counts("use-permit-floors", &full).await;
        let expected = floor_rows(&city).await;
        for file in [&sparse, &full] {
            let counts = city.counts("use-permit-floors", file).await;
            assert_eq!((counts.unchanged, counts.updated), (6, 0), "{layout:?}");
        }
        assert_eq!(floor_rows(&city).await, expected, "{layout:?}");
        // A use that is told is told as a whole: its group does not outlive it.
        let changed = ["112使字第0002號,地上1樓,20,,(G3)", "112使字第0002號,地上2樓,20,,停車空間"];
        assert_eq!(city.counts("use-permit-floors", &city.file("changed.csv", floors(&changed))).await.updated, 2);
        let columns = ["seq", "height_m", "use_text", "use_group"];
        let rows = city.rows("building", "use_permit_floors", &columns).await.join("\n").replace(".00", "");
        assert!(rows.contains("1 3 (G3) G3") && rows.contains("2 3 停車空間 -"), "{rows}");
    }
}

const PLATE: &str = "臺北市松山區八德路四段640號2樓";
const NEIGHBOURHOODS: [&str; 3] = ["address_key", "village_code", "neighbourhood_no"];

#[tokio::test]
async fn what_a_row_lacks_is_filled_in_and_what_it_has_stays() {
    for layout in layouts() {
        let city = ImportCity::new(layout).await;
        let villages = include_str!("import/villages/population.csv");
        city.counts("village-population", &city.file("villages.csv", villages)).await;
        let permit = format!("permit_no,address_raw\n105使字第0233號,{PLATE}\n");
        city.counts("use-permit-addresses", &city.file("permit.csv", permit)).await;
        let key = "松山區八德路4段640號2樓";
        assert_eq!(city.rows("shared", "addresses", &NEIGHBOURHOODS).await, [format!("{key} - -")]);

        let with = |place: &str| PLATE.replace("松山區", &format!("松山區{place}"));
        let list = format!("addr\n{}\n{}\n{}\n{PLATE}\n", with("莊敬里"), with("莊敬里001鄰"), with("莊敬里009鄰"));
        let list = city.file("list.csv", list);
        let report = city.import("addresses", &list).await.expect("imported");
        let counts = report.files[0].total();
        assert_eq!((counts.accepted, counts.rejected, counts.unchanged), (2, 0, 2), "{layout:?}");
        let [line, _, value, _] = &rejects(&report)[0];
        assert_eq!((line.as_str(), value.as_str()), ("4", key));
        let filled = [format!("{key} 63000010002 001")];
        assert_eq!(city.rows("shared", "addresses", &NEIGHBOURHOODS).await, filled);

        let again = city.counts("addresses", &list).await;
        assert_eq!((again.accepted, again.rejected, again.unchanged), (0, 0, 4), "{layout:?}");
        // A later file says otherwise: what stands there stays.
        let other = city.file("other.csv", format!("addr\n{}\n", with("東榮里002鄰")));
        assert_eq!(city.counts("addresses", &other).await.updated, 0);
        assert_eq!(city.rows("shared", "addresses", &NEIGHBOURHOODS).await, filled);
    }
}

/// Where a plate names no district, only the city's list of roads may say it, not what happens to be in the table.
#[tokio::test]
async fn a_district_is_told_by_a_road_of_one_district_alone() {
    let city = ImportCity::new(Layout::SqliteOne).await;
    let known = "permit_no,address_raw\n105使字第0233號,臺北市文山區羅斯福路五段7號\n\
                 105使字第0233號,臺北市大安區36巷5號\n";
    city.counts("use-permit-addresses", &city.file("permit.csv", known)).await;
    let list = "addr\n羅斯福路五段9號\n饒河街199號\n22巷7號\n無此街1號\n";
    for round in [1, 2] {
        let report = city.import("addresses", &city.file("list.csv", list)).await.expect("imported");
        let lines: Vec<String> = rejects(&report).into_iter().map(|[line, ..]| line).collect();
        assert_eq!(lines, ["2", "4", "5"], "round {round}");
    }
    let keys = city.rows("shared", "addresses", &["address_key"]).await;
    assert_eq!(keys, ["大安區36巷5號", "文山區羅斯福路5段7號", "松山區饒河街199號"]);
}

/// What another file gave before stays where this one would only fill gaps, and is told: nothing is dropped in silence.
#[tokio::test]
async fn what_gives_way_to_an_earlier_file_is_told() {
    const PLATE: &str = "松山區八德路4段640號2樓";
    for layout in layouts() {
        let city = ImportCity::new(layout).await;
        let villages = city.file("villages.csv", include_str!("import/villages/population.csv"));
        city.counts("village-population", &villages).await;
        let file = |name, neighbourhood| {
            city.file(name, format!("addr\n信義區松高路9號\n臺北市松山區莊敬里{neighbourhood}鄰八德路四段640號2樓\n"))
        };
        city.counts("addresses", &file("first.csv", "001")).await;
        for time in ["once", "twice"] {
            let report = city.import("addresses", &file("other.csv", "009")).await.expect("imports");
            let told = [["3", "address_key", PLATE, "table stays"].map(str::to_owned)];
            assert_eq!(rejects(&report), told, "{layout:?}, {time}");
            let counts = report.files[0].total();
            assert_eq!((counts.read, counts.unchanged, counts.updated), (2, 2, 0), "{layout:?}, {time}");
        }
        let rows = city.rows("shared", "addresses", &["address_key", "neighbourhood_no"]).await;
        assert_eq!(rows, ["信義區松高路9號 -", &format!("{PLATE} 001")], "{layout:?}");
        let same = city.import("addresses", &file("same.csv", "001")).await.expect("imports");
        assert_eq!(rejects(&same).len(), 0, "{layout:?}: what is the same gives way to nothing");
    }
}

/// Two lists about the same rows, each with a column of its own: neither is taken for the other.
#[tokio::test]
async fn one_table_may_be_written_from_several_places() {
    let lists = |name: &str, column: &str| {
        format!(
            r#"
[[records]]
name = "{name}"
each = "{name}"
[[records.tables]]
dataset = "household"
table = "villages"
key = ["village_code"]
mode = "keep"
[records.tables.columns]
village_code = "item/code"
name = "item/name"
district_code = "=63000010"
{column} = "item/count"
"#
        )
    };
    let mapping = format!("title = \"t\"\n[source]\n{}{}", lists("born", "births"), lists("died", "deaths"));
    let village =
        |at: u32, name: &str, count: &str| format!(r#"{{"code":"6300001000{at}","name":"{name}","count":"{count}"}}"#);
    let born = [village(2, "莊敬里", ""), village(3, "東榮里", "2"), village(4, "三民里", "3")].join(",");
    let died = [village(2, "莊敬里", "4"), village(3, "東榮里", "2"), village(4, "三民里", "5")].join(",");
    let text = format!(r#"[{{"born":[{born}],"died":[{died}]}}]"#);
    for layout in layouts() {
        let city = ImportCity::new(layout).await;
        let own = city.file("own.toml", &mapping).display().to_string();
        let counts = city.counts(&own, &city.file("villages.json", &text)).await;
        assert_eq!((counts.read, counts.accepted, counts.rejected), (6, 6, 0), "{layout:?}");
        let rows = city.rows("household", "villages", &["name", "births", "deaths"]).await;
        assert_eq!(rows, ["三民里 3 5", "東榮里 2 2", "莊敬里 - 4"], "{layout:?}");
        assert_eq!(city.counts(&own, &city.file("villages.json", &text)).await.unchanged, 6, "{layout:?}");
    }
}

/// Numbers that the table keeps are read once nobody else writes it: whoever waited counts on from what the other wrote.
#[tokio::test]
async fn two_imports_at_once_keep_each_others_rows() {
    if postgres::server().is_none() {
        return;
    }
    let city = city_with_permits(Layout::PostgresOne).await;
    let parts = [city.file("first.csv", floors(&FLOORS[0..2])), city.file("second.csv", floors(&FLOORS[2..4]))];
    let (first, second) =
        tokio::join!(city.counts("use-permit-floors", &parts[0]), city.counts("use-permit-floors", &parts[1]));
    assert_eq!((first.inserted, second.inserted), (2, 2));
    assert_eq!((first.updated, second.updated), (0, 0));
    assert_eq!(floor_rows(&city).await.len(), 4);
}
