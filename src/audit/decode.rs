//! CBOR → record as stored: blobs by their hash, sealed parts still sealed. Fields that a later version adds
//! are passed over. Turning it into lines for people is left to `show` and `expand`.

use std::net::IpAddr;
use std::sync::Arc;

use minicbor::Decoder;
use minicbor::data::Type;
use minicbor::decode::Error;
use uuid::Uuid;

use super::encode::Packing;
use super::record::{Kind, Outcome, Right, Who, Why};
use super::seal::{Keyring, SealError, Sealed};
use super::touched::{CellErrors, Positions, Rows, Touched, is_whole, take_varint};
use super::wording::whole;

/// A record as it stands in a segment.
#[derive(Debug, Clone)]
pub struct StoredRecord {
    /// Its id.
    pub id: Uuid,
    /// Start, in microseconds since 1970-01-01 UTC.
    pub started_us: i64,
    /// Duration in microseconds.
    pub duration_us: u32,
    /// What kind of act this was.
    pub kind: Kind,
    /// Who acted.
    pub who: Who,
    /// For what purpose; the case number is in [`StoredRecord::sealed`].
    pub why: Why,
    /// Which state of the rights and of the schema decided.
    pub right: Right,
    /// The operation.
    pub asked: Option<StoredAsked>,
    /// Variables and case number, where there were any.
    pub sealed: Option<Sealed>,
    /// The rows.
    pub touched: Vec<Touched>,
    /// What came out.
    pub outcome: Outcome,
    /// Remark.
    pub note: Option<String>,
}

/// The operation of a stored record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAsked {
    /// Hash of the document's blob.
    pub document: [u8; 32],
    /// Hash of the shape's blob.
    pub shape: [u8; 32],
    /// Name of the operation that was run.
    pub operation_name: Option<Arc<str>>,
}

/// What was sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    /// Variables as JSON text.
    pub variables: Option<String>,
    /// Case number.
    pub case_number: Option<String>,
    /// Strings and comments of the document.
    pub strings: Vec<String>,
}

impl Secrets {
    /// The document as it was sent, from its text as it is stored.
    pub fn document(&self, text: &str) -> String {
        whole(text, &self.strings)
    }
}

impl StoredRecord {
    /// Opens the sealed part.
    pub fn secrets(&self, keys: &Keyring) -> Result<Secrets, SealError> {
        let Some(sealed) = &self.sealed else {
            return Ok(Secrets::default());
        };
        let plain = keys.unseal(self.id, sealed).map_err(|error| match error {
            SealError::Altered(key) if keys.is_younger(&key, self.started_us) => SealError::OtherKey(key),
            error => error,
        })?;
        read_secrets(&plain).map_err(|_| SealError::Altered(sealed.partition.clone()))
    }
}

/// Decodes a record of a segment whose header carries `schema_hash`.
pub fn record(payload: &[u8], schema_hash: &[u8; 32]) -> Result<StoredRecord, Error> {
    let cbor = &mut Decoder::new(payload);
    let mut record = StoredRecord {
        id: Uuid::nil(),
        started_us: 0,
        duration_us: 0,
        kind: Kind::Other(0),
        who: Who { account: "".into(), agency: "".into(), session: None, client_address: None },
        why: Why::default(),
        right: Right { epoch: 0, schema_hash: *schema_hash },
        asked: None,
        sealed: None,
        touched: Vec::new(),
        outcome: Outcome::default(),
        note: None,
    };
    for _ in 0..sized(cbor.map()?)? {
        match cbor.u32()? {
            0 => record.id = Uuid::from_bytes(fixed(cbor)?),
            1 => record.started_us = cbor.i64()?,
            2 => record.duration_us = cbor.u32()?,
            3 => record.kind = Kind::from_code(cbor.u8()?),
            4 => record.who = read_who(cbor)?,
            5 => record.why = read_why(cbor)?,
            6 => {
                let items = sized(cbor.array()?)?;
                record.right.epoch = cbor.u64()?;
                if let Some(hash) = or_null(cbor, fixed)? {
                    record.right.schema_hash = hash;
                }
                skip_rest(cbor, items, 2)?;
            }
            7 => {
                let items = sized(cbor.array()?)?;
                let (document, shape) = (fixed(cbor)?, fixed(cbor)?);
                record.asked = Some(StoredAsked { document, shape, operation_name: or_null(cbor, text)? });
                skip_rest(cbor, items, 3)?;
            }
            8 => {
                let items = sized(cbor.array()?)?;
                let partition = cbor.str()?.to_owned();
                record.sealed = Some(Sealed { partition, nonce: fixed(cbor)?, text: cbor.bytes()?.to_vec() });
                skip_rest(cbor, items, 3)?;
            }
            9 => {
                for _ in 0..sized(cbor.array()?)? {
                    record.touched.push(read_touched(cbor)?);
                }
            }
            10 => {
                let items = sized(cbor.array()?)?;
                let code = or_null(cbor, text)?;
                record.outcome = Outcome { code, rows: cbor.u32()?, bytes: cbor.u64()?, digest: fixed(cbor)? };
                skip_rest(cbor, items, 4)?;
            }
            11 => record.note = Some(cbor.str()?.to_owned()),
            _ => cbor.skip()?,
        }
    }
    Ok(record)
}

