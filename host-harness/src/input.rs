//! The files that an operator gives: bookings, webhook bodies, mappings. A fault is named with its path in the file.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use crm_booking::{Explained, Mapping, codes, source::text_of};
use crm_contract::ARGUMENTS;
use crm_intake::{Fault, Intake, Reading, Received};
use serde::Serialize;
use serde_json::Value;

/// Largest file that is read: the contract limits the arguments of one call to as much.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A fault in a file that an operator gave. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file cannot be read.
    #[error("cannot read {}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is larger than a call's arguments may be.
    #[error("{}: larger than {MAX_FILE_BYTES} bytes, the limit of one call", file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
    },
    /// The file's content is invalid.
    #[error("{}", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// Where in the file, and what is wrong there.
        source: Fault,
    },
    /// The webhook body is well formed, but neither confirms nor moves nor cancels a booking.
    #[error("{}: the event `{event}` has no booking to deliver ({reason})", file.display())]
    NoBooking {
        /// The file.
        file: PathBuf,
        /// The service's name of the event.
        event: String,
        /// The code of the reason.
        reason: &'static str,
    },
    /// The mapping names a field, an attribute, an option or a value that does not exist.
    #[error("{}: {place}: {message}", file.display())]
    Unknown {
        /// The mapping file.
        file: PathBuf,
        /// Where in the file.
        place: String,
        /// The code of the finding.
        code: &'static str,
        /// Which one, and which may be meant.
        message: String,
    },
    /// A text is longer than a plugin takes. Shortening it would lose what a guest wrote.
    #[error("{}: {place}: the text has {} bytes; a plugin takes at most {}", file.display(), grouped(*bytes), grouped(ARGUMENTS.text))]
    TextTooLong {
        /// The file.
        file: PathBuf,
        /// Where in the file.
        place: String,
        /// The length of the text.
        bytes: usize,
    },
}

impl InputError {
    /// A finding that no booking could be delivered with.
    pub(crate) fn unknown(file: &Path, found: &Explained) -> Self {
        let row = found.finding.rows.first();
        let (code, place) = match (found.finding.code.as_str(), row) {
            (codes::FIELD_UNKNOWN, Some(row)) => (codes::FIELD_UNKNOWN, format!("rows[{row}].field")),
            (_, Some(row)) => (codes::ATTRIBUTE_UNKNOWN, format!("rows[{row}].source")),
            (_, None) => (codes::OPTION_INVALID, "options".to_owned()),
        };
        Self::Unknown { file: file.to_owned(), place, code, message: found.finding.message.clone() }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "file-unreadable",
            Self::TooLarge { .. } => "file-too-large",
            Self::Malformed { .. } => "file-malformed",
            Self::NoBooking { .. } => "file-without-booking",
            Self::Unknown { code, .. } => code,
            Self::TextTooLong { .. } => "text-too-long",
        }
    }
}

/// Reads a booking.
///
/// # Errors
/// If the file cannot be read, is not of that format, or has no booking to deliver.
pub fn read_booking(file: &Path, format: &dyn Intake) -> Result<Reading, InputError> {
    let received =
        format.read(&read(file)?, None).map_err(|source| InputError::Malformed { file: file.to_owned(), source })?;
    match received {
        Received::Booking(reading) => {
            check_texts(file, &reading.booking)?;
            Ok(*reading)
        }
        Received::Ignored { event, reason } => {
            Err(InputError::NoBooking { file: file.to_owned(), event, reason: reason.code() })
        }
    }
}

/// Reads a mapping.
///
/// # Errors
/// If the file cannot be read, or is not a valid mapping.
pub fn read_mapping(file: &Path) -> Result<Mapping, InputError> {
    let mapping = crm_intake::json::parse(&read(file)?)
        .map_err(|source| InputError::Malformed { file: file.to_owned(), source })?;
    check_texts(file, &mapping)?;
    Ok(mapping)
}

