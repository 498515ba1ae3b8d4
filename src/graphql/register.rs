//! Registers the shape with async-graphql. `create_type_info` is a static function without arguments, so the
//! shape reaches it through a thread-local that lives only while a schema is built.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::Field as Selected;
use async_graphql::registry::{
    __DirectiveLocation, MetaDirective, MetaDirectiveInvocation, MetaEnumValue, MetaField, MetaInputValue, MetaType,
    MetaTypeId, Registry,
};
use async_graphql::resolver_utils::{resolve_container, resolve_container_serial};
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, Schema, SchemaBuilder,
    ServerResult, Value,
};

use super::coerce;
use super::procedure::{Questions, Steps, SubscriptionRoot};
use super::shape::{Field, Input, InputField, InputKind, Object, Shape};
use crate::procedure::{Act, Fault, rules};

thread_local! {
    static SHAPE: RefCell<Option<Arc<Shape>>> = const { RefCell::new(None) };
}

/// Starts a schema of this shape.
pub(super) fn builder(shape: &Arc<Shape>) -> SchemaBuilder<QueryRoot, MutationRoot, SubscriptionRoot> {
    SHAPE.set(Some(shape.clone()));
    let builder = Schema::build(QueryRoot, MutationRoot, SubscriptionRoot);
    SHAPE.set(None);
    builder
}

/// The query root: dataset fields are registered for validation and introspection and answered by `query`; the
/// procedure's are answered by the library, once the rules have let them pass.
pub struct QueryRoot;

impl ContainerType for QueryRoot {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        may(ctx)?;
        Questions::default().resolve_field(ctx).await
    }
}

/// The mutation root: the procedure's steps, once the rules have let them pass.
pub struct MutationRoot;

impl ContainerType for MutationRoot {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        may(ctx)?;
        Steps::default().resolve_field(ctx).await
    }
}

impl OutputType for MutationRoot {
    fn type_name() -> Cow<'static, str> {
        Steps::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Steps::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _field: &Positioned<Selected>) -> ServerResult<Value> {
        resolve_container_serial(ctx, self).await
    }
}

impl ObjectType for MutationRoot {}

/// The table of rules stands before every root field of the procedure.
fn may(ctx: &Context<'_>) -> ServerResult<()> {
    let refused = |error: async_graphql::Error| ctx.set_error_path(error.into_server_error(ctx.item.pos));
    let act = ctx.data::<Act>().map_err(refused)?;
    rules::decide(&act.caller.roles, ctx.field().name()).map_err(|refusal| refused(Fault::from(refusal).into()))
}

