//! Incidents (clause 12): misuse or damage is reported, the account, client or form concerned is suspended in the same
//! step, head and ethics are told. How it ends is left to `incident_closing`. Nothing of it can be deleted.

use async_graphql::{Enum, InputObject, SimpleObject};
use sea_orm::sea_query::{Condition, Expr, IntoCondition, SelectStatement};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
};
use serde_json::json;
use time::OffsetDateTime;

use super::agency::{agency_code, agency_codes, check_title, get_agency};
use super::appointment::roles_of;
use super::entity::incident;
use super::fault::{conflict, not_found, wrong};
use super::idle::others_run_it;
use super::inspection_report::tell_ethics;
use super::master_form::find_form;
use super::page::{Page, no_entry};
use super::step::{Begun, News, Step, To};
use super::watch::watches;
use super::wording::is_blank;
use super::{Act, Fault, Procedure, has_role};
use crate::access::Role;
use crate::accounts::entity::{account, master_form};

/// Why an account is not suspended.
const LAST_EN: &str = "it is the information office's last active one. Have the office open another, then report again";
const LAST_ZH: &str = "其為資訊局最後一個啟用之帳號，請資訊局另行開立帳號後，再行通報";

/// Days in which an incident is expected to be remedied.
pub(crate) const DAYS_TO_REMEDY: i64 = 7;

/// 事件狀態: state of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum IncidentStatus {
    /// 已通報: reported.
    Reported,
    /// 已補救: something was done about it.
    Remedied,
    /// 已結案: closed.
    Closed,
}

/// 事件: misuse or damage, from its report to its closing.
#[derive(Debug, Clone, SimpleObject)]
pub struct Incident {
    /// 事件編號: number.
    pub number: String,
    /// 狀態: where it stands.
    pub status: IncidentStatus,
    /// 機關: code of the agency whose use it is about.
    pub agency: String,
    /// 事由: title.
    pub title: String,
    /// 經過: what happened.
    pub description: String,
    /// 帳號: account or client that it is about.
    pub account: Option<String>,
    /// 主表單: master form that it is about.
    pub form: Option<String>,
    /// 通報者: account that reported it.
    pub reported_by: String,
    /// 通報時間: when.
    pub reported_at: OffsetDateTime,
    /// 補救措施: what was done about it, one line for each time; those before the last end with who said so and when.
    pub remedy: Option<String>,
    /// 補救者: account that did it last.
    pub remedied_by: Option<String>,
    /// 補救時間: when.
    pub remedied_at: Option<OffsetDateTime>,
    /// 結案意見: how it was closed.
    pub conclusion: Option<String>,
    /// 結案者: account that closed it.
    pub closed_by: Option<String>,
    /// 結案時間: when.
    pub closed_at: Option<OffsetDateTime>,
}

/// 事件通報: what happened.
#[derive(Debug, Clone, InputObject)]
pub struct IncidentInput {
    /// 事由: title.
    pub title: String,
    /// 經過: what happened.
    pub description: String,
    /// 帳號: account or client that it is about, not one's own; suspended at once, but for the information office's last.
    pub account: Option<String>,
    /// 主表單: master form that it is about; suspended at once.
    pub form: Option<String>,
    /// 機關: agency whose use it is about, where neither account nor form says so; one's own without it.
    pub agency: Option<String>,
}

impl Procedure {
    /// The incidents that the caller may see, newest first: those of one's agency or about one of its accounts, those one
    /// reported, all for those who watch.
    pub async fn incidents(&self, act: &Act, page: &Page) -> Result<Vec<Incident>, Fault> {
        let own = get_agency(self.db(), &act.caller.agency).await?;
        let visible = match watches(self.db(), act).await? {
            true => Condition::all(),
            false => Condition::any()
                .add(incident::Column::AgencyId.eq(own.id))
                .add(incident::Column::Account.in_subquery(accounts_of(own.id)))
                .add(incident::Column::ReportedBy.eq(&*act.caller.account)),
        };
        let mut all = incident::Entity::find().filter(visible.clone()).order_by_desc(incident::Column::Id);
        if let Some(after) = &page.after {
            let last = incident::Entity::find().filter(incident::Column::Number.eq(after)).filter(visible);
            let last = last.one(self.db()).await?.ok_or_else(|| no_entry(after))?;
            all = all.filter(incident::Column::Id.lt(last.id));
        }
        let rows = all.limit(page.limit()?).all(self.db()).await?;
        let codes = agency_codes(self.db(), rows.iter().map(|row| row.agency_id)).await?;
        let show = |row: incident::Model| {
            let agency = codes.get(&row.agency_id).cloned().unwrap_or_else(|| "-".to_owned());
            shown(row, agency)
        };
        Ok(rows.into_iter().map(show).collect())
    }