/// Refuses a row whose value, such as that of a template, is longer than a plugin takes.
pub(crate) fn check_value(file: &Path, position: u32, row: &crm_contract::Row) -> Result<(), InputError> {
    match row.value.as_ref().map(|value| text_of(value).len()) {
        Some(bytes) if bytes > ARGUMENTS.text => {
            let place = format!("rows[{position}] ({})", row.field);
            Err(InputError::TextTooLong { file: file.to_owned(), place, bytes })
        }
        _ => Ok(()),
    }
}

/// Refuses texts that are longer than a plugin takes.
fn check_texts(file: &Path, content: &impl Serialize) -> Result<(), InputError> {
    let too_long = serde_json::to_value(content).ok().and_then(|content| too_long(&content, String::new()));
    too_long.map_or(Ok(()), |(place, bytes)| Err(InputError::TextTooLong { file: file.to_owned(), place, bytes }))
}

/// The first text that is too long, with its path and its length.
fn too_long(content: &Value, path: String) -> Option<(String, usize)> {
    match content {
        Value::String(text) => (text.len() > ARGUMENTS.text).then_some((path, text.len())),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| too_long(item, format!("{path}[{index}]")))
        }
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            too_long(member, if path.is_empty() { name.clone() } else { format!("{path}.{name}") })
        }),
        _ => None,
    }
}

/// A number with its thousands apart.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn read(file: &Path) -> Result<String, InputError> {
    let unreadable = |source| InputError::Unreadable { file: file.to_owned(), source };
    // The length of a device or a pipe is unknown before it is read.
    let mut text = String::new();
    let opened = fs::File::open(file).map_err(unreadable)?;
    opened.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(InputError::TooLarge { file: file.to_owned() });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn fault_of<T>(text: &str, read: impl Fn(&Path) -> Result<T, InputError>) -> String {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let error = read(file.path()).err().unwrap();
        crm_host::full_message(&error).replace(&file.path().display().to_string(), "FILE")
    }

    #[test]
    fn a_fault_names_the_file_the_path_and_the_reason_once() {
        let booking = |text: &str| fault_of(text, |file| read_booking(file, &crm_intake::Native));
        let mapping = |text: &str| fault_of(text, read_mapping);
        for (fault, expected) in [
            (booking("{"), "FILE: EOF while parsing"),
            (booking(r#"{"kind":7}"#), "FILE: kind: "),
            (
                mapping(r#"{"rows":[{"id":"a","field":"Company","source":{"question":"x"}}]}"#),
                "FILE: rows[0].source: unknown variant `question`",
            ),
            (
                mapping(r#"{"rows":[{"id":"a","field":"Company","source":{"fixed":"x"},"default":""}]}"#),
                "FILE: rows[0].default: unknown field `default`",
            ),
            (
                mapping(r#"{"rows":[{"id":"a","field":7,"source":{"fixed":"x"}}]}"#),
                "FILE: rows[0].field: expected a string",
            ),
            (mapping(r#"{"rows":[],"option":{}}"#), "FILE: option: unknown field `option`"),
            (
                mapping(
                    r#"{"rows":[{"id":"a","field":"X","source":{"fixed":"1"}},{"id":"a","field":"Y","source":{"fixed":"2"}}]}"#,
                ),
                "FILE: rows[1].id: rows[0] has the id `a` already",
            ),
            (booking(&" ".repeat(1 + (1 << 20))), "FILE: larger than 1048576 bytes"),
            (
                fault_of(r#"{"triggerEvent":"PING"}"#, |file| read_booking(file, &crm_intake::Calcom)),
                "FILE: the event `PING` has no booking to deliver (not-a-change)",
            ),
        ] {
            assert!(fault.starts_with(expected), "{fault}\nexpected {expected}");
        }
        let missing = read_mapping(Path::new("/no/such/file")).err().unwrap();
        assert_eq!(
            crm_host::full_message(&missing),
            "cannot read /no/such/file: No such file or directory (os error 2)"
        );
    }
}
