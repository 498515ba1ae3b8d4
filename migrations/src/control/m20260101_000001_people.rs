//! Agencies, accounts of people and machine clients, their roles and password histories.

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
        let agencies = numbered("agencies")
            .col(ColumnDef::new("code").string_len(64).not_null().unique_key())
            .col(ColumnDef::new("title").string_len(200).not_null())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .take();
        manager.create_table(agencies).await?;

        let accounts = numbered("accounts")
            .col(ColumnDef::new("name").string_len(64).not_null().unique_key())
            .col(ColumnDef::new("kind").string_len(16).not_null()) // person | client
            .col(reference("agency_id"))
            .col(ColumnDef::new("title").string_len(200).not_null()) // function, not the person's name
            .col(ColumnDef::new("status").string_len(16).not_null()) // active | suspended | closed
            .col(ColumnDef::new("password_hash").string_len(255))
            .col(ColumnDef::new("password_set_at").timestamp_with_time_zone())
            .col(ColumnDef::new("password_one_time").boolean().not_null().default(false))
            .col(ColumnDef::new("failures").integer().not_null().default(0))
            .col(ColumnDef::new("locked_until").timestamp_with_time_zone())
            .col(ColumnDef::new("last_sign_in_at").timestamp_with_time_zone())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut points_to("accounts", "agency_id", "agencies"))
            .take();
        manager.create_table(accounts).await?;
        manager.create_index(index("accounts", &["agency_id"], false)).await?;

        let roles = numbered("account_roles")
            .col(reference("account_id"))
            .col(ColumnDef::new("role").string_len(32).not_null())
            .foreign_key(&mut points_to("account_roles", "account_id", "accounts"))
            .take();
        manager.create_table(roles).await?;
        manager.create_index(index("account_roles", &["account_id", "role"], true)).await?;

        let history = numbered("password_history")
            .col(reference("account_id"))
            .col(ColumnDef::new("password_hash").string_len(255).not_null())
            .col(ColumnDef::new("set_at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut points_to("password_history", "account_id", "accounts"))
            .take();
        manager.create_table(history).await?;
        manager.create_index(index("password_history", &["account_id"], false)).await?;

        // A client's secret is random, so a plain digest of it is enough.
        let clients = numbered("clients")
            .col(ColumnDef::new("client_id").string_len(64).not_null().unique_key())
            .col(reference("account_id"))
            .col(ColumnDef::new("secret_digest").string_len(64).not_null())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut points_to("clients", "account_id", "accounts"))
            .take();
        manager.create_table(clients).await?;
        manager.create_index(index("clients", &["account_id"], false)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["clients", "password_history", "account_roles", "accounts", "agencies"] {
            manager.drop_table(Table::drop().table(table).if_exists().take()).await?;
        }
        Ok(())
    }
}
