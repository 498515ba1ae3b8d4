//! HTTP: the router and what stands around the GraphQL handler.

use std::sync::Arc;

use axum::Router;

pub mod auth;
pub mod headers;
pub mod oauth;
pub mod playground;
pub mod sign_in;
pub mod state;
pub mod status;

pub use state::App;

/// The routes by which people and machines obtain tokens.
pub fn account_routes() -> Router<Arc<App>> {
    sign_in::routes().merge(oauth::routes())
}
