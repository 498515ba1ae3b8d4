//! Bounds a document before the library sees it: the parser recurses on brackets, and validation walks
//! fragments as often as they are spread, which a few lines can make millions. Cost in rows is `query`'s.

use std::collections::HashMap;

use async_graphql::Name;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Pos, Positioned};

use super::tokens::{PAIR, pair};
use crate::access::refusal::{Code, Position, Refusal};
use crate::config::Limits;

/// Brackets inside brackets; the parser itself stops at 64.
const NESTING: usize = 60;

/// Directives in one document; each of a wrong one would be told, and compared with every other fault.
const DIRECTIVES: u64 = 1_000;

/// Variables declared in one document.
const VARIABLES: usize = 200;

/// Selection sets inside selection sets, fragments included.
pub(super) const LEVELS: usize = 60;

/// Lists inside lists in an introspection query (`fields { type { fields`): each step multiplies the answer
/// by the size of the schema.
const INTROSPECTION_LISTS: usize = 2;

/// Values that introspection may come to, estimated by [`fan`]: twice what the tools' usual query asks of this schema.
const INTROSPECTED: u64 = 4_000_000;

/// Things in a list of introspection, as large as the schema has them.
fn fan(field: &str) -> u64 {
    match field {
        "types" => 700,
        "fields" | "inputFields" | "possibleTypes" => 20,
        "enumValues" => 10,
        "args" => 4,
        _ => 1,
    }
}

/// Checks the text: its length and the nesting of its brackets.
pub(super) fn check_text(text: &str, limits: &Limits) -> Result<(), Refusal> {
    if text.len() > limits.document_bytes {
        return Err(too_costly("document_bytes", limits.document_bytes as u64, "bytes of document", "文件位元組"));
    }
    let (mut nesting, mut directives, mut line, mut column) = (0_usize, 0, 1, 0);
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        column += 1;
        match c {
            '\n' => (line, column) = (line + 1, 0),
            '{' | '[' | '(' => nesting += 1,
            '@' => directives += 1,
            '}' | ']' | ')' => nesting = nesting.saturating_sub(1),
            '"' | '#' => {
                let skipped = skip(c, rest.as_str());
                if c == '"' && !skipped.starts_with("\"\"") && has_half(skipped) {
                    return Err(no_character().at(Position { line, column }));
                }
                for c in skipped.chars() {
                    (line, column) = if c == '\n' { (line + 1, 0) } else { (line, column + 1) };
                }
                rest = rest.as_str()[skipped.len()..].chars();
            }
            _ => {}
        }
        if directives > DIRECTIVES {
            let refusal = too_costly("directives", DIRECTIVES, "directives", "個指令");
            return Err(refusal.at(Position { line, column }));
        }
        if nesting > NESTING {
            let refusal = too_costly("nesting", NESTING as u64, "brackets inside brackets", "層括號");
            return Err(refusal.at(Position { line, column }));
        }
    }
    Ok(())
}

/// The part of a text or comment that follows its first character; brackets in it do not count.
pub(super) fn skip(start: char, rest: &str) -> &str {
    let end = if start == '#' {
        rest.find(['\n', '\r'])
    } else if let Some(block) = rest.strip_prefix("\"\"") {
        let mut from = 0;
        loop {
            match block[from..].find("\"\"\"") {
                Some(at) if block[..from + at].ends_with('\\') => from += at + 3,
                found => break found.map(|at| from + at + 5),
            }
        }
    } else {
        let mut escaped = false;
        rest.char_indices().find_map(|(at, c)| match c {
            _ if escaped => {
                escaped = false;
                None
            }
            '\\' => {
                escaped = true;
                None
            }
            '"' => Some(at + 1),
            '\n' => Some(at),
            _ => None,
        })
    };
    &rest[..end.unwrap_or(rest.len())]
}

/// `\uD800` to `\uDFFF`, a half of a UTF-16 pair without the other. The library's parser breaks on them.
fn has_half(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let escape = &rest[at..];
        let length = match escape.as_bytes() {
            _ if pair(escape).is_some() => PAIR,
            [_, b'u', b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..] => return true,
            // Whatever is escaped, a backslash above all, begins no escape itself.
            _ => escape.char_indices().nth(2).map_or(escape.len(), |(at, _)| at),
        };
        rest = &escape[length..];
    }
    false
}

fn no_character() -> Refusal {
    Refusal::new(
        Code::ParseFailed,
        "This is not GraphQL: \\uD800 to \\uDFFF are halves of a character; write both, or the character itself.",
        "不是正確的 GraphQL 語法：\\uD800 至 \\uDFFF 僅為半個字元，請寫出兩半或該字元本身。",
    )
}

/// What a selection set comes to, fragments expanded.
#[derive(Clone, Copy, Default)]
struct Size {
    fields: u64,
    aliases: u64,
    /// Fields inside fields.
    depth: u64,
    /// Selection sets inside selection sets.
    levels: usize,
    /// Lists inside lists, by the names that introspection gives them.
    lists: usize,
    /// The same below `__schema` and `__type`, where they count.
    introspection: usize,
    /// Values that it would come to if all of it were introspection, and those of what is.
    values: u64,
    introspected: u64,
}

