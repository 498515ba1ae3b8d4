//! Migrations of the `fire` dataset, in order: premises under control and their inspections.

use sea_orm_migration::prelude::*;

use crate::table::CreateTables;

pub mod m20261123_000001_tables;

/// Migrations of the `fire` dataset.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(CreateTables { name: "m20261123_000001_fire_tables", tables: m20261123_000001_tables::TABLES })]
    }

    fn migration_table_name() -> DynIden {
        "fire_migrations".into_iden()
    }
}
