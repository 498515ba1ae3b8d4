//! The inbox, watched: a real WebSocket client hears what it is told as it is told, each event recorded before it is sent,
//! and no longer once its account is suspended.

use std::net::SocketAddr;
use std::time::Duration;

use crate::support::hall::Hall;
use cityquery::audit::Kind;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Serves the hall on a port of its own.
async fn listening(hall: &Hall) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let routes = hall.router.clone().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

async fn connect(address: SocketAddr) -> Socket {
    let mut request = format!("ws://{address}/graphql").into_client_request().expect("a request");
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
    connect_async(request).await.expect("connects").0
}

async fn say(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.expect("sent");
}

/// The next message, or the code of the closing.
async fn hear(socket: &mut Socket) -> Value {
    let heard = tokio::time::timeout(Duration::from_secs(20), socket.next()).await.expect("in time");
    match heard {
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text).expect("JSON"),
        Some(Ok(Message::Close(frame))) => json!({ "close": frame.map(|frame| u16::from(frame.code)) }),
        Some(Err(Error::Protocol(_))) | None => json!({ "close": null }),
        other => panic!("{other:?}"),
    }
}

async fn opened(address: SocketAddr, token: &str) -> Socket {
    let mut socket = connect(address).await;
    let payload = json!({ "Authorization": format!("Bearer {token}") });
    say(&mut socket, json!({ "type": "connection_init", "payload": payload })).await;
    assert_eq!(hear(&mut socket).await["type"], "connection_ack");
    socket
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_is_told_arrives_as_it_is_told() {
    for mut hall in Hall::on_each().await {
        hall.staffed().await;
        let address = listening(&hall).await;
        let watching = hall.app.accounts.watch();

        // Without a token nothing opens.
        let mut stranger = connect(address).await;
        say(&mut stranger, json!({ "type": "connection_init", "payload": {} })).await;
        assert!(hear(&mut stranger).await.get("close").is_some());

        let mut socket = opened(address, hall.token("fire.officer")).await;
        let watch = json!({ "query": "subscription { inboxNotices { about number textZh } }" });
        say(&mut socket, json!({ "id": "1", "type": "subscribe", "payload": watch })).await;
        // Nothing but subscriptions is answered here; that it was asked is known.
        let before = hall.app.audit.record_count()();
        say(&mut socket, json!({ "id": "2", "type": "subscribe", "payload": { "query": "{ agencies { code } }" } }))
            .await;
        let refused = hear(&mut socket).await;
        assert_eq!(refused["payload"]["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused:#}");
        assert_eq!(hear(&mut socket).await, json!({ "type": "complete", "id": "2" }));
        assert_eq!(hall.app.audit.record_count()(), before + 1, "a refusal is a record, too");

        let group = "mutation { step: putUserGroup(name: \"users\", title: \"使用者\") { name } }";
        hall.ask("fire.admin", group, json!({})).await.step();
        let before = hall.app.audit.record_count()();
        hall.add_member("fire.admin", "fire.officer").await;
        let told = hear(&mut socket).await;
        assert_eq!(told["payload"]["data"]["inboxNotices"]["number"], "users", "{told:#}");
        // The step's two records, and the event's own.
        assert!(hall.app.audit.record_count()() >= before + 3, "{:?}", Kind::Procedure);

        let suspend = "mutation { step: suspendAccount(account: \"fire.officer\", reason: \"停用\") { status } }";
        hall.ask("fire.admin", suspend, json!({})).await.step();
        let ended = hear(&mut socket).await;
        assert_eq!((&ended["id"], &ended["type"]), (&json!("1"), &json!("complete")), "{ended:#}");

        // What is watched ends with the token, too.
        let mut socket = opened(address, hall.token("fire.admin")).await;
        let watch = json!({ "query": "subscription { inboxNotices { number } }" });
        say(&mut socket, json!({ "id": "3", "type": "subscribe", "payload": watch })).await;
        hall.clock.advance(time::Duration::minutes(16));
        assert_eq!(hear(&mut socket).await, json!({ "type": "complete", "id": "3" }));
        watching.abort();
    }
}
