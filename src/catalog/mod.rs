//! The declarations, read and checked once at start. Pure: no database, no async, no HTTP.

pub mod builtin;
mod check;
mod directive;
mod draft;
pub mod fault;
mod field;
mod layout;
pub mod model;
mod number;
pub mod read;
pub mod scalar;
mod source;
mod words;

pub use builtin::{builtin, load_builtin, load_with};
pub use fault::{Fault, Place};
pub use model::*;
pub use read::read;
pub use words::hint;
