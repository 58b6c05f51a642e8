//! Files that only their owner may access.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Why a file or directory is not private.
#[derive(Debug, thiserror::Error)]
pub enum PrivacyError {
    /// It cannot be created or read.
    #[error("`{}` cannot be created or read", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Other users have access.
    #[error("other users have access to `{}` (mode {mode:o}); run `chmod {wanted:o} '{}'`, and treat its contents as compromised", path.display(), path.display())]
    Open {
        /// The path.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The required mode.
        wanted: u32,
    },
}

impl PrivacyError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

/// Creates a directory with mode 0700 if it is missing. Refuses one in which other users could replace our files; they may
/// list it, because the files themselves are private.
pub(crate) fn make_directory(path: &Path) -> Result<(), PrivacyError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(PrivacyError::io(path))?;
    check(path, 0o022, 0o700)
}

/// Refuses a file that other users can access.
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
    // On other systems, directories of a user are private by default.
    #[cfg(not(unix))]
    let _ = (metadata, forbidden, wanted);
    Ok(())
}

/// Creates a file with mode 0600.
pub(crate) fn create_private(path: &Path) -> Result<fs::File, PrivacyError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(PrivacyError::io(path))
}
