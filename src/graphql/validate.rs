//! From text to a checked document: bounds, parse, the library's rules, then what the library does not see.
//! Who may use which field is left to `access`; what an operation costs, to `query`.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute};
use async_graphql::futures_util::FutureExt;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, InlineFragment, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql::{Positioned, Request, Response, Value};

use super::messages::{parse_failed, position, validation_failed};
use super::shape::{Shape, innermost};
use super::variables::VariableType;
use super::{Face, limits, overlap, tokens, values};
use crate::access::refusal::{Code, Refusal};
use crate::catalog::hint;
use crate::config::Limits;

/// A document that fits the schema. Independent of variables and callers, so it can be kept.
#[derive(Debug)]
pub struct Validated {
    /// The parsed document; literals are in canonical form (a date is `2015-04-22` however it was written).
    pub document: ExecutableDocument,
    /// Name of the operation that is meant, if it has one.
    pub operation_name: Option<String>,
    /// Something of the datasets is selected at the root.
    pub has_data: bool,
    /// Something of the procedure is selected at the root.
    pub has_procedure: bool,
    /// `__schema`, `__type` or `__typename` is selected at the root.
    pub has_introspection: bool,
    pub(super) variables: Vec<VariableType>,
}

impl Validated {
    /// The operation that is meant.
    pub fn operation(&self) -> &OperationDefinition {
        match &self.document.operations {
            DocumentOperations::Single(operation) => &operation.node,
            DocumentOperations::Multiple(operations) => {
                // `validate` made sure that the name is one of them.
                &operations[self.operation_name.as_deref().unwrap_or_default()].node
            }
        }
    }

    /// Anything but the schema itself is for those who are signed in.
    pub fn needs_caller(&self) -> bool {
        self.has_data || self.has_procedure
    }

    /// Names of the declared variables.
    pub fn variable_names(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|variable| variable.name.as_str())
    }
}

/// Ends a request after validation: there is nothing for the library to execute.
pub(super) struct OnlyValidate;

impl ExtensionFactory for OnlyValidate {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(OnlyValidate)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for OnlyValidate {
    async fn execute(&self, _ctx: &ExtensionContext<'_>, _name: Option<&str>, _next: NextExecute<'_>) -> Response {
        Response::new(Value::Null)
    }
}

/// Checks a document against the schema.
pub(super) fn validate(
    face: &Face,
    text: &str,
    operation_name: Option<&str>,
    bounds: &Limits,
) -> Result<Validated, Vec<Refusal>> {
    let one = |refusal| vec![refusal];
    limits::check_text(text, bounds).map_err(one)?;
    let mut document = parse_query(tokens::readable(text)).map_err(|error| one(parse_failed(&error)))?;
    limits::check_document(&document, bounds).map_err(one)?;
    let operation_name = choose(&document, operation_name).map_err(one)?;

    let mut ours = wrong_definitions(&face.shape, &document);
    tokens::check_names(text, &mut ours);
    let theirs = by_library(face, &document);
    overlap::check(&document, &mut ours);
    values::check(&face.shape, &mut document, &mut ours);
    let refusals = together(theirs, ours);
    if !refusals.is_empty() {
        return Err(refusals);
    }

    let mut validated = Validated {
        document,
        operation_name,
        has_data: false,
        has_procedure: false,
        has_introspection: false,
        variables: Vec::new(),
    };
    let (mut data, mut procedure, mut introspection) = (false, false, 0usize);
    let mut procedure_roots = 0;
    let mut keys = BTreeSet::new();
    roots(&validated.document, &validated.operation().selection_set.node, &mut |field| {
        keys.insert(field.response_key().node.as_str());
        match field.name.node.as_str() {
            name if name.starts_with("__") => introspection += 1,
            name if is_of_datasets(face, validated.operation().ty, name) => data = true,
            _ => {
                procedure = true;
                procedure_roots += 1;
            }
        }
    });
    let watched = keys.len();
    if validated.operation().ty == OperationType::Mutation && procedure_roots + introspection != 1 {
        return Err(one(Refusal::new(
            Code::ValidationFailed,
            "One operation takes one step: a mutation holds exactly one field.",
            "一個操作僅辦理一個步驟：mutation 須恰有一個欄位。",
        )));
    }
    if validated.operation().ty == OperationType::Subscription && watched != 1 {
        return Err(one(Refusal::new(
            Code::ValidationFailed,
            "A subscription holds exactly one field.",
            "subscription 須恰有一個欄位。",
        )));
    }
    let variables = VariableType::of(validated.operation());
    (validated.has_data, validated.has_procedure, validated.variables) = (data, procedure, variables);
    validated.has_introspection = introspection > 0;
    Ok(validated)
}

fn is_of_datasets(face: &Face, of: OperationType, name: &str) -> bool {
    of == OperationType::Query && face.catalog().find_root(name).is_some()
}

/// The name of the operation that is meant.
fn choose(document: &ExecutableDocument, asked: Option<&str>) -> Result<Option<String>, Refusal> {
    let asked = asked.filter(|name| !name.is_empty());
    let chosen = match (&document.operations, asked) {
        (DocumentOperations::Single(_), None) => return Ok(None),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => operations.iter().next(),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get_key_value(name),
        _ => None,
    };
    match (chosen, asked) {
        (Some((name, _)), _) => Ok(Some(name.to_string())),
        (None, Some(name)) => Err(Refusal::new(
            Code::BadUserInput,
            format!("The document has no operation named \"{name}\"."),
            format!("文件中沒有名為「{name}」的操作。"),
        )),
        (None, None) => Err(Refusal::new(
            Code::BadUserInput,
            "The document has several operations: say which by operationName.",
            "文件有多個操作，請以 operationName 指明。",
        )),
    }
}

/// Variables of types that are not there, or with directives: none may stand there, and the library does not look at them.
fn wrong_definitions(shape: &Shape, document: &ExecutableDocument) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for (_, operation) in document.operations.iter() {
        for variable in &operation.node.variable_definitions {
            for directive in &variable.node.directives {
                let name = &directive.node.name.node;
                let en = format!("Directive \"{name}\" may not be used on a variable");
                let zh = format!("指令「@{name}」不能用於變數。");
                refusals.push(Refusal::new(Code::ValidationFailed, en, zh).at(position(directive.pos)));
            }
            let ty = variable.node.var_type.node.to_string();
            let name = innermost(&ty);
            if shape.input(name).is_none() {
                let (en, zh) = hint(name, shape.input_names());
                let refusal = Refusal::new(
                    Code::ValidationFailed,
                    format!("\"{name}\" is no type that can be sent.{en}"),
                    format!("「{name}」不是輸入型別。{zh}"),
                );
                refusals.push(refusal.at(position(variable.pos)));
            }
        }
    }
    refusals
}

