//! `/auth/…`: signing in, refreshing, signing out and changing a password, for people. Every outcome is recorded.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::auth::{self, Identity};
use super::state::App;
use super::status::refuse;
use super::{body, headers};
use crate::access::{Code, Refusal};
use crate::accounts::{AccountsError, Actor, Reason, Tokens};
use crate::audit::{Kind, Outcome, Record, Right, Who, Why};

/// Longest body of these requests.
const LONGEST_BODY: usize = 16 * 1024;

/// The routes of people's sessions.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/auth/sign-in", post(sign_in))
        .route("/auth/refresh", post(refresh))
        .route("/auth/sign-out", post(sign_out))
        .route("/auth/password", post(change_password))
        .route("/auth/me", get(me))
}

#[derive(Deserialize)]
struct SignIn {
    account: String,
    password: String,
}

#[derive(Deserialize)]
struct Refresh {
    refresh_token: String,
}

#[derive(Deserialize)]
struct ChangePassword {
    account: String,
    password: String,
    #[serde(alias = "newPassword")]
    new_password: String,
}

/// One request to one of these routes: what is needed to record and to answer it.
pub(super) struct Visit<'a> {
    app: &'a App,
    headers: &'a HeaderMap,
    address: Option<IpAddr>,
    started_us: i64,
}

impl<'a> Visit<'a> {
    pub(super) fn new(app: &'a App, headers: &'a HeaderMap, extensions: &Extensions) -> Self {
        Self::at(app, headers, headers::client_address(headers, extensions, app.config.server.trusted_proxies))
    }

    pub(super) fn at(app: &'a App, headers: &'a HeaderMap, address: Option<IpAddr>) -> Self {
        Self { app, headers, address, started_us: micros(app) }
    }

    pub(super) fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Writes the record; nothing is answered before it is durable.
    pub(super) async fn record(
        &self,
        kind: Kind,
        actor: &Actor,
        code: Option<Code>,
        note: Option<&str>,
    ) -> Result<(), Refusal> {
        let record = Record {
            id: self.app.accounts.new_id(),
            started_us: self.started_us,
            duration_us: u32::try_from(micros(self.app) - self.started_us).unwrap_or(0),
            kind,
            who: Who {
                account: Arc::clone(&actor.account),
                agency: Arc::clone(&actor.agency),
                session: actor.session,
                client_address: self.address,
            },
            why: Why::default(),
            right: Right { epoch: self.app.accounts.rights().current().epoch, schema_hash: self.app.catalog.hash },
            asked: None,
            touched: Vec::new(),
            outcome: Outcome { code: code.map(|code| code.word().into()), ..Outcome::default() },
            note: note.map(str::to_owned),
        };
        self.app.audit.commit(record).await.map(drop).map_err(|error| {
            tracing::error!(%error, "a sign-in or sign-out could not be recorded");
            Refusal::new(
                Code::AuditUnavailable,
                "The record of this request could not be written, so it is refused.",
                "無法寫入使用紀錄，故不予受理。",
            )
        })
    }

    /// Records a refusal and turns it into the answer.
    pub(super) async fn refused(&self, kind: Kind, error: AccountsError) -> Refusal {
        let (reason, actor) = match error {
            AccountsError::Refused(refused) => (refused.reason, refused.actor),
            AccountsError::Unrecorded(refusal) => return *refusal,
            failure => return self.failed(&failure),
        };
        let refusal = refusal_of(reason);
        if reason == Reason::Busy {
            // A flood must not fill the log as well.
            return refusal;
        }
        match self.record(kind, &actor, Some(refusal.code), Some(reason.note())).await {
            Ok(()) => refusal,
            Err(unavailable) => unavailable,
        }
    }

    pub(super) fn failed(&self, error: &AccountsError) -> Refusal {
        let id = self.app.accounts.new_id();
        tracing::error!(%error, request = %id, "accounts failed");
        let code = match error {
            AccountsError::Database(_) => Code::SourceUnavailable,
            _ => Code::Internal,
        };
        Refusal::new(
            code,
            format!("Something failed on our side; the log has it as {id}."),
            format!("系統發生錯誤，紀錄編號 {id}。"),
        )
        .with("requestId", id.to_string())
    }

