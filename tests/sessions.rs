//! What ends a session ends it for good: with a change of password, whatever happens beside it or fails on the way, and under
//! settings that have changed since. Through the front door, on SQLite and on PostgreSQL.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::hall::{Hall, PASSWORD, Reply};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use sea_orm::ConnectionTrait;
use serde_json::json;
use time::Duration;

const OTHER: &str = "Umbrellas-9-below";

async fn sign_in(hall: &Hall, password: &str) -> Reply {
    hall.post("/auth/sign-in", json!({ "account": "it.admin", "password": password })).await
}

async fn change(hall: &Hall, old: &str, new: &str) -> Reply {
    hall.post("/auth/password", json!({ "account": "it.admin", "password": old, "newPassword": new })).await
}

/// What a client is told that comes with these tokens.
async fn me(hall: &Hall, tokens: &Reply) -> StatusCode {
    let token = tokens.body["access_token"].as_str().expect("a token");
    let request = Request::get("/auth/me").header(header::AUTHORIZATION, format!("Bearer {token}"));
    hall.send(request.body(Body::empty()).expect("a request")).await.status
}

async fn refresh(hall: &Hall, tokens: &Reply) -> Reply {
    hall.post("/auth/refresh", json!({ "refresh_token": tokens.body["refresh_token"] })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_outlives_its_session() {
    for mut hall in Hall::on_each().await {
        hall.found().await;
        let mut tokens = sign_in(&hall, PASSWORD).await;
        hall.clock.advance(Duration::hours(8) - Duration::minutes(5));
        tokens = refresh(&hall, &tokens).await;
        assert_eq!((tokens.status, &tokens.body["expires_in"]), (StatusCode::OK, &json!(300)));
        hall.clock.advance(Duration::minutes(5) - Duration::seconds(1));
        assert_eq!(me(&hall, &tokens).await, StatusCode::OK);
        hall.clock.advance(Duration::seconds(1));
        assert_eq!(me(&hall, &tokens).await, StatusCode::UNAUTHORIZED);
    }
}

/// A change of password ends a session that is opened with the former one while it goes on.
#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_while_the_password_changes_is_out_afterwards() {
    for mut hall in Hall::on_each().await {
        hall.found().await;
        let before = sign_in(&hall, PASSWORD).await;
        assert_eq!(before.status, StatusCode::OK);
        let changed = AtomicBool::new(false);
        let intrude = async || {
            let mut opened = Vec::new();
            while !changed.load(Ordering::Relaxed) {
                opened.push(sign_in(&hall, PASSWORD).await);
            }
            opened
        };
        let changing = async {
            let reply = change(&hall, PASSWORD, OTHER).await;
            changed.store(true, Ordering::Relaxed);
            reply
        };
        let (reply, first, second, third) = tokio::join!(changing, intrude(), intrude(), intrude());
        assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:?}");
        let opened = [first, second, third].into_iter().flatten().filter(|reply| reply.status == StatusCode::OK);
        for tokens in opened.chain([before]) {
            assert_eq!(me(&hall, &tokens).await, StatusCode::UNAUTHORIZED);
            assert_eq!(refresh(&hall, &tokens).await.code(), "UNAUTHENTICATED");
        }
    }
}

/// Of two changes at once, one is made with a password that holds no more.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_changes_once_for_each_that_was_given() {
    for mut hall in Hall::on_each().await {
        hall.found().await;
        let both = tokio::join!(change(&hall, PASSWORD, OTHER), change(&hall, PASSWORD, "Kettles-3-between"));
        let mut codes = [both.0.code(), both.1.code()];
        codes.sort_unstable();
        assert_eq!(codes, ["-", "UNAUTHENTICATED"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_changes_with_its_sessions_or_not_at_all() {
    let mut hall = Hall::on_sqlite().await;
    hall.found().await;
    let (one, other) = (sign_in(&hall, PASSWORD).await, sign_in(&hall, PASSWORD).await);
    let broken = "CREATE TRIGGER broken BEFORE UPDATE ON sessions BEGIN SELECT RAISE(ABORT, 'disk full'); END";
    hall.app.accounts.db().execute_unprepared(broken).await.expect("breaks the table");
    assert_eq!(change(&hall, PASSWORD, OTHER).await.code(), "SOURCE_UNAVAILABLE");
    assert_eq!(sign_in(&hall, OTHER).await.code(), "UNAUTHENTICATED", "nothing has changed");

    hall.app.accounts.db().execute_unprepared("DROP TRIGGER broken").await.expect("mends the table");
    assert_eq!(change(&hall, PASSWORD, OTHER).await.status, StatusCode::NO_CONTENT);
    for tokens in [one, other] {
        assert_eq!(me(&hall, &tokens).await, StatusCode::UNAUTHORIZED);
    }
}

/// Whoever shortens the life of tokens and starts anew means those that are about, too: the ended sessions among them above all.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_longer_life_do_not_come_back() {
    for mut hall in Hall::on_each_with(|config| config.accounts.access_token_seconds = 3600).await {
        hall.found().await;
        let (ended, left) = (sign_in(&hall, PASSWORD).await, sign_in(&hall, PASSWORD).await);
        let body = json!({ "refresh_token": ended.body["refresh_token"] });
        assert_eq!(hall.post("/auth/sign-out", body).await.status, StatusCode::NO_CONTENT);
        hall.clock.advance(Duration::minutes(20));
        assert_eq!((me(&hall, &ended).await, me(&hall, &left).await), (StatusCode::UNAUTHORIZED, StatusCode::OK));

        hall.config.accounts.access_token_seconds = 900;
        let anew = hall.second_server().await;
        assert_eq!(me(&anew, &ended).await, StatusCode::UNAUTHORIZED, "its session has ended");
        assert_eq!(me(&anew, &left).await, StatusCode::UNAUTHORIZED, "it is older than tokens become now");
        assert_eq!(refresh(&anew, &left).await.status, StatusCode::OK);
    }
}
