//! cityquery: one guarded, recorded GraphQL API over a city's five core datasets.
//!
//! A request passes `http` → `graphql` → `query::use` → `access` → `query::plan` → `query::load` →
//! `query::write` → `audit` → `http`, in that order, and nothing reaches a database that did not pass
//! `access`. Modules are listed top to bottom; each may import those below it only
//! (`tests/architecture.rs` checks it).

pub mod cli; // one file per command
pub mod http; // router, authentication, the GraphQL handler, playground, health
//
pub mod graphql; // schema assembly, error codes
//
pub mod procedure; // applications, forms, groups, inspections: who may take which step
//
pub mod accounts; // agencies, people, passwords, sessions, tokens, keys, master forms as stored
pub mod ingest; // import of real files, generation of a synthetic city
//
pub mod query; // uses, plan, SQL, load, write
//
pub mod access; // caller, rights, decisions, masks, row scope: pure
pub mod audit; // the record: encode, commit, index, show, expand
//
pub mod catalog; // the declarations, read and checked: pure
//
pub mod config; // settings: one file is default and manual
pub mod store; // pools, drivers, bulk load
pub mod telemetry; // logs
