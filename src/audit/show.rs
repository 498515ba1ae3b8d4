//! Shows records to people and, as JSON, to programs: who, why, what, outcome. Every resolved field is left
//! to `expand`.

use std::fmt::Write as _;

use serde_json::{Value, json};
use time::format_description::BorrowedFormatItem;
use time::macros::{format_description, offset};
use time::{OffsetDateTime, UtcOffset};

use super::decode::Secrets;
use super::marks::WithheldReason;
use super::read::Release;
use super::reader::Entry;
use super::seal::SealError;

/// The city's clock.
const LOCAL: UtcOffset = offset!(+8);
const SHORT: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
const EXACT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]");

/// The heading above [`line`]s.
pub fn heading() -> String {
    format!(
        "{:19}  {:36}  {:14}  {:18}  {:12}  {:>7}  {:>9}  outcome",
        "time (UTC+8)", "record", "kind", "account", "form", "rows", "ms"
    )
}

/// A record in one line.
pub fn line(entry: &Entry) -> String {
    let record = &entry.record;
    format!(
        "{:19}  {:36}  {:14}  {:18}  {:12}  {:>7}  {:>9.1}  {}",
        at(record.started_us, LOCAL, SHORT),
        record.id,
        record.kind.name(),
        record.who.account,
        record.why.form.as_deref().unwrap_or("-"),
        record.outcome.rows,
        f64::from(record.duration_us) / 1e3,
        outcome(entry)
    )
}

/// A record with all that it says, but its rows.
pub fn details(entry: &Entry, secrets: &Result<Secrets, SealError>) -> String {
    let (record, mut text) = (&entry.record, String::new());
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            let value = value.trim_end().replace('\n', "\n               ");
            let _ = writeln!(text, "{name:13}  {value}"); // a String takes everything
        }
    };
    add("record", &record.id.to_string());
    let (utc, local) = (at(record.started_us, UtcOffset::UTC, EXACT), at(record.started_us, LOCAL, EXACT));
    add("time", &format!("{local}+08:00 = {utc}Z, {:.1} ms", f64::from(record.duration_us) / 1e3));
    add("kind", record.kind.name());
    let who = &record.who;
    add("who", &format!("{} of {}", who.account, who.agency));
    add("session", &who.session.map(|session| session.to_string()).unwrap_or_default());
    add("from", &who.client_address.map(|address| address.to_string()).unwrap_or_default());
    let why = &record.why;
    add("form", &why.form.as_deref().map(|form| format!("{form} version {}", why.form_version)).unwrap_or_default());
    add("sub-form", why.sub_form.as_deref().unwrap_or_default());
    add("purpose", why.purpose.as_deref().unwrap_or_default());
    match secrets {
        Ok(secrets) => {
            add("case", secrets.case_number.as_deref().unwrap_or_default());
            add("variables", secrets.variables.as_deref().unwrap_or_default());
        }
        Err(error) => add("sealed part", &error.to_string()),
    }
    add("right", &format!("epoch {}, schema {}", record.right.epoch, hex(&record.right.schema_hash[..8])));
    if let Some(asked) = &record.asked {
        add("operation", asked.operation_name.as_deref().unwrap_or_default());
        let missing = format!("not readable; its hash is {}", hex(&asked.document));
        let sent = |text: &String| secrets.as_ref().map_or_else(|_| text.clone(), |secrets| secrets.document(text));
        add("document", &entry.document.as_ref().map_or(missing, sent));
    }
    for touched in &record.touched {
        let rectangle = entry.shape.as_ref().and_then(|shape| shape.rectangles.get(usize::from(touched.rectangle)));
        if let Some(rectangle) = rectangle {
            let columns: Vec<&str> =
                rectangle.columns.iter().filter(|c| c.use_.is_per_row()).map(|c| c.key.as_str()).collect();
            let path = if rectangle.path.is_empty() { "(root)" } else { &rectangle.path };
            let rows = touched.rows.len();
            add("touched", &format!("{path}: {rows} × {} ({})", rectangle.type_name, columns.join(" ")));
        }
    }
    let came_out = &record.outcome;
    let sizes = format!("{} rows, {} bytes, digest {}", came_out.rows, came_out.bytes, hex(&came_out.digest));
    add("outcome", &format!("{}; {sizes}", outcome(entry)));
    add("note", record.note.as_deref().unwrap_or_default());
    add("stands in", &format!("node {}, segment {}, frame {}", entry.node, entry.segment, entry.seq));
    text
}

