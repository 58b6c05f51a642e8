//! The keys of a ledger: one seals payloads, one makes tags.
//!
//! Both are random and sealed with the key of the data folder, so that replacing that key neither touches a million payloads nor splits
//! the lanes. While it is replaced, there is a row for each of the two.

use crm_seal::{Key, Sealer, Tagger, unwrap, wrap};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::OpenError;

const PAYLOADS: &str = "payloads";
const TAGS: &str = "tags";

/// What a ledger seals and tags with.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) sealer: Sealer,
    pub(crate) tagger: Tagger,
}

impl Keys {
    /// Opens the keys with one of those that may be the folder's, or makes them with the first.
    pub(crate) fn open(database: &Connection, outer: &[Key]) -> Result<Self, OpenError> {
        Ok(Self {
            sealer: Sealer::new(&open(database, outer, PAYLOADS)?),
            tagger: Tagger::new(&open(database, outer, TAGS)?),
        })
    }
}

fn open(database: &Connection, outer: &[Key], name: &str) -> Result<Key, OpenError> {
    for key in outer {
        let sealed: Option<Vec<u8>> = database
            .query_row(
                "SELECT sealed FROM key WHERE name = ?1 AND sealed_with = ?2",
                params![name, key.fingerprint()],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(sealed) = sealed {
            return unwrap(&sealed, key, name).map_err(|_| OpenError::WrongKey);
        }
    }
    let is_sealed: bool =
        database.query_row("SELECT EXISTS (SELECT 1 FROM key WHERE name = ?1)", [name], |row| row.get(0))?;
    let first = outer.first().filter(|_| !is_sealed).ok_or(OpenError::WrongKey)?;
    let key = Key::random().map_err(|error| OpenError::NoRandom(error.to_string()))?;
    put(database, &key, first, name)?;
    Ok(key)
}

fn put(database: &Connection, key: &Key, outer: &Key, name: &str) -> Result<(), OpenError> {
    let sealed = wrap(key, outer, name).map_err(|error| OpenError::NoRandom(error.to_string()))?;
    database.execute(
        "INSERT OR REPLACE INTO key (name, sealed_with, sealed) VALUES (?1, ?2, ?3)",
        params![name, outer.fingerprint(), sealed],
    )?;
    Ok(())
}

/// Seals the keys with a further key of the folder. Both open them until [`retire`].
pub(crate) fn add(database: &Connection, present: &[Key], next: &Key) -> Result<(), OpenError> {
    for name in [PAYLOADS, TAGS] {
        put(database, &open(database, present, name)?, next, name)?;
    }
    Ok(())
}

/// Removes the rows of all keys but the one that the folder has now.
pub(crate) fn retire(database: &Connection, present: &Key) -> Result<(), OpenError> {
    database.execute("DELETE FROM key WHERE sealed_with <> ?1", [present.fingerprint()])?;
    Ok(())
}
