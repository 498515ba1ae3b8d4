//! Drawing what is inspected: a share of an agency's recorded operations at random, and all that are conspicuous. The
//! audit log is read for it, not what this program remembers; with the seed anybody can draw the same again.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use time::macros::offset;
use time::{Date, Duration, OffsetDateTime};
use uuid::Uuid;

use super::acquaintance::identifying;
use super::agency::get_agency;
use super::entity::{inspection, inspection_entry};
use super::fault::wrong;
use super::inspection::{Inspection, InspectionStatus, span_us};
use super::inspection_flags::{Case, Facts, InspectionFlag, Row, flags};
use super::inspection_rule::rule_of;
use super::log_reading::{moment, read_log};
use super::step::Begun;
use super::{Act, Fault, Procedure};
use crate::access::{Code, Refusal};
use crate::accounts::entity::account;
use crate::accounts::secret::hex;
use crate::audit::reader::{Entry, Reader};
use crate::audit::{ColumnOutcome, Kind, RectangleShape, index};
use crate::catalog::{Catalog, Class, TypeDef};

/// An operation that touches more persons than this means none of them; its volume may be conspicuous.
const PERSONS: usize = 1_000;

/// More than so many entries nobody can judge.
const MOST: usize = 2_000;

/// Longest time that is inspected at once.
const LONGEST_DAYS: i64 = 366;

/// What stands in the log.
struct Found {
    facts: Vec<Facts>,
    unreadable: usize,
}

impl Procedure {
    /// Draws an inspection of the use of the caller's agency. Without days: from the first day that the last
    /// inspection has not seen to its end, or as long as the agency's interval, until today.
    pub async fn draw_inspection(
        &self,
        act: &Act,
        from: Option<Date>,
        until: Option<Date>,
    ) -> Result<Inspection, Fault> {
        let own = get_agency(self.db(), &act.caller.agency).await?;
        let rule = rule_of(self.db(), &own).await?;
        let last = inspection::Entity::find()
            .filter(inspection::Column::AgencyId.eq(own.id))
            .order_by_desc(inspection::Column::LastDay)
            .one(self.db())
            .await?;
        let until = until.unwrap_or(self.today());
        let is_near = |next: &Date| *next <= until && (until - *next).whole_days() < LONGEST_DAYS;
        let next = last.and_then(|last| next_day(&last)).filter(is_near);
        let interval = Duration::days(i64::from(rule.interval_days) - 1);
        let from = from.or(next).unwrap_or(until.saturating_sub(interval));
        if until > self.today() || from > until || (until - from).whole_days() >= LONGEST_DAYS {
            let (en, zh) = ("expected at most 366 days until today", "應為今日以前、至多 366 日之期間");
            return Err(wrong("from, until", en, zh));
        }
        // Before the step begins, for it keeps every other step waiting.
        let mut found = self.operations(act, (from, until)).await?;
        found.unreadable += self.elsewhere(act, (from, until)).await?;
        let holders = self.holders(own.id).await?;
        if !holders.is_empty() {
            found.unreadable += self.mark_acquaintances(&mut found.facts, &holders).await;
        }
        let population: Vec<Uuid> = found.facts.iter().map(|one| one.record).collect();
        let seed: [u8; 32] = self.accounts.entropy().bytes();
        let sampled = sample(&seed, &population, rule.percent, rule.at_least);
        let flagged = flags(&found.facts, &self.conspicuous);
        let drawn = found.facts.iter().filter(|one| sampled.contains(&one.record) || flagged.contains_key(&one.record));
        let drawn: Vec<&Facts> = drawn.collect();
        if drawn.len() > MOST {
            let (count, en, zh) = (drawn.len(), "operations; choose a shorter time", "筆，請縮短期間");
            return Err(wrong("from, until", format!("{count} {en}"), format!("應查驗 {count} {zh}")));
        }
        let step = match self.begin(act, "drawInspection").await? {
            Begun::Before(id) => return self.inspection_by_id(id).await,
            Begun::New(step) => step,
        };
        let count = inspection::Entity::find().count(step.tx()).await?;
        let number = format!("I-{}-{:04}", self.today().year(), count + 1);
        let row = inspection::ActiveModel {
            number: Set(number.clone()),
            agency_id: Set(own.id),
            first_day: Set(from),
            last_day: Set(until),
            percent: Set(rule.percent),
            at_least: Set(rule.at_least),
            seed: Set(hex(&seed)),
            population: Set(i32::try_from(population.len()).unwrap_or(i32::MAX)),
            unreadable: Set(i32::try_from(found.unreadable).unwrap_or(i32::MAX)),
            status: Set(InspectionStatus::Drawn.word().to_owned()),
            drawn_by: Set(act.caller.account.to_string()),
            drawn_at: Set(self.now()),
            ..Default::default()
        };
        let id = inspection::Entity::insert(row).exec(step.tx()).await?.last_insert_id;
        let rows = drawn.iter().map(|one| inspection_entry::ActiveModel {
            inspection_id: Set(id),
            record_id: Set(one.record.to_string()),
            account: Set(one.account.to_string()),
            at: Set(one.at),
            sampled: Set(sampled.contains(&one.record)),
            flags: Set(words(flagged.get(&one.record))),
            ..Default::default()
        });
        let rows: Vec<_> = rows.collect();
        for chunk in rows.chunks(100) {
            inspection_entry::Entity::insert_many(chunk.to_vec()).exec_without_returning(step.tx()).await?;
        }
        let detail =
            json!({ "number": number, "seed": hex(&seed), "population": population.len(), "drawn": rows.len() });
        step.finish("inspection", id, detail).await?;
        self.inspection_by_id(id).await
    }

