//! Master forms (主表單): versions, purposes, items and holders. Sub-forms and groups come between form and holder later.

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
        let forms = numbered("master_forms")
            .col(ColumnDef::new("number").string_len(64).not_null().unique_key())
            .col(ColumnDef::new("title").string_len(200).not_null())
            .col(reference("agency_id"))
            .col(ColumnDef::new("status").string_len(16).not_null()) // open | suspended | closed
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut points_to("master_forms", "agency_id", "agencies"))
            .take();
        manager.create_table(forms).await?;

        // A form changes by a new version only; the one in force is the highest that is open.
        let versions = numbered("form_versions")
            .col(reference("form_id"))
            .col(ColumnDef::new("version").integer().not_null())
            .col(ColumnDef::new("legal_basis").text().not_null())
            .col(ColumnDef::new("case_required").boolean().not_null())
            .col(ColumnDef::new("valid_from").date().not_null())
            .col(ColumnDef::new("valid_until").date().not_null())
            .col(ColumnDef::new("status").string_len(16).not_null()) // open | superseded | revoked
            .col(ColumnDef::new("opened_at").timestamp_with_time_zone().not_null())
            .foreign_key(&mut points_to("form_versions", "form_id", "master_forms"))
            .take();
        manager.create_table(versions).await?;
        manager.create_index(index("form_versions", &["form_id", "version"], true)).await?;

        let purposes = numbered("form_purposes")
            .col(reference("form_version_id"))
            .col(ColumnDef::new("code").string_len(64).not_null())
            .col(ColumnDef::new("title").string_len(200).not_null())
            .foreign_key(&mut points_to("form_purposes", "form_version_id", "form_versions"))
            .take();
        manager.create_table(purposes).await?;
        manager.create_index(index("form_purposes", &["form_version_id", "code"], true)).await?;

        let items = numbered("form_items")
            .col(reference("form_version_id"))
            .col(ColumnDef::new("coordinate").string_len(200).not_null())
            .col(ColumnDef::new("uses").string_len(64).not_null()) // select,filter,…
            .col(ColumnDef::new("masked").boolean().not_null())
            .col(ColumnDef::new("districts").text()) // district codes with commas; null is the whole city
            .foreign_key(&mut points_to("form_items", "form_version_id", "form_versions"))
            .take();
        manager.create_table(items).await?;
        manager.create_index(index("form_items", &["form_version_id", "coordinate"], true)).await?;

        let holders = numbered("form_holders")
            .col(reference("form_id"))
            .col(reference("account_id"))
            .foreign_key(&mut points_to("form_holders", "form_id", "master_forms"))
            .foreign_key(&mut points_to("form_holders", "account_id", "accounts"))
            .take();
        manager.create_table(holders).await?;
        manager.create_index(index("form_holders", &["form_id", "account_id"], true)).await?;
        manager.create_index(index("form_holders", &["account_id"], false)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["form_holders", "form_items", "form_purposes", "form_versions", "master_forms"] {
            manager.drop_table(Table::drop().table(table).if_exists().take()).await?;
        }
        Ok(())
    }
}
