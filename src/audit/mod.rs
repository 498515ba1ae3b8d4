//! The audit log: one record per operation, durable on disk before its answer leaves. It knows nothing of
//! queries, rights or accounts; those who act fill in the [`Record`].
//!
//! Reading order: [`record`] (what is recorded), [`touched`] (rows and their exceptions).

pub mod record;
pub mod shape;
pub mod touched;

pub use record::{Asked, Kind, Outcome, Record, Right, Who, Why};
pub use shape::{Blob, ColumnOutcome, RectangleShape, Shape, ShapeColumn, Use};
pub use touched::{CellErrors, Positions, Rows, Touched};