fn read_who(cbor: &mut Decoder) -> Result<Who, Error> {
    let items = sized(cbor.array()?)?;
    let (account, agency) = (text(cbor)?, text(cbor)?);
    let session = or_null(cbor, fixed)?.map(Uuid::from_bytes);
    let client_address = or_null(cbor, |cbor| {
        let octets = cbor.bytes()?;
        match (<[u8; 4]>::try_from(octets), <[u8; 16]>::try_from(octets)) {
            (Ok(octets), _) => Ok(IpAddr::from(octets)),
            (_, Ok(octets)) => Ok(IpAddr::from(octets)),
            _ => Err(Error::message("an address has 4 or 16 bytes")),
        }
    })?;
    skip_rest(cbor, items, 4)?;
    Ok(Who { account, agency, session, client_address })
}

fn read_why(cbor: &mut Decoder) -> Result<Why, Error> {
    let items = sized(cbor.array()?)?;
    let form = or_null(cbor, text)?;
    let (form_version, purpose) = (cbor.u32()?, or_null(cbor, text)?);
    // Records of the first format end here.
    let sub_form = if items > 3 { or_null(cbor, text)? } else { None };
    skip_rest(cbor, items, if items > 3 { 4 } else { 3 })?;
    Ok(Why { form, form_version, sub_form, purpose, case_number: None })
}

fn read_touched(cbor: &mut Decoder) -> Result<Touched, Error> {
    let items = sized(cbor.array()?)?;
    let (rectangle, count) = (cbor.u16()?, cbor.u32()?);
    let rows = Rows::from_packed(count, cbor.bytes()?).ok_or(Error::message("row numbers do not match their count"))?;
    let mut touched = Touched { rows, ..Touched::new(rectangle) };
    for _ in 0..sized(cbor.array()?)? {
        let items = sized(cbor.array()?)?;
        let column = usize::from(cbor.u16()?);
        if touched.nulls.len() <= column {
            touched.nulls.resize_with(column + 1, Positions::default);
        }
        touched.nulls[column] = read_positions(cbor, count)?;
        skip_rest(cbor, items, 3)?;
    }
    for _ in 0..sized(cbor.array()?)? {
        let items = sized(cbor.array()?)?;
        let column = cbor.u16()?;
        let at = read_positions(cbor, count)?;
        touched.errors.push(CellErrors { column, code: text(cbor)?, at });
        skip_rest(cbor, items, 4)?;
    }
    skip_rest(cbor, items, 5)?;
    Ok(touched)
}

fn read_positions(cbor: &mut Decoder, rows: u32) -> Result<Positions, Error> {
    let packing = cbor.u8()?;
    let bytes = cbor.bytes()?;
    if packing == Packing::All as u8 {
        return Ok((0..rows).collect());
    }
    if packing == Packing::Bits as u8 {
        let is_set = |position: &u32| bytes.get(*position as usize / 8).is_some_and(|b| b >> (position % 8) & 1 == 1);
        return Ok((0..rows).filter(is_set).collect());
    }
    if packing != Packing::Differences as u8 || !is_whole(bytes) {
        return Err(Error::message("unknown packing of positions"));
    }
    let mut rest = bytes;
    let mut last = 0u32;
    let differences = std::iter::from_fn(|| {
        last = last.wrapping_add(take_varint(&mut rest)? as u32);
        Some(last)
    });
    Ok(differences.collect())
}

fn read_secrets(plain: &[u8]) -> Result<Secrets, Error> {
    let cbor = &mut Decoder::new(plain);
    let mut secrets = Secrets::default();
    for _ in 0..sized(cbor.map()?)? {
        match cbor.u32()? {
            0 => secrets.variables = Some(String::from_utf8_lossy(cbor.bytes()?).into_owned()),
            1 => secrets.case_number = Some(cbor.str()?.to_owned()),
            2 => {
                for _ in 0..sized(cbor.array()?)? {
                    secrets.strings.push(cbor.str()?.to_owned());
                }
            }
            _ => cbor.skip()?,
        }
    }
    Ok(secrets)
}

fn sized(length: Option<u64>) -> Result<u64, Error> {
    length.ok_or(Error::message("collections of the log have a length"))
}

fn skip_rest(cbor: &mut Decoder, items: u64, known: u64) -> Result<(), Error> {
    (known..items).try_for_each(|_| cbor.skip())
}

fn text(cbor: &mut Decoder) -> Result<Arc<str>, Error> {
    Ok(cbor.str()?.into())
}

fn fixed<const N: usize>(cbor: &mut Decoder) -> Result<[u8; N], Error> {
    cbor.bytes()?.try_into().map_err(|_| Error::message("a byte string of another length was expected"))
}

fn or_null<'b, T>(
    cbor: &mut Decoder<'b>,
    read: impl FnOnce(&mut Decoder<'b>) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    if cbor.datatype()? == Type::Null {
        cbor.null()?;
        return Ok(None);
    }
    read(cbor).map(Some)
}
