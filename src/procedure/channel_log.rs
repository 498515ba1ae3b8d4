//! Reading the log of an outside channel by its mapping: each row is read, or told with its line and a reason.

use std::collections::HashMap;

use time::macros::{format_description, offset};
use time::{Date, OffsetDateTime, PrimitiveDateTime};

use super::Fault;
use super::channel::ChannelMapping;
use super::fault::wrong;

/// Longest name of somebody who asked: records are searched by it, and no index takes a text of any length.
const LONGEST_NAME: usize = 200;

/// A row of a log that could be read.
pub(super) struct Row {
    pub(super) at: OffsetDateTime,
    pub(super) who: String,
    pub(super) what: String,
    pub(super) purpose: Option<String>,
    pub(super) case_number: Option<String>,
}

/// The rows of a log, and those that could not be read with line and reason.
pub(super) fn read(
    text: &str,
    mapping: &ChannelMapping,
    (from, until): (Date, Date),
    now: OffsetDateTime,
) -> Result<(Vec<Row>, Vec<String>), Fault> {
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let header = reader.headers().map_err(|error| wrong("csv", error.to_string(), "無法讀取標題列"))?.clone();
    let columns: HashMap<&str, usize> = header.iter().enumerate().map(|(number, name)| (name.trim(), number)).collect();
    let named = [
        Some(&mapping.at),
        Some(&mapping.who),
        Some(&mapping.what),
        mapping.purpose.as_ref(),
        mapping.case_number.as_ref(),
    ];
    if let Some(missing) = named.into_iter().flatten().find(|name| !columns.contains_key(name.as_str())) {
        let (en, zh) = (format!("the file has no column \"{missing}\""), format!("檔案無欄位「{missing}」"));
        return Err(wrong("csv", en, zh));
    }
    let (mut rows, mut rejected) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                rejected.push(error.to_string());
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |name: &String| {
            columns.get(name.as_str()).and_then(|at| record.get(*at)).map(str::trim).unwrap_or_default()
        };
        let optional =
            |name: &Option<String>| name.as_ref().map(&cell).filter(|text| !text.is_empty()).map(str::to_owned);
        let (at, who, what) = (moment(cell(&mapping.at)), cell(&mapping.who), cell(&mapping.what));
        match at {
            Some(at) if !(from..=until).contains(&at.date()) => {
                rejected.push(format!("line {line}: not within these days"))
            }
            Some(at) if at > now => rejected.push(format!("line {line}: has not happened yet")),
            Some(_) if who.is_empty() || what.is_empty() => {
                rejected.push(format!("line {line}: who or what is missing"))
            }
            Some(_) if who.chars().count() > LONGEST_NAME => {
                rejected.push(format!("line {line}: who is longer than {LONGEST_NAME} characters"))
            }
            None => rejected.push(format!("line {line}: expected a time like 2026-03-02 09:30:00")),
            Some(at) => rows.push(Row {
                at,
                who: who.to_owned(),
                what: what.to_owned(),
                purpose: optional(&mapping.purpose),
                case_number: optional(&mapping.case_number),
            }),
        }
    }
    Ok((rows, rejected))
}

/// A time as logs write it, in Taipei.
fn moment(text: &str) -> Option<OffsetDateTime> {
    let plain = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let local = PrimitiveDateTime::parse(&text.replace('T', " ").replace('/', "-"), &plain).ok()?;
    Some(local.assume_offset(offset!(+8)))
}
