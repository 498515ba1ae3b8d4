//! The index of the audit log: who looked at this row, who used this field, what did this account do. The
//! log's segments are the truth; these tables can be emptied at any time and are filled again from them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().take()
}

fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

fn small(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).small_integer().not_null().take()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true) // also on SQLite: one that is broken off leaves nothing behind
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // How far each node's segments are indexed; `id` is the upper part of the node's entry numbers.
        let nodes = Table::create()
            .table("audit_nodes")
            .if_not_exists()
            .col(number("id").primary_key())
            .col(text("node").not_null().unique_key())
            .col(number("segment"))
            .col(number("frame_offset"))
            .col(number("last_seq"))
            .take();
        manager.create_table(nodes).await?;

        let entries = Table::create()
            .table("audit_entries")
            .if_not_exists()
            .col(number("entry").primary_key())
            .col(text("record_id").not_null())
            .col(number("segment"))
            .col(number("started_us"))
            .col(number("duration_us"))
            .col(small("kind"))
            .col(text("account").not_null())
            .col(text("agency").not_null())
            .col(text("form"))
            .col(text("case_key"))
            .col(text("shape"))
            .col(text("code"))
            .col(number("row_count"))
            .col(small("release_state"))
            .col(ColumnDef::new("withheld_after_us").big_integer())
            .take();
        manager.create_table(entries).await?;
        for columns in [
            &["record_id"][..],
            &["started_us"],
            &["account", "started_us"],
            &["agency", "started_us"],
            &["form", "started_us"],
            &["case_key"],
            &["shape", "started_us"],
        ] {
            manager.create_index(super::index("audit_entries", columns, false)).await?;
        }

        // Fields by shape: an operation's fields stand here once, however often it runs.
        let mut key = Index::create();
        key.col("coordinate").col("use_code").col("outcome").col("shape");
        let uses = Table::create()
            .table("audit_uses")
            .if_not_exists()
            .col(text("coordinate").not_null())
            .col(small("use_code"))
            .col(small("outcome"))
            .col(text("shape").not_null())
            .primary_key(&mut key)
            .take();
        manager.create_table(uses).await?;

        let mut key = Index::create();
        key.col("type_name").col("row_number").col("entry");
        let mut touches = Table::create()
            .table("audit_touches")
            .if_not_exists()
            .col(text("type_name").not_null())
            .col(number("row_number"))
            .col(number("entry"))
            .primary_key(&mut key)
            .take();
        if manager.get_database_backend() == DbBackend::Sqlite {
            touches.extra("WITHOUT ROWID"); // the key is the whole row: it need not be stored twice
        }
        manager.create_table(touches).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["audit_touches", "audit_uses", "audit_entries", "audit_nodes"] {
            manager.drop_table(Table::drop().table(table).if_exists().take()).await?;
        }
        Ok(())
    }
}
