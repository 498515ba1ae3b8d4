//! Master forms (主表單) as stored: writing a version, and handing it on by groups and sub-forms. Whether that may
//! happen is the procedure's to say; compiling forms for requests is left to `rights`.

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, TransactionTrait};
use time::Date;
use time::macros::date;

use super::entity::{
    account, directory_group, directory_item, form_item, form_purpose, form_version, master_form, sub_form, user_group,
    user_group_member,
};
use super::epoch::{self, Epoch};
use super::{Accounts, AccountsError};
use crate::access::Item;
use crate::catalog::Catalog;

/// A version of a master form to be opened.
#[derive(Debug, Clone)]
pub struct NewForm {
    /// `FIRE-2026-001`
    pub number: String,
    /// As people know it.
    pub title: String,
    /// Code of the using agency.
    pub agency: String,
    /// Code, as `X-Purpose` names it, and title.
    pub purposes: Vec<(String, String)>,
    /// The law it rests on.
    pub legal_basis: String,
    /// Personal data needs a case number.
    pub case_required: bool,
    /// First day.
    pub from: Date,
    /// Last day.
    pub until: Date,
    /// What it grants.
    pub items: Vec<Item>,
    /// Accounts that hold it.
    pub holders: Vec<String>,
}

/// Checks items against the catalogue: every fault, not the first.
pub fn check_items(catalog: &Catalog, form: &NewForm) -> Result<(), AccountsError> {
    let (_, problems) = crate::access::Rights::compile(catalog, &form.items);
    let mut faults: Vec<String> =
        problems.iter().map(|problem| format!("{}: {}", problem.coordinate, problem.reason)).collect();
    let mut seen = std::collections::HashSet::new();
    let twice = form.items.iter().filter(|item| !seen.insert(&item.coordinate));
    faults.extend(twice.map(|item| format!("{}: stands there twice", item.coordinate)));
    if faults.is_empty() {
        return Ok(());
    }
    Err(AccountsError::Declaration(format!("form {} cannot be opened:\n  {}", form.number, faults.join("\n  "))))
}

/// A version as it is written: who opened it, for which application.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The application.
    pub application_id: Option<i64>,
    /// Account of the information office.
    pub opened_by: Option<String>,
    /// The annex items that the form's items rest on, in their order; may be empty.
    pub annex_items: Vec<Option<i64>>,
}

/// A selection of a form's items that is handed to some accounts.
#[derive(Debug, Clone)]
pub struct NewSubForm<'a> {
    /// The master form.
    pub form_id: i64,
    /// `FIRE-2026-001/1`
    pub number: String,
    /// As people know it.
    pub title: &'a str,
    /// What.
    pub directory_group_id: i64,
    /// Who.
    pub user_group_id: i64,
    /// First day.
    pub from: Date,
    /// Last day.
    pub until: Date,
    /// Account that opens it.
    pub opened_by: &'a str,
}

impl Accounts {
    /// Opens a form, or its next version, and hands all of it to its holders, without any procedure: for measuring and
    /// for tests of what stands on top of forms. The program itself opens forms through `procedure` only.
    pub async fn open_form(&self, form: &NewForm) -> Result<u32, AccountsError> {
        check_items(self.rights.catalog(), form)?;
        let agency_id = self.agency_id(&form.agency).await?;
        let opening = self.db.begin().await?;
        epoch::raise(&opening, Epoch::Rights).await?;
        let (form_id, version) = self.write_version(&opening, form, agency_id, &Origin::default()).await?;
        let (what, who) =
            match sub_form::Entity::find().filter(sub_form::Column::FormId.eq(form_id)).one(&opening).await? {
                Some(known) => (known.directory_group_id, known.user_group_id),
                None => {
                    let what = self.write_directory_group(&opening, form_id, "all", &form.title).await?;
                    let who = self.write_user_group(&opening, agency_id, &form.number, &form.title).await?;
                    let (from, until) = (date!(2000 - 01 - 01), date!(9999 - 12 - 31));
                    let number = format!("{}/1", form.number);
                    let (title, opened_by) = (form.title.as_str(), "-");
                    let new = NewSubForm {
                        form_id,
                        number,
                        title,
                        directory_group_id: what,
                        user_group_id: who,
                        from,
                        until,
                        opened_by,
                    };
                    self.write_sub_form(&opening, &new).await?;
                    (what, who)
                }
            };
        write_directory_items(&opening, what, &form.items).await?;
        user_group_member::Entity::delete_many()
            .filter(user_group_member::Column::GroupId.eq(who))
            .exec(&opening)
            .await?;
        for holder in &form.holders {
            let account =
                account::Entity::find().filter(account::Column::Name.eq(holder.as_str())).one(&opening).await?;
            let account = account
                .ok_or_else(|| AccountsError::Declaration(format!("form {}: no account {holder}", form.number)))?;
            self.write_member(&opening, who, account.id, "-").await?;
        }
        opening.commit().await?;
        self.rights.reload(&self.db).await?;
        Ok(version)
    }

