//! The procedure: what custodians offer, what agencies ask for, how it was decided, every step that anybody took, and
//! what everybody was told of it.

use sea_orm_migration::prelude::*;

use super::{account, index, moment, numbered, points_to, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

fn code(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).string_len(64).not_null().take()
}

fn state() -> ColumnDef {
    ColumnDef::new("status").string_len(16).not_null().take()
}

fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true) // also on SQLite: one that is broken off leaves nothing behind
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        offers(manager).await?;
        applications(manager).await?;
        filings(manager).await?;
        steps(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "notices",
            "repeatable_steps",
            "steps",
            "rules_receipts",
            "operating_rules",
            "audit_plans",
            "documents",
            "annex_items",
            "annexes",
            "applications",
            "offer_items",
            "offers",
        ] {
            manager.drop_table(Table::drop().table(table).if_exists().take()).await?;
        }
        Ok(())
    }
}

/// What a custodian lets others apply for: the annex (附表) as it is to be filled in.
async fn offers(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let offers = numbered("offers")
        .col(code("custodian"))
        .col(ColumnDef::new("version").integer().not_null())
        .col(state()) // current | superseded
        .col(text("purposes")) // JSON: [[code, title], …]
        .col(text("legal_bases")) // JSON: [text, …]; empty lets the applicant name any
        .col(ColumnDef::new("longest_days").integer().not_null())
        .col(ColumnDef::new("case_required").boolean().not_null())
        .col(text("attachments")) // JSON: [what must be attached, …]
        .col(account("defined_by").not_null().take())
        .col(moment("defined_at").not_null().take())
        .take();
    manager.create_table(offers).await?;
    manager.create_index(index("offers", &["custodian", "version"], true)).await?;
    let items = numbered("offer_items")
        .col(reference("offer_id"))
        .col(ColumnDef::new("coordinate").string_len(200).not_null())
        .col(ColumnDef::new("uses").string_len(64).not_null())
        .col(ColumnDef::new("masked").boolean().not_null())
        .foreign_key(&mut points_to("offer_items", "offer_id", "offers"))
        .take();
    manager.create_table(items).await?;
    manager.create_index(index("offer_items", &["offer_id", "coordinate"], true)).await
}

/// One header, one annex for each custodian, decided apart.
async fn applications(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let applications = numbered("applications")
        .col(ColumnDef::new("number").string_len(64).not_null().unique_key())
        .col(reference("agency_id"))
        .col(ColumnDef::new("title").string_len(200).not_null())
        .col(text("purposes"))
        .col(text("legal_basis"))
        .col(ColumnDef::new("valid_from").date().not_null())
        .col(ColumnDef::new("valid_until").date().not_null())
        .col(ColumnDef::new("form_id").big_integer()) // the form that it changes, or that was opened for it
        .col(state()) // draft | submitted | decided | opened | withdrawn
        .col(ColumnDef::new("revision").integer().not_null())
        .col(account("drafted_by").not_null().take())
        .col(moment("drafted_at").not_null().take())
        .col(account("submitted_by"))
        .col(moment("submitted_at"))
        .foreign_key(&mut points_to("applications", "agency_id", "agencies"))
        .take();
    manager.create_table(applications).await?;
    manager.create_index(index("applications", &["agency_id"], false)).await?;

    let annexes = numbered("annexes")
        .col(reference("application_id"))
        .col(code("custodian"))
        .col(state()) // draft | submitted | approved | returned | refused
        .col(ColumnDef::new("offer_version").integer())
        .col(account("decided_by"))
        .col(moment("decided_at"))
        .col(ColumnDef::new("decision_number").string_len(64))
        .col(ColumnDef::new("comment").text())
        .foreign_key(&mut points_to("annexes", "application_id", "applications"))
        .take();
    manager.create_table(annexes).await?;
    manager.create_index(index("annexes", &["application_id", "custodian"], true)).await?;
    manager.create_index(index("annexes", &["custodian", "status"], false)).await?;

    let items = numbered("annex_items")
        .col(reference("annex_id"))
        .col(ColumnDef::new("coordinate").string_len(200).not_null())
        .col(ColumnDef::new("uses").string_len(64).not_null())
        .col(ColumnDef::new("masked").boolean().not_null())
        .col(ColumnDef::new("districts").text())
        .col(text("reason"))
        .foreign_key(&mut points_to("annex_items", "annex_id", "annexes"))
        .take();
    manager.create_table(items).await?;
    manager.create_index(index("annex_items", &["annex_id", "coordinate"], true)).await?;

    let documents = numbered("documents")
        .col(code("subject_kind"))
        .col(reference("subject_id"))
        .col(ColumnDef::new("name").string_len(200).not_null())
        .col(ColumnDef::new("media_type").string_len(100).not_null())
        .col(ColumnDef::new("fulfils").string_len(200)) // which attachment of an offer it is
        .col(ColumnDef::new("content").blob().not_null())
        .col(ColumnDef::new("sha256").string_len(64).not_null())
        .col(account("added_by").not_null().take())
        .col(moment("added_at").not_null().take())
        .take();
    manager.create_table(documents).await?;
    manager.create_index(index("documents", &["subject_kind", "subject_id"], false)).await
}

