//! When each annex was handed in: its custodian's time does not begin anew when another's annex is handed in again.

use sea_orm_migration::prelude::*;

use super::moment;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true) // also on SQLite: one that is broken off leaves nothing behind
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("annexes").add_column(moment("submitted_at")).take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("annexes").drop_column("submitted_at").take()).await
    }
}
