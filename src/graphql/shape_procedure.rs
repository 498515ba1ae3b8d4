//! The procedure's types as plain data, read from what the library derives: so that what is sent to the procedure is
//! checked, and said, like what is sent to the datasets.

use async_graphql::OutputType;
use async_graphql::SubscriptionType;
use async_graphql::registry::{MetaField, MetaInputValue, MetaType, Registry};

use super::procedure::{Questions, Steps, SubscriptionRoot};
use super::shape::{Field, Input, InputField, InputKind, Object, Procedure, Shape, innermost};

/// Adds the procedure's types to those of the catalogue.
pub(super) fn draw(shape: &mut Shape) {
    let mut registry = Registry::default();
    let questions = Questions::create_type_info(&mut registry);
    Steps::create_type_info(&mut registry);
    SubscriptionRoot::create_type_info(&mut registry);
    for (name, of) in &registry.types {
        match of {
            MetaType::Object { fields, .. } => {
                // Its questions are asked at the root, among the datasets'.
                let name = if innermost(&questions) == name { "Query" } else { name.as_str() };
                shape.procedure.objects.insert(name.to_owned(), object(fields.values()));
            }
            MetaType::InputObject { input_fields, .. } => {
                let fields = input_fields.values().map(input_field).collect();
                add(&mut shape.procedure, name, InputKind::Object(fields));
            }
            MetaType::Enum { enum_values, .. } => {
                let words = enum_values.keys().map(|word| (word.clone(), String::new())).collect();
                add(&mut shape.procedure, name, InputKind::Enum(words));
            }
            // Those that the datasets have as well are checked as theirs.
            MetaType::Scalar { .. } if !shape.inputs.contains_key(name) => {
                add(&mut shape.procedure, name, InputKind::Any);
            }
            _ => {}
        }
    }
}

fn add(procedure: &mut Procedure, name: &str, kind: InputKind) {
    procedure.inputs.insert(name.to_owned(), Input { description: String::new(), kind });
}

fn object<'a>(fields: impl Iterator<Item = &'a MetaField>) -> Object {
    let field = |field: &MetaField| Field {
        name: field.name.clone(),
        description: String::new(),
        arguments: field.args.values().map(input_field).collect(),
        ty: field.ty.clone(),
        semantic_non_null: false,
        one_argument: false,
    };
    Object { description: String::new(), fields: fields.map(field).collect() }
}

fn input_field(value: &MetaInputValue) -> InputField {
    InputField::new(&value.name, &value.ty, "")
}
