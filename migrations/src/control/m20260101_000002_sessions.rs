//! Sessions, their refresh tokens, and the counters by which every server learns of a change.

use sea_orm_migration::prelude::*;

use super::{index, numbered, points_to, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true) // also on SQLite: one that is broken off leaves nothing behind
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sessions = Table::create()
            .table("sessions")
            .if_not_exists()
            .col(ColumnDef::new("id").string_len(36).not_null().primary_key())
            .col(reference("account_id"))
            .col(ColumnDef::new("client_address").string_len(45))
            .col(ColumnDef::new("started_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("expires_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("revoked_at").timestamp_with_time_zone())
            .col(ColumnDef::new("revoked_why").string_len(32))
            .foreign_key(&mut points_to("sessions", "account_id", "accounts"))
            .take();
        manager.create_table(sessions).await?;
        manager.create_index(index("sessions", &["account_id"], false)).await?;
        manager.create_index(index("sessions", &["revoked_at"], false)).await?;

        // Each token is used once; a second use shows that it was stolen and ends the session.
        let tokens = numbered("refresh_tokens")
            .col(ColumnDef::new("token_digest").string_len(64).not_null().unique_key())
            .col(ColumnDef::new("session_id").string_len(36).not_null())
            .col(ColumnDef::new("issued_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("used_at").timestamp_with_time_zone())
            .foreign_key(&mut points_to("refresh_tokens", "session_id", "sessions"))
            .take();
        manager.create_table(tokens).await?;
        manager.create_index(index("refresh_tokens", &["session_id"], false)).await?;

        // Two counters, so that a sign-out does not make every server compile every form again.
        let epochs = Table::create()
            .table("epochs")
            .if_not_exists()
            .col(ColumnDef::new("name").string_len(16).not_null().primary_key())
            .col(ColumnDef::new("value").big_integer().not_null())
            .take();
        manager.create_table(epochs).await?;
        let mut start = Query::insert();
        start.into_table("epochs").columns(["name", "value"]);
        for name in ["rights", "sessions"] {
            start.values_panic([name.into(), 1i64.into()]);
        }
        manager.execute(start).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["epochs", "refresh_tokens", "sessions"] {
            manager.drop_table(Table::drop().table(table).if_exists().take()).await?;
        }
        Ok(())
    }
}
