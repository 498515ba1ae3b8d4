//! Cursors: a place in an ordered list, sealed so that it tells nothing, and holds for one caller, one order and one
//! state of the rights only.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit, Nonce};
use rust_decimal::Decimal;
use sea_query::{Expr, ExprTrait};
use serde::{Deserialize, Serialize};
use time::Date;
use time::macros::format_description;

use super::ask::{Filter, PageField};
use super::planner_list::order_word;
use super::resolve::Variables;
use super::slot::{self, Slot};
use super::sql::{self, Draft, OrderBy};
use crate::access::Refusal;
use crate::catalog::TypeId;
use crate::store::bind::Bind;
use crate::store::rows::{Cell, Kind, Rows};

/// A place in a list: the values of a row's order words, the row number last, and the name of the filter that it passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark(Vec<MarkValue>, u64);

impl Mark {
    /// Under which filter the row was in the list.
    pub fn filter(&self) -> u64 {
        self.1
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum MarkValue {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
}

/// Marks are sealed at a multiple of this length, in bytes: an order word's value is not the caller's to know, and how many
/// letters it has would show in a cursor as long as they are.
const LENGTH: usize = 256;

/// Seals and opens cursors.
pub struct Sealer {
    cipher: ChaCha20Poly1305,
    nonces: Box<dyn Fn() -> [u8; 12] + Send + Sync>,
}

impl Sealer {
    /// A sealer with its key, and a source of nonces that never repeats one.
    pub fn new(key: &[u8; 32], nonces: impl Fn() -> [u8; 12] + Send + Sync + 'static) -> Sealer {
        Sealer { cipher: ChaCha20Poly1305::new(&Key::from(*key)), nonces: Box::new(nonces) }
    }

    /// Seals a mark for one caller under one order.
    pub fn seal(&self, bound_to: &str, mark: &Mark) -> String {
        let nonce = (self.nonces)();
        // A list of plain values always becomes JSON, and sealing a few bytes in memory cannot fail.
        let mut plain = serde_json::to_vec(mark).unwrap_or_default();
        // JSON is the same with spaces behind it.
        plain.resize(plain.len().next_multiple_of(LENGTH), b' ');
        let payload = Payload { msg: &plain, aad: bound_to.as_bytes() };
        let sealed = self.cipher.encrypt(&Nonce::from(nonce), payload).unwrap_or_default();
        let mut text = String::with_capacity((nonce.len() + sealed.len()) * 2);
        for byte in nonce.iter().chain(&sealed) {
            use std::fmt::Write as _;
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// Opens a cursor, if it was made for this caller and order.
    pub fn open(&self, bound_to: &str, cursor: &str) -> Result<Mark, Refusal> {
        self.try_open(bound_to, cursor).ok_or_else(|| {
            Refusal::input(
                "This cursor does not hold here: it was made for another caller, order or state of the rights. Start again without it.",
                "此游標在此無效：它屬於另一位使用者、另一種排序或已變更的權限。請不帶游標重新查詢。",
            )
        })
    }

    fn try_open(&self, bound_to: &str, cursor: &str) -> Option<Mark> {
        if !cursor.is_ascii() || !cursor.len().is_multiple_of(2) {
            return None;
        }
        let bytes: Option<Vec<u8>> =
            (0..cursor.len()).step_by(2).map(|at| u8::from_str_radix(&cursor[at..at + 2], 16).ok()).collect();
        let bytes = bytes?;
        let (nonce, sealed) = bytes.split_at_checked(12)?;
        let nonce: [u8; 12] = nonce.try_into().ok()?;
        let payload = Payload { msg: sealed, aad: bound_to.as_bytes() };
        let plain = self.cipher.decrypt(&Nonce::from(nonce), payload).ok()?;
        serde_json::from_slice(&plain).ok()
    }
}

/// The mark of a row that passed a filter of that name.
pub fn mark(rows: &Rows, row: usize, columns: &[usize], filter: u64) -> Mark {
    let value = |column: &usize| match rows.cell(row, *column) {
        // The writer makes no cursor of what cannot be read.
        Cell::Null | Cell::Unreadable => MarkValue::Null,
        Cell::Bool(value) => MarkValue::Bool(value),
        Cell::Int(value) => MarkValue::Int(value),
        Cell::Text(start, length) => MarkValue::Text(rows.text(start, length).to_string()),
    };
    Mark(columns.iter().map(value).collect(), filter)
}

/// Names a filter with its values: the same however it was sent.
pub fn filter_name(filter: Option<&Filter>, variables: &Variables) -> u64 {
    let spelled = format!("{:?}", filter.map(|filter| spelled_out(filter, variables)));
    let digest = *blake3::hash(spelled.as_bytes()).as_bytes();
    u64::from_le_bytes(std::array::from_fn(|at| digest[at]))
}

/// The filter with its variables filled in.
fn spelled_out(filter: &Filter, variables: &Variables) -> Filter {
    let all = |filters: &[Filter]| filters.iter().map(|filter| spelled_out(filter, variables)).collect();
    match filter {
        Filter::And(filters) => Filter::And(all(filters)),
        Filter::Or(filters) => Filter::Or(all(filters)),
        Filter::Not(filter) => Filter::Not(Box::new(spelled_out(filter, variables))),
        Filter::Compare { field, operator, value } => {
            let value = slot::constant(value, variables).unwrap_or_default().into_value();
            Filter::Compare { field: *field, operator: *operator, value }
        }
        Filter::IsNull { .. } => filter.clone(),
        Filter::Related { field, quantifier, filter } => {
            let filter = Box::new(spelled_out(filter, variables));
            Filter::Related { field: *field, quantifier: *quantifier, filter }
        }
    }
}

/// Names an order, so that a cursor holds under it only.
pub fn signature(of: TypeId, order: &[OrderBy]) -> String {
    let words: Vec<_> = order.iter().map(order_word).collect();
    format!("{}:{}", of.0, words.join(","))
}

/// The rows beyond a mark, nulls last: after it, or before it when read backwards.
pub fn beyond(draft: &mut Draft, order: &[OrderBy], mark: &Mark, backward: bool) -> Result<Expr, Refusal> {
    if mark.0.len() != order.len() {
        return Err(super::planner::internal("a cursor fits its order"));
    }
    let mut any = Expr::cust("1 = 0");
    for at in 0..order.len() {
        let Some(mut all) = past(draft, &order[at], &mark.0[at], backward)? else { continue };
        for (word, value) in order.iter().zip(&mark.0).take(at) {
            all = same(draft, word, value)?.and(all);
        }
        any = any.or(all);
    }
    Ok(any)
}

fn same(draft: &mut Draft, word: &OrderBy, value: &MarkValue) -> Result<Expr, Refusal> {
    let column = sql::col(word.table, &word.column);
    match bind(word.kind, value)? {
        None => Ok(column.is_null()),
        Some(bind) => Ok(column.eq(draft.slots.marker(Slot::Ready(bind)))),
    }
}

/// Strictly beyond one word's value; none if nothing can be.
fn past(draft: &mut Draft, word: &OrderBy, value: &MarkValue, backward: bool) -> Result<Option<Expr>, Refusal> {
    let column = sql::comparable(draft.place().dialect, word.table, &word.column, word.kind);
    let Some(bind) = bind(word.kind, value)? else {
        // Nulls come last: nothing after them, everything else before.
        return Ok(backward.then(|| sql::col(word.table, &word.column).is_not_null()));
    };
    let marker = draft.slots.marker(Slot::Ready(bind));
    let greater = word.descending == backward;
    let compared = if greater { column.gt(marker) } else { column.lt(marker) };
    if word.nullable && !backward {
        return Ok(Some(compared.or(sql::col(word.table, &word.column).is_null())));
    }
    Ok(Some(compared))
}

fn bind(kind: Kind, value: &MarkValue) -> Result<Option<Bind>, Refusal> {
    let wrong = || super::planner::internal("a sealed cursor holds what was put into it");
    Ok(Some(match (kind, value) {
        (_, MarkValue::Null) => return Ok(None),
        (Kind::Int, MarkValue::Int(value)) => Bind::Int(*value),
        (Kind::Bool, MarkValue::Bool(value)) => Bind::Bool(*value),
        (Kind::Text, MarkValue::Text(text)) => Bind::Text(text.clone()),
        (Kind::Date, MarkValue::Text(text)) => {
            Bind::Date(Date::parse(text, format_description!("[year]-[month]-[day]")).map_err(|_| wrong())?)
        }
        (Kind::Decimal(_), MarkValue::Text(text)) => Bind::Decimal(text.parse::<Decimal>().map_err(|_| wrong())?),
        _ => return Err(wrong()),
    }))
}

/// The GraphQL name of a page's field.
pub fn field_name(field: PageField) -> &'static str {
    match field {
        PageField::HasNext => "hasNextPage",
        PageField::HasPrevious => "hasPreviousPage",
        PageField::Start => "startCursor",
        PageField::End => "endCursor",
        PageField::Typename => "__typename",
    }
}