impl Size {
    fn beside(&mut self, other: Size) {
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.depth = self.depth.max(other.depth);
        self.levels = self.levels.max(other.levels);
        self.lists = self.lists.max(other.lists);
        self.introspection = self.introspection.max(other.introspection);
        self.values = self.values.saturating_add(other.values);
        self.introspected = self.introspected.saturating_add(other.introspected);
    }
}

/// Checks the document: depth, aliases, fields after fragments are expanded, circles of fragments.
pub(super) fn check_document(document: &ExecutableDocument, limits: &Limits) -> Result<(), Refusal> {
    let variables: usize = document.operations.iter().map(|(_, node)| node.node.variable_definitions.len()).sum();
    if variables > VARIABLES {
        return Err(
            too_costly("variables", VARIABLES as u64, "variables declared", "個變數宣告").with("found", variables)
        );
    }
    let mut walk = Walk { document, known: HashMap::new() };
    let mut whole = Size::default();
    for name in document.fragments.keys() {
        walk.fragment(name, 0)?;
    }
    for (_, operation) in document.operations.iter() {
        whole.beside(walk.selection(&operation.node.selection_set, 0)?);
    }
    let bounds = [
        ("depth", whole.depth, u64::from(limits.depth), "fields inside fields", "層欄位"),
        ("aliases", whole.aliases, u64::from(limits.aliases), "aliases", "個別名"),
        ("fields", whole.fields, u64::from(limits.fields), "fields after fragments are expanded", "個展開後的欄位"),
        (
            "introspection",
            whole.introspection as u64,
            INTROSPECTION_LISTS as u64,
            "lists inside lists of introspection",
            "層內省清單",
        ),
        ("introspected", whole.introspected, INTROSPECTED, "values of introspection", "個內省值"),
    ];
    for (limit, is, at_most, en, zh) in bounds {
        if is > at_most {
            return Err(too_costly(limit, at_most, en, zh).with("found", is));
        }
    }
    Ok(())
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    /// `None` while the fragment is being walked: meeting it again is a circle.
    known: HashMap<&'a Name, Option<Size>>,
}

impl<'a> Walk<'a> {
    fn fragment(&mut self, name: &'a Name, level: usize) -> Result<Size, Refusal> {
        match self.known.get(name) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => {
                let position = self.document.fragments.get(name).map(|fragment| place(fragment.pos));
                let refusal = Refusal::new(
                    Code::ValidationFailed,
                    format!("The fragment \"{name}\" spreads itself."),
                    format!("片段「{name}」循環引用自己。"),
                );
                return Err(position.into_iter().fold(refusal, Refusal::at));
            }
            None => {}
        }
        // A fragment that is not there is the validation's to report; it counts, or spreads of nothing would be free.
        let Some(fragment) = self.document.fragments.get(name) else {
            return Ok(Size { fields: 1, ..Size::default() });
        };
        self.known.insert(name, None);
        let size = self.selection(&fragment.node.selection_set, level)?;
        self.known.insert(name, Some(size));
        Ok(size)
    }

    fn selection(&mut self, set: &'a Positioned<SelectionSet>, level: usize) -> Result<Size, Refusal> {
        let deep = || too_costly("nesting", LEVELS as u64, "selections inside selections", "層選取").at(place(set.pos));
        if level > LEVELS {
            return Err(deep());
        }
        let mut size = Size::default();
        for item in &set.node.items {
            let inner = match &item.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    let mut inner = self.selection(&field.node.selection_set, level + 1)?;
                    inner.fields = inner.fields.saturating_add(1);
                    inner.aliases = inner.aliases.saturating_add(u64::from(field.node.alias.is_some()));
                    // Introspection is deep by nature and bounded by its own rule.
                    inner.depth = if name.starts_with("__") { 1 } else { inner.depth + 1 };
                    let list = matches!(name, "fields" | "inputFields" | "interfaces" | "possibleTypes");
                    inner.lists += usize::from(list);
                    inner.values = inner.values.saturating_mul(fan(name)).saturating_add(1);
                    if matches!(name, "__schema" | "__type") {
                        inner.introspection = inner.lists;
                        inner.introspected = inner.values;
                    }
                    inner
                }
                Selection::InlineFragment(inline) => self.selection(&inline.node.selection_set, level + 1)?,
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, level + 1)?,
            };
            size.beside(Size { levels: inner.levels + 1, ..inner });
        }
        if level + size.levels > LEVELS + 1 {
            return Err(deep());
        }
        Ok(size)
    }
}

fn place(pos: Pos) -> Position {
    Position { line: pos.line, column: pos.column }
}

fn too_costly(limit: &str, at_most: u64, en: &str, zh: &str) -> Refusal {
    Refusal::new(
        Code::QueryTooCostly,
        format!("Too large: at most {at_most} {en} are allowed."),
        format!("超過上限：至多 {at_most} {zh}。"),
    )
    .with("limit", limit)
    .with("most", at_most)
}
