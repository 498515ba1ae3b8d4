//! What is late: agencies that use the system and do not report on it, and reports of which no head has taken notice.

use std::collections::BTreeMap;

use async_graphql::{Enum, SimpleObject};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;
use time::macros::offset;
use time::{Date, Duration, OffsetDateTime};

use super::agency::agency_title;
use super::difference::in_force;
use super::entity::inspection;
use super::inspection::InspectionStatus;
use super::inspection_rule::rule_of;
use super::overdue::Late;
use super::step::Begun;
use super::{Act, Fault, Procedure, has_role};
use crate::access::Role;
use crate::accounts::entity::{agency, master_form};

/// Days of grace after the interval.
const GRACE_DAYS: i64 = 7;

/// 逾期事項: what is late about an agency's inspections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum OverdueMatter {
    /// 未陳報: no report in time.
    Report,
    /// 未核閱: the head has not taken notice of a report in time.
    Acknowledgement,
}

/// 逾期查驗: something about inspections that is late.
#[derive(Debug, Clone, SimpleObject)]
pub struct OverdueInspection {
    /// 使用機關: code of the agency.
    pub agency: String,
    /// 逾期事項: what is late.
    pub matter: OverdueMatter,
    /// 查驗編號: the inspection that waits for the head.
    pub number: Option<String>,
    /// 前次陳報時間: the agency's last report.
    pub last_reported_at: Option<OffsetDateTime>,
    /// 期限: day by which it was due.
    pub due_on: Date,
    /// 逾期日數: days since.
    pub days_late: i32,
}

impl OverdueInspection {
    /// As those concerned are told of it; `title` is the agency's.
    pub(crate) fn late(&self, title: &str) -> Late {
        let (agency, due) = (&self.agency, self.due_on);
        let (en, zh) = match &self.number {
            Some(number) => (
                format!("{agency}: the head has not taken notice of the report on {number}, due on {due}."),
                format!("{title}：查驗 {number} 之報告未於 {due} 前核閱。"),
            ),
            None => (
                format!("{agency}: no inspection was reported by {due}."),
                format!("{title}：未於 {due} 前陳報查驗報告。"),
            ),
        };
        Late {
            kind: "inspection",
            number: self.number.as_ref().unwrap_or(agency).clone(),
            agency: agency.clone(),
            doers: Role::BusinessAdministrator,
            assigned: None,
            due,
            en,
            zh,
        }
    }
}

impl Procedure {
    /// What is late, by agency: everywhere for those who watch, otherwise in the caller's own agency.
    pub async fn overdue_inspections(&self, act: &Act) -> Result<Vec<OverdueInspection>, Fault> {
        let watches = [Role::InformationOffice, Role::EthicsOfficer];
        let anywhere = watches.into_iter().any(|role| has_role(&act.caller, role));
        let mut all = self.overdue(self.db()).await?;
        all.retain(|one| anywhere || *one.agency == *act.caller.agency);
        Ok(all)
    }

    /// Tells the heads and ethics officers, and those who have to report, of all that is late; whenever somebody wants it.
    /// By itself it is told every seven days.
    pub async fn remind_overdue_inspections(&self, act: &Act) -> Result<Vec<OverdueInspection>, Fault> {
        let step = match self.begin(act, "remindOverdueInspections").await? {
            Begun::Before(_) => return self.overdue(self.db()).await,
            Begun::New(step) => step,
        };
        let all = self.overdue(step.tx()).await?;
        for one in &all {
            let title = agency_title(step.tx(), &one.agency).await?;
            self.tell_late(&step, &one.late(&title)).await?;
        }
        let told: Vec<&str> = all.iter().map(|one| one.agency.as_str()).collect();
        // It is about all inspections, and so about none of them.
        step.finish("inspections", 0, json!({ "agencies": told })).await?;
        Ok(all)
    }

    pub(crate) async fn overdue(&self, db: &impl ConnectionTrait) -> Result<Vec<OverdueInspection>, Fault> {
        let today = self.today();
        let late = |due: Date| i32::try_from((today - due).whole_days()).unwrap_or(i32::MAX);
        let mut all = Vec::new();
        // Since when each agency holds a form that is in force.
        let mut since: BTreeMap<i64, OffsetDateTime> = BTreeMap::new();
        for form in master_form::Entity::find().filter(master_form::Column::Status.eq("open")).all(db).await? {
            let version = in_force(db, form.id).await?;
            if version.is_some_and(|(version, _)| version.valid_from <= today && today <= version.valid_until) {
                let first = since.entry(form.agency_id).or_insert(form.created_at);
                *first = form.created_at.min(*first);
            }
        }
        for of in agency::Entity::find().order_by_asc(agency::Column::Code).all(db).await? {
            let reports = inspection::Entity::find()
                .filter(inspection::Column::AgencyId.eq(of.id))
                .filter(inspection::Column::ReportedAt.is_not_null())
                .order_by_asc(inspection::Column::ReportedAt)
                .all(db)
                .await?;
            let last_reported_at = reports.last().and_then(|last| last.reported_at);
            if let Some(first) = since.get(&of.id) {
                let interval = i64::from(rule_of(db, &of).await?.interval_days);
                // A form that came back after a pause does not make an old report late at once.
                let from = last_reported_at.map_or(*first, |last| last.max(*first)).to_offset(offset!(+8)).date();
                let due_on = from + Duration::days(interval);
                if today > due_on + Duration::days(GRACE_DAYS) {
                    let (agency, days_late) = (of.code.clone(), late(due_on));
                    let matter = OverdueMatter::Report;
                    all.push(OverdueInspection { agency, matter, number: None, last_reported_at, due_on, days_late });
                }
            }
            let waiting = reports.into_iter().filter(|one| one.status == InspectionStatus::Reported.word());
            for (number, due_on) in waiting.filter_map(|one| Some((one.number, one.acknowledge_by?))) {
                if today > due_on {
                    let (agency, matter) = (of.code.clone(), OverdueMatter::Acknowledgement);
                    let (number, days_late) = (Some(number), late(due_on));
                    all.push(OverdueInspection { agency, matter, number, last_reported_at, due_on, days_late });
                }
            }
        }
        Ok(all)
    }
}
