//! Turns the library's errors into refusals and says them in Chinese. Our own checks make theirs themselves.

use async_graphql::parser::Error as ParseError;
use async_graphql::{Pos, ServerError};

use super::syntax;
use crate::access::refusal::{Code, Position, Refusal};

/// What the library says (pinned by version), with `{}` for what is quoted, and the same in Chinese.
const WORDS: &[(&str, &str)] = &[
    ("Unknown field \"{}\" on type \"{}\".", "型別「{1}」沒有欄位「{0}」。"),
    ("Unknown argument \"{}\" on field \"{}\" of type \"{}\".", "「{2}.{1}」沒有參數「{0}」。"),
    ("Unknown argument \"{}\" on directive \"{}\".", "指令「@{1}」沒有參數「{0}」。"),
    ("Invalid value for argument \"{}\", expected type \"{}\"", "參數「{0}」應為 {1}。"),
    ("Unknown type \"{}\"", "沒有型別「{0}」。"),
    ("Duplicate directive \"{}\"", "指令「@{0}」重複。"),
    ("Fragment \"{}\" cannot condition non composite type \"{}\"", "片段「{0}」不能用於型別「{1}」。"),
    ("Fragment cannot condition non composite type \"{}\"", "片段不能用於型別「{0}」。"),
    ("Directive \"{}\" may not be used on \"{}\"", "指令「@{0}」不能用於此處。"),
    ("Unknown directive \"{}\"", "沒有指令「@{0}」。"),
    ("Unknown fragment: \"{}\"", "沒有片段「{0}」。"),
    ("Variable \"{}\" is not defined by operation \"{}\"", "操作「{1}」未宣告變數「{0}」。"),
    ("Variable \"{}\" is not defined", "未宣告變數「{0}」。"),
    ("Fragment \"{}\" is never used", "片段「{0}」未被使用。"),
    ("Variable \"{}\" is not used by operation \"{}\"", "操作「{1}」未使用變數「{0}」。"),
    ("Variable \"{}\" is not used", "變數「{0}」未被使用。"),
    (
        "Fragment \"{}\" cannot be spread here as objects of type \"{}\" can never be of type \"{}\"",
        "片段「{0}」屬於型別「{2}」，不能用於「{1}」。",
    ),
    (
        "Fragment cannot be spread here as objects of type \"{}\" can never be of type \"{}\"",
        "片段屬於型別「{1}」，不能用於「{0}」。",
    ),
    (
        "Directive \"{}\" argument \"{}\" of type \"{}\" is required but not provided",
        "指令「{0}」缺少參數「{1}」（{2}）。",
    ),
    ("Field \"{}\" argument \"{}\" of type \"{}\" is required but not provided", "欄位「{0}」缺少參數「{1}」（{2}）。"),
    ("Field \"{}\" must not have a selection since type \"{}\" has no subfields", "欄位「{0}」（{1}）之下沒有子欄位。"),
    ("Field \"{}\" of type \"{}\" must have a selection of subfields", "欄位「{0}」（{1}）須選取子欄位。"),
    ("There can only be one argument named \"{}\"", "參數「{0}」重複。"),
    ("There can only be one variable named \"{}\"", "變數「{0}」重複。"),
    ("Variable \"{}\" cannot be of non-input type \"{}\"", "變數「{0}」不能是輸出型別「{1}」。"),
    ("Schema is not configured for {}s.", "不支援此種操作（{0}）。"),
];

/// A position as refusals have it.
pub(super) fn position(pos: Pos) -> Position {
    Position { line: pos.line, column: pos.column }
}

/// The document is not GraphQL.
pub(super) fn parse_failed(error: &ParseError) -> Refusal {
    let refusal = syntax::refusal(error);
    error.positions().next().into_iter().fold(refusal, |refusal, pos| refusal.at(position(pos)))
}

/// The document does not fit the schema.
pub(super) fn validation_failed(error: &ServerError) -> Refusal {
    let refusal = Refusal::new(Code::ValidationFailed, &error.message, in_chinese(&error.message));
    error.locations.first().into_iter().fold(refusal, |refusal, pos| refusal.at(position(*pos)))
}

fn in_chinese(message: &str) -> String {
    let (said, hint) = match message.split_once(" Did you mean ") {
        Some((said, hint)) => (said, hint.trim_end_matches('?')),
        None => (message, ""),
    };
    let said = WORDS.iter().find_map(|(english, chinese)| {
        let quoted = quoted(english, said)?;
        Some(
            quoted
                .iter()
                .enumerate()
                .fold((*chinese).to_owned(), |text, (i, word)| text.replace(&format!("{{{i}}}"), word)),
        )
    });
    let said = said.unwrap_or_else(|| format!("查詢不符合綱要：{message}"));
    if hint.is_empty() { said } else { format!("{said}是否為 {hint}？") }
}

/// What stands at each `{}` of the pattern, if the text has its form.
fn quoted<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut literals = pattern.split("{}");
    let mut rest = text.strip_prefix(literals.next()?)?;
    let mut found = Vec::new();
    for literal in literals {
        let at = if literal.is_empty() { rest.len() } else { rest.find(literal)? };
        found.push(&rest[..at]);
        rest = &rest[at + literal.len()..];
    }
    rest.is_empty().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_library_says_is_said_in_chinese() {
        let cases = [
            (
                "Unknown field \"nam\" on type \"Person\". Did you mean \"name\"?",
                "型別「Person」沒有欄位「nam」。是否為 \"name\"？",
            ),
            ("Variable \"$a\" is not used by operation \"Q\"", "操作「Q」未使用變數「$a」。"),
            ("Variable \"$a\" is not used", "變數「$a」未被使用。"),
            ("Schema is not configured for mutations.", "不支援此種操作（mutation）。"),
            ("Something new", "查詢不符合綱要：Something new"),
        ];
        for (english, chinese) in cases {
            assert_eq!(in_chinese(english), chinese);
        }
    }
}
