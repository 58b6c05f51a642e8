//! What plugins noted about the fields that they listed. Nothing here is secret or sealed.

use crm_host::credentials::{ConnectionId, StoreError};
use rusqlite::params;

use crate::sqlite_store::SqliteStore;

impl SqliteStore {
    /// The memos of a connection's target, by field; empty before the fields were listed. `target` is empty for a plugin's first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn memos(
        &self,
        plugin: &str,
        connection: &ConnectionId,
        target: &str,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let row = [plugin, connection.as_str(), target].map(str::to_owned);
        self.plain(move |database| {
            let mut select = database
                .prepare("SELECT field, memo FROM memos WHERE plugin = ?1 AND connection = ?2 AND target = ?3")?;
            select.query_map(row, |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
        .await
    }

    /// Replaces the memos of a connection's target.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put_memos(
        &self,
        plugin: &str,
        connection: &ConnectionId,
        target: &str,
        memos: Vec<(String, String)>,
    ) -> Result<(), StoreError> {
        let row = [plugin, connection.as_str(), target].map(str::to_owned);
        self.plain(move |database| {
            let transaction = database.transaction()?;
            let delete = "DELETE FROM memos WHERE plugin = ?1 AND connection = ?2 AND target = ?3";
            transaction.execute(delete, row.each_ref())?;
            let [plugin, connection, target] = &row;
            for (field, memo) in memos {
                let insert = "INSERT INTO memos VALUES (?1, ?2, ?3, ?4, ?5)";
                transaction.execute(insert, params![plugin, connection, target, field, memo])?;
            }
            transaction.commit()
        })
        .await
    }
}
