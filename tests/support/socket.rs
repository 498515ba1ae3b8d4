//! A real WebSocket client of the protocol graphql-transport-ws, and the hall on a port of its own.

use std::net::SocketAddr;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::hall::Hall;

/// A client's end.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Serves the hall on a port of its own.
pub async fn listening(hall: &Hall) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let routes = hall.router.clone().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

/// Connects by our protocol; nothing is said yet.
pub async fn connect(address: SocketAddr) -> Socket {
    let mut request = format!("ws://{address}/graphql").into_client_request().expect("a request");
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
    connect_async(request).await.expect("connects").0
}

/// Sends a message.
pub async fn say(socket: &mut Socket, message: Value) {
    say_text(socket, &message.to_string()).await;
}

/// Sends what need not be JSON.
pub async fn say_text(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).await.expect("sent");
}

/// The next message, or the code of the closing.
pub async fn hear(socket: &mut Socket) -> Value {
    loop {
        match next(socket).await {
            Some(Ok(Message::Ping(_))) => {}
            Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).expect("JSON"),
            Some(Ok(Message::Close(frame))) => return json!({ "close": frame.map(|frame| u16::from(frame.code)) }),
            Some(Err(Error::Protocol(_))) | None => return json!({ "close": null }),
            other => panic!("{other:?}"),
        }
    }
}

/// Waits until one is asked for a sign of life. Reading that is answering it, as in every client.
pub async fn is_asked(socket: &mut Socket) {
    let heard = next(socket).await;
    assert!(matches!(heard, Some(Ok(Message::Ping(_)))), "{heard:?}");
}

async fn next(socket: &mut Socket) -> Option<Result<Message, Error>> {
    tokio::time::timeout(Duration::from_secs(20), socket.next()).await.expect("in time")
}

/// Connected, and signed in with a token.
pub async fn opened(address: SocketAddr, token: &str) -> Socket {
    let mut socket = connect(address).await;
    let payload = json!({ "Authorization": format!("Bearer {token}") });
    say(&mut socket, json!({ "type": "connection_init", "payload": payload })).await;
    assert_eq!(hear(&mut socket).await["type"], "connection_ack");
    socket
}
