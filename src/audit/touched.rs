//! The rows of a rectangle and the exceptions of single cells, packed while the answer is written, so that
//! the record of a large answer costs a byte or two per row.

use std::sync::Arc;

/// The objects of one rectangle in the order of the answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// Index into `Shape::rectangles`.
    pub rectangle: u16,
    /// Row numbers (surrogate keys) in the order of the answer, repeats included.
    pub rows: Rows,
    /// Per column, by its index in the rectangle's columns: the positions in `rows` where the value was null.
    /// May be shorter than the columns.
    pub nulls: Vec<Positions>,
    /// Cells that failed.
    pub errors: Vec<CellErrors>,
}

/// Cells of one column that failed with one error code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellErrors {
    /// Index into the rectangle's columns.
    pub column: u16,
    /// Error code, `SOURCE_UNAVAILABLE`.
    pub code: Arc<str>,
    /// Positions in the rectangle's rows.
    pub at: Positions,
}

impl Touched {
    /// No rows yet.
    pub fn new(rectangle: u16) -> Touched {
        Touched { rectangle, ..Touched::default() }
    }

    /// Adds an object; 0 for objects that are no rows, such as connections. Returns its position.
    #[inline]
    pub fn row(&mut self, number: i64) -> u32 {
        self.rows.push(number);
        self.rows.len() - 1
    }

    /// The column was null at that position. Positions of one column must not descend.
    #[inline]
    pub fn null(&mut self, column: u16, position: u32) {
        let column = usize::from(column);
        if self.nulls.len() <= column {
            self.nulls.resize_with(column + 1, Positions::default);
        }
        self.nulls[column].push(position);
    }

    /// The column failed at that position. Positions of one column and code must not descend.
    pub fn error(&mut self, column: u16, code: &Arc<str>, position: u32) {
        match self.errors.iter_mut().find(|known| known.column == column && known.code == *code) {
            Some(known) => known.at.push(position),
            None => {
                let mut at = Positions::default();
                at.push(position);
                self.errors.push(CellErrors { column, code: code.clone(), at });
            }
        }
    }
}

/// Row numbers as zigzag varints of the difference to the one before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    count: u32,
    last: i64,
    packed: Vec<u8>,
}

impl Rows {
    /// Room for so many rows.
    pub fn with_capacity(rows: usize) -> Rows {
        Rows { packed: Vec::with_capacity(rows * 2), ..Rows::default() }
    }

    /// Adds a row number.
    #[inline]
    pub fn push(&mut self, number: i64) {
        let delta = number.wrapping_sub(self.last);
        push_varint(&mut self.packed, ((delta << 1) ^ (delta >> 63)) as u64);
        self.last = number;
        self.count += 1;
    }

    /// How many, repeats included.
    pub fn len(&self) -> u32 {
        self.count
    }

    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The row numbers in order.
    pub fn iter(&self) -> impl Iterator<Item = i64> + '_ {
        let mut packed = self.packed.as_slice();
        let mut last = 0i64;
        std::iter::from_fn(move || {
            let zigzag = take_varint(&mut packed)?;
            last = last.wrapping_add((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64));
            Some(last)
        })
    }

    /// The packed bytes, as they stand in the record.
    pub fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// Takes packed bytes back; `None` unless they hold exactly `count` numbers.
    pub fn from_packed(count: u32, packed: &[u8]) -> Option<Rows> {
        let mut rows = Rows { count, last: 0, packed: packed.to_vec() };
        let mut found = 0u32;
        for number in rows.iter().collect::<Vec<_>>() {
            rows.last = number;
            found = found.checked_add(1)?;
        }
        (found == count && is_whole(packed)).then_some(rows)
    }
}

impl FromIterator<i64> for Rows {
    fn from_iter<I: IntoIterator<Item = i64>>(numbers: I) -> Rows {
        let mut rows = Rows::default();
        numbers.into_iter().for_each(|number| rows.push(number));
        rows
    }
}

/// Ascending positions as varints of the difference to the one before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Positions {
    count: u32,
    last: u32,
    packed: Vec<u8>,
}

impl Positions {
    /// Adds a position that is not below the last one; the same position twice counts once.
    #[inline]
    pub fn push(&mut self, position: u32) {
        debug_assert!(self.count == 0 || position >= self.last, "positions of a column must not descend");
        if self.count > 0 && position == self.last {
            return;
        }
        push_varint(&mut self.packed, u64::from(position.wrapping_sub(self.last)));
        self.last = position;
        self.count += 1;
    }

    /// How many.
    pub fn len(&self) -> u32 {
        self.count
    }

    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The positions in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let mut packed = self.packed.as_slice();
        let mut last = 0u32;
        std::iter::from_fn(move || {
            last = last.wrapping_add(take_varint(&mut packed)? as u32);
            Some(last)
        })
    }

    /// The packed bytes.
    pub fn packed(&self) -> &[u8] {
        &self.packed
    }
}

impl FromIterator<u32> for Positions {
    fn from_iter<I: IntoIterator<Item = u32>>(positions: I) -> Positions {
        let mut packed = Positions::default();
        positions.into_iter().for_each(|position| packed.push(position));
        packed
    }
}

/// Appends an unsigned LEB128 number.
#[inline]
pub(super) fn push_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes an unsigned LEB128 number; `None` at the end and for one that is cut short or too long.
#[inline]
pub(super) fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            *bytes = &bytes[index + 1..];
            return Some(number);
        }
    }
    None
}

/// The bytes end where a number ends.
pub(super) fn is_whole(packed: &[u8]) -> bool {
    packed.last().is_none_or(|byte| byte & 0x80 == 0)
}
