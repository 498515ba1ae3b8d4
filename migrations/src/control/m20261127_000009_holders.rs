//! Who holds an account, as a keyed digest of their national id.

use sea_orm_migration::prelude::*;

use super::{index, moment};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true) // also on SQLite: one that is broken off leaves nothing behind
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = ColumnDef::new("holder").string_len(64).take(); // HMAC-SHA-256 in hexadecimal
        manager.alter_table(Table::alter().table("accounts").add_column(column).take()).await?;
        manager.alter_table(Table::alter().table("accounts").add_column(moment("holder_since")).take()).await?;
        manager.create_index(index("accounts", &["holder"], false)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut index = Index::drop();
        index.name("ix_accounts_holder").table("accounts");
        manager.drop_index(index).await?;
        for column in ["holder_since", "holder"] {
            manager.alter_table(Table::alter().table("accounts").drop_column(column).take()).await?;
        }
        Ok(())
    }
}
