//! Records of a JSON or GeoJSON file, each with the line on which it begins.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::source::{Body, Record, SourceFault};

/// Records of a JSON file.
pub struct JsonRecords {
    text: String,
    /// First byte, one past the last, and line of each record.
    places: std::vec::IntoIter<(usize, usize, u64)>,
    features: bool,
}

impl JsonRecords {
    /// Finds the records.
    pub fn open(text: String, rows: Option<&str>, features: bool) -> Result<JsonRecords, SourceFault> {
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
