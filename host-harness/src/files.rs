//! Files that arguments name.

use std::{fs, io, path::Path};

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

/// Reads a file that holds a secret. One that other users can read is refused, as ssh refuses such keys. What is not a regular file,
/// such as a pipe, has no readers but us.
pub(crate) fn read_secret(file: &Path) -> Result<String, CliError> {
    let unreadable = |source| CliError::Unreadable { file: file.to_owned(), source };
    let mut opened = fs::File::open(file).map_err(unreadable)?;
    #[cfg(unix)]
    {
        let metadata = opened.metadata().map_err(unreadable)?;
        let mode = std::os::unix::fs::MetadataExt::mode(&metadata) & 0o777;
        if metadata.is_file() && mode & 0o077 != 0 {
            return Err(CliError::NotPrivate { file: file.to_owned(), mode });
        }
    }
    io::read_to_string(&mut opened).map_err(unreadable)
}
