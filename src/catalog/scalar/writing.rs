//! How the same thing is written in several ways: full and half width, variant characters, Chinese
//! numerals. What a text means is left to the scalars.

use unicode_normalization::UnicodeNormalization;

/// Folds width, spaces, dashes and variant characters, so that two writings of one name compare equal.
pub fn fold(text: &str) -> String {
    text.nfkc().filter(|c| !c.is_whitespace() && !is_invisible(*c)).map(fold_char).collect()
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{2060}')
}

/// One character for each set of variants met in the city's files. The private-use ones are what the
/// offices' Big5 extensions became when the files were turned into Unicode.
fn fold_char(c: char) -> char {
    match c {
        '台' => '臺',
        '厦' | '\u{e03c}' => '廈',
        '舘' | '\u{e15e}' | '\u{e16d}' => '館',
        '犂' | '\u{e0ea}' => '犁',
        '庄' => '莊',
        '峯' => '峰',
        '嵋' => '眉',
        '褔' => '福',
        '温' => '溫',
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '─' => '-',
        '〜' | '∼' | '∽' => '~',
        c => c,
    }
}

/// Value of a character in Chinese numerals, zero written `〇`, `○`, `零` or as the letter O.
fn chinese_digit(c: char) -> Option<u32> {
    Some(match c {
        '〇' | '○' | '零' | 'O' | 'o' => 0,
        '一' => 1,
        '二' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    })
}

/// Whether the character can stand in a number written in Chinese.
pub fn is_chinese_numeral(c: char) -> bool {
    matches!(c, '十' | '百') || chinese_digit(c).is_some()
}

/// Reads `一八六` (digit by digit) and `一百八十六` alike.
pub fn chinese_number(chars: &[char]) -> Option<u32> {
    if chars.is_empty() || chars.len() > 7 || matches!(chars[0], 'O' | 'o') {
        return None;
    }
    if !chars.iter().any(|c| matches!(c, '十' | '百')) {
        return chars.iter().try_fold(0u32, |sum, c| Some(sum * 10 + chinese_digit(*c)?));
    }
    let (mut sum, mut digit) = (0u32, None);
    for c in chars {
        match c {
            '十' | '百' => {
                sum += digit.take().unwrap_or(1) * if *c == '十' { 10 } else { 100 };
            }
            c => match (digit, chinese_digit(*c)?) {
                (None | Some(0), d) => digit = Some(d),
                _ => return None,
            },
        }
    }
    Some(sum + digit.unwrap_or(0))
}

/// Reads digits of either kind, the whole text.
pub fn number(text: &str) -> Option<u32> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok();
    }
    chinese_number(&text.chars().collect::<Vec<_>>())
}

/// Writes a number up to 99 in Chinese, as street names have it: 1 → `一`, 12 → `十二`.
pub fn to_chinese(n: u32) -> String {
    const DIGITS: [&str; 10] = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let (tens, ones) = ((n / 10 % 10) as usize, (n % 10) as usize);
    match tens {
        0 => DIGITS[ones].to_owned(),
        1 => format!("十{}", DIGITS[ones]),
        _ => format!("{}十{}", DIGITS[tens], DIGITS[ones]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerals() {
        let read = |s: &str| chinese_number(&s.chars().collect::<Vec<_>>());
        assert_eq!(read("一八六"), Some(186));
        assert_eq!(read("二OO"), Some(200));
        assert_eq!(read("一百零四"), Some(104));
        assert_eq!(read("二十"), Some(20));
        assert_eq!(read("十二"), Some(12));
        assert_eq!(read("百"), Some(100));
        assert_eq!(read("一二十"), None);
        assert_eq!(read("大"), None);
        for n in 1..100 {
            assert_eq!(number(&to_chinese(n)), Some(n));
        }
    }

    #[test]
    fn folds_width_and_variants() {
        assert_eq!(fold("台北市　Ｂ２樓－１"), "臺北市B2樓-1");
        assert_eq!(fold("783㎡"), "783m2");
        assert_eq!(fold("厦門街"), fold("廈門街"));
    }
}
