//! The keys of a ledger, in its database.

use crm_seal::{Key, LedgerKeys, WrappedKey};
use rusqlite::{Connection, params};

use crate::OpenError;

/// Opens the keys with one of those that may be the folder's, or makes them with the first.
pub(crate) fn open(database: &Connection, outer: &[Key]) -> Result<LedgerKeys, OpenError> {
    let mut found = rows(database)?;
    if found.is_empty() {
        let first = outer.first().ok_or(OpenError::WrongKey)?;
        found = LedgerKeys::make(first).map_err(|error| OpenError::NoRandom(error.to_string()))?;
        put(database, &found)?;
    }
    LedgerKeys::open(&found, outer).map_err(|_| OpenError::WrongKey)
}

fn rows(database: &Connection) -> Result<Vec<WrappedKey>, OpenError> {
    let mut select = database.prepare("SELECT name, sealed_with, sealed FROM key")?;
    let rows = select
        .query_map([], |row| Ok(WrappedKey { name: row.get(0)?, sealed_with: row.get(1)?, sealed: row.get(2)? }))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn put(database: &Connection, keys: &[WrappedKey]) -> Result<(), OpenError> {
    let transaction = database.unchecked_transaction()?;
    for WrappedKey { name, sealed_with, sealed } in keys {
        transaction.execute(
            "INSERT OR REPLACE INTO key (name, sealed_with, sealed) VALUES (?1, ?2, ?3)",
            params![name, sealed_with, sealed],
        )?;
    }
    Ok(transaction.commit()?)
}

/// Seals the keys with a further key of the folder. Both open them until [`retire`].
pub(crate) fn add(database: &Connection, present: &[Key], next: &Key) -> Result<(), OpenError> {
    put(database, &LedgerKeys::rewrap(&rows(database)?, present, next).map_err(|_| OpenError::WrongKey)?)
}

/// Removes the rows of all keys but the one that the folder has now.
pub(crate) fn retire(database: &Connection, present: &Key) -> Result<(), OpenError> {
    database.execute("DELETE FROM key WHERE sealed_with <> ?1", [present.fingerprint()])?;
    Ok(())
}
