//! Incidents (clause 12), and query channels outside of this system with what was imported of their logs (clause 13).

use sea_orm_migration::prelude::*;

use super::{account, index, moment, numbered, points_to, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true) // also on SQLite: one that is broken off leaves nothing behind
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let incidents = numbered("incidents")
            .col(ColumnDef::new("number").string_len(64).not_null().unique_key())
            .col(reference("agency_id")) // whose use it is about
            .col(ColumnDef::new("title").string_len(200).not_null())
            .col(ColumnDef::new("description").text().not_null())
            .col(account("account")) // the account or client it is about
            .col(ColumnDef::new("form").string_len(64)) // the master form it is about
            .col(ColumnDef::new("status").string_len(16).not_null()) // reported | remedied | closed
            .col(account("reported_by").not_null().take())
            .col(moment("reported_at").not_null().take())
            .col(ColumnDef::new("remedy").text())
            .col(account("remedied_by"))
            .col(moment("remedied_at"))
            .col(ColumnDef::new("conclusion").text())
            .col(account("closed_by"))
            .col(moment("closed_at"))
            .foreign_key(&mut points_to("incidents", "agency_id", "agencies"))
            .take();
        manager.create_table(incidents).await?;
        manager.create_index(index("incidents", &["agency_id"], false)).await?;

        let channels = numbered("channels")
            .col(ColumnDef::new("dataset").string_len(64).not_null())
            .col(ColumnDef::new("name").string_len(64).not_null().unique_key())
            .col(ColumnDef::new("title").string_len(200).not_null())
            .col(account("reviewer").not_null().take())
            .col(ColumnDef::new("interval_days").integer().not_null())
            .col(ColumnDef::new("mapping").text().not_null()) // JSON: column of the file for each part of an entry
            .col(ColumnDef::new("status").string_len(16).not_null()) // open | closed
            .col(account("registered_by").not_null().take())
            .col(moment("registered_at").not_null().take())
            .take();
        manager.create_table(channels).await?;

        let imports = numbered("channel_imports")
            .col(reference("channel_id"))
            .col(ColumnDef::new("first_day").date().not_null())
            .col(ColumnDef::new("last_day").date().not_null())
            .col(ColumnDef::new("accepted").integer().not_null())
            .col(ColumnDef::new("rejected").text().not_null()) // JSON: line, column, reason of each rejected row
            .col(ColumnDef::new("sha256").string_len(64).not_null())
            .col(account("imported_by").not_null().take())
            .col(moment("imported_at").not_null().take())
            .foreign_key(&mut points_to("channel_imports", "channel_id", "channels"))
            .take();
        manager.create_table(imports).await?;
        manager.create_index(index("channel_imports", &["channel_id", "sha256"], true)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["channel_imports", "channels", "incidents"] {
            manager.drop_table(Table::drop().table(table).if_exists().take()).await?;
        }
        Ok(())
    }
}