impl OutputType for QueryRoot {
    fn type_name() -> Cow<'static, str> {
        "Query".into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        let shape = SHAPE.with_borrow(Clone::clone);
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| match &shape {
            Some(shape) => register(shape, registry),
            None => object("Query", &Object { description: String::new(), fields: Vec::new() }),
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _field: &Positioned<Selected>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl ObjectType for QueryRoot {}

/// Registers everything and gives back the root, which the library inserts itself.
fn register(shape: &Shape, registry: &mut Registry) -> MetaType {
    registry.add_directive(semantic_non_null());
    for (name, of) in &shape.inputs {
        // The scalars of GraphQL itself are there already.
        if !registry.types.contains_key(name) {
            registry.types.insert(name.clone(), input(name, of));
        }
    }
    let mut root = None;
    for (name, of) in &shape.objects {
        let registered = object(name, of);
        if name == "Query" {
            root = Some(with_questions(registered, registry));
        } else {
            registry.types.insert(name.clone(), registered);
        }
    }
    root.unwrap_or_else(|| object("Query", &Object { description: String::new(), fields: Vec::new() }))
}

/// The procedure's questions stand at the root among the datasets' fields.
fn with_questions(mut root: MetaType, registry: &mut Registry) -> MetaType {
    let questions = registry.create_fake_output_type::<Questions>();
    registry.types.remove(&*Questions::type_name());
    if let (MetaType::Object { fields, .. }, MetaType::Object { fields: asked, .. }) = (&mut root, questions) {
        fields.extend(asked);
    }
    root
}

fn semantic_non_null() -> MetaDirective {
    let mut levels = InputField::new("levels", "[Int!]!", "Nesting levels of the list that are meant, from 0.");
    levels.ty.nullable = false;
    let mut levels = argument(&levels);
    levels.default_value = Some("[0]".to_owned());
    MetaDirective {
        name: "semanticNonNull".to_owned(),
        description: Some(
            "資料必有值: the data is never null here; null comes only with an error, such as a field that is not granted."
                .to_owned(),
        ),
        locations: vec![__DirectiveLocation::FIELD_DEFINITION],
        args: IndexMap::from([("levels".to_owned(), levels)]),
        is_repeatable: false,
        visible: None,
        composable: None,
    }
}

fn object(name: &str, of: &Object) -> MetaType {
    MetaType::Object {
        name: name.to_owned(),
        description: text(&of.description),
        fields: of.fields.iter().map(|field| (field.name.clone(), member(field))).collect(),
        cache_control: Default::default(),
        extends: false,
        shareable: false,
        resolvable: true,
        keys: None,
        visible: None,
        inaccessible: false,
        interface_object: false,
        tags: Vec::new(),
        is_subscription: false,
        rust_typename: None,
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}

fn member(field: &Field) -> MetaField {
    let never_null = MetaDirectiveInvocation { name: "semanticNonNull".to_owned(), args: IndexMap::new() };
    MetaField {
        name: field.name.clone(),
        description: text(&field.description),
        args: field.arguments.iter().map(|given| (given.name.clone(), argument(given))).collect(),
        ty: field.ty.clone(),
        deprecation: Default::default(),
        cache_control: Default::default(),
        external: false,
        requires: None,
        provides: None,
        visible: None,
        shareable: false,
        inaccessible: false,
        tags: Vec::new(),
        override_from: None,
        compute_complexity: None,
        directive_invocations: field.semantic_non_null.then_some(never_null).into_iter().collect(),
        requires_scopes: Vec::new(),
    }
}

fn argument(given: &InputField) -> MetaInputValue {
    MetaInputValue {
        name: given.name.clone(),
        description: text(&given.description),
        ty: given.ty.to_string(),
        deprecation: Default::default(),
        default_value: None,
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        is_secret: false,
        directive_invocations: Vec::new(),
    }
}

fn input(name: &str, of: &Input) -> MetaType {
    match &of.kind {
        InputKind::Scalar(scalar) => {
            let scalar = *scalar;
            MetaType::Scalar {
                name: name.to_owned(),
                description: text(&of.description),
                is_valid: Some(Arc::new(move |value| coerce::scalar(scalar, &mut value.clone().into_value()).is_ok())),
                visible: None,
                inaccessible: false,
                tags: Vec::new(),
                specified_by_url: None,
                directive_invocations: Vec::new(),
                requires_scopes: Vec::new(),
            }
        }
        InputKind::Any => MetaType::Scalar {
            name: name.to_owned(),
            description: text(&of.description),
            is_valid: None,
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            specified_by_url: None,
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        },
        InputKind::Enum(words) => MetaType::Enum {
            name: name.to_owned(),
            description: text(&of.description),
            enum_values: words.iter().map(|(word, says)| (word.clone(), enum_value(word, says))).collect(),
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            rust_typename: None,
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        },
        InputKind::Object(fields) => MetaType::InputObject {
            name: name.to_owned(),
            description: text(&of.description),
            input_fields: fields.iter().map(|field| (field.name.clone(), argument(field))).collect(),
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            rust_typename: None,
            oneof: false,
            directive_invocations: Vec::new(),
        },
    }
}

fn enum_value(word: &str, says: &str) -> MetaEnumValue {
    MetaEnumValue {
        name: word.to_owned(),
        description: text(says),
        deprecation: Default::default(),
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        directive_invocations: Vec::new(),
    }
}

/// A description. The library's printer does not escape three quotation marks, nor a backslash on one line.
fn text(description: &str) -> Option<String> {
    (!description.is_empty()).then(|| description.replace("\"\"\"", "\u{2033}").replace('\\', "\u{ff3c}"))
}
