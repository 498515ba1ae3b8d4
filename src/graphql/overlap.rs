//! Two selections under one response key must be the same field with the same arguments, down to the leaves.
//! The library compares only within one pair of braces; a plan merges what this lets through. There are no
//! interfaces, so all that meets in one set is of one type.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::Positioned;
use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};

use super::messages::position;
use crate::access::refusal::{Code, Refusal};

/// Notes every conflict of every operation. The document's size is bounded by `limits`.
pub(super) fn check(document: &ExecutableDocument, refusals: &mut Vec<Refusal>) {
    for (_, operation) in document.operations.iter() {
        merge(document, &[&operation.node.selection_set.node], refusals);
    }
}

type ByKey<'a> = BTreeMap<&'a str, Vec<&'a Positioned<Field>>>;

fn merge<'a>(document: &'a ExecutableDocument, sets: &[&'a SelectionSet], refusals: &mut Vec<Refusal>) {
    let mut by_key = ByKey::new();
    let mut spread = BTreeSet::new();
    for set in sets {
        collect(document, set, &mut by_key, &mut spread);
    }
    for (key, fields) in by_key {
        let first = &fields[0].node;
        for other in &fields[1..] {
            if let Some((en, zh)) = difference(first, &other.node) {
                refusals.push(
                    Refusal::new(
                        Code::ValidationFailed,
                        format!("\"{key}\" is selected twice with {en}. Give one of them an alias."),
                        format!("「{key}」重複選取而{zh}不同，請以別名區分。"),
                    )
                    .at(position(other.pos)),
                );
            }
        }
        let below: Vec<&SelectionSet> = fields.iter().map(|field| &field.node.selection_set.node).collect();
        if below.iter().any(|set| !set.items.is_empty()) {
            merge(document, &below, refusals);
        }
    }
}

fn collect<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    by_key: &mut ByKey<'a>,
    spread: &mut BTreeSet<&'a str>,
) {
    for item in &set.items {
        match &item.node {
            Selection::Field(field) => {
                by_key.entry(field.node.response_key().node.as_str()).or_default().push(field);
            }
            Selection::InlineFragment(inline) => collect(document, &inline.node.selection_set.node, by_key, spread),
            Selection::FragmentSpread(named) => {
                let name = &named.node.fragment_name.node;
                if let Some(fragment) = document.fragments.get(name)
                    && spread.insert(name.as_str())
                {
                    collect(document, &fragment.node.selection_set.node, by_key, spread);
                }
            }
        }
    }
}

fn difference(a: &Field, b: &Field) -> Option<(&'static str, &'static str)> {
    if a.name.node != b.name.node {
        return Some(("different fields", "欄位"));
    }
    let same = a.arguments.len() == b.arguments.len()
        && a.arguments.iter().all(|(name, value)| b.get_argument(&name.node).is_some_and(|other| other == value));
    (!same).then_some(("different arguments", "參數"))
}
