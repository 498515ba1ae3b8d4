//! Answers what is not of the datasets: `__schema`, `__type` and `__typename` at the root, and the procedure's fields,
//! whatever else an operation selects.

use std::collections::HashMap;

use async_graphql::futures_util::stream::{self, BoxStream, StreamExt};
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType};
use async_graphql::{Data, PathSegment, Positioned, Request, Response, ServerError, Variables};
use serde_json::{Map, Value};

use super::Face;
use super::collect::{collect, take_out_nothing};
use super::messages::{position, validation_failed};
use super::validate::Validated;
use crate::access::refusal::{Code, PathStep, Refusal};
use crate::procedure::Fault;

/// Response key → answer; `@skip` and `@include` are obeyed.
pub(super) async fn answer(
    face: &Face,
    validated: &Validated,
    variables: &Variables,
    data: Data,
) -> Result<Map<String, Value>, Vec<Refusal>> {
    let Some(Asked { request, hollow }) = asked(face, validated, variables, data) else { return Ok(Map::new()) };
    let mut response = face.library.execute(request).await;
    if !response.errors.is_empty() {
        return Err(response.errors.iter().map(refusal).collect());
    }
    if hollow {
        take_out_nothing(&mut response.data);
    }
    match response.data.into_json() {
        Ok(Value::Object(answer)) => Ok(answer),
        _ => Err(vec![Refusal::new(Code::Internal, "The library gave no answer.", "程式庫沒有結果。")]),
    }
}

/// The events of a subscription.
pub(super) fn watch(
    face: &Face,
    validated: &Validated,
    variables: &Variables,
    data: Data,
) -> BoxStream<'static, Response> {
    let Some(Asked { request, hollow }) = asked(face, validated, variables, data) else {
        return stream::empty().boxed();
    };
    let events = face.library.execute_stream(request);
    let whole = move |mut event: Response| {
        if hollow {
            take_out_nothing(&mut event.data);
        }
        event
    };
    events.map(whole).boxed()
}

/// What the library is to execute.
struct Asked {
    request: Request,
    /// The answer holds what stands for nothing.
    hollow: bool,
}

/// The operation without dataset fields and without what is left out; none if nothing is left.
fn asked(face: &Face, validated: &Validated, variables: &Variables, data: Data) -> Option<Asked> {
    let operation = validated.operation();
    let others = |field: &Field| {
        operation.ty != OperationType::Query || face.catalog().find_root(field.name.node.as_str()).is_none()
    };
    let collected = collect(&validated.document, variables, &operation.selection_set.node, &others);
    if collected.set.items.is_empty() {
        return None;
    }
    let pos = operation.selection_set.pos;
    let kept = OperationDefinition { selection_set: Positioned::new(collected.set, pos), ..operation.clone() };
    let document = ExecutableDocument {
        operations: DocumentOperations::Single(Positioned::new(kept, pos)),
        fragments: HashMap::new(),
    };
    let mut request = Request::new("").variables(variables.clone());
    request.set_parsed_query(document);
    request.data = data;
    Some(Asked { request, hollow: collected.hollow })
}

/// What the library reports: the procedure's own refusal where it made one, with its place.
pub fn refusal(error: &ServerError) -> Refusal {
    let refusal = match error.source::<Fault>() {
        Some(Fault::Refused(refusal)) => (**refusal).clone(),
        Some(Fault::Failed(failure)) if failure.is_away() => {
            tracing::error!(error = %failure, "the control database does not answer");
            Refusal::new(
                Code::SourceUnavailable,
                "The control database does not answer. Try again shortly.",
                "控制資料庫無回應，請稍後再試。",
            )
        }
        Some(Fault::Failed(failure)) => {
            tracing::error!(error = %failure, "the procedure failed");
            Refusal::new(Code::Internal, "Something failed on our side; the log has it.", "系統發生錯誤，已記錄。")
        }
        None => return validation_failed(error),
    };
    let path = error.path.iter().map(|step| match step {
        PathSegment::Field(name) => PathStep::Key(name.clone()),
        PathSegment::Index(index) => PathStep::Index(*index),
    });
    let refusal = refusal.on(path);
    error.locations.first().into_iter().fold(refusal, |refusal, pos| refusal.at(position(*pos)))
}
