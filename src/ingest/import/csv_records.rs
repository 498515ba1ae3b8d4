//! Records of a CSV file, each with the line on which it begins. Names that the mapping needs must be in the header,
//! once each.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::sync::Arc;

use super::csv_text::CsvText;
use super::decode::DecodingReader;
use super::mapping::SourceSpec;
use super::source::{Body, Record, SourceFault};

type Text = DecodingReader<BufReader<File>>;

/// Records of a CSV file.
pub struct CsvRecords {
    reader: csv::Reader<CsvText<Text>>,
    columns: Arc<HashMap<String, usize>>,
    width: usize,
    skip: usize,
}

impl CsvRecords {
    /// Reads the header. `needed` are the columns that the file must have.
    pub fn open(text: Text, spec: &SourceSpec, needed: &[String]) -> Result<CsvRecords, SourceFault> {
        let delimiter = spec.delimiter.unwrap_or(',');
        let delimiter = u8::try_from(delimiter)
            .map_err(|_| SourceFault::Broken(format!("the delimiter `{delimiter}` is more than one byte")))?;
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .from_reader(CsvText::new(text, delimiter));
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
        let doubled: Vec<String> = needed.iter().filter_map(|name| doubled(&names, name)).collect();
        if !doubled.is_empty() {
            return Err(SourceFault::Doubled(doubled.join(", ")));
        }
        let width = names.len();
        let columns = Arc::new(names.into_iter().enumerate().map(|(at, name)| (name, at)).collect());
        let skip = match &spec.columns {
            Some(_) => spec.header_rows.unwrap_or(0),
            None => spec.header_rows.unwrap_or(1).saturating_sub(1),
        };
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
            // Counted from its end: the parser's own beginning lies before the empty lines that it passes over.
            let inside = fields.as_slice().bytes().filter(|byte| *byte == b'\n').count() as u64;
            let line = self.reader.position().line().saturating_sub(inside + 1);
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
        csv::ErrorKind::Io(error) => error.into(),
        other => SourceFault::Broken(format!("{other:?}")),
    }
}

/// `section_name twice (5 and 9)`, if it is so.
fn doubled(names: &[String], name: &str) -> Option<String> {
    let places: Vec<String> = (1..=names.len()).filter(|at| names[at - 1] == name).map(|at| at.to_string()).collect();
    match places.len() {
        0 | 1 => None,
        2 => Some(format!("{name} twice ({})", places.join(" and "))),
        many => Some(format!("{name} {many} times ({})", places.join(", "))),
    }
}