    /// Reports an incident; the account and the form that it is about are suspended in the same step.
    pub async fn report_incident(&self, act: &Act, input: &IncidentInput) -> Result<Incident, Fault> {
        let title = check_title("title", &input.title)?;
        if is_blank(&input.description) {
            return Err(wrong("description", "expected what happened", "應敘明經過"));
        }
        let mut step = match self.begin(act, "reportIncident").await? {
            Begun::Before(id) => return self.incident_by_id(id).await,
            Begun::New(step) => step,
        };
        let count = incident::Entity::find().count(step.tx()).await?;
        let number = format!("E-{}-{:04}", self.today().year(), count + 1);
        let mut agency_id = get_agency(step.tx(), input.agency.as_deref().unwrap_or(&act.caller.agency)).await?.id;
        let mut suspended = Vec::new();
        let mut ended = None;
        if let Some(name) = &input.account {
            let (about, stopped) = self.suspend_account(&step, act, name, &number).await?;
            agency_id = about.agency_id;
            if stopped {
                suspended.push(name.as_str());
                ended = Some(about.id);
            }
        }
        if let Some(form) = &input.form {
            agency_id = self.suspend_form(&step, act, form).await?;
            suspended.push(form.as_str());
        }
        if let Some(name) = &input.account {
            let (en, zh) = match ended {
                Some(_) => (
                    format!("Your account is suspended for the incident {number} until it is closed."),
                    format!("因事件 {number}，您的帳號已停用，至結案為止。"),
                ),
                None => (
                    format!("The incident {number} is about your account, which is not suspended: {LAST_EN}"),
                    format!("事件 {number} 與您的帳號有關，惟未停用：{LAST_ZH}"),
                ),
            };
            step.tell(To::Account(name), &News { kind: "incident", number: &number, en, zh, due: None }).await?;
        }
        if !suspended.is_empty() {
            step.changes_rights();
        }
        let row = incident::ActiveModel {
            number: Set(number.clone()),
            agency_id: Set(agency_id),
            title: Set(title.to_owned()),
            description: Set(input.description.trim().to_owned()),
            account: Set(input.account.clone()),
            form: Set(input.form.clone()),
            status: Set("reported".to_owned()),
            reported_by: Set(act.caller.account.to_string()),
            reported_at: Set(self.now()),
            ..Default::default()
        };
        let id = incident::Entity::insert(row).exec(step.tx()).await?.last_insert_id;
        let agency = agency_code(step.tx(), agency_id).await?;
        let due = Some(self.today() + time::Duration::days(DAYS_TO_REMEDY));
        let (mut en, mut zh) = (format!("Incident reported: {title}"), format!("事件通報：{title}"));
        if input.account.is_some() && ended.is_none() {
            en += &format!(". The account is not suspended: {LAST_EN}");
            zh += &format!("。帳號未停用：{LAST_ZH}");
        }
        let news = News { kind: "incident", number: &number, en, zh, due };
        self.tell_of_incident(&step, &agency, input.account.as_deref(), &news).await?;
        let detail = json!({ "number": number, "agency": agency, "suspended": suspended });
        if let Some(account) = ended {
            step.ends_sessions(account, "incident");
        }
        step.finish("incident", id, detail).await?;
        self.incident_by_id(id).await
    }

    /// Suspends an account at once: in one's own agency, anywhere for those who watch. Nobody suspends themselves out of it,
    /// and the information office's last active account stays: without one, nobody could resume what was suspended, or let
    /// anybody in. The account, and whether it is suspended now.
    async fn suspend_account(
        &self,
        step: &Step<'_>,
        act: &Act,
        name: &str,
        incident: &str,
    ) -> Result<(account::Model, bool), Fault> {
        if *name == *act.caller.account {
            return Err(wrong(
                "account",
                "expected another's account: of your own, report what happened without naming it, and have your \
                 administrator suspend it",
                "應為他人之帳號；涉及本人帳號者，請不填本欄通報，並洽管理者停用",
            ));
        }
        let missing = || not_found("account", "帳號", name);
        let found = account::Entity::find().filter(account::Column::Name.eq(name)).one(step.tx()).await?;
        let found = found.ok_or_else(missing)?;
        let agency = agency_code(step.tx(), found.agency_id).await?;
        if !watches(step.tx(), act).await? && *agency != *act.caller.agency {
            return Err(missing());
        }
        if found.status != "active" {
            return Ok((found, true));
        }
        let roles = roles_of(step.tx(), found.id).await?;
        if roles.contains(&Role::InformationOffice) && !others_run_it(step.tx(), found.id).await? {
            return Ok((found, false));
        }
        self.accounts.write_status(step.tx(), found.id, "suspended", incident).await?;
        Ok((found, true))
    }

