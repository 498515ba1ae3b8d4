//! `PermitNumber` (執照號碼): year of the Republic, word, number: `115使字第0001號`. The sequence begins anew
//! each year, so all three make the key.

use super::{Expected, writing};

const EXPECTED: Expected = Expected {
    en: "a permit number such as \"115使字第0001號\"",
    zh: "執照號碼，例如「115使字第0001號」",
};

/// Longest word met is `建(松山)(五)`; twice that is room enough.
const WORD_MAX: usize = 16;

/// Reads `82使字第12號` to `082使字第0012號`; brackets in the word become half width.
pub fn parse(text: &str) -> Result<String, Expected> {
    read(text).map(|permit| permit.to_string())
}

/// The three parts of a permit number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    /// Year of the Republic.
    pub year: u16,
    /// `使`, `建`, `雜`, `拆`, `變使`, `建補`, `營`, `工營`, `建(松山)(五)` …
    pub word: String,
    /// Number within year and word.
    pub number: u32,
}

impl std::fmt::Display for Permit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:03}{}字第{:04}號", self.year, self.word, self.number)
    }
}

/// Reads the three parts.
pub fn read(text: &str) -> Result<Permit, Expected> {
    let folded = writing::fold(text);
    let text = folded.strip_prefix("民國").unwrap_or(&folded);
    let text = text.strip_suffix('號').ok_or(EXPECTED)?;
    let (head, number) = text.split_once("字第").ok_or(EXPECTED)?;
    let word_at = head.find(|c: char| !c.is_ascii_digit()).ok_or(EXPECTED)?;
    let (year, word) = head.split_at(word_at);
    let word = word.strip_prefix('年').unwrap_or(word);
    let count = word.chars().count();
    let is_word = |c: char| c.is_alphabetic() || matches!(c, '(' | ')');
    if !(1..=3).contains(&year.len()) || !(1..=WORD_MAX).contains(&count) || !word.chars().all(is_word) {
        return Err(EXPECTED);
    }
    if !(1..=6).contains(&number.len()) || !number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(EXPECTED);
    }
    Ok(Permit {
        year: year.parse().map_err(|_| EXPECTED)?,
        word: word.to_owned(),
        number: number.parse().map_err(|_| EXPECTED)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writings() {
        for (text, canonical) in [
            ("82使字第12號", "082使字第0012號"),
            ("115使字第0001號", "115使字第0001號"),
            ("090建字第0143號", "090建字第0143號"),
            ("88建（景）字第1號", "088建(景)字第0001號"),
            ("088建(松山)(五)字第0012號", "088建(松山)(五)字第0012號"),
            ("１０２雜字第７號", "102雜字第0007號"),
            ("民國82年使字第12號", "082使字第0012號"),
            ("75工營字第0003號", "075工營字第0003號"),
            ("100建補字第0003號", "100建補字第0003號"),
            ("112變使字第12號", "112變使字第0012號"),
            ("99拆字第120號", "099拆字第0120號"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(canonical), "{text}");
        }
        for text in [
            "",
            "82使字第xxx號",
            "使字第12號",
            "82字第12號",
            "82使第12號",
            "82使字第號",
            "1234使字第1號",
            "82使1字第1號",
            "82使字第12",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn canonical_is_a_fixed_point(year in 1u16..200, number in 1u32..10_000) {
            let canonical = format!("{year:03}使字第{number:04}號");
            proptest::prop_assert_eq!(parse(&format!("{year}使字第{number}號")), Ok(canonical.clone()));
            proptest::prop_assert_eq!(parse(&canonical), Ok(canonical.clone()));
        }

        #[test]
        fn never_panics(text in "\\PC{0,24}") { let _ = parse(&text); }

        #[test]
        fn never_panics_near(text in "[0-9使建字第號年民國()]{0,16}") { let _ = parse(&text); }
    }
}
