//! `ParcelNumber` (地號): eight digits, four for the mother number and four for the child; and whole parcel
//! strings with district, section (段) and small section (小段). Which section has which code is left to
//! the land-section table.

use super::{Expected, district, writing};

const EXPECTED: Expected = Expected {
    en: "a parcel number: \"0733-0000\", \"18-1\" or eight digits \"00180001\"",
    zh: "地號：「0733-0000」、「18-1」或八碼「00180001」",
};
const EXPECTED_WHOLE: Expected = Expected {
    en: "section and parcel number such as \"臺北市松山區寶清段四小段0547-0000號\"",
    zh: "地段地號，例如「臺北市松山區寶清段四小段0547-0000號」",
};

/// Reads `0733-0000`, `733`, `18-1`, `00180001`, `733地號` to eight digits.
pub fn parse(text: &str) -> Result<String, Expected> {
    parse_folded(&writing::fold(text))
}

/// A parcel with its section, as permits and lists print it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParcelText {
    /// 行政區, if written.
    pub district: Option<String>,
    /// 段, folded: `寶清段`.
    pub section: String,
    /// 小段: `四小段`.
    pub small_section: Option<String>,
    /// Eight digits.
    pub number: String,
}

/// Reads a whole string, `臺北市松山區寶清段四小段0547-0000號`.
pub fn parse_whole(text: &str) -> Result<ParcelText, Expected> {
    let folded = writing::fold(text);
    let (district, section, small_section, rest) = split_section(&folded).ok_or(EXPECTED_WHOLE)?;
    let number = parse_folded(rest).map_err(|_| EXPECTED_WHOLE)?;
    Ok(ParcelText { district, section, small_section, number })
}

/// The form in which names of sections are compared: folded, small sections numbered in Chinese, and the
/// variants that occur in section names only.
pub fn section_name_key(name: &str) -> String {
    let folded = writing::fold(name).replace('崗', "岡");
    folded.chars().map(|c| c.to_digit(10).map_or(c.to_string(), writing::to_chinese)).collect()
}

type Sectioned<'a> = (Option<String>, String, Option<String>, &'a str);

/// Splits folded text into district, section, small section and what follows.
pub(super) fn split_section(folded: &str) -> Option<Sectioned<'_>> {
    let text = folded.strip_prefix("臺北市").unwrap_or(folded);
    let (district, text) = match district::strip_name(text) {
        Some((district, rest)) => (Some(district.name.to_owned()), rest),
        None => (None, text),
    };
    // The section ends at the last 段 before the first digit of the number; 小段 belongs to the small
    // section, whose own name may be a number (`3小段`) or a word (`外雙溪小段`).
    let end = text.rfind('段')? + '段'.len_utf8();
    let (names, rest) = text.split_at(end);
    let (section, small) = match names.strip_suffix("小段") {
        None => (names, None),
        Some(_) => {
            let at = names.find('段')? + '段'.len_utf8();
            if at >= names.len() {
                return None;
            }
            (&names[..at], Some(&names[at..]))
        }
    };
    if section.chars().count() < 2 || small.is_some_and(|s| s == "小段") {
        return None;
    }
    let small = small.map(section_name_key);
    Some((district, section.to_owned(), small, rest))
}

fn parse_folded(text: &str) -> Result<String, Expected> {
    let text = text.strip_suffix('號').unwrap_or(text);
    let text = text.strip_suffix('地').unwrap_or(text);
    // A stray full stop after the digits was met in the permits.
    let text = text.strip_suffix('.').unwrap_or(text);
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let (mother, child) = match text.split_once(['-', '之']) {
        Some((mother, child)) => (mother, child),
        None if text.len() == 8 && all_digits(text) => text.split_at(4),
        None => (text, "0"),
    };
    if !all_digits(mother) || !all_digits(child) || mother.len() > 4 || child.len() > 4 {
        return Err(EXPECTED);
    }
    Ok(format!("{mother:0>4}{child:0>4}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writings() {
        for (text, canonical) in [
            ("0733-0000", "07330000"),
            ("733", "07330000"),
            ("18-1", "00180001"),
            ("00180001", "00180001"),
            ("18之1", "00180001"),
            ("279-9號", "02790009"),
            ("733地號", "07330000"),
            ("０７３３－０００１", "07330001"),
            ("9999-999.號", "99990999"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(canonical), "{text}");
        }
        for text in ["", "-", "12345", "123456789", "1-2-3", "18-", "地號", "1a", "00018-0001"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn whole_strings() {
        let read = |text: &str| {
            parse_whole(text)
                .map(|p| (p.district.unwrap_or_default(), p.section, p.small_section.unwrap_or_default(), p.number))
        };
        let parts = |d: &str, s: &str, m: &str, n: &str| Ok((d.into(), s.into(), m.into(), n.into()));
        assert_eq!(read("臺北市松山區寶清段四小段0547-0000號"), parts("松山區", "寶清段", "四小段", "05470000"));
        assert_eq!(read("臺北市中山區金泰段0046-0002號"), parts("中山區", "金泰段", "", "00460002"));
        assert_eq!(
            read("臺北市內湖區內湖段打鐵寮小段0001-0000號"),
            parts("內湖區", "內湖段", "打鐵寮小段", "00010000")
        );
        assert_eq!(read("北安段3小段582地號"), parts("", "北安段", "三小段", "05820000"));
        for text in ["臺北市-0000號", "", "段1號", "寶清段", "寶清段四小段", "寶清段小段1號", "小段1號"]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn section_names_compare_folded() {
        assert_eq!(section_name_key("舊庄段"), section_name_key("舊莊段"));
        assert_eq!(section_name_key("犂和段"), section_name_key("\u{e0ea}和段"));
        assert_eq!(section_name_key("3小段"), "三小段");
    }

    proptest::proptest! {
        #[test]
        fn canonical_is_a_fixed_point(mother in 0u32..10_000, child in 0u32..10_000) {
            let canonical = format!("{mother:04}{child:04}");
            proptest::prop_assert_eq!(parse(&format!("{mother}-{child}")), Ok(canonical.clone()));
            proptest::prop_assert_eq!(parse(&canonical), Ok(canonical.clone()));
        }

        #[test]
        fn never_panics(text in "\\PC{0,24}") { let _ = (parse(&text), parse_whole(&text)); }

        #[test]
        fn never_panics_near(text in "[臺北市松山區段小號地0-9.-]{0,24}") { let _ = (parse(&text), parse_whole(&text)); }
    }
}
