//! Agencies, accounts and inboxes at the root: arguments in, answers out.

use async_graphql::{Context, ID, Object, Result};

use super::of;
use crate::procedure::account::{Account, AccountInput, AccountStatus, OpenedAccount, RoleName};
use crate::procedure::account_change::AccountChange;
use crate::procedure::agency::{Agency, AgencyKind};
use crate::procedure::inbox::Notice;
use crate::procedure::page::Page;

/// Questions.
#[derive(Default)]
pub struct PeopleQuestions;

#[Object]
impl PeopleQuestions {
    /// 機關: all agencies, with the datasets that they manage.
    async fn agencies(&self, ctx: &Context<'_>) -> Result<Vec<Agency>> {
        let (procedure, _) = of(ctx)?;
        Ok(procedure.agencies().await?)
    }

    /// 帳號: the accounts of an agency; one's own without an argument.
    async fn accounts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "機關代碼: code of the agency")] agency: Option<String>,
        #[graphql(desc = "筆數: at most so many, 1 to 200; 100 without it")] first: Option<i32>,
        #[graphql(desc = "接續帳號: name of the last account seen; those after it")] after: Option<String>,
    ) -> Result<Vec<Account>> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.list_accounts(act, agency.as_deref(), &Page { first, after }).await?)
    }

    /// 收件匣: what one was told, newest first.
    async fn inbox(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "僅未讀: those not yet marked as read")] unread_only: Option<bool>,
        #[graphql(desc = "筆數: at most so many, 1 to 200; 100 without it")] first: Option<i32>,
        #[graphql(desc = "接續編號: id of the last notice seen; those before it")] after: Option<String>,
    ) -> Result<Vec<Notice>> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.inbox(act, unread_only.unwrap_or(false), &Page { first, after }).await?)
    }
}

/// Steps.
#[derive(Default)]
pub struct PeopleSteps;

#[Object]
impl PeopleSteps {
    /// 設立機關: opens an agency, or changes its title and kind.
    async fn open_agency(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "機關代碼: 2 to 40 small letters, digits and hyphens")] code: String,
        #[graphql(desc = "機關名稱: name as people know it")] title: String,
        #[graphql(desc = "機關種類: without it what it is already, and a using agency where it is new")] kind: Option<
            AgencyKind,
        >,
    ) -> Result<Agency> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.open_agency(act, &code, &title, kind).await?)
    }

    /// 開立帳號: opens a person's account; its first password must be changed before anything else.
    async fn open_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "帳號: the account")] input: AccountInput,
    ) -> Result<OpenedAccount> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.open_account(act, &input).await?)
    }

    /// 開立機器用戶端: opens a machine client of one's own agency.
    async fn open_client(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "用戶端代碼: 3 to 40 letters, digits, dots, hyphens and underscores")] client_id: String,
        #[graphql(desc = "名稱: what the system is")] title: String,
    ) -> Result<OpenedAccount> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.open_client(act, &client_id, &title).await?)
    }

    /// 指派角色: gives an account these roles and no others.
    async fn set_roles(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "帳號: the account")] account: String,
        #[graphql(desc = "角色: all its roles from now on")] roles: Vec<RoleName>,
    ) -> Result<Account> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.set_roles(act, &account, &roles).await?)
    }

    /// 變更帳號: changes a person's title, where notices go, and by which national id inspections know the holder.
    async fn change_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "帳號: the account")] account: String,
        #[graphql(desc = "異動: what is to be changed")] change: AccountChange,
    ) -> Result<Account> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.change_account(act, &account, &change).await?)
    }

    /// 停用帳號: suspends an account; its sessions and rights end at once.
    async fn suspend_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "帳號: the account")] account: String,
        #[graphql(desc = "原因: why")] reason: String,
    ) -> Result<Account> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.set_account_status(act, "suspendAccount", &account, AccountStatus::Suspended, &reason).await?)
    }

    /// 恢復帳號: resumes a suspended account.
    async fn resume_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "帳號: the account")] account: String,
        #[graphql(desc = "原因: why")] reason: String,
    ) -> Result<Account> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.set_account_status(act, "resumeAccount", &account, AccountStatus::Active, &reason).await?)
    }

    /// 關閉帳號: closes an account for good, as when a person leaves or is transferred; its sessions and rights end at once.
    async fn close_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "帳號: the account")] account: String,
        #[graphql(desc = "原因: why")] reason: String,
    ) -> Result<Account> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.set_account_status(act, "closeAccount", &account, AccountStatus::Closed, &reason).await?)
    }

    /// 重設密碼: gives a person a new first password; sessions end at once.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "帳號: the account")] account: String,
    ) -> Result<OpenedAccount> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.reset_password(act, &account).await?)
    }

    /// 標示已讀: marks one's own notices as read; answers how many were.
    async fn mark_notices_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "通知編號: numbers of the notices")] notices: Vec<ID>,
    ) -> Result<i32> {
        let (procedure, act) = of(ctx)?;
        Ok(procedure.mark_read(act, &notices).await?)
    }
}
