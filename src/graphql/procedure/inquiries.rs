//! Questions about rights at the root: what would happen, where a right comes from, which datasets are in service; and
//! the steps that follow from them.

use std::sync::Arc;

use async_graphql::{Context, Json, Object, Result};
use serde_json::Value;
use time::Date;

use super::of;
use crate::access::Refusal;
use crate::graphql::engine::Engine;
use crate::graphql::inquiry::{self, Explanation};
use crate::procedure::amendment::Need;
use crate::procedure::application::Application;
use crate::procedure::dataset::{Dataset, DatasetStatus};
use crate::procedure::fault::Fault;
use crate::procedure::item::{Level, Purpose};
use crate::procedure::provenance::Provenance;
use crate::procedure::{Act, Procedure};

/// Questions.
#[derive(Default)]
pub struct InquiryQuestions;

#[Object]
impl InquiryQuestions {
    /// 資料庫: all datasets, and whether they are in service.
    async fn datasets(&self, ctx: &Context<'_>) -> Result<Vec<Dataset>> {
        let (procedure, _) = of(ctx)?;
        Ok(procedure.datasets().await?)
    }

    /// 查詢說明: what an operation would do under a form that one holds, without running it: every use with its
    /// decision, the statements, the cost.
    async fn explain(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "操作: the GraphQL document")] operation: String,
        #[graphql(desc = "變數: its variables")] variables: Option<Json<Value>>,
        #[graphql(desc = "表單: number of a form or sub-form that one holds; the only one held without it")]
        form: Option<String>,
    ) -> Result<Explanation> {
        let (procedure, act) = of(ctx)?;
        let engine = ctx.data::<Arc<Engine>>()?;
        let request = inquiry::request(operation, variables.map(|Json(value)| value)).map_err(Fault::from)?;
        let snapshot = procedure.accounts().rights().current();
        let held = snapshot.held_by(act.caller.account_id);
        let named =
            |number: &str| held.iter().find(|held| *held.rights.sub_form == *number || *held.rights.number == *number);
        let held = match (&form, held) {
            (Some(number), _) => Some(named(number).ok_or_else(|| not_held(number))?),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        engine.explain(&request, held.map(Arc::as_ref)).map_err(|refusals| first(refusals).into())
    }

    /// 授權來源: why a field could be read in a recorded operation: the item, the decision, who took it, its documents.
    async fn provenance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "紀錄編號: id of the audit record, `extensions.audit` of the answer")] record: String,
        #[graphql(desc = "欄位座標: schema coordinate, `Person.name`")] coordinate: String,
    ) -> Result<Provenance> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.provenance(act, &record, &coordinate).await?)
    }
}

/// Steps.
#[derive(Default)]
pub struct InquirySteps;

#[Object]
impl InquirySteps {
    /// 依查詢擬具申請表: drafts an application that asks for exactly what an operation lacks, and for no more of it than
    /// answers the operation: a change of the form in use where that serves the purpose, a form of its own otherwise.
    #[allow(clippy::too_many_arguments)] // arguments of the schema, not of a design
    async fn draft_application(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "操作: the GraphQL document")] operation: String,
        #[graphql(desc = "變數: its variables")] variables: Option<Json<Value>>,
        #[graphql(desc = "目的: purpose of use")] purpose: Purpose,
        #[graphql(desc = "法律依據: legal basis")] legal_basis: String,
        #[graphql(desc = "理由: why the items are needed")] reason: String,
        #[graphql(desc = "起日: first day; today without it")] from: Option<Date>,
        #[graphql(desc = "迄日: last day; that of the form, or a year later, without it")] until: Option<Date>,
        #[graphql(
            desc = "揭露程度: how far to show what can be masked and is only shown; masked without it, the least that answers the operation"
        )]
        level: Option<Level>,
    ) -> Result<Application> {
        let (procedure, act) = of(ctx)?;
        let engine = ctx.data::<Arc<Engine>>()?;
        let request = inquiry::request(operation, variables.map(|Json(value)| value)).map_err(Fault::from)?;
        // Rights serve the purpose that they were granted for: another one needs all of it under a form of its own.
        let form = act.caller.form.as_ref().filter(|form| form.purposes.iter().any(|code| **code == *purpose.code));
        let lacking = engine.lacks(&request, form.map(|form| &form.rights)).map_err(first)?;
        if lacking.is_empty() {
            let refusal = Refusal::input("This operation lacks nothing.", "此操作所需項目均已核准。");
            return Err(Fault::from(refusal).into());
        }
        let coordinate = |field| procedure.catalog().field(field).coordinate.clone();
        let lacking = lacking.into_iter().map(|(field, uses)| (coordinate(field), uses)).collect();
        let need = Need { lacking, purpose, legal_basis, reason, from, until, level: level.unwrap_or(Level::Masked) };
        Ok(procedure.draft_application(act, form.map(|form| &*form.number), &need).await?)
    }

    /// 暫停資料庫: suspends a dataset; every query that touches it is refused at once.
    async fn suspend_dataset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "資料庫: code of the dataset")] code: String,
        #[graphql(desc = "原因: why")] reason: String,
    ) -> Result<Dataset> {
        to(ctx, "suspendDataset", &code, DatasetStatus::Suspended, &reason).await
    }

    /// 恢復資料庫: puts a dataset back into service. What a withdrawn one had granted stays lost.
    async fn resume_dataset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "資料庫: code of the dataset")] code: String,
        #[graphql(desc = "原因: why")] reason: String,
    ) -> Result<Dataset> {
        to(ctx, "resumeDataset", &code, DatasetStatus::Active, &reason).await
    }

    /// 終止資料庫: withdraws a dataset; every form loses its items, and the agencies are told.
    async fn withdraw_dataset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "資料庫: code of the dataset")] code: String,
        #[graphql(desc = "原因: why")] reason: String,
    ) -> Result<Dataset> {
        to(ctx, "withdrawDataset", &code, DatasetStatus::Withdrawn, &reason).await
    }
}

async fn to(ctx: &Context<'_>, step: &'static str, code: &str, to: DatasetStatus, reason: &str) -> Result<Dataset> {
    let (procedure, act): (&Arc<Procedure>, &Act) = of(ctx)?;
    Ok(procedure.set_dataset_status(act, step, code, to, reason).await?)
}

fn first(refusals: Vec<Refusal>) -> Fault {
    let refusal = refusals.into_iter().next();
    refusal.unwrap_or_else(|| Refusal::input("The operation cannot be read.", "無法讀取操作。")).into()
}

fn not_held(number: &str) -> Fault {
    crate::procedure::fault::not_found("form of yours", "您持有之表單", number)
}
