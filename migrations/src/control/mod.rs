//! The program's own tables: agencies, accounts, sessions, forms. One file per migration, named by purpose;
//! steps only add or widen, so that the previous release can run beside the next one.

use sea_orm_migration::prelude::*;

mod m20260101_000001_people;
mod m20260101_000002_sessions;
mod m20260101_000003_forms;
mod m20260101_000004_audit_index;
mod m20261127_000005_groups;
mod m20261127_000006_procedure;
mod m20261127_000007_inspection;
mod m20261127_000008_incidents;
mod m20261127_000009_holders;
mod m20261127_000010_mail;
mod m20261127_000011_audit_nodes;
mod m20261128_000001_decisions;
mod m20261128_000010_annex_day;

/// Brings the control database up to date.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20260101_000001_people::Migration),
            Box::new(m20260101_000002_sessions::Migration),
            Box::new(m20260101_000003_forms::Migration),
            Box::new(m20260101_000004_audit_index::Migration),
            Box::new(m20261127_000005_groups::Migration),
            Box::new(m20261127_000006_procedure::Migration),
            Box::new(m20261127_000007_inspection::Migration),
            Box::new(m20261127_000008_incidents::Migration),
            Box::new(m20261127_000009_holders::Migration),
            Box::new(m20261127_000010_mail::Migration),
            Box::new(m20261127_000011_audit_nodes::Migration),
            Box::new(m20261128_000001_decisions::Migration),
            Box::new(m20261128_000010_annex_day::Migration),
        ]
    }

    // A name of its own: the control database may share a schema with a dataset.
    fn migration_table_name() -> DynIden {
        "control_migrations".into_iden()
    }
}

/// A table in which every row has a number.
pub(crate) fn numbered(name: &'static str) -> TableCreateStatement {
    Table::create()
        .table(name)
        .if_not_exists()
        .col(ColumnDef::new("id").big_integer().not_null().auto_increment().primary_key())
        .take()
}

/// A required number of a row of another table.
pub(crate) fn reference(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

/// A moment; none unless it is said to be required.
pub(crate) fn moment(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).timestamp_with_time_zone().take()
}

/// The name of an account, kept as it was when somebody acted.
pub(crate) fn account(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).string_len(64).take()
}

/// The rule that `from` of `table` names a row of `target`.
pub(crate) fn points_to(table: &'static str, from: &'static str, target: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().name(format!("fk_{table}_{from}")).from(table, from).to(target, "id").take()
}

/// An index, named after what it covers.
pub(crate) fn index(table: &'static str, columns: &[&'static str], unique: bool) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(format!("ix_{table}_{}", columns.join("_"))).table(table).if_not_exists();
    for column in columns {
        index.col(*column);
    }
    if unique {
        index.unique();
    }
    index
}
