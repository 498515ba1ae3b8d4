//! Answers `__schema`, `__type` and `__typename` at the root of an operation, whatever else it selects.

use async_graphql::futures_util::FutureExt;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, InlineFragment, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Positioned, Request, Variables};
use serde_json::{Map, Value};

use super::Face;
use super::messages::validation_failed;
use super::validate::Validated;
use crate::access::refusal::{Code, Refusal};

/// Response key → answer, for the introspection fields at the root; `@skip` and `@include` are obeyed.
pub(super) fn introspect(
    face: &Face,
    validated: &Validated,
    variables: &Variables,
) -> Result<Map<String, Value>, Vec<Refusal>> {
    let operation = validated.operation();
    let set = only_introspection(&validated.document, &operation.selection_set.node);
    if set.items.is_empty() {
        return Ok(Map::new());
    }
    let pos = operation.selection_set.pos;
    let kept = OperationDefinition { selection_set: Positioned::new(set, pos), ..operation.clone() };
    let document = ExecutableDocument {
        operations: DocumentOperations::Single(Positioned::new(kept, pos)),
        fragments: validated.document.fragments.clone(),
    };
    let mut request = Request::new("").variables(variables.clone());
    request.set_parsed_query(document);
    // Nothing in it waits: introspection reads the registry.
    let Some(response) = face.introspection.execute(request).now_or_never() else {
        return Err(vec![Refusal::new(Code::Internal, "Introspection did not end.", "內省未能完成。")]);
    };
    if !response.errors.is_empty() {
        return Err(response.errors.iter().map(validation_failed).collect());
    }
    match response.data.into_json() {
        Ok(Value::Object(answer)) => Ok(answer),
        _ => Err(vec![Refusal::new(Code::Internal, "Introspection gave nothing.", "內省沒有結果。")]),
    }
}

/// The selection without dataset fields; fragments become inline, so that theirs can be left out, too.
fn only_introspection(document: &ExecutableDocument, set: &SelectionSet) -> SelectionSet {
    let inline = |fragment: InlineFragment, pos| {
        let empty = fragment.selection_set.node.items.is_empty();
        (!empty).then(|| Positioned::new(Selection::InlineFragment(Positioned::new(fragment, pos)), pos))
    };
    let keep = |item: &Positioned<Selection>| match &item.node {
        Selection::Field(field) => field.node.name.node.starts_with("__").then(|| item.clone()),
        Selection::InlineFragment(given) => {
            let node = only_introspection(document, &given.node.selection_set.node);
            let selection_set = Positioned::new(node, given.node.selection_set.pos);
            inline(InlineFragment { selection_set, ..given.node.clone() }, item.pos)
        }
        Selection::FragmentSpread(spread) => {
            let fragment = &document.fragments.get(&spread.node.fragment_name.node)?.node;
            let node = only_introspection(document, &fragment.selection_set.node);
            let kept = InlineFragment {
                type_condition: Some(fragment.type_condition.clone()),
                directives: spread.node.directives.clone(),
                selection_set: Positioned::new(node, fragment.selection_set.pos),
            };
            inline(kept, item.pos)
        }
    };
    SelectionSet { items: set.items.iter().filter_map(keep).collect() }
}
