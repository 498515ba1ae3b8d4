//! Migrations of the `household` dataset, in order: the household register.

use sea_orm_migration::prelude::*;

use crate::table::CreateTables;

pub mod m20261123_000001_tables;

/// Migrations of the `household` dataset.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(CreateTables {
            name: "m20261123_000001_household_tables",
            tables: m20261123_000001_tables::TABLES,
        })]
    }

    fn migration_table_name() -> DynIden {
        "household_migrations".into_iden()
    }
}
