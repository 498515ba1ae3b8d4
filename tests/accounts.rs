//! Signing in and out, refreshing, locking, expiring, machine clients and forged tokens: through the routes.

use crate::support;

use std::sync::Arc;

use crate::support::TestApp;
use crate::support::app::PASSWORD;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use cityquery::access::Code;
use cityquery::accounts::{Accounts, entity};
use cityquery::config::Entropy;
use cityquery::http::auth;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, TransactionTrait};
use serde_json::{Value, json};
use time::Duration;

#[tokio::test]
async fn a_session_from_its_beginning_to_its_end() {
    for test in TestApp::on_each().await {
        let first = test.sign_in("fire.officer").await;
        assert_eq!(first.status, StatusCode::OK, "{first:?}");
        assert_eq!(first.headers[header::CACHE_CONTROL], "no-store");
        assert_eq!((&first.body["token_type"], &first.body["expires_in"]), (&json!("Bearer"), &json!(900)));

        let me = test.me(&first.text("access_token")).await;
        assert_eq!(me.body["account"], "fire.officer");
        assert_eq!(me.body["forms"][0]["number"], "FIRE-1");
        assert_eq!(me.body["forms"][0]["purposes"], json!([{ "code": "fire-safety", "title": "目的" }]));

        // Rotation: the new tokens hold, and so does the old access token.
        let second = test.post("/auth/refresh", json!({ "refresh_token": first.text("refresh_token") })).await;
        assert_eq!(second.status, StatusCode::OK, "{second:?}");
        assert_ne!(first.text("refresh_token"), second.text("refresh_token"));
        assert_eq!(test.me(&first.text("access_token")).await.status, StatusCode::OK);

        // An access token ends by itself.
        test.clock.advance(Duration::minutes(16));
        assert_eq!(test.me(&second.text("access_token")).await.code(), "UNAUTHENTICATED");
        let third = test.post("/auth/refresh", json!({ "refresh_token": second.text("refresh_token") })).await;
        assert_eq!(test.me(&third.text("access_token")).await.status, StatusCode::OK);

        // Signing out ends it at once.
        let body = json!({ "refresh_token": third.text("refresh_token") });
        assert_eq!(test.post("/auth/sign-out", body.clone()).await.status, StatusCode::NO_CONTENT);
        assert_eq!(test.me(&third.text("access_token")).await.code(), "UNAUTHENTICATED");
        assert_eq!(test.post("/auth/refresh", body).await.code(), "UNAUTHENTICATED");
    }
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_its_session() {
    for test in TestApp::on_each().await {
        let first = test.sign_in("fire.officer").await;
        let other = test.sign_in("fire.officer").await;
        let body = json!({ "refresh_token": first.text("refresh_token") });
        let second = test.post("/auth/refresh", body.clone()).await;
        assert_eq!(test.post("/auth/refresh", body).await.code(), "UNAUTHENTICATED");

        // The thief's and the owner's tokens are worth nothing now; the owner's other session goes on.
        let body = json!({ "refresh_token": second.text("refresh_token") });
        assert_eq!(test.post("/auth/refresh", body).await.code(), "UNAUTHENTICATED");
        assert_eq!(test.me(&second.text("access_token")).await.code(), "UNAUTHENTICATED");
        assert_eq!(test.me(&other.text("access_token")).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn of_two_refreshes_at_once_one_wins_at_most() {
    let test = TestApp::on_sqlite().await;
    let body = json!({ "refresh_token": test.sign_in("fire.officer").await.text("refresh_token") });
    let answers = futures::future::join_all((0..8).map(|_| test.post("/auth/refresh", body.clone()))).await;
    assert!(answers.iter().filter(|answer| answer.status == StatusCode::OK).count() <= 1);
}

#[tokio::test]
async fn five_failures_lock_for_fifteen_minutes() {
    for test in TestApp::on_each().await {
        let wrong = json!({ "account": "fire.officer", "password": "Not-the-word-9" });
        for _ in 0..5 {
            assert_eq!(test.post("/auth/sign-in", wrong.clone()).await.code(), "UNAUTHENTICATED");
        }
        assert_eq!(
            test.sign_in("fire.officer").await.code(),
            "UNAUTHENTICATED",
            "locked, though the password is right"
        );
        test.clock.advance(Duration::minutes(14));
        assert_eq!(test.sign_in("fire.officer").await.code(), "UNAUTHENTICATED");
        test.clock.advance(Duration::minutes(2));
        assert_eq!(test.sign_in("fire.officer").await.status, StatusCode::OK);
        // The count starts again.
        for _ in 0..4 {
            test.post("/auth/sign-in", wrong.clone()).await;
        }
        assert_eq!(test.sign_in("fire.officer").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn guesses_at_once_do_not_outrun_the_lock() {
    let test = TestApp::on_sqlite().await;
    let guess = |number: usize| json!({ "account": "fire.officer", "password": format!("Guess-number-{number}") });
    futures::future::join_all((0..12).map(|number| test.post("/auth/sign-in", guess(number)))).await;
    assert_eq!(test.sign_in("fire.officer").await.code(), "UNAUTHENTICATED");
}

/// Whoever floods one door makes a short line before it: the rest is told to come back, and others are let in elsewhere.
#[tokio::test]
async fn the_line_before_one_door_is_short() {
    let test = TestApp::on_sqlite().await;
    let guess = json!({ "account": "nobody.here", "password": "Not-the-word-9" });
    let replies = futures::future::join_all((0..60).map(|_| test.post("/auth/sign-in", guess.clone()))).await;
    let told = |code: &str| replies.iter().filter(|reply| reply.code() == code).count();
    assert_eq!((told("UNAUTHENTICATED"), told("RATE_LIMITED")), (32, 28));
    assert_eq!(test.post("/auth/sign-in", guess).await.code(), "UNAUTHENTICATED", "those who come back");
}

#[tokio::test]
async fn nobody_learns_which_accounts_exist() {
    let test = TestApp::on_sqlite().await;
    let known = test.post("/auth/sign-in", json!({ "account": "fire.officer", "password": "Not-the-word-9" })).await;
    let unknown = test.post("/auth/sign-in", json!({ "account": "nobody.here", "password": "Not-the-word-9" })).await;
    test.app.accounts.set_status("newcomer", "closed").await.expect("closes");
    let closed = test.sign_in("newcomer").await;
    for other in [&unknown, &closed] {
        assert_eq!((known.status, &known.body), (other.status, &other.body));
    }
    let names = |answer: &support::Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&known), names(&unknown));

    // The same work is done for both; a wide margin, since machines are busy.
    let time = async |account: &str| {
        let begun = std::time::Instant::now();
        for _ in 0..3 {
            test.post("/auth/sign-in", json!({ "account": account, "password": "Not-the-word-9" })).await;
        }
        begun.elapsed().as_secs_f64()
    };
    let (there, not_there) = (time("fire.officer").await, time("nobody.here").await);
    assert!(not_there > there / 4.0 && there > not_there / 4.0, "{there} against {not_there} seconds");
}

#[tokio::test]
async fn an_expired_password_opens_only_the_way_to_change_it() {
    for test in TestApp::on_each().await {
        let session = test.sign_in("fire.officer").await;
        assert!(session.body.get("password_expires_in_days").is_none());
        test.clock.advance(Duration::days(80));
        assert_eq!(test.sign_in("fire.officer").await.body["password_expires_in_days"], 10);
        test.clock.advance(Duration::days(10));
        let expired = test.sign_in("fire.officer").await;
        assert_eq!((expired.status, expired.code()), (StatusCode::FORBIDDEN, "PASSWORD_EXPIRED"));

        let change = |new: &str| json!({ "account": "fire.officer", "password": PASSWORD, "newPassword": new });
        assert_eq!(test.post("/auth/password", change("short")).await.code(), "BAD_USER_INPUT");
        assert_eq!(test.post("/auth/password", change(PASSWORD)).await.code(), "BAD_USER_INPUT", "the same again");
        let new = "Umbrellas-9-below";
        assert_eq!(test.post("/auth/password", change(new)).await.status, StatusCode::NO_CONTENT);
        assert_eq!(test.sign_in("fire.officer").await.code(), "UNAUTHENTICATED", "the old one");
        let body = json!({ "account": "fire.officer", "password": new });
        let session = test.post("/auth/sign-in", body).await;
        assert_eq!(session.status, StatusCode::OK);

        // Changing it ends every session, and the last three cannot come back.
        let change = |old: &str, new: &str| json!({ "account": "fire.officer", "password": old, "newPassword": new });
        assert_eq!(test.post("/auth/password", change(new, "Kettles-3-between")).await.status, StatusCode::NO_CONTENT);
        assert_eq!(test.me(&session.text("access_token")).await.code(), "UNAUTHENTICATED");
        for former in [PASSWORD, new] {
            let again = test.post("/auth/password", change("Kettles-3-between", former)).await;
            assert_eq!(again.code(), "BAD_USER_INPUT", "{former}");
        }
    }
}

#[tokio::test]
async fn the_first_password_must_be_changed() {
    let test = TestApp::on_sqlite().await;
    assert_eq!(test.sign_in("first.timer").await.code(), "PASSWORD_EXPIRED");
    let change = json!({ "account": "first.timer", "password": PASSWORD, "new_password": "Umbrellas-9-below" });
    assert_eq!(test.post("/auth/password", change).await.status, StatusCode::NO_CONTENT);
    let body = json!({ "account": "first.timer", "password": "Umbrellas-9-below" });
    assert_eq!(test.post("/auth/sign-in", body).await.status, StatusCode::OK);
}

#[tokio::test]
async fn forged_tokens_do_not_hold() {
    let test = TestApp::on_sqlite().await;
    let good = test.sign_in("fire.officer").await.text("access_token");
    assert_eq!(test.me(&good).await.status, StatusCode::OK);
    let parts: Vec<&str> = good.split('.').collect();
    let decode = |part: &str| -> Value {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON")
    };
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let (head, claims) = (decode(parts[0]), decode(parts[1]));
    let changed = |base: &Value, key: &str, value: Value| {
        let mut changed = base.clone();
        changed[key] = value;
        changed
    };
    let without = |key: &str| {
        let mut changed = claims.clone();
        changed.as_object_mut().expect("an object").remove(key);
        changed
    };
    let keys = test.app.accounts.keys().current();
    let signed = |head: &Value, claims: &Value| {
        let message = format!("{}.{}", encode(head), encode(claims));
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &keys.signing.encoding, jsonwebtoken::Algorithm::EdDSA);
        format!("{message}.{}", signature.expect("signs"))
    };
    assert_eq!(test.me(&signed(&head, &claims)).await.status, StatusCode::OK, "the forger's tools work");

    let hs = changed(&head, "alg", json!("HS256"));
    let public = BASE64_URL_SAFE_NO_PAD.decode(keys.jwks()["keys"][0]["x"].as_str().expect("a key")).expect("base64");
    let confused = {
        let message = format!("{}.{}", encode(&hs), encode(&claims));
        let key = jsonwebtoken::EncodingKey::from_secret(&public);
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::HS256);
        format!("{message}.{}", signature.expect("signs"))
    };
    let none = changed(&head, "alg", json!("none"));
    let expiry = claims["exp"].as_i64().expect("a time");
    let other = changed(&claims, "sub", json!("newcomer"));
    let cases = [
        ("alg none", format!("{}.{}.", encode(&none), parts[1])),
        ("alg none with the old signature", format!("{}.{}.{}", encode(&none), parts[1], parts[2])),
        ("signed by HS256 with the public key", confused),
        ("claims exchanged", format!("{}.{}.{}", parts[0], encode(&other), parts[2])),
        ("signature cut", format!("{}.{}.{}", parts[0], parts[1], &parts[2][..40])),
        ("signature gone", format!("{}.{}.", parts[0], parts[1])),
        ("another audience", signed(&head, &changed(&claims, "aud", json!("http://elsewhere")))),
        ("another issuer", signed(&head, &changed(&claims, "iss", json!("http://elsewhere")))),
        ("no audience", signed(&head, &without("aud"))),
        ("no issuer", signed(&head, &without("iss"))),
        ("no expiry", signed(&head, &without("exp"))),
        ("no beginning", signed(&head, &without("nbf"))),
        ("no subject", signed(&head, &without("sub"))),
        ("no session", signed(&head, &without("sid"))),
        ("expiry as text", signed(&head, &changed(&claims, "exp", json!(expiry.to_string())))),
        ("expiry as fraction", signed(&head, &changed(&claims, "exp", json!(1e300)))),
        ("expired", signed(&head, &changed(&claims, "exp", json!(expiry - 901)))),
        ("not yet", signed(&head, &changed(&claims, "nbf", json!(expiry)))),
        ("another type", signed(&changed(&head, "typ", json!("JWT")), &claims)),
        ("an unknown key", signed(&changed(&head, "kid", json!("0000000000000000")), &claims)),
        ("a path as key", signed(&changed(&head, "kid", json!("../../etc/passwd")), &claims)),
        ("nobody's account", signed(&head, &changed(&claims, "sub", json!("nobody.here")))),
        ("not a token", "not-a-token".to_owned()),
        ("too long", format!("{good}{}", "x".repeat(5000))),
    ];
    for (name, token) in cases {
        let answer = test.me(&token).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"), "{name}");
        assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer", "{name}");
    }
    assert_eq!(test.me(&good).await.status, StatusCode::OK, "the good one still holds");
}

fn form(pairs: &[(&str, &str)]) -> Body {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into()
}

#[tokio::test]
async fn a_machine_gets_and_gives_back_its_token() {
    for test in TestApp::on_each().await {
        let credentials = [("client_id", "partner"), ("client_secret", "s3cret/with+signs")];
        let request = |path: &str, pairs: &[(&str, &str)]| Request::post(path).body(form(pairs)).expect("a request");
        let grant = ("grant_type", "client_credentials");
        let in_body = test.send(request("/oauth/token", &[grant, credentials[0], credentials[1]])).await;
        assert_eq!(in_body.status, StatusCode::OK, "{in_body:?}");
        assert!(in_body.body.get("refresh_token").is_none());
        assert_eq!(test.me(&in_body.text("access_token")).await.body["account"], "partner");

        // The secret stands form-encoded in the header.
        let basic = BASE64_STANDARD.encode("partner:s3cret%2Fwith%2Bsigns");
        let with_header = |pairs: &[(&str, &str)]| {
            Request::post("/oauth/token").header(header::AUTHORIZATION, format!("Basic {basic}")).body(form(pairs))
        };
        let in_header = test.send(with_header(&[grant]).expect("a request")).await;
        assert_eq!(in_header.status, StatusCode::OK, "{in_header:?}");

        let wrong = [grant, credentials[0], ("client_secret", "wrong")];
        let unknown = [grant, ("client_id", "nobody"), ("client_secret", "wrong")];
        let refused = [
            (request("/oauth/token", &wrong), 401, "invalid_client"),
            (request("/oauth/token", &unknown), 401, "invalid_client"),
            (request("/oauth/token", &[grant]), 401, "invalid_client"),
            (request("/oauth/token", &credentials), 400, "invalid_request"),
            (request("/oauth/token", &[("grant_type", "password"), credentials[0]]), 400, "unsupported_grant_type"),
            (with_header(&[grant, credentials[1]]).expect("a request"), 400, "invalid_request"),
        ];
        for (request, status, code) in refused {
            let answer = test.send(request).await;
            assert_eq!((answer.status.as_u16(), &answer.body["error"]), (status, &json!(code)));
        }

        // A client revokes its own token, not that of others.
        let person = test.sign_in("fire.officer").await.text("access_token");
        let own = in_body.text("access_token");
        for token in [&person, &own] {
            let asked = [credentials[0], credentials[1], ("token", token.as_str())];
            assert_eq!(test.send(request("/oauth/revoke", &asked)).await.status, StatusCode::OK);
        }
        assert_eq!(test.me(&person).await.status, StatusCode::OK);
        assert_eq!(test.me(&own).await.code(), "UNAUTHENTICATED");
        assert_eq!(test.me(&in_header.text("access_token")).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn the_well_known_documents_fit_the_tokens() {
    let test = TestApp::on_sqlite().await;
    let get = |path: &str| Request::get(path).body(Body::empty()).expect("a request");
    let metadata = test.send(get("/.well-known/oauth-authorization-server")).await.body;
    assert_eq!(metadata["issuer"], test.app.config.server.public_url);
    let jwks = test.send(get("/.well-known/jwks.json")).await.body;
    let jwks: jsonwebtoken::jwk::JwkSet = serde_json::from_value(jwks).expect("a key set");

    // A stranger checks a token with the published key alone.
    let token = test.sign_in("fire.officer").await.text("access_token");
    let head = jsonwebtoken::decode_header(&token).expect("a header");
    let key = jwks.find(head.kid.as_deref().expect("a key id")).expect("the key is published");
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.set_audience(&[&test.app.config.server.public_url]);
    validation.validate_exp = false; // the test's clock stands elsewhere
    let key = jsonwebtoken::DecodingKey::from_jwk(key).expect("a usable key");
    let data = jsonwebtoken::decode::<Value>(&token, &key, &validation).expect("holds");
    assert_eq!(data.claims["sub"], "fire.officer");
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_str(value).expect("a value")))
        .collect()
}

#[tokio::test]
async fn form_and_purpose_are_chosen_or_demanded() {
    let test = TestApp::on_sqlite().await;
    let bearer = format!("Bearer {}", test.sign_in("fire.officer").await.text("access_token"));
    let ask = |more: &[(&'static str, &str)]| {
        let pairs = [&[("authorization", bearer.as_str())], more].concat();
        auth::authenticate(&test.app, &headers(&pairs), None)
    };
    let only = ask(&[]).expect("the only form with its only purpose");
    assert_eq!(only.form.as_ref().map(|form| form.number.as_ref()), Some("FIRE-1"));
    assert_eq!(only.form.as_ref().map(|form| form.agency.as_ref()), Some("fire-department"));
    assert_eq!(only.purpose.as_deref(), Some("fire-safety"));
    assert_eq!((only.case_number, only.agency.as_ref()), (None, "fire-department"));

    test.open_form("FIRE-2", &["fire-safety", "fire-rescue"], &["fire.officer"]).await;
    // What needs no form may still be asked; whoever asks a dataset is told.
    let several = ask(&[]).expect("signed in").without_form.expect("two forms");
    assert_eq!(several.code, Code::FormRequired);
    assert_eq!(several.extensions["held"], json!(["FIRE-1/1", "FIRE-2/1"]));
    assert_eq!(ask(&[("x-form", "FIRE-9")]).expect_err("not held").code, Code::FormRequired);
    assert_eq!(ask(&[("x-form", "FIRE-2")]).expect_err("two purposes").code, Code::PurposeRequired);
    let under = [("x-form", "FIRE-2"), ("x-purpose", "fire-rescue"), ("x-case-number", "%E5%8C%97%E6%B6%88-7")];
    let caller = ask(&under).expect("all named");
    assert_eq!((caller.purpose.as_deref(), caller.case_number.as_deref()), (Some("fire-rescue"), Some("北消-7")));
    let other = [("x-form", "FIRE-2"), ("x-purpose", "marketing")];
    assert_eq!(ask(&other).expect_err("not granted for that").code, Code::PurposeRequired);

    test.app.accounts.set_form_status("FIRE-2", "suspended").await.expect("suspends");
    assert_eq!(ask(&under).expect_err("suspended").code, Code::FormRequired);
    test.clock.advance(Duration::days(310));
    let again = test
        .post(
            "/auth/password",
            json!({ "account": "fire.officer", "password": PASSWORD, "newPassword": "Umbrellas-9-below" }),
        )
        .await;
    assert_eq!(again.status, StatusCode::NO_CONTENT);
    let session =
        test.post("/auth/sign-in", json!({ "account": "fire.officer", "password": "Umbrellas-9-below" })).await;
    let bearer = format!("Bearer {}", session.text("access_token"));
    let late = auth::authenticate(&test.app, &headers(&[("authorization", &bearer)]), None).expect("signed in");
    assert!(late.form.is_none(), "the form's year is over");

    let nobody = auth::authenticate(&test.app, &HeaderMap::new(), None).expect_err("no token");
    assert_eq!(nobody.code, Code::Unauthenticated);
}

#[tokio::test]
async fn whoever_is_turned_away_is_recorded() {
    let test = TestApp::on_sqlite().await;
    let token = test.sign_in("fire.officer").await.text("access_token");
    let before = test.app.audit.numbers().records;
    let ask = async |token: &str| {
        let request = Request::post("/graphql")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-form", "FIRE-9");
        test.send(request.body(r#"{"query":"{ __typename }"}"#.into()).expect("a request")).await
    };
    assert_eq!(ask(&token).await.code(), "FORM_REQUIRED");
    assert_eq!(test.app.audit.numbers().records, before + 1);
    assert_eq!(ask("not-a-token").await.code(), "UNAUTHENTICATED");
    assert_eq!(test.app.audit.numbers().records, before + 1, "strangers cannot fill the log");
}

#[tokio::test]
async fn another_server_hears_of_changes_within_a_second() {
    for test in TestApp::on_each().await {
        let other = Accounts::open(
            test.app.accounts.db().clone(),
            &test.app.config,
            test.app.catalog.clone(),
            test.clock.clone(),
            Entropy::seeded(9),
        );
        let other = other.await.expect("a second server");
        let watch = other.watch();
        let session = test.sign_in("fire.officer").await;
        let token = session.text("access_token");
        assert!(other.verify(&token).is_ok());

        test.open_form("FIRE-3", &["fire-safety"], &["newcomer"]).await;
        test.post("/auth/sign-out", json!({ "refresh_token": session.text("refresh_token") })).await;
        let newcomer = other.rights().current().person("newcomer").expect("is there").id;
        let begun = std::time::Instant::now();
        while other.verify(&token).is_ok() || other.rights().current().held_by(newcomer).is_empty() {
            assert!(begun.elapsed() < std::time::Duration::from_secs(1), "the change is not heard of");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        watch.abort();
    }
}

/// A control database that blocks tells of no change either: after five seconds nothing is answered on its word.
#[tokio::test]
async fn who_hears_nothing_of_changes_answers_nothing() {
    for test in TestApp::on_each().await {
        let db = test.app.accounts.db();
        if db.get_database_backend() != DbBackend::Postgres {
            continue; // readers of SQLite are not blocked by writers
        }
        let session = test.sign_in("fire.officer").await;
        let token = session.text("access_token");
        let watch = test.app.accounts.watch();
        let lock = db.begin().await.expect("begins");
        lock.execute_unprepared("LOCK TABLE epochs IN ACCESS EXCLUSIVE MODE").await.expect("locks");
        let begun = std::time::Instant::now();
        let waited_for = async |holds: bool| {
            while test.app.accounts.rights().hears() != holds {
                assert!(begun.elapsed() < std::time::Duration::from_secs(20), "it does not become {holds}");
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        waited_for(false).await;
        assert_eq!(test.me(&token).await.code(), "SOURCE_UNAVAILABLE");
        lock.rollback().await.expect("lets go");
        waited_for(true).await;
        assert_eq!(test.me(&token).await.status, StatusCode::OK);
        watch.abort();
    }
}

#[tokio::test]
async fn what_did_not_change_keeps_its_compiled_rights() {
    let test = TestApp::on_sqlite().await;
    let accounts = &test.app.accounts;
    let form = |number: &str| {
        let snapshot = accounts.rights().current();
        let officer = snapshot.person("fire.officer").expect("is there").id;
        let held = snapshot.held_by(officer).iter().find(|form| *form.rights.number == *number);
        held.map(|form| Arc::clone(&form.rights)).expect("is held")
    };
    let before = form("FIRE-1");
    test.open_form("FIRE-2", &["fire-safety"], &["fire.officer"]).await;
    assert!(Arc::ptr_eq(&before, &form("FIRE-1")));
    test.open_form("FIRE-1", &["fire-safety"], &["fire.officer"]).await;
    let after = form("FIRE-1");
    assert_eq!((before.version, after.version), (1, 2));
    assert_ne!(before.rights.generation(), after.rights.generation());
}

#[tokio::test]
async fn what_nobody_can_use_any_more_is_swept() {
    for test in TestApp::on_each().await {
        let accounts = &test.app.accounts;
        let old = test.sign_in("fire.officer").await;
        test.clock.advance(Duration::hours(30));
        let new = test.sign_in("newcomer").await;
        accounts.sweep().await.expect("sweeps");
        let left = async || {
            let sessions = entity::session::Entity::find().count(accounts.db()).await.expect("counts");
            (sessions, entity::refresh_token::Entity::find().count(accounts.db()).await.expect("counts"))
        };
        assert_eq!(left().await, (2, 2), "a session of eight hours ended less than a day ago");
        test.clock.advance(Duration::hours(4));
        accounts.sweep().await.expect("sweeps");
        assert_eq!(left().await, (2, 1));
        test.clock.advance(Duration::days(91));
        accounts.sweep().await.expect("sweeps");
        assert_eq!(left().await, (0, 0));
        drop((old, new));
    }
}

#[tokio::test]
async fn bad_bodies_are_told_what_was_expected() {
    let test = TestApp::on_sqlite().await;
    let post = |body: Body| Request::post("/auth/sign-in").body(body).expect("a request");
    for body in ["", "{", "[]", r#"{"account":"fire.officer"}"#, r#"{"account":1,"password":2}"#] {
        let answer = test.send(post(body.to_owned().into())).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "BAD_USER_INPUT"), "{body}");
    }
    let long = test.send(post("x".repeat(20_000).into())).await;
    assert_eq!(long.code(), "BAD_USER_INPUT");
    let chinese = Request::post("/auth/sign-in").header(header::ACCEPT_LANGUAGE, "zh-TW").body(Body::empty());
    let answer = test.send(chinese.expect("a request")).await;
    assert!(answer.body["errors"][0]["message"].as_str().is_some_and(|text| text.contains("內容須為")), "{answer:?}");
}
