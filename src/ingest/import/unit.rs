//! Units behind numbers: which one a column can have is said by the end of its name (`area_m2`, `height_m`, `bcr_pct`).
//! A hectare becomes square metres; a unit of another kind is a fault, because the number would be wrong.

use rust_decimal::Decimal;

use crate::catalog::scalar::{Expected, decimal, writing};

/// What a number measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nobody says it.
    Any,
    /// Square metres.
    Area,
    /// Metres.
    Length,
    /// Hundredths.
    Percent,
    /// Money, or things that are counted.
    Count,
}

/// Folded writing, kind, and how many of the column's own unit it is. Longer ones first: 平方公尺 ends with 公尺.
const UNITS: [(&str, Unit, u32); 12] = [
    ("平方公尺", Unit::Area, 1),
    ("公頃", Unit::Area, 10_000),
    ("m2", Unit::Area, 1),
    ("M2", Unit::Area, 1),
    ("公尺", Unit::Length, 1),
    ("m", Unit::Length, 1),
    ("M", Unit::Length, 1),
    ("%", Unit::Percent, 1),
    ("元", Unit::Count, 1),
    ("戶", Unit::Count, 1),
    ("筆", Unit::Count, 1),
    ("人", Unit::Count, 1),
];

impl Unit {
    /// The unit of a column.
    pub fn of_column(name: &str) -> Unit {
        match name.rsplit('_').next() {
            Some("m2") => Unit::Area,
            Some("m") => Unit::Length,
            Some("pct") => Unit::Percent,
            _ => Unit::Count,
        }
    }

    /// Reads a number with or without its unit.
    pub fn read(self, text: &str) -> Result<String, Expected> {
        let folded = without_commas(text);
        let unit = UNITS.iter().find_map(|(unit, kind, times)| Some((folded.strip_suffix(unit)?, *kind, *times)));
        let Some((number, kind, times)) = unit else { return decimal::parse(&folded) };
        let number = decimal::read(number)?;
        if self != Unit::Any && self != kind {
            return Err(self.expected());
        }
        let number = number.checked_mul(Decimal::from(times)).ok_or(self.expected())?;
        Ok(number.normalize().to_string())
    }

    /// What its columns take.
    pub fn expected(self) -> Expected {
        let (en, zh) = match self {
            Unit::Area => (
                "an area in 平方公尺 (㎡) or 公頃, without another unit",
                "以平方公尺（㎡）或公頃計的面積，不得為其他單位",
            ),
            Unit::Length => ("a length in 公尺 (m), without another unit", "以公尺（m）計的長度，不得為其他單位"),
            Unit::Percent => ("a share in percent, without another unit", "百分比，不得為其他單位"),
            Unit::Count | Unit::Any => (
                "a number or an amount (元, 戶, 筆, 人), without another unit",
                "數量或金額（元、戶、筆、人），不得為其他單位",
            ),
        };
        Expected { en, zh }
    }
}

/// In folded writing, thousands run together.
pub fn without_commas(text: &str) -> String {
    writing::fold(text).replace(',', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_converted_or_refused() {
        let read = |column: &str, text: &str| Unit::of_column(column).read(text);
        for (column, text, number) in [
            ("area_m2", "783㎡", "783"),
            ("area_m2", "1.5公頃", "15000"),
            ("area_m2", "1,234.50 平方公尺", "1234.5"),
            ("height_m", "49.56M", "49.56"),
            ("bcr_pct", "45%", "45"),
            ("cost", "6,846,068元", "6846068"),
            ("households", "7戶", "7"),
            ("height_m", "18", "18"),
        ] {
            assert_eq!(read(column, text).as_deref(), Ok(number), "{text}");
        }
        for (column, text) in
            [("area_m2", "3戶"), ("area_m2", "18m"), ("height_m", "4.2%"), ("height_m", "5㎡"), ("cost", "5%")]
        {
            assert_eq!(read(column, text), Err(Unit::of_column(column).expected()), "{text}");
        }
        assert!(read("area_m2", "約20").is_err());
    }
}