    /// Writes a new version of a form, or the first, in place of the one before; returns the form's row and the
    /// version's number.
    pub async fn write_version(
        &self,
        db: &impl ConnectionTrait,
        form: &NewForm,
        agency_id: i64,
        origin: &Origin,
    ) -> Result<(i64, u32), AccountsError> {
        let now = self.now();
        let by_number = master_form::Entity::find().filter(master_form::Column::Number.eq(form.number.as_str()));
        let form_id = match by_number.one(db).await? {
            Some(known) => known.id,
            None => {
                let row = master_form::ActiveModel {
                    number: Set(form.number.clone()),
                    title: Set(form.title.clone()),
                    agency_id: Set(agency_id),
                    status: Set("open".to_owned()),
                    created_at: Set(now),
                    ..Default::default()
                };
                master_form::Entity::insert(row).exec(db).await?.last_insert_id
            }
        };
        let last = form_version::Entity::find()
            .filter(form_version::Column::FormId.eq(form_id))
            .order_by_desc(form_version::Column::Version)
            .one(db)
            .await?;
        let version = last.as_ref().map_or(1, |last| last.version + 1);
        form_version::Entity::update_many()
            .col_expr(form_version::Column::Status, Expr::value("superseded"))
            .filter(form_version::Column::FormId.eq(form_id))
            .filter(form_version::Column::Status.eq("open"))
            .exec(db)
            .await?;
        let row = form_version::ActiveModel {
            form_id: Set(form_id),
            version: Set(version),
            legal_basis: Set(form.legal_basis.clone()),
            case_required: Set(form.case_required),
            valid_from: Set(form.from),
            valid_until: Set(form.until),
            status: Set("open".to_owned()),
            opened_at: Set(now),
            application_id: Set(origin.application_id),
            opened_by: Set(origin.opened_by.clone()),
            ..Default::default()
        };
        let version_id = form_version::Entity::insert(row).exec(db).await?.last_insert_id;
        write_contents(db, version_id, form, &origin.annex_items).await?;
        Ok((form_id, u32::try_from(version).unwrap_or(0)))
    }

    /// Makes an empty directory group of a form.
    pub async fn write_directory_group(
        &self,
        db: &impl ConnectionTrait,
        form_id: i64,
        name: &str,
        title: &str,
    ) -> Result<i64, AccountsError> {
        let row = directory_group::ActiveModel {
            form_id: Set(form_id),
            name: Set(name.to_owned()),
            title: Set(title.to_owned()),
            created_at: Set(self.now()),
            ..Default::default()
        };
        Ok(directory_group::Entity::insert(row).exec(db).await?.last_insert_id)
    }

    /// Makes an empty user group of an agency.
    pub async fn write_user_group(
        &self,
        db: &impl ConnectionTrait,
        agency_id: i64,
        name: &str,
        title: &str,
    ) -> Result<i64, AccountsError> {
        let row = user_group::ActiveModel {
            agency_id: Set(agency_id),
            name: Set(name.to_owned()),
            title: Set(title.to_owned()),
            created_at: Set(self.now()),
            ..Default::default()
        };
        Ok(user_group::Entity::insert(row).exec(db).await?.last_insert_id)
    }

