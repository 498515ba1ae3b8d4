//! The audit log: one record per operation, durable on disk before its answer leaves. It knows nothing of
//! queries, rights or accounts; those who act fill in the [`Record`].
//!
//! Reading order: `record`, `shape`, `touched` (what is recorded); `encode`, `decode`, `seal`, `key_file`, `lost_key`, `frame`,
//! `marks`
//! (how it stands on disk); `log`, `coming`, `queue`, `committer`, `state`, `disk`, `segment`, `keeper` (how it gets there);
//! `scan`, `chain`, `recover`, `loss` (how it is read back).

pub mod chain;
pub mod coming;
pub mod committer;
pub mod decode;
pub mod disk;
pub mod encode;
pub mod expand;
pub mod frame;
pub mod index;
pub mod keeper;
pub mod key_file;
pub mod log;
pub mod loss;
pub mod lost_key;
pub mod marks;
pub mod queue;
pub mod read;
pub mod reader;
pub mod record;
pub mod recover;
pub mod scan;
pub mod seal;
pub mod segment;
pub mod shape;
pub mod show;
pub mod state;
pub mod touched;
pub mod wording;

#[cfg(test)]
mod tests;

pub use coming::Coming;
pub use expand::{CellOutcome, Line};
pub use index::Indexer;
pub use log::{AuditLog, COMMAND_LINE, OpenError, Options, SERVER};
pub use record::{Asked, Kind, Outcome, Record, Right, Who, Why};
pub use recover::Recovery;
pub use shape::{Blob, ColumnOutcome, RectangleShape, Shape, ShapeColumn, Use};
pub use state::{Receipt, Unavailable};
pub use touched::{CellErrors, Positions, Rows, Touched};
