//! Opening a master form for what was approved (clause 7(3)), and taking a custodian's items out of it again. Nothing
//! else makes a version of a form.

use std::collections::BTreeSet;

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;

use super::agency::agency_title;
use super::application::{Application, Whole, item_of};
use super::application_list::find;
use super::draft::{check_not_own, check_revision};
use super::entity::{application, audit_plan, offer};
use super::fault::{conflict, forbidden, wrong};
use super::item::{self, Purpose};
use super::master_form::{Form, MasterForm, find_form};
use super::step::{Begun, Step};
use super::{Act, Fault, Procedure};
use crate::access::Item;
use crate::accounts::entity::{form_item, form_purpose, form_version, master_form};
use crate::accounts::forms::{NewForm, Origin, check_items};
use crate::accounts::rights_read;

/// An item with the annex item that it rests on.
pub(crate) type Rested = (Item, Option<i64>);

impl Procedure {
    /// Opens the master form of a decided application, or the next version of the form that it changes.
    pub async fn open_master_form(
        &self,
        act: &Act,
        number: &str,
        revision: i32,
        form_number: Option<&str>,
    ) -> Result<Application, Fault> {
        let mut step = match self.begin(act, "openMasterForm").await? {
            Begun::Before(id) => return self.application_by_id(id).await,
            Begun::New(step) => step,
        };
        let whole = find(step.tx(), number).await?;
        if whole.header.status == "draft" {
            return Err(super::application::unknown(number));
        }
        check_not_own(&whole, act)?;
        if whole.header.status != "decided" {
            let (en, zh) = ("Not every custodian has decided, or it is opened already.", "尚未全部審定，或已開放。");
            return Err(conflict(en, zh, whole.current()));
        }
        check_revision(&whole, revision)?;
        let approved: Vec<_> = whole.annexes.iter().filter(|(annex, _)| annex.status == "approved").collect();
        if approved.is_empty() {
            let (en, zh) = ("No custodian has approved anything.", "無任何核准之附表。");
            return Err(conflict(en, zh, whole.current()));
        }
        let mut items: Vec<Rested> = Vec::new();
        for (_, rows) in &approved {
            items.extend(rows.iter().filter_map(|row| Some((item_of(row)?, Some(row.id)))));
        }
        self.check_plans(step.tx(), items.iter().map(|(item, _)| item)).await?;
        let mut case_required = demands_case(step.tx(), &whole).await?;
        let purposes = item::purposes_of(&whole.header.purposes);
        let (mut from, mut until) = (whole.header.valid_from, whole.header.valid_until);
        let (mut title, mut legal_basis) = (whole.header.title.clone(), whole.header.legal_basis.clone());
        let number_of_form = match whole.header.form_id {
            None => match form_number {
                Some(given) => free(step.tx(), given).await?,
                None => self.next_form_number(step.tx(), &whole.agency).await?,
            },
            Some(form_id) => {
                let form = master_form::Entity::find_by_id(form_id).one(step.tx()).await?;
                let form = form.filter(|form| form.status != "closed").ok_or_else(|| {
                    conflict("The form that it changes was revoked.", "所欲變更之主表單已撤銷。", whole.current())
                })?;
                // What the application does not turn to, or was refused, stays as it was granted: for the purposes, on the
                // basis and for the time that it was granted for.
                if let Some((version, kept)) = self.kept(step.tx(), form_id, &whole).await?
                    && !kept.is_empty()
                {
                    self.check_purposes_kept(step.tx(), &whole, &purposes, &version, &kept).await?;
                    from = from.max(version.valid_from);
                    until = until.min(version.valid_until);
                    case_required |= version.case_required;
                    legal_basis = both_bases(&version.legal_basis, &legal_basis);
                    items.extend(kept);
                }
                title = form.title;
                form.number
            }
        };
        let (items, annex_items): (Vec<Item>, Vec<Option<i64>>) = items.into_iter().unzip();
        let form = NewForm {
            number: number_of_form,
            title,
            agency: whole.agency.clone(),
            purposes: purposes.into_iter().map(|one| (one.code, one.title)).collect(),
            legal_basis,
            case_required,
            from,
            until,
            items,
            holders: Vec::new(),
        };
        let (form_id, version) = self.write_form(&step, act, &whole, &form, annex_items).await?;
        step.changes_rights();
        let opened = find_form(step.tx(), &form.number).await?;
        self.tell_holders(&step, &opened, format!("is open, version {version}."), format!("第 {version} 版已開放。"))
            .await?;
        let detail = json!({ "number": number, "form": form.number, "formId": form_id, "version": version });
        step.finish("application", whole.header.id, detail).await?;
        self.application_by_id(whole.header.id).await
    }

