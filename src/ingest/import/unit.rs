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
        let folded = one_number(text)?;
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

/// What [`one_number`] takes.
pub const EXPECTED_ONE_NUMBER: Expected = Expected {
    en: "one number, without spaces or footnotes in it, and with commas between thousands only, such as \"1,234.5\"",
    zh: "單一數字，中間不含空白與註記，逗號只作千分位，例如「1,234.5」",
};

/// In folded writing, thousands run together. What else would run together is refused: `1,2` and `3 4` are two numbers,
/// `45,5` has its point written otherwise, `45①` a footnote.
pub fn one_number(text: &str) -> Result<String, Expected> {
    let marks = text.replace(['m', 'M', 'ｍ', 'Ｍ'], "m").replace("m²", "");
    let is_mark = |c: char| c.is_numeric() && !c.is_ascii_digit() && !('０'..='９').contains(&c);
    let words: Vec<String> = text.split_whitespace().map(writing::fold).collect();
    let in_number = |c: char| c.is_ascii_digit() || matches!(c, ',' | '.');
    let is_apart = words.windows(2).any(|pair| pair[0].ends_with(in_number) && pair[1].starts_with(in_number));
    let folded = words.concat();
    if marks.contains(is_mark) || is_apart || (folded.contains(',') && !has_thousands(&folded)) {
        return Err(EXPECTED_ONE_NUMBER);
    }
    Ok(folded.replace(',', ""))
}

/// Whether the commas stand behind one to three digits, and then behind three and three.
fn has_thousands(folded: &str) -> bool {
    let mut groups = folded.strip_prefix(['-', '+']).unwrap_or(folded).split(',');
    let is_digits = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    let first = groups.next().unwrap_or_default();
    let last = groups.next_back().unwrap_or_default();
    let digits = last.bytes().take_while(u8::is_ascii_digit).count();
    (1..=3).contains(&first.len())
        && is_digits(first)
        && !first.starts_with('0')
        && groups.all(|group| group.len() == 3 && is_digits(group))
        && digits == 3
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

    #[test]
    fn only_thousands_run_together() {
        let sound =
            [("1,234,567.5㎡", "1234567.5m2"), ("-1,234", "-1234"), ("１２", "12"), ("20 m²", "20m2"), ("7 戶", "7戶")];
        for (text, number) in sound {
            assert_eq!(one_number(text).as_deref(), Ok(number), "{text}");
        }
        for text in
            ["1,2", "45,5", "1.234,56", "0,123", "1234,567", "1,2345", "1,,234", ",123", "3 4", "12\n34", "5²", "45①"]
        {
            assert_eq!(one_number(text), Err(EXPECTED_ONE_NUMBER), "{text}");
        }
    }
}
