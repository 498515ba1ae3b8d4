//! Reads what was asked: a GraphQL request out of a body, a URL, or a message of a WebSocket. Answering it is left to
//! `graphql`.

use axum::body::Body;
use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::media::{ANSWER, PLAIN};
use super::state::App;
use super::{body, json};
use crate::access::Refusal;
use crate::graphql::engine;

/// A request that could not be read.
pub(super) struct Unread {
    pub(super) status: StatusCode,
    pub(super) refusal: Refusal,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    query: Option<String>,
    operation_name: Option<String>,
    #[serde(default, deserialize_with = "json::object")]
    variables: Option<Map<String, Value>>,
    #[serde(rename = "extensions")]
    _extensions: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SentInUrl {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
}

pub(super) async fn read_body(app: &App, headers: &HeaderMap, body: Body) -> Result<engine::Request, Unread> {
    let content = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(PLAIN) && !essence.eq_ignore_ascii_case(ANSWER) {
        let en = format!("Send Content-Type: application/json; found \"{essence}\".");
        let zh = format!("請以 Content-Type: application/json 傳送；收到「{essence}」。");
        return Err(Unread { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, refusal: Refusal::input(en, zh) });
    }
    let most = app.config.server.max_body_bytes;
    let bytes = body::read(body, most).await.ok_or_else(|| Unread {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        refusal: Refusal::input(
            format!("The body is larger than {most} bytes, or broke off."),
            format!("要求內容超過 {most} 位元組，或傳送中斷。"),
        ),
    })?;
    from_json(&bytes)
}

/// A request as it stands in a body, or in a message of a WebSocket.
pub(super) fn from_json(text: &[u8]) -> Result<engine::Request, Unread> {
    let sent: Sent = serde_json::from_slice(text).map_err(|error| Unread {
        status: StatusCode::BAD_REQUEST,
        refusal: Refusal::input(
            format!("This is not a GraphQL request in JSON (line {}, column {}). Expected {{\"query\": …, \"operationName\": …, \"variables\": {{…}}}}, no name twice in one object; batches are not taken.", error.line(), error.column()),
            format!("這不是 JSON 格式的 GraphQL 要求（第 {} 行第 {} 欄）。應為 {{\"query\": …, \"operationName\": …, \"variables\": {{…}}}}，同一物件中名稱不得重複；不接受批次。", error.line(), error.column()),
        ),
    })?;
    request(sent.query, sent.operation_name, sent.variables)
}

pub(super) fn from_url(url: &Uri) -> Result<engine::Request, Unread> {
    let Query(sent): Query<SentInUrl> = Query::try_from_uri(url).map_err(|_| not_understood())?;
    let variables = match sent.variables.filter(|text| !text.is_empty()) {
        Some(text) => {
            let mut json = serde_json::Deserializer::from_str(&text);
            let object = json::object(&mut json).and_then(|object| json.end().map(|()| object));
            object.map_err(|_| not_understood())?
        }
        None => None,
    };
    request(sent.query, sent.operation_name, variables)
}

fn request(
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<Map<String, Value>>,
) -> Result<engine::Request, Unread> {
    let query = query.filter(|query| !query.trim().is_empty()).ok_or_else(|| Unread {
        status: StatusCode::BAD_REQUEST,
        refusal: Refusal::input(
            "query is missing: send the GraphQL document in it.",
            "缺少 query：請於其中傳送 GraphQL 文件。",
        ),
    })?;
    let operation_name = operation_name.filter(|name| !name.is_empty());
    let variables = variables.unwrap_or_default();
    Ok(engine::Request { query, operation_name, variables, ..engine::Request::default() })
}

fn not_understood() -> Unread {
    Unread {
        status: StatusCode::BAD_REQUEST,
        refusal: Refusal::input(
            "Expected query, operationName and variables (a JSON object, no name in it twice) in the URL.",
            "網址中應有 query、operationName 與 variables（JSON 物件，其中名稱不得重複）。",
        ),
    }
}
