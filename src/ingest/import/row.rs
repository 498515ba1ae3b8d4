//! One row of a file to rows of tables: values are read when first needed, and the first fault refuses the row.
//! What the database makes of the rows is left to `load`.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value as Json;

use super::lookup::{Found, LookupTable};
use super::numbers::Numbers;
use super::plan::{FieldPlan, Part, Plan, RecordsPlan, Source, TablePlan, ValueKind};
use super::reader::{self, Reading};
use super::source::{Body, find, json_texts};
use crate::catalog::scalar::{Expected, address};
use crate::store::upsert::Datum;

/// Why a row was refused, or a field left empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The file's column, or the value's name.
    pub field: String,
    /// What stood there.
    pub value: String,
    /// What was expected instead.
    pub reason: String,
    /// The same in Chinese.
    pub reason_zh: String,
}

impl Complaint {
    fn expected(field: &str, value: &str, expected: Expected) -> Complaint {
        Complaint {
            field: field.to_owned(),
            value: value.to_owned(),
            reason: format!("expected {}", expected.en),
            reason_zh: format!("應為{}", expected.zh),
        }
    }

    /// A complaint in both languages.
    pub fn new(field: &str, value: &str, en: impl Into<String>, zh: impl Into<String>) -> Complaint {
        Complaint { field: field.to_owned(), value: value.to_owned(), reason: en.into(), reason_zh: zh.into() }
    }
}

/// A row for a table of the records' plan.
#[derive(Debug)]
pub struct TableRow {
    /// Number of the table in the plan.
    pub table: usize,
    /// Values in the order of its columns.
    pub data: Vec<Datum>,
}

/// What a row of the file became.
pub struct Outcome {
    /// Rows of tables, or why there are none.
    pub rows: Result<Vec<TableRow>, Complaint>,
    /// Fields that were left empty.
    pub notes: Vec<Complaint>,
}

/// What is carried from row to row.
pub struct Evaluator<'a> {
    plan: &'a Plan,
    lookups: &'a [LookupTable],
    /// Counters by records, value and key.
    counters: HashMap<(usize, usize, Vec<String>), u32>,
    /// Those whose numbers a table keeps, by records and value.
    kept: HashMap<(usize, usize), Numbers>,
}

/// One row while it is read.
struct Row<'a> {
    records: &'a RecordsPlan,
    body: &'a Body,
    item: Option<(&'a Json, usize)>,
    values: Vec<Option<Vec<Reading>>>,
    notes: Vec<Complaint>,
    /// Value that stands for several, and which of its readings is meant.
    chosen: Option<(usize, usize)>,
}

impl<'a> Evaluator<'a> {
    /// For a plan, its lookups and the numbers that tables keep, read before.
    pub fn new(plan: &'a Plan, lookups: &'a [LookupTable], kept: HashMap<(usize, usize), Numbers>) -> Self {
        Evaluator { plan, lookups, counters: HashMap::new(), kept }
    }

    /// Reads one row; `item` is the element of `each` and its number from 1.
    pub fn evaluate(&mut self, number: usize, body: &Body, item: Option<(&Json, usize)>) -> Outcome {
        let records = &self.plan.records[number];
        let values = vec![None; records.values.len()];
        let mut row = Row { records, body, item, values, notes: Vec::new(), chosen: None };
        let mut rows = Ok(Vec::new());
        for counter in &records.counters {
            // A row that is refused later still has its number, so that the others keep theirs.
            if let Err(complaint) = self.count(number, &mut row, *counter) {
                rows = rows.and(Err(complaint));
            }
        }
        for (number, table) in records.tables.iter().enumerate() {
            rows = rows.and_then(|mut rows| {
                self.table(&mut row, number, table, &mut rows)?;
                Ok(rows)
            });
        }
        let rows = rows.and_then(|rows: Vec<TableRow>| {
            if rows.is_empty() {
                let field = records.tables.iter().find_map(|table| table.for_each);
                let field = field.map_or("", |value| &records.values[value].label);
                let zh = "此列沒有可匯入任何資料表的內容";
                return Err(Complaint::new(field, "", "it is empty, so the row has nothing for any table", zh));
            }
            Ok(rows)
        });
        Outcome { rows, notes: row.notes }
    }

