//! The words of a document, for what the library's parser passes over: names that stand twice in one object.

use std::collections::BTreeSet;

use super::limits::skip;
use crate::access::refusal::{Code, Position, Refusal};

struct Token<'a> {
    text: &'a str,
    at: Position,
}

/// Names, numbers, strings and signs; neither spaces nor comments.
fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (mut start, mut at) = (0, Position { line: 1, column: 1 });
    std::iter::from_fn(move || {
        loop {
            let rest = &text[start..];
            let first = rest.chars().next()?;
            let length = match first {
                '"' | '#' => 1 + skip(first, &rest[1..]).len(),
                c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                c => c.len_utf8(),
            };
            let token = Token { text: &rest[..length], at };
            for c in token.text.chars() {
                match c {
                    '\n' => at = Position { line: at.line + 1, column: 1 },
                    '\r' => at.column = 1,
                    _ => at.column += 1,
                }
            }
            start += length;
            if !(first.is_whitespace() || matches!(first, '#' | ',' | '\u{feff}')) {
                return Some(token);
            }
        }
    })
}

/// Notes every name that stands twice in one object (GraphQL specification, 5.6.3): the parser keeps the last.
pub(super) fn check_names(text: &str, refusals: &mut Vec<Refusal>) {
    // What is open: the names of an object so far, or something else. Objects stand within round brackets, selections do not.
    let (mut open, mut round) = (Vec::<Option<BTreeSet<&str>>>::new(), 0_usize);
    let mut tokens = tokens(text).peekable();
    while let Some(Token { text, at }) = tokens.next() {
        match text {
            "{" => open.push((round > 0).then(BTreeSet::new)),
            "[" => open.push(None),
            "(" => {
                open.push(None);
                round += 1;
            }
            "}" | "]" => drop(open.pop()),
            ")" => {
                open.pop();
                round = round.saturating_sub(1);
            }
            name => {
                let is_name = tokens.peek().is_some_and(|next| next.text == ":");
                let Some(Some(names)) = open.last_mut().filter(|_| is_name) else { continue };
                if !names.insert(name) {
                    let en = format!("The field \"{name}\" stands twice in one object.");
                    let zh = format!("同一物件中欄位「{name}」重複。");
                    refusals.push(Refusal::new(Code::ValidationFailed, en, zh).at(at));
                }
            }
        }
    }
}
