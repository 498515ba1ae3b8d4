//! The GraphQL face: the schema made from the catalogue and the procedure, validation, variables, introspection.
//! Answering dataset fields is left to `query`; the library's executor never sees them.

mod coerce;
mod collect;
mod document;
pub mod engine;
mod inquiry;
mod limits;
mod messages;
mod others;
mod overlap;
mod procedure;
mod register;
pub mod reply;
mod shape;
mod shape_inputs;
mod shape_outputs;
mod shape_procedure;
mod syntax;
mod tokens;
mod validate;
mod values;
mod variables;

use std::sync::Arc;

use async_graphql::futures_util::stream::BoxStream;
use async_graphql::{Data, Response, SDLExportOptions, Schema, ValidationMode, Variables};
use serde_json::{Map, Value};

pub use procedure::SubscriptionRoot;
pub use register::{MutationRoot, QueryRoot};
pub use validate::Validated;

use crate::access::refusal::Refusal;
use crate::catalog::Catalog;
use crate::config::Limits;
use shape::Shape;

type Library = Schema<QueryRoot, MutationRoot, SubscriptionRoot>;

/// The schema of one catalogue, ready to validate and to describe itself.
pub struct Face {
    catalog: Arc<Catalog>,
    shape: Arc<Shape>,
    /// Applies every rule and executes nothing.
    validation: Library,
    /// Executes what is already known to be valid and is not of the datasets.
    library: Library,
}

impl Face {
    /// Assembles the schema of a catalogue.
    pub fn new(catalog: Arc<Catalog>) -> Face {
        let shape = Arc::new(Shape::of(&catalog));
        // Depth is bounded before, in our words; the library's own bound only must not be the narrower one.
        let levels = limits::LEVELS + 3;
        let validation =
            register::builder(&shape).extension(validate::OnlyValidate).limit_recursive_depth(levels).finish();
        let library =
            register::builder(&shape).validation_mode(ValidationMode::Fast).limit_recursive_depth(2 * levels).finish();
        Face { catalog, shape, validation, library }
    }

    /// The catalogue that the schema was made from.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The schema in the schema definition language: the text of `schema.graphql`.
    pub fn sdl(&self) -> String {
        let options = SDLExportOptions::new().use_space_ident().prefer_single_line_descriptions();
        // The library indents empty lines, too.
        self.validation.sdl_with_options(options).lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }

    /// Checks a document without its variables; the result can be kept for every caller.
    pub fn validate(
        &self,
        text: &str,
        operation_name: Option<&str>,
        limits: &Limits,
    ) -> Result<Arc<Validated>, Vec<Refusal>> {
        validate::validate(self, text, operation_name, limits).map(Arc::new)
    }

    /// The variables of one request, checked and in canonical form.
    pub fn variables(&self, validated: &Validated, given: &Map<String, Value>) -> Result<Variables, Vec<Refusal>> {
        variables::coerce(&self.shape, &validated.variables, given)
    }

    /// Response key → answer for what is not of the datasets: introspection and the procedure. `data` is what the
    /// procedure's fields need.
    pub async fn others(
        &self,
        validated: &Validated,
        variables: &Variables,
        data: Data,
    ) -> Result<Map<String, Value>, Vec<Refusal>> {
        others::answer(self, validated, variables, data).await
    }

    /// The events of a subscription.
    pub fn watch(&self, validated: &Validated, variables: &Variables, data: Data) -> BoxStream<'static, Response> {
        others::watch(self, validated, variables, data)
    }
}
