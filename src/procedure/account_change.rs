//! What changes about an account while it is open: its holder's function, where notices go, who the holder is, a password
//! given anew. Roles and status are left to `account`.

use async_graphql::InputObject;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::json;

use super::account::{Account, OpenedAccount};
use super::agency::check_title;
use super::fault::{conflict, forbidden, wrong};
use super::inspection_report::tell_ethics;
use super::step::{Begun, News, To};
use super::{Act, Fault, Procedure, has_role};
use crate::access::Role;
use crate::accounts::entity::account;
use crate::catalog::scalar::Scalar;

/// 帳號異動: what is to be changed; what is left out stays.
#[derive(Debug, Clone, InputObject)]
pub struct AccountChange {
    /// 職稱: function, not the person's name.
    pub title: Option<String>,
    /// 電子郵件: where notices are sent; empty for nowhere.
    pub email: Option<String>,
    /// 統一編號: the holder's national id, kept as a keyed digest. By it inspections tell who reads their own record or a
    /// colleague's. Said once; the information office corrects it, or forgets it where it is empty.
    pub national_id: Option<String>,
}

impl Procedure {
    /// Changes an account that the caller administers.
    pub async fn change_account(&self, act: &Act, name: &str, change: &AccountChange) -> Result<Account, Fault> {
        let title = change.title.as_deref().map(|title| check_title("title", title)).transpose()?;
        let email = change.email.as_deref().map(check_email).transpose()?;
        let holder = match &change.national_id {
            Some(text) => Some(self.holder_of(text)?),
            None => None,
        };
        let step = match self.begin(act, "changeAccount").await? {
            Begun::Before(id) => return self.account_by_id(id).await,
            Begun::New(step) => step,
        };
        let (target, agency, _) = self.administered(step.tx(), act, name).await?;
        if target.status == "closed" {
            let current = json!({ "account": name, "status": target.status });
            return Err(conflict("The account is closed.", "帳號已關閉。", current));
        }
        if target.kind == "client" && holder.is_some() {
            return Err(forbidden("A machine has no national id.", "機器用戶端無統一編號。", "3"));
        }
        let corrected = holder.as_ref().is_some_and(|holder| target.holder.is_some() && *holder != target.holder);
        // Else inspections would tell whoever tries one number after another whose records were read.
        if corrected && !has_role(&act.caller, Role::InformationOffice) {
            let (en, zh) = (
                "Whose account it is is said once; the information office corrects it.",
                "帳號持有人之統一編號以登記一次為限，更正由資訊局辦理。",
            );
            return Err(forbidden(en, zh, "8"));
        }
        if let Some(Some(holder)) = &holder {
            check_one_account(step.tx(), holder, Some(target.id)).await?;
        }
        let changed: Vec<&str> = [
            title.map(|_| "title"),
            email.as_ref().map(|_| "email"),
            holder.as_ref().map(|_| "holder"), // not whose
        ]
        .into_iter()
        .flatten()
        .collect();
        if changed.is_empty() {
            return Err(wrong("change", "expected at least one thing to change", "至少須有一項異動"));
        }
        let mut row = account::ActiveModel { id: Set(target.id), ..Default::default() };
        if let Some(title) = title {
            row.title = Set(title.to_owned());
        }
        if let Some(email) = email {
            row.email = Set(email);
        }
        if let Some(holder) = holder.filter(|holder| *holder != target.holder) {
            row.holder_since = Set(holder.as_ref().map(|_| self.now()));
            row.holder = Set(holder);
        }
        account::Entity::update(row).exec(step.tx()).await?;
        if corrected {
            let news = News {
                kind: "account",
                number: name,
                en: format!("{} has corrected who holds the account {name}.", act.caller.account),
                zh: format!("{} 已更正帳號 {name} 之持有人登記。", act.caller.account),
                due: None,
            };
            step.tell(To::Account(name), &news).await?;
            tell_ethics(&step, &agency, &news).await?;
        }
        step.finish("account", target.id, json!({ "account": name, "changed": changed })).await?;
        self.account_by_id(target.id).await
    }

