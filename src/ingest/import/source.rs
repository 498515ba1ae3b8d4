//! Files to records: CSV, JSON and GeoJSON, each record with its line. What its fields mean is left to `row`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use encoding_rs::Encoding;
use serde_json::Value;
use smallvec::SmallVec;

use super::csv_records::CsvRecords;
use super::decode;
use super::json_records::JsonRecords;
use super::mapping::{Format, SourceSpec};

/// Why a file as a whole cannot be read. Nothing of it is imported then.
#[derive(Debug, thiserror::Error)]
pub enum SourceFault {
    /// Not there, or not readable.
    #[error("cannot be read: {0}")]
    Unreadable(std::io::Error),
    /// Not what its format promises.
    #[error("is broken: {0}")]
    Broken(String),
    /// No such encoding.
    #[error("source.encoding `{0}` is not known; `utf-8` and `big5` are")]
    Encoding(String),
    /// Nobody said the encoding, and it is none of those that are found out.
    #[error("is neither UTF-8 nor Big5: set source.encoding")]
    UnknownEncoding,
    /// The mapping needs columns that the file does not have.
    #[error("has no column {missing}; its columns are {found}")]
    Columns {
        /// Names that are missing.
        missing: String,
        /// Names that are there.
        found: String,
    },
    /// Columns that the mapping needs stand there more than once, and may differ.
    #[error("has the column {0}")]
    Doubled(String),
    /// The mapping needs fields that no record has.
    #[error(
        "has no field {missing} in any of its records; the first one has {found} \
         (source.optional names fields that may be missing)"
    )]
    Fields {
        /// Paths that lead nowhere.
        missing: String,
        /// Names in the first record.
        found: String,
    },
}

impl From<std::io::Error> for SourceFault {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::InvalidData => SourceFault::Broken(error.to_string()),
            _ => SourceFault::Unreadable(error),
        }
    }
}

/// What a mapping needs of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needed {
    /// Columns, or paths in JSON.
    pub columns: Vec<String>,
    /// JSON: paths of lists, and the paths needed in their elements.
    pub lists: Vec<(String, Vec<String>)>,
}

/// One record of a file.
pub struct Record {
    /// Line on which it begins, from 1.
    pub line: u64,
    /// What it holds.
    pub body: Body,
}

/// What a record holds.
pub enum Body {
    /// A line of CSV.
    Fields(Arc<HashMap<String, usize>>, csv::StringRecord),
    /// A JSON object.
    Json(Value),
    /// A record that is none: what was expected and what was found.
    Unfit(String),
}

/// Texts of one column; one for almost every column.
pub type Texts<'a> = SmallVec<[Cow<'a, str>; 1]>;

impl Body {
    /// The texts of a column, or of what a path `a/b` leads to in JSON.
    pub fn texts(&self, column: &str) -> Texts<'_> {
        match self {
            Body::Fields(columns, fields) => {
                columns.get(column).and_then(|at| fields.get(*at)).map(Cow::Borrowed).into_iter().collect()
            }
            Body::Json(value) => find(value, column).map(json_texts).unwrap_or_default(),
            Body::Unfit(_) => Texts::new(),
        }
    }

    /// The elements of a list inside the record; a single value is a list of one, an empty text of none.
    pub fn items(&self, path: &str) -> Vec<&Value> {
        match self {
            Body::Json(value) => items(value, path),
            _ => Vec::new(),
        }
    }
}

/// The elements of a list that a path leads to.
pub fn items<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    match find(value, path) {
        Some(Value::Array(items)) => items.iter().collect(),
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) if text.trim().is_empty() => Vec::new(),
        Some(one) => vec![one],
    }
}

/// What a path leads to: a key as it stands wins over a path.
pub fn find<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    value.get(path).or_else(|| {
        let (first, rest) = path.split_once('/')?;
        find(value.get(first)?, rest)
    })
}

/// The texts of a JSON value: of a list all, of an object its JSON.
pub fn json_texts(value: &Value) -> Texts<'_> {
    match value {
        Value::Null => Texts::new(),
        Value::String(text) => SmallVec::from_iter([Cow::Borrowed(text.as_str())]),
        Value::Array(items) => items.iter().flat_map(json_texts).collect(),
        other => SmallVec::from_iter([Cow::Owned(other.to_string())]),
    }
}

/// The records of a file in order.
pub enum Records {
    /// CSV, read as it goes.
    Csv(Box<CsvRecords>),
    /// JSON and GeoJSON, whole in memory.
    Json(JsonRecords),
}

impl Iterator for Records {
    type Item = Result<Record, SourceFault>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Records::Csv(records) => records.next(),
            Records::Json(records) => records.next(),
        }
    }
}

/// Opens a file.
pub fn open(path: &Path, spec: &SourceSpec, needed: Needed) -> Result<Records, SourceFault> {
    let named = match &spec.encoding {
        Some(label) if label != "auto" => {
            Some(Encoding::for_label(label.as_bytes()).ok_or_else(|| SourceFault::Encoding(label.clone()))?)
        }
        _ => None,
    };
    let encoding = decode::detect(path, named)?.ok_or(SourceFault::UnknownEncoding)?;
    let mut reader = decode::open(path, encoding)?;
    match spec.format.unwrap_or_else(|| format_of(path)) {
        Format::Csv => CsvRecords::open(reader, spec, &needed.columns).map(|records| Records::Csv(Box::new(records))),
        format => {
            let mut text = String::new();
            reader.read_to_string(&mut text)?;
            let rows = spec.rows.as_deref().or((format == Format::Geojson).then_some("features"));
            JsonRecords::open(text, rows, format == Format::Geojson, needed).map(Records::Json)
        }
    }
}

fn format_of(path: &Path) -> Format {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("json") => Format::Json,
        Some("geojson") => Format::Geojson,
        _ => Format::Csv,
    }
}
