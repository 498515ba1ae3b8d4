//! What goes out, and what has to be recorded first: the answer's body is written here, its record is `http`'s to commit.

use serde_json::{Map, Value, json};

use super::Validated;
use crate::access::{Language, Refusal};
use crate::audit::touched::Touched;
use crate::audit::{Asked, Kind};
use crate::query::plan::{Plan, RootOutKind};
use crate::query::run::Answer;
use crate::query::unreadable;

/// Errors told at once; the first ones say what the others would.
const ERRORS: usize = 50;

/// What goes out, and what has to be recorded first.
#[derive(Debug)]
pub struct Reply {
    /// The whole body but for `extensions.audit`, which comes with the record: see [`Reply::body`].
    pub data: Option<Vec<u8>>,
    /// Errors in the order of the document.
    pub errors: Vec<Refusal>,
    /// Estimated cost; none where nothing of the datasets was asked.
    pub cost: Option<u64>,
    /// Kind of the record.
    pub kind: Kind,
    /// What was asked, if it came to that.
    pub asked: Option<Asked>,
    /// What was touched.
    pub touched: Vec<Touched>,
    /// Objects in the answer.
    pub objects: u32,
    /// What was asked and is not granted, by custodian: `extensions.missing`.
    pub missing: Option<Value>,
}

impl Reply {
    pub(super) fn refused(mut errors: Vec<Refusal>, asked: Option<Asked>) -> Reply {
        errors.truncate(ERRORS);
        Reply {
            data: None,
            errors,
            cost: None,
            kind: Kind::Denied,
            asked,
            touched: Vec::new(),
            objects: 0,
            missing: None,
        }
    }

    pub(super) fn answered(answer: Answer, plan: &Plan, asked: Asked, validated: &Validated) -> Reply {
        let data = plan.roots.iter().any(|root| !matches!(root.kind, RootOutKind::Other | RootOutKind::Typename));
        Reply {
            data: Some(answer.written.data),
            errors: [plan.denied.clone(), unreadable::errors(&plan.shape.bytes, &answer.written.touched)].concat(),
            cost: data.then_some(answer.cost),
            kind: match (validated.has_data, validated.has_procedure) {
                (true, _) => Kind::Query,
                (false, true) => Kind::Procedure,
                (false, false) => Kind::Introspection,
            },
            asked: Some(asked),
            touched: answer.written.touched,
            objects: answer.written.objects,
            missing: None,
        }
    }

    /// A step of the procedure was taken; nothing of the datasets was touched.
    pub(super) fn stepped(answer: &Map<String, Value>, asked: Asked) -> Reply {
        let data = serde_json::to_vec(answer).unwrap_or_default(); // JSON always becomes JSON
        Reply {
            data: Some(data),
            errors: Vec::new(),
            cost: None,
            kind: Kind::Procedure,
            asked: Some(asked),
            touched: Vec::new(),
            objects: 0,
            missing: None,
        }
    }

    /// The code that the record keeps: of the refusal, or none when data goes out.
    pub fn code(&self) -> Option<&'static str> {
        if self.data.is_some() { None } else { self.errors.first().map(|error| error.code.word()) }
    }

    /// The body, with the record's id if there is a record.
    pub fn body(&self, language: Language, record: Option<uuid::Uuid>) -> Vec<u8> {
        let length = self.data.as_ref().map_or(0, Vec::len);
        let mut body = Vec::with_capacity(length + 256);
        body.push(b'{');
        if let Some(data) = &self.data {
            body.extend_from_slice(b"\"data\":");
            body.extend_from_slice(data);
        } else if self.errors.iter().any(|error| !error.path.is_empty()) {
            // A field failed while it was worked on, and no root of the procedure may be null: the whole is, says the
            // specification. Without the entry it would be a request that never ran.
            body.extend_from_slice(b"\"data\":null");
        }
        if !self.errors.is_empty() {
            let errors: Vec<Value> = self.errors.iter().map(|error| error.to_json(language)).collect();
            body.extend_from_slice(if body.len() > 1 { b",\"errors\":" } else { b"\"errors\":" });
            // Plain JSON values into memory cannot fail.
            let _ = serde_json::to_writer(&mut body, &errors);
        }
        let mut extensions = Map::new();
        if let Some(id) = record {
            extensions.insert("audit".into(), id.to_string().into());
        }
        if let Some(estimated) = self.cost {
            // The rows that stand in the answer; those that were loaded to find them are not the caller's to know.
            extensions.insert("cost".into(), json!({ "estimated": estimated, "rows": self.objects }));
        }
        if let Some(missing) = &self.missing {
            extensions.insert("missing".into(), missing.clone());
        }
        if !extensions.is_empty() {
            body.extend_from_slice(b",\"extensions\":");
            let _ = serde_json::to_writer(&mut body, &extensions);
        }
        body.push(b'}');
        body
    }
}
