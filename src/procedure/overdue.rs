//! What is late is told without anybody's asking: reports on inspections and the head's notice of them, decisions on
//! annexes, imports of outside channels, remedies of incidents. When each is late is reckoned where it belongs; here is who is told, and how often.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;
use time::macros::offset;
use time::{Date, Duration, UtcOffset};

use super::agency::{agency_code, agency_title};
use super::entity::{annex, application, channel, incident, notice};
use super::incident::{DAYS_TO_REMEDY, concerned};
use super::inspection_report::tell_ethics;
use super::step::{News, Step, To, recipients};
use super::submission::DAYS_TO_DECIDE;
use super::{Fault, Procedure};
use crate::access::Role;

/// Told again after so many days, until it is done.
const AGAIN_DAYS: i64 = 7;

/// What is later than this is told to the information office, too.
const LONG_DAYS: i64 = 30;

/// Something that an agency should have done.
pub(crate) struct Late {
    /// What it is about: `inspection`, `channel`, `incident`.
    pub(crate) kind: &'static str,
    /// Its number or name.
    pub(crate) number: String,
    /// The agency whose matter it is.
    pub(crate) agency: String,
    /// Whom of them it is up to, besides their heads.
    pub(crate) doers: Role,
    /// An account whose own task it is.
    pub(crate) assigned: Option<String>,
    /// Day by which it was due.
    pub(crate) due: Date,
    /// In English.
    pub(crate) en: String,
    /// In Traditional Chinese.
    pub(crate) zh: String,
}

impl Procedure {
    /// Tells of what is late: once it is, and every seven days until it is done.
    pub(crate) async fn tell_overdue(&self) -> Result<(), Fault> {
        if self.untold(self.db()).await?.is_empty() {
            return Ok(());
        }
        let act = self.act_itself();
        let step = self.begin_by_itself(&act, "remind").await?;
        // Again, now that no other server can do the same.
        let untold = self.untold(step.tx()).await?;
        if untold.is_empty() {
            return Ok(());
        }
        for late in &untold {
            self.tell_late(&step, late).await?;
        }
        let count = untold.len();
        self.record_itself(&act, format!("begins: {count} reminders of what is late")).await?;
        step.finish("notices", i64::try_from(count).unwrap_or(i64::MAX), json!({ "overdue": count })).await
    }

    /// Tells those who have to do it, their heads and the ethics officers; after a month, or where an agency has nobody
    /// to be told, the information office.
    pub(crate) async fn tell_late(&self, step: &Step<'_>, late: &Late) -> Result<(), Fault> {
        let news = News {
            kind: late.kind,
            number: &late.number,
            en: late.en.clone(),
            zh: late.zh.clone(),
            due: Some(late.due),
        };
        let mut nobody = true;
        for role in [Role::AgencyHead, late.doers] {
            nobody &= recipients(step.tx(), To::Role(role, &late.agency)).await?.is_empty();
            step.tell(To::Role(role, &late.agency), &news).await?;
        }
        if let Some(assigned) = &late.assigned {
            step.tell(To::Account(assigned), &news).await?;
        }
        if nobody || self.today() > late.due.saturating_add(Duration::days(LONG_DAYS)) {
            step.tell(To::Everywhere(Role::InformationOffice), &news).await?;
        }
        tell_ethics(step, &late.agency, &news).await
    }

    /// What is late and of which nobody was told lately.
    async fn untold(&self, db: &impl ConnectionTrait) -> Result<Vec<Late>, Fault> {
        let mut late = Vec::new();
        for one in self.overdue(db).await? {
            late.push(one.late(&agency_title(db, &one.agency).await?));
        }
        late.extend(self.late_decisions(db).await?);
        late.extend(self.late_imports(db).await?);
        late.extend(self.late_remedies(db).await?);
        let mut untold = Vec::new();
        for one in late {
            // SQLite compares times as texts, and they stand there in UTC.
            let late_from =
                one.due.next_day().unwrap_or(one.due).midnight().assume_offset(offset!(+8)).to_offset(UtcOffset::UTC);
            let told = notice::Entity::find()
                .filter(notice::Column::SubjectKind.eq(one.kind))
                .filter(notice::Column::SubjectNumber.eq(one.number.as_str()))
                .filter(notice::Column::DueOn.eq(one.due))
                // What it was told with the deadline itself, before that had passed, is no reminder.
                .filter(notice::Column::At.gte(late_from))
                .filter(notice::Column::At.gt(self.now() - Duration::days(AGAIN_DAYS)));
            if told.one(db).await?.is_none() {
                untold.push(one);
            }
        }
        Ok(untold)
    }

