//! Texts in which nobody can see anything.

/// Whether a text has no character that can be seen.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_refused(c))
}

/// Whether Salesforce refuses to store a character (`TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET`): control characters other than
/// tabs and line breaks, and two code points that are not characters.
pub fn is_refused(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{FFFE}' | '\u{FFFF}')
}
