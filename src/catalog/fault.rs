//! A fault in a declaration: where it stands and what is wrong, in English and Chinese. Finding faults
//! is left to `read` and its stages.

use std::fmt;
use std::sync::Arc;

use async_graphql_parser::Pos;

/// Where something is declared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Name of the file as it was given.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Place {
    pub(super) fn new(file: &Arc<str>, pos: Pos) -> Place {
        Place { file: file.clone(), line: pos.line, column: pos.column }
    }
}

/// One fault of the declarations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Name of the file as it was given.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong, in English.
    pub message_en: String,
    /// What is wrong, in Traditional Chinese.
    pub message_zh: String,
}

impl Fault {
    /// A fault at a place.
    pub fn at(place: &Place, en: impl Into<String>, zh: impl Into<String>) -> Fault {
        Fault {
            file: place.file.to_string(),
            line: place.line,
            column: place.column,
            message_en: en.into(),
            message_zh: zh.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message_en)
    }
}

impl std::error::Error for Fault {}

/// Collects faults, so that all are reported and not the first only.
#[derive(Debug, Default)]
pub(super) struct Faults {
    list: Vec<Fault>,
}

impl Faults {
    /// Notes one fault.
    pub(super) fn add(&mut self, place: &Place, en: impl Into<String>, zh: impl Into<String>) {
        self.list.push(Fault::at(place, en, zh));
    }

    /// `Ok` when nothing was found; otherwise all faults, file by file from top to bottom.
    pub(super) fn into_result(mut self, files: &[(String, String)]) -> Result<(), Vec<Fault>> {
        if self.list.is_empty() {
            return Ok(());
        }
        let rank = |fault: &Fault| files.iter().position(|(name, _)| *name == fault.file);
        self.list.sort_by_cached_key(|fault| (rank(fault), fault.line, fault.column, fault.message_en.clone()));
        self.list.dedup();
        Err(self.list)
    }
}
