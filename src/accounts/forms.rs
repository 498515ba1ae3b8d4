//! Master forms (主表單) as stored: opening a version and handing it to its holders. The procedure that grants
//! them is a layer of its own; compiling them for requests is left to `rights`.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, TransactionTrait};
use time::Date;

use super::entity::{account, form_holder, form_item, form_purpose, form_version, master_form};
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

impl Accounts {
    /// Opens a new version of a form, or the first, in place of the one before; returns its number.
    pub async fn open_form(&self, form: &NewForm) -> Result<u32, AccountsError> {
        check_items(self.rights.catalog(), form)?;
        let (agency_id, now) = (self.agency_id(&form.agency).await?, self.now());
        let opening = self.db.begin().await?;
        epoch::raise(&opening, Epoch::Rights).await?;
        let by_number = master_form::Entity::find().filter(master_form::Column::Number.eq(form.number.as_str()));
        let form_id = match by_number.one(&opening).await? {
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
                master_form::Entity::insert(row).exec(&opening).await?.last_insert_id
            }
        };
        let last = form_version::Entity::find()
            .filter(form_version::Column::FormId.eq(form_id))
            .order_by_desc(form_version::Column::Version)
            .one(&opening)
            .await?;
        let version = last.as_ref().map_or(1, |last| last.version + 1);
        form_version::Entity::update_many()
            .col_expr(form_version::Column::Status, sea_orm::sea_query::Expr::value("superseded"))
            .filter(form_version::Column::FormId.eq(form_id))
            .filter(form_version::Column::Status.eq("open"))
            .exec(&opening)
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
            ..Default::default()
        };
        let version_id = form_version::Entity::insert(row).exec(&opening).await?.last_insert_id;
        let purposes = form.purposes.iter().map(|(code, title)| form_purpose::ActiveModel {
            form_version_id: Set(version_id),
            code: Set(code.clone()),
            title: Set(title.clone()),
            ..Default::default()
        });
        form_purpose::Entity::insert_many(purposes).exec_without_returning(&opening).await?;
        let items: Vec<form_item::ActiveModel> = form
            .items
            .iter()
            .map(|item| form_item::ActiveModel {
                form_version_id: Set(version_id),
                coordinate: Set(item.coordinate.clone()),
                uses: Set(item.uses.to_string()),
                masked: Set(item.masked),
                districts: Set(item.districts.as_ref().map(|codes| codes.join(","))),
                ..Default::default()
            })
            .collect();
        // A statement has a limited number of parameters.
        for some in items.chunks(100) {
            form_item::Entity::insert_many(some.to_vec()).exec_without_returning(&opening).await?;
        }
        form_holder::Entity::delete_many().filter(form_holder::Column::FormId.eq(form_id)).exec(&opening).await?;
        for holder in &form.holders {
            let account =
                account::Entity::find().filter(account::Column::Name.eq(holder.as_str())).one(&opening).await?;
            let account = account
                .ok_or_else(|| AccountsError::Declaration(format!("form {}: no account {holder}", form.number)))?;
            let row =
                form_holder::ActiveModel { form_id: Set(form_id), account_id: Set(account.id), ..Default::default() };
            form_holder::Entity::insert(row).exec_without_returning(&opening).await?;
        }
        opening.commit().await?;
        self.rights.reload(&self.db).await?;
        Ok(u32::try_from(version).unwrap_or(0))
    }

    /// Suspends or reopens a form: `open`, `suspended` or `closed`.
    pub async fn set_form_status(&self, number: &str, status: &str) -> Result<(), AccountsError> {
        let changing = self.db.begin().await?;
        epoch::raise(&changing, Epoch::Rights).await?;
        let changed = master_form::Entity::update_many()
            .col_expr(master_form::Column::Status, sea_orm::sea_query::Expr::value(status))
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
