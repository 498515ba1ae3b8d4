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
use super::inspection_draw::next_day;
use super::inspection_rule::rule_of;
use super::overdue::Late;
use super::step::Begun;
use super::watch::watches;
use super::{Act, Fault, Procedure};
use crate::access::Role;
use crate::accounts::entity::{agency, master_form};

/// Days of grace after the interval.
const GRACE_DAYS: i64 = 7;

/// Time in which what was drawn is reported.
const DAYS_TO_REPORT: Duration = Duration::days(14);

/// 逾期事項: what is late about an agency's inspections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum OverdueMatter {
    /// 未陳報: no report in time.
    Report,
    /// 抽查未陳報: what was drawn has not been reported in time.
    Drawing,
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
    /// 查驗編號: the inspection that waits for its report or for the head.
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
            Some(number) if self.matter == OverdueMatter::Drawing => (
                format!("{agency}: the inspection {number} was drawn and not reported by {due}."),
                format!("{title}：查驗 {number} 已抽查，未於 {due} 前陳報。"),
            ),
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
        self.overdue_to(self.db(), act).await
    }

    /// Tells the heads and ethics officers, and those who have to report, of all that is late; whenever somebody wants it.
    /// By itself it is told every seven days.
    pub async fn remind_overdue_inspections(&self, act: &Act) -> Result<Vec<OverdueInspection>, Fault> {
        let step = match self.begin(act, "remindOverdueInspections").await? {
            Begun::Before(_) => return self.overdue_to(self.db(), act).await,
            Begun::New(step) => step,
        };
        let all = self.overdue_to(step.tx(), act).await?;
        for one in &all {
            let title = agency_title(step.tx(), &one.agency).await?;
            self.tell_late(&step, &one.late(&title)).await?;
        }
        let told: Vec<&str> = all.iter().map(|one| one.agency.as_str()).collect();
        // It is about all inspections, and so about none of them.
        step.finish("inspections", 0, json!({ "agencies": told })).await?;
        Ok(all)
    }

    /// What is late, as far as the caller sees it.
    async fn overdue_to(&self, db: &impl ConnectionTrait, act: &Act) -> Result<Vec<OverdueInspection>, Fault> {
        let anywhere = watches(db, act).await?;
        let mut all = self.overdue(db).await?;
        all.retain(|one| anywhere || *one.agency == *act.caller.agency);
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
            let drawn = inspection::Entity::find()
                .filter(inspection::Column::AgencyId.eq(of.id))
                .order_by_asc(inspection::Column::Id)
                .all(db)
                .await?;
            let last_reported_at = drawn.iter().filter_map(|one| one.reported_at).max();
            let agency = &of.code;
            let mut add = |matter, number: Option<String>, due_on, last_reported_at| {
                let (agency, days_late) = (agency.clone(), late(due_on));
                all.push(OverdueInspection { agency, matter, number, last_reported_at, due_on, days_late });
            };
            if let Some(first) = since.get(&of.id) {
                let interval = i64::from(rule_of(db, &of).await?.interval_days);
                let due_on = seen_from(&drawn, day_of(*first), interval) + Duration::days(interval);
                if today > due_on + Duration::days(GRACE_DAYS) {
                    add(OverdueMatter::Report, None, due_on, last_reported_at);
                }
            }
            for one in drawn {
                let (matter, due_on) = match InspectionStatus::parse(&one.status) {
                    InspectionStatus::Drawn => (OverdueMatter::Drawing, Some(day_of(one.drawn_at) + DAYS_TO_REPORT)),
                    InspectionStatus::Reported => (OverdueMatter::Acknowledgement, one.acknowledge_by),
                    InspectionStatus::Acknowledged => continue,
                };
                if let Some(due_on) = due_on.filter(|due_on| today > *due_on) {
                    add(matter, Some(one.number), due_on, last_reported_at);
                }
            }
        }
        Ok(all)
    }
}

/// The day from which the next report is reckoned: the last one that reports have seen, or that of the first form. A report
/// of other days than those that were to be inspected does not count: it begins where the one before ended, or sees as much
/// as an interval, and goes further.
fn seen_from(drawn: &[inspection::Model], first: Date, interval: i64) -> Date {
    let mut reports: Vec<&inspection::Model> = drawn.iter().filter(|one| one.reported_at.is_some()).collect();
    reports.sort_by_key(|one| (one.last_day, one.id));
    let (mut unseen, mut from) = (first, first);
    for one in reports {
        let latest = unseen.max(one.last_day.saturating_sub(Duration::days(interval - 1)));
        if one.first_day <= latest && unseen <= one.last_day {
            from = one.last_day;
            unseen = next_day(one).unwrap_or(one.last_day);
        }
    }
    from
}

fn day_of(at: OffsetDateTime) -> Date {
    at.to_offset(offset!(+8)).date()
}
