//! The sealing key.

use std::{fmt, fs, io, io::Write, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand::{TryRng, rngs::SysRng};
use zeroize::Zeroizing;

use crate::{
    data_dir::{PrivacyError, check_file, create_private},
    sqlite_store::OpenError,
};

/// The environment variable with the key: 32 bytes in base64.
pub const KEY_VARIABLE: &str = "HARNESS_STORE_KEY";

const KEY_FILE: &str = "key";

/// A key of 256 bits, wiped when dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Key {
    /// Parses a key: 32 bytes in base64, blanks around it ignored.
    ///
    /// # Errors
    /// When the text is not such a key.
    pub fn from_base64(text: &str) -> Result<Self, OpenError> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| OpenError::KeyFormat)?);
        let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| OpenError::KeyFormat)?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key from the environment, else from the key file, which is created if `create` allows it.
    pub(crate) fn of_environment_or_file(directory: &Path, create: bool) -> Result<Self, OpenError> {
        match std::env::var(KEY_VARIABLE) {
            Ok(text) => Self::from_base64(&Zeroizing::new(text)),
            Err(std::env::VarError::NotUnicode(_)) => Err(OpenError::KeyFormat),
            Err(std::env::VarError::NotPresent) => Self::of_file(directory, create),
        }
    }

    pub(crate) fn of_file(directory: &Path, create: bool) -> Result<Self, OpenError> {
        let path = directory.join(KEY_FILE);
        match fs::exists(&path) {
            Ok(true) => {}
            Ok(false) if create => Self::create_file(&path)?,
            Ok(false) => return Err(OpenError::KeyMissing { path }),
            Err(source) => return Err(PrivacyError::Io { path, source }.into()),
        }
        check_file(&path)?;
        let text = Zeroizing::new(fs::read_to_string(&path).map_err(PrivacyError::io(&path))?);
        Self::from_base64(&text)
    }

    /// Creates the key file atomically: nobody sees a partial key, and if two processes try, one wins.
    fn create_file(path: &Path) -> Result<(), OpenError> {
        let mut random = Zeroizing::new([0; 40]);
        SysRng.try_fill_bytes(&mut *random).map_err(|error| OpenError::NoRandom(error.to_string()))?;
        let (key, suffix) = random.split_at(32);
        let suffix: String = suffix.iter().map(|byte| format!("{byte:02x}")).collect();
        let draft = path.with_extension(suffix);
        let mut text = Zeroizing::new(STANDARD.encode(key));
        text.push('\n');
        let written = create_private(&draft).and_then(|mut file| {
            file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(PrivacyError::io(&draft))?;
            match fs::hard_link(&draft, path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    Err(PrivacyError::Io { path: path.to_owned(), source: error })
                }
                _ => Ok(()),
            }
        });
        // The draft contains the key too, so it must be removed in any case.
        let removed = match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(PrivacyError::Io { path: draft, source: error })
            }
            _ => Ok(()),
        };
        written.and(removed).map_err(OpenError::from)
    }
}
