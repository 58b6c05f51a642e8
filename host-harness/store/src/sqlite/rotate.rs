//! Rotating the sealing key.
//!
//! The next key is on disk before a row is sealed with it, and the last one stays there until all rows are durably sealed with the
//! next. So the store opens with one of the two whenever a rotation is interrupted.

use std::sync::PoisonError;

use rusqlite::TransactionBehavior;

use super::{
    SqliteStore,
    key_file::{self, KeySource},
    unavailable,
};
use crate::{Key, OpenError, Rotated};

/// How far a rotation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The next key is on disk.
    KeyWritten,
    /// All rows are sealed with it, not yet durably.
    Resealed,
    /// They are durably.
    Committed,
}

impl SqliteStore {
    /// Seals all rows with a new key, and replaces the key file. Other processes that have the store open follow.
    ///
    /// # Errors
    /// When the platform keeps the key itself, or the store fails; then all rows have the key that they had.
    pub fn rotate_key_file(&self) -> Result<Rotated, OpenError> {
        self.rotate_key_file_after(|_, _| Ok(()))
    }

    /// The same for a folder with something else that is sealed with its key: `prepare` gets the present key and the next one, and makes
    /// the next one open that too, before it replaces the present one.
    ///
    /// # Errors
    /// As [`Self::rotate_key_file`], or if `prepare` fails; then nothing has changed.
    pub fn rotate_key_file_after(
        &self,
        prepare: impl FnOnce(&Key, &Key) -> Result<(), Box<dyn std::error::Error + Send + Sync>>,
    ) -> Result<Rotated, OpenError> {
        self.rotate(None, prepare, |_| Ok(()))
    }

    /// The keys of which one opens what is in the folder: the present one first.
    ///
    /// # Errors
    /// If a key file cannot be read.
    pub fn keys(&self) -> Result<Vec<Key>, OpenError> {
        let present = self.inner.open.lock().unwrap_or_else(PoisonError::into_inner).key().clone();
        let mut keys = self.inner.keys.keys(&self.inner.folder)?;
        keys.retain(|key| key.bytes() != present.bytes());
        keys.insert(0, present);
        Ok(keys)
    }

    pub(crate) fn rotate(
        &self,
        given: Option<&Key>,
        prepare: impl FnOnce(&Key, &Key) -> Result<(), Box<dyn std::error::Error + Send + Sync>>,
        mut reached: impl FnMut(Step) -> Result<(), OpenError>,
    ) -> Result<Rotated, OpenError> {
        let inner = &self.inner;
        let mut guard = inner.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = &mut *guard;
        let _turn = inner.folder.lock()?;
        let is_file = matches!(inner.keys, KeySource::File) && given.is_none();
        let next = match given {
            Some(key) => key.clone(),
            None if is_file => Key::random()?,
            None => return Err(OpenError::KeyGiven),
        };
        // A rotation of another process may have been interrupted since this store was opened.
        open.settle_key(inner)?;
        if open.has_key(&next) {
            return Err(OpenError::SameKey);
        }
        prepare(open.key(), &next).map_err(OpenError::Prepare)?;
        if is_file {
            key_file::write_next(&inner.folder, &next)?;
        }
        reached(Step::KeyWritten)?;
        let rotated = {
            let (transaction, rotated) = open.rows(inner, TransactionBehavior::Immediate)?.reseal(&next)?;
            reached(Step::Resealed)?;
            transaction.commit().map_err(unavailable)?;
            rotated
        };
        open.use_key(next);
        reached(Step::Committed)?;
        if is_file {
            open.settle_key(inner)?;
        }
        Ok(rotated)
    }
}