    fn count(&mut self, records: usize, row: &mut Row, value: usize) -> Result<(), Complaint> {
        let ValueKind::Count { by, kept } = &row.records.values[value].kind else { return Ok(()) };
        let (number, fault) = match kept {
            Some(kept) => {
                let table = &row.records.tables[kept.table];
                let read = |row: &mut Row, columns: &[usize]| -> Result<Vec<Datum>, Complaint> {
                    columns.iter().map(|at| self.datum(row, table, *at)).collect()
                };
                let group = read(row, &kept.group)?;
                let (same, fault) = match read(row, &kept.same) {
                    Ok(same) => (Some(same), Ok(())),
                    Err(complaint) => (None, Err(complaint)),
                };
                (self.kept.entry((records, value)).or_default().give(group, same), fault)
            }
            None => {
                let mut key = Vec::with_capacity(by.len());
                for source in by {
                    key.push(self.text(row, source)?.map(Cow::into_owned).unwrap_or_default());
                }
                let count = self.counters.entry((records, value, key)).or_insert(0);
                *count += 1;
                (*count, Ok(()))
            }
        };
        row.values[value] = Some(vec![Reading::plain(number.to_string())]);
        fault
    }

    fn table(
        &self,
        row: &mut Row,
        number: usize,
        table: &TablePlan,
        rows: &mut Vec<TableRow>,
    ) -> Result<(), Complaint> {
        let times = match table.for_each {
            None => 1,
            Some(value) => {
                self.value(row, value)?;
                row.values[value].as_ref().map_or(0, Vec::len)
            }
        };
        for time in 0..times {
            row.chosen = table.for_each.map(|value| (value, time));
            let skipped = match &table.when {
                Some(when) => self.text(row, when)?.is_none_or(|text| text.trim().is_empty()),
                None => false,
            };
            if !skipped {
                rows.push(TableRow { table: number, data: self.data(row, table)? });
            }
        }
        row.chosen = None;
        Ok(())
    }

    fn data(&self, row: &mut Row, table: &TablePlan) -> Result<Vec<Datum>, Complaint> {
        (0..table.columns.len()).map(|at| self.datum(row, table, at)).collect()
    }

    /// What one column of a table gets.
    fn datum(&self, row: &mut Row, table: &TablePlan, at: usize) -> Result<Datum, Complaint> {
        let column = &table.columns[at];
        let reading = self.field(row, &column.field, &column.label)?.into_iter().next();
        let datum = match reading.and_then(|reading| reading.main) {
            None => Datum::Null,
            Some(text) => match column.holds.read(&text) {
                Ok(datum) => datum,
                Err(expected) => {
                    let complaint = Complaint::expected(&column.label, &text, expected);
                    if !column.field.lenient {
                        return Err(complaint);
                    }
                    row.note(complaint);
                    Datum::Null
                }
            },
        };
        if datum == Datum::Null && (at < table.key_length || column.holds.not_null) {
            let en = format!("{}.{} cannot be empty", table.table, column.name);
            let zh = format!("{}.{} 不可空白", table.table, column.name);
            return Err(Complaint::new(&column.label, "", en, zh));
        }
        Ok(datum)
    }

    /// Reads a named value, if it was not read before.
    fn value(&self, row: &mut Row, number: usize) -> Result<(), Complaint> {
        if row.values[number].is_some() {
            return Ok(());
        }
        let plan = &row.records.values[number];
        let readings = match &plan.kind {
            ValueKind::Read(field) => self.field(row, field, &plan.label)?,
            ValueKind::Lookup { when: Some(when), .. } if self.text(row, when)?.is_none() => Vec::new(),
            ValueKind::Lookup { lookup, with, lenient, .. } => {
                let mut key = Vec::with_capacity(with.len());
                for source in with {
                    key.push(self.text(row, source)?.map(Cow::into_owned).unwrap_or_default());
                }
                self.look_up(row, *lookup, key, *lenient)?
            }
            ValueKind::Count { .. } => Vec::new(), // counted before
        };
        row.values[number] = Some(readings);
        Ok(())
    }

    fn look_up(
        &self,
        row: &mut Row,
        lookup: usize,
        key: Vec<String>,
        lenient: bool,
    ) -> Result<Vec<Reading>, Complaint> {
        let (table, spec) = (&self.lookups[lookup], &self.plan.lookups[lookup]);
        let said = || {
            let pairs = spec.matching.iter().zip(&key).map(|(column, value)| format!("{column} = {value}"));
            pairs.collect::<Vec<_>>().join(", ")
        };
        let complaint = match table.find(&key) {
            Found::One(named) => {
                let main = named.first().cloned().flatten();
                return Ok(vec![Reading { main, parts: Vec::new(), named: named.to_vec() }]);
            }
            Found::None => Complaint::new(
                &spec.table,
                &key.join(" "),
                format!("no row of {} with {}", spec.table, said()),
                format!("{} 中沒有 {} 的資料", spec.table, said()),
            ),
            Found::Several => Complaint::new(
                &spec.table,
                &key.join(" "),
                format!("several rows of {} with {}", spec.table, said()),
                format!("{} 中有多筆 {} 的資料", spec.table, said()),
            ),
        };
        if !lenient {
            return Err(complaint);
        }
        row.note(complaint);
        Ok(Vec::new())
    }

