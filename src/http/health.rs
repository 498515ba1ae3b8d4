//! `/healthz`, `/readyz`, `/metrics`: whether the process lives, whether it can answer, and its numbers.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use super::state::App;

/// The routes. None of them tells anything of a dataset's content, so none is recorded.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// Ready only when every database answers and records can be made.
async fn ready(State(app): State<Arc<App>>) -> (StatusCode, Json<Value>) {
    let mut datasets = Map::new();
    let mut all = app.audit.is_ready() && app.accounts.rights().hears();
    for code in app.config.datasets.keys() {
        let Some(place) = app.engine.databases().place(code) else { continue };
        let answers = app.engine.databases().source(place.database).ping().await;
        if let Err(error) = &answers {
            tracing::warn!(dataset = %code, %error, "not ready");
        }
        all &= answers.is_ok();
        datasets.insert(code.clone(), answers.is_ok().into());
    }
    let status = if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "ready": all,
        "control": app.accounts.rights().hears(),
        "audit": app.audit.is_ready(),
        "datasets": datasets,
    });
    (status, Json(body))
}

/// Prometheus text format.
async fn metrics(State(app): State<Arc<App>>) -> Result<([(HeaderName, &'static str); 1], String), StatusCode> {
    const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let text = app.numbers.text(&app.audit.numbers(), app.audit.is_ready());
    text.map(|text| ([(CONTENT_TYPE, TEXT)], text)).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}
