//! Import of files that are not quite what they should be: torn quotes, other encodings, missing or doubled columns.
//! Such a file is refused as a whole and the reason says where; what is merely odd is read, with its right lines.

use crate::support::Layout;
use crate::support::importing::{ImportCity, rejects};

const CODES: &str = "area_code,simple_area_name\nR3,住宅區\nB4,商業區\nPS,公園\n";

#[tokio::test]
async fn a_quote_that_is_never_closed_breaks_the_file() {
    let city = ImportCity::new(Layout::SqliteOne).await;
    let torn = city.file("torn.csv", CODES.replace("B4,商業區", "B4,\"商業區"));
    let refusal = city.refusal("zoning-codes", &torn).await;
    assert!(refusal.contains("is broken: a quote opened on line 3 is never closed"), "{refusal}");
    // The quote of a later line closes it: what stands between would be one cell.
    let swallowed = city.file("swallowed.csv", CODES.replace("B4,商業區", "B4,\"商業區").replace("公園", "\"公園\""));
    let refusal = city.refusal("zoning-codes", &swallowed).await;
    assert!(refusal.contains("a quote opened on line 3 is closed on line 4, before more text"), "{refusal}");
    assert!(city.rows("zoning", "zone_codes", &["zone_code"]).await.is_empty());
    // Quotes in order: over two lines, doubled, inside a cell that does not begin with one.
    let sound = city.file("sound.csv", "area_code,simple_area_name\nR3,\"住\n宅\"\"區\"\nB4,商\"業\nPS,\"公園\"");
    assert_eq!(city.counts("zoning-codes", &sound).await.accepted, 3);
    let rows = city.rows("zoning", "zone_codes", &["zone_code", "category"]).await;
    assert_eq!(rows, ["B4 商\"業", "PS 公園", "R3 住\n宅\"區"]);
}

#[tokio::test]
async fn lines_are_right_whatever_ends_them() {
    let city = ImportCity::new(Layout::SqliteOne).await;
    let text = "area_code,simple_area_name\nR3,\"住\n宅區\"\n,一\n\n\n,二\nB4\n";
    for (name, end) in [("lf.csv", "\n"), ("crlf.csv", "\r\n"), ("cr.csv", "\r")] {
        let report = city.import("zoning-codes", &city.file(name, text.replace('\n', end))).await.expect("imported");
        let lines: Vec<String> = rejects(&report).into_iter().map(|[line, ..]| line).collect();
        assert_eq!(lines, ["4", "7", "8"], "{name}");
    }
}

#[tokio::test]
async fn a_column_that_stands_twice_refuses_the_file() {
    let city = ImportCity::new(Layout::SqliteOne).await;
    let twice = city.file("twice.csv", "area_code,x,simple_area_name,x,simple_area_name\nR3,1,住宅區,2,商業區\n");
    let refusal = city.refusal("zoning-codes", &twice).await;
    assert!(refusal.contains("has the column simple_area_name twice (3 and 5)"), "{refusal}");
    let idle = city.file("idle.csv", "area_code,x,simple_area_name,x\nR3,1,住宅區,2\n");
    assert_eq!(city.counts("zoning-codes", &idle).await.accepted, 1, "nobody needs x");
}

#[tokio::test]
async fn two_files_of_one_name_keep_a_reject_file_each() {
    let city = ImportCity::new(Layout::SqliteOne).await;
    let files = ["一", "二"].map(|name| city.file(&format!("{name}/codes.csv"), format!("{CODES},{name}\n")));
    for _ in 0..2 {
        let report = city.run("zoning-codes", &files, false, false).await.expect("imported");
        let names = report.files.iter().map(|file| {
            file.rejects.as_ref().expect("rejects").file_name().expect("a name").to_string_lossy().into_owned()
        });
        assert_eq!(names.collect::<Vec<_>>(), ["codes.csv.rejects.csv", "codes.csv.2.rejects.csv"]);
        assert_eq!(rejects(&report).len(), 2, "neither was overwritten");
    }
}
