//! Whether there is anything to read in what was typed.

/// Whether a text shows nothing: spaces, control characters, and letters that no screen and no printer shows.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(|letter| letter.is_whitespace() || letter.is_control() || is_invisible(letter))
}

/// Zero-width and other invisible letters, fillers and marks of direction.
fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::is_blank;

    #[test]
    fn what_nobody_can_read_is_blank() {
        for text in ["", " ", "\u{3000}", "\u{200b}", "\u{feff}\u{2060} ", "\u{3164}", "\u{202e}"] {
            assert!(is_blank(text), "{text:?}");
        }
        for text in ["消防", "\u{200b}a", "-"] {
            assert!(!is_blank(text), "{text:?}");
        }
    }
}
