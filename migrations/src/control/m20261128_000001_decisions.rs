//! Every decision on an annex with its number: an annex that is returned, mended and handed in again is decided on more
//! than once, and each letter (文號) stands.

use sea_orm_migration::prelude::*;

use super::{account, index, moment, numbered, points_to, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// What was decided before, as far as it was kept: the last one of each annex.
const KEPT: &str = "INSERT INTO decisions (annex_id, number, decision, decided_by, decided_at, comment) \
    SELECT id, decision_number, CASE status WHEN 'approved' THEN 'approved' WHEN 'refused' THEN 'refused' ELSE 'returned' END, \
    decided_by, decided_at, comment FROM annexes WHERE decision_number IS NOT NULL ORDER BY id";

/// Decided, and nothing of it approved: there is nothing to open.
const REFUSED: &str = "UPDATE applications SET status = 'refused' WHERE status = 'decided' AND NOT EXISTS \
    (SELECT 1 FROM annexes WHERE annexes.application_id = applications.id AND annexes.status = 'approved')";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true) // also on SQLite: one that is broken off leaves nothing behind
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let decisions = numbered("decisions")
            .col(reference("annex_id"))
            .col(ColumnDef::new("number").string_len(64).not_null())
            .col(ColumnDef::new("decision").string_len(16).not_null()) // approved | returned | refused
            .col(account("decided_by").not_null().take())
            .col(moment("decided_at").not_null().take())
            .col(ColumnDef::new("comment").text())
            .foreign_key(&mut points_to("decisions", "annex_id", "annexes"))
            .take();
        manager.create_table(decisions).await?;
        // Numbers alone were given twice before.
        manager.create_index(index("decisions", &["annex_id", "number"], true)).await?;
        let db = manager.get_connection();
        db.execute_unprepared(KEPT).await?;
        db.execute_unprepared(REFUSED).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let again = "UPDATE applications SET status = 'decided' WHERE status = 'refused'";
        manager.get_connection().execute_unprepared(again).await?;
        manager.drop_table(Table::drop().table("decisions").if_exists().take()).await
    }
}
