//! Accounts as the procedure opens, changes and closes them (clauses 3 and 8): one person, one account, in one agency.
//! Passwords and sessions are left to `accounts`, the list of them to `account_list`; who is unused for long, to `idle`.

use async_graphql::{Enum, InputObject, SimpleObject};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;
use time::OffsetDateTime;

use super::account_change::{check_email, check_one_account};
use super::agency::{check_text, check_title, get_agency};
use super::appointment::is_central;
use super::entity::{incident, step};
use super::fault::{conflict, forbidden, wrong};
use super::group::check_no_member;
use super::incident::check_no_open_incident;
use super::person::{Person, check_no_incident};
use super::step::{Begun, News, To};
use super::{Act, Fault, Procedure, has_role};
use crate::access::Role;
use crate::accounts::entity::account;
use crate::accounts::people::NewPerson;

/// 角色: a role of the procedure. It says who somebody is, not what they may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "Role", remote = "crate::access::Role")]
pub enum RoleName {
    /// 資訊局系統管理: runs the system, opens master forms.
    InformationOffice,
    /// 資料庫系統管理者: decides on applications for an agency's datasets.
    DatabaseAdministrator,
    /// 業務系統管理者: runs an agency's applications, groups, sub-forms and inspections.
    BusinessAdministrator,
    /// 一般操作使用者: queries.
    GeneralUser,
    /// 機關首長: receives reports, answers for the agency.
    AgencyHead,
    /// 政風人員: is told of inspections and incidents.
    EthicsOfficer,
    /// 研考人員: keeps operating rules on file.
    CommissionOfficer,
    /// 機器用戶端: a partner's system.
    MachineClient,
}

/// 帳號狀態: state of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum AccountStatus {
    /// 啟用: may sign in.
    Active,
    /// 停用: may not sign in until it is resumed.
    Suspended,
    /// 關閉: for good; the person has left or was transferred.
    Closed,
}

/// 帳號: the account of a person or of a machine client.
#[derive(Debug, Clone, SimpleObject)]
pub struct Account {
    /// 帳號名稱: name to sign in with, `fire.officer`.
    pub account: String,
    /// 機關代碼: code of the agency.
    pub agency: String,
    /// 職稱: function, not the person's name.
    pub title: String,
    /// 電子郵件: where notices are sent.
    pub email: Option<String>,
    /// 已登記統一編號: the holder's national id is on file, as a digest.
    pub identified: bool,
    /// 機器: a machine client.
    pub machine: bool,
    /// 角色: roles in the procedure.
    pub roles: Vec<RoleName>,
    /// 狀態: whether it may be used.
    pub status: AccountStatus,
    /// 狀態原因: why the status is what it is.
    pub status_why: Option<String>,
    /// 狀態起始時間: since when.
    pub status_at: Option<OffsetDateTime>,
    /// 最近登入時間: last sign-in.
    pub last_sign_in_at: Option<OffsetDateTime>,
    /// 開立時間: when it was opened.
    pub opened_at: OffsetDateTime,
}

/// 新帳號: an account that was opened, with what its owner needs to begin.
#[derive(Debug, Clone, SimpleObject)]
pub struct OpenedAccount {
    /// 帳號: the account.
    pub account: Account,
    /// 初次密碼或密鑰: the first password, good for changing it once, or a machine client's secret. It is told this one
    /// time; a repeated request does not tell it again.
    pub first_password: Option<String>,
}

/// 帳號申請: the account to be opened.
#[derive(Debug, Clone, InputObject)]
pub struct AccountInput {
    /// 帳號名稱: name to sign in with: 3 to 40 small letters, digits, dots, hyphens and underscores.
    pub account: String,
    /// 機關代碼: the agency; one's own without it.
    pub agency: Option<String>,
    /// 職稱: function, not the person's name.
    pub title: String,
    /// 職員編號: the person's number in their agency's files. A person has one account that is not closed.
    pub staff_number: String,
    /// 電子郵件: where notices are sent.
    pub email: Option<String>,
    /// 統一編號: the holder's national id, kept as a keyed digest. By it inspections tell who reads their own record or a
    /// colleague's, and nobody has two accounts.
    pub national_id: Option<String>,
    /// 角色: roles in the procedure.
    pub roles: Vec<RoleName>,
}

