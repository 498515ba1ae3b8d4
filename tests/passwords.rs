//! Passwords by clause 11 and without it: what each preset does as time goes by, and what is the same in both. Through the
//! front door, on SQLite and on PostgreSQL.

use crate::support;

use crate::support::hall::{Hall, PASSWORD};
use axum::http::{Request, StatusCode, header};
use cityquery::access::Code;
use cityquery::audit::Kind;
use cityquery::config::PasswordPreset;
use serde_json::json;
use time::Duration;

const QUESTION: &str = "{ agencies { code } }";

async fn sign_in(hall: &Hall, password: &str) -> support::hall::Reply {
    hall.post("/auth/sign-in", json!({ "account": "it.admin", "password": password })).await
}

async fn change(hall: &Hall, old: &str, new: &str) -> support::hall::Reply {
    hall.post("/auth/password", json!({ "account": "it.admin", "password": old, "newPassword": new })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_periodic_password_ends_after_ninety_days() {
    for mut hall in Hall::on_each().await {
        hall.found().await;
        hall.clock.advance(Duration::days(75));
        assert!(sign_in(&hall, PASSWORD).await.body.get("password_expires_in_days").is_none());
        hall.clock.advance(Duration::days(1));
        assert_eq!(sign_in(&hall, PASSWORD).await.body["password_expires_in_days"], 14, "from day 76");
        hall.clock.advance(Duration::days(14) - Duration::minutes(5));
        let last = sign_in(&hall, PASSWORD).await;
        assert_eq!(last.body["password_expires_in_days"], 0);
        hall.sign_in("it.admin", PASSWORD).await;
        hall.ask("it.admin", QUESTION, json!({})).await.data();

        // The session that was open when it ended does not live on.
        hall.clock.advance(Duration::minutes(6));
        hall.ask("it.admin", QUESTION, json!({})).await.refused(Code::PasswordExpired);
        let body = json!({ "refresh_token": last.body["refresh_token"] });
        assert_eq!(hall.post("/auth/refresh", body).await.code(), "PASSWORD_EXPIRED");
        assert_eq!(sign_in(&hall, PASSWORD).await.code(), "PASSWORD_EXPIRED");
        assert_eq!(change(&hall, PASSWORD, "Umbrellas-9-below").await.status, StatusCode::NO_CONTENT);
        hall.sign_in("it.admin", "Umbrellas-9-below").await;
        hall.ask("it.admin", QUESTION, json!({})).await.data();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_asvs_a_password_does_not_end_by_age() {
    for mut hall in Hall::on_each_with(|config| config.accounts.password_preset = PasswordPreset::Asvs).await {
        hall.found().await;
        hall.clock.advance(Duration::days(1000));
        let session = sign_in(&hall, PASSWORD).await;
        assert_eq!(session.status, StatusCode::OK);
        assert!(session.body.get("password_expires_in_days").is_none());
        hall.sign_in("it.admin", PASSWORD).await;
        hall.ask("it.admin", QUESTION, json!({})).await.data();
        let body = json!({ "refresh_token": session.body["refresh_token"] });
        assert_eq!(hall.post("/auth/refresh", body).await.status, StatusCode::OK);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_holds_with_either() {
    for preset in [PasswordPreset::Periodic, PasswordPreset::Asvs] {
        for mut hall in Hall::on_each_with(|config| config.accounts.password_preset = preset).await {
            hall.found().await;
            // A first password opens nothing but its own change: the way over it asserts that.
            hall.agency("fire-department", "USING").await;
            hall.person("it.admin", "fire.admin", "fire-department", "BUSINESS_ADMINISTRATOR").await;

            for weak in ["Short-1-tim", "Password1234", "It.admin-2026-x", "Qwertyuiop123", "Information-office-1"] {
                let refused = change(&hall, PASSWORD, weak).await;
                assert_eq!(refused.code(), "BAD_USER_INPUT", "{weak}");
            }
            for (language, words) in [("en", "too easy to guess"), ("zh-TW", "太容易被猜中")] {
                let body = json!({ "account": "it.admin", "password": PASSWORD, "newPassword": "Password1234" });
                let request = Request::post("/auth/password").header(header::ACCEPT_LANGUAGE, language);
                let refused = hall.send(request.body(body.to_string().into()).expect("a request")).await;
                let text = refused.body["errors"][0]["message"].as_str().unwrap_or_default();
                assert!(text.contains(words), "{text}");
            }

            // Of three the first may not come back; after three others it may.
            let words = [PASSWORD, "Umbrellas-9-below", "Kettles-3-between", "Mosaics-5-beneath"];
            for pair in words.windows(2) {
                assert_eq!(change(&hall, pair[0], pair[0]).await.code(), "BAD_USER_INPUT", "the same again");
                assert_eq!(change(&hall, pair[0], pair[1]).await.status, StatusCode::NO_CONTENT, "{}", pair[1]);
            }
            for former in &words[1..] {
                assert_eq!(change(&hall, words[3], former).await.code(), "BAD_USER_INPUT", "{former}");
            }
            assert_eq!(change(&hall, words[3], PASSWORD).await.status, StatusCode::NO_CONTENT);

            for _ in 0..5 {
                assert_eq!(sign_in(&hall, "Not-the-word-9").await.code(), "UNAUTHENTICATED");
            }
            assert_eq!(sign_in(&hall, PASSWORD).await.code(), "UNAUTHENTICATED", "locked");
            hall.clock.advance(Duration::minutes(14));
            assert_eq!(sign_in(&hall, PASSWORD).await.code(), "UNAUTHENTICATED", "still locked");
            hall.clock.advance(Duration::minutes(2));
            assert_eq!(sign_in(&hall, PASSWORD).await.status, StatusCode::OK);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_a_start_names_the_preset() {
    for (preset, note) in
        [(PasswordPreset::Periodic, "passwords periodic, 90 days"), (PasswordPreset::Asvs, "passwords asvs")]
    {
        let hall = Hall::open_with(None, |config| config.accounts.password_preset = preset).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let serving = tokio::spawn(cityquery::http::server::serve(hall.app.clone(), listener));
        let started = || hall.records().into_iter().find(|record| record.kind == Kind::Start);
        let mut looks = tokio::time::interval(std::time::Duration::from_millis(20));
        let mut record = started();
        for _ in 0..500 {
            if record.is_some() {
                break;
            }
            looks.tick().await;
            record = started();
        }
        serving.abort();
        let said = record.expect("a start is recorded").note.unwrap_or_default();
        assert!(said.starts_with("version ") && said.contains(note), "{said}");
    }
}

/// Who gives a password anew could sign in with it: the holder is not the only one who hears of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_given_anew_is_told_to_head_and_ethics() {
    let mut hall = Hall::on_sqlite().await;
    hall.staffed().await;
    let reset = "mutation { step: resetPassword(account: \"fire.officer\") { firstPassword } }";
    hall.ask("fire.admin", reset, json!({})).await.step();
    for told in ["ethics.officer", "fire.head"] {
        let inbox = hall.ask(told, "{ inbox(unreadOnly: true) { textEn } }", json!({})).await;
        let text = inbox.data()["inbox"].to_string();
        assert!(text.contains("fire.admin has given fire.officer a new first password"), "{told}: {text}");
    }
}
