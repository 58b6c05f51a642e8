//! Text in JSON.

use crate::scan::has_control_or;

/// Appends a text as a JSON string.
pub fn push_string(json: &mut Vec<u8>, text: &str) {
    if has_control_or(text, [b'"', b'\\']) {
        // Cannot fail: a string is always serialisable, and a vector takes any bytes.
        let _ = serde_json::to_writer(json, text);
        return;
    }
    json.reserve(text.len() + 2);
    json.push(b'"');
    json.extend_from_slice(text.as_bytes());
    json.push(b'"');
}
