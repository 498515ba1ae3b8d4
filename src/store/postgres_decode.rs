//! PostgreSQL's binary values as packed cells.

use std::fmt::Write as _;

use postgres_types::{FromSql, Type};
use rust_decimal::Decimal;
use time::macros::date;
use time::{Date, Duration};
use tokio_postgres::Row;

use super::rows::{ALL_DIGITS, Cell, Kind, Rows};
use super::source::SourceError;

/// Appends one row.
pub fn decode(row: &Row, columns: &[Kind], rows: &mut Rows) -> Result<(), SourceError> {
    for (number, kind) in columns.iter().enumerate() {
        let raw: Option<Raw> = row.try_get(number).map_err(|error| SourceError::Failed(error.to_string()))?;
        match raw {
            None => rows.push(Cell::Null),
            Some(raw) => {
                if push(&raw, *kind, rows).is_none() {
                    push_odd(&raw, *kind, row.columns()[number].name(), rows)?;
                }
            }
        }
    }
    Ok(())
}

/// A value's bytes with the server's type.
struct Raw<'a> {
    ty: Type,
    bytes: &'a [u8],
}

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(ty: &Type, bytes: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Raw { ty: ty.clone(), bytes })
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A value that cannot be told, or the error that the column is not what was declared.
fn push_odd(raw: &Raw, kind: Kind, name: &str, rows: &mut Rows) -> Result<(), SourceError> {
    let found = oddity(raw, kind).ok_or_else(|| {
        SourceError::Failed(format!("column {name} does not hold {kind:?}, as declared, but {}", raw.ty))
    })?;
    if rows.push_unreadable() {
        tracing::warn!(column = name, "{found} cannot be told, and is null in an answer: correct it in the dataset");
    }
    Ok(())
}

fn push(raw: &Raw, kind: Kind, rows: &mut Rows) -> Option<()> {
    match kind {
        Kind::Text => rows.push_text(text(raw)?),
        Kind::Int => rows.push(Cell::Int(int(raw)?)),
        Kind::Bool => rows.push(Cell::Bool(*raw.bytes.first()? != 0)),
        Kind::Date if raw.ty == Type::DATE => {
            let days = i32::from_be_bytes(raw.bytes.try_into().ok()?);
            let day = date!(2000 - 01 - 01).checked_add(Duration::days(days.into()))?;
            // A scalar Date has four digits for the year, and no sign.
            (day.year() > 0).then_some(())?;
            rows.push_written(|text| write_date(day, text));
        }
        Kind::Date => rows.push_text(text(raw)?),
        Kind::Decimal(scale) => {
            let value = decimal(raw)?;
            rows.push_written(|text| write_decimal(value, scale, text));
        }
    }
    Some(())
}

/// What PostgreSQL stores and no scalar can tell. Which value it is stays out of the log.
fn oddity(raw: &Raw, kind: Kind) -> Option<&'static str> {
    match (kind, &raw.ty, raw.bytes) {
        (Kind::Date, &Type::DATE, [0x7f, 0xff, 0xff, 0xff]) => Some("the day infinity"),
        (Kind::Date, &Type::DATE, [0x80, 0, 0, 0]) => Some("the day -infinity"),
        (Kind::Date, &Type::DATE, _) => Some("a day before the year 1 or after 9999"),
        // Number of digits, weight, sign, scale.
        (Kind::Decimal(_), &Type::NUMERIC, [_, _, _, _, 0xc0, 0, ..]) => Some("the number NaN"),
        (Kind::Decimal(_), &Type::NUMERIC, [_, _, _, _, 0xd0 | 0xf0, 0, ..]) => Some("the number infinity"),
        (Kind::Decimal(_), &Type::NUMERIC | &Type::FLOAT8, _) => {
            Some("a number that is not finite or beyond 28 digits")
        }
        _ => None,
    }
}

/// Texts alone: the bytes of a small number would pass for one.
fn text<'a>(raw: &Raw<'a>) -> Option<&'a str> {
    let is_text = <&str as FromSql>::accepts(&raw.ty) || matches!(raw.ty.kind(), postgres_types::Kind::Enum(_));
    if is_text { std::str::from_utf8(raw.bytes).ok() } else { None }
}

fn int(raw: &Raw) -> Option<i64> {
    match raw.bytes.len() {
        2 => Some(i16::from_be_bytes(raw.bytes.try_into().ok()?).into()),
        4 => Some(i32::from_be_bytes(raw.bytes.try_into().ok()?).into()),
        8 if raw.ty != Type::NUMERIC => Some(i64::from_be_bytes(raw.bytes.try_into().ok()?)),
        _ => None,
    }
}

fn decimal(raw: &Raw) -> Option<Decimal> {
    match raw.ty {
        Type::NUMERIC => Decimal::from_sql(&raw.ty, raw.bytes).ok(),
        Type::FLOAT8 => Decimal::try_from(f64::from_be_bytes(raw.bytes.try_into().ok()?)).ok(),
        _ => int(raw).map(Decimal::from),
    }
}

/// Writes `YYYY-MM-DD`.
pub fn write_date(day: Date, text: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(text, "{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day());
}

/// Writes exactly `scale` digits after the point.
pub fn write_decimal(value: Decimal, scale: u8, text: &mut String) {
    let _ = match scale {
        ALL_DIGITS => write!(text, "{value}"),
        scale => write!(text, "{value:.*}", scale as usize),
    };
}
