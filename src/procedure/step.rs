//! How a step is taken: one at a time over all servers, whole or not at all, once for each idempotency key, written down
//! with its audit record, told to those concerned, and effective everywhere within a second.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, TransactionTrait,
};
use serde_json::Value;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::appointment::roles_of;
use super::entity::{notice, repeatable_step, step};
use super::fault::conflict;
use super::{Fault, Procedure, rules};
use crate::access::{Caller, Code, Refusal, Role};
use crate::accounts::entity::{account, account_role, agency};
use crate::accounts::epoch::{self, Epoch};

/// Who acts, in which request.
#[derive(Debug, Clone)]
pub struct Act {
    /// The caller.
    pub caller: Caller,
    /// Digest of document, variables and operation name in hexadecimal: tells the same request from another one.
    pub digest: String,
    /// The audit record of this request.
    pub record: Uuid,
}

/// A step that has begun. Dropped before its end, it has not happened.
pub struct Step<'a> {
    procedure: &'a Procedure,
    /// Who acts.
    pub act: &'a Act,
    operation: &'static str,
    tx: DatabaseTransaction,
    changes_rights: bool,
    /// Whose sessions end with it, and why.
    ends_sessions: Option<(i64, &'static str)>,
}

/// Either a step to take, or what came out of it before.
pub enum Begun<'a> {
    /// It has not been taken.
    New(Box<Step<'a>>),
    /// It was taken with this idempotency key; the row of what came out.
    Before(i64),
}

/// Who is told.
#[derive(Debug, Clone, Copy)]
pub enum To<'a> {
    /// One account by its name.
    Account(&'a str),
    /// Everybody with that role in an agency.
    Role(Role, &'a str),
    /// Everybody with that role anywhere.
    Everywhere(Role),
}

/// What they are told.
#[derive(Debug, Clone)]
pub struct News<'a> {
    /// `application`, …
    pub kind: &'static str,
    /// Number as people know it.
    pub number: &'a str,
    /// In English.
    pub en: String,
    /// In Traditional Chinese.
    pub zh: String,
    /// Day by which something is to be done.
    pub due: Option<Date>,
}

impl Procedure {
    /// Begins a step. Steps of all servers happen one after another, so that what is read in one holds until its end.
    pub async fn begin<'a>(&'a self, act: &'a Act, operation: &'static str) -> Result<Begun<'a>, Fault> {
        let tx = self.db().begin().await?;
        epoch::raise(&tx, Epoch::Procedure).await?;
        if let Some(key) = &act.caller.idempotency_key {
            let known = repeatable_step::Entity::find()
                .filter(repeatable_step::Column::AccountId.eq(act.caller.account_id))
                .filter(repeatable_step::Column::IdempotencyKey.eq(&**key))
                .one(&tx)
                .await?;
            if let Some(known) = known {
                tx.rollback().await?;
                return match known.operation == operation && known.request_digest == act.digest {
                    true => Ok(Begun::Before(known.subject_id)),
                    false => Err(conflict(
                        "This idempotency key was used for another request. Use a new key for a new step.",
                        "此冪等鍵已用於另一個要求，新的步驟請使用新的鍵。",
                        Value::from(known.operation),
                    )),
                };
            }
        }
        // The snapshot that let the caller in may be a moment old: the rule is asked again of what is stored.
        let actor = account::Entity::find_by_id(act.caller.account_id).one(&tx).await?;
        if actor.is_none_or(|actor| actor.status != "active") {
            let refusal = Refusal::new(Code::Unauthenticated, "The account is not active.", "帳號未啟用。");
            return Err(refusal.into());
        }
        let roles = roles_of(&tx, act.caller.account_id).await?;
        rules::decide(&roles, operation)?;
        Ok(Begun::New(Box::new(Step {
            procedure: self,
            act,
            operation,
            tx,
            changes_rights: false,
            ends_sessions: None,
        })))
    }

    /// Begins a step that nobody takes but time: serialised like the others, so that one server takes it.
    pub(crate) async fn begin_by_itself<'a>(
        &'a self,
        act: &'a Act,
        operation: &'static str,
    ) -> Result<Step<'a>, Fault> {
        let tx = self.db().begin().await?;
        epoch::raise(&tx, Epoch::Procedure).await?;
        Ok(Step { procedure: self, act, operation, tx, changes_rights: false, ends_sessions: None })
    }

    /// Today, in Taipei.
    pub(crate) fn today(&self) -> Date {
        self.accounts.clock().today()
    }

    /// Now, in whole seconds.
    pub(crate) fn now(&self) -> OffsetDateTime {
        self.accounts.now()
    }
}