    /// The digest of a national id; none of an empty one.
    pub(super) fn holder_of(&self, national_id: &str) -> Result<Option<String>, Fault> {
        let text = national_id.trim().to_uppercase();
        if text.is_empty() {
            return Ok(None);
        }
        match Scalar::NationalId.parse_text(&text) {
            Ok(id) => Ok(Some(self.accounts.holder_key().digest(&id))),
            Err(expected) => {
                let (en, zh) = (format!("expected {}", expected.en), format!("應為{}", expected.zh));
                Err(wrong("nationalId", en, zh))
            }
        }
    }

    /// Gives a person a new first password; the old one no longer opens anything.
    pub async fn reset_password(&self, act: &Act, name: &str) -> Result<OpenedAccount, Fault> {
        let first_password = self.accounts.first_password();
        let hash = self.accounts.hash(&first_password).await?;
        let mut step = match self.begin(act, "resetPassword").await? {
            Begun::Before(id) => {
                return Ok(OpenedAccount { account: self.account_by_id(id).await?, first_password: None });
            }
            Begun::New(step) => step,
        };
        let (target, agency, _) = self.administered(step.tx(), act, name).await?;
        if target.kind == "client" || target.status == "closed" {
            return Err(forbidden(
                "Only people with open accounts have passwords.",
                "僅未關閉之個人帳號有密碼。",
                "11",
            ));
        }
        let row = account::ActiveModel {
            id: Set(target.id),
            password_hash: Set(Some(hash)),
            password_set_at: Set(Some(self.now())),
            password_one_time: Set(true),
            failures: Set(0),
            locked_until: Set(None),
            ..Default::default()
        };
        account::Entity::update(row).exec(step.tx()).await?;
        step.changes_rights();
        // Whoever gives it could use it: it is told to the holder, and to others who look after the holder's name.
        let by = &act.caller.account;
        let mut news = News {
            kind: "account",
            number: name,
            en: format!("{by} has given you a new first password. If you did not ask for it, report it."),
            zh: format!("{by} 已重設您的密碼；如非您所申請，請通報。"),
            due: None,
        };
        step.tell(To::Account(name), &news).await?;
        news.en = format!("{by} has given {name} a new first password.");
        news.zh = format!("{by} 已重設 {name} 之密碼。");
        tell_ethics(&step, &agency, &news).await?;
        step.tell(To::Role(Role::AgencyHead, &agency), &news).await?;
        step.ends_sessions(target.id, "password reset");
        step.finish("account", target.id, json!({ "account": name, "password": "reset" })).await?;
        Ok(OpenedAccount { account: self.account_by_id(target.id).await?, first_password: Some(first_password) })
    }
}

/// A person has one account that is not closed.
pub(super) async fn check_one_account(
    db: &impl ConnectionTrait,
    holder: &str,
    besides: Option<i64>,
) -> Result<(), Fault> {
    let theirs = account::Entity::find()
        .filter(account::Column::Holder.eq(holder))
        .filter(account::Column::Status.ne("closed"))
        .filter(account::Column::Id.ne(besides.unwrap_or(0)));
    match theirs.one(db).await? {
        None => Ok(()),
        Some(_) => Err(conflict(
            "This person has an account already; it must be closed before another is opened.",
            "此人已有帳號；須先關閉，始得另行開立。",
            json!({ "argument": "nationalId" }),
        )),
    }
}

/// An address that mail can be sent to; none of an empty one.
pub(super) fn check_email(text: &str) -> Result<Option<String>, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<lettre::Address>() {
        Ok(address) if text.len() <= 254 => Ok(Some(address.to_string())),
        _ => Err(wrong(
            "email",
            "expected an address such as name@agency.gov.tw",
            "應為電子郵件地址，例如 name@agency.gov.tw",
        )),
    }
}