/// A record as JSON; names are stable.
pub fn to_json(entry: &Entry, secrets: &Result<Secrets, SealError>) -> Value {
    let record = &entry.record;
    let secrets_error = secrets.as_ref().err().map(ToString::to_string);
    let secrets = secrets.as_ref().ok();
    let touched = record.touched.iter().map(|touched| {
        let rectangle = entry.shape.as_ref().and_then(|shape| shape.rectangles.get(usize::from(touched.rectangle)));
        json!({
            "path": rectangle.map(|rectangle| &rectangle.path),
            "type": rectangle.map(|rectangle| &rectangle.type_name),
            "rows": touched.rows.len(),
        })
    });
    json!({
        "id": record.id.to_string(),
        "startedAt": format!("{}Z", at(record.started_us, UtcOffset::UTC, EXACT)),
        "startedAtLocal": format!("{}+08:00", at(record.started_us, LOCAL, EXACT)),
        "durationUs": record.duration_us,
        "kind": record.kind.name(),
        "who": {
            "account": record.who.account,
            "agency": record.who.agency,
            "session": record.who.session.map(|session| session.to_string()),
            "clientAddress": record.who.client_address,
        },
        "why": {
            "form": record.why.form,
            "formVersion": record.why.form_version,
            "subForm": record.why.sub_form,
            "purpose": record.why.purpose,
            "caseNumber": secrets.and_then(|secrets| secrets.case_number.as_ref()),
        },
        "right": { "epoch": record.right.epoch, "schemaHash": hex(&record.right.schema_hash) },
        "asked": record.asked.as_ref().map(|asked| json!({
            "operationName": asked.operation_name,
            "document": entry.document.as_ref().map(|text| secrets.map_or_else(|| text.clone(), |told| told.document(text))),
            "documentHash": hex(&asked.document),
            "variables": secrets.and_then(|secrets| secrets.variables.as_ref()),
        })),
        "sealedPart": secrets_error,
        "touched": touched.collect::<Vec<_>>(),
        "outcome": {
            "code": record.outcome.code,
            "rows": record.outcome.rows,
            "bytes": record.outcome.bytes,
            "digest": hex(&record.outcome.digest),
        },
        "release": match &entry.release {
            Release::Released => "released",
            Release::Unconfirmed => "unconfirmed",
            Release::Withheld(_) => "withheld",
        },
        "note": record.note,
        "node": entry.node,
        "segment": entry.segment,
        "frame": entry.seq,
    })
}

fn outcome(entry: &Entry) -> String {
    let code = entry.record.outcome.code.as_deref().unwrap_or("ok");
    match &entry.release {
        Release::Released => code.to_owned(),
        Release::Unconfirmed => format!("{code}, the program stopped then: the answer may have left"),
        Release::Withheld(mark) => {
            let why = match mark.reason {
                WithheldReason::Late => "the record was late",
                WithheldReason::Abandoned => "the request was given up",
            };
            format!("{code}, answer withheld after {:.0} ms: {why}", mark.after_us as f64 / 1e3)
        }
    }
}

fn at(us: i64, offset: UtcOffset, format: &[BorrowedFormatItem<'_>]) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(us) * 1_000)
        .ok()
        .and_then(|at| at.to_offset(offset).format(format).ok())
        .unwrap_or_else(|| format!("{us} us"))
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