    /// Takes the items of the caller's agency out of a form, effective everywhere within a second.
    pub async fn revoke_annex(&self, act: &Act, number: &str, reason: &str) -> Result<MasterForm, Fault> {
        let reason = super::agency::check_title("reason", reason)?;
        let mut step = match self.begin(act, "revokeAnnex").await? {
            Begun::Before(id) => return self.form_by_id(id).await,
            Begun::New(step) => step,
        };
        let form = find_form(step.tx(), number).await?;
        let own = &*act.caller.agency;
        let rows = [form.row.clone()];
        if self.with_items_of(step.tx(), own, &rows).await?.is_empty() {
            return Err(super::master_form::unknown(number));
        }
        let mine = |item: &Item| self.custodian_of(&item.coordinate) == Some(own);
        let in_force = rested(step.tx(), form.row.id).await?;
        let in_force = in_force.filter(|(_, items)| items.iter().any(|(item, _)| mine(item)));
        let Some((version, items)) = in_force else {
            let current = json!({ "number": number, "status": form.row.status });
            return Err(conflict("The form holds nothing of your agency.", "表單已無貴機關之項目。", current));
        };
        let kept: Vec<Rested> = items.into_iter().filter(|(item, _)| !mine(item)).collect();
        let title = agency_title(step.tx(), own).await?;
        self.without(&step, act, &form, version, kept).await?;
        step.changes_rights();
        self.tell_holders(
            &step,
            &form,
            format!("has lost the items of {own}: {reason}"),
            format!("中屬{title}之項目已撤銷：{reason}"),
        )
        .await?;
        let detail = json!({ "number": number, "custodian": own, "reason": reason });
        step.finish("master form", form.row.id, detail).await?;
        // The custodian that has nothing in it any more is answered as well.
        self.form_by_id(form.row.id).await
    }

    /// Writes a version that holds these items of the one before, and nothing else.
    pub(crate) async fn without(
        &self,
        step: &Step<'_>,
        act: &Act,
        form: &Form,
        version: form_version::Model,
        kept: Vec<Rested>,
    ) -> Result<(), Fault> {
        let purposes = purposes_in(step.tx(), version.id).await?;
        let (items, annex_items): (Vec<Item>, Vec<Option<i64>>) = kept.into_iter().unzip();
        let next = NewForm {
            number: form.row.number.clone(),
            title: form.row.title.clone(),
            agency: form.agency.clone(),
            purposes: purposes.into_iter().map(|one| (one.code, one.title)).collect(),
            legal_basis: version.legal_basis,
            case_required: version.case_required,
            from: version.valid_from,
            until: version.valid_until,
            items,
            holders: Vec::new(),
        };
        let origin = Origin {
            application_id: version.application_id,
            opened_by: Some(act.caller.account.to_string()),
            annex_items,
        };
        self.accounts.write_version(step.tx(), &next, form.row.agency_id, &origin).await?;
        Ok(())
    }

    async fn write_form(
        &self,
        step: &Step<'_>,
        act: &Act,
        whole: &Whole,
        form: &NewForm,
        annex_items: Vec<Option<i64>>,
    ) -> Result<(i64, u32), Fault> {
        check_items(&self.catalog, form).map_err(|error| wrong("items", error.to_string(), error.to_string()))?;
        let origin = Origin {
            application_id: Some(whole.header.id),
            opened_by: Some(act.caller.account.to_string()),
            annex_items,
        };
        let (form_id, version) = self.accounts.write_version(step.tx(), form, whole.header.agency_id, &origin).await?;
        application::Entity::update_many()
            .col_expr(application::Column::Status, Expr::value("opened"))
            .col_expr(application::Column::FormId, Expr::value(form_id))
            .col_expr(application::Column::Revision, Expr::value(whole.header.revision + 1))
            .filter(application::Column::Id.eq(whole.header.id))
            .exec(step.tx())
            .await?;
        Ok((form_id, version))
    }

    /// The items of the version in force whose custodians the application does not turn to, or who refused.
    async fn kept(
        &self,
        db: &impl ConnectionTrait,
        form_id: i64,
        whole: &Whole,
    ) -> Result<Option<(form_version::Model, Vec<Rested>)>, Fault> {
        let Some((version, items)) = rested(db, form_id).await? else { return Ok(None) };
        let approved = |custodian: &str| {
            whole.annexes.iter().any(|(annex, _)| annex.custodian == custodian && annex.status == "approved")
        };
        let kept =
            items.into_iter().filter(|(item, _)| !self.custodian_of(&item.coordinate).is_some_and(approved)).collect();
        Ok(Some((version, kept)))
    }

