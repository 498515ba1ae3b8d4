//! Who asks, why and when: the one value that everything below `http` takes first.

use std::net::IpAddr;
use std::sync::Arc;

use time::OffsetDateTime;
use uuid::Uuid;

use super::refusal::Refusal;
use super::rights::FormRights;
use super::role::Role;

/// Language of error texts, by Accept-Language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Traditional Chinese (正體中文).
    ZhHant,
}

impl Language {
    /// Picks between two texts.
    pub fn pick<'a>(self, en: &'a str, zh: &'a str) -> &'a str {
        match self {
            Language::En => en,
            Language::ZhHant => zh,
        }
    }
}

/// A signed-in person or machine client, with the form and purpose of this request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Number of the account in the control database.
    pub account_id: i64,
    /// `fire.officer`
    pub account: Arc<str>,
    /// Code of the using agency.
    pub agency: Arc<str>,
    /// Roles in the procedure.
    pub roles: Arc<[Role]>,
    /// The session of the token.
    pub session: Uuid,
    /// When the token ends; what is watched ends with it.
    pub token_ends: OffsetDateTime,
    /// The form (主表單、次表單) in use; none for those who hold none.
    pub form: Option<Arc<FormRights>>,
    /// Why no form is in use though some are held, or no purpose: datasets are not answered then.
    pub without_form: Option<Box<Refusal>>,
    /// Purpose of this request, from `X-Purpose` or the form's only one.
    pub purpose: Option<Arc<str>>,
    /// `X-Case-Number`
    pub case_number: Option<Arc<str>>,
    /// `Idempotency-Key`
    pub idempotency_key: Option<Arc<str>>,
    /// Where the request came from.
    pub client_address: Option<IpAddr>,
    /// `X-Request-Id` or a new one.
    pub request_id: Uuid,
    /// Language of error texts.
    pub language: Language,
    /// When the request arrived.
    pub now: OffsetDateTime,
}
