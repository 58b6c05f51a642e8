//! What a text has to see.

use crate::{Class, class};
use std::borrow::Cow;

/// Whether a text has nothing that a person could see: only blanks, invisible characters, control characters, and the two code
/// points that are no characters.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        matches!(class(c), Class::Blank | Class::Invisible) || c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}')
    })
}

/// Whether nobody sees a character.
pub fn is_invisible(c: char) -> bool {
    !c.is_ascii() && class(c) == Class::Invisible
}

/// Whether a text has a character that nobody sees.
pub fn has_invisible(text: &str) -> bool {
    !text.is_ascii() && text.contains(is_invisible)
}

/// A text without what nobody sees.
#[derive(Debug, PartialEq, Eq)]
pub struct Visible<'a> {
    /// The text, trimmed.
    pub text: Cow<'a, str>,
    /// The characters that were removed, each once, in their order; the first [`MOST_NAMED`] of them.
    pub removed: Vec<char>,
}

/// How many removed characters are named.
const MOST_NAMED: usize = 16;

/// Removes invisible characters, and blanks at the ends.
pub fn visible(text: Cow<'_, str>) -> Visible<'_> {
    let mut removed = Vec::new();
    if !has_invisible(&text) {
        return Visible { text: trimmed(text), removed };
    }
    for c in text.chars().filter(|c| is_invisible(*c)) {
        if removed.len() == MOST_NAMED {
            break;
        }
        if !removed.contains(&c) {
            removed.push(c);
        }
    }
    Visible { text: trimmed(Cow::Owned(text.replace(is_invisible, ""))), removed }
}

/// The trimmed text.
pub fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_nobody_sees_is_blank() {
        for text in
            ["", " \t\r\n", "\u{3000}\u{A0}", "\0\u{85}\u{9F}", "\u{200B}\u{FEFF}\u{AD}", "\u{3164}\u{2800}\u{E0041}"]
        {
            assert!(is_blank(text), "{}", text.escape_unicode());
        }
        for text in ["\u{200B}a", "-", "~", "'", "\u{301}", "ー"] {
            assert!(!is_blank(text), "{}", text.escape_unicode());
        }
    }

    #[test]
    fn what_is_removed_is_named_once() {
        let seen = visible(Cow::Borrowed(" \u{FEFF}a\u{200B}b\u{200B} \u{AD}"));
        assert_eq!((&*seen.text, &*seen.removed), ("ab", &['\u{FEFF}', '\u{200B}', '\u{AD}'][..]));
        let plain = visible(Cow::Borrowed(" 高橋 "));
        assert!(matches!(plain.text, Cow::Borrowed("高橋")) && plain.removed.is_empty());
        let all: String = ('\u{E0100}'..='\u{E01EF}').collect();
        assert_eq!(visible(Cow::Borrowed(&all)), Visible { text: "".into(), removed: all.chars().take(16).collect() });
    }
}
