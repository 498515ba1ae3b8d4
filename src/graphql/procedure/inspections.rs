//! Inspections at the root: arguments in, answers out.

use async_graphql::{Context, Object, Result};
use time::Date;

use super::of;
use crate::procedure::inspection::{Inspection, Verdict};
use crate::procedure::inspection_overdue::OverdueInspection;
use crate::procedure::inspection_rule::InspectionRule;
use crate::procedure::page::Page;

/// Questions.
#[derive(Default)]
pub struct InspectionQuestions;

#[Object]
impl InspectionQuestions {
    /// 查驗規則: how often an agency inspects its own use, and how much of it.
    async fn inspection_rule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "使用機關: code of the agency; one's own without it")] agency: Option<String>,
    ) -> Result<InspectionRule> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.inspection_rule(act, agency.as_deref()).await?)
    }

    /// 查驗清單: inspections of one's agency, newest first; of all agencies for the ethics office.
    async fn inspections(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "使用機關: of that agency only")] agency: Option<String>,
        #[graphql(desc = "筆數: at most so many, 1 to 200; 100 without it")] first: Option<i32>,
        #[graphql(desc = "接續編號: number of the last inspection seen; those before it")] after: Option<String>,
    ) -> Result<Vec<Inspection>> {
        let (procedure, act) = of(ctx)?;
        let with_entries = ctx.look_ahead().field("entries").exists();
        Ok(procedure.inspections(act, agency.as_deref(), &Page { first, after }, with_entries).await?)
    }

    /// 查驗: one inspection with what the records say; the look is itself recorded.
    async fn inspection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "查驗編號: number of the inspection")] number: String,
    ) -> Result<Inspection> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.inspection(act, &number).await?)
    }

    /// 逾期查驗: agencies that have not reported in time, and reports that wait for the head.
    async fn overdue_inspections(&self, ctx: &Context<'_>) -> Result<Vec<OverdueInspection>> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.overdue_inspections(act).await?)
    }
}

/// Steps.
#[derive(Default)]
pub struct InspectionSteps;

#[Object]
impl InspectionSteps {
    /// 訂定查驗規則: sets how often one's agency inspects its own use, and how much of it.
    async fn set_inspection_rule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "查驗週期: days from one report to the next")] interval_days: i32,
        #[graphql(desc = "抽查比率: percentage of the operations that is drawn at random")] percent: i32,
        #[graphql(desc = "最低筆數: at least so many")] at_least: i32,
    ) -> Result<InspectionRule> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.set_inspection_rule(act, (interval_days, percent, at_least)).await?)
    }

    /// 抽查: draws from the recorded use of one's agency what is to be inspected: a share at random, and all that is
    /// conspicuous.
    async fn draw_inspection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "起日: first day; where the last inspection ended without it")] from: Option<Date>,
        #[graphql(desc = "迄日: last day; today without it")] until: Option<Date>,
    ) -> Result<Inspection> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.draw_inspection(act, from, until).await?)
    }

    /// 登錄查驗意見: records what was found about an operation of somebody else.
    async fn record_finding(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "查驗編號: number of the inspection")] inspection: String,
        #[graphql(desc = "紀錄編號: the audit record")] record: String,
        #[graphql(desc = "結果: what it was found to be")] verdict: Verdict,
        #[graphql(desc = "說明: why; compulsory unless it was proper")] comment: Option<String>,
    ) -> Result<Inspection> {
        let (procedure, act) = of(ctx)?;
        let comment = comment.unwrap_or_default();
        Ok(procedure.record_finding(act, &inspection, &record, (verdict, &comment)).await?)
    }

    /// 陳報查驗報告: reports an inspection to the agency's head and the ethics officers.
    async fn report_inspection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "查驗編號: number of the inspection")] number: String,
        #[graphql(desc = "查驗報告: what was inspected, found and done")] summary: String,
    ) -> Result<Inspection> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.report_inspection(act, &number, &summary).await?)
    }

    /// 核閱查驗報告: takes notice of a report as the agency's head.
    async fn acknowledge_inspection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "查驗編號: number of the inspection")] number: String,
    ) -> Result<Inspection> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.acknowledge_inspection(act, &number).await?)
    }

    /// 催辦逾期查驗: tells heads and ethics officers of all that is late.
    async fn remind_overdue_inspections(&self, ctx: &Context<'_>) -> Result<Vec<OverdueInspection>> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.remind_overdue_inspections(act).await?)
    }
}
