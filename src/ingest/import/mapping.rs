//! The mapping language: a TOML file that says how a published file becomes rows of the declared tables. Here
//! it is read as written; `check` resolves it against the catalogue. The language is explained in `docs/import.md`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

/// A mapping as written.
#[derive(Debug, Clone, Deserialize)]
pub struct Mapping {
    /// Name it was loaded by; not in the file.
    #[serde(skip)]
    pub name: String,
    /// Settings that the language does not have, each with its place.
    #[serde(skip)]
    pub unknown: Vec<String>,
    /// What it imports, in one line of English and Chinese.
    pub title: String,
    /// How to read the file.
    #[serde(default)]
    pub source: SourceSpec,
    /// Tables to look values up in.
    #[serde(default)]
    pub lookups: BTreeMap<String, LookupSpec>,
    /// What rows the file holds, and where they go.
    #[serde(default)]
    pub records: Vec<RecordsSpec>,
}

/// `[source]`
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SourceSpec {
    /// Format of the file; by its name if absent.
    pub format: Option<Format>,
    /// `utf-8`, `big5` or another WHATWG label; found out if absent.
    pub encoding: Option<String>,
    /// CSV: character between fields, a comma if absent.
    pub delimiter: Option<char>,
    /// CSV: lines of headers; the first one names the columns, the others are skipped.
    pub header_rows: Option<usize>,
    /// CSV without headers: names of the columns.
    pub columns: Option<Vec<String>>,
    /// JSON: path of the list of records, `a/b`; the whole document if absent.
    pub rows: Option<String>,
    /// Columns, or paths in JSON, that a file may be without.
    #[serde(default)]
    pub optional: Vec<String>,
}

/// File formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Comma-separated values.
    Csv,
    /// A list of objects.
    Json,
    /// A collection of features; properties are columns, the outline is the column `geometry`.
    Geojson,
}

/// `[lookups.NAME]`
#[derive(Debug, Clone, Deserialize)]
pub struct LookupSpec {
    /// Dataset that holds the table.
    pub dataset: String,
    /// Table name.
    pub table: String,
    /// Columns that must match, in the order of `with`.
    #[serde(rename = "match")]
    pub matching: Vec<String>,
    /// Columns that are given back: parts of the value.
    pub give: Vec<String>,
    /// Compare names of land sections in folded writing.
    #[serde(default)]
    pub fold: bool,
}

/// `[[records]]`
#[derive(Debug, Clone, Deserialize)]
pub struct RecordsSpec {
    /// Name in reports, `parcels`.
    pub name: String,
    /// JSON: path of a list inside each record; each element is a row and is called `item`.
    pub each: Option<String>,
    /// Named values, in any order.
    #[serde(default)]
    pub values: BTreeMap<String, FieldSpec>,
    /// Tables that a row is written to.
    pub tables: Vec<TableSpec>,
}

/// `[[records.tables]]`
#[derive(Debug, Clone, Deserialize)]
pub struct TableSpec {
    /// Dataset that holds the table.
    pub dataset: String,
    /// Table name.
    pub table: String,
    /// Columns that identify a row.
    pub key: Vec<String>,
    /// What happens to rows that exist.
    #[serde(default)]
    pub mode: Mode,
    /// Value that stands for several: one row for each of them.
    pub for_each: Option<String>,
    /// Value without which this table gets no row.
    pub when: Option<String>,
    /// Column → where its value comes from.
    pub columns: BTreeMap<String, FieldSpec>,
}

/// What happens to rows that exist.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// They are updated where they differ.
    #[default]
    Upsert,
    /// They are left alone; only missing rows are added.
    Add,
    /// They are updated where they differ, but nothing is erased: what is empty here stays as it is there.
    Keep,
    /// What they lack is filled in; what they have stays.
    Fill,
}

/// Where a value comes from: an expression, or a table of settings around one.
#[derive(Debug, Clone)]
pub struct FieldSpec {
    /// Settings; an expression alone has only `from`.
    pub settings: FieldSettings,
}

impl<'de> Deserialize<'de> for FieldSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

/// By hand, because an untagged enum would say no more of a fault within than that nothing matched.
struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = FieldSpec;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the name of a column or a table of settings")
    }

    fn visit_str<E>(self, text: &str) -> Result<FieldSpec, E> {
        Ok(FieldSpec { settings: FieldSettings { from: Some(text.to_owned()), ..FieldSettings::default() } })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FieldSpec, A::Error> {
        FieldSettings::deserialize(MapAccessDeserializer::new(map)).map(|settings| FieldSpec { settings })
    }
}

