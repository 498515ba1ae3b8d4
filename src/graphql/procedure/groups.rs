//! Filings, groups and sub-forms at the root: arguments in, answers out.

use async_graphql::{Context, Object, Result};

use super::of;
use crate::procedure::filing::{AuditPlan, OperatingRules};
use crate::procedure::group::{DirectoryGroup, UserGroup};
use crate::procedure::item::ItemInput;
use crate::procedure::master_form::FormStatus;
use crate::procedure::page::Page;
use crate::procedure::sub_form::{SubForm, SubFormInput};

/// Questions.
#[derive(Default)]
pub struct GroupQuestions;

#[Object]
impl GroupQuestions {
    /// 作業規定: operating rules that one may see, newest first.
    async fn operating_rules(&self, ctx: &Context<'_>) -> Result<Vec<OperatingRules>> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.operating_rules(act).await?)
    }

    /// 稽核計畫: the audit plans in force, by dataset.
    async fn audit_plans(&self, ctx: &Context<'_>) -> Result<Vec<AuditPlan>> {
        let (procedure, _) = of(ctx)?;
        Ok(procedure.audit_plans().await?)
    }

    /// 目錄組: the directory groups of a master form of one's agency.
    async fn directory_groups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "表單編號: number of the master form")] form: String,
    ) -> Result<Vec<DirectoryGroup>> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.directory_groups(act, &form).await?)
    }

    /// 使用群組: the user groups of one's agency.
    async fn user_groups(&self, ctx: &Context<'_>) -> Result<Vec<UserGroup>> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.user_groups(act).await?)
    }

    /// 次表單: the sub-forms of one's agency.
    async fn sub_forms(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "筆數: at most so many, 1 to 200; 100 without it")] first: Option<i32>,
        #[graphql(desc = "接續編號: number of the last sub-form seen; those after it")] after: Option<String>,
    ) -> Result<Vec<SubForm>> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.sub_forms(act, &Page { first, after }).await?)
    }
}

/// Steps.
#[derive(Default)]
pub struct GroupSteps;

#[Object]
impl GroupSteps {
    /// 函送作業規定: files the operating rules of one's agency, and sends them to every custodian, the information office and the commission.
    async fn file_operating_rules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "名稱: title")] title: String,
        #[graphql(desc = "內容: text")] content: String,
    ) -> Result<OperatingRules> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.file_operating_rules(act, &title, &content).await?)
    }

    /// 備查作業規定: acknowledges an agency's operating rules for one's own.
    async fn acknowledge_operating_rules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "使用機關: whose rules")] agency: String,
        #[graphql(desc = "版次: which version")] version: i32,
    ) -> Result<OperatingRules> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.acknowledge_rules(act, &agency, version).await?)
    }

    /// 訂定稽核計畫: files the audit plan of a dataset of one's agency, or why there is none.
    async fn file_audit_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "資料庫: code of the dataset")] dataset: String,
        #[graphql(desc = "內容: text, or the reason of the waiver")] content: String,
        #[graphql(desc = "稽核週期: how often use is checked, in days")] interval_days: i32,
        #[graphql(desc = "免訂: the data are public; not for personal data")] waived: Option<bool>,
    ) -> Result<AuditPlan> {
        let (procedure, act) = of(ctx)?;
        let waived = waived.unwrap_or(false);
        Ok(procedure.file_audit_plan(act, &dataset, &content, interval_days, waived).await?)
    }

    /// 建立目錄組: makes a directory group, or gives it other items.
    async fn put_directory_group(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "表單編號: number of the master form")] form: String,
        #[graphql(desc = "代碼: name within the form")] name: String,
        #[graphql(desc = "名稱: title")] title: String,
        #[graphql(desc = "項目: what it holds; all that the form grants today without it")] items: Option<
            Vec<ItemInput>,
        >,
    ) -> Result<DirectoryGroup> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.put_directory_group(act, &form, &name, &title, items.as_deref()).await?)
    }

    /// 建立使用群組: makes a user group of one's agency, or gives it another title.
    async fn put_user_group(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "代碼: name within the agency")] name: String,
        #[graphql(desc = "名稱: title")] title: String,
    ) -> Result<UserGroup> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.put_user_group(act, &name, &title).await?)
    }

    /// 加入成員: puts an account of one's agency into a user group.
    async fn add_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "使用群組: name of the group")] group: String,
        #[graphql(desc = "帳號: the account")] account: String,
    ) -> Result<UserGroup> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.add_member(act, &group, &account).await?)
    }

    /// 移除成員: takes an account out of a user group; its rights end at once.
    async fn remove_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "使用群組: name of the group")] group: String,
        #[graphql(desc = "帳號: the account")] account: String,
    ) -> Result<UserGroup> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.remove_member(act, &group, &account).await?)
    }

    /// 開放次表單: hands a directory group to a user group.
    async fn open_sub_form(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "次表單: the sub-form")] input: SubFormInput,
    ) -> Result<SubForm> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.open_sub_form(act, &input).await?)
    }

    /// 停用次表單: suspends a sub-form.
    async fn suspend_sub_form(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "次表單編號: number of the sub-form")] number: String,
        #[graphql(desc = "原因: why")] reason: String,
    ) -> Result<SubForm> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.set_sub_form_status(act, "suspendSubForm", &number, FormStatus::Suspended, &reason).await?)
    }

    /// 恢復次表單: resumes a suspended sub-form.
    async fn resume_sub_form(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "次表單編號: number of the sub-form")] number: String,
        #[graphql(desc = "原因: why")] reason: String,
    ) -> Result<SubForm> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.set_sub_form_status(act, "resumeSubForm", &number, FormStatus::Open, &reason).await?)
    }

    /// 關閉次表單: closes a sub-form for good.
    async fn close_sub_form(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "次表單編號: number of the sub-form")] number: String,
        #[graphql(desc = "原因: why")] reason: String,
    ) -> Result<SubForm> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.set_sub_form_status(act, "closeSubForm", &number, FormStatus::Closed, &reason).await?)
    }
}
