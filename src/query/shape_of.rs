//! Collects the shape of the record while a plan is made: one rectangle for each selection set.

use std::sync::Arc;

use super::ask::Window;
use super::uses;
use crate::audit::shape::{Blob, ColumnOutcome, RectangleShape, Shape, ShapeColumn, Use};
use crate::catalog::{Catalog, DatasetId, FieldId};

/// A shape in the making.
pub struct ShapeBuilder<'a> {
    catalog: &'a Catalog,
    shape: Shape,
}

impl<'a> ShapeBuilder<'a> {
    /// No rectangle yet.
    pub fn new(catalog: &'a Catalog) -> ShapeBuilder<'a> {
        ShapeBuilder { catalog, shape: Shape::default() }
    }

    /// Begins a rectangle and tells its number.
    pub fn begin(&mut self, path: &str, type_name: &str, dataset: Option<DatasetId>) -> u16 {
        let dataset = dataset.map(|dataset| self.catalog.dataset(dataset).code.clone());
        let rectangle = RectangleShape { path: path.into(), type_name: type_name.into(), dataset, columns: Vec::new() };
        self.shape.rectangles.push(rectangle);
        // The limit of selected fields keeps their number far below.
        (self.shape.rectangles.len() - 1) as u16
    }

    /// How many rectangles.
    pub fn count(&self) -> u16 {
        self.shape.rectangles.len() as u16
    }

    fn push(&mut self, rectangle: u16, column: ShapeColumn) {
        self.shape.rectangles[rectangle as usize].columns.push(column);
    }

    /// A selected field by name.
    pub fn select(&mut self, rectangle: u16, key: &str, field: &str, outcome: ColumnOutcome) {
        self.push(rectangle, ShapeColumn::select(key, field, outcome));
    }

    /// A selected column.
    pub fn column(&mut self, rectangle: u16, key: &str, field: FieldId, outcome: ColumnOutcome) {
        self.select(rectangle, key, &self.catalog.field(field).name.clone(), outcome);
    }

    /// A walked join or root.
    pub fn join(&mut self, rectangle: u16, key: &str, field: FieldId, outcome: ColumnOutcome) {
        let field = self.catalog.field(field).name.clone();
        self.push(rectangle, ShapeColumn { key: key.into(), field, of: None, use_: Use::Join, outcome });
    }

    /// The key that found a row.
    pub fn key(&mut self, rectangle: u16, field: FieldId) {
        self.once(rectangle, field, "", Use::Key);
    }

    /// The conditions and the order of a list.
    pub fn window(&mut self, rectangle: u16, window: &Window) {
        for looked in window.filter.iter().flat_map(uses::filtered) {
            self.once(rectangle, looked.field, "where", Use::Filter);
        }
        for word in &window.order {
            self.once(rectangle, word.field, "orderBy", Use::Order);
        }
        if window.after.is_some() || window.before.is_some() {
            for word in &window.order {
                self.once(rectangle, word.field, if window.after.is_some() { "after" } else { "before" }, Use::Cursor);
            }
        }
    }

    fn once(&mut self, rectangle: u16, field: FieldId, argument: &str, used: Use) {
        let field = self.catalog.field(field);
        let key = if argument.is_empty() { field.name.clone() } else { argument.to_string() };
        let of = Some(self.catalog.type_def(field.owner).name.clone());
        let column = ShapeColumn { key, field: field.name.clone(), of, use_: used, outcome: ColumnOutcome::Shown };
        self.push(rectangle, column);
    }

    /// The finished shape.
    pub fn finish(&self) -> Arc<Blob> {
        self.shape.to_blob()
    }
}
