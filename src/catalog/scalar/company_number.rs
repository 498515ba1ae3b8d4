//! 統一編號 of companies and agencies: eight digits with a check sum. Owners that are not persons carry it
//! where persons carry a national id.

use super::Expected;

const EXPECTED: Expected = Expected {
    en: "a company or agency number: eight digits with a valid check sum, such as \"04595257\"",
    zh: "公司或機關統一編號：八位數字且檢查碼正確，例如「04595257」",
};

/// Checks the number by the rule of 2023-04 (sum divisible by five), which all older numbers meet, too.
pub fn parse(text: &str) -> Result<String, Expected> {
    let text = text.trim();
    if is_valid(text) { Ok(text.to_owned()) } else { Err(EXPECTED) }
}

/// Whether the check sum is right.
pub fn is_valid(text: &str) -> bool {
    const WEIGHTS: [u32; 8] = [1, 2, 1, 2, 1, 2, 4, 1];
    let bytes = text.as_bytes();
    if bytes.len() != 8 || !bytes.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let sum: u32 = bytes
        .iter()
        .zip(WEIGHTS)
        .map(|(byte, weight)| u32::from(byte - b'0') * weight)
        .map(|product| product / 10 + product % 10)
        .sum();
    // The seventh digit 7 gives 28 → 10, which counts as 1 or as 0.
    sum.is_multiple_of(5) || (bytes[6] == b'7' && (sum + 1).is_multiple_of(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors() {
        for good in ["04595257", "04595252"] {
            assert_eq!(parse(good).as_deref(), Ok(good));
        }
        for bad in ["04595253", "0459525", "045952570", "A4595257", ""] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
