//! What stands before the street: city, district, village (里), neighbourhood (鄰); and remarks in brackets,
//! which are no part of an address.

use super::{Fault, numbers};
use crate::catalog::scalar::district::{self, District};
use crate::catalog::scalar::writing;

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

/// City and district off the front, also where a list wrote them twice (`臺北市文山區臺北市文山區景華街`); another city
/// is refused.
pub fn strip_city_and_district(text: &str) -> Result<(Option<&'static District>, &str), Fault> {
    let without_city = |text| str::strip_prefix(text, "臺北市").unwrap_or(text);
    let rest = without_city(text);
    if let Some((district, mut rest)) = district::strip_name(rest) {
        while let Some(again) = without_city(rest).strip_prefix(district.name) {
            rest = again;
        }
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

/// The street with its section that a place lies in, `忠順街2段`; none where the text names no street, as bare land
/// does. The text need not be a whole address.
pub fn street_of(text: &str) -> Option<String> {
    let folded = writing::fold(text);
    let plain = without_remarks(&folded);
    let (_, rest) = strip_city_and_district(plain.trim_start_matches('-')).ok()?;
    let chars: Vec<char> = rest.chars().collect();
    let (_, at) = read_village(&chars);
    let (_, at) = read_neighbourhood(&chars, at);
    let (name, next, kind) = numbers::name_at(&chars, at, true)?;
    // A name without 路, 街 or 大道 may be a land section as well.
    let is_street = matches!(kind, numbers::NameKind::Street) && name.ends_with(['路', '街', '道']);
    let section = numbers::number_at(&chars, next).filter(|(_, end)| chars.get(*end) == Some(&'段'));
    let section = section.map(|(number, _)| format!("{number}段")).unwrap_or_default();
    is_street.then(|| format!("{name}{section}"))
}
