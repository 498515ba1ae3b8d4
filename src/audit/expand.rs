//! Prints a record back: one line for each resolved field of each row, and one for each other use. The
//! inverse of packing; finding the record is left to `show` and `search`.

use std::io::{self, Write};
use std::iter::Peekable;

use serde::Serialize;

use super::shape::{ColumnOutcome, RectangleShape, Shape, ShapeColumn};
use super::touched::{Positions, Touched};

/// One resolved field, or one other use of a field.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Line<'a> {
    /// Response path without list indexes.
    pub path: &'a str,
    /// Type that owns the field.
    #[serde(rename = "type")]
    pub type_name: &'a str,
    /// Name of the field.
    pub field: &'a str,
    /// Response key.
    pub key: &'a str,
    /// Row number; none for a use that holds for the whole operation.
    pub row: Option<i64>,
    /// `select`, `join`, `filter`, …
    #[serde(rename = "use")]
    pub use_: &'static str,
    /// What the caller was shown.
    pub outcome: CellOutcome,
    /// Error code of a failed cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'a str>,
}

/// What the caller was shown of one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CellOutcome {
    /// The value.
    Shown,
    /// The value under its mask.
    Masked,
    /// There was no value.
    Null,
    /// Null, because the caller may not see it.
    Denied,
    /// Null, because it failed.
    Error,
    /// Nothing: the field decided which rows, or their order.
    Used,
}

impl CellOutcome {
    /// `shown`
    pub fn name(self) -> &'static str {
        match self {
            CellOutcome::Shown => "shown",
            CellOutcome::Masked => "masked",
            CellOutcome::Null => "null",
            CellOutcome::Denied => "denied",
            CellOutcome::Error => "error",
            CellOutcome::Used => "used",
        }
    }
}

/// A record that does not fit the shape it names.
#[derive(Debug, thiserror::Error)]
pub enum ExpandError {
    /// The record names a rectangle that the shape lacks.
    #[error("the record names rectangle {0}, which its shape does not have")]
    NoRectangle(u16),
    /// The lines could not be written.
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// Calls `take` for every line: first the uses of the whole operation, then row by row.
pub fn expand<'a>(
    shape: &'a Shape,
    touched: &'a [Touched],
    mut take: impl FnMut(Line<'a>) -> io::Result<()>,
) -> Result<(), ExpandError> {
    for rectangle in &shape.rectangles {
        for column in rectangle.columns.iter().filter(|column| !column.use_.is_per_row()) {
            let outcome = match column.outcome {
                ColumnOutcome::Denied => CellOutcome::Denied,
                ColumnOutcome::Shown | ColumnOutcome::Masked => CellOutcome::Used,
            };
            take(line(rectangle, column, None, outcome, None))?;
        }
    }
    for touched in touched {
        let rectangle =
            shape.rectangles.get(usize::from(touched.rectangle)).ok_or(ExpandError::NoRectangle(touched.rectangle))?;
        let mut cells: Vec<Cells> = rectangle
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.use_.is_per_row())
            .map(|(index, column)| Cells::new(index, column, touched))
            .collect();
        for (position, row) in (0u32..).zip(touched.rows.iter()) {
            for cells in &mut cells {
                let (outcome, code) = cells.at(position);
                take(line(rectangle, cells.column, Some(row), outcome, code))?;
            }
        }
    }
    Ok(())
}

/// Prints one JSON object a line.
pub fn write_json_lines(shape: &Shape, touched: &[Touched], out: &mut impl Write) -> Result<(), ExpandError> {
    expand(shape, touched, |line| {
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")
    })
}

/// Prints a table for people.
pub fn write_table(shape: &Shape, touched: &[Touched], out: &mut impl Write) -> Result<(), ExpandError> {
    let width = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let path = width(&mut shape.rectangles.iter().map(|rectangle| rectangle.path.len().max(4)));
    let columns = || shape.rectangles.iter().flat_map(|r| r.columns.iter().map(move |column| (r, column)));
    let coordinate = width(&mut columns().map(|(r, c)| owner(r, c).len() + c.field.len() + 1)).max(5);
    let key = width(&mut columns().map(|(_, column)| column.key.len())).max(3);
    writeln!(out, "{:path$}  {:coordinate$}  {:key$}  {:>12}  {:9}  outcome", "path", "field", "key", "row", "use")?;
    expand(shape, touched, |line| {
        let field = format!("{}.{}", line.type_name, line.field);
        let row = line.row.map(|row| row.to_string()).unwrap_or_default();
        write!(out, "{:path$}  {field:coordinate$}  {:key$}  {row:>12}  ", line.path, line.key)?;
        write!(out, "{:9}  {}", line.use_, line.outcome.name())?;
        match line.code {
            Some(code) => writeln!(out, " {code}"),
            None => writeln!(out),
        }
    })
}

fn owner<'a>(rectangle: &'a RectangleShape, column: &'a ShapeColumn) -> &'a str {
    column.of.as_deref().unwrap_or(&rectangle.type_name)
}

fn line<'a>(
    rectangle: &'a RectangleShape,
    column: &'a ShapeColumn,
    row: Option<i64>,
    outcome: CellOutcome,
    code: Option<&'a str>,
) -> Line<'a> {
    Line {
        path: &rectangle.path,
        type_name: owner(rectangle, column),
        field: &column.field,
        key: &column.key,
        row,
        use_: column.use_.name(),
        outcome,
        code,
    }
}

type Ascending<'a> = Peekable<Box<dyn Iterator<Item = u32> + 'a>>;

fn ascending<'a>(at: impl IntoIterator<Item = &'a Positions, IntoIter: 'a>) -> Ascending<'a> {
    let positions: Box<dyn Iterator<Item = u32> + 'a> = Box::new(at.into_iter().flat_map(Positions::iter));
    positions.peekable()
}

/// One column, walked down row by row.
struct Cells<'a> {
    column: &'a ShapeColumn,
    nulls: Ascending<'a>,
    errors: Vec<(&'a str, Ascending<'a>)>,
}

impl<'a> Cells<'a> {
    fn new(index: usize, column: &'a ShapeColumn, touched: &'a Touched) -> Cells<'a> {
        let errors = touched.errors.iter().filter(|error| usize::from(error.column) == index);
        let errors = errors.map(|error| (&*error.code, ascending([&error.at]))).collect();
        Cells { column, nulls: ascending(touched.nulls.get(index)), errors }
    }

    fn at(&mut self, position: u32) -> (CellOutcome, Option<&'a str>) {
        let is_null = self.nulls.next_if_eq(&position).is_some();
        let failed = self.errors.iter_mut().filter_map(|(code, at)| at.next_if_eq(&position).map(|_| *code)).last();
        match (self.column.outcome, failed, is_null) {
            (ColumnOutcome::Denied, ..) => (CellOutcome::Denied, None),
            (_, Some(code), _) => (CellOutcome::Error, Some(code)),
            (.., true) => (CellOutcome::Null, None),
            (ColumnOutcome::Masked, ..) => (CellOutcome::Masked, None),
            (ColumnOutcome::Shown, ..) => (CellOutcome::Shown, None),
        }
    }
}
