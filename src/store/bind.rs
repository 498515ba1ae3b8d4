//! Values on their way into a statement, for PostgreSQL's wire and for SQLite.

use bytes::{BufMut, BytesMut};
use postgres_types::{IsNull, ToSql, Type};
use rust_decimal::Decimal;
use time::Date;
use time::macros::{date, format_description};

/// A parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Bind {
    /// Text of any kind.
    Text(String),
    /// Integer.
    Int(i64),
    /// Truth value.
    Bool(bool),
    /// Calendar day.
    Date(Date),
    /// Exact decimal.
    Decimal(Decimal),
    /// Many texts, for `= ANY`.
    Texts(Texts),
    /// Many integers, for `= ANY`.
    Ints(Vec<i64>),
    /// Many days.
    Dates(Vec<Date>),
    /// Many decimals.
    Decimals(Vec<Decimal>),
}

/// Many texts in one allocation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Texts {
    joined: String,
    ends: Vec<u32>,
}

impl Texts {
    /// Appends one.
    pub fn push(&mut self, text: &str) {
        self.joined.push_str(text);
        self.ends.push(self.joined.len() as u32);
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.joined[start as usize..*end as usize])
    }
}

impl<S: AsRef<str>> FromIterator<S> for Texts {
    fn from_iter<T: IntoIterator<Item = S>>(iter: T) -> Self {
        let mut texts = Texts::default();
        iter.into_iter().for_each(|text| texts.push(text.as_ref()));
        texts
    }
}

impl Bind {
    /// Number of values in a list; 1 for a single value.
    pub fn count(&self) -> usize {
        match self {
            Bind::Texts(list) => list.len(),
            Bind::Ints(list) => list.len(),
            Bind::Dates(list) => list.len(),
            Bind::Decimals(list) => list.len(),
            _ => 1,
        }
    }

    /// Its type where the server must not take that of the column it is compared with: a number that a smaller column cannot
    /// hold would find no place, where it is but greater than all that stand there.
    pub fn sent_as(&self) -> Type {
        match self {
            Bind::Int(_) => Type::INT8,
            Bind::Ints(_) => Type::INT8_ARRAY,
            _ => Type::UNKNOWN,
        }
    }
}

/// `YYYY-MM-DD`.
pub fn iso(day: Date) -> String {
    // A day always has a year, a month and a day to write.
    day.format(format_description!("[year]-[month]-[day]")).unwrap_or_default()
}

type Boxed = Box<dyn std::error::Error + Sync + Send>;

impl ToSql for Bind {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        match self {
            Bind::Text(text) => out.put_slice(text.as_bytes()),
            Bind::Int(value) => put_int(*value, ty, out)?,
            Bind::Bool(value) => out.put_u8(u8::from(*value)),
            Bind::Date(day) if *ty == Type::DATE => put_date(*day, out),
            Bind::Date(day) => out.put_slice(iso(*day).as_bytes()),
            Bind::Decimal(value) => return put_decimal(*value, ty, out),
            Bind::Texts(list) => put_array(ty, list.iter(), list.len(), out, |text, _, out| {
                out.put_slice(text.as_bytes());
                Ok(())
            })?,
            Bind::Ints(list) => put_array(ty, list.iter(), list.len(), out, |value, ty, out| put_int(*value, ty, out))?,
            Bind::Dates(list) => put_array(ty, list.iter(), list.len(), out, |day, _, out| {
                put_date(*day, out);
                Ok(())
            })?,
            Bind::Decimals(list) => {
                put_array(ty, list.iter(), list.len(), out, |value, ty, out| put_decimal(*value, ty, out).map(|_| ()))?
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    postgres_types::to_sql_checked!();
}

fn put_int(value: i64, ty: &Type, out: &mut BytesMut) -> Result<(), Boxed> {
    match *ty {
        Type::INT2 => out.put_i16(i16::try_from(value)?),
        Type::INT4 => out.put_i32(i32::try_from(value)?),
        Type::INT8 => out.put_i64(value),
        Type::NUMERIC => return put_decimal(value.into(), ty, out).map(|_| ()),
        _ => out.put_slice(value.to_string().as_bytes()),
    }
    Ok(())
}

/// PostgreSQL counts days from 2000-01-01.
fn put_date(day: Date, out: &mut BytesMut) {
    out.put_i32((day - date!(2000 - 01 - 01)).whole_days() as i32);
}

fn put_decimal(value: Decimal, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
    if *ty == Type::NUMERIC {
        return value.to_sql(ty, out);
    }
    if *ty == Type::FLOAT8 {
        return f64::try_from(value)?.to_sql(ty, out);
    }
    let whole: i64 = value.trunc().try_into()?;
    put_int(whole, ty, out)?;
    Ok(IsNull::No)
}

/// The wire form of a one-dimensional array without nulls.
fn put_array<T>(
    ty: &Type,
    values: impl Iterator<Item = T>,
    count: usize,
    out: &mut BytesMut,
    put: impl Fn(T, &Type, &mut BytesMut) -> Result<(), Boxed>,
) -> Result<(), Boxed> {
    let element = match ty.kind() {
        postgres_types::Kind::Array(element) => element.clone(),
        _ => return Err(format!("a list cannot be bound as {ty}").into()),
    };
    out.put_i32(1);
    out.put_i32(0);
    out.put_u32(element.oid());
    out.put_i32(i32::try_from(count)?);
    out.put_i32(1);
    for value in values {
        let at = out.len();
        out.put_i32(0);
        put(value, &element, out)?;
        let length = i32::try_from(out.len() - at - 4)?;
        out[at..at + 4].copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}