impl Step<'_> {
    /// The transaction of the step: everything in it is read and written here.
    pub fn tx(&self) -> &DatabaseTransaction {
        &self.tx
    }

    /// Says that rights change: every server compiles them anew.
    pub fn changes_rights(&mut self) {
        self.changes_rights = true;
    }

    /// Says that it ends every session of an account.
    pub fn ends_sessions(&mut self, account_id: i64, why: &'static str) {
        self.ends_sessions = Some((account_id, why));
    }

    /// Tells those concerned.
    pub async fn tell(&self, to: To<'_>, news: &News<'_>) -> Result<(), Fault> {
        for account_id in recipients(&self.tx, to).await? {
            self.tell_one(account_id, news).await?;
        }
        Ok(())
    }

    /// Tells one account, active or not.
    pub(crate) async fn tell_one(&self, account_id: i64, news: &News<'_>) -> Result<(), Fault> {
        let row = notice::ActiveModel {
            account_id: Set(account_id),
            at: Set(self.procedure.now()),
            subject_kind: Set(news.kind.to_owned()),
            subject_number: Set(news.number.to_owned()),
            text_en: Set(news.en.clone()),
            text_zh: Set(news.zh.clone()),
            due_on: Set(news.due),
            read_at: Set(None),
            mailed_at: Set(None),
            mail_claimed_at: Set(None),
            ..Default::default()
        };
        notice::Entity::insert(row).exec_without_returning(&self.tx).await?;
        Ok(())
    }

    /// Ends the step: writes it down, and makes it happen on every server.
    pub async fn finish(self, kind: &str, subject_id: i64, detail: Value) -> Result<(), Fault> {
        let Step { procedure, act, operation, tx, changes_rights, ends_sessions } = self;
        let now = procedure.now();
        let row = step::ActiveModel {
            at: Set(now),
            record_id: Set(act.record.to_string()),
            account: Set(act.caller.account.to_string()),
            agency: Set(act.caller.agency.to_string()),
            operation: Set(operation.to_owned()),
            subject_kind: Set(kind.to_owned()),
            subject_id: Set(subject_id),
            detail: Set(detail.to_string()),
            ..Default::default()
        };
        step::Entity::insert(row).exec_without_returning(&tx).await?;
        if let Some(key) = &act.caller.idempotency_key {
            let row = repeatable_step::ActiveModel {
                account_id: Set(act.caller.account_id),
                idempotency_key: Set(key.to_string()),
                operation: Set(operation.to_owned()),
                request_digest: Set(act.digest.clone()),
                subject_id: Set(subject_id),
                at: Set(now),
                ..Default::default()
            };
            repeatable_step::Entity::insert(row).exec_without_returning(&tx).await?;
        }
        if changes_rights {
            epoch::raise(&tx, Epoch::Rights).await?;
        }
        let ended = match ends_sessions {
            Some((account_id, why)) => procedure.accounts.end_sessions(&tx, account_id, why).await?,
            None => Vec::new(),
        };
        tx.commit().await?;
        procedure.accounts.forget(&ended);
        if changes_rights {
            procedure.accounts.rights().reload(procedure.db()).await?;
        }
        procedure.accounts.stepped();
        Ok(())
    }
}

/// The active accounts that are meant.
pub(crate) async fn recipients(db: &impl ConnectionTrait, to: To<'_>) -> Result<Vec<i64>, Fault> {
    let active = account::Entity::find().filter(account::Column::Status.eq("active"));
    let (role, of) = match to {
        // One who is suspended or resumed by this very step is told of it.
        To::Account(name) => {
            let one = account::Entity::find().filter(account::Column::Name.eq(name)).one(db).await?;
            return Ok(one.into_iter().map(|account| account.id).collect());
        }
        To::Role(role, of) => (role, Some(of)),
        To::Everywhere(role) => (role, None),
    };
    let with_role = account_role::Entity::find().filter(account_role::Column::Role.eq(role.word())).all(db).await?;
    let mut found = active.filter(account::Column::Id.is_in(with_role.iter().map(|row| row.account_id)));
    if let Some(of) = of {
        let Some(agency) = agency::Entity::find().filter(agency::Column::Code.eq(of)).one(db).await? else {
            return Ok(Vec::new());
        };
        found = found.filter(account::Column::AgencyId.eq(agency.id));
    }
    Ok(found.all(db).await?.into_iter().map(|account| account.id).collect())
}
