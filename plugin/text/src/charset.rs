//! Characters that Salesforce does not store.

use crate::scan::has_control_or;

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
