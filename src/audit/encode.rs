//! Record → CBOR, on the thread of the one who acted and outside every lock. `docs/audit-format.md` describes
//! the format for readers in other languages; reading it back is left to `decode`.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;

use minicbor::Encoder;

use super::record::{Asked, Outcome, Record, Who, Why};
use super::seal::{Keyring, Sealed};
use super::touched::{Positions, Touched};

/// Why a record could not be encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The month's key could not be read or made.
    #[error("the key for sealing cannot be had: {0}")]
    Key(#[from] io::Error),
    /// The encoder refused; cannot happen while it writes to memory.
    #[error("the record does not encode: {0}")]
    Cbor(#[from] minicbor::encode::Error<Infallible>),
}

type Cbor<'a> = Encoder<&'a mut Vec<u8>>;
type Written = Result<(), minicbor::encode::Error<Infallible>>;

/// How a column's positions are packed: ascending differences, one bit for each row, or all rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Differences = 0,
    Bits = 1,
    All = 2,
}

/// Encodes a record for a log whose segments carry `schema_hash` in their headers.
pub fn record(record: &Record, keys: &Keyring, schema_hash: &[u8; 32]) -> Result<Vec<u8>, EncodeError> {
    let rows: usize = record.touched.iter().map(|touched| touched.rows.packed().len() + 32).sum();
    let mut bytes = Vec::with_capacity(384 + rows);
    let sealed = match plain_secrets(record)? {
        Some(plain) => Some(keys.seal(record.id, record.started_us, &plain)?),
        None => None,
    };
    let mut cbor = Encoder::new(&mut bytes);
    write_record(&mut cbor, record, sealed.as_ref(), schema_hash)?;
    Ok(bytes)
}

fn write_record(cbor: &mut Cbor, record: &Record, sealed: Option<&Sealed>, schema_hash: &[u8; 32]) -> Written {
    let Record { id, started_us, duration_us, kind, who, why, right, asked, touched, outcome, note } = record;
    let optional = [asked.is_some(), sealed.is_some(), !touched.is_empty(), note.is_some()];
    cbor.map(8 + optional.iter().filter(|present| **present).count() as u64)?;
    cbor.u8(0)?.bytes(id.as_bytes())?;
    cbor.u8(1)?.i64(*started_us)?;
    cbor.u8(2)?.u32(*duration_us)?;
    cbor.u8(3)?.u8(kind.code())?;
    cbor.u8(4)?;
    write_who(cbor, who)?;
    cbor.u8(5)?;
    write_why(cbor, why)?;
    cbor.u8(6)?.array(2)?.u64(right.epoch)?;
    match right.schema_hash == *schema_hash {
        true => cbor.null()?,
        false => cbor.bytes(&right.schema_hash)?,
    };
    if let Some(Asked { document, shape, operation_name, .. }) = asked {
        cbor.u8(7)?.array(3)?.bytes(&document.hash)?.bytes(&shape.hash)?;
        text_or_null(cbor, operation_name.as_deref())?;
    }
    if let Some(Sealed { partition, nonce, text }) = sealed {
        cbor.u8(8)?.array(3)?.str(partition)?.bytes(nonce)?.bytes(text)?;
    }
    if !touched.is_empty() {
        cbor.u8(9)?.array(touched.len() as u64)?;
        touched.iter().try_for_each(|touched| write_touched(cbor, touched))?;
    }
    let Outcome { code, rows, bytes, digest } = outcome;
    cbor.u8(10)?.array(4)?;
    text_or_null(cbor, code.as_deref())?;
    cbor.u32(*rows)?.u64(*bytes)?.bytes(digest)?;
    if let Some(note) = note {
        cbor.u8(11)?.str(note)?;
    }
    Ok(())
}

