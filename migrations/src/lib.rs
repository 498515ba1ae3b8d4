//! The tables of cityquery: the control database and the default layout of the datasets.
//!
//! One `Migrator` per database kind, each with a migration table of its own, so that several may share one
//! database or file. Migrations are forward-safe: expand, move, contract; a released one is never edited. A
//! custodian with tables of its own maps them in a declaration instead and needs none of these. Choosing the
//! connection and, on PostgreSQL, the schema is left to the caller.

pub mod building;
pub mod control;
pub mod fire;
pub mod household;
pub mod land;
pub mod shared;
pub mod table;
pub mod zoning;

use sea_orm_migration::MigrationStatus;
pub use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseConnection;

/// What a database holds: the control tables or the default tables of one dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Accounts, forms, the index of the audit log.
    Control,
    /// 戶政
    Household,
    /// 共用
    Shared,
    /// 地政
    Land,
    /// 建築管理
    Building,
    /// 土地使用分區
    Zoning,
    /// 消防安全檢查
    Fire,
}

impl Kind {
    /// The default tables for a dataset of that code; none for a dataset that maps tables of its own.
    pub fn of_dataset(code: &str) -> Option<Kind> {
        Some(match code {
            "household" => Kind::Household,
            "shared" => Kind::Shared,
            "land" => Kind::Land,
            "building" => Kind::Building,
            "zoning" => Kind::Zoning,
            "fire" => Kind::Fire,
            _ => return None,
        })
    }
}

impl Kind {
    /// The dataset's tables as its first migration made them; the control database's are not listed.
    pub fn tables(self) -> &'static [table::Table] {
        match self {
            Kind::Control => &[],
            Kind::Household => household::m20261123_000001_tables::TABLES,
            Kind::Shared => shared::m20261123_000001_tables::TABLES,
            Kind::Land => land::m20261123_000001_tables::TABLES,
            Kind::Building => building::m20261123_000001_tables::TABLES,
            Kind::Zoning => zoning::m20261123_000001_tables::TABLES,
            Kind::Fire => fire::m20261123_000001_tables::TABLES,
        }
    }
}

/// Applies what is pending and returns its names.
pub async fn up(kind: Kind, database: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    match kind {
        Kind::Control => up_with::<control::Migrator>(database).await,
        Kind::Household => up_with::<household::Migrator>(database).await,
        Kind::Shared => up_with::<shared::Migrator>(database).await,
        Kind::Land => up_with::<land::Migrator>(database).await,
        Kind::Building => up_with::<building::Migrator>(database).await,
        Kind::Zoning => up_with::<zoning::Migrator>(database).await,
        Kind::Fire => up_with::<fire::Migrator>(database).await,
    }
}

/// Names of what is pending, without writing anything.
pub async fn pending(kind: Kind, database: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    match kind {
        Kind::Control => pending_of::<control::Migrator>(database).await,
        Kind::Household => pending_of::<household::Migrator>(database).await,
        Kind::Shared => pending_of::<shared::Migrator>(database).await,
        Kind::Land => pending_of::<land::Migrator>(database).await,
        Kind::Building => pending_of::<building::Migrator>(database).await,
        Kind::Zoning => pending_of::<zoning::Migrator>(database).await,
        Kind::Fire => pending_of::<fire::Migrator>(database).await,
    }
}

/// Whether a database was refused because migrations were applied to it that this program does not have.
pub fn is_of_a_newer_version(error: &DbErr) -> bool {
    matches!(error, DbErr::Custom(said) if said.contains("has been applied but its file is missing"))
}

async fn up_with<M: MigratorTrait>(database: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let pending = pending_of::<M>(database).await?;
    M::up(database, None).await?;
    Ok(pending)
}

async fn pending_of<M: MigratorTrait>(database: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let all = M::get_migration_with_status_read_only(database).await?;
    Ok(all
        .iter()
        .filter(|migration| migration.status() == MigrationStatus::Pending)
        .map(|migration| migration.name().to_owned())
        .collect())
}
