//! The words of a document, for what the library's parser passes over or does not read: names that stand twice in one
//! object, types with spaces in them, characters written as two halves.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::limits::skip;
use crate::access::refusal::{Code, Position, Refusal};

struct Token<'a> {
    text: &'a str,
    start: usize,
    at: Position,
}

impl Token<'_> {
    fn end(&self) -> usize {
        self.start + self.text.len()
    }
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
            let token = Token { text: &rest[..length], start, at };
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
    while let Some(Token { text, at, .. }) = tokens.next() {
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

/// The document as the library's parser reads it, which takes neither `[ Int ! ]` nor `\uD83D\uDE00`. Whatever follows
/// stays at its line and column.
pub(super) fn readable(text: &str) -> Cow<'_, str> {
    let tokens: Vec<Token> = tokens(text).collect();
    let (mut written, mut last) = (String::new(), 0);
    for (number, token) in tokens.iter().enumerate() {
        let (end, put) = match (token.text, &tokens[number + 1..]) {
            ("$", [_, colon, rest @ ..]) if colon.text == ":" => {
                let ty = of_type(rest);
                (ty.last().map(Token::end), closed_up(text, ty).map(|put| (ty[0].start, put)))
            }
            (string, _) => (Some(token.end()), whole(string).map(|put| (token.start, put))),
        };
        if let (Some(end), Some((start, put))) = (end, put) {
            written.push_str(&text[last..start]);
            written.push_str(&put);
            last = end;
        }
    }
    if last == 0 {
        return Cow::Borrowed(text);
    }
    written.push_str(&text[last..]);
    Cow::Owned(written)
}

/// The part of a definition that is its type: brackets, a name, brackets and exclamation marks.
fn of_type<'a, 't>(tokens: &'a [Token<'t>]) -> &'a [Token<'t>] {
    let name = tokens.iter().take_while(|token| token.text == "[").count();
    let rest = tokens.iter().skip(name + 1).take_while(|token| matches!(token.text, "]" | "!"));
    &tokens[..(name + 1 + rest.count()).min(tokens.len())]
}

/// A type without spaces, and what it loses behind it; nothing if it has none.
fn closed_up(text: &str, tokens: &[Token]) -> Option<String> {
    let (start, end) = (tokens.first()?.start, tokens.last()?.end());
    let word: String = tokens.iter().map(|token| token.text).collect();
    let written = &text[start..end];
    if word.len() == written.len() {
        return None;
    }
    if !written.contains(['\n', '\r']) {
        let width = written.chars().count();
        return Some(format!("{word:<width$}"));
    }
    // What is between the words stays, comments and ends of lines; the column is counted from the last of these.
    let (mut put, mut from) = (word, start);
    for token in tokens {
        put.push_str(&text[from..token.start]);
        put.extend(token.text.chars().map(|_| ' '));
        from = token.end();
    }
    Some(put)
}

/// A string with whole characters for those written as two halves, and spaces behind it for its length; nothing if there
/// are none.
fn whole(string: &str) -> Option<String> {
    if !string.starts_with('"') || string.starts_with("\"\"\"") {
        return None;
    }
    let (mut put, mut rest, mut shorter) = (String::new(), string, 0);
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        put.push_str(before);
        let length = match pair(escape) {
            Some(character) => {
                put.push(character);
                shorter += PAIR - 1;
                PAIR
            }
            None => {
                let length = escape.char_indices().nth(2).map_or(escape.len(), |(at, _)| at);
                put.push_str(&escape[..length]);
                length
            }
        };
        rest = &escape[length..];
    }
    put.push_str(rest);
    put.extend(std::iter::repeat_n(' ', shorter));
    (shorter > 0).then_some(put)
}

/// Length of `\uD83D\uDE00`.
pub(super) const PAIR: usize = 12;

/// The character that is written in two halves at the beginning.
pub(super) fn pair(text: &str) -> Option<char> {
    let half = |at: usize| u16::from_str_radix(text.get(at..at + 6)?.strip_prefix("\\u")?, 16).ok();
    let (high, low) = (half(0)?, half(6)?);
    let is_half = (0xD800..0xDC00).contains(&high);
    char::decode_utf16([high, low]).next()?.ok().filter(|_| is_half)
}
