//! Plans what is asked of each row of a table in a statement: its columns and its joins. Which statement that is, and
//! which of its rows, is left to those who begin it.

use super::ask::{Object, Selected, SelectedKind};
use super::plan::{FieldOut, FieldOutKind, View, kind_of, prefix};
use super::planner::{Planner, internal, quoted};
use super::planner_join::{self, Way};
use super::sql::{Draft, Table};
use crate::access::{Granted, Refusal};
use crate::audit::shape::ColumnOutcome;
use crate::catalog::scalar::Scalar;
use crate::catalog::{FieldKind, TypeId};

/// Rows in a statement that is still being planned.
pub(super) struct PlannedRows<'d> {
    /// The statement.
    pub draft: &'d mut Draft,
    /// Their table in it.
    pub table: Table,
    /// The statement's step.
    pub step: usize,
    /// Column of their row number.
    pub id: usize,
    /// What they are expected to cost.
    pub estimate: usize,
}

/// Plans the fields of an object.
pub(super) fn object(
    planner: &mut Planner,
    rows: &mut PlannedRows,
    object: &Object,
    path: &[String],
) -> Result<View, Refusal> {
    let of = planner.catalog.type_def(object.of);
    let rectangle = planner.shape.begin(&path.join("."), &of.name, Some(of.dataset));
    let mut fields = Vec::new();
    for (number, selected) in object.fields.iter().enumerate() {
        let path: Vec<String> = path.iter().cloned().chain([selected.key.clone()]).collect();
        let kind = field(planner, rows, (object.of, rectangle), selected, &path)?;
        fields.push(FieldOut { prefix: prefix(number == 0, &selected.key), kind });
    }
    Ok(View { step: rows.step, id: rows.id, rectangle, fields })
}

fn field(
    planner: &mut Planner,
    rows: &mut PlannedRows,
    (of, rectangle): (TypeId, u16),
    selected: &Selected,
    path: &[String],
) -> Result<FieldOutKind, Refusal> {
    match &selected.kind {
        SelectedKind::Typename => {
            planner.shape.select(rectangle, &selected.key, "__typename", ColumnOutcome::Shown);
            Ok(FieldOutKind::Typename(quoted(&planner.catalog.type_def(of).name)))
        }
        SelectedKind::Column(field) => {
            let Some(granted) = planner.select(*field, path, Some(selected.position)) else {
                planner.shape.column(rectangle, &selected.key, *field, ColumnOutcome::Denied);
                return Ok(FieldOutKind::Null);
            };
            let outcome = if granted.masked() { ColumnOutcome::Masked } else { ColumnOutcome::Shown };
            planner.shape.column(rectangle, &selected.key, *field, outcome);
            column(planner, rows, &granted)
        }
        SelectedKind::Join { field, window, object } => {
            let Some(granted) = planner.select(*field, path, Some(selected.position)) else {
                planner.shape.join(rectangle, &selected.key, *field, ColumnOutcome::Denied);
                return Ok(FieldOutKind::Null);
            };
            planner.shape.join(rectangle, &selected.key, *field, ColumnOutcome::Shown);
            planner_join::join(planner, rows, Way { of, granted: &granted, window, object, path })
        }
    }
}

fn column(planner: &Planner, rows: &mut PlannedRows, granted: &Granted) -> Result<FieldOutKind, Refusal> {
    let field = planner.catalog.field(granted.field());
    let (Some(name), FieldKind::Column(column)) = (granted.column(planner.catalog), &field.kind) else {
        return Err(internal("a selected leaf is a column"));
    };
    let number = rows.draft.column(rows.table, &name, kind_of(column.scalar, column.scale));
    let quoted = !matches!(column.scalar, Scalar::Int | Scalar::Boolean);
    // A field granted masked without a mask cannot be compiled; if it were, nothing would be shown.
    let mask = granted.masked().then(|| field.mask.unwrap_or(crate::catalog::Mask::Hide));
    Ok(FieldOutKind::Column { column: number, quoted, mask })
}