    /// Annexes that were handed in and not decided in time (clause 7(2)).
    async fn late_decisions(&self, db: &impl ConnectionTrait) -> Result<Vec<Late>, Fault> {
        let waiting = annex::Entity::find().filter(annex::Column::Status.eq("submitted"));
        let mut late = Vec::new();
        for row in waiting.order_by_asc(annex::Column::Id).all(db).await? {
            let of = application::Entity::find_by_id(row.application_id).one(db).await?;
            let handed_in = of.filter(|of| of.status == "submitted").and_then(|of| {
                // Each custodian has its time from the day on which its own annex was handed in.
                Some((of.number, row.submitted_at.or(of.submitted_at)?))
            });
            let Some((number, submitted_at)) = handed_in else { continue };
            let due = submitted_at.to_offset(offset!(+8)).date() + Duration::days(DAYS_TO_DECIDE);
            if self.today() > due {
                let title = agency_title(db, &row.custodian).await?;
                late.push(Late {
                    kind: "application",
                    en: format!("{} has not decided on application {number} by {due}.", row.custodian),
                    zh: format!("{title}未於 {due} 前審核申請表 {number}。"),
                    number,
                    agency: row.custodian,
                    doers: Role::DatabaseAdministrator,
                    assigned: None,
                    due,
                });
            }
        }
        Ok(late)
    }

    /// Outside channels whose logs were not imported in time (clause 13).
    async fn late_imports(&self, db: &impl ConnectionTrait) -> Result<Vec<Late>, Fault> {
        let open = channel::Entity::find().filter(channel::Column::Status.eq("open"));
        let mut late = Vec::new();
        for row in open.order_by_asc(channel::Column::Name).all(db).await? {
            let due = self.import_due(db, &row).await?;
            let Some(custodian) = self.custodian_of_dataset(&row.dataset).filter(|_| self.today() > due) else {
                continue;
            };
            late.push(Late {
                kind: "channel",
                en: format!(
                    "No log of the channel {} was imported by {due}. Its reviewer is {}.",
                    row.name, row.reviewer
                ),
                zh: format!("查詢管道 {} 之紀錄未於 {due} 前匯入，檢視人員為 {}。", row.name, row.reviewer),
                number: row.name,
                agency: custodian.to_owned(),
                doers: Role::DatabaseAdministrator,
                assigned: Some(row.reviewer),
                due,
            });
        }
        Ok(late)
    }

    /// Incidents about which nothing was done in time (clause 12).
    async fn late_remedies(&self, db: &impl ConnectionTrait) -> Result<Vec<Late>, Fault> {
        let reported = incident::Entity::find().filter(incident::Column::Status.eq("reported"));
        let mut late = Vec::new();
        for row in reported.order_by_asc(incident::Column::Id).all(db).await? {
            let due = row.reported_at.to_offset(offset!(+8)).date() + Duration::days(DAYS_TO_REMEDY);
            if self.today() <= due {
                continue;
            }
            let agency = agency_code(db, row.agency_id).await?;
            late.extend(concerned(db, &agency, row.account.as_deref()).await?.into_iter().map(|agency| Late {
                kind: "incident",
                number: row.number.clone(),
                agency,
                doers: Role::BusinessAdministrator,
                assigned: None,
                due,
                en: format!("Nothing was done about incident {} by {due}: {}", row.number, row.title),
                zh: format!("事件 {} 未於 {due} 前補救：{}", row.number, row.title),
            }));
        }
        Ok(late)
    }
}
