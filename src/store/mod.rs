//! Pools, drivers and bulk load; whatever talks to a database goes through here.

pub mod control;
