//! What is conspicuous about recorded use: pure functions over what the log says of an agency's operations. A flag is a
//! reason to look, not a finding. Whether a row is about an account's own holder or a colleague, `acquaintance` tells.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use async_graphql::Enum;
use time::macros::offset;
use time::{OffsetDateTime, Weekday};
use uuid::Uuid;

use crate::config;

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
    /// 非上班時間: outside of office hours or on a day off, in Taipei; people only, machine clients run at night.
    OffHours,
    /// 查詢量異常: far more rows than this account reads otherwise.
    UnusualVolume,
    /// 查詢本人資料: a row in which the national id of the account's own holder stands.
    OwnRecord,
    /// 查詢同仁資料: a row in which the national id of somebody stands whose account is in the same agency.
    ColleagueRecord,
}

/// Every flag with the word under which it is stored.
const WORDS: [(InspectionFlag, &str); 8] = [
    (InspectionFlag::NoCaseNumber, "no-case-number"),
    (InspectionFlag::RepeatedCaseNumber, "repeated-case-number"),
    (InspectionFlag::OneSubjectByMany, "one-subject-by-many"),
    (InspectionFlag::Sequential, "sequential"),
    (InspectionFlag::OffHours, "off-hours"),
    (InspectionFlag::UnusualVolume, "unusual-volume"),
    (InspectionFlag::OwnRecord, "own-record"),
    (InspectionFlag::ColleagueRecord, "colleague-record"),
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
    /// Rows with national ids that were touched; none where they are so many that no one of them was meant.
    pub about: Vec<Row>,
    /// One of them is about the account's own holder.
    pub own: bool,
    /// One of them is about somebody else of the agency.
    pub colleague: bool,
    /// Rows that were looked up singly, in order.
    pub looked_up: Vec<Row>,
    /// How many rows were read.
    pub rows: u32,
}

/// The conspicuous operations with their flags.
pub type Flagged = BTreeMap<Uuid, BTreeSet<InspectionFlag>>;

/// Flags the operations of one agency in one time; `facts` in the order of time.
pub fn flags(facts: &[Facts], limits: &config::Inspection) -> Flagged {
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
    found(InspectionFlag::OffHours, off_hours(facts, limits));
    found(InspectionFlag::UnusualVolume, unusual_volume(facts, limits));
    let those = |is: fn(&Facts) -> bool| facts.iter().filter(|one| is(one)).map(|one| one.record).collect();
    found(InspectionFlag::OwnRecord, those(|one| one.own));
    found(InspectionFlag::ColleagueRecord, those(|one| one.colleague));
    flagged
}

fn no_case_number(facts: &[Facts]) -> Vec<Uuid> {
    facts.iter().filter(|one| one.personal && one.case == Case::None).map(|one| one.record).collect()
}

fn repeated_case_number(facts: &[Facts], limits: &config::Inspection) -> Vec<Uuid> {
    let mut by_case: HashMap<[u8; 16], Vec<Uuid>> = HashMap::new();
    for one in facts {
        if let Case::Named(case) = one.case {
            by_case.entry(case).or_default().push(one.record);
        }
    }
    by_case.into_values().filter(|records| records.len() > limits.same_case).flatten().collect()
}

fn one_subject_by_many(facts: &[Facts], limits: &config::Inspection) -> Vec<Uuid> {
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
fn sequential(facts: &[Facts], limits: &config::Inspection) -> Vec<Uuid> {
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

fn off_hours(facts: &[Facts], limits: &config::Inspection) -> Vec<Uuid> {
    let (begin, end) = limits.office_hours;
    let off = |at: OffsetDateTime| {
        let here = at.to_offset(offset!(+8));
        let weekend = matches!(here.weekday(), Weekday::Saturday | Weekday::Sunday);
        let day_off = limits.holidays.contains(&here.date()) || weekend && !limits.workdays.contains(&here.date());
        day_off || !(begin..end).contains(&here.hour())
    };
    facts.iter().filter(|one| !one.machine && off(one.at)).map(|one| one.record).collect()
}

fn unusual_volume(facts: &[Facts], limits: &config::Inspection) -> Vec<Uuid> {
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
mod tests;