    fn respond(&self, answer: Result<Response, Refusal>) -> Response {
        answer.unwrap_or_else(|refusal| refuse(&refusal, headers::language(self.headers)))
    }
}

/// What the client is told. Everything that could tell whether an account exists says the same.
pub(super) fn refusal_of(reason: Reason) -> Refusal {
    match reason {
        Reason::UnknownAccount | Reason::WrongPassword | Reason::Locked | Reason::NotActive => Refusal::new(
            Code::Unauthenticated,
            "Account or password is wrong, or the account is locked for a while after failed sign-ins.",
            "帳號或密碼錯誤，或因多次登入失敗而暫時鎖定。",
        ),
        Reason::PasswordExpired => Refusal::new(
            Code::PasswordExpired,
            "The password has expired; change it at /auth/password.",
            "密碼已逾期，請至 /auth/password 變更。",
        ),
        Reason::PasswordOneTime => Refusal::new(
            Code::PasswordExpired,
            "The first password must be changed at /auth/password.",
            "初次密碼須先至 /auth/password 變更。",
        ),
        Reason::Weak(weakness) => {
            let (en, zh) = weakness.text();
            Refusal::input(en, zh)
        }
        Reason::SessionEnded | Reason::TokenReused => {
            Refusal::new(Code::Unauthenticated, "The session has ended; sign in again.", "工作階段已結束，請重新登入。")
        }
        Reason::FormNotHeld => {
            Refusal::new(Code::FormRequired, "The account does not hold that form.", "該帳號未持有此表單。")
        }
        Reason::Busy => Refusal::new(
            Code::RateLimited,
            "Too many sign-ins at once; try again in a few seconds.",
            "登入要求過多，請稍後再試。",
        ),
    }
}

/// Tokens as OAuth writes them.
pub(super) fn tokens_json(app: &App, tokens: &Tokens) -> Response {
    let mut body = json!({
        "access_token": tokens.access_token,
        "token_type": "Bearer",
        "expires_in": tokens.expires_in,
    });
    if let Some(token) = &tokens.refresh_token {
        body["refresh_token"] = token.as_str().into();
    }
    if let Some(days) = app.accounts.password_warning(tokens.password_expires_at) {
        body["password_expires_in_days"] = days.into();
    }
    without_trace(Json(body).into_response())
}

