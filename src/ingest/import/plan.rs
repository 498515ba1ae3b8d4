//! A mapping after it was checked: names are numbers, readers and columns are known, nothing can be missing.

use super::column::Holds;
use super::mapping::SourceSpec;
use super::reader::Reader;
use super::source::Needed;
use crate::store::upsert::Change;

/// A checked mapping.
#[derive(Debug)]
pub struct Plan {
    /// How to read the file.
    pub source: SourceSpec,
    /// Tables to look values up in.
    pub lookups: Vec<LookupPlan>,
    /// What rows the file holds.
    pub records: Vec<RecordsPlan>,
}

/// A table to look values up in.
#[derive(Debug)]
pub struct LookupPlan {
    /// Dataset code.
    pub dataset: String,
    /// Table.
    pub table: String,
    /// Columns that must match.
    pub matching: Vec<String>,
    /// Columns that are given back.
    pub give: Vec<String>,
    /// Compare in folded writing.
    pub fold: bool,
}

/// One kind of row in the file.
#[derive(Debug)]
pub struct RecordsPlan {
    /// Name in reports.
    pub name: String,
    /// Path of the list inside each record.
    pub each: Option<String>,
    /// Named values; each uses others freely, never in a circle.
    pub values: Vec<ValuePlan>,
    /// Numbers of the values that count rows: they run for every row, refused or not.
    pub counters: Vec<usize>,
    /// Tables that a row is written to.
    pub tables: Vec<TablePlan>,
}

/// A named value.
#[derive(Debug)]
pub struct ValuePlan {
    /// What a reject file calls it.
    pub label: String,
    /// How it comes about.
    pub kind: ValueKind,
}

/// How a value comes about.
#[derive(Debug)]
pub enum ValueKind {
    /// Read from a text.
    Read(FieldPlan),
    /// Taken from another table.
    Lookup {
        /// Number of the lookup.
        lookup: usize,
        /// What its columns must equal.
        with: Vec<Source>,
        /// Nothing found is no fault.
        lenient: bool,
        /// Empty: there is nothing to look up.
        when: Option<Source>,
    },
    /// Counted from 1.
    Count {
        /// One count for each combination of these.
        by: Vec<Source>,
        /// The table that keeps the numbers, if they go on from there.
        kept: Option<KeptNumbers>,
    },
}

/// Where a table keeps a number that the importer gives: numbers of the table and of its columns.
#[derive(Debug)]
pub struct KeptNumbers {
    /// The table.
    pub table: usize,
    /// Column of the number.
    pub number: usize,
    /// The other columns of its key: each combination is counted on its own.
    pub group: Vec<usize>,
    /// Columns by which a row is known again.
    pub same: Vec<usize>,
}

/// A text and how it is read.
#[derive(Debug)]
pub struct FieldPlan {
    /// Where the text comes from.
    pub from: Source,
    /// Reader; none keeps the text for the column to read.
    pub reader: Option<Reader>,
    /// District for addresses without one.
    pub district: Option<Source>,
    /// Texts that mean nothing.
    pub empty: Vec<String>,
    /// Whole texts replaced.
    pub map: Vec<(String, String)>,
    /// Parts of texts replaced.
    pub replace: Vec<(String, String)>,
    /// Left empty instead of refusing the row.
    pub lenient: bool,
    /// Only the first text.
    pub first: bool,
}

/// Where a text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A fixed text.
    Constant(String),
    /// A column of the file.
    Column(String),
    /// The element of the list, or what a path in it leads to.
    Item(Option<String>),
    /// Number of the element, from 1.
    ItemNumber,
    /// A named value.
    Value(usize, Part),
    /// Texts and sources in turn; empty when one of them is.
    Template(Vec<Source>),
    /// A piece of a template that may be empty.
    Optional(Box<Source>),
}

/// Which part of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The whole.
    Main,
    /// A part that the reader names.
    Fixed(&'static str),
    /// A group of a pattern, or a column of a lookup.
    Named(usize),
}

/// A table that a row is written to.
#[derive(Debug)]
pub struct TablePlan {
    /// Dataset code.
    pub dataset: String,
    /// Table.
    pub table: String,
    /// Surrogate key.
    pub id_column: String,
    /// How many of the columns make the key.
    pub key_length: usize,
    /// What rows that exist become, column by column after the key; empty where they are left as they are.
    pub changes: Vec<Change>,
    /// Value with one row for each of its readings.
    pub for_each: Option<usize>,
    /// Empty: no row.
    pub when: Option<Source>,
    /// The columns, key first.
    pub columns: Vec<ColumnPlan>,
}

/// A column of a table.
#[derive(Debug)]
pub struct ColumnPlan {
    /// Column name.
    pub name: String,
    /// What a reject file calls it: the file's own column where there is one.
    pub label: String,
    /// Its text.
    pub field: FieldPlan,
    /// What it takes.
    pub holds: Holds,
}

impl Plan {
    /// What the plan reads of the file.
    pub fn reads(&self) -> Needed {
        let mut all = Needed::default();
        for records in &self.records {
            let mut sources = Vec::new();
            for value in &records.values {
                match &value.kind {
                    ValueKind::Read(field) => sources.extend(field.sources()),
                    ValueKind::Lookup { with, when, .. } => sources.extend(with.iter().chain(when)),
                    ValueKind::Count { by, .. } => sources.extend(by),
                }
            }
            for table in &records.tables {
                sources.extend(table.columns.iter().flat_map(|column| column.field.sources()).chain(&table.when));
            }
            let mut items = Vec::new();
            sources.iter().for_each(|source| source.columns(&mut all.columns, &mut items));
            if let Some(path) = &records.each {
                all.columns.push(path.clone());
                all.lists.push((path.clone(), items));
            }
        }
        all.columns.sort();
        all.columns.dedup();
        all
    }

    /// What every file must have.
    pub fn needed(&self) -> Needed {
        let mut needed = self.reads();
        let must = |name: &String| !self.source.optional.contains(name);
        needed.columns.retain(must);
        for (path, items) in &mut needed.lists {
            items.retain(|item| must(&format!("{path}/{item}")));
        }
        needed
    }
}

impl FieldPlan {
    fn sources(&self) -> impl Iterator<Item = &Source> {
        [&self.from].into_iter().chain(&self.district)
    }
}

impl Source {
    fn columns(&self, all: &mut Vec<String>, items: &mut Vec<String>) {
        match self {
            Source::Column(name) => all.push(name.clone()),
            Source::Item(Some(path)) => items.push(path.clone()),
            Source::Template(pieces) => pieces.iter().for_each(|piece| piece.columns(all, items)),
            Source::Optional(source) => source.columns(all, items),
            _ => {}
        }
    }

    /// Numbers of the values that it uses.
    pub fn values(&self, all: &mut Vec<usize>) {
        match self {
            Source::Value(number, _) => all.push(*number),
            Source::Template(pieces) => pieces.iter().for_each(|piece| piece.values(all)),
            Source::Optional(source) => source.values(all),
            _ => {}
        }
    }
}
