//! A WebSocket as frames and time have it: opened, asked for signs of life, closed. What is said over it is left to
//! `websocket`.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::futures_util::StreamExt as _;
use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use time::OffsetDateTime;
use tokio::time::MissedTickBehavior;

use super::state::App;
use super::websocket::{Closing, Connection};
use super::{graphql, headers};

/// The one protocol that is spoken.
const PROTOCOL: &str = "graphql-transport-ws";

/// Longest message.
const LONGEST: usize = 64 * 1024;

/// How often a client is asked for a sign of life; one that has not said who it is by then is not waited for.
const SIGN_OF_LIFE: time::Duration = time::Duration::seconds(20);

/// A client that gave none as often is gone: a minute in all.
const UNANSWERED: u32 = 3;

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A message that has not left by then has nobody to go to.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longest reason of a closing, in bytes, as the WebSocket protocol has it.
const REASON: usize = 123;

/// Opens a WebSocket where one is asked for; anything else is an ordinary request.
pub async fn upgrade_or_answer(State(app): State<Arc<App>>, request: Request) -> Response {
    if !request.headers().contains_key(header::UPGRADE) {
        return graphql::handle(State(app), request).await;
    }
    let (mut parts, _) = request.into_parts();
    let address = headers::client_address(&parts.headers, &parts.extensions, app.config.server.trusted_proxies);
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &app).await {
        Ok(upgrade) => upgrade.max_message_size(LONGEST).protocols([PROTOCOL]),
        Err(rejection) => return rejection.into_response(),
    };
    let is_ours = upgrade.selected_protocol().is_some();
    upgrade.on_upgrade(move |socket| async move {
        let asked_at = app.clock.now();
        let connection = Connection::new(app.clone(), parts.headers, address);
        let mut open = Open { app, socket, connection, asked_at, unanswered: 0 };
        let closing = if is_ours {
            open.converse().await
        } else {
            Closing::new(4406, format!("Expected the protocol {PROTOCOL}"))
        };
        open.close(closing).await;
    })
}

/// An open WebSocket.
struct Open {
    app: Arc<App>,
    socket: WebSocket,
    connection: Connection,
    /// When it was last asked for a sign of life.
    asked_at: OffsetDateTime,
    /// How often it was asked since it last gave one.
    unanswered: u32,
}

impl Open {
    /// Speaks and listens until one end has enough.
    async fn converse(&mut self) -> Closing {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let said = tokio::select! {
                heard = self.socket.recv() => match heard {
                    Some(Ok(message)) => self.hear(message).await,
                    _ => return Closing::new(1000, ""),
                },
                Some(news) = self.connection.news.next() => Ok(Some(text(&self.connection.tell(news)))),
                _ = look.tick() => self.look(),
            };
            match said {
                Ok(None) => {}
                Ok(Some(message)) => match tokio::time::timeout(PATIENCE, self.socket.send(message)).await {
                    Ok(Ok(())) => {}
                    _ => return Closing::new(1000, ""),
                },
                Err(closing) => return closing,
            }
        }
    }

    async fn hear(&mut self, message: Message) -> Result<Option<Message>, Closing> {
        // Whatever comes is a sign of life, an answer to a ping above all.
        self.unanswered = 0;
        let answer = match message {
            Message::Text(said) => self.connection.hear(said.as_bytes()).await?,
            Message::Binary(_) => return Err(Closing::new(4400, "Expected text")),
            // Who leaves is answered as they are listened to further, and then there is nothing more to hear.
            Message::Close(_) | Message::Ping(_) | Message::Pong(_) => None,
        };
        Ok(answer.as_ref().map(text))
    }

    /// Asks for a sign of life where it is time. A clock that jumps, as after a computer's sleep, asks once.
    fn look(&mut self) -> Result<Option<Message>, Closing> {
        let now = self.app.clock.now();
        if (now - self.asked_at).abs() < SIGN_OF_LIFE {
            return Ok(None);
        }
        if !self.connection.is_open() {
            return Err(Closing::new(4408, "Connection initialisation timeout"));
        }
        if self.unanswered == UNANSWERED {
            return Err(Closing::new(3008, "No sign of life"));
        }
        (self.asked_at, self.unanswered) = (now, self.unanswered + 1);
        Ok(Some(Message::Ping(Bytes::new())))
    }

    /// Says why, if anybody still listens.
    async fn close(mut self, Closing { code, mut reason }: Closing) {
        reason.truncate(reason.floor_char_boundary(REASON));
        let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        let _ = tokio::time::timeout(PATIENCE, self.socket.send(frame)).await;
    }
}

fn text(message: &serde_json::Value) -> Message {
    Message::Text(Utf8Bytes::from(message.to_string()))
}
