//! Sub-forms (次表單): a directory group handed to a user group, for a time (clause 8(2)). None opens before the agency's
//! operating rules are on file.

use std::collections::{BTreeSet, HashMap};

use async_graphql::{InputObject, SimpleObject};
use sea_orm::sea_query::{Condition, Expr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use serde_json::json;
use time::{Date, OffsetDateTime};

use super::account_name;
use super::agency::{check_title, get_agency};
use super::difference::in_force;
use super::fault::{conflict, not_found, wrong};
use super::group::{check_did_not_decide, find_users, members_of, unknown_group};
use super::master_form::{FormStatus, find_form, status_zh, unknown};
use super::page::{Page, no_entry};
use super::step::{Begun, News, To};
use super::watch::watches;
use super::{Act, Fault, Procedure};
use crate::access::Item;
use crate::accounts::entity::{directory_group, directory_item, master_form, sub_form, user_group};
use crate::accounts::forms::NewSubForm;

/// 次表單: a part of a master form, handed to a user group.
#[derive(Debug, Clone, SimpleObject)]
pub struct SubForm {
    /// 次表單編號: number, as `X-Form` names it.
    pub number: String,
    /// 主表單: number of the master form.
    pub form: String,
    /// 名稱: title.
    pub title: String,
    /// 目錄組: what.
    pub directory_group: String,
    /// 使用群組: who.
    pub user_group: String,
    /// 狀態: whether it is in force.
    pub status: FormStatus,
    /// 起日: first day.
    pub from: Date,
    /// 迄日: last day.
    pub until: Date,
    /// 開放者: account that opened it.
    pub opened_by: String,
    /// 開放時間: when.
    pub opened_at: OffsetDateTime,
}

/// 次表單: the sub-form to be opened.
#[derive(Debug, Clone, InputObject)]
pub struct SubFormInput {
    /// 主表單: number of the master form.
    pub form: String,
    /// 名稱: title.
    pub title: String,
    /// 目錄組: name of the directory group.
    pub directory_group: String,
    /// 使用群組: name of the user group.
    pub user_group: String,
    /// 起日: first day; the master form's without it.
    pub from: Option<Date>,
    /// 迄日: last day; the master form's without it.
    pub until: Option<Date>,
}

impl Procedure {
    /// The sub-forms of the caller's agency, oldest first; all of them for the offices that watch.
    pub async fn sub_forms(&self, act: &Act, page: &Page) -> Result<Vec<SubForm>, Fault> {
        let mut visible = Condition::all();
        if !watches(self.db(), act).await? {
            let own = get_agency(self.db(), &act.caller.agency).await?;
            let theirs = master_form::Entity::find()
                .select_only()
                .column(master_form::Column::Id)
                .filter(master_form::Column::AgencyId.eq(own.id))
                .into_query();
            visible = visible.add(sub_form::Column::FormId.in_subquery(theirs));
        }
        let mut all = sub_form::Entity::find().filter(visible.clone()).order_by_asc(sub_form::Column::Id);
        if let Some(after) = &page.after {
            let last = sub_form::Entity::find().filter(sub_form::Column::Number.eq(after)).filter(visible);
            let last = last.one(self.db()).await?.ok_or_else(|| no_entry(after))?;
            all = all.filter(sub_form::Column::Id.gt(last.id));
        }
        let rows = all.limit(page.limit()?).all(self.db()).await?;
        self.sub_forms_shown(rows).await
    }

    /// Opens a sub-form of a master form of the caller's agency.
    pub async fn open_sub_form(&self, act: &Act, input: &SubFormInput) -> Result<SubForm, Fault> {
        let title = check_title("title", &input.title)?;
        let mut step = match self.begin(act, "openSubForm").await? {
            Begun::Before(id) => return self.sub_form_by_id(id).await,
            Begun::New(step) => step,
        };
        let form = find_form(step.tx(), &input.form).await?;
        if *form.agency != *act.caller.agency {
            return Err(unknown(&input.form));
        }
        let version = in_force(step.tx(), form.row.id).await?.filter(|_| form.row.status == "open");
        let Some((version, granted)) = version else {
            let (en, zh) = ("The master form is not in force.", "主表單未生效。");
            return Err(conflict(en, zh, json!({ "form": input.form, "status": form.row.status })));
        };
        if version.valid_until < self.today() {
            let last = version.valid_until;
            let (en, zh) = (
                format!("The master form ended on {last}: apply for its renewal first."),
                format!("主表單已於 {last} 屆滿，請先申請展期。"),
            );
            return Err(conflict(en, zh, json!({ "form": input.form, "until": last.to_string() })));
        }
        let custodians: BTreeSet<String> =
            granted.iter().filter_map(|item| self.custodian_of(&item.coordinate)).map(str::to_owned).collect();
        self.check_rules(step.tx(), form.row.agency_id, &custodians).await?;
        let what = directory_group::Entity::find()
            .filter(directory_group::Column::FormId.eq(form.row.id))
            .filter(directory_group::Column::Name.eq(input.directory_group.as_str()))
            .one(step.tx())
            .await?
            .ok_or_else(|| unknown_group(&input.directory_group))?;
        let who = find_users(step.tx(), form.row.agency_id, &input.user_group).await?;
        let who = who.ok_or_else(|| unknown_group(&input.user_group))?;
        let members = members_of(step.tx(), who.id).await?;
        let mut names = Vec::new();
        for member in members {
            names.push(account_name(step.tx(), member).await?);
        }
        for name in &names {
            check_did_not_decide(step.tx(), form.row.id, name).await?;
        }
        let from = input.from.unwrap_or(version.valid_from);
        let until = input.until.unwrap_or(version.valid_until);
        if from < version.valid_from || until > version.valid_until || until < from || until < self.today() {
            let (first, last) = (version.valid_from, version.valid_until);
            let (en, zh) = (
                format!("expected days from {first} to {last}, not over yet"),
                format!("應在 {first} 至 {last} 之間，且尚未屆滿"),
            );
            return Err(wrong("from, until", en, zh));
        }
        let of_form = sub_form::Entity::find().filter(sub_form::Column::FormId.eq(form.row.id));
        let number = format!("{}/{}", form.row.number, of_form.count(step.tx()).await? + 1);
        let new = NewSubForm {
            form_id: form.row.id,
            number: number.clone(),
            title,
            directory_group_id: what.id,
            user_group_id: who.id,
            from,
            until,
            opened_by: &act.caller.account,
        };
        let id = self.accounts.write_sub_form(step.tx(), &new).await?;
        step.changes_rights();
        for name in &names {
            let news = News {
                kind: "sub-form",
                number: &number,
                en: format!("You may query under the form {number}: {title}, from {from} to {until}."),
                zh: format!("您得自 {from} 至 {until} 依表單 {number}（{title}）查詢。"),
                due: Some(until),
            };
            step.tell(To::Account(name), &news).await?;
        }
        let detail = json!({ "number": number, "directoryGroup": what.name, "userGroup": who.name });
        step.finish("sub-form", id, detail).await?;
        self.sub_form_by_id(id).await
    }

    /// Suspends, resumes or closes a sub-form of the caller's agency, effective everywhere within a second.
    pub async fn set_sub_form_status(
        &self,
        act: &Act,
        operation: &'static str,
        number: &str,
        to: FormStatus,
        reason: &str,
    ) -> Result<SubForm, Fault> {
        let reason = check_title("reason", reason)?;
        let mut step = match self.begin(act, operation).await? {
            Begun::Before(id) => return self.sub_form_by_id(id).await,
            Begun::New(step) => step,
        };
        let missing = || not_found("sub-form", "次表單", number);
        let row = sub_form::Entity::find().filter(sub_form::Column::Number.eq(number)).one(step.tx()).await?;
        let row = row.ok_or_else(missing)?;
        let own = get_agency(step.tx(), &act.caller.agency).await?;
        let form = master_form::Entity::find_by_id(row.form_id).one(step.tx()).await?;
        if form.is_none_or(|form| form.agency_id != own.id) {
            return Err(missing());
        }
        let (word, allowed) = match to {
            FormStatus::Open => ("open", row.status == "suspended"),
            FormStatus::Suspended => ("suspended", row.status == "open"),
            FormStatus::Closed => ("closed", row.status != "closed"),
            FormStatus::Expired => ("open", false),
        };
        if !allowed {
            let (en, zh) =
                (format!("The sub-form is {}.", row.status), format!("次表單目前為{}。", status_zh(&row.status)));
            return Err(conflict(en, zh, json!({ "number": number, "status": row.status })));
        }
        sub_form::Entity::update_many()
            .col_expr(sub_form::Column::Status, Expr::value(word))
            .filter(sub_form::Column::Id.eq(row.id))
            .exec(step.tx())
            .await?;
        step.changes_rights();
        for member in members_of(step.tx(), row.user_group_id).await? {
            let name = account_name(step.tx(), member).await?;
            let news = News {
                kind: "sub-form",
                number,
                en: format!("The form {number} is {word} now: {reason}"),
                zh: format!("表單 {number} 已{}：{reason}", status_zh(word)),
                due: None,
            };
            step.tell(To::Account(&name), &news).await?;
        }
        step.finish("sub-form", row.id, json!({ "number": number, "status": word, "reason": reason })).await?;
        self.sub_form_by_id(row.id).await
    }

    /// What is put into a directory group that sub-forms hand on is opened by it: those custodians of whom it held nothing
    /// have to have the rules on file, as for a sub-form.
    pub(super) async fn check_opens(
        &self,
        db: &impl ConnectionTrait,
        form: &master_form::Model,
        group: i64,
        items: &[Item],
    ) -> Result<(), Fault> {
        let handed_on = sub_form::Entity::find()
            .filter(sub_form::Column::DirectoryGroupId.eq(group))
            .filter(sub_form::Column::Status.ne("closed"));
        if handed_on.one(db).await?.is_none() {
            return Ok(());
        }
        let held = directory_item::Entity::find().filter(directory_item::Column::GroupId.eq(group)).all(db).await?;
        let before: BTreeSet<&str> = held.iter().filter_map(|row| self.custodian_of(&row.coordinate)).collect();
        let after = items.iter().filter_map(|item| self.custodian_of(&item.coordinate));
        let new: BTreeSet<String> = after.filter(|code| !before.contains(code)).map(str::to_owned).collect();
        match new.is_empty() {
            true => Ok(()),
            false => self.check_rules(db, form.agency_id, &new).await,
        }
    }

    async fn sub_form_by_id(&self, id: i64) -> Result<SubForm, Fault> {
        let rows = sub_form::Entity::find_by_id(id).all(self.db()).await?;
        let shown = self.sub_forms_shown(rows).await?.pop();
        shown.ok_or_else(|| not_found("sub-form", "次表單", &id.to_string()))
    }

    async fn sub_forms_shown(&self, rows: Vec<sub_form::Model>) -> Result<Vec<SubForm>, Fault> {
        let of = |id: fn(&sub_form::Model) -> i64| rows.iter().map(id).collect::<Vec<i64>>();
        let forms = master_form::Entity::find().filter(master_form::Column::Id.is_in(of(|row| row.form_id)));
        let forms: HashMap<i64, String> =
            forms.all(self.db()).await?.into_iter().map(|form| (form.id, form.number)).collect();
        let what = directory_group::Column::Id.is_in(of(|row| row.directory_group_id));
        let what: HashMap<i64, String> = directory_group::Entity::find()
            .filter(what)
            .all(self.db())
            .await?
            .into_iter()
            .map(|group| (group.id, group.name))
            .collect();
        let who = user_group::Column::Id.is_in(of(|row| row.user_group_id));
        let who: HashMap<i64, String> = user_group::Entity::find()
            .filter(who)
            .all(self.db())
            .await?
            .into_iter()
            .map(|group| (group.id, group.name))
            .collect();
        let name = |of: &HashMap<i64, String>, id: i64| of.get(&id).cloned().unwrap_or_else(|| "-".to_owned());
        let show = |row: sub_form::Model| SubForm {
            form: name(&forms, row.form_id),
            directory_group: name(&what, row.directory_group_id),
            user_group: name(&who, row.user_group_id),
            status: match row.status.as_str() {
                "open" if row.valid_until < self.today() => FormStatus::Expired,
                "open" => FormStatus::Open,
                "suspended" => FormStatus::Suspended,
                _ => FormStatus::Closed,
            },
            number: row.number,
            title: row.title,
            from: row.valid_from,
            until: row.valid_until,
            opened_by: row.opened_by,
            opened_at: row.opened_at,
        };
        Ok(rows.into_iter().map(show).collect())
    }
}
