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
async fn a_field_that_no_record_has_refuses_the_file() {
    let city = ImportCity::new(Layout::SqliteOne).await;
    let whole = include_str!("import/permits_json/input.json");
    city.import("use-permits-json", &city.file("whole.json", whole)).await.expect("empty texts stand for empty lists");
    for (from, to, missing) in
        [("竣工日期", "完工日期", "竣工日期"), ("戶數", "戶", "建物資訊/戶數"), ("樓層\"", "層\"", "建築概要/樓層")]
    {
        let renamed = city.file("renamed.json", whole.replace(from, to));
        let refusal = city.refusal("use-permits-json", &renamed).await;
        assert!(refusal.contains(&format!("has no field {missing} in any of its records")), "{refusal}");
    }
    let completed = city.rows("building", "use_permits", &["completed_on"]).await;
    assert_eq!(completed, ["2025-09-01"], "nothing was erased");
    // A list without a record lacks nothing.
    city.import("use-permits-json", &city.file("none.json", "[]")).await.expect("an empty list");
}

#[tokio::test]
async fn a_field_may_be_missing_where_the_mapping_says_so() {
    let city = ImportCity::new(Layout::SqliteOne).await;
    let mapping = |optional: &str| {
        format!(
            r#"title = "codes"
[source]
{optional}
[[records]]
name = "codes"
[[records.tables]]
dataset = "zoning"
table = "zone_codes"
key = ["zone_code"]
[records.tables.columns]
zone_code = "code"
category = "category"
"#
        )
    };
    let strict = city.file("strict.toml", mapping("")).display().to_string();
    let open = city.file("open.toml", mapping("optional = [\"category\"]")).display().to_string();
    for (name, text) in [("short.json", r#"[{"code":"R3"}]"#), ("short.csv", "code\nR3\n")] {
        let file = city.file(name, text);
        assert!(city.refusal(&strict, &file).await.contains("category"));
        city.counts(&open, &file).await;
    }
    // The header of a file whose columns the mapping names is passed over where it says so.
    let named = mapping("columns = [\"code\", \"category\"]\nheader_rows = 1");
    let named = city.file("named.toml", named).display().to_string();
    assert_eq!(city.counts(&named, &city.file("named.csv", "代碼,類別\nR3,住宅區\n")).await.read, 1);
    let idle = city.file("idle.toml", mapping("optional = [\"colour\"]")).display().to_string();
    let refusal = city.refusal(&idle, &city.file("any.csv", "code\nR3\n")).await;
    assert!(refusal.contains("source.optional: nothing reads `colour`"), "{refusal}");
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
async fn an_encoding_that_is_neither_is_refused() {
    let city = ImportCity::new(Layout::SqliteOne).await;
    for label in ["gb18030", "shift_jis", "euc-kr"] {
        let encoded = encoding_rs::Encoding::for_label(label.as_bytes()).expect("known").encode(CODES).0.into_owned();
        let refusal = city.refusal("zoning-codes", &city.file("other.csv", encoded)).await;
        assert!(refusal.contains("is neither UTF-8 nor Big5: set source.encoding"), "{label}: {refusal}");
    }
    let big5 = encoding_rs::BIG5.encode(CODES).0.into_owned();
    assert_eq!(city.counts("zoning-codes", &city.file("big5.csv", big5)).await.accepted, 3);
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

#[tokio::test]
async fn typing_errors_in_a_mapping_are_named_all_at_once() {
    let city = ImportCity::new(Layout::SqliteOne).await;
    let mapping = city.file(
        "typos.toml",
        r#"
title = "typos"
[source]
delimeter = ";"
header_rows = 0
[[records]]
name = "r"
eech = "x"
[records.values]
place = { from = "地點", raed = "address" }
[[records.tables]]
dataset = "zoning"
table = "zone_codes"
key = ["zone_code"]
[records.tables.columns]
zone_code = { frm = "code" }
category = { from = "name", follows = "zone_code" }
"#,
    );
    let refusal = city.refusal(&mapping.display().to_string(), &city.file("any.csv", CODES)).await;
    for said in [
        "source.delimeter: there is no such setting",
        "records.0.eech: there is no such setting",
        "records.0.values.place.raed: there is no such setting",
        "records.0.tables.0.columns.zone_code.frm: there is no such setting",
        "source.header_rows: 0 lines of headers leave the columns without names; list them in source.columns",
        "zone_code: it says no `from`",
        "category: `follows` is for mode = \"keep\"",
    ] {
        assert!(refusal.contains(said), "`{said}` is missing in\n{refusal}");
    }
    let number =
        city.file("number.toml", "title = \"t\"\n[[records]]\nname = \"r\"\nvalues = { a = 3 }\ntables = []\n");
    let refusal = city.refusal(&number.display().to_string(), &mapping).await;
    assert!(refusal.contains("the name of a column or a table of settings"), "{refusal}");
}

#[tokio::test]
async fn what_is_no_mapping_is_called_what_it_is() {
    let city = ImportCity::new(Layout::SqliteOne).await;
    let file = city.file("codes.csv", CODES);
    let folder = city.databases.folder.path();
    let refusal = city.refusal(&folder.display().to_string(), &file).await;
    assert!(refusal.contains("it is a folder, not a mapping"), "{refusal}");
    let refusal = city.refusal(&folder.join("our-list.toml").display().to_string(), &file).await;
    assert!(refusal.contains("there is no file of that name"), "{refusal}");
    let refusal = city.refusal("zoning-code", &file).await;
    assert!(refusal.contains("there is no mapping `zoning-code`"), "{refusal}");
}

/// A mapping of one table of the zoning dataset.
fn zoning(source: &str, table: &str, columns: &str) -> String {
    let key = columns.trim().split([' ', '=']).next().unwrap_or_default();
    format!(
        "title = \"t\"\n[source]\n{source}\n[[records]]\nname = \"r\"\n[[records.tables]]\ndataset = \"zoning\"\n\
         table = \"{table}\"\nkey = [\"{key}\"]\n[records.tables.columns]\n{columns}"
    )
}

/// What XML repeats, JSON has as a list: its parts are no digits of one number, and no signs of one day.
#[tokio::test]
async fn a_list_is_no_number_and_no_day() {
    let city = ImportCity::new(Layout::SqliteOne).await;
    let whole = include_str!("import/permits_json/input.json");
    let sound = city.file("sound.json", whole);
    let before = city.import("use-permits-json", &sound).await.expect("imported").files[0].records[0].1.clone();
    let columns = ["permit_no", "issued_on", "households", "cost"];
    let rows = city.rows("building", "use_permits", &columns).await;
    let permits: Vec<serde_json::Value> = serde_json::from_str(whole).expect("JSON");
    for (field, list, said) in [
        ("發照日期", serde_json::json!(["115/1/1", "2"]), "115/1/1\n2"),
        ("工程金額", serde_json::json!(["1000", "2000"]), "1000\n2000"),
        ("執照號碼", serde_json::json!(["115使字第0001", "號"]), "115使字第0001\n號"),
    ] {
        let mut permits = permits.clone();
        permits[0][field] = list;
        let file = city.file("list.json", serde_json::to_string(&permits).expect("JSON"));
        let report = city.import("use-permits-json", &file).await.expect("imported");
        assert_eq!(report.files[0].records[0].1.rejected, before.rejected + 1, "{field}");
        let told = rejects(&report);
        assert!(told.iter().any(|[_, at, value, _]| at == field && value == said), "{field}: {told:?}");
        assert_eq!(city.rows("building", "use_permits", &columns).await, rows, "{field}");
    }
}

#[tokio::test]
async fn signs_that_are_not_one_number_do_not_run_together() {
    let city = ImportCity::new(Layout::SqliteOne).await;
    let columns = "rule_no = \"no\"\nrule_key = \"no\"\ndistrict_code = \"=63000010\"\nzone_name = \"=x\"\nkind = \"=y\"\n\
                   polygon_count = { from = \"筆數\", lenient = true }\narea_m2 = { from = \"面積\", lenient = true }\n";
    let own = city.file("own.toml", zoning("", "zone_rules", columns)).display().to_string();
    let text = "no,筆數,面積\n1,\"1,234\",\"1,234,567.5 ㎡\"\n2,１２,-1.5\n3,\"1,2\",\"45,5\"\n4,3 4,\"1.234,56\"\n\
                5,5²,3 500\n6,45①,\"0,123\"\n7,\"12,34\",\"1,5公頃\"\n8,７ 戶,20m²\n";
    let report = city.import(&own, &city.file("numbers.csv", text)).await.expect("imported");
    let lines: Vec<String> = rejects(&report).into_iter().map(|[line, ..]| line).collect();
    assert_eq!(lines, ["4", "4", "5", "5", "6", "6", "7", "7", "8", "8"]);
    let rows = city.rows("zoning", "zone_rules", &["rule_no", "polygon_count", "area_m2"]).await;
    let expected =
        ["1 1234 1234567.5", "2 12 -1.5", "3 - -", "4 - -", "5 - -", "6 - -", "7 - -", "8 7 20"].map(str::to_owned);
    assert_eq!(rows.iter().map(|row| row.replace(".0", "")).collect::<Vec<_>>(), expected);
}

/// `map` and `replace` to nothing, an empty text in JSON, an empty group: nothing is nothing, wherever it comes from.
#[tokio::test]
async fn what_comes_out_empty_is_empty() {
    let city = ImportCity::new(Layout::SqliteOne).await;
    let columns = "zone_code = { from = \"code\", replace = { \"無\" = \"\" } }\ncategory = { from = \"category\", map = { \"無\" = \"\" } }\n";
    let own = city.file("own.toml", zoning("", "zone_codes", columns)).display().to_string();
    let report = city.import(&own, &city.file("codes.csv", "code,category\n無,甲\nA1,無\n")).await.expect("imported");
    let refused = |line: &str, field: &str| [line, field, "", "rejected"].map(str::to_owned);
    assert_eq!(rejects(&report), [refused("2", "code"), refused("3", "category")]);

    let template =
        zoning("format = \"json\"", "zone_codes", "zone_code = \"code\"\ncategory = \"{p.letter}組{p.digit}\"\n");
    let values = "name = \"r\"\neach = \"list\"\n[records.values]\ncode = { from = \"{item/a}-{item/b}\" }\n\
                  p = { from = \"item/p\", pattern = '^(?P<letter>[A-Z]?)(?P<digit>[0-9]*)$' }";
    let own = city.file("template.toml", template.replace("name = \"r\"", values)).display().to_string();
    let list = r#"[{"list":[{"a":"B","b":"","p":"C3"},{"a":"B","b":"2","p":"7"},{"a":"B","b":"3","p":"C3"}]}]"#;
    let report = city.import(&own, &city.file("list.json", list)).await.expect("imported");
    assert_eq!(rejects(&report), [refused("1", "zone_code"), refused("1", "category")]);
    assert_eq!(city.rows("zoning", "zone_codes", &["zone_code", "category"]).await, ["B-3 C組3"]);
}
