//! What is conspicuous and what is not, flag by flag.

use time::macros::{date, datetime};

use super::*;

/// As the settings have them where nobody changes them.
fn limits() -> config::Inspection {
    config::Config::load(None).expect("the defaults").inspection
}

fn operation(number: u128, account: &str) -> Facts {
    Facts {
        record: Uuid::from_u128(number),
        account: account.into(),
        machine: false,
        at: datetime!(2026-03-02 10:00 +8),
        personal: false,
        case: Case::None,
        persons: Vec::new(),
        about: Vec::new(),
        own: false,
        colleague: false,
        looked_up: Vec::new(),
        rows: 1,
    }
}

fn person(row: i64) -> Row {
    ("Person".into(), row)
}

fn flagged(facts: &[Facts], flag: InspectionFlag) -> Vec<u128> {
    let all = flags(facts, &limits());
    all.iter().filter(|(_, flags)| flags.contains(&flag)).map(|(record, _)| record.as_u128()).collect()
}

#[test]
fn nothing_is_conspicuous_about_plain_use() {
    assert_eq!(flags(&[operation(1, "a"), operation(2, "b")], &limits()), Flagged::new());
}

#[test]
fn personal_data_without_a_case() {
    let personal = |number, case| Facts { personal: true, case, ..operation(number, "a") };
    let facts =
        [personal(1, Case::None), personal(2, Case::Named([1; 16])), personal(3, Case::Unreadable), operation(4, "a")];
    assert_eq!(flagged(&facts, InspectionFlag::NoCaseNumber), [1]);
}

#[test]
fn one_case_for_everything() {
    let with = |number: u128, case: u8| Facts { case: Case::Named([case; 16]), ..operation(number, "a") };
    let mut facts: Vec<Facts> = (1..=20).map(|number| with(number, 1)).collect();
    facts.push(with(90, 2));
    assert!(flagged(&facts, InspectionFlag::RepeatedCaseNumber).is_empty());
    facts.push(with(21, 1));
    assert_eq!(flagged(&facts, InspectionFlag::RepeatedCaseNumber), (1..=21).collect::<Vec<_>>());
}

#[test]
fn one_person_read_by_many() {
    let reads = |number: u128, account: &str, row: i64| Facts {
        persons: vec![person(row), person(1_000 + number as i64)],
        ..operation(number, account)
    };
    let mut facts = vec![reads(1, "a", 7), reads(2, "b", 7), reads(3, "a", 7), reads(4, "c", 8)];
    assert!(flagged(&facts, InspectionFlag::OneSubjectByMany).is_empty(), "two accounts are not many");
    facts.push(reads(5, "c", 7));
    assert_eq!(flagged(&facts, InspectionFlag::OneSubjectByMany), [1, 2, 3, 5]);
}

#[test]
fn one_row_after_another() {
    let looks_up = |number: u128, account: &str, rows: &[i64]| Facts {
        looked_up: rows.iter().map(|row| person(*row)).collect(),
        ..operation(number, account)
    };
    let run = |rows: &[i64]| {
        let facts: Vec<Facts> = (1..).zip(rows).map(|(number, row)| looks_up(number, "a", &[*row])).collect();
        flagged(&facts, InspectionFlag::Sequential)
    };
    assert_eq!(run(&[9, 1, 2, 3, 4, 5, 7]), [2, 3, 4, 5, 6]);
    assert_eq!(run(&[5, 4, 3, 2, 1]), [1, 2, 3, 4, 5], "downwards");
    assert_eq!(run(&[2, 1, 2, 3, 4, 5]), [2, 3, 4, 5, 6], "after a turn");
    assert!(run(&[1, 2, 3, 4, 6]).is_empty(), "four are no run");
    assert!(run(&[1, 2, 1, 2, 1, 2]).is_empty(), "to and fro is no run");
    assert!(run(&[4, 4, 4, 4, 4]).is_empty(), "the same again is no run");
    // Several in one operation, and somebody else in between.
    let facts = [looks_up(1, "a", &[1, 2, 3]), looks_up(2, "b", &[9]), looks_up(3, "a", &[4, 5])];
    assert_eq!(flagged(&facts, InspectionFlag::Sequential), [1, 3]);
}

#[test]
fn at_night_and_at_weekends() {
    let at = |number, at| Facts { at, ..operation(number, "a") };
    let facts = [
        at(1, datetime!(2026-03-02 06:59:59 +8)),
        at(2, datetime!(2026-03-02 07:00 +8)),
        at(3, datetime!(2026-03-02 19:59:59 +8)),
        at(4, datetime!(2026-03-02 20:00 +8)),
        at(5, datetime!(2026-03-06 23:00 UTC)), // Saturday morning in Taipei
        Facts { machine: true, ..at(6, datetime!(2026-03-02 03:00 +8)) },
    ];
    assert_eq!(flagged(&facts, InspectionFlag::OffHours), [1, 4, 5]);
}

#[test]
fn on_days_off_and_on_days_that_are_worked() {
    let at = |number, at| Facts { at, ..operation(number, "a") };
    let facts = [
        at(1, datetime!(2026-10-09 10:00 +8)), // a Friday that is off
        at(2, datetime!(2026-10-12 10:00 +8)),
        at(3, datetime!(2026-10-17 10:00 +8)), // a Saturday that is worked
        at(4, datetime!(2026-10-17 21:00 +8)),
        at(5, datetime!(2026-10-18 10:00 +8)),
        at(6, datetime!(2026-10-12 08:30 +8)),
    ];
    let city = config::Inspection {
        holidays: [date!(2026 - 10 - 09)].into(),
        workdays: [date!(2026 - 10 - 17)].into(),
        office_hours: (9, 18),
        ..limits()
    };
    let all = flags(&facts, &city);
    assert_eq!(all.keys().map(Uuid::as_u128).collect::<Vec<_>>(), [1, 4, 5, 6]);
}

#[test]
fn ones_own_record_and_a_colleagues() {
    let facts =
        [Facts { own: true, ..operation(1, "a") }, Facts { colleague: true, ..operation(2, "a") }, operation(3, "a")];
    assert_eq!(flagged(&facts, InspectionFlag::OwnRecord), [1]);
    assert_eq!(flagged(&facts, InspectionFlag::ColleagueRecord), [2]);
}

#[test]
fn far_more_than_usual() {
    let reads = |number, rows| Facts { rows, ..operation(number, "a") };
    let usual = [3, 4, 5, 3].map(|rows| reads(u128::from(rows) * 10, rows));
    let with = |last: Facts| {
        let facts: Vec<Facts> = usual.iter().cloned().chain([last]).collect();
        flagged(&facts, InspectionFlag::UnusualVolume)
    };
    assert_eq!(with(reads(1, 101)), [1]);
    assert!(with(reads(1, 100)).is_empty(), "never unusual");
    assert!(flagged(&[reads(1, 5_000), reads(2, 1)], InspectionFlag::UnusualVolume).is_empty(), "no habit yet");
}

#[test]
fn words_lead_back() {
    assert!(WORDS.iter().all(|(flag, word)| InspectionFlag::parse(word) == Some(*flag) && flag.word() == *word));
}
