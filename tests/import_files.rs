//! Import of files that are not quite what they should be: torn quotes, other encodings, missing or doubled columns.
//! Such a file is refused as a whole and the reason says where; what is merely odd is read, with its right lines.

use crate::support::Layout;
use crate::support::importing::{ImportCity, rejects};

const CODES: &str = "area_code,simple_area_name\nR3,住宅區\nB4,商業區\nPS,公園\n";

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
