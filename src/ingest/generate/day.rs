//! Days as numbers since 1970-01-01, and years of the Republic.

/// The day on which the city is seen: nothing in it is later.
pub const TODAY: i32 = of(2026, 6, 30);

/// The day of a calendar date.
pub const fn of(year: i32, month: i32, day: i32) -> i32 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted - era * 400;
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day.
pub const fn parts(day: i32) -> (i32, i32, i32) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted - era * 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + (month <= 2) as i32, month, day)
}

/// Year of the calendar.
pub const fn year(day: i32) -> i32 {
    parts(day).0
}

/// Whole years from one day to another.
pub const fn years_between(from: i32, to: i32) -> i32 {
    let (from_year, from_month, from_day) = parts(from);
    let (to_year, to_month, to_day) = parts(to);
    to_year - from_year - (to_month < from_month || (to_month == from_month && to_day < from_day)) as i32
}

/// Year of the Republic (民國).
pub const fn roc(year: i32) -> i32 {
    year - 1911
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for day in (-40_000..25_000).step_by(7) {
            let (year, month, date) = parts(day);
            assert_eq!(of(year, month, date), day);
        }
        assert_eq!(parts(TODAY), (2026, 6, 30));
        assert_eq!(years_between(of(1946, 7, 1), TODAY), 79);
        assert_eq!(years_between(of(1946, 6, 30), TODAY), 80);
    }
}
