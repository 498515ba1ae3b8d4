//! What can go wrong in the procedure: refusals, which are the caller's affair, and failures, which are ours.

use sea_orm::DbErr;
use serde_json::Value;

use crate::access::{Code, Refusal};
use crate::accounts::AccountsError;

/// A refusal or a failure.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The caller's affair.
    #[error("{}", .0.en)]
    Refused(Box<Refusal>),
    /// Ours: the log has it, the caller learns nothing of it.
    #[error("{0}")]
    Failed(#[from] AccountsError),
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Fault::Refused(Box::new(refusal))
    }
}

impl From<DbErr> for Fault {
    fn from(error: DbErr) -> Self {
        Fault::Failed(error.into())
    }
}

/// There is none, or none that the caller may know of.
pub fn not_found(what_en: &str, what_zh: &str, which: &str) -> Fault {
    Refusal::new(Code::NotFound, format!("There is no {what_en} \"{which}\"."), format!("查無{what_zh}「{which}」。"))
        .into()
}

/// Somebody else was faster, or the thing is no longer in that state: the caller gets what is there now.
pub fn conflict(en: impl Into<String>, zh: impl Into<String>, current: Value) -> Fault {
    Refusal::new(Code::Conflict, en, zh).with("current", current).into()
}

/// The procedure does not let this caller do this, with the clause that says so.
pub fn forbidden(en: impl Into<String>, zh: impl Into<String>, clause: &str) -> Fault {
    Refusal::new(Code::Forbidden, en, zh).with("clause", clause).into()
}

/// Something that was sent is not what was expected.
pub fn wrong(field: &str, en: impl Into<String>, zh: impl Into<String>) -> Fault {
    Refusal::input(format!("{field}: {}", en.into()), format!("{field}：{}", zh.into())).with("argument", field).into()
}
