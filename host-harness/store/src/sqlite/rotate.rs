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
        self.rotate(None, |_| Ok(()))
    }

    pub(crate) fn rotate(
        &self,
        given: Option<&Key>,
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
