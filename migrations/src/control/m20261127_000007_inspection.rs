//! Inspections: how often an agency inspects its own use, what was drawn from the audit log, what was found, and who
//! took notice of the report. What the records say stays in the log: here are their numbers only.

use sea_orm_migration::prelude::*;

use super::{account, index, moment, numbered, points_to, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

fn count(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).integer().not_null().take()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true) // also on SQLite: one that is broken off leaves nothing behind
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let rules = numbered("inspection_rules")
            .col(reference("agency_id"))
            .col(count("interval_days"))
            .col(count("percent"))
            .col(count("at_least"))
            .col(account("set_by").not_null().take())
            .col(moment("set_at").not_null().take())
            .foreign_key(&mut points_to("inspection_rules", "agency_id", "agencies"))
            .take();
        manager.create_table(rules).await?;
        manager.create_index(index("inspection_rules", &["agency_id"], false)).await?;

        let inspections = numbered("inspections")
            .col(ColumnDef::new("number").string_len(32).not_null())
            .col(reference("agency_id"))
            .col(ColumnDef::new("first_day").date().not_null())
            .col(ColumnDef::new("last_day").date().not_null())
            .col(count("percent"))
            .col(count("at_least"))
            .col(ColumnDef::new("seed").string_len(64).not_null()) // hexadecimal
            .col(count("population"))
            .col(count("unreadable"))
            .col(ColumnDef::new("status").string_len(16).not_null()) // drawn | reported | acknowledged
            .col(account("drawn_by").not_null().take())
            .col(moment("drawn_at").not_null().take())
            .col(ColumnDef::new("summary").text())
            .col(account("reported_by"))
            .col(moment("reported_at"))
            .col(ColumnDef::new("acknowledge_by").date())
            .col(account("acknowledged_by"))
            .col(moment("acknowledged_at"))
            .foreign_key(&mut points_to("inspections", "agency_id", "agencies"))
            .take();
        manager.create_table(inspections).await?;
        manager.create_index(index("inspections", &["number"], true)).await?;
        manager.create_index(index("inspections", &["agency_id", "status"], false)).await?;

        let entries = numbered("inspection_entries")
            .col(reference("inspection_id"))
            .col(ColumnDef::new("record_id").string_len(36).not_null())
            .col(account("account").not_null().take())
            .col(moment("at").not_null().take())
            .col(ColumnDef::new("sampled").boolean().not_null())
            .col(ColumnDef::new("flags").string_len(200).not_null()) // words, with spaces between
            .col(ColumnDef::new("verdict").string_len(16)) // proper | improper | unclear
            .col(ColumnDef::new("comment").text())
            .col(account("found_by"))
            .col(moment("found_at"))
            .foreign_key(&mut points_to("inspection_entries", "inspection_id", "inspections"))
            .take();
        manager.create_table(entries).await?;
        manager.create_index(index("inspection_entries", &["inspection_id", "record_id"], true)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["inspection_entries", "inspections", "inspection_rules"] {
            manager.drop_table(Table::drop().table(table).if_exists().take()).await?;
        }
        Ok(())
    }
}
