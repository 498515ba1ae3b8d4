//! The protocol graphql-transport-ws, as a client that keeps to it expects it and as one that does not finds it.

use std::time::Duration;

use crate::support::hall::Hall;
use crate::support::socket::{connect, hear, is_asked, listening, opened, say, say_text};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

const WATCH: &str = "subscription { inboxNotices { number } }";

fn subscribe(id: &str, query: &str) -> Value {
    json!({ "id": id, "type": "subscribe", "payload": { "query": query } })
}

/// Tells the officer something.
async fn tell(hall: &mut Hall) {
    let group = "mutation { step: putUserGroup(name: \"users\", title: \"使用者\") { name } }";
    hall.ask("fire.admin", group, json!({})).await.step();
    hall.add_member("fire.admin", "fire.officer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_breaks_the_protocol_is_told_how() {
    let mut hall = Hall::on_sqlite().await;
    hall.staffed().await;
    let address = listening(&hall).await;
    let token = hall.token("fire.officer").to_owned();

    let mut early = connect(address).await;
    say(&mut early, subscribe("1", WATCH)).await;
    assert_eq!(hear(&mut early).await, json!({ "close": 4401 }), "before the acknowledgement");
    for payload in [json!(null), json!({}), json!({ "Authorization": "Bearer x.y.z" })] {
        let mut stranger = connect(address).await;
        say(&mut stranger, json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(hear(&mut stranger).await, json!({ "close": 4403 }), "{payload}");
    }
    let twice = subscribe("1", WATCH).to_string().replace("\"query\"", "\"variables\":{\"a\":1,\"a\":2},\"query\"");
    for wrong in [
        "no JSON",
        "[]",
        "{}",
        r#"{"type":"nothing"}"#,
        r#"{"type":"subscribe","payload":{"query":"subscription{inboxNotices{id}}"}}"#,
        r#"{"type":"subscribe","id":"1"}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":5}}"#,
        r#"{"type":"complete"}"#,
        &twice,
    ] {
        let mut socket = opened(address, &token).await;
        say_text(&mut socket, wrong).await;
        assert_eq!(hear(&mut socket).await, json!({ "close": 4400 }), "{wrong}");
    }
    let mut socket = opened(address, &token).await;
    say(&mut socket, subscribe("1", WATCH)).await;
    say(&mut socket, subscribe("1", WATCH)).await;
    assert_eq!(hear(&mut socket).await, json!({ "close": 4409 }), "the same id twice");
    let mut socket = opened(address, &token).await;
    say(&mut socket, json!({ "type": "connection_init" })).await;
    assert_eq!(hear(&mut socket).await, json!({ "close": 4429 }), "a second greeting");
    let mut socket = opened(address, &token).await;
    for number in 0..=64 {
        say(&mut socket, subscribe(&number.to_string(), WATCH)).await;
    }
    assert_eq!(hear(&mut socket).await, json!({ "close": 4429 }), "sixty-five at once");

    let mut request = format!("ws://{address}/graphql").into_client_request().expect("a request");
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("something-else"));
    assert!(tokio_tungstenite::connect_async(request).await.is_err(), "the client finds its protocol missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_fails_is_an_error_and_ends() {
    let mut hall = Hall::on_sqlite().await;
    hall.staffed().await;
    let address = listening(&hall).await;
    let mut socket = opened(address, hall.token("fire.officer")).await;
    let cases = [
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED", true),
        ("subscription {", "GRAPHQL_PARSE_FAILED", true),
        ("subscription ($a: Boolean!) { inboxNotices { id @skip(if: $a) } }", "BAD_USER_INPUT", false),
        ("{ agencies { code } }", "BAD_USER_INPUT", false),
    ];
    for (query, code, located) in cases {
        let before = hall.app.audit.record_count()();
        say(&mut socket, subscribe("1", query)).await; // the id is free again each time
        let heard = hear(&mut socket).await;
        assert_eq!((&heard["type"], &heard["id"]), (&json!("error"), &json!("1")), "{query}: {heard:#}");
        assert_eq!(heard["payload"][0]["extensions"]["code"], code, "{heard:#}");
        assert_eq!(heard["payload"][0]["locations"].is_array(), located, "{heard:#}");
        assert_eq!(hall.app.audit.record_count()(), before + 1, "a refusal is a record, too");
        say(&mut socket, json!({ "type": "ping" })).await;
        assert_eq!(hear(&mut socket).await, json!({ "type": "pong" }), "{query}: nothing follows");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_client_completes_is_not_spoken_of_again() {
    let mut hall = Hall::on_sqlite().await;
    hall.staffed().await;
    let address = listening(&hall).await;
    let mut socket = opened(address, hall.token("fire.officer")).await;
    say(&mut socket, subscribe("1", WATCH)).await;
    say(&mut socket, json!({ "type": "complete", "id": "1" })).await;
    say(&mut socket, json!({ "type": "complete", "id": "unknown" })).await;
    // The id is free again; all of an object may be left out of its events.
    say(&mut socket, subscribe("1", "subscription { inboxNotices { number @skip(if: true) } }")).await;
    say(&mut socket, json!({ "type": "ping", "payload": { "a": 1 } })).await;
    assert_eq!(hear(&mut socket).await, json!({ "type": "pong" }), "nothing is said of what was completed");
    tell(&mut hall).await;
    let told = hear(&mut socket).await;
    assert_eq!(told, json!({ "id": "1", "type": "next", "payload": { "data": { "inboxNotices": {} } } }));
    say(&mut socket, json!({ "type": "complete", "id": "1" })).await;
    say(&mut socket, json!({ "type": "ping" })).await;
    assert_eq!(hear(&mut socket).await, json!({ "type": "pong" }), "once told, and no longer");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_gives_a_sign_of_life_when_asked_stays() {
    let mut hall = Hall::on_sqlite().await;
    hall.staffed().await;
    let address = listening(&hall).await;
    let mut socket = opened(address, hall.token("fire.officer")).await;
    say(&mut socket, subscribe("1", WATCH)).await;
    for _ in 0..8 {
        hall.clock.advance(time::Duration::seconds(21));
        is_asked(&mut socket).await;
    }
    say(&mut socket, json!({ "type": "ping" })).await;
    assert_eq!(hear(&mut socket).await, json!({ "type": "pong" }));
    tell(&mut hall).await;
    assert_eq!(hear(&mut socket).await["type"], "next", "and hears what it is told");

    // One who answers nothing is gone.
    let mut deaf = opened(address, hall.token("fire.officer")).await.into_inner();
    let mut frame = [0_u8; 2];
    for asked in 0..3 {
        hall.clock.advance(time::Duration::seconds(21));
        let read = tokio::time::timeout(Duration::from_secs(20), deaf.read_exact(&mut frame)).await;
        read.expect("in time").expect("bytes");
        assert_eq!(frame, [0x89, 0], "asked {asked}");
    }
    hall.clock.advance(time::Duration::seconds(21));
    let read = tokio::time::timeout(Duration::from_secs(20), deaf.read_exact(&mut frame)).await;
    read.expect("in time").expect("bytes");
    assert_eq!(frame[0], 0x88, "closed");

    // One who does not say who they are is not waited for.
    let mut silent = connect(address).await;
    say(&mut silent, json!({ "type": "ping" })).await;
    assert_eq!(hear(&mut silent).await, json!({ "type": "pong" }));
    hall.clock.advance(time::Duration::seconds(21));
    assert_eq!(hear(&mut silent).await, json!({ "close": 4408 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_leaves_is_seen_off() {
    let mut hall = Hall::on_sqlite().await;
    hall.staffed().await;
    let mut socket = opened(listening(&hall).await, hall.token("fire.officer")).await;
    say(&mut socket, subscribe("1", WATCH)).await;
    socket.close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() })).await.expect("sent");
    assert_eq!(
        hear(&mut socket).await,
        json!({ "close": 1000 }),
        "without it, the client would report a broken connection"
    );
}