impl Procedure {
    /// Opens a person's account with a first password that must be changed at once.
    pub async fn open_account(&self, act: &Act, input: &AccountInput) -> Result<OpenedAccount, Fault> {
        let name = check_name(&input.account)?;
        let title = check_title("title", &input.title)?;
        let staff_number = check_text("staffNumber", &input.staff_number, 64)?;
        let of = input.agency.as_deref().unwrap_or(&act.caller.agency);
        let roles = each_once(&input.roles);
        self.check_roles(self.db(), &act.caller, of, &roles).await?;
        let email = input.email.as_deref().map(check_email).transpose()?.flatten();
        let holder = input.national_id.as_deref().map(|id| self.holder_of(id)).transpose()?.flatten();
        let first_password = self.accounts.first_password();
        let hash = self.accounts.hash(&first_password).await?;
        let mut step = match self.begin(act, "openAccount").await? {
            Begun::Before(id) => {
                return Ok(OpenedAccount { account: self.account_by_id(id).await?, first_password: None });
            }
            Begun::New(step) => step,
        };
        let agency = get_agency(step.tx(), of).await?;
        let person = Person { agency_id: agency.id, staff_number: Some(staff_number), holder: holder.as_deref() };
        check_free(step.tx(), &name, Some(&person)).await?;
        if let Some(holder) = &holder {
            check_one_account(step.tx(), holder, None).await?;
        }
        check_no_incident(step.tx(), &person).await?;
        let words: Vec<&str> = roles.iter().map(|role| role.word()).collect();
        let person = NewPerson {
            name: &name,
            agency: of,
            title,
            roles: &words,
            password: &first_password,
            one_time: true,
            staff_number: Some(staff_number),
            email: email.as_deref(),
            holder: holder.as_deref(),
        };
        let id = self.accounts.write_person(step.tx(), &person, agency.id, hash).await?;
        step.changes_rights();
        step.finish("account", id, json!({ "account": name, "agency": of, "roles": words })).await?;
        Ok(OpenedAccount { account: self.account_by_id(id).await?, first_password: Some(first_password) })
    }

    /// Opens a machine client of the caller's agency.
    pub async fn open_client(&self, act: &Act, client_id: &str, title: &str) -> Result<OpenedAccount, Fault> {
        let name = check_name(client_id)?;
        let title = check_title("title", title)?;
        let key = self.accounts.client_secret();
        let mut step = match self.begin(act, "openClient").await? {
            Begun::Before(id) => {
                return Ok(OpenedAccount { account: self.account_by_id(id).await?, first_password: None });
            }
            Begun::New(step) => step,
        };
        let agency = get_agency(step.tx(), &act.caller.agency).await?;
        check_free(step.tx(), &name, None).await?;
        let id = self.accounts.write_client(step.tx(), &name, &key, agency.id, title).await?;
        step.changes_rights();
        step.finish("account", id, json!({ "account": name, "agency": agency.code })).await?;
        Ok(OpenedAccount { account: self.account_by_id(id).await?, first_password: Some(key) })
    }

    /// Gives an account these roles and no others.
    pub async fn set_roles(&self, act: &Act, name: &str, roles: &[RoleName]) -> Result<Account, Fault> {
        let roles = each_once(roles);
        let mut step = match self.begin(act, "setRoles").await? {
            Begun::Before(id) => return self.account_by_id(id).await,
            Begun::New(step) => step,
        };
        let (target, of, former) = self.administered(step.tx(), act, name).await?;
        if target.kind == "client" {
            return Err(forbidden("A machine client has no roles.", "機器用戶端沒有角色。", "3"));
        }
        self.check_roles(step.tx(), &act.caller, &of, &roles).await?;
        if !roles.iter().all(|role| role.queries()) {
            check_no_member(step.tx(), &target).await?;
        }
        let words: Vec<&str> = roles.iter().map(|role| role.word()).collect();
        self.accounts.write_roles(step.tx(), target.id, &words).await?;
        step.changes_rights();
        let former: Vec<&str> = former.iter().map(|role| role.word()).collect();
        step.finish("account", target.id, json!({ "account": name, "roles": words, "former": former })).await?;
        self.account_by_id(target.id).await
    }

