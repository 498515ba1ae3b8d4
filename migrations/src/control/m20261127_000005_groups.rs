//! Groups and sub-forms (次表單) between a master form and those who use it; where each item of a form comes from;
//! what an agency is; how an account is known to be one person's.

use sea_orm_migration::prelude::*;

use super::{index, moment, numbered, points_to, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

async fn add(manager: &SchemaManager<'_>, table: &'static str, column: ColumnDef) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(table).add_column(column).take()).await
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true) // also on SQLite: one that is broken off leaves nothing behind
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // using | information-office | commission | ethics-office; who manages a dataset is declared with it
        add(manager, "agencies", ColumnDef::new("kind").string_len(24).not_null().default("using").take()).await?;
        for column in [
            ColumnDef::new("staff_number").string_len(64).take(), // one person, one account that is not closed
            ColumnDef::new("email").string_len(254).take(),
            ColumnDef::new("status_why").string_len(200).take(),
            moment("status_at"),
        ] {
            add(manager, "accounts", column).await?;
        }
        manager.create_index(index("accounts", &["staff_number"], false)).await?;
        add(manager, "form_versions", ColumnDef::new("application_id").big_integer().take()).await?;
        add(manager, "form_versions", ColumnDef::new("opened_by").string_len(64).take()).await?;
        add(manager, "form_items", ColumnDef::new("annex_item_id").big_integer().take()).await?;
        manager.drop_table(Table::drop().table("form_holders").if_exists().take()).await?;

        let directory_groups = numbered("directory_groups")
            .col(reference("form_id"))
            .col(ColumnDef::new("name").string_len(64).not_null())
            .col(ColumnDef::new("title").string_len(200).not_null())
            .col(moment("created_at").not_null().take())
            .foreign_key(&mut points_to("directory_groups", "form_id", "master_forms"))
            .take();
        manager.create_table(directory_groups).await?;
        manager.create_index(index("directory_groups", &["form_id", "name"], true)).await?;

        let directory_items = numbered("directory_items")
            .col(reference("group_id"))
            .col(ColumnDef::new("coordinate").string_len(200).not_null())
            .col(ColumnDef::new("uses").string_len(64).not_null())
            .col(ColumnDef::new("masked").boolean().not_null())
            .col(ColumnDef::new("districts").text())
            .foreign_key(&mut points_to("directory_items", "group_id", "directory_groups"))
            .take();
        manager.create_table(directory_items).await?;
        manager.create_index(index("directory_items", &["group_id", "coordinate"], true)).await?;

        let user_groups = numbered("user_groups")
            .col(reference("agency_id"))
            .col(ColumnDef::new("name").string_len(64).not_null())
            .col(ColumnDef::new("title").string_len(200).not_null())
            .col(moment("created_at").not_null().take())
            .foreign_key(&mut points_to("user_groups", "agency_id", "agencies"))
            .take();
        manager.create_table(user_groups).await?;
        manager.create_index(index("user_groups", &["agency_id", "name"], true)).await?;

        // Who was a member when stays known: a member who leaves is marked, not deleted.
        let members = numbered("user_group_members")
            .col(reference("group_id"))
            .col(reference("account_id"))
            .col(ColumnDef::new("added_by").string_len(64).not_null())
            .col(moment("added_at").not_null().take())
            .col(ColumnDef::new("removed_by").string_len(64))
            .col(moment("removed_at"))
            .foreign_key(&mut points_to("user_group_members", "group_id", "user_groups"))
            .foreign_key(&mut points_to("user_group_members", "account_id", "accounts"))
            .take();
        manager.create_table(members).await?;
        manager.create_index(index("user_group_members", &["group_id", "account_id"], false)).await?;
        manager.create_index(index("user_group_members", &["account_id"], false)).await?;

        let sub_forms = numbered("sub_forms")
            .col(reference("form_id"))
            .col(ColumnDef::new("number").string_len(80).not_null().unique_key())
            .col(ColumnDef::new("title").string_len(200).not_null())
            .col(reference("directory_group_id"))
            .col(reference("user_group_id"))
            .col(ColumnDef::new("valid_from").date().not_null())
            .col(ColumnDef::new("valid_until").date().not_null())
            .col(ColumnDef::new("status").string_len(16).not_null()) // open | suspended | closed
            .col(ColumnDef::new("opened_by").string_len(64).not_null())
            .col(moment("opened_at").not_null().take())
            .foreign_key(&mut points_to("sub_forms", "form_id", "master_forms"))
            .foreign_key(&mut points_to("sub_forms", "directory_group_id", "directory_groups"))
            .foreign_key(&mut points_to("sub_forms", "user_group_id", "user_groups"))
            .take();
        manager.create_table(sub_forms).await?;
        manager.create_index(index("sub_forms", &["form_id"], false)).await?;

        // A dataset without a row is in service.
        let datasets = Table::create()
            .table("dataset_states")
            .if_not_exists()
            .col(ColumnDef::new("code").string_len(64).not_null().primary_key())
            .col(ColumnDef::new("status").string_len(16).not_null()) // active | suspended | withdrawn
            .col(ColumnDef::new("reason").text().not_null())
            .col(ColumnDef::new("changed_by").string_len(64).not_null())
            .col(moment("changed_at").not_null().take())
            .take();
        manager.create_table(datasets).await?;

        let mut counter = Query::insert();
        counter.into_table("epochs").columns(["name", "value"]).values_panic(["procedure".into(), 1i64.into()]);
        manager.execute(counter).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in
            ["dataset_states", "sub_forms", "user_group_members", "user_groups", "directory_items", "directory_groups"]
        {
            manager.drop_table(Table::drop().table(table).if_exists().take()).await?;
        }
        manager
            .execute(Query::delete().from_table("epochs").and_where(Expr::col("name").eq("procedure")).take())
            .await?;
        for (table, column) in [
            ("form_items", "annex_item_id"),
            ("form_versions", "opened_by"),
            ("form_versions", "application_id"),
            ("accounts", "status_at"),
            ("accounts", "status_why"),
            ("accounts", "email"),
            ("agencies", "kind"),
        ] {
            manager.alter_table(Table::alter().table(table).drop_column(column).take()).await?;
        }
        manager.drop_index(Index::drop().name("ix_accounts_staff_number").table("accounts").to_owned()).await?;
        manager.alter_table(Table::alter().table("accounts").drop_column("staff_number").take()).await?;
        let holders = numbered("form_holders").col(reference("form_id")).col(reference("account_id")).take();
        manager.create_table(holders).await
    }
}
