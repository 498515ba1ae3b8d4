//! Coerces the variables of one request against the types that the operation declares for them. This is the
//! part of validation that runs for every request; the rest is kept with the document.

use async_graphql::Variables;
use async_graphql::parser::types::{OperationDefinition, Type};
use async_graphql_value::{ConstValue, Name, Value};
use serde_json::Map;

use super::coerce::{Coercion, Origin};
use super::shape::Shape;
use crate::access::refusal::Refusal;

/// A declared variable.
#[derive(Debug)]
pub(super) struct VariableType {
    pub(super) name: Name,
    ty: Type,
    default: Option<ConstValue>,
}

impl VariableType {
    /// The variables that an operation declares; defaults are in canonical form already.
    pub(super) fn of(operation: &OperationDefinition) -> Vec<VariableType> {
        let read = |definition: &async_graphql::parser::types::VariableDefinition| VariableType {
            name: definition.name.node.clone(),
            ty: definition.var_type.node.clone(),
            default: definition.default_value.as_ref().map(|value| value.node.clone()),
        };
        operation.variable_definitions.iter().map(|definition| read(&definition.node)).collect()
    }
}

/// The variables in canonical form; those not declared are passed over, as the specification says.
pub(super) fn coerce(
    shape: &Shape,
    declared: &[VariableType],
    given: &Map<String, serde_json::Value>,
) -> Result<Variables, Vec<Refusal>> {
    let mut variables = Variables::default();
    let mut refusals = Vec::new();
    for VariableType { name, ty, default } in declared {
        let Some(value) = given.get(name.as_str()) else {
            match default {
                Some(default) => drop(variables.insert(name.clone(), default.clone())),
                None if ty.nullable => {}
                None => refusals.push(Refusal::input(
                    format!("The variable ${name} of type {ty} is required."),
                    format!("缺少必要變數 ${name}（{ty}）。"),
                )),
            }
            continue;
        };
        let mut check = Coercion::new(shape, Origin::Json, &format!("${name}"));
        // JSON holds nothing that a value cannot.
        let mut value = ConstValue::from_json(value.clone()).unwrap_or_default().into_value();
        check.value(ty, &mut value);
        for wrong in check.wrong {
            let (en, zh) = wrong.sentences();
            refusals.push(Refusal::input(en, zh).with("variable", name.as_str()));
        }
        variables.insert(name.clone(), value_without_variables(value));
    }
    if refusals.is_empty() { Ok(variables) } else { Err(refusals) }
}

fn value_without_variables(value: Value) -> ConstValue {
    // It was JSON: no variable can be in it.
    value.into_const().unwrap_or_default()
}
