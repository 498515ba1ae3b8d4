//! Files to records: CSV, JSON and GeoJSON, each record with its line. What its fields mean is left to `row`.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use encoding_rs::Encoding;
use serde_json::Value;
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::decode::{self, DecodingReader};
use super::mapping::{Format, SourceSpec};

/// Why a file as a whole cannot be read. Nothing of it is imported then.
#[derive(Debug, thiserror::Error)]
pub enum SourceFault {
    /// Not there, or not readable.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// Not what its format promises.
    #[error("is broken: {0}")]
    Broken(String),
    /// No such encoding.
    #[error("source.encoding `{0}` is not known; `utf-8` and `big5` are")]
    Encoding(String),
    /// The mapping needs columns that the file does not have.
    #[error("has no column {missing}; its columns are {found}")]
    Columns {
        /// Names that are missing.
        missing: String,
        /// Names that are there.
        found: String,
    },
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
        let found = match self {
            Body::Json(value) => find(value, path),
            _ => None,
        };
        match found {
            Some(Value::Array(items)) => items.iter().collect(),
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(text)) if text.trim().is_empty() => Vec::new(),
            Some(one) => vec![one],
        }
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
            Records::Json(records) => records.next().map(Ok),
        }
    }
}

/// Opens a file. `needed` are the columns a CSV file must have.
pub fn open(path: &Path, spec: &SourceSpec, needed: &[String]) -> Result<Records, SourceFault> {
    let named = match &spec.encoding {
        Some(label) if label != "auto" => {
            Some(Encoding::for_label(label.as_bytes()).ok_or_else(|| SourceFault::Encoding(label.clone()))?)
        }
        _ => None,
    };
    let mut reader = decode::open(path, decode::detect(path, named)?)?;
    match spec.format.unwrap_or_else(|| format_of(path)) {
        Format::Csv => CsvRecords::open(reader, spec, needed).map(|records| Records::Csv(Box::new(records))),
        format => {
            let mut text = String::new();
            reader.read_to_string(&mut text)?;
            let rows = spec.rows.as_deref().or((format == Format::Geojson).then_some("features"));
            JsonRecords::open(text, rows, format == Format::Geojson).map(Records::Json)
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

/// Records of a CSV file.
pub struct CsvRecords {
    reader: csv::Reader<DecodingReader<std::io::BufReader<std::fs::File>>>,
    columns: Arc<HashMap<String, usize>>,
    width: usize,
    skip: usize,
}

impl CsvRecords {
    fn open(
        reader: DecodingReader<std::io::BufReader<std::fs::File>>,
        spec: &SourceSpec,
        needed: &[String],
    ) -> Result<CsvRecords, SourceFault> {
        let delimiter = spec.delimiter.unwrap_or(',');
        let delimiter = u8::try_from(delimiter)
            .map_err(|_| SourceFault::Broken(format!("the delimiter `{delimiter}` is more than one byte")))?;
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(false).from_reader(reader);
        let names: Vec<String> = match &spec.columns {
            Some(names) => names.clone(),
            None => {
                let mut headers = csv::StringRecord::new();
                if !reader.read_record(&mut headers).map_err(broken)? {
                    return Err(SourceFault::Broken("it is empty, without even a header".to_owned()));
                }
                headers.iter().map(|name| name.trim().to_owned()).collect()
            }
        };
        let missing: Vec<&str> = needed.iter().filter(|n| !names.contains(n)).map(String::as_str).collect();
        if !missing.is_empty() {
            return Err(SourceFault::Columns { missing: missing.join(", "), found: names.join(", ") });
        }
        let width = names.len();
        let columns = Arc::new(names.into_iter().enumerate().map(|(at, name)| (name, at)).collect());
        let skip = spec.header_rows.unwrap_or(1).saturating_sub(1);
        Ok(CsvRecords { reader, columns, width, skip })
    }
}

impl Iterator for CsvRecords {
    type Item = Result<Record, SourceFault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut fields = csv::StringRecord::new();
            match self.reader.read_record(&mut fields) {
                Err(error) => return Some(Err(broken(error))),
                Ok(false) => return None,
                Ok(true) => {}
            }
            if self.skip > 0 {
                self.skip -= 1;
                continue;
            }
            let line = fields.position().map_or(0, csv::Position::line);
            let body = if fields.len() == self.width {
                Body::Fields(self.columns.clone(), fields)
            } else {
                Body::Unfit(format!("{} fields, but {} columns", fields.len(), self.width))
            };
            return Some(Ok(Record { line, body }));
        }
    }
}

fn broken(error: csv::Error) -> SourceFault {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => SourceFault::Unreadable(error),
        other => SourceFault::Broken(format!("{other:?}")),
    }
}

/// Records of a JSON file.
pub struct JsonRecords {
    text: String,
    /// First byte, one past the last, and line of each record.
    places: std::vec::IntoIter<(usize, usize, u64)>,
    features: bool,
}

impl JsonRecords {
    fn open(text: String, rows: Option<&str>, features: bool) -> Result<JsonRecords, SourceFault> {
        let fault = |error: serde_json::Error| SourceFault::Broken(error.to_string());
        // A document that ends early is found here, before any row of it is imported.
        let mut list: &RawValue = serde_json::from_str(&text).map_err(fault)?;
        for step in rows.into_iter().flat_map(|path| path.split('/')) {
            let mut object: BTreeMap<&str, &RawValue> =
                serde_json::from_str(list.get()).map_err(|_| SourceFault::Broken(format!("it has no `{step}`")))?;
            list = object.remove(step).ok_or_else(|| SourceFault::Broken(format!("it has no `{step}`")))?;
        }
        let records: Vec<&RawValue> = serde_json::from_str(list.get())
            .map_err(|_| SourceFault::Broken("there is no list of records where the mapping expects one".to_owned()))?;
        let mut line = 1;
        let mut counted = 0;
        let places: Vec<_> = records
            .iter()
            .map(|record| {
                let start = record.get().as_ptr() as usize - text.as_ptr() as usize;
                line += text.as_bytes()[counted..start].iter().filter(|byte| **byte == b'\n').count() as u64;
                counted = start;
                (start, start + record.get().len(), line)
            })
            .collect();
        Ok(JsonRecords { text, places: places.into_iter(), features })
    }
}

impl Iterator for JsonRecords {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        let (start, end, line) = self.places.next()?;
        let body = match serde_json::from_str::<Value>(&self.text[start..end]) {
            Ok(Value::Object(mut object)) if self.features => match object.remove("properties") {
                Some(Value::Object(mut properties)) => {
                    properties.insert("geometry".to_owned(), object.remove("geometry").unwrap_or_default());
                    Body::Json(Value::Object(properties))
                }
                _ => Body::Unfit("a feature without properties".to_owned()),
            },
            Ok(value @ Value::Object(_)) => Body::Json(value),
            Ok(_) => Body::Unfit("a value that is no object".to_owned()),
            Err(error) => Body::Unfit(error.to_string()),
        };
        Some(Record { line, body })
    }
}
