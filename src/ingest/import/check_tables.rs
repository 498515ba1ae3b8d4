//! Checks the tables of a mapping: that they and their columns are declared, that nothing is missing that may not be.

use super::check::{Check, Names};
use super::column::Holds;
use super::mapping::{Mode, TableSpec};
use super::plan::{ColumnPlan, KeptNumbers, Part, Source, TablePlan};
use super::unit::Unit;
use crate::catalog::scalar::Scalar;
use crate::catalog::{Catalog, FieldKind, TypeDef};
use crate::store::upsert::Change;

impl Check<'_> {
    pub(super) fn table(&mut self, names: &Names, spec: &TableSpec) -> TablePlan {
        let place = format!("{}: table {}.{}", names.place, spec.dataset, spec.table);
        if !self.catalog.datasets.iter().any(|dataset| dataset.code == spec.dataset) {
            self.faults.push(format!("{place}: there is no dataset `{}`", spec.dataset));
        }
        let declared = self
            .catalog
            .types
            .iter()
            .find(|t| t.table == spec.table && self.catalog.dataset(t.dataset).code == spec.dataset);
        if spec.key.is_empty() {
            self.faults.push(format!("{place}: `key` names no column"));
        }
        for key in spec.key.iter().filter(|key| !spec.columns.contains_key(*key)) {
            self.faults.push(format!("{place}: the key column {key} is not among `columns`"));
        }
        let for_each = spec.for_each.as_ref().and_then(|name| {
            let number = names.values.iter().position(|value| value == name);
            if number.is_none() {
                self.faults.push(format!("{place}: for_each: there is no value `{name}`"));
            }
            number
        });
        let rest = spec.columns.keys().filter(|name| !spec.key.contains(name));
        let ordered: Vec<&String> = spec.key.iter().filter(|key| spec.columns.contains_key(*key)).chain(rest).collect();
        let columns: Vec<ColumnPlan> =
            ordered.into_iter().map(|name| self.column(names, &place, spec, declared, name)).collect();
        let changes = self.changes(&place, spec, &columns);
        if let Some(type_def) = declared {
            for (name, _) in declared_columns(self.catalog, type_def)
                .filter(|(name, holds)| holds.not_null && !spec.columns.contains_key(*name))
            {
                self.faults.push(format!("{place}: the column {name} is never empty and must be given"));
            }
        }
        TablePlan {
            dataset: spec.dataset.clone(),
            table: spec.table.clone(),
            id_column: declared.map_or_else(|| "id".to_owned(), |type_def| type_def.id_column.clone()),
            key_length: spec.key.len(),
            changes,
            for_each,
            when: spec.when.as_ref().map(|text| self.source(names, &place, text)),
            columns,
        }
    }

    fn changes(&mut self, place: &str, spec: &TableSpec, columns: &[ColumnPlan]) -> Vec<Change> {
        let rest = &columns[spec.key.len().min(columns.len())..];
        if spec.mode != Mode::Keep {
            let follows = spec.columns.iter().filter(|(_, column)| column.settings.follows.is_some());
            self.faults.extend(follows.map(|(name, _)| format!("{place}: {name}: `follows` is for mode = \"keep\"")));
        }
        let mut keep = |(at, column): (usize, &ColumnPlan)| {
            let Some(followed) = &spec.columns[&column.name].settings.follows else { return Change::Keep(at) };
            let found = rest.iter().position(|column| column.name == *followed);
            Change::Keep(found.unwrap_or_else(|| {
                self.faults.push(format!("{place}: {}: follows: no such column is given: {followed}", column.name));
                at
            }))
        };
        match spec.mode {
            Mode::Add => Vec::new(),
            Mode::Fill => vec![Change::Fill; rest.len()],
            Mode::Keep => rest.iter().enumerate().map(&mut keep).collect(),
            Mode::Upsert => vec![Change::Replace; rest.len()],
        }
    }

    /// The table that keeps a counter's numbers, where the counter says by what its rows are known again.
    pub(super) fn kept_numbers(
        &mut self,
        names: &Names,
        counter: usize,
        same: &[String],
        tables: &[TablePlan],
    ) -> Option<KeptNumbers> {
        if same.is_empty() {
            return None;
        }
        let place = format!("{}: {}", names.place, names.values[counter]);
        let in_key = |table: &TablePlan| {
            let mut key = table.columns.iter().take(table.key_length);
            key.position(|column| column.field.from == Source::Value(counter, Part::Main))
        };
        let Some((table, number)) = tables.iter().enumerate().find_map(|(at, table)| Some((at, in_key(table)?))) else {
            self.faults.push(format!("{place}: `same` needs a table that has this number alone in its key"));
            return None;
        };
        let TablePlan { dataset, table: name, key_length, columns, .. } = &tables[table];
        let group = (0..*key_length).filter(|at| *at != number).collect();
        let mut known_by = Vec::new();
        for column in same {
            match columns.iter().position(|known| known.name == *column) {
                Some(at) if at >= *key_length => known_by.push(at),
                Some(_) => self.faults.push(format!("{place}: `same` names {column}, which is part of the key")),
                None => {
                    self.faults.push(format!("{place}: `same` names {column}, which {dataset}.{name} is not given"));
                }
            }
        }
        Some(KeptNumbers { table, number, group, same: known_by })
    }

    fn column(
        &mut self,
        names: &Names,
        place: &str,
        table: &TableSpec,
        declared: Option<&TypeDef>,
        name: &str,
    ) -> ColumnPlan {
        let place = format!("{place}: {name}");
        let holds = match declared {
            None => Holds { scalar: Scalar::String, scale: 0, unit: Unit::Any, not_null: false },
            Some(type_def) => {
                let found = declared_columns(self.catalog, type_def).find(|(known, _)| *known == name);
                found.map(|(_, holds)| holds).unwrap_or_else(|| {
                    self.faults.push(format!("{place}: {} declares no such column", type_def.name));
                    Holds { scalar: Scalar::String, scale: 0, unit: Unit::Any, not_null: false }
                })
            }
        };
        let settings = &table.columns[name].settings;
        if settings.lookup.is_some() || !settings.count_by.is_empty() || !settings.with.is_empty() {
            self.faults.push(format!("{place}: lookups and counters belong under [records.values]"));
        }
        if !settings.same.is_empty() {
            self.faults.push(format!("{place}: `same` is for counters, which have `count_by`"));
        }
        if settings.lenient && holds.not_null {
            self.faults.push(format!("{place}: it is never empty, so it cannot be lenient"));
        }
        let reader = self.reader(&place, settings);
        let field = self.field(names, &place, settings, reader);
        let label = match &field.from {
            Source::Column(column) => column.clone(),
            _ => name.to_owned(),
        };
        let mut holds = holds;
        if let (Source::Value(number, Part::Main | Part::Fixed("plate_key")), None) = (&field.from, &field.reader)
            && names.addresses[*number]
            && holds.scalar == Scalar::AddressKey
        {
            holds.scalar = Scalar::String; // canonical as it was read; reading it again would cost most of the import
        }
        ColumnPlan { name: name.to_owned(), label, field, holds }
    }
}

/// The columns that a type declares, without its surrogate key.
fn declared_columns<'a>(catalog: &'a Catalog, type_def: &'a TypeDef) -> impl Iterator<Item = (&'a str, Holds)> {
    type_def.fields.iter().map(|id| catalog.field(*id)).filter_map(|field| match &field.kind {
        FieldKind::Column(column) if column.name != type_def.id_column => {
            let unit = Unit::of_column(&column.name);
            let holds = Holds { scalar: column.scalar, scale: column.scale, unit, not_null: column.not_null };
            Some((column.name.as_str(), holds))
        }
        _ => None,
    })
}