fn write_who(cbor: &mut Cbor, Who { account, agency, session, client_address }: &Who) -> Written {
    cbor.array(4)?.str(account)?.str(agency)?;
    match session {
        Some(session) => cbor.bytes(session.as_bytes())?,
        None => cbor.null()?,
    };
    match client_address {
        Some(IpAddr::V4(address)) => cbor.bytes(&address.octets())?,
        Some(IpAddr::V6(address)) => cbor.bytes(&address.octets())?,
        None => cbor.null()?,
    };
    Ok(())
}

/// The case number is not among these: it is sealed.
fn write_why(cbor: &mut Cbor, Why { form, form_version, sub_form, purpose, case_number: _ }: &Why) -> Written {
    cbor.array(3 + u64::from(sub_form.is_some()))?;
    text_or_null(cbor, form.as_deref())?;
    cbor.u32(*form_version)?;
    text_or_null(cbor, purpose.as_deref())?;
    sub_form.as_deref().map_or(Ok(()), |number| cbor.str(number).map(drop))
}

fn write_touched(cbor: &mut Cbor, Touched { rectangle, rows, nulls, errors }: &Touched) -> Written {
    cbor.array(5)?.u16(*rectangle)?.u32(rows.len())?.bytes(rows.packed())?;
    cbor.array(nulls.iter().filter(|at| !at.is_empty()).count() as u64)?;
    for (column, at) in nulls.iter().enumerate().filter(|(_, at)| !at.is_empty()) {
        cbor.array(3)?.u64(column as u64)?;
        write_positions(cbor, at, rows.len())?;
    }
    cbor.array(errors.len() as u64)?;
    for error in errors {
        cbor.array(4)?.u16(error.column)?;
        write_positions(cbor, &error.at, rows.len())?;
        cbor.str(&error.code)?;
    }
    Ok(())
}

/// Two items, packing and bytes: whichever form is the smallest.
fn write_positions(cbor: &mut Cbor, at: &Positions, rows: u32) -> Written {
    let bits_fit = at.iter().last().is_none_or(|last| last < rows);
    if bits_fit && at.len() == rows {
        cbor.u8(Packing::All as u8)?.bytes(&[])?;
    } else if bits_fit && at.packed().len() > rows.div_ceil(8) as usize {
        let mut bits = vec![0u8; rows.div_ceil(8) as usize];
        at.iter().for_each(|position| bits[position as usize / 8] |= 1 << (position % 8));
        cbor.u8(Packing::Bits as u8)?.bytes(&bits)?;
    } else {
        cbor.u8(Packing::Differences as u8)?.bytes(at.packed())?;
    }
    Ok(())
}

/// What is sealed: a map with 0 the variables, 1 the case number, 2 what was taken out of the document. Nothing to seal
/// costs nothing.
fn plain_secrets(record: &Record) -> Result<Option<Vec<u8>>, EncodeError> {
    let variables = record.asked.as_ref().map(|asked| &asked.variables).filter(|text| !text.is_empty());
    let case_number = record.why.case_number.as_deref();
    let strings = record.asked.as_ref().map(|asked| &asked.strings).filter(|strings| !strings.is_empty());
    let present = u64::from(variables.is_some()) + u64::from(case_number.is_some()) + u64::from(strings.is_some());
    if present == 0 {
        return Ok(None);
    }
    let mut plain = Vec::with_capacity(64 + variables.map_or(0, |text| text.len()));
    let mut cbor = Encoder::new(&mut plain);
    cbor.map(present)?;
    if let Some(variables) = variables {
        cbor.u8(0)?.bytes(variables)?;
    }
    if let Some(case_number) = case_number {
        cbor.u8(1)?.str(case_number)?;
    }
    if let Some(strings) = strings {
        cbor.u8(2)?.array(strings.len() as u64)?;
        strings.iter().try_for_each(|text| cbor.str(text).map(drop))?;
    }
    Ok(Some(plain))
}

fn text_or_null(cbor: &mut Cbor, text: Option<&str>) -> Written {
    match text {
        Some(text) => cbor.str(text)?,
        None => cbor.null()?,
    };
    Ok(())
}
