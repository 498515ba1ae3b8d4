//! `NationalId`: 國民身分證統一編號, and 外來人口統一證號 in its new (2021) and old form. Ten characters with
//! a check digit. Companies' and agencies' numbers are in `company_number`.

use super::Expected;

const EXPECTED: Expected = Expected {
    en: "a national or resident identity number: a capital letter and nine more characters, with a valid check digit, such as \"A123456789\"",
    zh: "國民身分證或外來人口統一證號：大寫字母加九碼且檢查碼正確，例如「A123456789」",
};

/// Letters in the order of their values 10…35.
const LETTERS: &[u8; 26] = b"ABCDEFGHJKLMNPQRSTUVXYWZIO";

/// What kind of number it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 國民身分證統一編號, second character 1 (male) or 2 (female).
    National,
    /// 新式外來人口統一證號, second character 8 or 9.
    Resident,
    /// 舊式外來人口統一證號, second character A–D; valid until the end of 2030.
    OldResident,
}

/// Checks the number; the canonical writing is the number itself without spaces around it.
pub fn parse(text: &str) -> Result<String, Expected> {
    let text = text.trim();
    kind(text).map(|_| text.to_owned()).ok_or(EXPECTED)
}

/// The kind of a valid number.
pub fn kind(text: &str) -> Option<Kind> {
    let bytes: &[u8; 10] = text.as_bytes().try_into().ok()?;
    let kind = match bytes[1] {
        b'1' | b'2' => Kind::National,
        b'8' | b'9' => Kind::Resident,
        b'A'..=b'D' => Kind::OldResident,
        _ => return None,
    };
    (sum(bytes)? % 10 == 0).then_some(kind)
}

/// The check digit that makes a number of its first nine characters (`A12345678` → `9`).
pub fn check_digit(first_nine: &str) -> Option<char> {
    let mut bytes = [b'0'; 10];
    bytes.get_mut(..9)?.copy_from_slice(first_nine.as_bytes().get(..9).filter(|b| b.len() == first_nine.len())?);
    let digit = (10 - sum(&bytes)? % 10) % 10;
    char::from_digit(digit, 10)
}

fn letter(byte: u8) -> Option<u32> {
    LETTERS.iter().position(|l| *l == byte).map(|at| at as u32 + 10)
}

/// Weighted sum; divisible by ten when the number is right.
fn sum(bytes: &[u8; 10]) -> Option<u32> {
    let area = letter(bytes[0])?;
    let mut sum = area / 10 + area % 10 * 9;
    for (at, byte) in bytes[1..].iter().enumerate() {
        let digit = match byte {
            b'0'..=b'9' => u32::from(byte - b'0'),
            b'A'..=b'D' if at == 0 => letter(*byte)? % 10,
            _ => return None,
        };
        sum += digit * if at == 8 { 1 } else { 8 - at as u32 };
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors() {
        for text in [
            "A123456789",
            "A223456781",
            "F100000006",
            "F131104093",
            "B123456780",
            "I100000003",
            "O200000006",
            "Y199999998",
            "Z200000004",
        ] {
            assert_eq!(kind(text), Some(Kind::National), "{text}");
        }
        for text in ["A800000014", "F950000007", "A971234562"] {
            assert_eq!(kind(text), Some(Kind::Resident), "{text}");
        }
        assert_eq!(kind("AA00000009"), Some(Kind::OldResident));
        for text in [
            "A123456788",
            "Z299999999",
            "A323456789",
            "a123456789",
            "A12345678",
            "",
            "A1234567890",
            "王小明王小明王小明王",
            "AE00000009",
            "AA0000000A",
        ] {
            assert_eq!(parse(text), Err(EXPECTED), "{text}");
        }
    }

    #[test]
    fn check_digits() {
        assert_eq!(check_digit("A12345678"), Some('9'));
        assert_eq!(check_digit("AA0000000"), Some('9'));
        assert_eq!(check_digit("A1234567"), None);
        assert_eq!(check_digit("A123456789"), None);
    }

    proptest::proptest! {
        #[test]
        fn exactly_one_check_digit(letter in "[A-Z]", second in "[1289A-D]", body in "[0-9]{7}") {
            let nine = format!("{letter}{second}{body}");
            let good: Vec<char> = ('0'..='9').filter(|c| kind(&format!("{nine}{c}")).is_some()).collect();
            proptest::prop_assert_eq!(good, check_digit(&nine).into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn never_panics(text in "\\PC{0,14}") { let _ = (parse(&text), check_digit(&text)); }
    }
}
