//! What stands before the street: city, district, village (里), neighbourhood (鄰); and remarks in brackets,
//! which are no part of an address.

use super::{Fault, numbers};
use crate::catalog::scalar::district::{self, District};

/// Drops what stands in brackets: remarks, not address. An unclosed bracket takes the rest.
pub fn without_remarks(folded: &str) -> String {
    let mut depth = 0usize;
    let mut plain = String::with_capacity(folded.len());
    for c in folded.chars() {
        match c {
            '(' | '[' | '{' | '【' | '〔' | '「' => depth += 1,
            ')' | ']' | '}' | '】' | '〕' | '」' => depth = depth.saturating_sub(1),
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    plain
}

/// City and district off the front; another city is refused.
pub fn strip_city_and_district(text: &str) -> Result<(Option<&'static District>, &str), Fault> {
    let rest = text.strip_prefix("臺北市").unwrap_or(text);
    if let Some((district, rest)) = district::strip_name(rest) {
        return Ok((Some(district), rest));
    }
    let city: String = text.chars().take(3).collect();
    let other = (city.ends_with('市') || city.ends_with('縣')) && city != "臺北市" && !text.starts_with("市民");
    if other { Err(Fault::OtherCity) } else { Ok((None, rest)) }
}

/// `碧山里` before anything else; no street of the city has 里 inside its name.
pub fn read_village(chars: &[char]) -> (Option<String>, usize) {
    let end = chars.iter().take(5).position(|c| *c == '里');
    match end {
        Some(end @ 1..) if chars[..end].iter().all(|c| is_name(*c) && !matches!(c, '路' | '街' | '巷')) => {
            (Some(chars[..=end].iter().collect()), end + 1)
        }
        _ => (None, 0),
    }
}

/// `021鄰`
pub fn read_neighbourhood(chars: &[char], at: usize) -> (Option<u32>, usize) {
    match numbers::number_at(chars, at) {
        Some((number, next)) if chars.get(next) == Some(&'鄰') => (Some(number), next + 1),
        _ => (None, at),
    }
}

/// A character that names are made of.
pub fn is_name(c: char) -> bool {
    c.is_alphabetic() && !c.is_ascii()
}

/// A sign between two addresses or two numbers.
pub fn is_separator(c: char) -> bool {
    matches!(c, '、' | ',' | ';' | ':' | '.' | '。' | '/' | '及' | '和' | '與' | '暨')
}
