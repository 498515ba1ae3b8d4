//! The one place that gives an error code its HTTP status and turns a refusal into an answer.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::access::{Code, Language, Refusal};

/// The HTTP status of a refusal of the whole request.
pub fn status_of(code: Code) -> StatusCode {
    match code {
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Forbidden | Code::FormRequired | Code::PurposeRequired | Code::PasswordExpired => StatusCode::FORBIDDEN,
        Code::BadUserInput | Code::QueryTooCostly | Code::ParseFailed | Code::ValidationFailed => {
            StatusCode::BAD_REQUEST
        }
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Conflict => StatusCode::CONFLICT,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::DatasetSuspended | Code::SourceUnavailable | Code::AuditUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Timeout => StatusCode::GATEWAY_TIMEOUT,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// `{"errors":[…]}` with the status of its code, in the caller's language.
pub fn refuse(refusal: &Refusal, language: Language) -> Response {
    refuse_all(std::slice::from_ref(refusal), language)
}

/// The same with several refusals; the first decides the status.
pub fn refuse_all(refusals: &[Refusal], language: Language) -> Response {
    let code = refusals.first().map_or(Code::Internal, |refusal| refusal.code);
    let errors: Vec<_> = refusals.iter().map(|refusal| refusal.to_json(language)).collect();
    let mut response = (status_of(code), Json(json!({ "errors": errors }))).into_response();
    response.extensions_mut().insert(code);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if code == Code::Unauthenticated {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if code == Code::RateLimited {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}
