//! The tables of cityquery: the control database and the five datasets' default layout.

pub use sea_orm_migration::prelude::*;

pub mod control;
