//! Checks every literal of a document and puts it into canonical form, and every use of a variable against
//! its declaration. The library's own rule for variables never runs: its visitors do not pass values on.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::parser::types::{
    BaseType, Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
    SelectionSet, Type,
};
use async_graphql::{Name, Pos, Positioned};

use super::coerce::{Coercion, Origin, Wrong};
use super::messages::position;
use super::shape::{self, InputField, Shape, innermost};
use crate::access::refusal::{Code, Refusal};

/// An operation (by its name, if it has one) or a fragment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    Operation(Option<Name>),
    Fragment(Name),
}

/// A variable where it is used.
struct Usage {
    name: Name,
    expected: Type,
    pos: Pos,
}

struct Check<'a> {
    shape: &'a Shape,
    refusals: &'a mut Vec<Refusal>,
    scope: Scope,
    usages: BTreeMap<Scope, Vec<Usage>>,
    spreads: BTreeMap<Scope, BTreeSet<Name>>,
}

/// Checks the values of a document; literals are replaced by their canonical form.
pub(super) fn check(shape: &Shape, document: &mut ExecutableDocument, refusals: &mut Vec<Refusal>) {
    let scope = Scope::Operation(None);
    let mut check = Check { shape, refusals, scope, usages: BTreeMap::new(), spreads: BTreeMap::new() };
    match &mut document.operations {
        DocumentOperations::Single(operation) => check.operation(None, &mut operation.node),
        DocumentOperations::Multiple(operations) => {
            for (name, operation) in operations {
                check.operation(Some(name.clone()), &mut operation.node);
            }
        }
    }
    for (name, fragment) in &mut document.fragments {
        let on = fragment.node.type_condition.node.on.node.to_string();
        check.scope = Scope::Fragment(name.clone());
        check.selection(&on, &mut fragment.node.selection_set.node);
    }
    for (name, operation) in document.operations.iter() {
        check.positions(&operation.node, Scope::Operation(name.cloned()));
    }
}

