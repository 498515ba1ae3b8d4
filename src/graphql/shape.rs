//! The schema as plain data, made from the catalogue: one source for what is registered with the library
//! (`register`) and for what values are checked against (`coerce`). The words in it are `shape_inputs`'s
//! and `shape_outputs`'s.

use std::collections::BTreeMap;

use async_graphql::Name;
use async_graphql::parser::types::{BaseType, Type};

use crate::catalog::Catalog;
use crate::catalog::scalar::Scalar;

/// Every generated type.
#[derive(Debug)]
pub(super) struct Shape {
    /// What clients may send, by name.
    pub(super) inputs: BTreeMap<String, Input>,
    /// What clients may select from, by name.
    pub(super) objects: BTreeMap<String, Object>,
    /// The same of the procedure, whose types the library derives and registers itself.
    pub(super) procedure: Procedure,
}

/// The procedure's types.
#[derive(Debug, Default)]
pub(super) struct Procedure {
    pub(super) inputs: BTreeMap<String, Input>,
    pub(super) objects: BTreeMap<String, Object>,
}

/// A type that may be sent.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) description: String,
    pub(super) kind: InputKind,
}

#[derive(Debug)]
pub(super) enum InputKind {
    Scalar(Scalar),
    /// Words with their descriptions.
    Enum(Vec<(String, String)>),
    Object(Vec<InputField>),
    /// Any value: what it must be, its reader says.
    Any,
}

/// A field of an input object, or an argument.
#[derive(Debug)]
pub(super) struct InputField {
    pub(super) name: String,
    /// As the parser reads it: what values are checked against.
    pub(super) ty: Type,
    pub(super) description: String,
}

/// A type that may be selected from.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) description: String,
    pub(super) fields: Vec<Field>,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) arguments: Vec<InputField>,
    /// As it stands in the schema, `[Parcel!]`.
    pub(super) ty: String,
    /// The data is never null here: null means that it was not granted, or an error.
    pub(super) semantic_non_null: bool,
    /// Of the arguments exactly one must be given: the keys of a root field.
    pub(super) one_argument: bool,
}

impl Shape {
    /// Draws the schema of a catalogue.
    pub(super) fn of(catalog: &Catalog) -> Shape {
        let mut shape = Shape { inputs: BTreeMap::new(), objects: BTreeMap::new(), procedure: Procedure::default() };
        super::shape_inputs::draw(catalog, &mut shape.inputs);
        super::shape_outputs::draw(catalog, &mut shape.objects);
        super::shape_procedure::draw(&mut shape);
        shape
    }

    /// A field that can be selected.
    pub(super) fn field(&self, object: &str, name: &str) -> Option<&Field> {
        let of = [&self.objects, &self.procedure.objects].into_iter().filter_map(|objects| objects.get(object));
        of.flat_map(|object| &object.fields).find(|field| field.name == name)
    }

    /// A type that may be sent.
    pub(super) fn input(&self, name: &str) -> Option<&Input> {
        self.inputs.get(name).or_else(|| self.procedure.inputs.get(name))
    }

    /// Names of the types that may be sent.
    pub(super) fn input_names(&self) -> impl Iterator<Item = &str> {
        self.inputs.keys().chain(self.procedure.inputs.keys()).map(String::as_str)
    }
}

impl InputField {
    /// A field or argument of a type written as in the schema.
    pub(super) fn new(name: &str, ty: &str, description: impl Into<String>) -> InputField {
        // `Type::new` refuses only a `[` without its `]`; these are written in the neighbouring files.
        let unread = || Type { base: BaseType::Named(Name::new(ty)), nullable: true };
        let ty = Type::new(ty).unwrap_or_else(unread);
        InputField { name: name.to_owned(), ty, description: description.into() }
    }
}

/// The innermost name of a type: `[PersonOrder!]` → `PersonOrder`.
pub(super) fn innermost(ty: &str) -> &str {
    ty.trim_matches(|c| matches!(c, '[' | ']' | '!'))
}