    /// Operations of the agency in these days that stand in other servers' logs, which cannot be read here.
    async fn elsewhere(&self, act: &Act, days: (Date, Date)) -> Result<usize, Fault> {
        match index::elsewhere(self.db(), &self.audit_dir, &act.caller.agency, span_us(days)).await {
            Ok(count) => Ok(usize::try_from(count).unwrap_or(usize::MAX)),
            Err(error) => {
                tracing::error!(%error, "the audit index cannot be asked");
                Err(Refusal::new(Code::SourceUnavailable, "The log cannot be read now.", "目前無法讀取紀錄。").into())
            }
        }
    }

    /// The caller's agency's operations under forms in these days, in the order of time.
    async fn operations(&self, act: &Act, days: (Date, Date)) -> Result<Found, Fault> {
        let arguments = json!({ "from": days.0.to_string(), "until": days.1.to_string() });
        let reader = self.open_log(act, "drawInspection", &arguments).await?;
        let own = get_agency(self.db(), &act.caller.agency).await?;
        let machines = account::Entity::find()
            .filter(account::Column::AgencyId.eq(own.id))
            .filter(account::Column::Kind.eq("client"))
            .all(self.db())
            .await?;
        let machines: HashSet<String> = machines.into_iter().map(|row| row.name).collect();
        let (catalog, agency) = (self.catalog.clone(), act.caller.agency.clone());
        read_log(move || {
            let mut facts = Vec::new();
            let unreadable = reader.within(
                span_us(days),
                |record| {
                    let ours = record.kind == Kind::Query && record.why.form.is_some();
                    // What came in from outside channels is inspected like our own.
                    record.who.agency == agency && (ours || record.kind == Kind::Outside)
                },
                |entry| facts.push((entry.seq, facts_of(&catalog, &reader, &machines, &entry))),
            )?;
            // What began at the same moment, in the order in which it was written.
            facts.sort_by_key(|(seq, one)| (one.at, *seq));
            Ok(Found { facts: facts.into_iter().map(|(_, one)| one).collect(), unreadable })
        })
        .await
    }
}

/// The first day that an inspection has not seen to its end.
pub(super) fn next_day(last: &inspection::Model) -> Option<Date> {
    let drawn_on = last.drawn_at.to_offset(offset!(+8)).date();
    if last.last_day < drawn_on { last.last_day.next_day() } else { Some(last.last_day) }
}

/// The operations that are drawn: each has a rank, SHA-256 over seed and record number, and the lowest are taken. So
/// it depends on nothing but the seed and what stands in the log, and can be drawn again by any other program.
pub fn sample(seed: &[u8; 32], population: &[Uuid], percent: i32, at_least: i32) -> BTreeSet<Uuid> {
    let (percent, at_least) = (usize::try_from(percent).unwrap_or(0), usize::try_from(at_least).unwrap_or(0));
    let count = (population.len() * percent).div_ceil(100).max(at_least).min(population.len());
    let rank = |record: &Uuid| -> [u8; 32] {
        Sha256::new().chain_update(seed).chain_update(record.as_bytes()).finalize().into()
    };
    let ranked: BTreeMap<[u8; 32], Uuid> = population.iter().map(|record| (rank(record), *record)).collect();
    ranked.into_values().take(count).collect()
}

fn words(flags: Option<&BTreeSet<InspectionFlag>>) -> String {
    let words: Vec<&str> = flags.into_iter().flatten().map(|flag| flag.word()).collect();
    words.join(" ")
}

