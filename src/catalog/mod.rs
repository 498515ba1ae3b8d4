//! The declarations, read and checked once at start. Pure: no database, no async, no HTTP.

pub mod model;
pub mod scalar;

pub use model::*;
