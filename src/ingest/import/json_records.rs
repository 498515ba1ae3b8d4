//! Records of a JSON or GeoJSON file, each with the line on which it begins. What the mapping needs must be met in
//! one record at least: a renamed field would otherwise empty its column in every row.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::source::{Body, Needed, Record, SourceFault, find, items};

/// A path, and the most that was seen of it.
struct Sought {
    path: String,
    seen: Option<Sight>,
}

/// What one record shows of a path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sight {
    /// Not even its first name.
    Absent,
    /// Something empty on its way: a list without elements is often written as an empty text, `"建築概要": ""`.
    Empty,
    /// What should hold it, without it.
    Without,
    /// Where it leads.
    Found,
}

impl Sought {
    fn all(paths: Vec<String>) -> Vec<Sought> {
        paths.into_iter().map(|path| Sought { path, seen: None }).collect()
    }

    fn look(&mut self, record: &Value) {
        if self.seen != Some(Sight::Found) {
            self.seen = self.seen.max(Some(sight(record, &self.path)));
        }
    }

    fn is_lacking(&self) -> bool {
        matches!(self.seen, Some(Sight::Absent | Sight::Without))
    }
}

fn sight(record: &Value, path: &str) -> Sight {
    if find(record, path).is_some() {
        return Sight::Found;
    }
    match path.rmatch_indices('/').find_map(|(at, _)| find(record, &path[..at])) {
        None => Sight::Absent,
        Some(Value::Null) => Sight::Empty,
        Some(Value::String(text)) if text.trim().is_empty() => Sight::Empty,
        Some(Value::Array(items)) if items.is_empty() => Sight::Empty,
        Some(_) => Sight::Without,
    }
}

/// Records of a JSON file.
pub struct JsonRecords {
    text: String,
    /// First byte, one past the last, and line of each record.
    places: std::vec::IntoIter<(usize, usize, u64)>,
    features: bool,
    /// What the mapping needs of records, and of the elements of their lists.
    columns: Vec<Sought>,
    lists: Vec<(String, Vec<Sought>)>,
    /// Names in the first record.
    first: Option<String>,
}

impl JsonRecords {
    /// Finds the records. `needed` is what some of them must have.
    pub fn open(text: String, rows: Option<&str>, features: bool, needed: Needed) -> Result<JsonRecords, SourceFault> {
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
        let columns = Sought::all(needed.columns);
        let lists = needed.lists.into_iter().map(|(path, fields)| (path, Sought::all(fields))).collect();
        Ok(JsonRecords { text, places: places.into_iter(), features, columns, lists, first: None })
    }

    fn meet(&mut self, record: &Value) {
        let names = || record.as_object().map(|object| object.keys().cloned().collect::<Vec<_>>().join(", "));
        self.first = self.first.take().or_else(names);
        self.columns.iter_mut().for_each(|sought| sought.look(record));
        for (path, fields) in &mut self.lists {
            for item in items(record, path) {
                fields.iter_mut().for_each(|sought| sought.look(item));
            }
        }
    }

    /// After the last record: what the mapping needs and none of them had.
    fn lacking(&mut self) -> Option<SourceFault> {
        let lacking = std::mem::take(&mut self.columns).into_iter().filter(Sought::is_lacking);
        let mut missing: Vec<String> = lacking.map(|sought| sought.path).collect();
        for (path, fields) in std::mem::take(&mut self.lists) {
            let lacking = fields.into_iter().filter(Sought::is_lacking);
            missing.extend(lacking.map(|sought| format!("{path}/{}", sought.path)));
        }
        let found = self.first.take().unwrap_or_default();
        (!missing.is_empty()).then(|| SourceFault::Fields { missing: missing.join(", "), found })
    }
}

impl Iterator for JsonRecords {
    type Item = Result<Record, SourceFault>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some((start, end, line)) = self.places.next() else { return self.lacking().map(Err) };
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
        if let Body::Json(record) = &body {
            self.meet(record);
        }
        Some(Ok(Record { line, body }))
    }
}
