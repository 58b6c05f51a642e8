//! Characters that nobody can see, and those that Salesforce does not store.

use crate::scan::has_control_or;
use std::borrow::Cow;

/// Whether a text has no character that can be seen.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_refused(c))
}

/// Whether Salesforce refuses to store a character (`TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET`): control characters other than
/// tabs and line breaks, and two code points that are not characters.
pub fn is_refused(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{FFFE}' | '\u{FFFF}')
}

/// The text without the characters that Salesforce refuses, if it has any.
pub fn cleaned(text: &str) -> Option<String> {
    // Refused characters begin with these bytes.
    (has_control_or(text, [0x7F, 0xC2, 0xEF]) && text.contains(is_refused)).then(|| text.replace(is_refused, ""))
}

/// The trimmed text.
pub fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}
