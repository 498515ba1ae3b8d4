//! Master forms (主表單): opened by the information office for what was approved, changed by a further application only,
//! suspended, resumed, revoked (clauses 7(3) and 9). Who may see them is left to `master_form_list`.

use async_graphql::{Enum, SimpleObject};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use time::{Date, OffsetDateTime};

use super::agency::agency_code;
use super::entity::incident;
use super::fault::{conflict, not_found};
use super::incident::check_no_open_incident;
use super::item::{GrantedItem, Purpose};
use super::step::{Begun, News, Step, To};
use super::{Act, Fault, Procedure};
use crate::access::Role;
use crate::accounts::entity::master_form;

/// 主表單狀態: state of a master form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum FormStatus {
    /// 有效: in force, or waiting for its first day.
    Open,
    /// 逾期: its last day is over.
    Expired,
    /// 停用: suspended.
    Suspended,
    /// 撤銷: revoked for good.
    Closed,
}

/// 主表單: the granted permissions of one agency for one purpose.
#[derive(Debug, Clone, SimpleObject)]
pub struct MasterForm {
    /// 表單編號: number, as `X-Form` names it.
    pub number: String,
    /// 名稱: title.
    pub title: String,
    /// 使用機關: code of the using agency.
    pub agency: String,
    /// 狀態: whether it is in force.
    pub status: FormStatus,
    /// 版次: version in force; each approved application makes a new one.
    pub version: i32,
    /// 申請編號: the application that this version was opened for.
    pub application: Option<String>,
    /// 開放者: account of the information office.
    pub opened_by: Option<String>,
    /// 開放時間: when this version was opened.
    pub opened_at: OffsetDateTime,
    /// 目的: purposes.
    pub purposes: Vec<Purpose>,
    /// 法律依據: legal basis.
    pub legal_basis: String,
    /// 須填案號: requests for personal data must name a case number.
    pub case_required: bool,
    /// 起日: first day.
    pub from: Date,
    /// 迄日: last day.
    pub until: Date,
    /// 核准項目: granted items.
    pub items: Vec<GrantedItem>,
}

/// A form with the code of its agency.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) row: master_form::Model,
    pub(crate) agency: String,
}

impl Procedure {
    /// Suspends, resumes or revokes a master form, effective everywhere within a second.
    pub async fn set_form_status(
        &self,
        act: &Act,
        operation: &'static str,
        number: &str,
        to: FormStatus,
        reason: &str,
    ) -> Result<MasterForm, Fault> {
        let reason = super::agency::check_title("reason", reason)?;
        let mut step = match self.begin(act, operation).await? {
            Begun::Before(id) => return self.form_by_id(id).await,
            Begun::New(step) => step,
        };
        let form = find_form(step.tx(), number).await?;
        let word = status_word(to);
        let allowed = match to {
            FormStatus::Open => form.row.status == "suspended",
            FormStatus::Suspended => form.row.status == "open",
            FormStatus::Closed => form.row.status != "closed",
            FormStatus::Expired => false,
        };
        if !allowed {
            let current = json!({ "number": number, "status": form.row.status });
            let (en, zh) =
                (format!("The form is {}.", form.row.status), format!("表單目前為{}。", status_zh(&form.row.status)));
            return Err(conflict(en, zh, current));
        }
        if to == FormStatus::Open {
            let about = incident::Column::Form.eq(number);
            check_no_open_incident(step.tx(), about).await?;
        }
        master_form::Entity::update_many()
            .col_expr(master_form::Column::Status, Expr::value(word))
            .filter(master_form::Column::Id.eq(form.row.id))
            .exec(step.tx())
            .await?;
        step.changes_rights();
        self.tell_holders(&step, &form, format!("is {word} now: {reason}"), format!("已{}：{reason}", status_zh(word)))
            .await?;
        step.finish("master form", form.row.id, json!({ "number": number, "status": word, "reason": reason })).await?;
        self.form_by_id(form.row.id).await
    }

    /// Tells the agency's business administrators and head of a change of its form.
    pub(crate) async fn tell_holders(&self, step: &Step<'_>, form: &Form, en: String, zh: String) -> Result<(), Fault> {
        let number = form.row.number.as_str();
        let news = News {
            kind: "master form",
            number,
            en: format!("Form {number} {en}"),
            zh: format!("表單 {number} {zh}"),
            due: None,
        };
        step.tell(To::Role(Role::BusinessAdministrator, &form.agency), &news).await?;
        step.tell(To::Role(Role::AgencyHead, &form.agency), &news).await
    }

    /// The next number of a form of an agency.
    pub(crate) async fn next_form_number(&self, db: &impl ConnectionTrait, agency: &str) -> Result<String, Fault> {
        let word = agency.split('-').next().unwrap_or(agency).to_uppercase();
        let mut count = master_form::Entity::find().count(db).await?;
        // One may have been given by hand before.
        loop {
            count += 1;
            let number = format!("{word}-{}-{count:03}", self.today().year());
            if master_form::Entity::find().filter(master_form::Column::Number.eq(&number)).one(db).await?.is_none() {
                return Ok(number);
            }
        }
    }
}

/// There is none, or none that the caller may know of.
pub(crate) fn unknown(number: &str) -> Fault {
    not_found("master form", "主表單", number)
}

/// The form of that number.
pub(crate) async fn find_form(db: &impl ConnectionTrait, number: &str) -> Result<Form, Fault> {
    let row = master_form::Entity::find().filter(master_form::Column::Number.eq(number)).one(db).await?;
    let row = row.ok_or_else(|| unknown(number))?;
    let agency = agency_code(db, row.agency_id).await?;
    Ok(Form { row, agency })
}

/// A status as stored, in Chinese.
pub(crate) fn status_zh(word: &str) -> &'static str {
    match word {
        "open" => "開放",
        "suspended" => "停用",
        _ => "撤銷",
    }
}

fn status_word(status: FormStatus) -> &'static str {
    match status {
        FormStatus::Open | FormStatus::Expired => "open",
        FormStatus::Suspended => "suspended",
        FormStatus::Closed => "closed",
    }
}
