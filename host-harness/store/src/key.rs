//! The sealing key, and its file.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand::{TryRng, rngs::SysRng};
use zeroize::Zeroizing;

use crate::{data_dir::Folder, sqlite_store::OpenError};

/// The environment variable in which the command takes the key: 32 bytes in base64.
pub const KEY_VARIABLE: &str = "HARNESS_STORE_KEY";

const KEY_FILE: &str = "key";
/// While the key is rotated, the next one. Whichever of the two opens the store is its key.
const NEXT_KEY_FILE: &str = "key.next";

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

    pub(crate) fn random() -> Result<Self, OpenError> {
        let mut bytes = Zeroizing::new([0; 32]);
        SysRng.try_fill_bytes(&mut *bytes).map_err(|error| OpenError::NoRandom(error.to_string()))?;
        Ok(Self(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(STANDARD.encode(self.0.as_slice()));
        text.push('\n');
        text
    }
}

/// Where the key of a store comes from.
#[derive(Clone, Debug)]
pub(crate) enum KeySource {
    /// The platform keeps it.
    Given(Key),
    /// The key file in the data folder.
    File,
}

impl KeySource {
    /// The keys of which one opens the store.
    pub(crate) fn keys(&self, folder: &Folder) -> Result<Vec<Key>, OpenError> {
        match self {
            Self::Given(key) => Ok(vec![key.clone()]),
            Self::File => {
                let mut keys = Vec::new();
                for name in [KEY_FILE, NEXT_KEY_FILE] {
                    if let Some(text) = folder.read(name)? {
                        keys.push(Key::from_base64(&text)?);
                    }
                }
                if keys.is_empty() { Err(OpenError::KeyMissing { path: folder.file(KEY_FILE) }) } else { Ok(keys) }
            }
        }
    }

    /// The key of a new store. A key file is created if it is missing.
    pub(crate) fn of_new_store(&self, folder: &Folder) -> Result<Key, OpenError> {
        match self {
            Self::Given(key) => Ok(key.clone()),
            Self::File => {
                if folder.read(KEY_FILE)?.is_none() {
                    folder.create_file(KEY_FILE, Key::random()?.text().as_bytes())?;
                }
                let text =
                    folder.read(KEY_FILE)?.ok_or_else(|| OpenError::KeyMissing { path: folder.file(KEY_FILE) })?;
                Key::from_base64(&text)
            }
        }
    }

    /// Ends a rotation that was interrupted: `current` is the key that opens the store. The folder must be locked.
    pub(crate) fn settle(&self, folder: &Folder, current: &Key) -> Result<(), OpenError> {
        let Self::File = self else { return Ok(()) };
        let Some(next) = folder.read(NEXT_KEY_FILE)? else { return Ok(()) };
        if Key::from_base64(&next)?.bytes() == current.bytes() {
            folder.replace(NEXT_KEY_FILE, KEY_FILE)?;
        } else {
            folder.remove(NEXT_KEY_FILE)?;
        }
        Ok(())
    }
}

/// Writes the key that a rotation is about to seal with. The folder must be locked.
pub(crate) fn write_next(folder: &Folder, key: &Key) -> Result<(), OpenError> {
    folder.create_file(NEXT_KEY_FILE, key.text().as_bytes())?;
    Ok(())
}
