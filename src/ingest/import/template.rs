//! Expressions of the mapping language: a column of the file, a named value or its part, `=constant`, or a
//! `{template}` of them. A template with an empty hole is empty as a whole, unless the hole has a question mark.

/// An expression, its names not yet resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// Always the same text.
    Constant(String),
    /// A name alone.
    Name(String),
    /// Texts and names in turn.
    Template(Vec<Piece>),
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Stands as it is.
    Text(String),
    /// A name in braces.
    Name(String),
    /// A name in braces with a question mark: empty, it leaves the rest standing.
    Optional(String),
}

impl Expression {
    /// Reads an expression; the fault says what is wrong with it.
    pub fn parse(text: &str) -> Result<Expression, String> {
        if let Some(constant) = text.strip_prefix('=') {
            return Ok(Expression::Constant(constant.to_owned()));
        }
        if !text.contains(['{', '}']) {
            return match text.trim() {
                "" => Err("an empty expression".to_owned()),
                name => Ok(Expression::Name(name.to_owned())),
            };
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (before, after) = rest.split_once('{').unwrap_or((rest, ""));
            if before.contains('}') {
                return Err(format!("`{text}` has a }} without its {{"));
            }
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            if before.len() == rest.len() {
                break;
            }
            let (name, after) = after.split_once('}').ok_or_else(|| format!("`{text}` has a {{ without its }}"))?;
            if name.trim().is_empty() {
                return Err(format!("`{text}` has empty braces"));
            }
            pieces.push(match name.trim().strip_suffix('?') {
                Some(name) => Piece::Optional(name.to_owned()),
                None => Piece::Name(name.trim().to_owned()),
            });
            rest = after;
        }
        Ok(Expression::Template(pieces))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        assert_eq!(Expression::parse("=合格"), Ok(Expression::Constant("合格".into())));
        assert_eq!(Expression::parse("執照號碼"), Ok(Expression::Name("執照號碼".into())));
        let name = |name: &str| Piece::Name(name.to_owned());
        assert_eq!(
            Expression::parse("{a.b}-{c}"),
            Ok(Expression::Template(vec![name("a.b"), Piece::Text("-".into()), name("c")]))
        );
        let optional = Piece::Optional("b".to_owned());
        assert_eq!(Expression::parse("{a}{b?}"), Ok(Expression::Template(vec![name("a"), optional])));
        for bad in ["", "{", "a}b", "{}", "{a", "{a}}"] {
            assert!(Expression::parse(bad).is_err(), "{bad}");
        }
    }
}
