//! `POST /graphql` and `GET /graphql`: GraphQL over HTTP. Reads the request, has it answered, and lets no byte of the
//! answer leave before its record is durable.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use async_graphql::parser::types::OperationType;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use time::OffsetDateTime;
use uuid::Uuid;

use super::asked::{Unread, from_url, read_body};
use super::media::{ANSWER, Accepted, PLAIN};
use super::state::App;
use super::status::{refuse, status_of};
use super::{auth, headers, socket, watch};
use crate::access::{Caller, Code, Language, Refusal};
use crate::audit::{Kind, Outcome, Record, Right, Who, Why};
use crate::graphql::engine;
use crate::graphql::reply::Reply;

/// What an answer depends on besides the URL.
const VARY: HeaderValue = HeaderValue::from_static("accept, accept-language, authorization");

/// The routes of the GraphQL API.
pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/graphql", get(socket::upgrade_or_answer).post(handle)).route("/schema.graphql", get(schema))
}

/// The schema as text.
async fn schema(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    if !app.config.server.public_schema
        && let Err(refusal) = auth::identify(&app, &headers)
    {
        return refuse(&refusal, headers::language(&headers));
    }
    respond(StatusCode::OK, "text/plain; charset=utf-8", app.sdl.clone())
}

pub(super) async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let started = Instant::now();
    let accepted = Accepted::of(request.headers());
    let mut response = respond_to(Arc::clone(&app), request, accepted, started).await;
    let headers = response.headers_mut();
    headers.insert(header::VARY, VARY);
    // What is refused before there is an answer comes as an answer would.
    if accepted.answer == Some(ANSWER) && headers.get(header::CONTENT_TYPE).is_some_and(|media| media == PLAIN) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(ANSWER));
    }
    app.numbers.answered(response.extensions().get().copied(), started.elapsed());
    response
}

async fn respond_to(shared: Arc<App>, request: Request, accepted: Accepted, started: Instant) -> Response {
    let app = shared.as_ref();
    let (parts, body) = request.into_parts();
    let language = headers::language(&parts.headers);
    let address = headers::client_address(&parts.headers, &parts.extensions, app.config.server.trusted_proxies);
    if !accepted.events
        && let Err(refusal) = accepted.answer()
    {
        return with_status(StatusCode::NOT_ACCEPTABLE, &refusal, language);
    }
    // HEAD is answered as GET is; the body does not leave.
    let by_get = parts.method != Method::POST;
    let asked = if by_get { from_url(&parts.uri) } else { read_body(app, &parts.headers, body).await };
    let mut asked = match asked {
        Ok(asked) => asked,
        Err(Unread { status, refusal }) => return with_status(status, &refusal, language),
    };
    asked.record = app.accounts.new_id();
    let caller = auth::authenticate(app, &parts.headers, address);
    if let Err(refusal) = &caller
        && (!app.config.server.public_schema || auth::bearer(&parts.headers).is_some())
    {
        let refusal = auth::turn_away(app, &parts.headers, address, refusal.clone()).await;
        return refuse(&refusal, language);
    }
    if by_get && app.engine.looks_for_persons(&asked) {
        return with_status(StatusCode::METHOD_NOT_ALLOWED, &person_in_url(), language);
    }
    let step = app.engine.kind_of(&asked);
    let with_variables = caller.is_ok() && !asked.variables.is_empty();
    if by_get && let Some(refusal) = needs_post(step, with_variables) {
        return with_status(StatusCode::METHOD_NOT_ALLOWED, &refusal, language);
    }
    if step == Some(OperationType::Subscription) {
        return match caller {
            Ok(caller) if accepted.events => watch::stream(shared, caller, asked, language).await,
            Ok(_) => with_status(StatusCode::BAD_REQUEST, &subscription_as_answer(), language),
            Err(refusal) => refuse(&refusal, language),
        };
    }
    let media = match accepted.answer() {
        Ok(media) => media,
        // Whoever accepts events only is told what is wrong all the same.
        Err(_) if step.is_none() => ANSWER,
        Err(refusal) => return with_status(StatusCode::NOT_ACCEPTABLE, &refusal, language),
    };
    let around = Circumstances { started, language, media, address };
    if step == Some(OperationType::Mutation)
        && let Ok(caller) = &caller
    {
        // A step that is under way must be known of, whatever becomes of its end.
        if let Err(refusal) = intend(app, caller, &asked, &around).await {
            return refuse(&refusal, language);
        }
        // It comes to its end also when the client does not wait for it: half of what follows a change is no change.
        let caller = Ok(caller.clone());
        let whole = tokio::spawn(async move { answer(&shared, caller, asked, around).await });
        return whole.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    }
    answer(app, caller, asked, around).await
}

