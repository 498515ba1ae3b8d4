//! Rows of tables into their databases, in portions; and the fate of each row of the file. One transaction per
//! database; nothing is committed here before the whole file was read.

use std::collections::BTreeMap;
use std::collections::hash_map::{DefaultHasher, Entry, HashMap};
use std::hash::{Hash, Hasher};

use smallvec::{SmallVec, smallvec};

use super::plan::Plan;
use super::row::{Complaint, TableRow};
use super::tables::Tables;
use crate::config::Connection;
use crate::store::upsert::{Change, Datum, Fate, Session, Target, UpsertError};

/// Rows that are sent to the databases at once.
const PORTION: usize = 20_000;

/// The open transactions, one per database.
pub struct Sessions<'a> {
    connections: &'a BTreeMap<String, Connection>,
    open: BTreeMap<String, Session>,
}

impl<'a> Sessions<'a> {
    /// Begins a transaction on every database that the plan reads or writes.
    pub async fn begin(
        plan: &Plan,
        connections: &'a BTreeMap<String, Connection>,
    ) -> Result<Sessions<'a>, UpsertError> {
        let mut sessions = Sessions { connections, open: BTreeMap::new() };
        let written = plan.records.iter().flat_map(|records| &records.tables).map(|table| &table.dataset);
        for dataset in written.chain(plan.lookups.iter().map(|lookup| &lookup.dataset)) {
            let Some(connection) = connections.get(dataset) else {
                return Err(UpsertError::Unavailable(format!(
                    "no connection is configured for the dataset `{dataset}`"
                )));
            };
            if !sessions.open.contains_key(&connection.url) {
                sessions.open.insert(connection.url.clone(), Session::begin(&connection.url).await?);
            }
        }
        Ok(sessions)
    }

    /// The transaction and schema of a dataset.
    pub fn of(&mut self, dataset: &str) -> Result<(&mut Session, Option<&'a str>), UpsertError> {
        let connection = self.connections.get(dataset);
        let session = connection.and_then(|connection| self.open.get_mut(&connection.url));
        match (session, connection) {
            (Some(session), Some(connection)) => Ok((session, connection.schema.as_deref())),
            _ => Err(UpsertError::Unavailable(format!("no connection is configured for the dataset `{dataset}`"))),
        }
    }

    /// Makes everything durable, one database after the other.
    pub async fn commit(self) -> Result<(), UpsertError> {
        for session in self.open.into_values() {
            session.commit().await?;
        }
        Ok(())
    }

    /// Takes everything back.
    pub async fn roll_back(self) -> Result<(), UpsertError> {
        for session in self.open.into_values() {
            session.roll_back().await?;
        }
        Ok(())
    }
}

/// What became of the rows of one `[[records]]`, and of the tables they went to.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Rows of the file.
    pub read: u64,
    /// Rows that changed a table.
    pub accepted: u64,
    /// Rows in the reject file.
    pub rejected: u64,
    /// Rows that every table had already.
    pub unchanged: u64,
    /// Fields left empty in accepted and unchanged rows.
    pub left_empty: u64,
    /// Table rows that are new.
    pub inserted: u64,
    /// Table rows that were changed.
    pub updated: u64,
}

/// Rows for one table, and which rows of the file each came from.
type Pending = Vec<(SmallVec<[usize; 1]>, Vec<Datum>)>;

/// What the file said of one key so far: a hash of the columns that are replaced, then one of each column that may be
/// completed, none where nothing was said.
type Content = SmallVec<[Option<u64>; 1]>;

/// A key of this file.
struct Seen {
    content: Content,
    /// Where it stood first.
    line: u64,
    /// The portion that it was last sent with, the records and table it is pending for, and its place there.
    portion: u32,
    target: (usize, usize),
    index: usize,
}

/// A row of the file on its way.
struct Row {
    records: usize,
    line: u64,
    /// A table changed by it.
    changed: bool,
}

/// What is told of a row that was sent: its records and its line.
pub type Told = (usize, u64, Complaint);

/// Collects rows and sends them in portions.
pub struct Loader<'a, 's> {
    sessions: &'s mut Sessions<'a>,
    /// Targets by records and table.
    targets: Vec<Vec<Target>>,
    /// What tells their keys apart: alike for targets that write the same columns of one table, and only for those.
    places: Vec<Vec<u64>>,
    datasets: Vec<Vec<String>>,
    /// Rows of this portion by target, and which row of the file each came from.
    pending: HashMap<(usize, usize), Pending>,
    /// Rows of the file in this portion.
    rows: Vec<Row>,
    size: usize,
    portion: u32,
    /// Keys of this file.
    seen: HashMap<u128, Seen>,
    /// Counts by records.
    pub counts: Vec<Counts>,
}

