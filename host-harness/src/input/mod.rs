//! The files that an operator gives: bookings, webhook bodies, mappings. Each fault is named with its path in the file.

mod mapping;
mod timerex;

use std::{fs, io::Read as _, path::Path};

use runtime::types::Booking;
use serde::de::DeserializeOwned;

pub use mapping::{FieldName, MappingFile, MappingRowFile};

/// Largest file that is read: the contract allows as much for one call's arguments.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// How a booking file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum BookingFormat {
    /// The contract's own record.
    #[default]
    Native,
    /// The webhook body of the scheduling service TimeRex.
    Timerex,
}

/// A fault in a file that an operator gave. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file cannot be read.
    #[error("{file}: {reason}")]
    Unreadable {
        /// Name of the file.
        file: String,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The file is larger than is accepted.
    #[error("{file}: larger than {MAX_FILE_BYTES} bytes, which is the most that is read")]
    TooLarge {
        /// Name of the file.
        file: String,
    },
    /// The file is not as it should be.
    #[error("{file}: {path}: {reason}")]
    Malformed {
        /// Name of the file.
        file: String,
        /// Where in the file, for example `answers[3].value`.
        path: String,
        /// What is wrong there, and what was expected.
        reason: String,
    },
}

impl InputError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "file-unreadable",
            Self::TooLarge { .. } => "file-too-large",
            Self::Malformed { .. } => "file-malformed",
        }
    }

    /// A fault at a path of a file.
    pub fn at(file: &Path, path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Malformed { file: file.display().to_string(), path: path.into(), reason: reason.into() }
    }
}

/// Reads a booking.
///
/// # Errors
/// When the file cannot be read, or is no booking of that format.
pub fn read_booking(file: &Path, format: BookingFormat) -> Result<Booking, InputError> {
    let booking = match format {
        BookingFormat::Native => read_json(file)?,
        BookingFormat::Timerex => {
            timerex::booking(&read_json(file)?).map_err(|fault| InputError::at(file, fault.path, fault.reason))?
        }
    };
    check_times(&booking).map_err(|(path, reason)| InputError::at(file, path, reason))?;
    Ok(booking)
}

/// Reads a mapping.
///
/// # Errors
/// When the file cannot be read, or is no mapping.
pub fn read_mapping(file: &Path) -> Result<MappingFile, InputError> {
    read_json(file)
}

/// The contract says that the host validates times; they are the one part of a booking that the types do not.
fn check_times(booking: &Booking) -> Result<(), (&'static str, String)> {
    let times = [("start", &booking.start), ("end", &booking.end), ("confirmed_at", &booking.confirmed_at)];
    let mut parsed = Vec::with_capacity(times.len());
    for (path, text) in times {
        let time: jiff::Timestamp = text.parse().map_err(|_| {
            (path, format!("expected RFC 3339 with an offset, as in 2026-12-02T08:30:00+09:00, found `{text}`"))
        })?;
        parsed.push(time);
    }
    if let [start, end, ..] = parsed.as_slice()
        && end < start
    {
        return Err(("end", format!("{} is before the start, {}", booking.end, booking.start)));
    }
    if jiff::tz::TimeZone::get(&booking.time_zone).is_err() {
        return Err(("time_zone", format!("expected an IANA name such as Asia/Tokyo, found `{}`", booking.time_zone)));
    }
    for (path, id) in [("id", &booking.id), ("team.id", &booking.team.id), ("calendar.id", &booking.calendar.id)] {
        if id.is_empty() || id.len() > 200 {
            return Err((path, format!("expected 1 to 200 bytes, found {}", id.len())));
        }
    }
    Ok(())
}

fn read_json<T: DeserializeOwned>(file: &Path) -> Result<T, InputError> {
    let unreadable = |reason| InputError::Unreadable { file: file.display().to_string(), reason };
    // Not by the file's length alone: a device has none.
    let mut text = String::new();
    let opened = fs::File::open(file).map_err(unreadable)?;
    opened.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(InputError::TooLarge { file: file.display().to_string() });
    }
    // Editors on Windows write a byte order mark; it says nothing in UTF-8 (RFC 8259, section 8.1, lets readers ignore it).
    parse_json(text.trim_start_matches('\u{feff}')).map_err(|(path, reason)| InputError::at(file, path, reason))
}

fn parse_json<T: DeserializeOwned>(text: &str) -> Result<T, (String, String)> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        (
            if matches!(path.as_str(), "." | "?") { "(the whole file)".to_owned() } else { path },
            readable(&error.into_inner()),
        )
    })?;
    json.end().map_err(|error| ("(the end of the file)".to_owned(), readable(&error)))?;
    Ok(value)
}

/// serde says `invalid type: map, expected text or list at line 1 column 9`; people look for what was expected first.
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const BOOKING: &str = include_str!("../../../examples/booking.json");

    fn error_of(text: &str, format: BookingFormat) -> String {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let error = read_booking(file.path(), format).unwrap_err().to_string();
        error.replace(&file.path().display().to_string(), "FILE")
    }

    #[test]
    fn the_example_is_a_booking() {
        let booking: Booking = parse_json(BOOKING).unwrap();
        check_times(&booking).unwrap();
        let json = serde_json::to_string(&booking).unwrap();
        assert_eq!(parse_json::<Booking>(&json).unwrap(), booking);
    }

    #[test]
    fn a_fault_is_named_with_its_path_and_what_was_expected() {
        let example: serde_json::Value = serde_json::from_str(BOOKING).unwrap();
        let with = |pointer: &str, value: serde_json::Value| {
            let mut changed = example.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            changed.to_string()
        };
        for (text, expected) in [
            (with("/answers/3/value", serde_json::json!({})), "FILE: answers[3].value: expected text or list"),
            (
                with("/answers/3/required", serde_json::json!("yes")),
                "FILE: answers[3].required: expected a boolean, found string",
            ),
            (with("/guest/email", serde_json::json!(7)), "FILE: guest.email: expected a string, found integer `7`"),
            (with("/start", serde_json::json!("2026-12-02 08:30")), "FILE: start: expected RFC 3339 with an offset"),
            (
                with("/end", serde_json::json!("2026-12-01T08:30:00+09:00")),
                "FILE: end: 2026-12-01T08:30:00+09:00 is before the start",
            ),
            (with("/time_zone", serde_json::json!("JST+9")), "FILE: time_zone: expected an IANA name"),
            (with("/id", serde_json::json!("")), "FILE: id: expected 1 to 200 bytes, found 0"),
            (with("/kind", serde_json::json!("cancelled")), "FILE: kind: unknown variant `cancelled`"),
            ("{".to_owned(), "FILE: (the whole file): EOF while parsing"),
            ("[]".to_owned(), "FILE: (the whole file): "),
            (format!("{BOOKING} x"), "FILE: (the end of the file): trailing characters"),
        ] {
            let error = error_of(&text, BookingFormat::Native);
            assert!(error.starts_with(expected), "{error}\nexpected {expected}");
        }
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let mut booking: serde_json::Value = serde_json::from_str(BOOKING).unwrap();
        booking["guest"]["e_mail"] = "a@example.com".into();
        let error = error_of(&booking.to_string(), BookingFormat::Native);
        assert!(error.starts_with("FILE: guest.e_mail: unknown field `e_mail`"), "{error}");
    }
}
