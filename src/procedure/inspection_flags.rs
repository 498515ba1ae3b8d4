//! What is conspicuous about recorded use: pure functions over what the log says of an agency's operations. A flag is a
//! reason to look, not a finding. Not among them: looking up oneself, one's family or colleagues, since accounts carry
//! no national id that could be compared.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use async_graphql::Enum;
use time::macros::offset;
use time::{OffsetDateTime, Weekday};
use uuid::Uuid;

/// 異常態樣: why an operation is conspicuous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Enum)]
pub enum InspectionFlag {
    /// 未填案號: personal data without a case number.
    NoCaseNumber,
    /// 案號重複: one case number on many operations.
    RepeatedCaseNumber,
    /// 多人查詢同一當事人: one person's row read by several accounts.
    OneSubjectByMany,
    /// 循序查詢: rows looked up one after another by one account.
    Sequential,
    /// 非上班時間: before seven, from eight in the evening, or at a weekend; people only, machine clients run at night.
    OffHours,
    /// 查詢量異常: far more rows than this account reads otherwise.
    UnusualVolume,
}

/// Every flag with the word under which it is stored.
const WORDS: [(InspectionFlag, &str); 6] = [
    (InspectionFlag::NoCaseNumber, "no-case-number"),
    (InspectionFlag::RepeatedCaseNumber, "repeated-case-number"),
    (InspectionFlag::OneSubjectByMany, "one-subject-by-many"),
    (InspectionFlag::Sequential, "sequential"),
    (InspectionFlag::OffHours, "off-hours"),
    (InspectionFlag::UnusualVolume, "unusual-volume"),
];

impl InspectionFlag {
    pub(crate) fn word(self) -> &'static str {
        WORDS.iter().find(|(flag, _)| *flag == self).map_or("", |(_, word)| word)
    }

    pub(crate) fn parse(word: &str) -> Option<InspectionFlag> {
        WORDS.iter().find(|(_, known)| *known == word).map(|(flag, _)| *flag)
    }
}

/// What an operation said of its case. The digest tells one case from another and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Nothing.
    None,
    /// Its number, as a keyed digest.
    Named([u8; 16]),
    /// The sealed part cannot be opened any more.
    Unreadable,
}

/// A row of a dataset: type and row number.
pub type Row = (Arc<str>, i64);

/// What the log says of one operation, as far as flags go.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The audit record.
    pub record: Uuid,
    /// Who acted.
    pub account: Arc<str>,
    /// Whether that is a machine client.
    pub machine: bool,
    /// When.
    pub at: OffsetDateTime,
    /// Personal data were used.
    pub personal: bool,
    /// Its case.
    pub case: Case,
    /// Persons whose rows were touched; none where they are so many that no one of them was meant.
    pub persons: Vec<Row>,
    /// Rows that were looked up singly, in order.
    pub looked_up: Vec<Row>,
    /// How many rows were read.
    pub rows: u32,
}

/// From where on something is conspicuous.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Operations with one case number, more than which are many.
    pub same_case: usize,
    /// Accounts that read one person.
    pub accounts: usize,
    /// Neighbouring rows looked up one after another.
    pub run: usize,
    /// Multiple of the account's median.
    pub times_median: u32,
    /// Rows that are never unusual.
    pub usual_rows: u32,
    /// Operations below which an account has no median worth the name.
    pub habit: usize,
}

/// The limits by which inspections are drawn.
pub const LIMITS: Limits = Limits { same_case: 20, accounts: 3, run: 5, times_median: 10, usual_rows: 100, habit: 5 };

/// The conspicuous operations with their flags.
pub type Flagged = BTreeMap<Uuid, BTreeSet<InspectionFlag>>;

/// Flags the operations of one agency in one time; `facts` in the order of time.
pub fn flags(facts: &[Facts], limits: &Limits) -> Flagged {
    let mut flagged = Flagged::new();
    let mut found = |flag: InspectionFlag, records: Vec<Uuid>| {
        records.into_iter().for_each(|record| {
            flagged.entry(record).or_default().insert(flag);
        });
    };
    found(InspectionFlag::NoCaseNumber, no_case_number(facts));
    found(InspectionFlag::RepeatedCaseNumber, repeated_case_number(facts, limits));
    found(InspectionFlag::OneSubjectByMany, one_subject_by_many(facts, limits));
    found(InspectionFlag::Sequential, sequential(facts, limits));
    found(InspectionFlag::OffHours, off_hours(facts));
    found(InspectionFlag::UnusualVolume, unusual_volume(facts, limits));
    flagged
}

fn no_case_number(facts: &[Facts]) -> Vec<Uuid> {
    facts.iter().filter(|one| one.personal && one.case == Case::None).map(|one| one.record).collect()
}