impl<'a, 's> Loader<'a, 's> {
    /// For a plan and its transactions.
    pub fn new(plan: &Plan, tables: &Tables, sessions: &'s mut Sessions<'a>) -> Result<Self, UpsertError> {
        let mut targets = Vec::new();
        let mut datasets = Vec::new();
        for records in &plan.records {
            let mut of_records = Vec::new();
            for table in &records.tables {
                let (_, schema) = sessions.of(&table.dataset)?;
                let rest = table.columns.iter().skip(table.key_length).zip(&table.changes);
                let changes = rest.map(|(column, change)| match change {
                    Change::Fill if tables.is_full(table, &column.name) => Change::Stay, // what is never empty has no gaps
                    change => *change,
                });
                of_records.push(Target {
                    schema: schema.map(str::to_owned),
                    table: table.table.clone(),
                    id_column: table.id_column.clone(),
                    columns: table.columns.iter().map(|column| column.name.clone()).collect(),
                    key_length: table.key_length,
                    changes: changes.collect(),
                });
            }
            targets.push(of_records);
            datasets.push(records.tables.iter().map(|table| table.dataset.clone()).collect());
        }
        let place = |(target, dataset): (&Target, &String)| hash((dataset, target));
        let of_records = |(targets, datasets): (&Vec<Target>, &Vec<String>)| -> Vec<u64> {
            targets.iter().zip(datasets).map(place).collect()
        };
        let places = targets.iter().zip(&datasets).map(of_records).collect();
        let counts = vec![Counts::default(); plan.records.len()];
        let (pending, seen) = (HashMap::new(), HashMap::new());
        Ok(Loader { sessions, targets, places, datasets, pending, rows: Vec::new(), size: 0, portion: 0, seen, counts })
    }

    /// Takes the table rows of one row of the file, or refuses it: two rows of a file that write different
    /// values under one key would change each other on every run. What only fills gaps gives way to an earlier row
    /// instead, and that is told.
    pub fn take(&mut self, records: usize, line: u64, rows: Vec<TableRow>) -> Result<Vec<Complaint>, Complaint> {
        let mut told = Vec::new();
        let mut said: Vec<(u128, Content)> = Vec::with_capacity(rows.len());
        for row in &rows {
            let target = &self.targets[records][row.table];
            let (key, rest) = row.data.split_at(target.key_length);
            let id = hash_key(self.places[records][row.table], key);
            let content = content(&target.changes, rest);
            let before = self.seen.get(&id).map(|seen| (&seen.content, seen.line));
            let here = said.iter().filter(|(other, _)| *other == id).map(|(_, content)| (content, line));
            for (known, first) in before.into_iter().chain(here) {
                let complaint = || conflict(target, key, first);
                match differ(known, &content, &target.changes) {
                    Difference::None => {}
                    Difference::InGaps => told.push(complaint()),
                    Difference::Whole => return Err(complaint()),
                }
            }
            said.push((id, content));
        }
        let number = self.rows.len();
        self.rows.push(Row { records, line, changed: false });
        for (row, (id, content)) in rows.into_iter().zip(said) {
            self.write(records, (number, line), row, (id, content));
        }
        Ok(told)
    }

    /// Puts a table row among those to be sent, unless its key is there already: then what it says beyond that.
    fn write(&mut self, records: usize, (number, line): (usize, u64), row: TableRow, (id, content): (u128, Content)) {
        let target = (records, row.table);
        let (portion, index) = (self.portion, self.pending.get(&target).map_or(0, Vec::len));
        match self.seen.entry(id) {
            Entry::Vacant(entry) => {
                entry.insert(Seen { content, line, portion, target, index });
            }
            Entry::Occupied(mut entry) => {
                let seen = entry.get_mut();
                let mut completes = false;
                for (known, new) in seen.content.iter_mut().zip(content).filter(|(known, _)| known.is_none()) {
                    completes |= new.is_some();
                    *known = new;
                }
                if !completes {
                    return;
                }
                if seen.portion == portion
                    && let Some((numbers, data)) =
                        self.pending.get_mut(&seen.target).and_then(|p| p.get_mut(seen.index))
                {
                    // Keys do not repeat within a portion.
                    numbers.push(number);
                    let empty = data.iter_mut().zip(row.data).filter(|(datum, _)| **datum == Datum::Null);
                    empty.for_each(|(datum, new)| *datum = new);
                    return;
                }
                (seen.portion, seen.target, seen.index) = (portion, target, index);
            }
        }
        self.pending.entry(target).or_default().push((smallvec![number], row.data));
        self.size += 1;
    }

    /// Whether a portion is full.
    pub fn is_full(&self) -> bool {
        self.size >= PORTION || self.rows.len() >= PORTION
    }

