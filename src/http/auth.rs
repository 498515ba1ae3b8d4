//! Who is asking: the bearer token, form, purpose and case number of a request → [`Caller`]. The routes by which
//! people and machines obtain tokens are left to `sign_in` and `oauth`.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, header};

use time::OffsetDateTime;

use super::headers;
use super::sign_in::Visit;
use super::state::App;
use crate::access::{Caller, Code, FormRights, Refusal};
use crate::accounts::{Actor, Person, Verified};
use crate::audit::Kind;

/// Who holds a token, before any form is chosen.
pub struct Identity {
    /// The account.
    pub person: Arc<Person>,
    /// The token.
    pub token: Arc<Verified>,
}

/// The caller of a request: token, form in use, purpose, case number.
pub fn authenticate(app: &App, headers: &HeaderMap, client_address: Option<IpAddr>) -> Result<Caller, Refusal> {
    let Identity { person, token } = identify(app, headers)?;
    if app.accounts.password_ended(person.password_set_at) {
        return Err(Refusal::new(
            Code::PasswordExpired,
            "The password has expired; change it at /auth/password.",
            "密碼已逾期，請至 /auth/password 變更。",
        ));
    }
    let (named_form, named_purpose) = (read(headers, "x-form")?, read(headers, "x-purpose")?);
    let chosen = choose_form(app, &person, &named_form).and_then(|form| {
        let purpose = choose_purpose(form.as_deref(), named_purpose.clone())?;
        Ok((form, purpose))
    });
    let ((form, purpose), without_form) = match chosen {
        Ok(chosen) => (chosen, None),
        // What was named must hold; what was not named is missed only where a dataset is asked.
        Err(refusal) if named_form.is_some() || named_purpose.is_some() => return Err(refusal),
        Err(refusal) => ((None, None), Some(Box::new(refusal))),
    };
    Ok(Caller {
        account_id: person.id,
        account: Arc::clone(&person.name),
        agency: Arc::clone(&person.agency),
        roles: Arc::clone(&person.roles),
        session: token.claims.sid,
        token_ends: OffsetDateTime::from_unix_timestamp(token.claims.exp).unwrap_or(OffsetDateTime::UNIX_EPOCH),
        form,
        without_form,
        purpose,
        case_number: read(headers, "x-case-number")?.map(Arc::from),
        idempotency_key: read(headers, "idempotency-key")?.map(Arc::from),
        client_address,
        request_id: headers::request_id(headers).unwrap_or_else(|| app.accounts.new_id()),
        language: headers::language(headers),
        now: app.clock.now(),
    })
}

/// Whose token the request carries.
pub fn identify(app: &App, headers: &HeaderMap) -> Result<Identity, Refusal> {
    let token = bearer(headers).ok_or_else(|| {
        Refusal::new(
            Code::Unauthenticated,
            "Sign in first: the request needs \"Authorization: Bearer …\" with an access token.",
            "請先登入：要求須帶有「Authorization: Bearer …」及存取權杖。",
        )
    })?;
    if !app.accounts.rights().hears() {
        return Err(Refusal::new(
            Code::SourceUnavailable,
            "The control database does not answer, so it is not known who may read what. Try again shortly.",
            "控制資料庫無回應，無法確認權限，請稍後再試。",
        ));
    }
    let (token, person) = app.accounts.verify(token).map_err(|reason| {
        tracing::debug!(reason = reason.0, "a token was refused");
        Refusal::new(
            Code::Unauthenticated,
            "The access token does not hold: it has expired, its session has ended, or it is not ours.",
            "存取權杖無效：已逾期、工作階段已結束，或並非本系統核發。",
        )
    })?;
    Ok(Identity { person, token })
}

/// Records that somebody who is signed in was turned away, and returns what they are told. Tokens that do not hold
/// are not recorded: anybody could fill the log with them.
pub async fn turn_away(app: &App, headers: &HeaderMap, address: Option<IpAddr>, refusal: Refusal) -> Refusal {
    let Ok(Identity { person, token }) = identify(app, headers) else { return refusal };
    let actor = Actor {
        account: Arc::clone(&person.name),
        agency: Arc::clone(&person.agency),
        session: Some(token.claims.sid),
    };
    let visit = Visit::at(app, headers, address);
    match visit.record(Kind::Denied, &actor, Some(refusal.code), Some("before the operation was read")).await {
        Ok(()) => refusal,
        Err(unavailable) => unavailable,
    }
}

/// The token of `Authorization: Bearer`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

fn read(headers: &HeaderMap, name: &str) -> Result<Option<String>, Refusal> {
    headers::text(headers, name).map_err(|_| {
        Refusal::input(
            format!("The header {name} must be text of at most 200 characters."),
            format!("標頭 {name} 須為 200 字元以內之文字。"),
        )
    })
}

/// The form named, or the only one held; none for those who hold none and name none.
fn choose_form(app: &App, person: &Person, named: &Option<String>) -> Result<Option<Arc<FormRights>>, Refusal> {
    let today = app.clock.today();
    let snapshot = app.accounts.rights().current();
    let held: Vec<&Arc<FormRights>> = snapshot
        .held_by(person.id)
        .iter()
        .map(|form| &form.rights)
        .filter(|form| form.from <= today && today <= form.until)
        .collect();
    let numbers = || held.iter().map(|form| form.sub_form.as_ref()).collect::<Vec<_>>();
    let several = |some: &[&Arc<FormRights>]| {
        Refusal::new(
            Code::FormRequired,
            format!("You hold {} forms: name the one in use in X-Form.", some.len()),
            format!("您持有 {} 份表單：請於 X-Form 註明使用中之表單。", some.len()),
        )
        .with("held", numbers())
    };
    let Some(number) = named else {
        return match held.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some(Arc::clone(only))),
            some => Err(several(some)),
        };
    };
    // A master form's number stands for its sub-form where one only is held of it. Rights of two are never added up.
    let named: Vec<&Arc<FormRights>> =
        held.iter().filter(|form| *form.sub_form == **number || *form.number == **number).copied().collect();
    match named.as_slice() {
        [only] => Ok(Some(Arc::clone(only))),
        // The same whether it exists or not.
        [] => Err(Refusal::new(
            Code::FormRequired,
            "You do not hold the form named in X-Form, or its period is over.",
            "您未持有 X-Form 所列之表單，或其期間已屆滿。",
        )
        .with("held", numbers())),
        some => Err(several(some)),
    }
}

/// The purpose named, or the form's only one.
fn choose_purpose(form: Option<&FormRights>, named: Option<String>) -> Result<Option<Arc<str>>, Refusal> {
    let Some(form) = form else { return Ok(None) };
    let known = named.as_deref().and_then(|named| form.purposes.iter().find(|known| ***known == *named));
    match (known, &named, form.purposes.as_slice()) {
        (Some(known), ..) => Ok(Some(Arc::clone(known))),
        (None, None, [only]) => Ok(Some(Arc::clone(only))),
        (None, _, purposes) => {
            let words: Vec<&str> = purposes.iter().map(AsRef::as_ref).collect();
            Err(Refusal::new(
                Code::PurposeRequired,
                format!(
                    "Form {} was granted for these purposes: {}. Name one in X-Purpose.",
                    form.number,
                    words.join(", ")
                ),
                format!("表單 {} 核准之目的為：{}。請於 X-Purpose 註明其一。", form.number, words.join("、")),
            )
            .with("missing", "X-Purpose")
            .with("purposes", words))
        }
    }
}