impl Check<'_> {
    fn operation(&mut self, name: Option<Name>, operation: &mut OperationDefinition) {
        self.scope = Scope::Operation(name);
        for variable in &mut operation.variable_definitions {
            let (pos, variable) = (variable.pos, &mut variable.node);
            if let Some(default) = &mut variable.default_value {
                let mut check = Coercion::new(self.shape, Origin::Document, &format!("${}", variable.name.node));
                let mut value = std::mem::take(&mut default.node).into_value();
                check.value(&variable.var_type.node, &mut value);
                // A default value holds no variables: the grammar has none there.
                default.node = value.into_const().unwrap_or_default();
                self.refusals.extend(check.wrong.into_iter().map(|wrong| refuse(&wrong, pos)));
            }
        }
        let root = match operation.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        self.selection(root, &mut operation.selection_set.node);
    }

    fn selection(&mut self, on: &str, set: &mut SelectionSet) {
        for item in &mut set.items {
            for directive in item.node.directives_mut() {
                self.directive(&mut directive.node);
            }
            match &mut item.node {
                Selection::Field(field) => self.field(on, field),
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let on = condition.map_or_else(|| on.to_owned(), |condition| condition.node.on.node.to_string());
                    self.selection(&on, &mut inline.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.clone();
                    self.spreads.entry(self.scope.clone()).or_default().insert(name);
                }
            }
        }
    }

    fn directive(&mut self, directive: &mut Directive) {
        if !matches!(directive.name.node.as_str(), "skip" | "include") {
            return;
        }
        let known = InputField::new("if", "Boolean!", "");
        for (name, value) in directive.arguments.iter_mut().filter(|(name, _)| name.node == "if") {
            self.value(&known, name.pos, &mut value.node);
        }
    }

    fn field(&mut self, on: &str, field: &mut Positioned<Field>) {
        let (pos, field) = (field.pos, &mut field.node);
        let name = field.name.node.clone();
        if name == "__typename" && !(field.arguments.is_empty() && field.selection_set.node.items.is_empty()) {
            // The library passes over what stands behind `__typename`.
            let refusal = Refusal::new(
                Code::ValidationFailed,
                "\"__typename\" takes no arguments and has no subfields.",
                "「__typename」沒有參數，也沒有子欄位。",
            );
            self.refusals.push(refusal.at(position(pos)));
        }
        if name == "__typename" {
            self.directives_of_typename(field);
        }
        let shape = self.shape;
        let Some(known) = shape.field(on, name.as_str()) else {
            return self.introspection(field);
        };
        for (name, value) in &mut field.arguments {
            // An unknown argument is the library's to report.
            if let Some(argument) = known.arguments.iter().find(|argument| argument.name == name.node.as_str()) {
                self.value(argument, name.pos, &mut value.node);
            }
        }
        self.required(known, field, pos);
        self.selection(innermost(&known.ty), &mut field.selection_set.node);
    }

    /// The library passes over the directives of `__typename`, too.
    fn directives_of_typename(&mut self, field: &Field) {
        let mut seen = BTreeSet::new();
        for directive in &field.directives {
            let name = directive.node.name.node.as_str();
            let (en, zh) = match (matches!(name, "skip" | "include"), seen.insert(name)) {
                (false, _) => (format!("Unknown directive \"{name}\""), format!("沒有指令「@{name}」。")),
                (true, false) => (format!("Duplicate directive \"{name}\""), format!("指令「@{name}」重複。")),
                (true, true) => continue,
            };
            self.refusals.push(Refusal::new(Code::ValidationFailed, en, zh).at(position(directive.pos)));
        }
    }

    /// Introspection's own arguments: their values are checked by the library, uses of variables are not.
    fn introspection(&mut self, field: &mut Field) {
        for (name, value) in &mut field.arguments {
            let ty = match name.node.as_str() {
                "name" if field.name.node == "__type" => "String!",
                "includeDeprecated" => "Boolean",
                _ => continue,
            };
            self.value(&InputField::new(name.node.as_str(), ty, ""), name.pos, &mut value.node);
        }
        self.selection("__", &mut field.selection_set.node);
    }

    fn required(&mut self, known: &shape::Field, field: &Field, pos: Pos) {
        let name = &known.name;
        if known.one_argument && field.arguments.len() != 1 {
            let list = known.arguments.iter().map(|argument| argument.name.as_str()).collect::<Vec<_>>().join(", ");
            let refusal = Refusal::input(
                format!("\"{name}\" takes exactly one of: {list}."),
                format!("「{name}」須恰好提供下列參數之一：{list}。"),
            );
            self.refusals.push(refusal.at(position(pos)));
        }
        for argument in known.arguments.iter().filter(|argument| !argument.ty.nullable) {
            if field.get_argument(&argument.name).is_none() {
                let InputField { name: missing, ty, .. } = argument;
                let refusal = Refusal::new(
                    Code::ValidationFailed,
                    format!("\"{name}\" needs the argument \"{missing}\" of type {ty}."),
                    format!("「{name}」缺少必要參數「{missing}」（{ty}）。"),
                );
                self.refusals.push(refusal.at(position(pos)));
            }
        }
    }

    fn value(&mut self, known: &InputField, pos: Pos, value: &mut async_graphql_value::Value) {
        let mut check = Coercion::new(self.shape, Origin::Document, &known.name);
        check.value(&known.ty, value);
        self.refusals.extend(check.wrong.iter().map(|wrong| refuse(wrong, pos)));
        let usages = check.used.into_iter().map(|(name, expected)| Usage { name, expected, pos });
        self.usages.entry(self.scope.clone()).or_default().extend(usages);
    }

    /// Every use of a variable in an operation and the fragments it spreads fits the declared type.
    fn positions(&mut self, operation: &OperationDefinition, start: Scope) {
        let mut open = vec![start];
        let mut seen = BTreeSet::new();
        while let Some(scope) = open.pop() {
            for usage in self.usages.get(&scope).into_iter().flatten() {
                let mut declared = operation.variable_definitions.iter();
                // A variable that is not declared is the library's to report.
                let Some(variable) = declared.find(|variable| variable.node.name.node == usage.name) else { continue };
                let has_default = variable
                    .node
                    .default_value
                    .as_ref()
                    .is_some_and(|value| value.node != async_graphql_value::ConstValue::Null);
                if !fits(&variable.node.var_type.node, has_default, &usage.expected) {
                    let (name, ty, expected) = (&usage.name, &variable.node.var_type.node, &usage.expected);
                    let refusal = Refusal::new(
                        Code::ValidationFailed,
                        format!("The variable ${name} of type {ty} stands where {expected} is expected."),
                        format!("變數 ${name}（{ty}）用於須為 {expected} 之處。"),
                    );
                    self.refusals.push(refusal.at(position(usage.pos)));
                }
            }
            for name in self.spreads.get(&scope).into_iter().flatten() {
                if seen.insert(name.clone()) {
                    open.push(Scope::Fragment(name.clone()));
                }
            }
        }
    }
}

/// Whether a variable of that type may stand there (GraphQL specification, 5.8.5).
fn fits(declared: &Type, has_default: bool, expected: &Type) -> bool {
    let nullable_enough = expected.nullable || !declared.nullable || has_default;
    nullable_enough && base_fits(&declared.base, &expected.base)
}

fn base_fits(declared: &BaseType, expected: &BaseType) -> bool {
    match (declared, expected) {
        (BaseType::Named(declared), BaseType::Named(expected)) => declared == expected,
        (BaseType::List(declared), BaseType::List(expected)) => fits(declared, false, expected),
        _ => false,
    }
}

fn refuse(wrong: &Wrong, pos: Pos) -> Refusal {
    let code = if wrong.scalar { Code::BadUserInput } else { Code::ValidationFailed };
    let (en, zh) = wrong.sentences();
    Refusal::new(code, en, zh).with("argument", wrong.path.as_str()).at(position(pos))
}