/// Marks an answer that no cache may keep.
pub(super) fn without_trace(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn micros(app: &App) -> i64 {
    i64::try_from(app.clock.now().unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

fn parse<T: DeserializeOwned>(body: Option<Vec<u8>>, example: &str) -> Result<T, Refusal> {
    let body = body.ok_or_else(|| {
        Refusal::input(
            format!("The body must have at most {LONGEST_BODY} bytes."),
            format!("內容不得超過 {LONGEST_BODY} 位元組。"),
        )
    })?;
    // The error's own words could repeat a password.
    serde_json::from_slice(&body).map_err(|_| {
        Refusal::input(format!("The body must be JSON like {example}"), format!("內容須為 JSON，例如 {example}"))
    })
}

async fn sign_in(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = split(request).await;
    let visit = Visit::new(&app, &parts.headers, &parts.extensions);
    let answer = async {
        let wanted: SignIn = parse(body, r#"{"account":"…","password":"…"}"#)?;
        match app.accounts.sign_in(&wanted.account, &wanted.password, visit.address).await {
            Ok(tokens) => {
                visit.record(Kind::SignIn, &tokens.actor, None, None).await?;
                Ok(tokens_json(&app, &tokens))
            }
            Err(error) => Err(visit.refused(Kind::SignInFailed, error).await),
        }
    };
    visit.respond(answer.await)
}

async fn refresh(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = split(request).await;
    let visit = Visit::new(&app, &parts.headers, &parts.extensions);
    let answer = async {
        let wanted: Refresh = parse(body, r#"{"refresh_token":"…"}"#)?;
        let record = async |actor: &Actor| visit.record(Kind::Refresh, actor, None, None).await;
        match app.accounts.refresh(&wanted.refresh_token, record).await {
            Ok(tokens) => Ok(tokens_json(&app, &tokens)),
            Err(error) => Err(visit.refused(Kind::Refresh, error).await),
        }
    };
    visit.respond(answer.await)
}

/// Ends the session of the bearer token or of the refresh token; whether there was one is not told.
async fn sign_out(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = split(request).await;
    let visit = Visit::new(&app, &parts.headers, &parts.extensions);
    let answer = async {
        let mut ended = Vec::new();
        if let Ok(Identity { person, token }) = auth::identify(&app, &parts.headers) {
            let actor = Actor {
                account: Arc::clone(&person.name),
                agency: Arc::clone(&person.agency),
                session: Some(token.claims.sid),
            };
            ended.push(actor);
        }
        if let Ok(wanted) = parse::<Refresh>(body, "") {
            let found = app.accounts.find_session(&wanted.refresh_token).await.map_err(|error| visit.failed(&error))?;
            ended.extend(found.filter(|actor| !ended.contains(actor)));
        }
        for actor in &ended {
            let Some(session) = actor.session else { continue };
            visit.record(Kind::SignOut, actor, None, None).await?;
            app.accounts.revoke(session, "signed out").await.map_err(|error| visit.failed(&error))?;
        }
        Ok(without_trace(StatusCode::NO_CONTENT.into_response()))
    };
    visit.respond(answer.await)
}

/// Changes one's own password, also an expired one: account and present password stand in the body.
async fn change_password(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = split(request).await;
    let visit = Visit::new(&app, &parts.headers, &parts.extensions);
    let answer = async {
        let wanted: ChangePassword = parse(body, r#"{"account":"…","password":"…","newPassword":"…"}"#)?;
        let record = async |actor: &Actor| visit.record(Kind::PasswordChange, actor, None, None).await;
        let ChangePassword { account, password, new_password } = wanted;
        match app.accounts.change_password(&account, &password, &new_password, record).await {
            Ok(()) => Ok(without_trace(StatusCode::NO_CONTENT.into_response())),
            Err(error) => Err(visit.refused(Kind::PasswordChange, error).await),
        }
    };
    visit.respond(answer.await)
}

/// Who is signed in and which forms they hold, for the playground's choosers.
async fn me(State(app): State<Arc<App>>, request: Request) -> Response {
    let headers = request.headers();
    let visit = Visit::new(&app, headers, request.extensions());
    visit.respond(auth::identify(&app, headers).map(|identity| {
        let today = app.clock.today();
        let snapshot = app.accounts.rights().current();
        let forms: Vec<Value> = snapshot
            .held_by(identity.person.id)
            .iter()
            .filter(|form| form.rights.from <= today && today <= form.rights.until)
            .map(|form| {
                let purpose = |(code, title): &(Arc<str>, String)| json!({ "code": &**code, "title": title });
                json!({
                    "number": &*form.rights.number,
                    "subForm": &*form.rights.sub_form,
                    "title": &*form.rights.title,
                    "version": form.rights.version,
                    "purposes": form.purposes.iter().map(purpose).collect::<Vec<_>>(),
                    "caseRequired": form.rights.case_required,
                    "from": form.rights.from.to_string(),
                    "until": form.rights.until.to_string(),
                })
            })
            .collect();
        let person = &identity.person;
        without_trace(
            Json(json!({
                "account": &*person.name,
                "name": &*person.title,
                "agency": &*person.agency,
                "agencyTitle": &*person.agency_title,
                "roles": person.roles,
                "forms": forms,
            }))
            .into_response(),
        )
    }))
}

/// Head and body of a request; no body if it is too long.
pub(super) async fn split(request: Request) -> (axum::http::request::Parts, Option<Vec<u8>>) {
    let (parts, body) = request.into_parts();
    (parts, body::read(body, LONGEST_BODY).await)
}
