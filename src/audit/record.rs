//! What one audit record says: who, why, under which right, what was asked, what was touched, what came out.
//! How it is written to disk is left to `encode`.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::shape::Blob;
use super::touched::Touched;

/// One operation, sign-in, import or reading of the log. No value of a dataset stands in it.
#[derive(Debug, Clone)]
pub struct Record {
    /// UUID version 7, made when the operation started; also the request's id for clients.
    pub id: Uuid,
    /// Start, in microseconds since 1970-01-01 UTC.
    pub started_us: i64,
    /// Time from start to the finished answer, in microseconds.
    pub duration_us: u32,
    /// What kind of act this was.
    pub kind: Kind,
    /// Who acted.
    pub who: Who,
    /// For what purpose.
    pub why: Why,
    /// Which state of the rights and of the schema decided.
    pub right: Right,
    /// The operation as it was sent, where there was one.
    pub asked: Option<Asked>,
    /// The rows that the answer was made from, by rectangle of `asked.shape`.
    pub touched: Vec<Touched>,
    /// What came out.
    pub outcome: Outcome,
    /// Remark in the clear: never a value of a dataset, never a case number.
    pub note: Option<String>,
}

/// The kinds of acts that are recorded. The numbers stand in the format and never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A query that was answered, wholly or in part.
    Query,
    /// An operation that was refused before any dataset was read.
    Denied,
    /// A query of the schema alone.
    Introspection,
    /// A person signed in.
    SignIn,
    /// A sign-in that failed.
    SignInFailed,
    /// A session was ended by its owner.
    SignOut,
    /// A session was prolonged.
    Refresh,
    /// A password was changed.
    PasswordChange,
    /// A machine client obtained a token.
    ClientToken,
    /// A session or token was revoked.
    Revocation,
    /// Real files were imported.
    Import,
    /// Synthetic rows were generated.
    Generate,
    /// The log itself was read.
    AuditRead,
    /// A step of the procedure: application, form, group.
    Procedure,
    /// Accounts, agencies or settings were changed.
    Administration,
    /// A report was made or printed.
    Report,
    /// A backup was made, checked or restored.
    Backup,
    /// The server started.
    Start,
    /// The server stopped.
    Stop,
    /// A query through a channel outside of this system, as its imported log tells.
    Outside,
    /// A kind that this version of the program does not know.
    Other(u8),
}

/// Kinds with their number in the format and their name for people and for search.
const KINDS: [(Kind, u8, &str); 20] = [
    (Kind::Query, 1, "query"),
    (Kind::Denied, 2, "denied"),
    (Kind::Introspection, 3, "introspection"),
    (Kind::SignIn, 4, "sign-in"),
    (Kind::SignInFailed, 5, "sign-in-failed"),
    (Kind::SignOut, 6, "sign-out"),
    (Kind::Refresh, 7, "refresh"),
    (Kind::PasswordChange, 8, "password-change"),
    (Kind::ClientToken, 9, "client-token"),
    (Kind::Revocation, 10, "revocation"),
    (Kind::Import, 11, "import"),
    (Kind::Generate, 12, "generate"),
    (Kind::AuditRead, 13, "audit-read"),
    (Kind::Procedure, 14, "procedure"),
    (Kind::Administration, 15, "administration"),
    (Kind::Report, 16, "report"),
    (Kind::Backup, 17, "backup"),
    (Kind::Start, 18, "start"),
    (Kind::Stop, 19, "stop"),
    (Kind::Outside, 20, "outside"),
];

impl Kind {
    /// The number in the format.
    pub fn code(self) -> u8 {
        match self {
            Kind::Other(code) => code,
            known => KINDS.iter().find(|(kind, ..)| *kind == known).map_or(0, |(_, code, _)| *code),
        }
    }

    /// The kind of a number in the format.
    pub fn from_code(code: u8) -> Kind {
        KINDS.iter().find(|(_, known, _)| *known == code).map_or(Kind::Other(code), |(kind, ..)| *kind)
    }

    /// `sign-in-failed`; `other` for what this version does not know.
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, ..)| *kind == self).map_or("other", |(_, _, name)| *name)
    }

    /// The names of all kinds.
    pub fn names() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|(_, _, name)| *name)
    }

    /// The kind of a name.
    pub fn from_name(name: &str) -> Option<Kind> {
        KINDS.iter().find(|(_, _, known)| *known == name).map(|(kind, ..)| *kind)
    }
}

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// Account (`fire.officer`) or machine client.
    pub account: Arc<str>,
    /// Code of the agency that answers for the account.
    pub agency: Arc<str>,
    /// The session, where there is one.
    pub session: Option<Uuid>,
    /// Network address of the client.
    pub client_address: Option<IpAddr>,
}

/// For what purpose.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Why {
    /// Number of the master form in use.
    pub form: Option<Arc<str>>,
    /// Its version; 0 without a form.
    pub form_version: u32,
    /// Number of the sub-form by which it was held. With the version and a coordinate it names one granted item.
    pub sub_form: Option<Arc<str>>,
    /// Purpose as the caller gave it.
    pub purpose: Option<Arc<str>>,
    /// Case number; sealed on disk.
    pub case_number: Option<Arc<str>>,
}

/// Which state of the rights and of the schema decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    /// Epoch of the compiled rights.
    pub epoch: u64,
    /// Hash of the declarations (`Catalog::hash`).
    pub schema_hash: [u8; 32],
}

/// The operation as it was sent.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The document's text without strings and comments, see [`Wording`](super::wording::Wording).
    pub document: Arc<Blob>,
    /// Its strings and comments; sealed on disk.
    pub strings: Arc<[Box<str>]>,
    /// The encoded [`Shape`](super::Shape) of its selections.
    pub shape: Arc<Blob>,
    /// Name of the operation that was run.
    pub operation_name: Option<Arc<str>>,
    /// The variables as JSON text, empty without variables; sealed on disk.
    pub variables: Bytes,
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Error code of the whole operation, `None` when it was answered.
    pub code: Option<Arc<str>>,
    /// Rows loaded.
    pub rows: u32,
    /// Size of the answer's body in bytes.
    pub bytes: u64,
    /// Keyed digest of the body (`AuditLog::digest`): proves later what was answered, reveals nothing.
    pub digest: [u8; 16],
}
