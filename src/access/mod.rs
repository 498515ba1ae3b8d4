//! The guard: who asks, under which rights, and what may be used of each field. Pure: no I/O, no async.
//!
//! `Granted` and `SqlColumn` have no public constructor. The SQL builder takes columns only in these types,
//! so a column that nobody decided about cannot stand in a statement.

pub mod attenuate;
pub mod caller;
pub mod decide;
pub mod mask;
pub mod refusal;
pub mod rights;
pub mod role;
pub mod uses;

pub use caller::{Caller, Language};
pub use decide::{Granted, RowScope, SqlColumn};
pub use refusal::{Code, PathStep, Position, Refusal};
pub use rights::{FormRights, Item, Problem, Rights, unmasking};
pub use role::Role;
pub use uses::{Use, Uses};
