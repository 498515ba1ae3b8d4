//! What a made-up form grants, for the naive reckoning, and which selections it denies.

use std::collections::HashMap;

use cityquery::catalog::FieldId;

use super::ask::{Asked, EdgeKind, Object, PartKind, RootKind, SelectedKind};
use super::naive::Naive;

/// What a form grants of one field; conditions and orders are granted of all.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Shown, or walked.
    pub select: bool,
    /// Counted.
    pub aggregate: bool,
    /// Shown masked.
    pub masked: bool,
    /// Rows of these districts only.
    pub districts: Option<Vec<String>>,
}

/// What a form grants; nothing stands for everything.
pub type Grants = HashMap<FieldId, Grant>;

impl Naive<'_> {
    /// Paths of the denied selections, sorted.
    pub fn denied(&self, asked: &Asked) -> Vec<String> {
        let mut paths = Vec::new();
        for root in &asked.roots {
            let shown = self.shows(root.field);
            match &root.kind {
                RootKind::One { .. } if !shown => paths.push(root.key.clone()),
                RootKind::One { object, .. } => self.denied_in(object, &root.key, &mut paths),
                RootKind::List { parts, .. } => {
                    let rows = parts.iter().any(|part| !matches!(part.kind, PartKind::TotalCount));
                    if rows && !shown {
                        paths.push(root.key.clone());
                    }
                    for part in parts {
                        let path = format!("{}.{}", root.key, part.key);
                        match &part.kind {
                            PartKind::TotalCount if !self.counts(root.field, parts) && (shown || !rows) => {
                                paths.push(path)
                            }
                            PartKind::Nodes(object) if shown => self.denied_in(object, &path, &mut paths),
                            PartKind::Edges(fields) if shown => {
                                for (key, field) in fields {
                                    if let EdgeKind::Node(object) = field {
                                        self.denied_in(object, &format!("{path}.{key}"), &mut paths);
                                    }
                                }
                            }
                            _ => {}
                        }
                    }
                }
            }
        }
        paths.sort();
        paths
    }

    fn denied_in(&self, object: &Object, path: &str, paths: &mut Vec<String>) {
        for selected in &object.fields {
            let path = format!("{path}.{}", selected.key);
            match &selected.kind {
                SelectedKind::Column(field) | SelectedKind::Join { field, .. } if !self.shows(*field) => {
                    paths.push(path)
                }
                SelectedKind::Join { object, .. } => self.denied_in(object, &path, paths),
                SelectedKind::Column(_) | SelectedKind::Typename => {}
            }
        }
    }
}