/// What must be on file: operating rules (作業規定) with their receipts, audit plans (稽核計畫).
async fn filings(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let rules = numbered("operating_rules")
        .col(reference("agency_id"))
        .col(ColumnDef::new("version").integer().not_null())
        .col(ColumnDef::new("title").string_len(200).not_null())
        .col(text("content"))
        .col(ColumnDef::new("sha256").string_len(64).not_null())
        .col(account("filed_by").not_null().take())
        .col(moment("filed_at").not_null().take())
        .foreign_key(&mut points_to("operating_rules", "agency_id", "agencies"))
        .take();
    manager.create_table(rules).await?;
    manager.create_index(index("operating_rules", &["agency_id", "version"], true)).await?;
    let receipts = numbered("rules_receipts")
        .col(reference("rules_id"))
        .col(code("recipient"))
        .col(account("received_by"))
        .col(moment("received_at"))
        .foreign_key(&mut points_to("rules_receipts", "rules_id", "operating_rules"))
        .take();
    manager.create_table(receipts).await?;
    manager.create_index(index("rules_receipts", &["rules_id", "recipient"], true)).await?;
    let plans = numbered("audit_plans")
        .col(code("dataset"))
        .col(ColumnDef::new("version").integer().not_null())
        .col(ColumnDef::new("waived").boolean().not_null())
        .col(text("content"))
        .col(ColumnDef::new("interval_days").integer().not_null())
        .col(account("filed_by").not_null().take())
        .col(moment("filed_at").not_null().take())
        .take();
    manager.create_table(plans).await?;
    manager.create_index(index("audit_plans", &["dataset", "version"], true)).await
}

/// Every step by whom and when; what each was told; and what may safely be sent twice.
async fn steps(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let steps = numbered("steps")
        .col(moment("at").not_null().take())
        .col(ColumnDef::new("record_id").string_len(36).not_null())
        .col(account("account").not_null().take())
        .col(code("agency"))
        .col(code("operation"))
        .col(code("subject_kind"))
        .col(reference("subject_id"))
        .col(text("detail")) // JSON
        .take();
    manager.create_table(steps).await?;
    manager.create_index(index("steps", &["subject_kind", "subject_id"], false)).await?;
    manager.create_index(index("steps", &["account"], false)).await?;

    let repeatable = numbered("repeatable_steps")
        .col(reference("account_id"))
        .col(ColumnDef::new("idempotency_key").string_len(200).not_null())
        .col(code("operation"))
        .col(ColumnDef::new("request_digest").string_len(64).not_null())
        .col(reference("subject_id"))
        .col(moment("at").not_null().take())
        .take();
    manager.create_table(repeatable).await?;
    manager.create_index(index("repeatable_steps", &["account_id", "idempotency_key"], true)).await?;

    let notices = numbered("notices")
        .col(reference("account_id"))
        .col(moment("at").not_null().take())
        .col(code("subject_kind"))
        .col(ColumnDef::new("subject_number").string_len(80).not_null())
        .col(text("text_en"))
        .col(text("text_zh"))
        .col(ColumnDef::new("due_on").date())
        .col(moment("read_at"))
        .col(moment("mailed_at"))
        .foreign_key(&mut points_to("notices", "account_id", "accounts"))
        .take();
    manager.create_table(notices).await?;
    manager.create_index(index("notices", &["account_id", "read_at"], false)).await?;
    manager.create_index(index("notices", &["mailed_at"], false)).await
}
