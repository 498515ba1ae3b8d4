//! `Decimal`: an exact number, kept as plain digits: no exponent, no plus sign, no trailing zeros.

use rust_decimal::Decimal;

use super::Expected;

const EXPECTED: Expected = Expected {
    en: "a decimal number of at most 28 digits such as \"614.94\"",
    zh: "十進位數，至多 28 位，例如「614.94」",
};

/// Reads a number, an exponent allowed, and gives the canonical writing.
pub fn parse(text: &str) -> Result<String, Expected> {
    read(text).map(|number| number.to_string())
}

/// Reads a number, an exponent allowed.
pub fn read(text: &str) -> Result<Decimal, Expected> {
    let text = text.trim();
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| EXPECTED)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return Err(EXPECTED);
    }
    let number = match exponent {
        0 => Decimal::from_str_exact(text.strip_prefix('+').unwrap_or(text)),
        -28..=28 => Decimal::from_scientific(text.strip_prefix('+').unwrap_or(text)),
        _ => return Err(EXPECTED),
    };
    let number = number.map_err(|_| EXPECTED)?.normalize();
    Ok(if number.is_zero() { Decimal::ZERO } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical() {
        for (text, canonical) in [
            ("614.94", "614.94"),
            ("160.0", "160"),
            ("007", "7"),
            ("-0.50", "-0.5"),
            ("+3", "3"),
            ("1.5e3", "1500"),
            ("1E-2", "0.01"),
            ("-0", "0"),
            (" 12 ", "12"),
            ("8618400", "8618400"),
            ("0.0", "0"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(canonical), "{text}");
        }
        for text in
            ["", ".", "1.", ".5", "1,000", "12㎡", "NaN", "1e99", "1e", "--1", "99999999999999999999999999999999"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn canonical_is_a_fixed_point(n in -1_000_000_000_000i64..1_000_000_000_000, scale in 0u32..6) {
            let text = Decimal::new(n, scale).to_string();
            let once = parse(&text).map_err(|e| e.en).unwrap();
            proptest::prop_assert_eq!(parse(&once), Ok(once.clone()));
            proptest::prop_assert!(!once.contains(['e', 'E', '+']));
        }

        #[test]
        fn never_panics(text in "[0-9eE.+-]{0,40}") { let _ = parse(&text); }
    }
}
