//! A document in two parts: its text without strings and comments, which is stored once and in the clear, and those, which
//! can name a person and are sealed with the variables. The text stays a document that can be read; what was taken out of
//! it is put back in the same order.

use std::ops::Range;
use std::sync::Arc;

/// What stands in the text for a string. Not an empty one: two of these beside each other would begin a block.
const STRING: &str = "\"…\"";

/// What stands in the text for a comment.
const COMMENT: &str = "#";

/// A document in two parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// The text, with `"…"` for each string and an empty comment for each comment.
    pub text: String,
    /// Strings with their quotes and comments with their sign, in their order.
    pub strings: Arc<[Box<str>]>,
}

impl Wording {
    /// Takes a document apart, whether it can be read or not.
    pub fn of(document: &str) -> Wording {
        let (mut text, mut strings, mut last) = (String::with_capacity(document.len()), Vec::new(), 0);
        for token in tokens(document) {
            let taken = &document[token.clone()];
            text.push_str(&document[last..token.start]);
            text.push_str(if taken.starts_with('#') { COMMENT } else { STRING });
            strings.push(taken.into());
            last = token.end;
        }
        text.push_str(&document[last..]);
        Wording { text, strings: strings.into() }
    }
}

/// The document as it was sent. Without what was taken out, the text as it is.
pub fn whole(text: &str, strings: &[String]) -> String {
    let (mut document, mut last) = (String::with_capacity(text.len()), 0);
    for (token, taken) in tokens(text).zip(strings) {
        document.push_str(&text[last..token.start]);
        document.push_str(taken);
        last = token.end;
    }
    document.push_str(&text[last..]);
    document
}

/// Where strings and comments stand, as GraphQL's lexical grammar has them (October 2021, 2.1.4 and 2.9.4). A string
/// without an end goes to the end of its line, a block without one to the end of all.
fn tokens(document: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + document[at..].find(['"', '#'])?;
        let rest = &document[start..];
        let length = match rest.as_bytes() {
            [b'#', ..] => rest.find(['\n', '\r']).unwrap_or(rest.len()),
            [b'"', b'"', b'"', ..] => block(rest),
            _ => string(rest),
        };
        at = start + length;
        Some(start..at)
    })
}

/// Length of the block string at the beginning.
fn block(text: &str) -> usize {
    let mut at = 3;
    while let Some(found) = text[at..].find("\"\"\"") {
        let end = at + found;
        if !text[..end].ends_with('\\') {
            return end + 3;
        }
        at = end + 3;
    }
    text.len()
}

/// Length of the string at the beginning.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            '\n' | '\r' => return at,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(document: &str) -> (String, Vec<String>) {
        let Wording { text, strings } = Wording::of(document);
        (text, strings.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn strings_and_comments_are_taken_out() {
        let (text, strings) =
            parts("{ person(id: \"A\\\"1\") { name } } # for \"Wang\"\n{ b(t: \"\"\"x\\\"\"\"y\n\"\"\", n: 5) }");
        assert_eq!(text, "{ person(id: \"…\") { name } } #\n{ b(t: \"…\", n: 5) }");
        assert_eq!(strings, ["\"A\\\"1\"", "# for \"Wang\"", "\"\"\"x\\\"\"\"y\n\"\"\""]);
    }

    #[test]
    fn what_has_no_end_is_taken_out_too() {
        assert_eq!(parts("{ a(b: \"secret\n c }").0, "{ a(b: \"…\"\n c }");
        assert_eq!(parts("{ a(b: \"\"\"secret } \n").0, "{ a(b: \"…\"");
        assert_eq!(parts("# secret").0, "#");
        assert_eq!(parts("{ a(b: \"secret\\").0, "{ a(b: \"…\"");
        assert_eq!(parts("").0, "");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn put_back_it_is_what_it_was(document in "([a-z{}() ,:]|\"|\\\\|#|\n|王){0,60}") {
            let (text, strings) = parts(&document);
            prop_assert_eq!(whole(&text, &strings), document);
            // Nothing of it is left in the text.
            prop_assert!(Wording::of(&text).strings.iter().all(|taken| matches!(&**taken, STRING | COMMENT)));
        }
    }
}