fn facts_of(catalog: &Catalog, reader: &Reader, machines: &HashSet<String>, entry: &Entry) -> Facts {
    let record = &entry.record;
    let mut at = moment(record.started_us);
    let case = match reader.secrets(entry) {
        Ok(secrets) => {
            if record.kind == Kind::Outside {
                at = secrets.variables.as_deref().and_then(asked_outside_at).unwrap_or(at);
            }
            secrets.case_number.map_or(Case::None, |case| Case::Named(reader.case_key(&case)))
        }
        Err(_) => Case::Unreadable,
    };
    let (mut personal, mut persons, mut about, mut looked_up) = (false, Many::new(), Many::new(), Vec::new());
    let rectangles = entry.shape.as_ref().map(|shape| shape.rectangles.as_slice()).unwrap_or_default();
    for rectangle in rectangles {
        personal |= rectangle.columns.iter().any(|column| {
            let owner = column.of.as_deref().unwrap_or(&rectangle.type_name);
            let field = catalog.fields_by_coordinate.get(&format!("{owner}.{}", column.field));
            column.outcome != ColumnOutcome::Denied
                && field.is_some_and(|field| catalog.field(*field).class >= Class::Personal)
        });
    }
    for touched in &record.touched {
        let Some(rectangle) = rectangles.get(usize::from(touched.rectangle)) else { continue };
        if rectangle.dataset.is_none() {
            continue;
        }
        let type_name: Arc<str> = rectangle.type_name.as_str().into();
        let of = catalog.types_by_name.get(&*type_name).map(|id| catalog.type_def(*id));
        let rows = || touched.rows.iter().map(|row| (type_name.clone(), row));
        if of.is_some_and(|of| is_person(catalog, of)) {
            take(&mut persons, rows());
        }
        if of.is_some_and(|of| !identifying(catalog, of).is_empty()) {
            take(&mut about, rows());
        }
        if let (true, 1, Some(row)) =
            (is_asked_for(rectangles, &rectangle.path), touched.rows.len(), touched.rows.iter().next())
        {
            looked_up.push((type_name, row));
        }
    }
    Facts {
        record: record.id,
        account: record.who.account.clone(),
        machine: machines.contains(&*record.who.account),
        at,
        personal,
        case,
        persons: meant(persons),
        about: meant(about),
        own: false,
        colleague: false,
        looked_up,
        rows: record.outcome.rows,
    }
}

/// When somebody asked through an outside channel; its record was made later.
fn asked_outside_at(variables: &str) -> Option<OffsetDateTime> {
    let variables: serde_json::Value = serde_json::from_str(variables).ok()?;
    OffsetDateTime::from_unix_timestamp(variables["at"].as_i64()?).ok()
}

/// Rows that the operation itself asks for, by key or by a condition; not those that it walks to from other rows.
fn is_asked_for(rectangles: &[RectangleShape], path: &str) -> bool {
    let above = |other: &RectangleShape| {
        let rest = path.strip_prefix(other.path.as_str());
        other.dataset.is_some() && rest.is_some_and(|rest| rest.starts_with('.'))
    };
    !rectangles.iter().any(above)
}

/// A type whose rows are persons: what identifies them is itself personal.
fn is_person(catalog: &Catalog, of: &TypeDef) -> bool {
    of.keys.iter().any(|key| catalog.field(*key).class >= Class::Personal)
}

/// Rows up to one more than an operation can mean.
type Many = BTreeSet<Row>;

fn take(many: &mut Many, rows: impl Iterator<Item = Row>) {
    let room = (PERSONS + 1).saturating_sub(many.len());
    many.extend(rows.take(room));
}

/// The rows that an operation means; none of so many.
fn meant(many: Many) -> Vec<Row> {
    if many.len() > PERSONS { Vec::new() } else { many.into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same() {
        let population: Vec<Uuid> = (1..=1_000).map(Uuid::from_u128).collect();
        let backwards: Vec<Uuid> = population.iter().rev().copied().collect();
        let drawn = sample(&[7; 32], &population, 1, 1);
        assert_eq!(drawn.len(), 10);
        assert_eq!(drawn, sample(&[7; 32], &backwards, 1, 1), "whatever the order");
        assert_ne!(drawn, sample(&[8; 32], &population, 1, 1));
        assert!(drawn.is_subset(&sample(&[7; 32], &population, 5, 1)), "a larger share holds the smaller one");
    }

    #[test]
    fn as_many_as_the_rule_says() {
        let population: Vec<Uuid> = (1..=250).map(Uuid::from_u128).collect();
        let count = |of: usize, percent, at_least| sample(&[1; 32], &population[..of], percent, at_least).len();
        assert_eq!(count(250, 1, 1), 3, "rounded up");
        assert_eq!(count(250, 1, 20), 20);
        assert_eq!(count(5, 1, 20), 5, "no more than there are");
        assert_eq!(count(250, 100, 1), 250);
        assert_eq!(count(0, 1, 1), 0);
    }

    #[test]
    fn every_operation_may_be_drawn() {
        let population: Vec<Uuid> = (1..=20).map(Uuid::from_u128).collect();
        let ever: BTreeSet<Uuid> = (0..=255).flat_map(|seed| sample(&[seed; 32], &population, 1, 1)).collect();
        assert_eq!(ever.len(), 20);
    }
}
