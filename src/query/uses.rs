//! Lists every use that an operation makes of every field: the question that `access` answers, the record keeps,
//! and an application can be drafted from.

use super::ask::{Filter, Object, Operation, Operator, PartKind, Root, RootKind, SelectedKind, Window};
use crate::access::{Granted, Position, Rights, Use};
use crate::catalog::{Catalog, DatasetId, FieldId, FieldKind};

/// One use of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// The field.
    pub field: FieldId,
    /// What is done with it.
    pub used: Use,
    /// For a condition: yes or no about one value.
    pub one_value: bool,
    /// Response path of the selection, or of the list that filters or sorts by it.
    pub path: Vec<String>,
    /// Where in the document.
    pub position: Option<Position>,
}

impl Used {
    /// The decision about it.
    pub fn decide(&self, rights: &Rights) -> Option<Granted> {
        match self.used {
            Use::Filter => rights.decide_condition(self.field, self.one_value),
            used => rights.decide(self.field, used),
        }
    }
}

/// All uses of an operation, in document order.
pub fn list(operation: &Operation) -> Vec<Used> {
    let mut uses = Vec::new();
    for root in &operation.roots {
        list_root(root, &mut uses);
    }
    uses
}

fn list_root(root: &Root, uses: &mut Vec<Used>) {
    let path = vec![root.key.clone()];
    let position = Some(root.position);
    match &root.kind {
        RootKind::Typename | RootKind::Other => {}
        RootKind::One { field, key, object, .. } => {
            uses.push(used(*field, Use::Select, &path, position));
            uses.push(Used { one_value: true, ..used(*key, Use::Filter, &path, position) });
            list_object(object, &path, uses);
        }
        RootKind::List { field, window, parts, .. } => {
            let counted = parts.iter().any(|part| matches!(part.kind, PartKind::TotalCount));
            if lists_rows(parts) {
                uses.push(used(*field, Use::Select, &path, position));
            }
            if counted {
                uses.push(used(*field, Use::Aggregate, &path, position));
            }
            list_window(window, &path, uses);
            for part in parts {
                let path = with(&path, &part.key);
                match &part.kind {
                    PartKind::Nodes(object) => list_object(object, &path, uses),
                    PartKind::Edges(fields) => {
                        for field in fields {
                            if let super::ask::EdgeKind::Node(object) = &field.kind {
                                list_object(object, &with(&path, &field.key), uses);
                            }
                        }
                    }
                    PartKind::PageInfo(_) | PartKind::TotalCount | PartKind::Typename => {}
                }
            }
        }
    }
}

/// Whether a connection's fields need its rows; a bare `totalCount` does not.
pub fn lists_rows(parts: &[super::ask::Part]) -> bool {
    parts.iter().any(|part| !matches!(part.kind, PartKind::TotalCount))
}

fn list_object(object: &Object, path: &[String], uses: &mut Vec<Used>) {
    for selected in &object.fields {
        let path = with(path, &selected.key);
        let position = Some(selected.position);
        match &selected.kind {
            SelectedKind::Typename => {}
            SelectedKind::Column(field) => uses.push(used(*field, Use::Select, &path, position)),
            SelectedKind::Join { field, window, object } => {
                uses.push(used(*field, Use::Select, &path, position));
                list_window(window, &path, uses);
                list_object(object, &path, uses);
            }
        }
    }
}

fn list_window(window: &Window, path: &[String], uses: &mut Vec<Used>) {
    for looked in window.filter.iter().flat_map(filtered) {
        let one_value = looked.one_value;
        uses.push(Used { one_value, ..used(looked.field, Use::Filter, path, window.position) });
    }
    for word in &window.order {
        uses.push(used(word.field, Use::Order, path, window.position));
    }
}

/// Every dataset that these uses touch: those whose custodians decide, and those whose tables are read.
pub fn datasets(catalog: &Catalog, uses: &[Used]) -> Vec<DatasetId> {
    let mut all = std::collections::BTreeSet::new();
    for used in uses {
        let field = catalog.field(used.field);
        all.extend([field.dataset, catalog.type_def(field.owner).dataset]);
        if let FieldKind::Join(join) = &field.kind {
            all.insert(catalog.type_def(join.target).dataset);
            all.extend(join.through.as_ref().map(|through| through.dataset));
        }
    }
    all.into_iter().collect()
}

/// A field that a condition looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looked {
    /// The field.
    pub field: FieldId,
    /// Yes or no about one value.
    pub one_value: bool,
}

/// Every field that a condition looks at, those at the far end of joins included.
pub fn filtered(filter: &Filter) -> Vec<Looked> {
    match filter {
        Filter::And(all) | Filter::Or(all) => all.iter().flat_map(filtered).collect(),
        Filter::Not(one) => filtered(one),
        Filter::Compare { .. } | Filter::IsNull { .. } => filtered_here(filter),
        Filter::Related { filter: far, .. } => filtered_here(filter).into_iter().chain(filtered(far)).collect(),
    }
}

/// The fields that a condition looks at on the rows themselves.
pub fn filtered_here(filter: &Filter) -> Vec<Looked> {
    match filter {
        Filter::And(all) | Filter::Or(all) => all.iter().flat_map(filtered_here).collect(),
        Filter::Not(one) => filtered_here(one),
        Filter::Compare { field, operator, .. } => vec![Looked { field: *field, one_value: *operator == Operator::Eq }],
        Filter::IsNull { field, .. } | Filter::Related { field, .. } => {
            vec![Looked { field: *field, one_value: false }]
        }
    }
}

fn used(field: FieldId, used: Use, path: &[String], position: Option<Position>) -> Used {
    Used { field, used, one_value: false, path: path.to_vec(), position }
}

fn with(path: &[String], key: &str) -> Vec<String> {
    path.iter().cloned().chain([key.to_string()]).collect()
}
