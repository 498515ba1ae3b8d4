//! How often an agency inspects its own use, and how much of it (查驗規則, clause 8(3)).

use async_graphql::SimpleObject;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;
use time::OffsetDateTime;

use super::agency::get_agency;
use super::entity::inspection_rule;
use super::fault::{not_found, wrong};
use super::step::Begun;
use super::watch::watches;
use super::{Act, Fault, Procedure};
use crate::accounts::entity::agency;

/// 查驗規則: how often an agency inspects its own use, and how much of it.
#[derive(Debug, Clone, SimpleObject)]
pub struct InspectionRule {
    /// 使用機關: code of the agency.
    pub agency: String,
    /// 查驗週期: days from one report to the next.
    pub interval_days: i32,
    /// 抽查比率: percentage of the operations that is drawn at random.
    pub percent: i32,
    /// 最低筆數: at least so many.
    pub at_least: i32,
    /// 訂定者: account that set it; none where the city's own rule holds.
    pub set_by: Option<String>,
    /// 訂定時間: when.
    pub set_at: Option<OffsetDateTime>,
}

impl Procedure {
    /// The rule of an agency: one's own, or for those who watch any.
    pub async fn inspection_rule(&self, act: &Act, of: Option<&str>) -> Result<InspectionRule, Fault> {
        let of = of.unwrap_or(&act.caller.agency);
        if *of != *act.caller.agency && !watches(self.db(), act).await? {
            return Err(not_found("agency", "機關", of));
        }
        rule_of(self.db(), &get_agency(self.db(), of).await?).await
    }

    /// Sets the rule of the caller's agency.
    pub async fn set_inspection_rule(
        &self,
        act: &Act,
        (interval_days, percent, at_least): (i32, i32, i32),
    ) -> Result<InspectionRule, Fault> {
        if !(1..=366).contains(&interval_days) {
            return Err(wrong("intervalDays", "expected 1 to 366 days", "應為 1 至 366 日"));
        }
        if !(1..=100).contains(&percent) {
            return Err(wrong("percent", "expected 1 to 100", "應為 1 至 100"));
        }
        if !(1..=1_000).contains(&at_least) {
            return Err(wrong("atLeast", "expected 1 to 1000", "應為 1 至 1000"));
        }
        if let Begun::New(step) = self.begin(act, "setInspectionRule").await? {
            let own = get_agency(step.tx(), &act.caller.agency).await?;
            let row = inspection_rule::ActiveModel {
                agency_id: Set(own.id),
                interval_days: Set(interval_days),
                percent: Set(percent),
                at_least: Set(at_least),
                set_by: Set(act.caller.account.to_string()),
                set_at: Set(self.now()),
                ..Default::default()
            };
            let id = inspection_rule::Entity::insert(row).exec(step.tx()).await?.last_insert_id;
            let detail = json!({ "intervalDays": interval_days, "percent": percent, "atLeast": at_least });
            step.finish("inspection rule", id, detail).await?;
        }
        self.inspection_rule(act, None).await
    }
}

/// The rule of an agency; the city's own where it has set none.
pub(crate) async fn rule_of(db: &impl ConnectionTrait, of: &agency::Model) -> Result<InspectionRule, Fault> {
    let set = inspection_rule::Entity::find().filter(inspection_rule::Column::AgencyId.eq(of.id));
    let set = set.order_by_desc(inspection_rule::Column::Id).one(db).await?;
    Ok(InspectionRule {
        agency: of.code.clone(),
        interval_days: set.as_ref().map_or(30, |rule| rule.interval_days),
        percent: set.as_ref().map_or(1, |rule| rule.percent),
        at_least: set.as_ref().map_or(1, |rule| rule.at_least),
        set_at: set.as_ref().map(|rule| rule.set_at),
        set_by: set.map(|rule| rule.set_by),
    })
}
