//! Incidents and outside channels at the root: arguments in, answers out.

use async_graphql::{Context, Object, Result};
use time::Date;

use super::of;
use crate::procedure::channel::{Channel, ChannelInput};
use crate::procedure::incident::{Incident, IncidentInput};
use crate::procedure::page::Page;

/// Questions.
#[derive(Default)]
pub struct IncidentQuestions;

#[Object]
impl IncidentQuestions {
    /// 事件: incidents that one may see, newest first.
    async fn incidents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "筆數: at most so many, 1 to 200; 100 without it")] first: Option<i32>,
        #[graphql(desc = "接續編號: number of the last incident seen; those before it")] after: Option<String>,
    ) -> Result<Vec<Incident>> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.incidents(act, &Page { first, after }).await?)
    }

    /// 其他查詢管道: channels outside of this system, with what was imported of their logs and what is overdue.
    async fn channels(&self, ctx: &Context<'_>) -> Result<Vec<Channel>> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.channels(act).await?)
    }
}

/// Steps.
#[derive(Default)]
pub struct IncidentSteps;

#[Object]
impl IncidentSteps {
    /// 通報事件: reports misuse or damage; the account and form that it is about are suspended at once.
    async fn report_incident(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "事件: what happened")] input: IncidentInput,
    ) -> Result<Incident> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.report_incident(act, &input).await?)
    }

    /// 補救事件: says what was done about an incident.
    async fn remedy_incident(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "事件編號: number of the incident")] number: String,
        #[graphql(desc = "補救措施: what was done")] remedy: String,
    ) -> Result<Incident> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.remedy_incident(act, &number, &remedy).await?)
    }

    /// 結案: closes an incident that was remedied.
    async fn close_incident(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "事件編號: number of the incident")] number: String,
        #[graphql(desc = "結案意見: how it ends")] conclusion: String,
    ) -> Result<Incident> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.close_incident(act, &number, &conclusion).await?)
    }

    /// 登記其他查詢管道: registers a channel to a dataset of one's agency, with the one who reviews its logs.
    async fn register_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "管道: the channel")] input: ChannelInput,
    ) -> Result<Channel> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.register_channel(act, &input).await?)
    }

    /// 關閉其他查詢管道: closes a channel that is no longer there.
    async fn close_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "代碼: name of the channel")] name: String,
    ) -> Result<Channel> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.close_channel(act, &name).await?)
    }

    /// 匯入管道紀錄: imports a channel's log for the days that it covers; each row becomes an audit record or is rejected with its line and a reason.
    async fn import_channel_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "代碼: name of the channel")] name: String,
        #[graphql(desc = "起日: first day that it covers")] from: Date,
        #[graphql(desc = "迄日: last day that it covers")] until: Date,
        #[graphql(desc = "檔案: the log as CSV with a header, 8 MiB at most and no more than one request may hold")]
        csv: String,
    ) -> Result<Channel> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.import_channel_log(act, &name, from, until, &csv).await?)
    }
}
