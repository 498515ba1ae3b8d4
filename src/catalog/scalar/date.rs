//! `Date`: a calendar day, kept as ISO. Reads ISO and the ROC (民國) calendar in every writing met in the
//! city's files; ROC year n is AD n + 1911. A month without a day is another thing ([`parse_month`]).

use time::{Date, Month};

use super::{Expected, writing};

const EXPECTED: Expected = Expected {
    en: "a date: ISO \"2015-04-22\" or ROC \"民國104年4月22日\", \"1040422\", \"104/4/22\"",
    zh: "日期：西元「2015-04-22」或民國「民國104年4月22日」、「1040422」、「104/4/22」",
};
const MONTH_ONLY: Expected = Expected {
    en: "a date with its day, \"2015-04-22\" or \"1040422\"; this one has a month only",
    zh: "含日的日期，例如「2015-04-22」或「1040422」；此值只有年月",
};
const NO_SUCH_DAY: Expected = Expected {
    en: "a day that exists in the calendar, such as \"2015-04-22\" or \"1040422\"",
    zh: "曆法上存在的日期，例如「2015-04-22」或「1040422」",
};
const TOO_EARLY: Expected = Expected {
    en: "a day from the year 1600 on, such as \"2015-04-22\" or \"1040422\"",
    zh: "西元 1600 年以後之日期，例如「2015-04-22」或「1040422」",
};
const EXPECTED_MONTH: Expected = Expected {
    en: "a month: \"2021-03\", \"11506\" or \"115年6月\"",
    zh: "年月：「2021-03」、「11506」或「115年6月」",
};

/// Four digits below are no year of our calendar, but one of the ROC's with zeros before it. What is read must be read again
/// as it is written then.
const FIRST_YEAR: i32 = 1600;

/// Reads a day in any accepted writing.
pub fn parse(text: &str) -> Result<Date, Expected> {
    let folded = writing::fold(text);
    let (year, month, day) = read(&folded)?;
    let month = month.ok_or(EXPECTED)?;
    let day = day.ok_or(MONTH_ONLY)?;
    let month = u8::try_from(month).ok().and_then(|m| Month::try_from(m).ok()).ok_or(NO_SUCH_DAY)?;
    let day = u8::try_from(day).map_err(|_| NO_SUCH_DAY)?;
    if year < FIRST_YEAR {
        return Err(TOO_EARLY);
    }
    Date::from_calendar_date(year, month, day).map_err(|_| NO_SUCH_DAY)
}

/// Reads a month (`11506`, `2021-03`, `115年6月`): AD year and month 1–12.
pub fn parse_month(text: &str) -> Result<(i32, u8), Expected> {
    let folded = writing::fold(text);
    let compact = folded.bytes().all(|b| b.is_ascii_digit());
    let (year, month, day) = match (compact, folded.len()) {
        (true, 4 | 5) => {
            let (y, m) = folded.split_at(folded.len() - 2);
            (roc(digits(y)?), Some(digits(m)?), None)
        }
        (true, 6) if folded.starts_with("19") || folded.starts_with("20") => {
            (digits(&folded[..4])?, Some(digits(&folded[4..])?), None)
        }
        _ => read(&folded).map_err(|_| EXPECTED_MONTH)?,
    };
    match (month, day) {
        (Some(month @ 1..=12), None) => Ok((year, month as u8)),
        _ => Err(EXPECTED_MONTH),
    }
}

/// The canonical writing, `YYYY-MM-DD`.
pub fn iso(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

fn roc(year: i32) -> i32 {
    year + 1911
}

fn digits(text: &str) -> Result<i32, Expected> {
    match text.len() {
        1..=4 if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().map_err(|_| EXPECTED),
        _ => Err(EXPECTED),
    }
}

type Parts = (i32, Option<i32>, Option<i32>);

/// Year (AD), month and day as written; parts may be missing or impossible.
fn read(text: &str) -> Result<Parts, Expected> {
    if text.contains('年') || text.contains("民國") {
        return read_words(text);
    }
    if let Some(separator) = text.chars().find(|c| matches!(c, '-' | '/' | '.'))
        && !text.starts_with('-')
    {
        return read_separated(text, separator);
    }
    read_compact(text)
}

/// `民國104年4月22日`, `民國前3年5月6日`, `民國一百零四年四月`, `2015年4月22日`
fn read_words(text: &str) -> Result<Parts, Expected> {
    let text = text.strip_prefix("中華").unwrap_or(text);
    let (said_roc, text) = match text.strip_prefix("民國") {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix("西元").unwrap_or(text)),
    };
    let (before, text) = match text.strip_prefix('前') {
        Some(rest) if said_roc => (true, rest),
        _ => (false, text),
    };
    if said_roc && !text.contains('年') {
        // `民國104/4/22`, `民國1040422`
        return if before { Err(EXPECTED) } else { read(text) };
    }
    let (year, rest) = text.split_once('年').ok_or(EXPECTED)?;
    let year = match year {
        "元" => 1,
        year => word_number(year)?,
    };
    let year = match (before, year) {
        (true, 1..) => 1912 - year,
        (false, 1000..) if !said_roc => year,
        (false, 1..=999) => roc(year),
        _ => return Err(EXPECTED),
    };
    let (month, rest) = match rest.split_once('月') {
        Some((month, rest)) => (Some(word_number(month)?), rest),
        None if rest.is_empty() => (None, rest),
        None => return Err(EXPECTED),
    };
    let day = match rest.strip_suffix('日').unwrap_or(rest) {
        "" => None,
        day => Some(word_number(day)?),
    };
    Ok((year, month, day))
}

