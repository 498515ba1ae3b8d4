//! `/oauth/…` and the well-known documents: tokens for machine clients, by RFC 6749, 7009, 7517 and 8414.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::sign_in::{Visit, split, tokens_json, without_trace};
use super::state::App;
use super::status::status_of;
use crate::access::{Code, Refusal};
use crate::accounts::AccountsError;
use crate::audit::Kind;

/// The routes of machine clients.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/oauth/token", post(token))
        .route("/oauth/revoke", post(revoke))
        .route("/.well-known/jwks.json", get(jwks))
        .route("/.well-known/oauth-authorization-server", get(metadata))
}

/// The parameters of a form-encoded request, credentials wherever they stand.
struct Parameters {
    pairs: Vec<(String, String)>,
    client: Option<(String, String)>,
}

impl Parameters {
    fn read(headers: &HeaderMap, body: Option<Vec<u8>>) -> Result<Self, Response> {
        let too_long = || error(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", "the body is too long");
        let body = body.ok_or_else(too_long)?;
        let pairs: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
        let one = |name: &str| {
            let mut found = pairs.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone());
            (found.next(), found.next().is_some())
        };
        let ((id, id_twice), (key, key_twice)) = (one("client_id"), one("client_secret"));
        if id_twice || key_twice {
            return Err(error(StatusCode::BAD_REQUEST, "invalid_request", "a parameter stands there twice"));
        }
        let in_header = basic(headers);
        if in_header.is_some() && key.is_some() {
            return Err(error(StatusCode::BAD_REQUEST, "invalid_request", "credentials in header and body"));
        }
        Ok(Self { client: in_header.or(id.zip(key)), pairs })
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Credentials of `Authorization: Basic`, each form-encoded as RFC 6749 §2.3.1 has it.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, key) = text.split_once(':')?;
    let decoded = |text: &str| {
        let pair = format!("v={text}");
        form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((decoded(id)?, decoded(key)?))
}

async fn token(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = split(request).await;
    let visit = Visit::new(&app, &parts.headers, &parts.extensions);
    let parameters = match Parameters::read(&parts.headers, body) {
        Ok(parameters) => parameters,
        Err(response) => return response,
    };
    match parameters.find("grant_type") {
        Some("client_credentials") => {}
        Some(_) => {
            return error(
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "only client_credentials; people sign in at /auth/sign-in",
            );
        }
        None => return error(StatusCode::BAD_REQUEST, "invalid_request", "grant_type is missing"),
    }
    let Some((id, key)) = &parameters.client else { return invalid_client() };
    match app.accounts.client_token(&id.to_lowercase(), key, visit.address()).await {
        Ok(tokens) => match visit.record(Kind::ClientToken, &tokens.actor, None, None).await {
            Ok(()) => tokens_json(&app, &tokens),
            Err(refusal) => unavailable(&refusal),
        },
        Err(error) => client_refused(&visit, Kind::ClientToken, error).await,
    }
}

/// Revokes an access token of the client. A token of others or of nobody is no error, by RFC 7009.
async fn revoke(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = split(request).await;
    let visit = Visit::new(&app, &parts.headers, &parts.extensions);
    let parameters = match Parameters::read(&parts.headers, body) {
        Ok(parameters) => parameters,
        Err(response) => return response,
    };
    let Some((id, key)) = &parameters.client else { return invalid_client() };
    let Some(token) = parameters.find("token") else {
        return error(StatusCode::BAD_REQUEST, "invalid_request", "token is missing");
    };
    let (client, mut actor) = match app.accounts.check_client(&id.to_lowercase(), key).await {
        Ok(found) => found,
        Err(error) => return client_refused(&visit, Kind::Revocation, error).await,
    };
    let done = || without_trace(StatusCode::OK.into_response());
    let Some(session) = app.accounts.session_of(&client, token) else { return done() };
    actor.session = Some(session);
    if let Err(refusal) = visit.record(Kind::Revocation, &actor, None, None).await {
        return unavailable(&refusal);
    }
    match app.accounts.revoke(session, "revoked by the client").await {
        Ok(()) => done(),
        Err(failure) => unavailable(&visit.failed(&failure)),
    }
}

async fn client_refused(visit: &Visit<'_>, kind: Kind, error: AccountsError) -> Response {
    let refusal = visit.refused(kind, error).await;
    if refusal.code == Code::Unauthenticated { invalid_client() } else { unavailable(&refusal) }
}

fn invalid_client() -> Response {
    let mut response = error(StatusCode::UNAUTHORIZED, "invalid_client", "unknown client or wrong secret");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"cityquery\""));
    response
}

fn unavailable(refusal: &Refusal) -> Response {
    error(status_of(refusal.code), "temporarily_unavailable", &refusal.en)
}

fn error(status: StatusCode, code: &str, description: &str) -> Response {
    without_trace((status, Json(json!({ "error": code, "error_description": description }))).into_response())
}

async fn jwks(State(app): State<Arc<App>>) -> Response {
    let mut response = Json(app.accounts.keys().current().jwks()).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
    response
}

async fn metadata(State(app): State<Arc<App>>) -> Response {
    let issuer = app.accounts.issuer();
    Json(json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/oauth/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "revocation_endpoint": format!("{issuer}/oauth/revoke"),
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
    }))
    .into_response()
}