/// Records that a step of the procedure is about to be taken: it may happen even if its end cannot be recorded.
async fn intend(app: &App, caller: &Caller, asked: &engine::Request, around: &Circumstances) -> Result<(), Refusal> {
    let mut record = frame(app, caller, around.started, app.accounts.new_id(), Kind::Procedure, Outcome::default());
    record.who.client_address = around.address;
    record.asked = Some(asked.asked());
    record.note = Some(format!("begins {}", asked.record));
    app.audit.commit(record).await.map(drop).map_err(|reason| {
        tracing::error!(%reason, request = %caller.request_id, "a step was not begun: no durable record");
        audit_unavailable()
    })
}

/// What an answer depends on besides the question.
struct Circumstances {
    started: Instant,
    language: Language,
    media: &'static str,
    address: Option<IpAddr>,
}

async fn answer(app: &App, caller: Result<Caller, Refusal>, asked: engine::Request, around: Circumstances) -> Response {
    let mut abandoned = caller.as_ref().ok().map(|caller| Abandoned {
        app,
        caller,
        asked: &asked,
        started: around.started,
        done: false,
    });
    let coming = caller.as_ref().ok().map(|_| app.audit.expect());
    let reply = match &caller {
        Ok(caller) => app.engine.answer(Ok(caller), &asked).await,
        Err(refusal) => app.engine.answer(Err(refusal.clone()), &asked).await,
    };
    if let Some(abandoned) = &mut abandoned {
        abandoned.done = true;
    }
    let status = match (&reply.data, reply.errors.first()) {
        (None, Some(error)) if around.media == ANSWER || error.code == Code::Unauthenticated => status_of(error.code),
        (None, Some(error)) if !is_of_the_document(error.code) => status_of(error.code),
        _ => StatusCode::OK,
    };
    let first_error = reply.errors.first().map(|error| error.code);
    let (Ok(caller), Some(coming)) = (&caller, coming) else {
        // Nobody is signed in: the schema alone was read, and no dataset.
        return answered(respond(status, around.media, reply.body(around.language, None)), first_error);
    };
    let id = asked.record;
    let body = reply.body(around.language, Some(id));
    let record = record(app, caller, &around, id, reply, &body);
    match coming.commit(record).await {
        Ok(_) => answered(respond(status, around.media, body), first_error),
        Err(reason) => {
            tracing::error!(%reason, request = %caller.request_id, "an answer was withheld: no durable record");
            refuse(&audit_unavailable(), around.language)
        }
    }
}

/// The statuses of these are 200 for clients of the older media type, as the specification has it.
fn is_of_the_document(code: Code) -> bool {
    matches!(code, Code::ParseFailed | Code::ValidationFailed)
}

/// A request whose client went away while it was worked on: what it had begun is recorded all the same.
struct Abandoned<'a> {
    app: &'a App,
    caller: &'a Caller,
    asked: &'a engine::Request,
    started: Instant,
    done: bool,
}

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let outcome = Outcome { code: Some(Arc::from("ABANDONED")), rows: 0, bytes: 0, digest: [0; 16] };
        let id = self.asked.record;
        let mut record = frame(self.app, self.caller, self.started, id, Kind::Query, outcome);
        record.asked = Some(self.asked.asked());
        record.note = Some("the client went away before the answer was ready; nothing was sent".to_string());
        // The log takes the record at once; nobody is left to wait for it.
        drop(self.app.audit.commit(record));
    }
}

