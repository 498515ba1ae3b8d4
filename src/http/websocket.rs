//! `GET /graphql` with an upgrade: subscriptions over a WebSocket, by graphql-transport-ws (and its predecessor). No event
//! leaves before its record is durable; what is watched ends when the account or the session does.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::futures_util::stream::{self, BoxStream, StreamExt};
use async_graphql::http::{ALL_WEBSOCKET_PROTOCOLS, WebSocket, WebSocketProtocols, WsMessage};
use async_graphql::{Data, Executor, Response as Answer, ServerError, Value};
use axum::extract::ws::{CloseFrame, Message, WebSocket as Socket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;

use super::state::App;
use super::{auth, graphql, headers};
use crate::access::{Caller, Language, Refusal};
use crate::graphql::engine;

/// Longest message.
const LONGEST: usize = 64 * 1024;

/// A client that says nothing, not even to a ping, for so long is gone.
const SILENCE: Duration = Duration::from_secs(60);

/// Opens a WebSocket where one is asked for; anything else is an ordinary request.
pub async fn upgrade_or_answer(State(app): State<Arc<App>>, request: Request) -> Response {
    let is_upgrade = request.headers().get(header::UPGRADE).is_some();
    if !is_upgrade {
        return graphql::handle(State(app), request).await;
    }
    let (mut parts, _) = request.into_parts();
    let address = headers::client_address(&parts.headers, &parts.extensions, app.config.server.trusted_proxies);
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &app).await {
        Ok(upgrade) => upgrade.max_message_size(LONGEST).protocols(ALL_WEBSOCKET_PROTOCOLS),
        Err(rejection) => return axum::response::IntoResponse::into_response(rejection),
    };
    let protocol = upgrade.selected_protocol().and_then(|name| name.to_str().ok()?.parse().ok());
    let headers = parts.headers;
    upgrade.on_upgrade(move |socket| {
        serve(app, socket, protocol.unwrap_or(WebSocketProtocols::GraphQLWS), headers, address)
    })
}

async fn serve(
    app: Arc<App>,
    socket: Socket,
    protocol: WebSocketProtocols,
    headers: HeaderMap,
    address: Option<IpAddr>,
) {
    let (mut sink, source) = socket.split();
    let texts = source.take_while(|message| std::future::ready(message.is_ok())).filter_map(|message| async move {
        match message {
            Ok(Message::Text(text)) => Some(text.as_bytes().to_vec()),
            Ok(Message::Binary(bytes)) => Some(bytes.to_vec()),
            _ => None,
        }
    });
    let watcher = Watcher { app: app.clone() };
    let sign_in = move |payload: serde_json::Value| async move {
        // Browsers cannot set headers on a WebSocket: the first message brings them.
        let headers = with_payload(headers, &payload);
        let caller = match auth::authenticate(&app, &headers, address) {
            Ok(caller) => caller,
            Err(refusal) => {
                let refusal = auth::turn_away(&app, &headers, address, refusal).await;
                let language = headers::language(&headers);
                return Err(async_graphql::Error::new(language.pick(&refusal.en, &refusal.zh)));
            }
        };
        let mut data = Data::default();
        data.insert(caller);
        Ok(data)
    };
    let connection = WebSocket::new(watcher, texts.boxed(), protocol).on_connection_init(sign_in);
    let mut messages = connection.keepalive_timeout(SILENCE).boxed();
    while let Some(message) = messages.next().await {
        let message = match message {
            WsMessage::Text(text) => Message::Text(text.into()),
            WsMessage::Close(code, reason) => Message::Close(Some(CloseFrame { code, reason: reason.into() })),
        };
        if async_graphql::futures_util::SinkExt::send(&mut sink, message).await.is_err() {
            return;
        }
    }
}

/// `Authorization`, `X-Form` and the like from the first message, where the handshake did not bring them.
fn with_payload(mut headers: HeaderMap, payload: &serde_json::Value) -> HeaderMap {
    for (name, value) in payload.as_object().into_iter().flatten() {
        let name = HeaderName::from_bytes(name.to_lowercase().as_bytes());
        let value = value.as_str().and_then(|value| HeaderValue::from_str(value).ok());
        if let (Ok(name), Some(value)) = (name, value)
            && (name == header::AUTHORIZATION || name == header::ACCEPT_LANGUAGE || name.as_str().starts_with("x-"))
        {
            headers.entry(name).or_insert(value);
        }
    }
    headers
}

/// Answers what arrives over one connection.
#[derive(Clone)]
struct Watcher {
    app: Arc<App>,
}

impl Executor for Watcher {
    async fn execute(&self, _: async_graphql::Request) -> Answer {
        refused(&engine::subscriptions_only(), Language::En)
    }

    fn execute_stream(
        &self,
        request: async_graphql::Request,
        session: Option<Arc<Data>>,
    ) -> BoxStream<'static, Answer> {
        let app = self.app.clone();
        let caller = session
            .as_ref()
            .and_then(|data| data.get(&std::any::TypeId::of::<Caller>())?.downcast_ref::<Caller>().cloned());
        let Some(caller) = caller else { return stream::empty().boxed() };
        stream::once(events(app, caller, request)).flatten().boxed()
    }
}

async fn events(app: Arc<App>, caller: Caller, request: async_graphql::Request) -> BoxStream<'static, Answer> {
    let variables = match serde_json::to_value(&request.variables) {
        Ok(serde_json::Value::Object(variables)) => variables,
        _ => serde_json::Map::new(),
    };
    let asked = engine::Request {
        query: request.query,
        operation_name: request.operation_name,
        variables,
        record: app.accounts.new_id(),
    };
    let language = caller.language;
    let events = match app.engine.watch(&caller, &asked).await {
        Ok(events) => events,
        Err(refusals) => {
            let code = refusals.first().map(|refusal| refusal.code);
            let refusals = match graphql::record_event(&app, &caller, &asked, code, &[]).await {
                Ok(()) => refusals,
                Err(unavailable) => vec![unavailable],
            };
            return stream::once(std::future::ready(all_refused(&refusals, language))).boxed();
        }
    };
    let (asked, caller) = (Arc::new(asked), Arc::new(caller));
    events
        .then(move |event| {
            let (app, asked, caller) = (app.clone(), asked.clone(), caller.clone());
            async move {
                let body = serde_json::to_vec(&event.data).unwrap_or_default(); // a value always becomes JSON
                let refusals: Vec<Refusal> = event.errors.iter().map(engine::refusal).collect();
                let code = refusals.first().map(|refusal| refusal.code);
                match graphql::record_event(&app, &caller, &asked, code, &body).await {
                    Ok(()) if refusals.is_empty() => event,
                    Ok(()) => all_refused(&refusals, caller.language),
                    Err(refusal) => refused(&refusal, caller.language),
                }
            }
        })
        .boxed()
}

fn refused(refusal: &Refusal, language: Language) -> Answer {
    all_refused(std::slice::from_ref(refusal), language)
}

/// What the library says of a failure stays with us: the client gets the closed list of codes.
fn all_refused(refusals: &[Refusal], language: Language) -> Answer {
    Answer::from_errors(refusals.iter().map(|refusal| server_error(refusal, language)).collect())
}

fn server_error(refusal: &Refusal, language: Language) -> ServerError {
    let mut error = ServerError::new(language.pick(&refusal.en, &refusal.zh), None);
    let mut extensions = async_graphql::ErrorExtensionValues::default();
    extensions.set("code", Value::from(refusal.code.word()));
    error.extensions = Some(extensions);
    error
}