    /// Suspends, resumes or closes an account. Rights and sessions end at once.
    pub async fn set_account_status(
        &self,
        act: &Act,
        operation: &'static str,
        name: &str,
        to: AccountStatus,
        reason: &str,
    ) -> Result<Account, Fault> {
        let reason = check_title("reason", reason)?;
        let mut step = match self.begin(act, operation).await? {
            Begun::Before(id) => return self.account_by_id(id).await,
            Begun::New(step) => step,
        };
        let (target, _, _) = self.administered(step.tx(), act, name).await?;
        let from = status(&target.status);
        let allowed = match to {
            AccountStatus::Active => from == AccountStatus::Suspended,
            AccountStatus::Suspended => from == AccountStatus::Active,
            AccountStatus::Closed => from != AccountStatus::Closed,
        };
        if !allowed {
            let current = json!({ "account": name, "status": target.status });
            return Err(conflict(
                format!("The account is {}.", target.status),
                format!("帳號目前為{}。", status_zh(from)),
                current,
            ));
        }
        if to == AccountStatus::Active {
            self.check_resumes(step.tx(), act, &target).await?;
        }
        let word = status_word(to);
        step.changes_rights();
        step.tell(
            To::Account(name),
            &News {
                kind: "account",
                number: name,
                en: format!("Your account is {word} now: {reason}"),
                zh: format!("您的帳號已{}：{reason}", status_zh(to)),
                due: None,
            },
        )
        .await?;
        if to == AccountStatus::Closed {
            self.leave(&step, &target).await?;
        }
        self.accounts.write_status(step.tx(), target.id, word, reason).await?;
        if to == AccountStatus::Active {
            // It counts as used today, or it would be suspended again at once.
            let row = account::ActiveModel { id: Set(target.id), failures: Set(0), ..Default::default() };
            account::Entity::update(row).exec(step.tx()).await?;
        }
        if to != AccountStatus::Active {
            step.ends_sessions(target.id, "account not active");
        }
        step.finish("account", target.id, json!({ "account": name, "status": word, "reason": reason })).await?;
        self.account_by_id(target.id).await
    }

    /// What an incident or the information office has stopped is started again when the incident is closed, by those who
    /// stopped it.
    async fn check_resumes(&self, db: &impl ConnectionTrait, act: &Act, target: &account::Model) -> Result<(), Fault> {
        check_no_open_incident(db, incident::Column::Account.eq(target.name.as_str())).await?;
        let last = step::Entity::find()
            .filter(step::Column::SubjectKind.eq("account"))
            .filter(step::Column::SubjectId.eq(target.id))
            .filter(step::Column::Operation.eq("suspendAccount"))
            .order_by_desc(step::Column::Id)
            .one(db)
            .await?;
        let central = match last {
            Some(last) => is_central(db, &last.account).await?,
            None => false,
        };
        match central && !has_role(&act.caller, Role::InformationOffice) {
            false => Ok(()),
            true => Err(forbidden(
                "The information office has suspended it and resumes it.",
                "由資訊局停用者，由資訊局恢復。",
                "12",
            )),
        }
    }
}

/// Neither the name nor the person has an account already. A staff number is one person's in their agency's files, however
/// it is written.
async fn check_free(db: &impl ConnectionTrait, name: &str, person: Option<&Person<'_>>) -> Result<(), Fault> {
    let taken = account::Entity::find().filter(account::Column::Name.eq(name)).one(db).await?.is_some();
    if taken || name == super::house::ITSELF {
        return Err(conflict(format!("The name {name} is taken."), format!("帳號名稱 {name} 已被使用。"), name.into()));
    }
    let Some(person) = person else { return Ok(()) };
    let theirs = person.accounts(db).await?;
    match theirs.iter().any(|one| one.status != "closed" && person.has_number_of(one)) {
        false => Ok(()),
        true => Err(conflict(
            "This person has an account already; it must be closed before another is opened.",
            "此人已有帳號；須先關閉，始得另行開立。",
            person.staff_number.into(),
        )),
    }
}

/// Roles as they were named; one that was named twice is held once.
fn each_once(named: &[RoleName]) -> Vec<Role> {
    let mut roles: Vec<Role> = Vec::new();
    for role in named.iter().map(|role| Role::from(*role)) {
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    roles
}

fn check_name(name: &str) -> Result<String, Fault> {
    let name = name.trim().to_lowercase();
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || ".-_".contains(letter);
    match (3..=40).contains(&name.len()) && name.chars().all(plain) {
        true => Ok(name),
        false => Err(wrong(
            "account",
            "expected 3 to 40 letters, digits, dots, hyphens and underscores",
            "應為 3 至 40 個英文字母、數字、點、連字號或底線",
        )),
    }
}

pub(crate) fn status(word: &str) -> AccountStatus {
    match word {
        "active" => AccountStatus::Active,
        "suspended" => AccountStatus::Suspended,
        _ => AccountStatus::Closed,
    }
}

fn status_zh(status: AccountStatus) -> &'static str {
    match status {
        AccountStatus::Active => "啟用",
        AccountStatus::Suspended => "停用",
        AccountStatus::Closed => "關閉",
    }
}

fn status_word(status: AccountStatus) -> &'static str {
    match status {
        AccountStatus::Active => "active",
        AccountStatus::Suspended => "suspended",
        AccountStatus::Closed => "closed",
    }
}