    /// Reads a field to its values: none when there is nothing to read.
    fn field(&self, row: &mut Row, field: &FieldPlan, label: &str) -> Result<Vec<Reading>, Complaint> {
        let mut texts: Vec<String> = match &field.from {
            Source::Column(column) => row.body.texts(column).into_iter().map(Cow::into_owned).collect(),
            Source::Item(path) => row.item_texts(path.as_deref()),
            source => self.text(row, source)?.map(Cow::into_owned).into_iter().collect(),
        };
        texts.retain(|text| !is_empty(text) && !field.empty.iter().any(|empty| empty == text.trim()));
        if field.first {
            texts.truncate(1);
        }
        for text in &mut texts {
            if let Some((_, to)) = field.map.iter().find(|(from, _)| from == text.trim()) {
                text.clone_from(to);
            }
            for (from, to) in field.replace.iter().filter(|(from, _)| text.contains(from)).collect::<Vec<_>>() {
                *text = text.replace(from, to);
            }
        }
        texts.retain(|text| !is_empty(text)); // `map` and `replace` may have left nothing
        let Some(reader) = &field.reader else {
            // Several texts in one column: one a line.
            return Ok(if texts.is_empty() { Vec::new() } else { vec![Reading::plain(texts.join("\n"))] });
        };
        let mut readings = Vec::new();
        for text in texts {
            let mut read = reader.read(&text, None);
            if let (Err(_), Some(district)) = (&read, &field.district) {
                // Asked for only where the text names none: finding it may take a lookup. What is wrong with the
                // text itself is worth more than that its district was not found, too.
                match self.text(row, district).map(|text| text.and_then(|t| reader::find_district(&t))) {
                    Ok(Some(known)) => read = reader.read(&text, Some(known)),
                    Err(complaint) if read == Err(address::Fault::NoDistrict.expected()) && !field.lenient => {
                        return Err(complaint);
                    }
                    _ => {}
                }
            }
            match read {
                Ok(read) => readings.extend(read),
                Err(expected) => {
                    let complaint = Complaint::expected(label, &text, expected);
                    if !field.lenient {
                        return Err(complaint);
                    }
                    row.note(complaint);
                }
            }
        }
        Ok(readings)
    }

    /// The text of a source; none when it is empty.
    fn text<'r>(&self, row: &'r mut Row, source: &'r Source) -> Result<Option<Cow<'r, str>>, Complaint> {
        Ok(match source {
            Source::Constant(text) => Some(Cow::Borrowed(text)),
            Source::Column(column) => row.body.texts(column).into_iter().next().filter(|text| !is_empty(text)),
            Source::Item(path) => {
                row.item_texts(path.as_deref()).into_iter().next().filter(|text| !is_empty(text)).map(Cow::Owned)
            }
            Source::ItemNumber => row.item.map(|(_, number)| Cow::Owned(number.to_string())),
            Source::Value(number, part) => {
                self.value(row, *number)?;
                let at = row.chosen.filter(|(value, _)| value == number).map_or(0, |(_, at)| at);
                let reading = row.values[*number].as_ref().and_then(|readings| readings.get(at));
                let found = reading.and_then(|reading| match part {
                    Part::Main => reading.main.as_deref(),
                    Part::Fixed(name) => reading.part(name),
                    Part::Named(number) => reading.named.get(*number)?.as_deref(),
                });
                found.filter(|text| !is_empty(text)).map(Cow::Borrowed)
            }
            Source::Optional(source) => Some(self.text(row, source)?.unwrap_or_default()),
            Source::Template(pieces) => {
                let mut whole = String::new();
                for piece in pieces {
                    match self.text(row, piece)? {
                        Some(text) => whole.push_str(text.trim()),
                        None => return Ok(None),
                    }
                }
                Some(Cow::Owned(whole))
            }
        })
    }
}

/// Nothing but spaces says nothing, wherever it comes from.
fn is_empty(text: &str) -> bool {
    text.trim().is_empty()
}

impl Row<'_> {
    /// Once, however often the field is read.
    fn note(&mut self, complaint: Complaint) {
        if !self.notes.contains(&complaint) {
            self.notes.push(complaint);
        }
    }

    fn item_texts(&self, path: Option<&str>) -> Vec<String> {
        let Some((item, _)) = self.item else { return Vec::new() };
        let found = path.map_or(Some(item), |path| find(item, path));
        found.map(|found| json_texts(found).into_iter().map(Cow::into_owned).collect()).unwrap_or_default()
    }
}
