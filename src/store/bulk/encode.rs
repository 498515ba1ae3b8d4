//! Rows as PostgreSQL's binary COPY format wants them. Sending them is left to `postgres`.

use bytes::{BufMut, BytesMut};

use super::Value;

/// Days from 1970-01-01 to 2000-01-01, PostgreSQL's first day.
const POSTGRES_EPOCH: i32 = 10_957;

/// Signature, flags and length of the header extension.
pub const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Appends one row: its id and its values.
pub fn row(id: i64, values: &[(&'static str, Value<'_>)], out: &mut BytesMut) {
    // No table has anywhere near i16::MAX columns.
    out.put_i16(i16::try_from(values.len() + 1).unwrap_or(i16::MAX));
    out.put_i32(8);
    out.put_i64(id);
    for (_, value) in values {
        match value {
            Value::Null => out.put_i32(-1),
            Value::Text(text) => {
                out.put_i32(i32::try_from(text.len()).unwrap_or(i32::MAX));
                out.put_slice(text.as_bytes());
            }
            Value::Int(number) => {
                out.put_i32(4);
                out.put_i32(*number);
            }
            Value::Boolean(yes) => {
                out.put_i32(1);
                out.put_u8(u8::from(*yes));
            }
            Value::Day(day) => {
                out.put_i32(4);
                out.put_i32(day - POSTGRES_EPOCH);
            }
            Value::Decimal(mantissa, scale) => numeric(*mantissa, *scale, out),
        }
    }
}

/// PostgreSQL's numeric: digits of base 10,000, the power of the first, sign, digits after the point.
fn numeric(mantissa: i64, scale: u32, out: &mut BytesMut) {
    let pad = (4 - scale % 4) % 4; // so that groups of four begin at the point
    let fraction = (scale + pad) / 4;
    let mut rest = i128::from(mantissa).unsigned_abs() * 10_u128.pow(pad);
    let mut digits = [0_i16; 12]; // least significant first; 2^63 with three zeros has 22 digits
    let mut count = 0;
    while rest > 0 {
        digits[count] = (rest % 10_000) as i16; // below 10,000
        rest /= 10_000;
        count += 1;
    }
    let lowest = digits[..count].iter().position(|digit| *digit != 0).unwrap_or(count);
    let kept = count - lowest;
    out.put_i32(8 + 2 * kept as i32);
    out.put_i16(kept as i16);
    out.put_i16(count as i16 - fraction as i16 - 1);
    out.put_i16(if mantissa < 0 { 0x4000 } else { 0 });
    out.put_i16(scale as i16);
    for digit in digits[lowest..count].iter().rev() {
        out.put_i16(*digit);
    }
}
