//! What a caller is told of cells that hold what no scalar can tell: null in their place, and an error for each field, since
//! one such row must not take the others with it. The log has the database's column.

use crate::access::{Code, PathStep, Refusal};
use crate::audit::shape::Shape;
use crate::audit::touched::Touched;

/// The code of such a cell, in the answer and in the record.
pub const CODE: Code = Code::Internal;

/// One error for each field of an answer with such cells. `shape` is that of the plan.
pub fn errors(shape: &[u8], touched: &[Touched]) -> Vec<Refusal> {
    if touched.iter().all(|rows| rows.errors.is_empty()) {
        return Vec::new();
    }
    // A plan's own shape can always be read.
    let shape = Shape::from_bytes(shape).unwrap_or_default();
    let mut errors = Vec::new();
    for rows in touched {
        let Some(rectangle) = shape.rectangles.get(usize::from(rows.rectangle)) else { continue };
        let columns = rows.errors.iter().filter_map(|error| rectangle.columns.get(usize::from(error.column)));
        errors.extend(columns.map(|column| {
            let path = rectangle.path.split('.').filter(|key| !key.is_empty()).chain([column.key.as_str()]);
            let coordinate = format!("{}.{}", rectangle.type_name, column.field);
            Refusal::new(
                CODE,
                format!("The dataset holds days or numbers in {coordinate} that cannot be told; they are null here. Ask its custodian to correct them."),
                format!("資料庫中 {coordinate} 有無法表示的日期或數值，此處顯示為 null；請洽管理機關更正。"),
            )
            .with("coordinate", coordinate)
            .on(path.map(|key| PathStep::Key(key.to_owned())))
        }));
    }
    errors
}

/// The refusal of a page whose cursor would have to tell such a value.
pub fn no_cursor() -> Refusal {
    Refusal::new(
        CODE,
        "The order goes by days or numbers of which the dataset holds some that no cursor can tell. Order by another field, or ask its custodian to correct them.",
        "排序欄位中有無法表示的日期或數值，無法產生游標。請改用其他欄位排序，或洽管理機關更正。",
    )
}