    /// Adds a member to a user group.
    pub async fn write_member(
        &self,
        db: &impl ConnectionTrait,
        group_id: i64,
        account_id: i64,
        by: &str,
    ) -> Result<i64, AccountsError> {
        let row = user_group_member::ActiveModel {
            group_id: Set(group_id),
            account_id: Set(account_id),
            added_by: Set(by.to_owned()),
            added_at: Set(self.now()),
            ..Default::default()
        };
        Ok(user_group_member::Entity::insert(row).exec(db).await?.last_insert_id)
    }

    /// Opens a sub-form.
    pub async fn write_sub_form(&self, db: &impl ConnectionTrait, new: &NewSubForm<'_>) -> Result<i64, AccountsError> {
        let row = sub_form::ActiveModel {
            form_id: Set(new.form_id),
            number: Set(new.number.clone()),
            title: Set(new.title.to_owned()),
            directory_group_id: Set(new.directory_group_id),
            user_group_id: Set(new.user_group_id),
            valid_from: Set(new.from),
            valid_until: Set(new.until),
            status: Set("open".to_owned()),
            opened_by: Set(new.opened_by.to_owned()),
            opened_at: Set(self.now()),
            ..Default::default()
        };
        Ok(sub_form::Entity::insert(row).exec(db).await?.last_insert_id)
    }

    /// Suspends or reopens a form, without any procedure: `open`, `suspended` or `closed`.
    pub async fn set_form_status(&self, number: &str, status: &str) -> Result<(), AccountsError> {
        let changing = self.db.begin().await?;
        epoch::raise(&changing, Epoch::Rights).await?;
        let changed = master_form::Entity::update_many()
            .col_expr(master_form::Column::Status, Expr::value(status))
            .filter(master_form::Column::Number.eq(number))
            .exec(&changing)
            .await?;
        if changed.rows_affected == 0 {
            return Err(AccountsError::Declaration(format!("there is no form {number}")));
        }
        changing.commit().await?;
        self.rights.reload(&self.db).await
    }
}

async fn write_contents(
    db: &impl ConnectionTrait,
    version_id: i64,
    form: &NewForm,
    annex_items: &[Option<i64>],
) -> Result<(), AccountsError> {
    let purposes = form.purposes.iter().map(|(code, title)| form_purpose::ActiveModel {
        form_version_id: Set(version_id),
        code: Set(code.clone()),
        title: Set(title.clone()),
        ..Default::default()
    });
    form_purpose::Entity::insert_many(purposes).exec_without_returning(db).await?;
    let item = |(number, item): (usize, &Item)| form_item::ActiveModel {
        form_version_id: Set(version_id),
        coordinate: Set(item.coordinate.clone()),
        uses: Set(item.uses.to_string()),
        masked: Set(item.masked),
        districts: Set(item.districts.as_ref().map(|codes| codes.join(","))),
        annex_item_id: Set(annex_items.get(number).copied().flatten()),
        ..Default::default()
    };
    let items: Vec<form_item::ActiveModel> = form.items.iter().enumerate().map(item).collect();
    // A statement has a limited number of parameters.
    for some in items.chunks(100) {
        form_item::Entity::insert_many(some.to_vec()).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Writes the items of a directory group in place of those it had.
pub async fn write_directory_items(
    db: &impl ConnectionTrait,
    group_id: i64,
    items: &[Item],
) -> Result<(), AccountsError> {
    directory_item::Entity::delete_many().filter(directory_item::Column::GroupId.eq(group_id)).exec(db).await?;
    let item = |item: &Item| directory_item::ActiveModel {
        group_id: Set(group_id),
        coordinate: Set(item.coordinate.clone()),
        uses: Set(item.uses.to_string()),
        masked: Set(item.masked),
        districts: Set(item.districts.as_ref().map(|codes| codes.join(","))),
        ..Default::default()
    };
    let rows: Vec<directory_item::ActiveModel> = items.iter().map(item).collect();
    for some in rows.chunks(100) {
        directory_item::Entity::insert_many(some.to_vec()).exec_without_returning(db).await?;
    }
    Ok(())
}
