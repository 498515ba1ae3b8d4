//! HTTP: the router and what stands around the GraphQL handler.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, HeaderValue};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

mod asked;
pub mod auth;
pub mod body;
pub mod connections;
pub mod graphql;
pub mod headers;
pub mod health;
mod json;
mod media;
pub mod numbers;
pub mod oauth;
pub mod playground;
pub mod server;
pub mod sign_in;
pub mod socket;
pub mod state;
pub mod status;
mod watch;
mod websocket;

pub use state::App;

/// The routes by which people and machines obtain tokens.
pub fn account_routes() -> Router<Arc<App>> {
    sign_in::routes().merge(oauth::routes())
}

/// Everything that is served.
pub fn router(app: Arc<App>) -> Router {
    let mut routes = account_routes().merge(graphql::routes()).merge(health::routes());
    if app.config.server.playground {
        routes = routes.merge(playground::routes(app.demo_accounts.get().cloned()));
    }
    let sniff = SetResponseHeaderLayer::if_not_present(
        HeaderName::from_static("x-content-type-options"),
        HeaderValue::from_static("nosniff"),
    );
    routes.layer(sniff).layer(CatchPanicLayer::custom(panicked)).with_state(app)
}

/// A panic is our fault: the log has it, the client gets the fixed sentence.
fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> axum::response::Response {
    tracing::error!("a handler panicked");
    let refusal = crate::access::Refusal::new(crate::access::Code::Internal, "Internal error.", "系統內部錯誤。");
    status::refuse(&refusal, crate::access::Language::En)
}
