//! Databases: pools, drivers, packed rows, bulk load, migrations. What to ask them is left to `query`, `accounts` and `ingest`.

pub mod bind;
pub mod bulk;
pub mod columns;
pub mod control;
pub mod layout;
pub mod migrate;
pub mod postgres;
pub mod postgres_address;
pub mod postgres_decode;
pub mod postgres_link;
mod postgres_tls;
pub mod rows;
pub mod share;
pub mod source;
pub mod sqlite;
mod turn;
pub mod upsert;
mod upsert_postgres;
mod upsert_sqlite;
