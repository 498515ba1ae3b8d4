//! `BuildingNumber` (建號): eight characters, five for the mother number and three for the child. Provisional
//! numbers (暫編) begin with a letter: `E1340-000`.

use super::{Expected, parcel_number::split_section, writing};

const EXPECTED: Expected = Expected {
    en: "a building number: \"01157建號\", \"01234-000\" or eight digits \"01234000\"",
    zh: "建號：「01157建號」、「01234-000」或八碼「01234000」",
};

/// Reads `01157建號`, `1157`, `01234-000`, `01234000`, `E1340-000建號` to eight characters.
pub fn parse(text: &str) -> Result<String, Expected> {
    parse_folded(&writing::fold(text))
}

/// A building number with its section, as registers and lists print it: `萬華段一小段01157建號`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildingText {
    /// 行政區, if written.
    pub district: Option<String>,
    /// 段
    pub section: String,
    /// 小段
    pub small_section: Option<String>,
    /// Eight characters.
    pub number: String,
}

/// Reads a whole string, `臺北市萬華區萬華段一小段01157建號`.
pub fn parse_whole(text: &str) -> Result<BuildingText, Expected> {
    let folded = writing::fold(text);
    let (district, section, small_section, rest) = split_section(&folded).ok_or(EXPECTED)?;
    let number = parse_folded(rest)?;
    Ok(BuildingText { district, section, small_section, number })
}

fn parse_folded(text: &str) -> Result<String, Expected> {
    let text = text.strip_suffix('號').unwrap_or(text);
    let text = text.strip_suffix('建').unwrap_or(text);
    let (letter, digits) = match text.strip_prefix(|c: char| c.is_ascii_uppercase()) {
        Some(rest) => (&text[..1], rest),
        None => ("", text),
    };
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let room = 5 - letter.len();
    let (mother, child) = match digits.split_once('-') {
        Some((mother, child)) => (mother, child),
        None if all_digits(digits) && digits.len() == room + 3 => digits.split_at(room),
        None => (digits, "0"),
    };
    if !all_digits(mother) || !all_digits(child) || mother.len() > room || child.len() > 3 {
        return Err(EXPECTED);
    }
    Ok(format!("{letter}{mother:0>room$}{child:0>3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writings() {
        for (text, canonical) in [
            ("01157建號", "01157000"),
            ("1157", "01157000"),
            ("01234-000", "01234000"),
            ("01234000", "01234000"),
            ("10072-001建號", "10072001"),
            ("E1340-000建號", "E1340000"),
            ("E0385建號", "E0385000"),
            ("E1340000", "E1340000"),
            ("０１１５７建號", "01157000"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(canonical), "{text}");
        }
        for text in ["", "建號", "EO381建號", "123456", "123456789", "1-2-3", "01157-0000", "-1"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn whole_strings() {
        let read = parse_whole("萬華段一小段01157建號").map_err(|e| e.en).unwrap();
        assert_eq!((read.section.as_str(), read.small_section.as_deref()), ("萬華段", Some("一小段")));
        assert_eq!((read.number.as_str(), read.district), ("01157000", None));
        assert!(parse_whole("新民段二小段").is_err());
    }

    proptest::proptest! {
        #[test]
        fn canonical_is_a_fixed_point(mother in 0u32..100_000, child in 0u32..1000) {
            let canonical = format!("{mother:05}{child:03}");
            proptest::prop_assert_eq!(parse(&format!("{mother}-{child}")), Ok(canonical.clone()));
            proptest::prop_assert_eq!(parse(&canonical), Ok(canonical.clone()));
        }

        #[test]
        fn never_panics(text in "\\PC{0,20}") { let _ = (parse(&text), parse_whole(&text)); }
    }
}