    /// Suspends a master form at once: one's agency's, one with items of one's datasets, any for ethics and the
    /// information office. The number of its agency.
    async fn suspend_form(&self, step: &Step<'_>, act: &Act, number: &str) -> Result<i64, Fault> {
        let form = find_form(step.tx(), number).await?;
        let granted =
            super::difference::in_force(step.tx(), form.row.id).await?.map_or_else(Vec::new, |(_, items)| items);
        let custodian = has_role(&act.caller, Role::DatabaseAdministrator)
            && granted.iter().any(|item| self.custodian_of(&item.coordinate) == Some(&*act.caller.agency));
        if !watches(step.tx(), act).await? && !custodian && *form.agency != *act.caller.agency {
            return Err(super::master_form::unknown(number));
        }
        if form.row.status == "open" {
            master_form::Entity::update_many()
                .col_expr(master_form::Column::Status, Expr::value("suspended"))
                .filter(master_form::Column::Id.eq(form.row.id))
                .exec(step.tx())
                .await?;
        }
        Ok(form.row.agency_id)
    }

    /// Head and ethics of the agency, the ethics office, the information office, and those who run the agency's use; where
    /// the account is another agency's, that agency's head and administrators as well.
    pub(super) async fn tell_of_incident(
        &self,
        step: &Step<'_>,
        agency: &str,
        about: Option<&str>,
        news: &News<'_>,
    ) -> Result<(), Fault> {
        let concerned = concerned(step.tx(), agency, about).await?;
        for agency in &concerned {
            step.tell(To::Role(Role::AgencyHead, agency), news).await?;
            step.tell(To::Role(Role::BusinessAdministrator, agency), news).await?;
        }
        tell_ethics(step, agency, news).await?;
        for other in concerned.iter().filter(|one| *one != agency) {
            step.tell(To::Role(Role::EthicsOfficer, other), news).await?;
        }
        step.tell(To::Everywhere(Role::InformationOffice), news).await
    }

    pub(super) async fn find_incident(
        &self,
        step: &Step<'_>,
        act: &Act,
        number: &str,
    ) -> Result<(incident::Model, String), Fault> {
        let missing = || not_found("incident", "事件", number);
        let mut found = incident::Entity::find().filter(incident::Column::Number.eq(number));
        if !watches(step.tx(), act).await? {
            let own = get_agency(step.tx(), &act.caller.agency).await?;
            let concerned = Condition::any()
                .add(incident::Column::AgencyId.eq(own.id))
                .add(incident::Column::Account.in_subquery(accounts_of(own.id)));
            found = found.filter(concerned);
        }
        let row = found.one(step.tx()).await?.ok_or_else(missing)?;
        let agency = agency_code(step.tx(), row.agency_id).await?;
        Ok((row, agency))
    }

    pub(super) async fn incident_by_id(&self, id: i64) -> Result<Incident, Fault> {
        let row = incident::Entity::find_by_id(id).one(self.db()).await?;
        let row = row.ok_or_else(|| not_found("incident", "事件", &id.to_string()))?;
        let agency = agency_code(self.db(), row.agency_id).await?;
        Ok(shown(row, agency))
    }
}

/// What was suspended for an incident is resumed after it is closed.
pub(crate) async fn check_no_open_incident(db: &impl ConnectionTrait, about: impl IntoCondition) -> Result<(), Fault> {
    let open = incident::Entity::find().filter(about).filter(incident::Column::Status.ne("closed")).one(db).await?;
    let Some(open) = open else { return Ok(()) };
    let number = &open.number;
    let (en, zh) = (format!("The incident {number} is not closed."), format!("事件 {number} 尚未結案。"));
    Err(conflict(en, zh, json!({ "incident": number, "status": open.status })))
}

/// The agency of an incident, and that of the account that it is about where this is another one.
pub(super) async fn concerned(
    db: &impl ConnectionTrait,
    agency: &str,
    about: Option<&str>,
) -> Result<Vec<String>, Fault> {
    let mut concerned = vec![agency.to_owned()];
    if let Some(name) = about
        && let Some(holder) = account::Entity::find().filter(account::Column::Name.eq(name)).one(db).await?
    {
        concerned.push(agency_code(db, holder.agency_id).await?);
    }
    concerned.dedup();
    Ok(concerned)
}

/// Names of the accounts of an agency.
fn accounts_of(agency_id: i64) -> SelectStatement {
    let names = account::Entity::find().select_only().column(account::Column::Name);
    names.filter(account::Column::AgencyId.eq(agency_id)).into_query()
}

fn shown(row: incident::Model, agency: String) -> Incident {
    Incident {
        status: match row.status.as_str() {
            "reported" => IncidentStatus::Reported,
            "remedied" => IncidentStatus::Remedied,
            _ => IncidentStatus::Closed,
        },
        number: row.number,
        agency,
        title: row.title,
        description: row.description,
        account: row.account,
        form: row.form,
        reported_by: row.reported_by,
        reported_at: row.reported_at,
        remedy: row.remedy,
        remedied_by: row.remedied_by,
        remedied_at: row.remedied_at,
        conclusion: row.conclusion,
        closed_by: row.closed_by,
        closed_at: row.closed_at,
    }
}
