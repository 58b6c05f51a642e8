//! JSON whose faults name their path.

use serde::de::DeserializeOwned;

use crate::Fault;

/// Parses JSON.
///
/// # Errors
/// If the text is not JSON of this type. The fault has the path, what was expected, and the line.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    // RFC 8259, section 8.1 lets a reader ignore a byte order mark; editors on Windows write one.
    let mut json = serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}'));
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let path = if matches!(path.as_str(), "." | "?") { String::new() } else { path };
        Fault::new(path, readable(&error.into_inner()))
    })?;
    json.end().map_err(|error| Fault::new("", readable(&error)))?;
    Ok(value)
}

/// serde writes `invalid type: map, expected text or list at line 1 column 9`; people look for what was expected first.
fn readable(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let (message, place) = match text.rsplit_once(" at line ") {
        Some((message, place)) => (message, format!(" (line {})", place.replace(" column ", ", column "))),
        None => (text.as_str(), String::new()),
    };
    match message.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected ")) {
        Some((found, expected)) => format!("expected {expected}, found {found}{place}"),
        None => format!("{message}{place}"),
    }
}
