//! A naive recorder: follows an operation and its answer field by field and notes each one, as a hook on every field
//! would. It shares nothing with the planner or the packing of records.

use cityquery::access::{Rights, Use};
use cityquery::catalog::scalar::Scalar;
use cityquery::catalog::{Catalog, FieldId, FieldKind, TypeId};
use serde_json::Value;

use super::ask::{Asked, EdgeKind, Filter, Object, PartKind, RootKind, SelectedKind, Window};
use super::city::{Cell, City};

/// One resolved field or other use: path, type, field, response key, row number, use, outcome.
pub type Noted = (String, String, String, String, Option<i64>, &'static str, &'static str);

/// Follows one operation.
pub struct Recorder<'a> {
    pub catalog: &'a Catalog,
    pub city: &'a City,
    pub rights: &'a Rights,
    pub noted: Vec<Noted>,
}

impl Recorder<'_> {
    /// Notes everything that was resolved for an answer in which every object shows its `id`.
    pub fn follow(&mut self, asked: &Asked, data: &Value) {
        for root in &asked.roots {
            let field = self.catalog.field(root.field).clone();
            let answer = &data[&root.key];
            let listed = self.rights.uses(root.field).has(Use::Select);
            let counted = self.rights.uses(root.field).has(Use::Aggregate);
            let shown = match &root.kind {
                RootKind::One { .. } if !listed => "denied",
                RootKind::One { .. } if answer.is_null() => "null",
                RootKind::List { parts, .. } => {
                    let rows = parts.iter().any(|part| !matches!(part.kind, PartKind::TotalCount));
                    let count = parts.iter().any(|part| matches!(part.kind, PartKind::TotalCount));
                    if rows && listed || count && counted { "shown" } else { "denied" }
                }
                RootKind::One { .. } => "shown",
            };
            self.note("", "Query", &field.name, &root.key, Some(0), "join", shown);
            if shown == "denied" {
                continue;
            }
            match &root.kind {
                RootKind::One { by, object, .. } => {
                    let key = self.catalog.field(*by).name.clone();
                    let of = self.catalog.type_def(object.of).name.clone();
                    self.note(&root.key, &of, &key, &key, None, "key", "used");
                    self.object(object, &root.key, answer);
                    self.uses_below(object, &root.key);
                }
                RootKind::List { window, parts } => {
                    self.window(window, &root.key);
                    for part in parts {
                        self.part(field.owner, (&root.key, &part.key), &part.kind, (listed, counted), answer);
                    }
                }
            }
        }
    }

    fn part(
        &mut self,
        of: TypeId,
        (root, key): (&str, &str),
        part: &PartKind,
        (listed, counted): (bool, bool),
        answer: &Value,
    ) {
        let of = self.catalog.type_def(of).name.clone();
        let (name, granted) = match part {
            PartKind::Nodes(_) => ("nodes", listed),
            PartKind::Edges(_) => ("edges", listed),
            PartKind::PageInfo(_) => ("pageInfo", listed),
            PartKind::TotalCount => ("totalCount", counted),
            PartKind::Typename => ("__typename", true),
        };
        let outcome = if granted { "shown" } else { "denied" };
        self.note(root, &format!("{of}Connection"), name, key, Some(0), "select", outcome);
        if !granted {
            return;
        }
        let path = format!("{root}.{key}");
        match part {
            PartKind::Nodes(object) => {
                answer[key].as_array().expect("nodes").iter().for_each(|node| self.object(object, &path, node));
                self.uses_below(object, &path);
            }
            PartKind::Edges(fields) => {
                let node_key = fields.iter().find(|(_, field)| matches!(field, EdgeKind::Node(_)));
                let (node_key, _) = node_key.expect("every edge was asked for its node");
                for edge in answer[key].as_array().expect("edges") {
                    let row = row_number(&edge[node_key]);
                    for (key, field) in fields {
                        let name = match field {
                            EdgeKind::Node(_) => "node",
                            EdgeKind::Cursor => "cursor",
                            EdgeKind::Typename => "__typename",
                        };
                        self.note(&path, &format!("{of}Edge"), name, key, Some(row), "select", "shown");
                        if let EdgeKind::Node(object) = field {
                            self.object(object, &format!("{path}.{key}"), &edge[key]);
                        }
                    }
                }
                for (key, field) in fields {
                    if let EdgeKind::Node(object) = field {
                        self.uses_below(object, &format!("{path}.{key}"));
                    }
                }
            }
            PartKind::PageInfo(fields) => {
                for (field_key, name) in fields {
                    let outcome = if answer[key][field_key].is_null() { "null" } else { "shown" };
                    self.note(&path, "PageInfo", name, field_key, Some(0), "select", outcome);
                }
            }
            PartKind::TotalCount | PartKind::Typename => {}
        }
    }

    fn object(&mut self, object: &Object, path: &str, answer: &Value) {
        if answer.is_null() {
            return;
        }
        let of = self.catalog.type_def(object.of).name.clone();
        let row = row_number(answer);
        for selected in &object.fields {
            let (field, used) = match &selected.kind {
                SelectedKind::Typename => {
                    self.note(path, &of, "__typename", &selected.key, Some(row), "select", "shown");
                    continue;
                }
                SelectedKind::Column(field) => (*field, "select"),
                SelectedKind::Join { field, .. } => (*field, "join"),
            };
            let denied = !self.rights.uses(field).has(Use::Select);
            let value = &answer[&selected.key];
            let outcome = match &selected.kind {
                _ if denied => "denied",
                SelectedKind::Join { .. } if value.is_null() => "null",
                SelectedKind::Join { .. } => "shown",
                _ if self.is_null(object.of, row, field) => "null",
                _ if self.rights.masked(field) => "masked",
                _ => "shown",
            };
            let name = self.catalog.field(field).name.clone();
            self.note(path, &of, &name, &selected.key, Some(row), used, outcome);
            if let SelectedKind::Join { object, .. } = &selected.kind
                && !denied
            {
                let path = format!("{path}.{}", selected.key);
                match value {
                    Value::Array(items) => items.iter().for_each(|item| self.object(object, &path, item)),
                    one => self.object(object, &path, one),
                }
            }
        }
    }

    /// Conditions and orders below an object: they hold for the operation, whether it led to rows or not.
    fn uses_below(&mut self, object: &Object, path: &str) {
        for selected in &object.fields {
            if let SelectedKind::Join { field, window, object } = &selected.kind
                && self.rights.uses(*field).has(Use::Select)
            {
                let path = format!("{path}.{}", selected.key);
                self.window(window, &path);
                self.uses_below(object, &path);
            }
        }
    }

    fn window(&mut self, window: &Window, path: &str) {
        let mut fields = Vec::new();
        if let Some(filter) = &window.filter {
            filtered(filter, &mut fields);
        }
        let filters = fields.into_iter().map(|field| (field, "where", "filter"));
        let orders = window.order.iter().map(|(field, _)| (*field, "orderBy", "order"));
        for (field, argument, used) in filters.chain(orders).collect::<Vec<_>>() {
            let field = self.catalog.field(field);
            let (name, of) = (field.name.clone(), self.catalog.type_def(field.owner).name.clone());
            self.note(path, &of, &name, argument, None, used, "used");
        }
    }

    /// Whether a column of a row holds nothing: what the answer cannot tell of what is hidden.
    fn is_null(&self, of: TypeId, row: i64, field: FieldId) -> bool {
        let FieldKind::Column(column) = &self.catalog.field(field).kind else { panic!("a column") };
        if column.scalar == Scalar::Id {
            return false;
        }
        let table = self.city.table(&self.catalog.type_def(of).table);
        let found = table.rows.iter().find(|known| known[0] == Cell::Int(row)).expect("a row of the city");
        found[table.column(&column.name)] == Cell::Null
    }

    #[allow(clippy::too_many_arguments)] // a line's own columns
    fn note(
        &mut self,
        path: &str,
        of: &str,
        field: &str,
        key: &str,
        row: Option<i64>,
        used: &'static str,
        outcome: &'static str,
    ) {
        self.noted.push((path.into(), of.into(), field.into(), key.into(), row, used, outcome));
    }
}

fn row_number(object: &Value) -> i64 {
    object["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_else(|| panic!("no id in {object}"))
}

fn filtered(filter: &Filter, fields: &mut Vec<FieldId>) {
    match filter {
        Filter::And(all) | Filter::Or(all) => all.iter().for_each(|filter| filtered(filter, fields)),
        Filter::Not(filter) => filtered(filter, fields),
        Filter::Compare { field, .. } | Filter::IsNull { field, .. } => fields.push(*field),
        Filter::Related { field, filter, .. } => {
            fields.push(*field);
            filtered(filter, fields);
        }
    }
}
