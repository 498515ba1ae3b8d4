//! Answers what is not of the datasets: `__schema`, `__type` and `__typename` at the root, and the procedure's fields,
//! whatever else an operation selects.

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, InlineFragment, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql::{Data, PathSegment, Positioned, Request, ServerError, Variables};
use serde_json::{Map, Value};

use super::Face;
use super::messages::{position, validation_failed};
use super::validate::Validated;
use crate::access::refusal::{Code, Refusal};
use crate::procedure::Fault;

/// Response key → answer; `@skip` and `@include` are obeyed.
pub(super) async fn answer(
    face: &Face,
    validated: &Validated,
    variables: &Variables,
    data: Data,
) -> Result<Map<String, Value>, Vec<Refusal>> {
    let Some(request) = request(face, validated, variables, data) else { return Ok(Map::new()) };
    let response = face.library.execute(request).await;
    if !response.errors.is_empty() {
        return Err(response.errors.iter().map(refusal).collect());
    }
    match response.data.into_json() {
        Ok(Value::Object(answer)) => Ok(answer),
        _ => Err(vec![Refusal::new(Code::Internal, "The library gave no answer.", "程式庫沒有結果。")]),
    }
}

/// What the library is to execute: the operation without dataset fields; none if nothing is left.
pub(super) fn request(face: &Face, validated: &Validated, variables: &Variables, data: Data) -> Option<Request> {
    let operation = validated.operation();
    let others = |field: &Field| {
        operation.ty != OperationType::Query || face.catalog().find_root(field.name.node.as_str()).is_none()
    };
    let set = only(&validated.document, &operation.selection_set.node, &others);
    if set.items.is_empty() {
        return None;
    }
    let pos = operation.selection_set.pos;
    let kept = OperationDefinition { selection_set: Positioned::new(set, pos), ..operation.clone() };
    let document = ExecutableDocument {
        operations: DocumentOperations::Single(Positioned::new(kept, pos)),
        fragments: validated.document.fragments.clone(),
    };
    let mut request = Request::new("").variables(variables.clone());
    request.set_parsed_query(document);
    request.data = data;
    Some(request)
}

/// What the library reports: the procedure's own refusal where it made one, with its place.
pub fn refusal(error: &ServerError) -> Refusal {
    let refusal = match error.source::<Fault>() {
        Some(Fault::Refused(refusal)) => (**refusal).clone(),
        Some(Fault::Failed(failure)) => {
            tracing::error!(error = %failure, "the procedure failed");
            Refusal::new(Code::Internal, "Something failed on our side; the log has it.", "系統發生錯誤，已記錄。")
        }
        None => return validation_failed(error),
    };
    let path = error.path.iter().map(|step| match step {
        PathSegment::Field(name) => name.clone(),
        PathSegment::Index(index) => index.to_string(),
    });
    let refusal = refusal.on(&path.collect::<Vec<_>>());
    error.locations.first().into_iter().fold(refusal, |refusal, pos| refusal.at(position(*pos)))
}

/// The selection without dataset fields; fragments become inline, so that theirs can be left out, too.
fn only(document: &ExecutableDocument, set: &SelectionSet, others: &impl Fn(&Field) -> bool) -> SelectionSet {
    let inline = |fragment: InlineFragment, pos| {
        let empty = fragment.selection_set.node.items.is_empty();
        (!empty).then(|| Positioned::new(Selection::InlineFragment(Positioned::new(fragment, pos)), pos))
    };
    let keep = |item: &Positioned<Selection>| match &item.node {
        Selection::Field(field) => others(&field.node).then(|| item.clone()),
        Selection::InlineFragment(given) => {
            let node = only(document, &given.node.selection_set.node, others);
            let selection_set = Positioned::new(node, given.node.selection_set.pos);
            inline(InlineFragment { selection_set, ..given.node.clone() }, item.pos)
        }
        Selection::FragmentSpread(spread) => {
            let fragment = &document.fragments.get(&spread.node.fragment_name.node)?.node;
            let node = only(document, &fragment.selection_set.node, others);
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