    /// Sends what is collected; told is what gave way to rows that the tables had.
    pub async fn send(&mut self) -> Result<Vec<Told>, UpsertError> {
        let mut told = Vec::new();
        let mut pending: Vec<_> = self.pending.drain().collect();
        // In the plan's order: surrogate keys then do not depend on a hash map's mood.
        pending.sort_by_key(|(place, _)| *place);
        for ((records, table), rows) in pending {
            let (numbers, rows): (Vec<_>, Vec<Vec<Datum>>) = rows.into_iter().unzip();
            let target = &self.targets[records][table];
            let (session, _) = self.sessions.of(&self.datasets[records][table])?;
            let outcomes = session.upsert(target, &rows).await?;
            for ((numbers, row), outcome) in numbers.into_iter().zip(rows).zip(outcomes) {
                if outcome.gave_way {
                    told.extend(numbers.first().map(|number| (*number, gave_way(target, &row))));
                }
                match outcome.fate {
                    Fate::Inserted => self.counts[records].inserted += 1,
                    Fate::Updated => self.counts[records].updated += 1,
                    Fate::Unchanged => continue,
                }
                numbers.iter().for_each(|number| self.rows[*number].changed = true);
            }
        }
        told.sort_by_key(|(number, _)| *number);
        let told = told.into_iter().map(|(number, complaint)| {
            let Row { records, line, .. } = self.rows[number];
            (records, line, complaint)
        });
        let told = told.collect();
        for row in self.rows.drain(..) {
            let counts = &mut self.counts[row.records];
            *(if row.changed { &mut counts.accepted } else { &mut counts.unchanged }) += 1;
        }
        self.size = 0;
        self.portion += 1;
        Ok(told)
    }
}

fn content(changes: &[Change], rest: &[Datum]) -> Content {
    let replaced: Vec<&Datum> =
        changes.iter().zip(rest).filter(|(c, _)| **c == Change::Replace).map(|(_, datum)| datum).collect();
    let completed = changes.iter().zip(rest).filter_map(|(change, datum)| {
        let said_by = match change {
            Change::Replace | Change::Stay => return None,
            Change::Keep(with) => &rest[*with],
            Change::Fill => datum,
        };
        Some((*said_by != Datum::Null).then(|| hash(datum)))
    });
    [Some(hash(replaced))].into_iter().chain(completed).collect()
}

/// How far two rows of one key say different things.
enum Difference {
    None,
    /// Only where gaps are filled.
    InGaps,
    Whole,
}

/// One that says nothing differs from none.
fn differ(known: &Content, new: &Content, changes: &[Change]) -> Difference {
    let apart = |(known, new): (&Option<u64>, &Option<u64>)| known.is_some() && new.is_some() && known != new;
    let completed = changes.iter().filter(|change| !matches!(change, Change::Replace | Change::Stay));
    let mut parts = known.iter().zip(new).map(apart);
    let replaced = parts.next().unwrap_or_default();
    parts.zip(completed).filter(|(apart, _)| *apart).fold(
        if replaced { Difference::Whole } else { Difference::None },
        |so_far, (_, change)| match (so_far, change) {
            (Difference::Whole, _) | (_, Change::Replace | Change::Keep(_)) => Difference::Whole,
            (_, Change::Fill | Change::Stay) => Difference::InGaps,
        },
    )
}

fn conflict(target: &Target, key: &[Datum], line: u64) -> Complaint {
    about(
        target,
        key,
        format!("line {line} of this file has the same key with other values; the first one counts"),
        format!("本檔第 {line} 列有相同鍵值但內容不同，以先出現者為準"),
    )
}

fn gave_way(target: &Target, row: &[Datum]) -> Complaint {
    let columns = target.rest().zip(&row[target.key_length..]);
    let filled = columns.filter(|((_, change), datum)| *change == Change::Fill && **datum != Datum::Null);
    let filled: Vec<&str> = filled.map(|((name, _), _)| name.as_str()).collect();
    let (table, filled) = (&target.table, filled.join(" "));
    about(
        target,
        &row[..target.key_length],
        format!("{table} says otherwise under this key, in one or more of: {filled}; it stays"),
        format!("{table} 已有此鍵值之資料，其 {filled} 至少一欄與本列不同，維持原值"),
    )
}

/// About the row of that key.
fn about(target: &Target, key: &[Datum], reason: String, reason_zh: String) -> Complaint {
    let text = |datum: &Datum| match datum {
        Datum::Text(text) | Datum::Decimal(text) => text.clone(),
        Datum::Int(number) => number.to_string(),
        Datum::Boolean(value) => value.to_string(),
        Datum::Null => String::new(),
    };
    let value = key.iter().map(text).collect::<Vec<_>>().join(" ");
    Complaint::new(&target.columns[..target.key_length].join(" "), &value, reason, reason_zh)
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// 128 bits: at a hundred million keys two of them collide with a chance of one in 10^22.
fn hash_key(place: u64, key: &[Datum]) -> u128 {
    (u128::from(hash((1u8, place, key))) << 64) | u128::from(hash((2u8, place, key)))
}
