//! Opening a master form for what was approved (clause 7(3)). Nothing else makes a version of a form, but taking items out
//! of it (`revocation`).

use std::collections::BTreeSet;

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;
use time::Date;

use super::application::{Application, Whole, item_of};
use super::application_list::find;
use super::draft::{check_not_own, check_revision};
use super::entity::{application, audit_plan, offer};
use super::fault::{conflict, forbidden, wrong};
use super::item::{self, Purpose};
use super::master_form::find_form;
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
        if !whole.is_handed_in() {
            return Err(super::application::unknown(number));
        }
        check_not_own(step.tx(), &whole, act).await?;
        if whole.header.status == "refused" {
            let (en, zh) =
                ("No custodian has approved anything: there is nothing to open.", "無任何核准之附表，無從建立。");
            return Err(conflict(en, zh, whole.current()));
        }
        if whole.header.status != "decided" {
            let (en, zh) = ("Not every custodian has decided, or it is opened already.", "尚未全部審定，或已開放。");
            return Err(conflict(en, zh, whole.current()));
        }
        check_revision(&whole, revision)?;
        let (form, annex_items, left_out) = self.form_of(step.tx(), &whole, form_number).await?;
        let (form_id, version) = self.write_form(&step, act, &whole, &form, annex_items).await?;
        step.changes_rights();
        let opened = find_form(step.tx(), &form.number).await?;
        let (mut en, mut zh) = match form.from > self.today() {
            true => (
                format!("has its version {version}; it may be used from {} on.", form.from),
                format!("第 {version} 版已建立，自 {} 起得使用。", form.from),
            ),
            false => (format!("is open, version {version}."), format!("第 {version} 版已開放。")),
        };
        if !left_out.is_empty() {
            let list = left_out.join(", ");
            en += &format!(" Nothing of {list} is in it: withdrawn meanwhile.");
            zh += &format!("資料庫 {list} 業已終止提供，未予納入。");
        }
        self.tell_holders(&step, &opened, en, zh).await?;
        let detail = json!({ "number": number, "form": form.number, "formId": form_id, "version": version });
        step.finish("application", whole.header.id, detail).await?;
        self.application_by_id(whole.header.id).await
    }

    /// What a decided application comes to: a form, or the next version of the one that it changes, with the annex items
    /// that its items rest on, and the datasets that were withdrawn meanwhile.
    async fn form_of(
        &self,
        db: &impl ConnectionTrait,
        whole: &Whole,
        form_number: Option<&str>,
    ) -> Result<(NewForm, Vec<Option<i64>>, Vec<String>), Fault> {
        let (mut items, left_out) = self.approved(db, whole).await?;
        let mut case_required = demands_case(db, whole).await?;
        let purposes = item::purposes_of(&whole.header.purposes);
        let (mut from, mut until) = (whole.header.valid_from, whole.header.valid_until);
        let (mut title, mut legal_basis) = (whole.header.title.clone(), whole.header.legal_basis.clone());
        let number = match whole.header.form_id {
            None => match form_number {
                Some(given) => free(db, given).await?,
                None => self.next_form_number(db, &whole.agency).await?,
            },
            Some(form_id) => {
                let form = master_form::Entity::find_by_id(form_id).one(db).await?;
                let form = form.filter(|form| form.status != "closed").ok_or_else(|| {
                    conflict("The form that it changes was revoked.", "所欲變更之主表單已撤銷。", whole.current())
                })?;
                let before = self.kept(db, form_id, whole).await?;
                self.check_no_gap(before.as_ref().map(|(version, _)| version), whole)?;
                // What the application does not turn to, or was refused, stays as it was granted: for the purposes, on the
                // basis and for the time that it was granted for.
                if let Some((version, kept)) = before
                    && !kept.is_empty()
                {
                    self.check_purposes_kept(db, whole, &purposes, &version, &kept).await?;
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
        if until < self.today() {
            return Err(conflict(
                format!(
                    "The period ended on {until}: nothing of it could be used. Have the application taken back, and apply \
                     anew; for a form that has ended, for all of its items."
                ),
                format!(
                    "期間已於 {until} 屆滿，無從使用：請撤回後另行申請；變更已屆滿之主表單者，應就全部項目一併申請。"
                ),
                whole.current(),
            ));
        }
        let (items, annex_items): (Vec<Item>, Vec<Option<i64>>) = items.into_iter().unzip();
        let form = NewForm {
            number,
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
        Ok((form, annex_items, left_out))
    }

    /// What was approved, without that of datasets that were withdrawn since, which are named.
    async fn approved(&self, db: &impl ConnectionTrait, whole: &Whole) -> Result<(Vec<Rested>, Vec<String>), Fault> {
        let annexes = whole.annexes.iter().filter(|(annex, _)| annex.status == "approved");
        let rows = annexes.flat_map(|(_, rows)| rows);
        let mut items: Vec<Rested> = rows.filter_map(|row| Some((item_of(row)?, Some(row.id)))).collect();
        let left_out = self.withdrawn_of(db, items.iter().map(|(item, _)| item.coordinate.as_str())).await?;
        items.retain(|(item, _)| {
            !self.dataset_of(&item.coordinate).is_some_and(|dataset| left_out.contains(&dataset.code))
        });
        if items.is_empty() {
            let list = left_out.join(", ");
            return Err(conflict(
                format!("All that was approved is of {list}, which was withdrawn: there is nothing to open."),
                format!("核准之項目均屬資料庫 {list}，業已終止提供，無從建立。"),
                whole.current(),
            ));
        }
        self.check_plans(db, items.iter().map(|(item, _)| item)).await?;
        Ok((items, left_out))
    }

    /// A version takes the place of the one before at once; one that begins later would leave its users with nothing.
    fn check_no_gap(&self, before: Option<&form_version::Model>, whole: &Whole) -> Result<(), Fault> {
        let from = whole.header.valid_from;
        if !before.is_some_and(|before| leaves_gap(before, from, self.today())) {
            return Ok(());
        }
        Err(conflict(
            format!(
                "The form is in use, and its next version would stop it until {from}: open it on that day, or have it \
                 applied for from today on."
            ),
            format!("主表單使用中，現在建立新版將使其停用至 {from}：請於該日建立，或另以今日為起日申請。"),
            whole.current(),
        ))
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

/// Whether a next version from that day on would stop a form that is in use.
pub(crate) fn leaves_gap(before: &form_version::Model, from: Date, today: Date) -> bool {
    from > today && from > before.valid_from && today <= before.valid_until
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
