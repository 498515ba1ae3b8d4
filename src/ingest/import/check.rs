//! Checks a mapping against the catalogue and resolves it to a [`Plan`]; every fault is reported at once. Tables and
//! their columns are `check_tables`'s. Whether the databases have them is asked when the import begins.

use std::collections::BTreeMap;

use regex::Regex;

use super::mapping::{FieldSettings, FieldSpec, Mapping, RecordsSpec};
use super::plan::{FieldPlan, LookupPlan, Part, Plan, RecordsPlan, Source, ValueKind, ValuePlan};
use super::reader::Reader;
use super::source::Needed;
use super::template::{Expression, Piece};
use crate::catalog::Catalog;

/// A mapping that does not fit the catalogue or itself.
#[derive(Debug, thiserror::Error)]
#[error("mapping {mapping} cannot be used:\n  {}", .faults.join("\n  "))]
pub struct MappingFaults {
    /// The mapping's name.
    pub mapping: String,
    /// One line per fault: where, and what is wrong.
    pub faults: Vec<String>,
}

/// Resolves a mapping.
pub fn check(mapping: &Mapping, catalog: &Catalog) -> Result<Plan, MappingFaults> {
    let mut check = Check { catalog, faults: Vec::new(), lookups: &mapping.lookups };
    let lookups = mapping.lookups.iter().map(|(name, spec)| {
        if !catalog.datasets.iter().any(|dataset| dataset.code == spec.dataset) {
            check.faults.push(format!("lookups.{name}: there is no dataset `{}`", spec.dataset));
        }
        if spec.matching.is_empty() {
            check.faults.push(format!("lookups.{name}: `match` names no column"));
        }
        LookupPlan {
            dataset: spec.dataset.clone(),
            table: spec.table.clone(),
            matching: spec.matching.clone(),
            give: spec.give.clone(),
            fold: spec.fold,
        }
    });
    let lookups = lookups.collect();
    let records = mapping.records.iter().map(|records| check.records(records)).collect();
    if mapping.records.is_empty() {
        check.faults.push("it has no [[records]]".to_owned());
    }
    let plan = Plan { source: mapping.source.clone(), lookups, records };
    check.file(mapping, &plan);
    if check.faults.is_empty() {
        Ok(plan)
    } else {
        Err(MappingFaults { mapping: mapping.name.clone(), faults: check.faults })
    }
}

pub(super) struct Check<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) faults: Vec<String>,
    lookups: &'a BTreeMap<String, super::mapping::LookupSpec>,
}

/// What names mean within one `[[records]]`.
pub(super) struct Names<'a> {
    pub(super) place: String,
    pub(super) values: Vec<&'a str>,
    /// Parts of each value beyond the whole.
    parts: Vec<Vec<(String, Part)>>,
    /// Which values are addresses, read to their canonical keys.
    pub(super) addresses: Vec<bool>,
    items: bool,
}