fn word_number(text: &str) -> Result<i32, Expected> {
    writing::number(text).filter(|n| *n < 10_000).map(|n| n as i32).ok_or(EXPECTED)
}

/// `2015-04-22`, `104/4/22`, `73.12.05`, `2021-03`: four digits of the year are AD.
fn read_separated(text: &str, separator: char) -> Result<Parts, Expected> {
    let mut parts = text.split(separator);
    let year = parts.next().unwrap_or_default();
    let year = match (year.len(), digits(year)?) {
        (4, y @ FIRST_YEAR..) => y,
        (1..=3, y @ 1..) => roc(y),
        _ => return Err(EXPECTED),
    };
    let two = |part: Option<&str>| part.map(|p| if p.len() <= 2 { digits(p) } else { Err(EXPECTED) }).transpose();
    let (month, day) = (two(parts.next())?, two(parts.next())?);
    if parts.next().is_some() { Err(EXPECTED) } else { Ok((year, month, day)) }
}

/// `20150422` (AD), `1040422` and `990412` (ROC), `-0030506` (before the Republic), `11506` (month only)
fn read_compact(text: &str) -> Result<Parts, Expected> {
    let (before, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(EXPECTED);
    }
    let split = match text.len() {
        5 if !before => return Err(MONTH_ONLY),
        6..=8 => text.len() - 4,
        _ => return Err(EXPECTED),
    };
    let year = match (before, text.len(), digits(&text[..split])?) {
        (false, 8, y @ FIRST_YEAR..) => y,
        (false, 6 | 7, y @ 1..) => roc(y),
        (true, 6 | 7, y @ 1..) => 1912 - y,
        _ => return Err(EXPECTED),
    };
    Ok((year, Some(digits(&text[split..split + 2])?), Some(digits(&text[split + 2..])?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(text: &str) -> String {
        iso(parse(text).unwrap_or_else(|e| panic!("{text}: expected {e}")))
    }

    #[test]
    fn every_writing_met() {
        for text in [
            "2015-04-22",
            "2015/4/22",
            "20150422",
            "民國104年4月22日",
            "中華民國104年04月22日",
            "104年4月22日",
            "1040422",
            "104/4/22",
            "104.4.22",
            "104-04-22",
            "民國一百零四年四月二十二日",
            " １０４／０４／２２ ",
            "2015年4月22日",
            "民國104/4/22",
        ] {
            assert_eq!(ok(text), "2015-04-22", "{text}");
        }
        assert_eq!(ok("990412"), "2010-04-12");
        assert_eq!(ok("0900103"), "2001-01-03");
        assert_eq!(ok("73.12.05"), "1984-12-05");
        assert_eq!(ok("民國073年07月12日"), "1984-07-12");
        assert_eq!(ok("103/02/05"), "2014-02-05");
        assert_eq!(ok("民國元年1月1日"), "1912-01-01");
        assert_eq!(ok("民國前3年5月6日"), "1909-05-06");
        assert_eq!(ok("-0030506"), "1909-05-06");
        assert_eq!(ok("1010229"), "2012-02-29");
    }

    #[test]
    fn refusals_say_why() {
        for text in ["11506", "2021-03", "115年6月", "民國115年6月"] {
            assert_eq!(parse(text), Err(MONTH_ONLY), "{text}");
        }
        for text in ["1040230", "1040022", "1040400", "2015-13-01", "104年2月30日", "1030229"] {
            assert_eq!(parse(text), Err(NO_SUCH_DAY), "{text}");
        }
        for text in ["民國前9000年1月1日", "民國前1160年1月1日", "-9990101"] {
            assert_eq!(parse(text), Err(TOO_EARLY), "{text}");
        }
        for text in [
            "",
            "abc",
            "104",
            "1040422x",
            "0000-01-01",
            "民國前0年1月1日",
            "104年",
            "1-2-3-4",
            "--1",
            "民國民國",
            "九月",
            "-",
            "99999999999999999999",
            "2015-04-22T00:00:00",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn months() {
        for text in ["11506", "115年6月", "2026-06", "115/6", "202606"] {
            assert_eq!(parse_month(text), Ok((2026, 6)), "{text}");
        }
        for text in ["1040422", "11513", "2026-06-01", "x", ""] {
            assert!(parse_month(text).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn roc_and_iso_agree(days in 0i32..60_000) {
            let date = Date::from_calendar_date(1912, Month::January, 1).map_err(|_| "epoch").unwrap()
                + time::Duration::days(days.into());
            let (y, m, d) = (date.year() - 1911, u8::from(date.month()), date.day());
            for text in [iso(date), format!("{y:03}{m:02}{d:02}"), format!("{y}/{m}/{d}"), format!("民國{y}年{m}月{d}日"),
                format!("{y}.{m:02}.{d:02}")] {
                proptest::prop_assert_eq!(parse(&text), Ok(date));
            }
        }

        #[test]
        fn never_panics(text in "\\PC{0,20}") { let _ = (parse(&text), parse_month(&text)); }

        #[test]
        fn never_panics_near(text in "[0-9年月日民國前元/.-]{0,12}") {
            let _ = parse_month(&text);
            if let Ok(day) = parse(&text) {
                proptest::prop_assert_eq!(parse(&iso(day)), Ok(day)); // read again as it is kept
            }
        }

        #[test]
        fn what_was_read_is_read_again(before in 1u32..9_999) {
            if let Ok(day) = parse(&format!("民國前{before}年1月1日")) {
                proptest::prop_assert_eq!(parse(&iso(day)), Ok(day));
            }
        }
    }
}
