//! What can go wrong with accounts: refusals, which are the caller's affair, and failures, which are ours.

use std::sync::Arc;

use sea_orm::{DbErr, RuntimeErr, sqlx};
use uuid::Uuid;

use super::keys::KeyError;
use super::password::{HashError, Weakness};
use crate::access::Refusal;
use crate::store::postgres_address::is_away;

/// Why an account's wish was refused. The log says it; the client is told as little as the case allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// There is no such account or client.
    UnknownAccount,
    /// Wrong password or secret.
    WrongPassword,
    /// Locked after too many failures.
    Locked,
    /// Suspended or closed.
    NotActive,
    /// The password is older than allowed.
    PasswordExpired,
    /// The first password must be changed.
    PasswordOneTime,
    /// The new password is not good enough.
    Weak(Weakness),
    /// The refresh token is unknown, expired, or its session has ended.
    SessionEnded,
    /// A refresh token came a second time: its session has been ended.
    TokenReused,
    /// The account does not hold that form.
    FormNotHeld,
    /// Too many are waiting.
    Busy,
}

impl Reason {
    /// Words for the log.
    pub fn note(self) -> &'static str {
        match self {
            Reason::UnknownAccount => "unknown account",
            Reason::WrongPassword => "wrong password",
            Reason::Locked => "locked",
            Reason::NotActive => "account not active",
            Reason::PasswordExpired => "password expired",
            Reason::PasswordOneTime => "first password not changed",
            Reason::Weak(_) => "new password too weak",
            Reason::SessionEnded => "session ended",
            Reason::TokenReused => "refresh token used twice, session ended",
            Reason::FormNotHeld => "form not held",
            Reason::Busy => "too many waiting",
        }
    }
}

/// Who acted, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Account; a dash when there is none of that name (what was typed may be a password in the wrong field).
    pub account: Arc<str>,
    /// Code of its agency.
    pub agency: Arc<str>,
    /// The session, if there is one.
    pub session: Option<Uuid>,
}

impl Actor {
    /// Somebody we do not know.
    pub fn unknown() -> Self {
        Self { account: "-".into(), agency: "-".into(), session: None }
    }
}

/// A refusal with who it met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: Reason,
    /// Whom.
    pub actor: Actor,
}

/// A refusal or a failure.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The caller's affair.
    #[error("{}", .0.reason.note())]
    Refused(Refused),
    /// What was about to be done could not be recorded, and was not done.
    #[error("not recorded, not done: {}", .0.en)]
    Unrecorded(Box<Refusal>),
    /// The control database.
    #[error("the control database: {0}")]
    Database(#[from] DbErr),
    /// The signing keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Hashing.
    #[error(transparent)]
    Hash(HashError),
    /// Signing.
    #[error("signing: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
    /// A declaration of accounts or forms that does not fit.
    #[error("{0}")]
    Declaration(String),
}

impl AccountsError {
    /// Whether the control database does not answer, which may pass; not that it refused a statement.
    pub fn is_away(&self) -> bool {
        let AccountsError::Database(error) = self else { return false };
        match error {
            DbErr::Conn(_) | DbErr::ConnectionAcquire(_) => true,
            DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => match &**error {
                sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => true,
                sqlx::Error::Database(error) => error.code().is_some_and(|code| is_away(&code)),
                _ => false,
            },
            _ => false,
        }
    }
}

impl From<HashError> for AccountsError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Refused { reason: Reason::Busy, actor: Actor::unknown() }.into(),
            other => Self::Hash(other),
        }
    }
}

impl From<Refused> for AccountsError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Refusal> for AccountsError {
    /// Of a record that could not be made; refusals of the accounts themselves are [`Refused`].
    fn from(refusal: Refusal) -> Self {
        Self::Unrecorded(Box::new(refusal))
    }
}
