//! `GET /graphql` with an upgrade: subscriptions over a WebSocket, by the protocol graphql-transport-ws. What it says and
//! hears is here; the connection as frames and time have it is left to `socket`, recording of events to `watch`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use async_graphql::futures_util::stream::{self, AbortHandle, BoxStream, SelectAll, StreamExt, abortable};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::state::App;
use super::watch::{events, said};
use super::{asked, auth, headers};
use crate::access::{Caller, Language, Refusal};

/// Subscriptions on one connection: each answers every notice with a query and a record.
const SUBSCRIPTIONS: usize = 64;

/// Why a connection is closed, by the protocol.
pub(super) struct Closing {
    pub(super) code: u16,
    pub(super) reason: String,
}

impl Closing {
    pub(super) fn new(code: u16, reason: impl Into<String>) -> Closing {
        Closing { code, reason: reason.into() }
    }
}

/// A message of the client.
#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    payload: Option<Box<RawValue>>,
}

/// What becomes of one subscription.
pub(super) struct News {
    id: String,
    what: What,
}

enum What {
    Next(Value),
    Error(Vec<Refusal>),
    Complete,
}

/// One client's connection.
pub(super) struct Connection {
    app: Arc<App>,
    headers: HeaderMap,
    address: Option<IpAddr>,
    caller: Option<Caller>,
    watched: HashMap<String, AbortHandle>,
    /// What happens to those who are watched.
    pub(super) news: SelectAll<BoxStream<'static, News>>,
}

impl Connection {
    pub(super) fn new(app: Arc<App>, headers: HeaderMap, address: Option<IpAddr>) -> Connection {
        Connection { app, headers, address, caller: None, watched: HashMap::new(), news: SelectAll::new() }
    }

    /// The client has said who it is.
    pub(super) fn is_open(&self) -> bool {
        self.caller.is_some()
    }

    /// Takes a message; what is answered at once, or why the connection is closed.
    pub(super) async fn hear(&mut self, text: &[u8]) -> Result<Option<Value>, Closing> {
        let message: Message = serde_json::from_slice(text).map_err(|_| {
            Closing::new(
                4400,
                "Expected a message of graphql-transport-ws: an object with a type, and id or payload where it has one",
            )
        })?;
        let id = |id: Option<String>| id.ok_or_else(|| Closing::new(4400, "This message needs an id"));
        match message.kind.as_str() {
            "connection_init" => self.greet(message.payload).await.map(Some),
            "ping" => Ok(Some(json!({ "type": "pong" }))),
            "pong" => Ok(None),
            "subscribe" => {
                let id = id(message.id)?;
                let payload = message.payload.ok_or_else(|| Closing::new(4400, "This message needs a payload"))?;
                self.subscribe(id, &payload).map(|()| None)
            }
            "complete" => {
                // What is watched no longer has no news; of what was never watched nothing is said either.
                if let Some(watched) = self.watched.remove(&id(message.id)?) {
                    watched.abort();
                }
                Ok(None)
            }
            _ => Err(Closing::new(4400, "There is no message of this type")),
        }
    }

    /// Browsers cannot set headers on a WebSocket: the first message brings them.
    async fn greet(&mut self, payload: Option<Box<RawValue>>) -> Result<Value, Closing> {
        if self.caller.is_some() {
            return Err(Closing::new(4429, "Too many initialisation requests"));
        }
        let payload = payload.map(|payload| serde_json::from_str::<Option<Map<String, Value>>>(payload.get()));
        let payload = payload.transpose().map_err(|_| Closing::new(4400, "Expected an object as payload"))?.flatten();
        let headers = with_payload(self.headers.clone(), payload.unwrap_or_default());
        match auth::authenticate(&self.app, &headers, self.address) {
            Ok(caller) => self.caller = Some(caller),
            Err(refusal) => {
                let refusal = auth::turn_away(&self.app, &headers, self.address, refusal).await;
                return Err(Closing::new(4403, headers::language(&headers).pick(&refusal.en, &refusal.zh)));
            }
        }
        Ok(json!({ "type": "connection_ack" }))
    }

    fn subscribe(&mut self, id: String, payload: &RawValue) -> Result<(), Closing> {
        let Some(caller) = self.caller.clone() else { return Err(Closing::new(4401, "Unauthorized")) };
        if self.watched.contains_key(&id) {
            return Err(Closing::new(4409, "A subscription of this id is there already"));
        }
        if self.watched.len() >= SUBSCRIPTIONS {
            return Err(Closing::new(4429, "Too many subscriptions on one connection"));
        }
        let mut asked = asked::from_json(payload.get().as_bytes())
            .map_err(|unread| Closing::new(4400, caller.language.pick(&unread.refusal.en, &unread.refusal.zh)))?;
        asked.record = self.app.accounts.new_id();
        let begun = stream::once(events(self.app.clone(), caller, asked)).flat_map(|begun| match begun {
            Ok(events) => events.map(What::Next).chain(stream::once(std::future::ready(What::Complete))).boxed(),
            Err(refusals) => stream::once(std::future::ready(What::Error(refusals))).boxed(),
        });
        let name = id.clone();
        let (news, watched) = abortable(begun.map(move |what| News { id: name.clone(), what }));
        self.news.push(news.boxed());
        self.watched.insert(id, watched);
        Ok(())
    }

    /// What the client is told.
    pub(super) fn tell(&mut self, News { id, what }: News) -> Value {
        if !matches!(what, What::Next(_)) {
            self.watched.remove(&id);
        }
        let language = self.caller.as_ref().map_or(Language::En, |caller| caller.language);
        match what {
            What::Next(payload) => json!({ "id": id, "type": "next", "payload": payload }),
            What::Error(refusals) => json!({ "id": id, "type": "error", "payload": said(&refusals, language) }),
            What::Complete => json!({ "id": id, "type": "complete" }),
        }
    }
}

/// `Authorization`, `X-Form` and the like from the first message, where the handshake did not bring them.
fn with_payload(mut headers: HeaderMap, payload: Map<String, Value>) -> HeaderMap {
    for (name, value) in payload {
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
