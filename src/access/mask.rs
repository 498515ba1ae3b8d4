//! Masked forms of values, as the custodians' certificate rules have them (`domain.md` §5.4). Pure text in, text out.

use crate::catalog::Mask;

/// Writes the masked form of a value; `false` means that nothing is shown (null).
pub fn write_masked(mask: Mask, value: &str, out: &mut String) -> bool {
    match mask {
        Mask::Name => name(value, out),
        Mask::NationalId => national_id(value, out),
        Mask::Street => street(value, out),
        Mask::Year => year(value, out),
        Mask::Initial => initial(value, out),
        Mask::Hide => return false,
    }
    true
}

/// `王小明` → `王○明`, `王明` → `王○`, `司馬中原` → `司○○原`.
fn name(value: &str, out: &mut String) {
    let letters: Vec<char> = value.chars().collect();
    let Some((first, rest)) = letters.split_first() else { return };
    out.push(*first);
    if rest.len() <= 1 {
        out.push('○');
        return;
    }
    out.extend(std::iter::repeat_n('○', rest.len() - 1));
    out.extend(rest.last());
}

/// `A123456789` → `A12****789`. Other lengths keep a quarter at each end at most.
fn national_id(value: &str, out: &mut String) {
    let letters: Vec<char> = value.chars().collect();
    let (head, tail) = if letters.len() == 10 { (3, 3) } else { (letters.len() / 4, letters.len() / 4) };
    out.extend(&letters[..head]);
    out.extend(std::iter::repeat_n('*', letters.len() - head - tail));
    out.extend(&letters[letters.len() - tail..]);
}

/// Keeps a plate up to its street and section: `臺北市大安區復興南路一段36號3樓` → `臺北市大安區復興南路一段***`.
fn street(value: &str, out: &mut String) {
    let ends = ["大道", "路", "街"];
    let street_end = ends.iter().filter_map(|end| value.find(end).map(|at| at + end.len())).min();
    let cut = match street_end {
        Some(at) => at + section_length(&value[at..]),
        None => ["里", "區", "市"].iter().find_map(|end| value.find(end).map(|at| at + end.len())).unwrap_or(0),
    };
    out.push_str(&value[..cut]);
    out.push_str("***");
}

/// Length of a leading `一段`, `3段`, … or 0.
fn section_length(rest: &str) -> usize {
    let numeral = |letter: &char| letter.is_ascii_digit() || "一二三四五六七八九十".contains(*letter);
    let length: usize = rest.chars().take_while(numeral).map(char::len_utf8).sum();
    if length > 0 && rest[length..].starts_with('段') { length + '段'.len_utf8() } else { 0 }
}

/// `1986-03-02` → `1986-01-01`.
fn year(value: &str, out: &mut String) {
    let end = value.char_indices().skip(1).find(|(_, letter)| *letter == '-').map_or(value.len(), |(at, _)| at);
    out.push_str(&value[..end]);
    out.push_str("-01-01");
}

fn initial(value: &str, out: &mut String) {
    out.extend(value.chars().next());
    out.push_str("***");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_follow_the_certificate_rules() {
        let cases = [
            (Mask::Name, "王小明", "王○明"),
            (Mask::Name, "王明", "王○"),
            (Mask::Name, "王", "王○"),
            (Mask::Name, "司馬中原", "司○○原"),
            (Mask::NationalId, "A123456789", "A12****789"),
            (Mask::NationalId, "04595257", "04****57"),
            (Mask::Street, "臺北市大安區復興南路一段36號3樓", "臺北市大安區復興南路一段***"),
            (Mask::Street, "臺北市大安區36號3樓", "臺北市大安區***"),
            (Mask::Year, "1986-03-02", "1986-01-01"),
            (Mask::Initial, "除役", "除***"),
        ];
        for (mask, value, expected) in cases {
            let mut out = String::new();
            assert!(write_masked(mask, value, &mut out));
            assert_eq!(out, expected, "{mask:?} of {value}");
        }
        assert!(!write_masked(Mask::Hide, "x", &mut String::new()));
    }
}