fn by_library(face: &Face, document: &ExecutableDocument) -> Vec<Refusal> {
    let mut document = document.clone();
    let definitions = |operation: &mut Positioned<OperationDefinition>| {
        // The library panics on default values of unknown types; ours are checked in `values`.
        operation.node.variable_definitions.iter_mut().for_each(|definition| definition.node.default_value = None);
        show_directives(&mut operation.node.selection_set.node);
    };
    let mut request = Request::new("");
    match &mut document.operations {
        DocumentOperations::Single(operation) => definitions(operation),
        DocumentOperations::Multiple(operations) => {
            operations.values_mut().for_each(definitions);
            // The library wants one of several named; which one makes no difference to validation.
            if let Some(name) = operations.keys().next() {
                request = request.operation_name(name.as_str());
            }
        }
    }
    document.fragments.values_mut().for_each(|fragment| show_directives(&mut fragment.node.selection_set.node));
    request.set_parsed_query(document);
    // Nothing in it waits: no resolver runs.
    match face.validation.execute(request).now_or_never() {
        Some(response) => response.errors.iter().map(validation_failed).collect(),
        None => vec![Refusal::new(Code::Internal, "Validation did not end.", "驗證未能完成。")],
    }
}

/// The library does not look at the directives of `__typename`, and so misses the variables that they use: here they
/// stand on a fragment around it.
fn show_directives(set: &mut SelectionSet) {
    for item in &mut set.items {
        let pos = item.pos;
        match &mut item.node {
            Selection::Field(field) if field.node.name.node == "__typename" && !field.node.directives.is_empty() => {
                let directives = std::mem::take(&mut field.node.directives);
                let inside = Positioned::new(item.node.clone(), pos);
                let selection_set = Positioned::new(SelectionSet { items: vec![inside] }, pos);
                let fragment = InlineFragment { type_condition: None, directives, selection_set };
                item.node = Selection::InlineFragment(Positioned::new(fragment, pos));
            }
            Selection::Field(field) => show_directives(&mut field.node.selection_set.node),
            Selection::InlineFragment(inline) => show_directives(&mut inline.node.selection_set.node),
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// Faults of one document that are looked at: nobody reads more, and comparing them takes the square of their number.
const FAULTS: usize = 200;

/// One list from top to bottom. Where the library and we speak of the same, ours says more.
fn together(mut theirs: Vec<Refusal>, mut ours: Vec<Refusal>) -> Vec<Refusal> {
    theirs.truncate(FAULTS);
    ours.truncate(FAULTS);
    let said = |refusal: &Refusal| {
        let en = &refusal.en;
        // It puts a conflict at the first of two fields, we at the second; it finds none that we do not.
        en.starts_with("Fields \"")
            || ours.iter().any(|our| our.position == refusal.position)
                && (en.starts_with("Invalid value") || en.starts_with("Unknown type") || en.ends_with("not provided"))
    };
    let mut refusals: Vec<Refusal> = theirs.into_iter().filter(|refusal| !said(refusal)).collect();
    refusals.extend(ours);
    refusals.sort_by(|a, b| (a.position, &a.en).cmp(&(b.position, &b.en)));
    refusals.dedup();
    refusals
}

/// Calls `each` with every field at the root, fragments expanded.
pub(super) fn roots<'a>(document: &'a ExecutableDocument, set: &'a SelectionSet, each: &mut impl FnMut(&'a Field)) {
    for item in &set.items {
        match &item.node {
            Selection::Field(field) => each(&field.node),
            Selection::InlineFragment(inline) => roots(document, &inline.node.selection_set.node, each),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    roots(document, &fragment.node.selection_set.node, each);
                }
            }
        }
    }
}
