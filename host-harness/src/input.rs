//! The files that an operator gives: bookings, webhook bodies, mappings. A fault is named with its path in the file.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use crm_booking::Mapping;
use crm_intake::{Fault, Intake, Received};

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
    /// A row of the mapping writes a field that the plugin does not list.
    #[error("{}: rows[{position}].field: {message}", file.display())]
    UnknownField {
        /// The mapping file.
        file: PathBuf,
        /// Position of the row.
        position: u32,
        /// Which field, and which one may be meant.
        message: String,
    },
}

impl InputError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "file-unreadable",
            Self::TooLarge { .. } => "file-too-large",
            Self::Malformed { .. } => "file-malformed",
            Self::UnknownField { .. } => crm_booking::codes::FIELD_UNKNOWN,
        }
    }
}

/// Reads a booking.
///
/// # Errors
/// If the file cannot be read, or is not a booking of that format.
pub fn read_booking(file: &Path, format: &dyn Intake) -> Result<Received, InputError> {
    format.read(&read(file)?).map_err(|source| InputError::Malformed { file: file.to_owned(), source })
}

/// Reads a mapping.
///
/// # Errors
/// If the file cannot be read, or is not a valid mapping.
pub fn read_mapping(file: &Path) -> Result<Mapping, InputError> {
    crm_intake::json::parse(&read(file)?).map_err(|source| InputError::Malformed { file: file.to_owned(), source })
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