fn repeated_case_number(facts: &[Facts], limits: &Limits) -> Vec<Uuid> {
    let mut by_case: HashMap<[u8; 16], Vec<Uuid>> = HashMap::new();
    for one in facts {
        if let Case::Named(case) = one.case {
            by_case.entry(case).or_default().push(one.record);
        }
    }
    by_case.into_values().filter(|records| records.len() > limits.same_case).flatten().collect()
}

fn one_subject_by_many(facts: &[Facts], limits: &Limits) -> Vec<Uuid> {
    let mut readers: HashMap<&Row, HashSet<&str>> = HashMap::new();
    for one in facts {
        for person in &one.persons {
            readers.entry(person).or_default().insert(&one.account);
        }
    }
    let by_many = |person: &Row| readers.get(person).is_some_and(|accounts| accounts.len() >= limits.accounts);
    facts.iter().filter(|one| one.persons.iter().any(by_many)).map(|one| one.record).collect()
}

/// Runs of neighbouring row numbers, up or down, over as many operations as it takes: one look-up after another, or
/// several in one operation.
fn sequential(facts: &[Facts], limits: &Limits) -> Vec<Uuid> {
    let mut by_account: BTreeMap<(&str, &str), Vec<(i64, Uuid)>> = BTreeMap::new();
    for one in facts {
        for (type_name, row) in &one.looked_up {
            by_account.entry((&*one.account, &**type_name)).or_default().push((*row, one.record));
        }
    }
    let mut found = Vec::new();
    for looked_up in by_account.into_values() {
        let mut begin = 0;
        for at in 1..=looked_up.len() {
            let step = |at: usize| looked_up[at].0.wrapping_sub(looked_up[at - 1].0);
            let goes_on = at < looked_up.len() && step(at).abs() == 1 && (at == begin + 1 || step(at) == step(at - 1));
            if goes_on {
                continue;
            }
            if at - begin >= limits.run {
                found.extend(looked_up[begin..at].iter().map(|(_, record)| *record));
            }
            // A run that turns begins again at its turning point.
            let turns = at < looked_up.len() && step(at).abs() == 1;
            begin = if turns { at - 1 } else { at };
        }
    }
    found
}

fn off_hours(facts: &[Facts]) -> Vec<Uuid> {
    let off = |at: OffsetDateTime| {
        let here = at.to_offset(offset!(+8));
        !(7..20).contains(&here.hour()) || matches!(here.weekday(), Weekday::Saturday | Weekday::Sunday)
    };
    facts.iter().filter(|one| !one.machine && off(one.at)).map(|one| one.record).collect()
}

fn unusual_volume(facts: &[Facts], limits: &Limits) -> Vec<Uuid> {
    let mut by_account: HashMap<&str, Vec<u32>> = HashMap::new();
    for one in facts {
        by_account.entry(&one.account).or_default().push(one.rows);
    }
    let usual: HashMap<&str, u32> = by_account
        .into_iter()
        .filter(|(_, rows)| rows.len() >= limits.habit)
        .map(|(account, mut rows)| {
            rows.sort_unstable();
            (account, rows[rows.len() / 2].max(1))
        })
        .collect();
    let unusual = |one: &&Facts| {
        let usual = usual.get(&*one.account);
        usual.is_some_and(|usual| one.rows > limits.usual_rows && one.rows > usual.saturating_mul(limits.times_median))
    };
    facts.iter().filter(unusual).map(|one| one.record).collect()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn operation(number: u128, account: &str) -> Facts {
        Facts {
            record: Uuid::from_u128(number),
            account: account.into(),
            machine: false,
            at: datetime!(2026-03-02 10:00 +8),
            personal: false,
            case: Case::None,
            persons: Vec::new(),
            looked_up: Vec::new(),
            rows: 1,
        }
    }

    fn person(row: i64) -> Row {
        ("Person".into(), row)
    }

    fn flagged(facts: &[Facts], flag: InspectionFlag) -> Vec<u128> {
        let all = flags(facts, &LIMITS);
        all.iter().filter(|(_, flags)| flags.contains(&flag)).map(|(record, _)| record.as_u128()).collect()
    }

    #[test]
    fn nothing_is_conspicuous_about_plain_use() {
        assert_eq!(flags(&[operation(1, "a"), operation(2, "b")], &LIMITS), Flagged::new());
    }

    #[test]
    fn personal_data_without_a_case() {
        let personal = |number, case| Facts { personal: true, case, ..operation(number, "a") };
        let facts = [
            personal(1, Case::None),
            personal(2, Case::Named([1; 16])),
            personal(3, Case::Unreadable),
            operation(4, "a"),
        ];
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
}
