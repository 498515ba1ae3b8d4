//! The events of a subscription, each recorded before it leaves; and as a stream of them over HTTP (`text/event-stream`,
//! the protocol graphql-sse in distinct connections mode). Over a WebSocket they are left to `websocket`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use async_graphql::Response as Happened;
use async_graphql::futures_util::stream::{self, BoxStream, StreamExt};
use axum::http::{HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::graphql::{audit_unavailable, frame, micros};
use super::state::App;
use super::status::refuse_all;
use crate::access::{Caller, Code, Language, Refusal};
use crate::audit::{Kind, Outcome};
use crate::graphql::engine;

/// What somebody watches.
struct Watch {
    app: Arc<App>,
    caller: Caller,
    asked: engine::Request,
}

/// Begins what a subscription watches: what leaves of each event, or why there is none. A refusal is a record, too.
pub(super) async fn events(
    app: Arc<App>,
    caller: Caller,
    asked: engine::Request,
) -> Result<BoxStream<'static, Value>, Vec<Refusal>> {
    let begun = app.engine.watch(&caller, &asked).await;
    let watch = Arc::new(Watch { app, caller, asked });
    match begun {
        Ok(events) => Ok(events.then(move |event| watch.clone().recorded(event)).boxed()),
        Err(refusals) => {
            let code = refusals.first().map(|refusal| refusal.code);
            Err(watch.record(code, &[]).await.err().map_or(refusals, |unavailable| vec![unavailable]))
        }
    }
}

impl Watch {
    async fn recorded(self: Arc<Watch>, event: Happened) -> Value {
        let body = serde_json::to_vec(&event.data).unwrap_or_default(); // a value always becomes JSON
        let mut refusals: Vec<Refusal> = event.errors.iter().map(engine::refusal).collect();
        let code = refusals.first().map(|refusal| refusal.code);
        if let Err(unavailable) = self.record(code, &body).await {
            refusals = vec![unavailable];
        }
        if refusals.is_empty() {
            return json!({ "data": event.data });
        }
        json!({ "data": null, "errors": said(&refusals, self.caller.language) })
    }

    async fn record(&self, code: Option<Code>, body: &[u8]) -> Result<(), Refusal> {
        let Watch { app, caller, asked } = self;
        let (bytes, digest) = (body.len() as u64, app.audit.digest(body));
        let kind = if code.is_some() { Kind::Denied } else { Kind::Procedure };
        let outcome = Outcome { code: code.map(|code| code.word().into()), rows: 0, bytes, digest };
        let mut record = frame(app, caller, Instant::now(), app.accounts.new_id(), kind, outcome);
        // The caller is as old as what is watched, and over a WebSocket as the connection.
        record.started_us = micros(app.clock.now());
        record.asked = Some(asked.asked());
        record.note = Some(format!("event of {}", asked.record));
        app.audit.commit(record).await.map(drop).map_err(|reason| {
            tracing::error!(%reason, request = %caller.request_id, "an event was withheld: no durable record");
            audit_unavailable()
        })
    }
}

/// Refusals as they stand in `errors`.
pub(super) fn said(refusals: &[Refusal], language: Language) -> Vec<Value> {
    refusals.iter().map(|refusal| refusal.to_json(language)).collect()
}

/// The events as a stream over HTTP. What fails before there is a stream is refused as any request is.
pub(super) async fn stream(app: Arc<App>, caller: Caller, asked: engine::Request, language: Language) -> Response {
    let events = match events(app, caller, asked).await {
        Ok(events) => events,
        Err(refusals) => return refuse_all(&refusals, language),
    };
    let next = events.map(|event| Event::default().event("next").data(event.to_string()));
    let complete = stream::once(std::future::ready(Event::default().event("complete").data("")));
    let mut response =
        Sse::new(next.chain(complete).map(Ok::<_, Infallible>)).keep_alive(KeepAlive::default()).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
