//! PostgreSQL's binary values as packed cells.

use std::fmt::Write as _;

use postgres_types::{FromSql, Type};
use rust_decimal::Decimal;
use time::macros::date;
use time::{Date, Duration};
use tokio_postgres::Row;

use super::rows::{Cell, Kind, Rows};
use super::source::SourceError;

/// Appends one row.
pub fn decode(row: &Row, columns: &[Kind], rows: &mut Rows) -> Result<(), SourceError> {
    for (number, kind) in columns.iter().enumerate() {
        let raw: Option<Raw> = row.try_get(number).map_err(|error| SourceError::Failed(error.to_string()))?;
        match raw {
            None => rows.push(Cell::Null),
            Some(raw) => push(raw, *kind, rows).ok_or_else(|| {
                SourceError::Failed(format!("column {} does not hold what was declared", row.columns()[number].name()))
            })?,
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

fn push(raw: Raw, kind: Kind, rows: &mut Rows) -> Option<()> {
    match kind {
        Kind::Text => rows.push_text(std::str::from_utf8(raw.bytes).ok()?),
        Kind::Int => rows.push(Cell::Int(int(&raw)?)),
        Kind::Bool => rows.push(Cell::Bool(*raw.bytes.first()? != 0)),
        Kind::Date if raw.ty == Type::DATE => {
            let days = i32::from_be_bytes(raw.bytes.try_into().ok()?);
            let day = date!(2000 - 01 - 01).checked_add(Duration::days(days.into()))?;
            rows.push_written(|text| write_date(day, text));
        }
        Kind::Date => rows.push_text(std::str::from_utf8(raw.bytes).ok()?),
        Kind::Decimal(scale) => {
            let value = decimal(&raw)?;
            rows.push_written(|text| write_decimal(value, scale, text));
        }
    }
    Some(())
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
    let _ = write!(text, "{value:.*}", scale as usize);
}