impl Check<'_> {
    fn file(&mut self, mapping: &Mapping, plan: &Plan) {
        let unknown = mapping.unknown.iter().map(|place| format!("{place}: there is no such setting"));
        self.faults.extend(unknown);
        if (mapping.source.header_rows, &mapping.source.columns) == (Some(0), &None) {
            let text =
                "source.header_rows: 0 lines of headers leave the columns without names; list them in source.columns";
            self.faults.push(text.to_owned());
        }
        let Needed { columns, lists } = plan.reads();
        let in_lists = lists.iter().flat_map(|(path, items)| items.iter().map(move |item| format!("{path}/{item}")));
        let read: Vec<String> = columns.into_iter().chain(in_lists).collect();
        for name in mapping.source.optional.iter().filter(|name| !read.contains(name)) {
            self.faults.push(format!("source.optional: nothing reads `{name}`"));
        }
    }

    fn records(&mut self, spec: &RecordsSpec) -> RecordsPlan {
        let place = format!("records `{}`", spec.name);
        let readers: Vec<Option<Reader>> =
            spec.values.iter().map(|(name, value)| self.reader(&format!("{place}: {name}"), &value.settings)).collect();
        let parts =
            spec.values.values().zip(&readers).map(|(value, reader)| self.parts(&value.settings, reader.as_ref()));
        let names = Names {
            values: spec.values.keys().map(String::as_str).collect(),
            parts: parts.collect(),
            addresses: readers
                .iter()
                .map(|reader| matches!(reader, Some(Reader::Address | Reader::Addresses)))
                .collect(),
            items: spec.each.is_some(),
            place,
        };
        let mut values: Vec<ValuePlan> = spec
            .values
            .iter()
            .zip(readers)
            .map(|((name, value), reader)| self.value(&names, name, value, reader))
            .collect();
        self.circles(&names, &values);
        let counters =
            (0..values.len()).filter(|number| matches!(values[*number].kind, ValueKind::Count { .. })).collect();
        if spec.tables.is_empty() {
            self.faults.push(format!("{}: it has no [[records.tables]]", names.place));
        }
        let tables: Vec<_> = spec.tables.iter().map(|table| self.table(&names, table)).collect();
        for (number, value) in spec.values.values().enumerate() {
            if let ValueKind::Count { kept, .. } = &mut values[number].kind {
                *kept = self.kept_numbers(&names, number, &value.settings.same, &tables);
            }
        }
        RecordsPlan { name: spec.name.clone(), each: spec.each.clone(), values, counters, tables }
    }

    pub(super) fn reader(&mut self, place: &str, settings: &FieldSettings) -> Option<Reader> {
        if let Some(pattern) = &settings.pattern {
            return match Regex::new(pattern) {
                Ok(pattern) => Some(Reader::Pattern(Box::new(pattern))),
                Err(error) => {
                    self.faults.push(format!("{place}: pattern: {error}"));
                    None
                }
            };
        }
        let name = settings.read.as_deref()?;
        let reader = Reader::find(name);
        if reader.is_none() {
            self.faults.push(format!("{place}: there is no reader `{name}`; there are {}", Reader::NAMES.join(", ")));
        }
        reader
    }

    fn parts(&self, settings: &FieldSettings, reader: Option<&Reader>) -> Vec<(String, Part)> {
        let named = |names: &mut dyn Iterator<Item = String>| {
            names.enumerate().map(|(number, name)| (name, Part::Named(number))).collect()
        };
        match (reader, &settings.lookup) {
            (Some(Reader::Pattern(pattern)), _) => named(&mut pattern.capture_names().flatten().map(str::to_owned)),
            (Some(reader), _) => reader.parts().iter().map(|part| ((*part).to_owned(), Part::Fixed(part))).collect(),
            (None, Some(lookup)) => {
                let give = self.lookups.get(lookup).map(|spec| spec.give.clone()).unwrap_or_default();
                named(&mut give.into_iter())
            }
            (None, None) => Vec::new(),
        }
    }

    fn value(&mut self, names: &Names, name: &str, spec: &FieldSpec, reader: Option<Reader>) -> ValuePlan {
        let settings = &spec.settings;
        let place = format!("{}: {name}", names.place);
        let label = |source: &Source| match source {
            Source::Column(column) => column.clone(),
            _ => name.to_owned(),
        };
        if let Some(lookup) = &settings.lookup {
            let number = self.lookups.keys().position(|known| known == lookup).unwrap_or_else(|| {
                self.faults.push(format!("{place}: there is no lookup `{lookup}`"));
                0
            });
            let wanted = self.lookups.get(lookup).map_or(settings.with.len(), |spec| spec.matching.len());
            if wanted != settings.with.len() {
                self.faults.push(format!(
                    "{place}: lookup `{lookup}` matches {wanted} columns, `with` has {}",
                    settings.with.len()
                ));
            }
            let with = settings.with.iter().map(|text| self.source(names, &place, text)).collect();
            let when = settings.when.as_ref().map(|text| self.source(names, &place, text));
            let kind = ValueKind::Lookup { lookup: number, with, lenient: settings.lenient, when };
            return ValuePlan { label: name.to_owned(), kind };
        }
        if !settings.count_by.is_empty() {
            let by = settings.count_by.iter().map(|text| self.source(names, &place, text)).collect();
            return ValuePlan { label: name.to_owned(), kind: ValueKind::Count { by, kept: None } };
        }
        if !settings.same.is_empty() {
            self.faults.push(format!("{place}: `same` is for counters, which have `count_by`"));
        }
        if settings.follows.is_some() {
            self.faults.push(format!("{place}: `follows` is for columns of tables"));
        }
        let field = self.field(names, &place, settings, reader);
        ValuePlan { label: label(&field.from), kind: ValueKind::Read(field) }
    }

    pub(super) fn field(
        &mut self,
        names: &Names,
        place: &str,
        settings: &FieldSettings,
        reader: Option<Reader>,
    ) -> FieldPlan {
        let from = match &settings.from {
            Some(text) => self.source(names, place, text),
            None => {
                self.faults.push(format!("{place}: it says no `from`"));
                Source::Constant(String::new())
            }
        };
        let pairs = |map: &BTreeMap<String, String>| map.iter().map(|(a, b)| (a.clone(), b.clone())).collect();
        FieldPlan {
            from,
            reader,
            district: settings.district.as_ref().map(|text| self.source(names, place, text)),
            empty: settings.empty.clone(),
            map: pairs(&settings.map),
            replace: pairs(&settings.replace),
            lenient: settings.lenient,
            first: settings.first,
        }
    }

    pub(super) fn source(&mut self, names: &Names, place: &str, text: &str) -> Source {
        match Expression::parse(text) {
            Ok(Expression::Constant(text)) => Source::Constant(text),
            Ok(Expression::Name(name)) => self.name(names, place, &name),
            Ok(Expression::Template(pieces)) => Source::Template(
                pieces
                    .into_iter()
                    .map(|piece| match piece {
                        Piece::Text(text) => Source::Constant(text),
                        Piece::Name(name) => self.name(names, place, &name),
                        Piece::Optional(name) => Source::Optional(Box::new(self.name(names, place, &name))),
                    })
                    .collect(),
            ),
            Err(fault) => {
                self.faults.push(format!("{place}: {fault}"));
                Source::Constant(String::new())
            }
        }
    }

    /// A named value wins over a column of the file.
    fn name(&mut self, names: &Names, place: &str, text: &str) -> Source {
        if names.items {
            if text == "item" {
                return Source::Item(None);
            }
            if text == "item.number" {
                return Source::ItemNumber;
            }
            if let Some(path) = text.strip_prefix("item/") {
                return Source::Item(Some(path.to_owned()));
            }
        }
        let (name, part) = text.split_once('.').map_or((text, None), |(name, part)| (name, Some(part)));
        let Some(number) = names.values.iter().position(|value| *value == name) else {
            return Source::Column(text.to_owned());
        };
        let Some(part) = part else { return Source::Value(number, Part::Main) };
        match names.parts[number].iter().find(|(known, _)| known == part) {
            Some((_, part)) => Source::Value(number, *part),
            None => {
                let known: Vec<&str> = names.parts[number].iter().map(|(name, _)| name.as_str()).collect();
                self.faults.push(format!("{place}: `{name}` has no part `{part}`; it has {}", known.join(", ")));
                Source::Value(number, Part::Main)
            }
        }
    }

    /// Values must not need each other in a circle.
    fn circles(&mut self, names: &Names, values: &[ValuePlan]) {
        let needs: Vec<Vec<usize>> = values
            .iter()
            .map(|value| {
                let mut all = Vec::new();
                match &value.kind {
                    ValueKind::Read(field) => {
                        field.from.values(&mut all);
                        field.district.iter().for_each(|source| source.values(&mut all));
                    }
                    ValueKind::Lookup { with, when, .. } => {
                        with.iter().chain(when).for_each(|source| source.values(&mut all));
                    }
                    ValueKind::Count { by, .. } => by.iter().for_each(|source| source.values(&mut all)),
                }
                all
            })
            .collect();
        // Whoever is ready makes others ready; what is left stands in a circle.
        let mut ready = vec![false; values.len()];
        while let Some(next) = (0..values.len()).find(|n| !ready[*n] && needs[*n].iter().all(|need| ready[*need])) {
            ready[next] = true;
        }
        for number in (0..values.len()).filter(|number| !ready[*number]) {
            self.faults.push(format!("{}: {} needs itself", names.place, names.values[number]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::mapping::SHIPPED;
    use super::*;

    #[test]
    fn the_shipped_mappings_fit_the_declarations() {
        let catalog = crate::catalog::load_builtin().expect("the declarations are sound");
        for (name, text) in SHIPPED {
            let mapping = Mapping::parse(name, text).unwrap_or_else(|error| panic!("{error}"));
            check(&mapping, &catalog).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