/// Settings of a value.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct FieldSettings {
    /// Column, value, `{template}` or `=constant`.
    pub from: Option<String>,
    /// Reader, named after a scalar.
    pub read: Option<String>,
    /// Regular expression whose named groups become parts.
    pub pattern: Option<String>,
    /// For readers of addresses: the district, where the text names none.
    pub district: Option<String>,
    /// Texts that mean "nothing", besides the empty one.
    #[serde(default)]
    pub empty: Vec<String>,
    /// Text → text, before reading.
    #[serde(default)]
    pub map: BTreeMap<String, String>,
    /// Text → text inside the value, before reading.
    #[serde(default)]
    pub replace: BTreeMap<String, String>,
    /// A value that cannot be read is left empty and told, instead of refusing the row.
    #[serde(default)]
    pub lenient: bool,
    /// Only the first of several texts counts.
    #[serde(default)]
    pub first: bool,
    /// For columns under `keep`: the column with which this one is kept or written over.
    pub follows: Option<String>,
    /// Lookup to take parts from.
    pub lookup: Option<String>,
    /// Expressions for the lookup's columns.
    #[serde(default)]
    pub with: Vec<String>,
    /// For lookups: nothing is looked up when this is empty.
    pub when: Option<String>,
    /// Counts rows from 1 for each combination of these expressions.
    #[serde(default)]
    pub count_by: Vec<String>,
    /// For counters: columns by which a row of the table is known again, and keeps its number.
    #[serde(default)]
    pub same: Vec<String>,
}

/// The shipped mappings: name and text.
pub const SHIPPED: &[(&str, &str)] = &[
    ("land-sections", include_str!("../mappings/land-sections.toml")),
    ("use-permits", include_str!("../mappings/use-permits.toml")),
    ("use-permit-parcels", include_str!("../mappings/use-permit-parcels.toml")),
    ("use-permit-addresses", include_str!("../mappings/use-permit-addresses.toml")),
    ("use-permit-floors", include_str!("../mappings/use-permit-floors.toml")),
    ("use-permits-json", include_str!("../mappings/use-permits-json.toml")),
    ("addresses", include_str!("../mappings/addresses.toml")),
    ("zoning-summary", include_str!("../mappings/zoning-summary.toml")),
    ("zoning-codes", include_str!("../mappings/zoning-codes.toml")),
    ("village-population", include_str!("../mappings/village-population.toml")),
    ("village-events", include_str!("../mappings/village-events.toml")),
    ("fire-noncompliance", include_str!("../mappings/fire-noncompliance.toml")),
    ("declared-land-values", include_str!("../mappings/declared-land-values.toml")),
    ("real-price-sales", include_str!("../mappings/real-price-sales.toml")),
];

/// A mapping that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// Neither shipped nor a file.
    #[error(
        "there is no mapping `{0}`: `cityquery import --list` shows the shipped ones; a path of your own works, too"
    )]
    Unknown(String),
    /// A path that leads nowhere.
    #[error("mapping {0}: there is no file of that name")]
    Missing(String),
    /// A path that leads to no file.
    #[error("mapping {0}: it is a folder, not a mapping")]
    Folder(String),
    /// The file cannot be read.
    #[error("mapping {0}: {1}")]
    Unreadable(String, std::io::Error),
    /// The file is no mapping; the text says where.
    #[error("mapping {0}: {1}")]
    Malformed(String, String),
}

impl Mapping {
    /// Loads a shipped mapping by name, or one's own by path.
    pub fn load(name: &str) -> Result<Mapping, MappingError> {
        if let Some((_, text)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
            return Mapping::parse(name, text);
        }
        let path = Path::new(name);
        if path.is_dir() {
            return Err(MappingError::Folder(name.to_owned()));
        }
        if !path.exists() {
            let is_path = path.components().count() > 1 || path.extension().is_some();
            return Err(if is_path { MappingError::Missing } else { MappingError::Unknown }(name.to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| MappingError::Unreadable(name.to_owned(), error))?;
        Mapping::parse(name, &text)
    }

    /// Reads a mapping's text.
    pub fn parse(name: &str, text: &str) -> Result<Mapping, MappingError> {
        let malformed =
            |error: toml::de::Error| MappingError::Malformed(name.to_owned(), error.to_string().trim_end().to_owned());
        let document = toml::Deserializer::parse(text).map_err(malformed)?;
        let mut unknown = Vec::new();
        let mapping: Mapping =
            serde_ignored::deserialize(document, |place| unknown.push(place.to_string())).map_err(malformed)?;
        Ok(Mapping { name: name.to_owned(), unknown, ..mapping })
    }
}
