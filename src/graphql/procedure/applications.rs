//! Offers, applications, decisions and master forms at the root: arguments in, answers out.

use async_graphql::{Context, ID, Object, Result};

use super::of;
use crate::procedure::application::{Application, ApplicationStatus};
use crate::procedure::attachment::DocumentInput;
use crate::procedure::decision::Decision;
use crate::procedure::draft::ApplicationInput;
use crate::procedure::master_form::{FormStatus, MasterForm};
use crate::procedure::offer::{Offer, OfferInput};
use crate::procedure::page::Page;

/// Questions.
#[derive(Default)]
pub struct ApplicationQuestions;

#[Object]
impl ApplicationQuestions {
    /// 申請附表: what can be applied for, custodian by custodian.
    async fn offers(&self, ctx: &Context<'_>) -> Result<Vec<Offer>> {
        let (procedure, _) = of(ctx)?;
        Ok(procedure.offers().await?)
    }

    /// 申請表: applications that one may see, newest first: those of one's agency, and those to decide on.
    async fn applications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "狀態: in that state only")] status: Option<ApplicationStatus>,
        #[graphql(desc = "筆數: at most so many, 1 to 200; 100 without it")] first: Option<i32>,
        #[graphql(desc = "接續編號: number of the last application seen; those before it")] after: Option<String>,
    ) -> Result<Vec<Application>> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.applications(act, status, &Page { first, after }).await?)
    }

    /// 申請表: one application.
    async fn application(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "申請編號: number of the application")] number: String,
    ) -> Result<Application> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.application(act, &number).await?)
    }

    /// 附件內容: content of an attached document, in base64.
    async fn document_content(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "附件編號: number of the document")] id: ID,
    ) -> Result<String> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.document(act, &id).await?)
    }

    /// 主表單: master forms that one may see: those of one's agency, and those with items of one's datasets.
    async fn master_forms(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "筆數: at most so many, 1 to 200; 100 without it")] first: Option<i32>,
        #[graphql(desc = "接續編號: number of the last form seen; those after it")] after: Option<String>,
    ) -> Result<Vec<MasterForm>> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.master_forms(act, &Page { first, after }).await?)
    }

    /// 主表單: one master form.
    async fn master_form(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "表單編號: number of the form")] number: String,
    ) -> Result<MasterForm> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.master_form(act, &number).await?)
    }
}

/// Steps.
#[derive(Default)]
pub struct ApplicationSteps;

#[Object]
impl ApplicationSteps {
    /// 訂定申請附表: defines what may be applied for of the datasets of one's agency, in place of the version before.
    async fn define_offer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "申請附表: the annex")] input: OfferInput,
    ) -> Result<Offer> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.define_offer(act, &input).await?)
    }

    /// 擬具申請表: drafts an application of one's agency.
    async fn create_application(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "申請內容: what is asked for")] input: ApplicationInput,
    ) -> Result<Application> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.create_application(act, &input).await?)
    }

    /// 修正申請表: changes a draft, or the annexes that were returned.
    async fn change_application(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "申請編號: number of the application")] number: String,
        #[graphql(desc = "版本: the revision that you have seen")] revision: i32,
        #[graphql(desc = "申請內容: what is asked for, all of it")] input: ApplicationInput,
    ) -> Result<Application> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.change_application(act, &number, revision, &input).await?)
    }

    /// 檢附文件: attaches a document to an application.
    async fn attach_document(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "申請編號: number of the application")] number: String,
        #[graphql(desc = "版本: the revision that you have seen")] revision: i32,
        #[graphql(desc = "附件: the document")] input: DocumentInput,
    ) -> Result<Application> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.attach_document(act, &number, revision, &input).await?)
    }

    /// 送件: hands an application, or what was returned of it, to the custodians.
    async fn submit_application(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "申請編號: number of the application")] number: String,
        #[graphql(desc = "版本: the revision that you have seen")] revision: i32,
    ) -> Result<Application> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.submit_application(act, &number, revision).await?)
    }

    /// 撤回申請: takes an application back that was not opened.
    async fn withdraw_application(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "申請編號: number of the application")] number: String,
        #[graphql(desc = "版本: the revision that you have seen")] revision: i32,
    ) -> Result<Application> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.withdraw_application(act, &number, revision).await?)
    }

    /// 審核附表: decides on the annex of one's agency; never on one's own application.
    async fn decide_annex(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "申請編號: number of the application")] number: String,
        #[graphql(desc = "版本: the revision that you have seen")] revision: i32,
        #[graphql(desc = "審核結果: what is decided")] decision: Decision,
        #[graphql(desc = "審核意見: the reason; compulsory unless it is approved")] comment: Option<String>,
    ) -> Result<Application> {
        let (procedure, act) = of(ctx)?;
        let comment = comment.unwrap_or_default();
        Ok(procedure.decide_annex(act, &number, revision, decision, &comment).await?)
    }

    /// 建立主表單: opens the master form of a decided application, or the next version of the form that it changes.
    async fn open_master_form(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "申請編號: number of the application")] number: String,
        #[graphql(desc = "版本: the revision that you have seen")] revision: i32,
        #[graphql(desc = "表單編號: number of a new form; made up without it")] form: Option<String>,
    ) -> Result<Application> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.open_master_form(act, &number, revision, form.as_deref()).await?)
    }

    /// 停用主表單: suspends a master form; nobody reads under it until it is resumed.
    async fn suspend_master_form(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "表單編號: number of the form")] number: String,
        #[graphql(desc = "原因: why")] reason: String,
    ) -> Result<MasterForm> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.set_form_status(act, "suspendMasterForm", &number, FormStatus::Suspended, &reason).await?)
    }

    /// 恢復主表單: resumes a suspended master form.
    async fn resume_master_form(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "表單編號: number of the form")] number: String,
        #[graphql(desc = "原因: why")] reason: String,
    ) -> Result<MasterForm> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.set_form_status(act, "resumeMasterForm", &number, FormStatus::Open, &reason).await?)
    }

    /// 撤銷主表單: revokes a master form for good.
    async fn revoke_master_form(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "表單編號: number of the form")] number: String,
        #[graphql(desc = "原因: why")] reason: String,
    ) -> Result<MasterForm> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.set_form_status(act, "revokeMasterForm", &number, FormStatus::Closed, &reason).await?)
    }

    /// 撤銷附表: takes the items of one's agency out of a master form.
    async fn revoke_annex(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "表單編號: number of the form")] form: String,
        #[graphql(desc = "原因: why")] reason: String,
    ) -> Result<MasterForm> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.revoke_annex(act, &form, &reason).await?)
    }
}
