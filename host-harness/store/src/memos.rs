//! What plugins noted about the fields that they listed. Nothing here is secret.

use crm_host::credentials::{ConnectionId, StoreError};
use rusqlite::params;

use crate::sqlite_store::{SqliteStore, unavailable};

impl SqliteStore {
    /// The memos of a connection's target, by field; empty before the fields were listed. `target` is empty for a plugin's first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn memos(&self, connection: &ConnectionId, target: &str) -> Result<Vec<(String, String)>, StoreError> {
        let (connection, target) = (connection.as_str().to_owned(), target.to_owned());
        self.with(move |database, _| {
            let mut select = database
                .prepare("SELECT field, memo FROM memos WHERE connection = ?1 AND target = ?2")
                .map_err(unavailable)?;
            let rows =
                select.query_map([connection, target], |row| Ok((row.get(0)?, row.get(1)?))).map_err(unavailable)?;
            rows.map(|row| row.map_err(unavailable)).collect()
        })
        .await
    }

    /// Replaces the memos of a connection's target.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put_memos(
        &self,
        connection: &ConnectionId,
        target: &str,
        memos: Vec<(String, String)>,
    ) -> Result<(), StoreError> {
        let (connection, target) = (connection.as_str().to_owned(), target.to_owned());
        self.with(move |database, _| {
            let transaction = database.transaction().map_err(unavailable)?;
            transaction
                .execute("DELETE FROM memos WHERE connection = ?1 AND target = ?2", [&connection, &target])
                .map_err(unavailable)?;
            for (field, memo) in memos {
                transaction
                    .execute("INSERT INTO memos VALUES (?1, ?2, ?3, ?4)", params![connection, target, field, memo])
                    .map_err(unavailable)?;
            }
            transaction.commit().map_err(unavailable)
        })
        .await
    }
}
