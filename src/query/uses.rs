//! Lists every use that an operation makes of every field: the question that `access` answers, the record keeps,
//! and an application can be drafted from.

use super::ask::{Filter, Object, Operation, PartKind, Root, RootKind, SelectedKind, Window};
use crate::access::{Position, Use};
use crate::catalog::{Catalog, DatasetId, FieldId, FieldKind};

/// One use of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// The field.
    pub field: FieldId,
    /// What is done with it.
    pub used: Use,
    /// Response path of the selection, or of the list that filters or sorts by it.
    pub path: Vec<String>,
    /// Where in the document.
    pub position: Option<Position>,
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
            uses.push(Used { field: *field, used: Use::Select, path: path.clone(), position });
            uses.push(Used { field: *key, used: Use::Filter, path: path.clone(), position });
            list_object(object, &path, uses);
        }
        RootKind::List { field, window, parts, .. } => {
            let counted = parts.iter().any(|part| matches!(part.kind, PartKind::TotalCount));
            if lists_rows(parts) {
                uses.push(Used { field: *field, used: Use::Select, path: path.clone(), position });
            }
            if counted {
                uses.push(Used { field: *field, used: Use::Aggregate, path: path.clone(), position });
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
            SelectedKind::Column(field) => uses.push(Used { field: *field, used: Use::Select, path, position }),
            SelectedKind::Join { field, window, object } => {
                uses.push(Used { field: *field, used: Use::Select, path: path.clone(), position });
                list_window(window, &path, uses);
                list_object(object, &path, uses);
            }
        }
    }
}

fn list_window(window: &Window, path: &[String], uses: &mut Vec<Used>) {
    let used = |field, used| Used { field, used, path: path.to_vec(), position: window.position };
    for field in window.filter.iter().flat_map(filtered) {
        uses.push(used(field, Use::Filter));
    }
    for word in &window.order {
        uses.push(used(word.field, Use::Order));
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

/// Every field that a condition looks at, those at the far end of joins included.
pub fn filtered(filter: &Filter) -> Vec<FieldId> {
    match filter {
        Filter::And(all) | Filter::Or(all) => all.iter().flat_map(filtered).collect(),
        Filter::Not(one) => filtered(one),
        Filter::Compare { field, .. } | Filter::IsNull { field, .. } => vec![*field],
        Filter::Related { field, filter, .. } => std::iter::once(*field).chain(filtered(filter)).collect(),
    }
}

/// The fields that a condition looks at on the rows themselves.
pub fn filtered_here(filter: &Filter) -> Vec<FieldId> {
    match filter {
        Filter::And(all) | Filter::Or(all) => all.iter().flat_map(filtered_here).collect(),
        Filter::Not(one) => filtered_here(one),
        Filter::Compare { field, .. } | Filter::IsNull { field, .. } | Filter::Related { field, .. } => vec![*field],
    }
}

fn with(path: &[String], key: &str) -> Vec<String> {
    path.iter().cloned().chain([key.to_string()]).collect()
}
