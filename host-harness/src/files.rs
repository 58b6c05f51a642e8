//! Files that arguments name.

use std::{fs, path::Path};

use crate::error::CliError;

pub(crate) fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    fs::read(file).map_err(|source| CliError::Unreadable { file: file.to_owned(), source })
}

pub(crate) fn read_text(file: &Path) -> Result<String, CliError> {
    fs::read_to_string(file).map_err(|source| CliError::Unreadable { file: file.to_owned(), source })
}

pub(crate) fn write(file: &Path, text: &str) -> Result<(), CliError> {
    fs::write(file, text).map_err(|source| CliError::Unwritable { file: file.to_owned(), source })
}
