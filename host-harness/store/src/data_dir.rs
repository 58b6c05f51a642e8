//! Files for their owner's eyes only.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Why a file or directory is not private.
#[derive(Debug, thiserror::Error)]
pub enum PrivacyError {
    /// It cannot be made or read.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// Its path.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Others than its owner have access.
    #[error("others have access to `{}` (mode {mode:o}); run `chmod {wanted:o} '{}'`, and think of what it holds as known to them", path.display(), path.display())]
    Open {
        /// Its path.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode that it must have.
        wanted: u32,
    },
}

impl PrivacyError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

/// Makes a directory of mode 0700 where there is none; refuses one in which others may put files of theirs in the place of
/// ours. Others may list it: the files themselves are closed to them.
pub(crate) fn make_directory(path: &Path) -> Result<(), PrivacyError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(PrivacyError::io(path))?;
    check(path, 0o022, 0o700)
}

/// Refuses a file to which others have access.
pub(crate) fn check_file(path: &Path) -> Result<(), PrivacyError> {
    check(path, 0o077, 0o600)
}

fn check(path: &Path, forbidden: u32, wanted: u32) -> Result<(), PrivacyError> {
    let metadata = fs::metadata(path).map_err(PrivacyError::io(path))?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
        if mode & forbidden != 0 {
            return Err(PrivacyError::Open { path: path.to_owned(), mode, wanted });
        }
    }
    // Elsewhere, directories of a user are private by their place.
    #[cfg(not(unix))]
    let _ = (metadata, forbidden, wanted);
    Ok(())
}

/// Opens a new file of mode 0600.
pub(crate) fn create_private(path: &Path) -> Result<fs::File, PrivacyError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(PrivacyError::io(path))
}