fn record(app: &App, caller: &Caller, around: &Circumstances, id: Uuid, reply: Reply, body: &[u8]) -> Record {
    let outcome = Outcome {
        code: reply.code().map(Arc::from),
        rows: reply.objects,
        bytes: body.len() as u64,
        digest: app.audit.digest(body),
    };
    let mut record = frame(app, caller, around.started, id, reply.kind, outcome);
    record.who.client_address = around.address;
    record.asked = reply.asked;
    record.touched = reply.touched;
    record
}

/// A record of what a caller asked, without what became of it.
pub(super) fn frame(app: &App, caller: &Caller, started: Instant, id: Uuid, kind: Kind, outcome: Outcome) -> Record {
    let form = caller.form.as_ref();
    Record {
        id,
        started_us: micros(caller.now),
        duration_us: u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX),
        kind,
        who: Who {
            account: caller.account.clone(),
            agency: caller.agency.clone(),
            session: Some(caller.session),
            client_address: caller.client_address,
        },
        why: Why {
            form: form.map(|form| form.number.clone()),
            form_version: form.map_or(0, |form| form.version),
            sub_form: form.map(|form| form.sub_form.clone()),
            purpose: caller.purpose.clone(),
            case_number: caller.case_number.clone(),
        },
        right: Right { epoch: form.map_or(0, |form| form.epoch), schema_hash: app.catalog.hash },
        asked: None,
        touched: Vec::new(),
        outcome,
        note: None,
    }
}

/// A time as records have it.
pub(super) fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

pub(super) fn audit_unavailable() -> Refusal {
    Refusal::new(
        Code::AuditUnavailable,
        "The record of this answer could not be made durable, so the answer is withheld. Try again later.",
        "本次查詢之紀錄無法寫入，故不予回應。請稍後再試。",
    )
}

/// What may not be asked by GET, if it may not.
fn needs_post(step: Option<OperationType>, with_variables: bool) -> Option<Refusal> {
    if with_variables {
        // A URL stands in histories and logs of proxies, where no personal value may stand.
        return Some(Refusal::input(
            "Variables are not taken in a URL, where they would be kept by others: use POST.",
            "變數不可置於網址中，以免遭他處留存：請改用 POST。",
        ));
    }
    matches!(step, Some(OperationType::Mutation | OperationType::Subscription)).then(|| {
        Refusal::input(
            "A mutation or subscription is not taken by GET: use POST.",
            "mutation 與 subscription 不得以 GET 傳送：請改用 POST。",
        )
    })
}

/// The same of values in the document itself.
fn person_in_url() -> Refusal {
    Refusal::input(
        "Persons are not looked for by GET: the values compared would stand in a URL, where they would be kept by others. Use \
         POST.",
        "不得以 GET 查找個人：比對之值將留存於網址中。請改用 POST。",
    )
}

fn subscription_as_answer() -> Refusal {
    Refusal::input(
        "A subscription has events, not one answer: send it over a WebSocket at this address, by the protocol graphql-transport-ws, or with Accept: text/event-stream.",
        "subscription 之結果為事件：請於此網址以 WebSocket（graphql-transport-ws）傳送，或帶 Accept: text/event-stream。",
    )
}

fn with_status(status: StatusCode, refusal: &Refusal, language: Language) -> Response {
    let mut response = refuse(refusal, language);
    *response.status_mut() = status;
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// Notes how the operation ended, for the numbers.
fn answered(mut response: Response, first_error: Option<Code>) -> Response {
    if let Some(code) = first_error {
        response.extensions_mut().insert(code);
    }
    response
}

fn respond(status: StatusCode, media: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, VARY);
    response
}
