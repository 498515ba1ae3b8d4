//! The right answer to a made-up operation, worked out one row and one field at a time from the tables in memory.
//! It shares nothing with the planner; what comparisons hold is asked of the database, by `predicate`.

use std::cmp::Ordering;

use cityquery::access::mask;
use cityquery::catalog::scalar::Scalar;
use cityquery::catalog::{Catalog, FieldDef, FieldId, FieldKind, Join, TypeId};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::ask::{Asked, EdgeKind, Filter, Object, Part, PartKind, RootKind, SelectedKind, Window};
use super::city::{Cell, City, Table};
use super::grants::Grants;
use super::predicate::Oracle;

/// Stands for a cursor, which nobody can foretell.
pub const CURSOR: &str = "<cursor>";

/// Works answers out.
pub struct Naive<'a> {
    /// The declarations.
    pub catalog: &'a Catalog,
    /// The data.
    pub city: &'a City,
    /// What the comparisons of the operation hold for.
    pub oracle: &'a Oracle<'a>,
    /// Rows of a page that asks for no number.
    pub page_default: usize,
    /// What is granted, if not everything.
    pub grants: Option<&'a Grants>,
}

impl Naive<'_> {
    /// The value of `data`.
    pub fn answer(&self, asked: &Asked) -> Value {
        let mut data = Map::new();
        for root in &asked.roots {
            let of = self.catalog.field(root.field).owner;
            let value = match &root.kind {
                RootKind::One { .. } if !self.shows(root.field) => Value::Null,
                RootKind::One { by, value, object } => {
                    let used: Vec<FieldId> = self.selected(object).chain([root.field, *by]).collect();
                    let mut rows = 0..self.table(of).rows.len();
                    let found = rows.find(|row| self.cell(of, *row, *by) == value && self.sees(of, *row, &used));
                    found.map_or(Value::Null, |row| self.object(object, row))
                }
                RootKind::List { parts, .. } if !self.shows(root.field) && !self.counts(root.field, parts) => {
                    Value::Null
                }
                RootKind::List { window, parts } => {
                    let asked = parts.iter().flat_map(|part| self.asked(&part.kind));
                    let all = self.list(of, window, &asked.chain([root.field]).collect::<Vec<_>>());
                    let page = self.page(window, &all);
                    let part = |part: &Part| match &part.kind {
                        PartKind::TotalCount if !self.counts(root.field, parts) => Value::Null,
                        PartKind::TotalCount | PartKind::Typename => self.part(of, &part.kind, &all, &page),
                        _ if !self.shows(root.field) => Value::Null,
                        kind => self.part(of, kind, &all, &page),
                    };
                    Value::Object(parts.iter().map(|one| (one.key.clone(), part(one))).collect())
                }
            };
            data.insert(root.key.clone(), value);
        }
        Value::Object(data)
    }

    /// All rows of a list in order, before it is cut to a page, as those see it who use those fields of them.
    pub fn list(&self, of: TypeId, window: &Window, used: &[FieldId]) -> Vec<usize> {
        let rows = (0..self.table(of).rows.len()).collect();
        self.ordered(of, rows, window, used)
    }

    pub(super) fn shows(&self, field: FieldId) -> bool {
        self.grants.is_none_or(|grants| grants[&field].select)
    }

    /// The count is asked for, and granted.
    pub(super) fn counts(&self, field: FieldId, parts: &[Part]) -> bool {
        let asked = parts.iter().any(|part| matches!(part.kind, PartKind::TotalCount));
        asked && self.grants.is_none_or(|grants| grants[&field].aggregate)
    }

    /// The fields that are shown of each row.
    fn selected(&self, object: &Object) -> impl Iterator<Item = FieldId> {
        object.fields.iter().filter_map(|selected| match &selected.kind {
            SelectedKind::Column(field) | SelectedKind::Join { field, .. } => self.shows(*field).then_some(*field),
            SelectedKind::Typename => None,
        })
    }

    fn asked(&self, part: &PartKind) -> Vec<FieldId> {
        match part {
            PartKind::Nodes(object) => self.selected(object).collect(),
            PartKind::Edges(fields) => {
                let nodes = fields.iter().filter_map(|(_, field)| match field {
                    EdgeKind::Node(object) => Some(object),
                    _ => None,
                });
                nodes.flat_map(|object| self.selected(object)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A row lies in the districts of every field that is used of it, and in those of any field of its type at all.
    fn sees(&self, of: TypeId, row: usize, used: &[FieldId]) -> bool {
        let Some(grants) = self.grants else { return true };
        let Some(column) = &self.catalog.type_def(of).scope_column else { return true };
        let table = self.table(of);
        let Cell::Text(district) = &table.rows[row][table.column(column)] else { return false };
        let within = |field: &FieldId| {
            let districts = grants[field].districts.as_ref();
            districts.is_none_or(|districts| districts.contains(district))
        };
        let own: Vec<FieldId> = self.catalog.fields.iter().filter(|f| f.owner == of).map(|f| f.id).collect();
        own.iter().any(within) && used.iter().all(within)
    }

    /// The row number of a row.
    pub fn id(&self, of: TypeId, row: usize) -> i64 {
        match self.table(of).rows[row][0] {
            Cell::Int(id) => id,
            ref other => panic!("{other:?} is no row number"),
        }
    }

    fn page(&self, window: &Window, all: &[usize]) -> Page {
        if let Some(last) = window.last {
            let from = all.len().saturating_sub(last as usize);
            return Page { rows: all[from..].to_vec(), next: false, previous: from > 0 };
        }
        let offset = window.offset.unwrap_or(0) as usize;
        let first = window.first.map_or(self.page_default, |first| first as usize);
        let rows: Vec<usize> = all.iter().copied().skip(offset).take(first).collect();
        Page {
            next: offset + rows.len() < all.len() && offset < all.len(),
            previous: offset > 0 && offset < all.len(),
            rows,
        }
    }

    fn part(&self, of: TypeId, part: &PartKind, all: &[usize], page: &Page) -> Value {
        match part {
            PartKind::Nodes(object) => page.rows.iter().map(|row| self.object(object, *row)).collect(),
            PartKind::Edges(fields) => {
                let edge = |row: &usize| {
                    let field = |(key, field): &(String, EdgeKind)| {
                        let value = match field {
                            EdgeKind::Node(object) => self.object(object, *row),
                            EdgeKind::Cursor => json!(CURSOR),
                            EdgeKind::Typename => json!(format!("{}Edge", self.catalog.type_def(of).name)),
                        };
                        (key.clone(), value)
                    };
                    Value::Object(fields.iter().map(field).collect())
                };
                page.rows.iter().map(edge).collect()
            }
            PartKind::PageInfo(fields) => {
                let cursor = if page.rows.is_empty() { Value::Null } else { json!(CURSOR) };
                let field = |name: &str| match name {
                    "hasNextPage" => json!(page.next),
                    "hasPreviousPage" => json!(page.previous),
                    "__typename" => json!("PageInfo"),
                    _ => cursor.clone(),
                };
                Value::Object(fields.iter().map(|(key, name)| (key.clone(), field(name))).collect())
            }
            PartKind::TotalCount => json!(all.len()),
            PartKind::Typename => json!(format!("{}Connection", self.catalog.type_def(of).name)),
        }
    }

    fn object(&self, object: &Object, row: usize) -> Value {
        let of = object.of;
        let mut out = Map::new();
        for selected in &object.fields {
            let value = match &selected.kind {
                SelectedKind::Typename => json!(self.catalog.type_def(of).name),
                SelectedKind::Column(field) | SelectedKind::Join { field, .. } if !self.shows(*field) => Value::Null,
                SelectedKind::Column(field) => self.shown(of, row, *field),
                SelectedKind::Join { field, window, object } => {
                    let FieldKind::Join(join) = &self.catalog.field(*field).kind else { panic!("a join") };
                    let used: Vec<FieldId> = self.selected(object).collect();
                    let mut far = self.ordered(join.target, self.walk(of, row, join), window, &used);
                    if join.many {
                        let first = window.first.map_or(usize::MAX, |first| first as usize);
                        far = far.into_iter().skip(window.offset.unwrap_or(0) as usize).take(first).collect();
                        far.iter().map(|row| self.object(object, *row)).collect()
                    } else {
                        far.first().map_or(Value::Null, |row| self.object(object, *row))
                    }
                }
            };
            out.insert(selected.key.clone(), value);
        }
        Value::Object(out)
    }

    fn shown(&self, of: TypeId, row: usize, field: FieldId) -> Value {
        let id = self.scalar(field) == Scalar::Id;
        if let Some(mask) = self.catalog.field(field).mask.filter(|_| self.masks(field)) {
            let Cell::Text(text) = self.cell(of, row, field) else { return Value::Null };
            let mut masked = String::new();
            return if mask::write_masked(mask, text, &mut masked) { json!(masked) } else { Value::Null };
        }
        match self.cell(of, row, field) {
            Cell::Null => Value::Null,
            Cell::Int(value) if id => json!(value.to_string()),
            Cell::Int(value) => json!(value),
            Cell::Bool(value) => json!(value),
            Cell::Text(text) => json!(text),
        }
    }

    fn masks(&self, field: FieldId) -> bool {
        self.grants.is_some_and(|grants| grants[&field].masked)
    }

    /// The rows that a join leads to.
    fn walk(&self, of: TypeId, row: usize, join: &Join) -> Vec<usize> {
        let (near, far) = (self.table(of), self.table(join.target));
        let from = &near.rows[row][near.column(&join.from)];
        if *from == Cell::Null {
            return Vec::new();
        }
        let to = far.column(&join.to);
        let Some(through) = &join.through else {
            return (0..far.rows.len()).filter(|row| far.rows[*row][to] == *from).collect();
        };
        let links = self.city.table(&through.table);
        let (near_key, far_key) = (links.column(&through.from), links.column(&through.to));
        let mut found = Vec::new();
        for link in links.rows.iter().filter(|link| link[near_key] == *from) {
            found.extend((0..far.rows.len()).filter(|row| far.rows[*row][to] == link[far_key]));
        }
        found
    }

    /// Narrowed and sorted.
    fn ordered(&self, of: TypeId, mut rows: Vec<usize>, window: &Window, used: &[FieldId]) -> Vec<usize> {
        let mut used: Vec<FieldId> = used.iter().copied().chain(window.order.iter().map(|(field, _)| *field)).collect();
        window.filter.iter().for_each(|filter| looked_at(filter, &mut used));
        rows.retain(|row| self.sees(of, *row, &used));
        if let Some(filter) = &window.filter {
            rows.retain(|row| self.holds(of, *row, filter) == Some(true));
        }
        rows.sort_by(|a, b| {
            for (field, descending) in &window.order {
                let ordering = self.compare(*field, self.cell(of, *a, *field), self.cell(of, *b, *field), *descending);
                if ordering != Ordering::Equal {
                    return ordering;
                }
            }
            self.id(of, *a).cmp(&self.id(of, *b))
        });
        rows
    }

    /// Nulls last in both directions; texts by code point, which in UTF-8 is by byte.
    fn compare(&self, field: FieldId, a: &Cell, b: &Cell, descending: bool) -> Ordering {
        let ordering = match (a, b) {
            (Cell::Null, Cell::Null) => return Ordering::Equal,
            (Cell::Null, _) => return Ordering::Greater,
            (_, Cell::Null) => return Ordering::Less,
            (Cell::Text(a), Cell::Text(b)) if self.scalar(field) == Scalar::Decimal => {
                let number = |text: &str| text.parse::<Decimal>().expect("a decimal");
                number(a).cmp(&number(b))
            }
            (a, b) => a.cmp(b),
        };
        if descending { ordering.reverse() } else { ordering }
    }

    /// True, false or unknown, as SQL has it.
    fn holds(&self, of: TypeId, row: usize, filter: &Filter) -> Option<bool> {
        match filter {
            Filter::And(all) => {
                let held: Vec<_> = all.iter().map(|filter| self.holds(of, row, filter)).collect();
                let unknown = held.contains(&None);
                if held.contains(&Some(false)) { Some(false) } else { (!unknown).then_some(true) }
            }
            Filter::Or(any) => {
                let held: Vec<_> = any.iter().map(|filter| self.holds(of, row, filter)).collect();
                let unknown = held.contains(&None);
                if held.contains(&Some(true)) { Some(true) } else { (!unknown).then_some(false) }
            }
            Filter::Not(filter) => self.holds(of, row, filter).map(|held| !held),
            Filter::Related { field, word, filter } => {
                let FieldKind::Join(join) = &self.catalog.field(*field).kind else { panic!("a join") };
                let (mut far, mut used) = (self.walk(of, row, join), Vec::new());
                looked_at(filter, &mut used);
                far.retain(|row| self.sees(join.target, *row, &used));
                let mut far = far.into_iter().map(|row| self.holds(join.target, row, filter) == Some(true));
                Some(match *word {
                    "" | "_some" => far.any(|held| held),
                    "_none" => !far.any(|held| held),
                    "_every" => far.all(|held| held),
                    other => panic!("{other}"),
                })
            }
            leaf => self.oracle.held(leaf)[&self.id(of, row)],
        }
    }

    fn table(&self, of: TypeId) -> &Table {
        self.city.table(&self.catalog.type_def(of).table)
    }

    fn cell(&self, of: TypeId, row: usize, field: FieldId) -> &Cell {
        let table = self.table(of);
        let FieldDef { kind: FieldKind::Column(column), .. } = self.catalog.field(field) else { panic!("a column") };
        &table.rows[row][table.column(&column.name)]
    }

    fn scalar(&self, field: FieldId) -> Scalar {
        match &self.catalog.field(field).kind {
            FieldKind::Column(column) => column.scalar,
            _ => panic!("a column"),
        }
    }
}

/// The fields of the rows themselves that a condition looks at.
fn looked_at(filter: &Filter, fields: &mut Vec<FieldId>) {
    match filter {
        Filter::And(all) | Filter::Or(all) => all.iter().for_each(|filter| looked_at(filter, fields)),
        Filter::Not(filter) => looked_at(filter, fields),
        Filter::Compare { field, .. } | Filter::IsNull { field, .. } | Filter::Related { field, .. } => {
            fields.push(*field)
        }
    }
}

struct Page {
    rows: Vec<usize>,
    next: bool,
    previous: bool,
}