    /// Items that are kept serve no purpose that their custodians did not grant them for.
    async fn check_purposes_kept(
        &self,
        db: &impl ConnectionTrait,
        whole: &Whole,
        purposes: &[Purpose],
        version: &form_version::Model,
        kept: &[Rested],
    ) -> Result<(), Fault> {
        let before = purposes_in(db, version.id).await?;
        if purposes.iter().all(|one| before.contains(one)) {
            return Ok(());
        }
        let custodians: BTreeSet<&str> =
            kept.iter().filter_map(|(item, _)| self.custodian_of(&item.coordinate)).collect();
        let list = custodians.into_iter().collect::<Vec<_>>().join(", ");
        Err(conflict(
            format!(
                "{list} granted items of the form for other purposes and did not approve these: take the application back, \
                 and apply for a form of its own."
            ),
            format!("{list} 原就其他目的核准表單項目，未核准本目的：請撤回申請，另行申請新表單。"),
            whole.current(),
        ))
    }

    /// A dataset with personal data is not opened without its custodian's audit plan (clause 6(3)).
    async fn check_plans(&self, db: &impl ConnectionTrait, items: impl Iterator<Item = &Item>) -> Result<(), Fault> {
        let fields = items.filter_map(|item| self.catalog.fields_by_coordinate.get(&item.coordinate));
        let datasets: BTreeSet<&str> =
            fields.map(|id| self.catalog.dataset(self.catalog.field(*id).dataset).code.as_str()).collect();
        for dataset in datasets {
            let filed = audit_plan::Entity::find().filter(audit_plan::Column::Dataset.eq(dataset)).one(db).await?;
            if filed.is_none() {
                return Err(forbidden(
                    format!("The dataset {dataset} has no audit plan, nor a waiver of one: nothing of it is opened."),
                    format!("資料庫 {dataset} 尚未訂定使用稽核計畫（或免訂），不得開放。"),
                    "6(3)",
                ));
            }
        }
        Ok(())
    }
}

/// The version in force, with its items and what each rests on.
pub(crate) async fn rested(
    db: &impl ConnectionTrait,
    form_id: i64,
) -> Result<Option<(form_version::Model, Vec<Rested>)>, Fault> {
    let open = form_version::Entity::find()
        .filter(form_version::Column::FormId.eq(form_id))
        .filter(form_version::Column::Status.eq("open"));
    let Some(version) = open.one(db).await? else { return Ok(None) };
    let rows = form_item::Entity::find().filter(form_item::Column::FormVersionId.eq(version.id));
    let rows = rows.order_by_asc(form_item::Column::Id).all(db).await?;
    let items = rows.iter().filter_map(|row| Some((rights_read::item_of(row)?, row.annex_item_id))).collect();
    Ok(Some((version, items)))
}

/// The purposes of a version.
pub(crate) async fn purposes_in(db: &impl ConnectionTrait, version_id: i64) -> Result<Vec<Purpose>, Fault> {
    let rows = form_purpose::Entity::find().filter(form_purpose::Column::FormVersionId.eq(version_id));
    let rows = rows.order_by_asc(form_purpose::Column::Id).all(db).await?;
    Ok(rows.into_iter().map(|row| Purpose { code: row.code, title: row.title }).collect())
}

/// The legal basis of what is kept and of what is new.
pub(crate) fn both_bases(before: &str, after: &str) -> String {
    match (before.contains(after), after.contains(before)) {
        (true, _) => before.to_owned(),
        (_, true) => after.to_owned(),
        _ => format!("{before}；{after}"),
    }
}

/// Whether one of the custodians who approved demands case numbers.
async fn demands_case(db: &impl ConnectionTrait, whole: &Whole) -> Result<bool, Fault> {
    for (annex, _) in whole.annexes.iter().filter(|(annex, _)| annex.status == "approved") {
        let checked = offer::Entity::find()
            .filter(offer::Column::Custodian.eq(annex.custodian.as_str()))
            .filter(offer::Column::Version.eq(annex.offer_version));
        if checked.one(db).await?.is_none_or(|offer| offer.case_required) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A number that no form has.
async fn free(db: &impl ConnectionTrait, number: &str) -> Result<String, Fault> {
    let plain = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '-';
    if !(3..=40).contains(&number.len()) || !number.chars().all(plain) {
        let (en, zh) = ("expected capital letters, digits and hyphens", "應為大寫英文字母、數字與連字號");
        return Err(wrong("form", en, zh));
    }
    let taken = master_form::Entity::find().filter(master_form::Column::Number.eq(number)).one(db).await?;
    match taken {
        None => Ok(number.to_owned()),
        Some(_) => {
            Err(conflict(format!("The number {number} is taken."), format!("編號 {number} 已使用。"), number.into()))
        }
    }
}
