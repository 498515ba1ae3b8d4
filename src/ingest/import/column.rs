//! Values to columns: each text is read as the declared scalar of its column, so that a mapping names a reader
//! only where a value is more than that.

use rust_decimal::{Decimal, RoundingStrategy};

use super::unit::{EXPECTED_ONE_NUMBER, Unit};
use crate::catalog::scalar::{Expected, Scalar, decimal};
use crate::store::upsert::Datum;

/// What a column takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holds {
    /// Declared scalar; text for columns of link tables, which are not declared.
    pub scalar: Scalar,
    /// Digits after the point.
    pub scale: u32,
    /// What its numbers measure.
    pub unit: Unit,
    /// Never null.
    pub not_null: bool,
}

const EXPECTED_TEXT: Expected = Expected {
    en: "text without lost characters (U+FFFD) and without NUL",
    zh: "不含遺失字元（U+FFFD）與 NUL 的文字",
};
const EXPECTED_ONE: Expected = Expected {
    en: "one value; this one is a list, or has several lines",
    zh: "單一值；此值為清單或有多行",
};
const EXPECTED_INT: Expected =
    Expected { en: "a whole number of 32 bits such as 14", zh: "32 位元整數，例如 14" };
const EXPECTED_DECIMAL: Expected = Expected {
    en: "a decimal number of at most 18 digits such as \"614.94\"",
    zh: "至多 18 位的十進位數，例如「614.94」",
};
const EXPECTED_BOOLEAN: Expected =
    Expected { en: "yes or no: 有/無, 是/否, true/false", zh: "是或否：有/無、是/否、true/false" };

impl Holds {
    /// Reads a text, which is not empty, as what the column takes.
    pub fn read(&self, text: &str) -> Result<Datum, Expected> {
        if self.scalar != Scalar::String && text.trim().contains('\n') {
            return Err(EXPECTED_ONE); // scalars pass over spaces: `12` and `34` would be 1234
        }
        match self.scalar {
            Scalar::Int => {
                let wrong_unit = |found| match found == EXPECTED_ONE_NUMBER || found == self.unit.expected() {
                    true => found,
                    false => EXPECTED_INT,
                };
                let number = self.unit.read(text).map_err(wrong_unit)?;
                number.parse::<i32>().map(|n| Datum::Int(n.into())).map_err(|_| EXPECTED_INT)
            }
            Scalar::Id => text.trim().parse().map(Datum::Int).map_err(|_| EXPECTED_INT),
            Scalar::Boolean => match text.trim() {
                "有" | "是" | "Y" | "y" | "true" | "1" => Ok(Datum::Boolean(true)),
                "無" | "否" | "N" | "n" | "false" | "0" => Ok(Datum::Boolean(false)),
                _ => Err(EXPECTED_BOOLEAN),
            },
            Scalar::Decimal => {
                let number = decimal::read(&self.unit.read(text)?)?;
                // The column's own digits, rounded as PostgreSQL does, so that every database holds the same.
                let rounded = number.round_dp_with_strategy(self.scale, RoundingStrategy::MidpointAwayFromZero);
                let limit = Decimal::from(10u64.pow(18 - self.scale.min(18)));
                if rounded.abs() >= limit {
                    Err(EXPECTED_DECIMAL)
                } else {
                    Ok(Datum::Decimal(rounded.normalize().to_string()))
                }
            }
            Scalar::String if text.contains(['\0', '\u{fffd}']) => Err(EXPECTED_TEXT),
            Scalar::String => Ok(Datum::Text(text.trim().to_owned())),
            scalar => scalar.parse_text(text).map(Datum::Text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_by_the_declared_scalar() {
        let read = |scalar, scale, text: &str| Holds { scalar, scale, unit: Unit::Any, not_null: false }.read(text);
        assert_eq!(read(Scalar::Int, 0, "2,053"), Ok(Datum::Int(2053)));
        assert_eq!(read(Scalar::Int, 0, "3000000000"), Err(EXPECTED_INT));
        assert_eq!(read(Scalar::Int, 0, "3.5"), Err(EXPECTED_INT));
        assert_eq!(read(Scalar::Decimal, 2, "99.9999㎡"), Ok(Datum::Decimal("100".into())));
        assert_eq!(read(Scalar::Decimal, 2, "0.005"), Ok(Datum::Decimal("0.01".into())));
        assert_eq!(read(Scalar::Decimal, 0, "1e18"), Err(EXPECTED_DECIMAL));
        assert_eq!(read(Scalar::Date, 0, "1040422"), Ok(Datum::Text("2015-04-22".into())));
        assert_eq!(read(Scalar::Boolean, 0, "有"), Ok(Datum::Boolean(true)));
        assert_eq!(read(Scalar::Int, 0, "3,5"), Err(EXPECTED_ONE_NUMBER));
        assert_eq!(read(Scalar::Date, 0, "104/4/2\n2"), Err(EXPECTED_ONE));
        assert_eq!(read(Scalar::String, 0, "a\u{fffd}"), Err(EXPECTED_TEXT));
        assert_eq!(read(Scalar::String, 0, "消防設備\n防焰物品"), Ok(Datum::Text("消防設備\n防焰物品".into())));
    }
}
