//! `/healthz`, `/readyz`, `/metrics`: whether the process lives, whether it can answer, and its numbers.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use super::state::App;

/// How long a database may take to say that it is there.
const PING_AT_MOST: Duration = Duration::from_secs(2);

/// The routes. None of them tells anything of a dataset's content, so none is recorded.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// Ready only when every database answers and records can be made.
async fn ready(State(app): State<Arc<App>>) -> (StatusCode, Json<Value>) {
    let mut all = app.audit.is_ready() && app.accounts.rights().hears();
    let answers = futures::future::join_all(app.config.datasets.keys().map(|code| answers(&app, code))).await;
    all &= answers.iter().all(|answers| *answers);
    let datasets: Map<String, Value> =
        app.config.datasets.keys().cloned().zip(answers.into_iter().map(Value::from)).collect();
    let status = if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "ready": all,
        "control": app.accounts.rights().hears(),
        "audit": app.audit.is_ready(),
        "datasets": datasets,
    });
    (status, Json(body))
}

/// Whether a dataset's database answers in time.
async fn answers(app: &App, code: &str) -> bool {
    let databases = app.engine.databases();
    let Some(place) = databases.place(code) else { return false };
    let answer = tokio::time::timeout(PING_AT_MOST, databases.source(place.database).ping()).await;
    match &answer {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(dataset = %code, %error, "not ready"),
        Err(_) => tracing::warn!(dataset = %code, "not ready: no answer"),
    }
    matches!(answer, Ok(Ok(())))
}

/// Prometheus text format.
async fn metrics(State(app): State<Arc<App>>) -> Result<([(HeaderName, &'static str); 1], String), StatusCode> {
    const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let text = app.numbers.text(&app.audit.numbers(), app.audit.is_ready());
    text.map(|text| ([(CONTENT_TYPE, TEXT)], text)).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}
