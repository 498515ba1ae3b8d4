//! Accounts that nobody uses: suspended after a while, closed after twice that (clause 11; the baseline of information
//! security asks that idle accounts are disabled). People's accounts only: machines are their agency's to look after.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::agency::{agency_code, agency_title};
use super::appointment::roles_of;
use super::entity::incident;
use super::step::{News, To, recipients};
use super::{Fault, Procedure};
use crate::access::Role;
use crate::accounts::entity::{account, account_role};

/// What becomes of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Suspended,
    Closed,
}

impl Fate {
    fn operation(self) -> &'static str {
        match self {
            Fate::Suspended => "suspendAccount",
            Fate::Closed => "closeAccount",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Fate::Suspended => "suspended",
            Fate::Closed => "closed",
        }
    }

    fn word_zh(self) -> &'static str {
        match self {
            Fate::Suspended => "停用",
            Fate::Closed => "關閉",
        }
    }
}

impl Procedure {
    /// Suspends and closes accounts that were not used for the days that the settings say.
    pub(crate) async fn retire_idle_accounts(&self) -> Result<(), Fault> {
        let people = account::Entity::find()
            .filter(account::Column::Kind.eq("person"))
            .filter(account::Column::Status.ne("closed"));
        let mut idle: Vec<account::Model> = people.all(self.db()).await?;
        idle.retain(|account| self.fate(account).is_some());
        // Of those of whom the last has to stay, the one used last does.
        idle.sort_by_key(|account| (used_at(account), account.id));
        let mut all = Ok(());
        for account in idle {
            // One that fails keeps no other from its turn.
            all = all.and(self.retire(account.id).await);
        }
        all
    }

    /// What is due for an account by now.
    fn fate(&self, account: &account::Model) -> Option<Fate> {
        let (now, settings) = (self.now(), self.accounts.settings());
        let days = |days: u32| Duration::days(i64::from(days));
        let (suspend, close) = (days(settings.idle_suspend_days), days(settings.idle_close_days));
        let unused = now - used_at(account);
        let suspends = !suspend.is_zero();
        match account.status.as_str() {
            "active" if suspends => (unused >= suspend).then_some(Fate::Suspended),
            _ if close.is_zero() || unused < close => None,
            "active" => Some(Fate::Closed),
            // Whatever it was suspended for: nobody loses an account without notice, as after a resumption that was
            // not made use of, or where the program did not run for months.
            "suspended" => {
                let notice = if suspends { close - suspend } else { Duration::ZERO };
                account.status_at.is_none_or(|since| since + notice <= now).then_some(Fate::Closed)
            }
            _ => None,
        }
    }

    async fn retire(&self, id: i64) -> Result<(), Fault> {
        let act = self.act_itself();
        // Looked at again where it holds: its owner may have signed in, or another server was faster.
        let Some(looked_at) = account::Entity::find_by_id(id).one(self.db()).await? else { return Ok(()) };
        let Some(fate) = self.fate(&looked_at) else { return Ok(()) };
        let mut step = self.begin_by_itself(&act, fate.operation()).await?;
        let Some(account) = account::Entity::find_by_id(id).one(step.tx()).await? else { return Ok(()) };
        if self.fate(&account) != Some(fate) {
            return Ok(());
        }
        // What an incident is about stays as it is until the incident is closed.
        let incidents = incident::Entity::find().filter(incident::Column::Account.eq(account.name.as_str()));
        if incidents.filter(incident::Column::Status.ne("closed")).one(step.tx()).await?.is_some() {
            return Ok(());
        }
        let roles = roles_of(step.tx(), id).await?;
        if account.status == "active"
            && roles.contains(&Role::InformationOffice)
            && !others_run_it(step.tx(), id).await?
        {
            tracing::warn!(account = id, "unused for long, but the information office's last account stays");
            return Ok(());
        }
        let agency = agency_code(step.tx(), account.agency_id).await?;
        let title = agency_title(step.tx(), &agency).await?;
        let days = (self.now() - used_at(&account)).whole_days();
        let (name, word, word_zh) = (account.name.as_str(), fate.word(), fate.word_zh());
        self.record_itself(&act, format!("begins: {name} of {agency} is {word}, unused for {days} days")).await?;
        let news = |en: &str, zh: &str| News {
            kind: "account",
            number: name,
            en: format!("{en} is {word} now: it was not used for {days} days."),
            zh: format!("{zh}已{word_zh}：已 {days} 日未使用。"),
            due: None,
        };
        step.tell_one(id, &news("Your account", "您的帳號")).await?;
        if fate == Fate::Closed {
            self.leave(&step, &account).await?;
        }
        self.accounts.write_status(step.tx(), id, word, &format!("unused for {days} days, 閒置 {days} 日")).await?;
        // An agency without somebody to look after its accounts has them from the information office.
        let (one, zh) = (format!("The account {name} of {agency}"), format!("帳號 {name}（{title}）"));
        let administrators = To::Role(Role::BusinessAdministrator, &agency);
        let nobody = recipients(step.tx(), administrators).await?.is_empty();
        let to = if nobody { To::Everywhere(Role::InformationOffice) } else { administrators };
        step.tell(to, &news(&one, &zh)).await?;
        step.changes_rights();
        let detail = json!({ "account": name, "status": word, "unusedDays": days });
        step.ends_sessions(id, "account unused");
        step.finish("account", id, detail).await
    }
}

/// When an account was last used: the last sign-in, its opening, or its resumption, whichever came last.
fn used_at(account: &account::Model) -> OffsetDateTime {
    let resumed = account.status_at.filter(|_| account.status == "active");
    let times = [account.last_sign_in_at, resumed].into_iter().flatten();
    times.fold(account.created_at, OffsetDateTime::max)
}

/// Whether somebody else's active account has the information office's role: without one nobody could let anybody in.
pub(crate) async fn others_run_it(db: &impl ConnectionTrait, id: i64) -> Result<bool, Fault> {
    let with_role = account_role::Entity::find()
        .filter(account_role::Column::Role.eq(Role::InformationOffice.word()))
        .filter(account_role::Column::AccountId.ne(id))
        .all(db)
        .await?;
    let others = account::Entity::find()
        .filter(account::Column::Status.eq("active"))
        .filter(account::Column::Id.is_in(with_role.iter().map(|row| row.account_id)));
    Ok(others.count(db).await? > 0)
}
