//! The file of the sealing key.

use super::data_dir::Folder;
use crate::{Key, OpenError};

const KEY_FILE: &str = "key";
/// While the key is rotated, the next one. Whichever of the two opens the store is its key.
const NEXT_KEY_FILE: &str = "key.next";

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
                Ok(Key::from_base64(&text)?)
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
