//! What ends a session ends it for good, also under settings that have changed since. Through the front door, on SQLite and on
//! PostgreSQL.

use crate::support::hall::{Hall, PASSWORD, Reply};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;
use time::Duration;

async fn sign_in(hall: &Hall, password: &str) -> Reply {
    hall.post("/auth/sign-in", json!({ "account": "it.admin", "password": password })).await
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
