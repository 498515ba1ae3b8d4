//! What a request is refused with: one closed list of codes, and a text in both languages. HTTP status is `http`'s.

use serde_json::{Map, Value, json};

use super::caller::Language;
use super::uses::Use;
use crate::catalog::{Catalog, FieldId};

/// The closed list of error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// No token, or one that does not hold.
    Unauthenticated,
    /// Not granted.
    Forbidden,
    /// Several forms are held and none was named, or the one named is not held.
    FormRequired,
    /// Purpose or case number is missing.
    PurposeRequired,
    /// The password must be changed first.
    PasswordExpired,
    /// What was sent is not what was expected.
    BadUserInput,
    /// There is no such thing, or its existence is not the caller's to know.
    NotFound,
    /// Somebody else was first.
    Conflict,
    /// Above a limit of depth, aliases, fields, cost, rows or keys.
    QueryTooCostly,
    /// Too many requests.
    RateLimited,
    /// The custodian has suspended the dataset.
    DatasetSuspended,
    /// A database does not answer.
    SourceUnavailable,
    /// The record could not be made durable, so nothing is answered.
    AuditUnavailable,
    /// The time limit passed.
    Timeout,
    /// Our fault; the log has the request id.
    Internal,
    /// The document is not GraphQL.
    ParseFailed,
    /// The document does not fit the schema.
    ValidationFailed,
}

impl Code {
    /// All codes.
    pub const ALL: [Code; 17] = [
        Code::Unauthenticated,
        Code::Forbidden,
        Code::FormRequired,
        Code::PurposeRequired,
        Code::PasswordExpired,
        Code::BadUserInput,
        Code::NotFound,
        Code::Conflict,
        Code::QueryTooCostly,
        Code::RateLimited,
        Code::DatasetSuspended,
        Code::SourceUnavailable,
        Code::AuditUnavailable,
        Code::Timeout,
        Code::Internal,
        Code::ParseFailed,
        Code::ValidationFailed,
    ];

    /// What was sent is at fault, whoever sent it: nothing was executed, and the same again fails again.
    pub fn is_request_error(self) -> bool {
        matches!(self, Code::ParseFailed | Code::ValidationFailed | Code::BadUserInput | Code::QueryTooCostly)
    }

    /// As it stands in `extensions.code`.
    pub fn word(self) -> &'static str {
        match self {
            Code::Unauthenticated => "UNAUTHENTICATED",
            Code::Forbidden => "FORBIDDEN",
            Code::FormRequired => "FORM_REQUIRED",
            Code::PurposeRequired => "PURPOSE_REQUIRED",
            Code::PasswordExpired => "PASSWORD_EXPIRED",
            Code::BadUserInput => "BAD_USER_INPUT",
            Code::NotFound => "NOT_FOUND",
            Code::Conflict => "CONFLICT",
            Code::QueryTooCostly => "QUERY_TOO_COSTLY",
            Code::RateLimited => "RATE_LIMITED",
            Code::DatasetSuspended => "DATASET_SUSPENDED",
            Code::SourceUnavailable => "SOURCE_UNAVAILABLE",
            Code::AuditUnavailable => "AUDIT_UNAVAILABLE",
            Code::Timeout => "TIMEOUT",
            Code::Internal => "INTERNAL",
            Code::ParseFailed => "GRAPHQL_PARSE_FAILED",
            Code::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
        }
    }
}

/// Line and column in the document, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// A step of a response path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathStep {
    /// The response key of a field.
    Key(String),
    /// Place in a list, from 0: a number in `errors`, as the specification has it.
    Index(usize),
}

impl From<&String> for PathStep {
    fn from(key: &String) -> PathStep {
        PathStep::Key(key.clone())
    }
}

impl From<&PathStep> for Value {
    fn from(step: &PathStep) -> Value {
        match step {
            PathStep::Key(key) => key.as_str().into(),
            PathStep::Index(index) => (*index).into(),
        }
    }
}

impl std::fmt::Display for PathStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PathStep::Key(key) => f.write_str(key),
            PathStep::Index(index) => write!(f, "{index}"),
        }
    }
}

/// One error as a client gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which of the closed list.
    pub code: Code,
    /// Text in English.
    pub en: String,
    /// Text in Traditional Chinese.
    pub zh: String,
    /// Where in the document.
    pub position: Option<Position>,
    /// Response path of the selection it is about.
    pub path: Vec<PathStep>,
    /// Further extensions: coordinate, dataset, custodian, use, limit.
    pub extensions: Map<String, Value>,
}

impl Refusal {
    /// A refusal with its text in both languages.
    pub fn new(code: Code, en: impl Into<String>, zh: impl Into<String>) -> Refusal {
        Refusal { code, en: en.into(), zh: zh.into(), position: None, path: Vec::new(), extensions: Map::new() }
    }

    /// Something sent is not what was expected.
    pub fn input(en: impl Into<String>, zh: impl Into<String>) -> Refusal {
        Refusal::new(Code::BadUserInput, en, zh)
    }

    /// A use of a field that is not granted, with all that one needs to apply for it.
    pub fn denied(catalog: &Catalog, field: FieldId, asked: Use) -> Refusal {
        let field = catalog.field(field);
        let dataset = catalog.dataset(field.dataset);
        let en = format!("Not granted: {} of {}. Apply to {}.", asked.word(), field.coordinate, dataset.custodian);
        let zh = format!("未核准{}「{}」。請向{}申請。", asked.word_zh(), field.coordinate, dataset.custodian_title);
        Refusal::new(Code::Forbidden, en, zh)
            .with("coordinate", field.coordinate.as_str())
            .with("use", asked.word())
            .with("dataset", dataset.code.as_str())
            .with("custodian", dataset.custodian.as_str())
            .with("clause", "7")
    }

    /// The same with one more extension.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Refusal {
        self.extensions.insert(key.to_string(), value.into());
        self
    }

    /// The same, said of a place in the document, where one is known.
    #[must_use]
    pub fn at(mut self, position: impl Into<Option<Position>>) -> Refusal {
        self.position = position.into().or(self.position);
        self
    }

    /// The same, said of a selection.
    #[must_use]
    pub fn on(mut self, path: impl IntoIterator<Item: Into<PathStep>>) -> Refusal {
        self.path = path.into_iter().map(Into::into).collect();
        self
    }

    /// As it stands in `errors`.
    pub fn to_json(&self, language: Language) -> Value {
        let mut error = Map::new();
        error.insert("message".into(), language.pick(&self.en, &self.zh).into());
        if let Some(position) = self.position {
            error.insert("locations".into(), json!([{ "line": position.line, "column": position.column }]));
        }
        if !self.path.is_empty() {
            error.insert("path".into(), self.path.iter().map(Value::from).collect());
        }
        let mut extensions = Map::new();
        extensions.insert("code".into(), self.code.word().into());
        extensions.extend(self.extensions.clone());
        error.insert("extensions".into(), extensions.into());
        error.into()
    }
}
