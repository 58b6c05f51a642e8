//! The OAuth client of each connection. A refresh token works only with its client, so both are stored.

use crm_host::{
    credentials::{ClientRegistration, GrantKey, StoreError},
    secret::Secret,
};
use rusqlite::{OptionalExtension, params};
use zeroize::Zeroizing;

use crate::sqlite_store::{SqliteStore, unavailable};

impl SqliteStore {
    /// Writes the client of a grant, replacing an earlier one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put_client(&self, key: &GrantKey, client: ClientRegistration) -> Result<(), StoreError> {
        let key = key.clone();
        self.with(move |database, sealer| {
            let seal = |secret: &Secret| sealer.seal(secret.expose().as_bytes(), &client_context(&key));
            let sealed = client
                .client_secret
                .as_ref()
                .map(seal)
                .transpose()
                .map_err(|_| StoreError::Unavailable("the client secret could not be sealed".to_owned()))?;
            database
                .execute(
                    "INSERT OR REPLACE INTO client_registrations (connection, credential, client_id, sealed_secret)
                     VALUES (?1, ?2, ?3, ?4)",
                    params![key.connection.as_str(), key.credential.as_str(), client.client_id, sealed],
                )
                .map_err(unavailable)?;
            Ok(())
        })
        .await
    }

    /// The client of a grant.
    ///
    /// # Errors
    /// When the store fails, or the secret cannot be opened.
    pub async fn client(&self, key: &GrantKey) -> Result<Option<ClientRegistration>, StoreError> {
        let key = key.clone();
        self.with(move |database, sealer| {
            let row: Option<(String, Option<Vec<u8>>)> = database
                .query_row(
                    "SELECT client_id, sealed_secret FROM client_registrations WHERE connection = ?1 AND credential = ?2",
                    [key.connection.as_str(), key.credential.as_str()],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()
                .map_err(unavailable)?;
            let Some((client_id, sealed)) = row else { return Ok(None) };
            let open = |sealed: Vec<u8>| -> Option<Secret> {
                let plain: Zeroizing<Vec<u8>> = sealer.open(&sealed, &client_context(&key)).ok()?;
                Some(Secret::new(std::str::from_utf8(&plain).ok()?))
            };
            let damaged = || StoreError::Unreadable(format!("the client of connection `{}`", key.connection));
            let client_secret = sealed.map(|sealed| open(sealed).ok_or_else(damaged)).transpose()?;
            Ok(Some(ClientRegistration { client_id, client_secret }))
        })
        .await
    }

    /// Removes the client of a grant.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove_client(&self, key: &GrantKey) -> Result<(), StoreError> {
        let key = key.clone();
        self.with(move |database, _| {
            database
                .execute(
                    "DELETE FROM client_registrations WHERE connection = ?1 AND credential = ?2",
                    [key.connection.as_str(), key.credential.as_str()],
                )
                .map_err(unavailable)?;
            Ok(())
        })
        .await
    }
}

fn client_context(key: &GrantKey) -> [&[u8]; 3] {
    [b"client", key.connection.as_str().as_bytes(), key.credential.as_str().as_bytes()]
}

#[cfg(test)]
mod tests {
    use crm_host::credentials::ConnectionId;

    use super::*;

    #[tokio::test]
    async fn a_client_secret_is_stored_sealed_and_removed_with_its_grant() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("data");
        let key = GrantKey { connection: ConnectionId::new("team-1"), credential: "crm".parse().unwrap() };
        let client =
            ClientRegistration { client_id: "id".into(), client_secret: Some(Secret::new("canary-client-secret")) };
        let store = SqliteStore::open(&folder).unwrap();
        store.put_client(&key, client).await.unwrap();
        drop(store);

        let store = SqliteStore::open(&folder).unwrap();
        let read = store.client(&key).await.unwrap().unwrap();
        assert_eq!(read.client_id, "id");
        assert_eq!(read.client_secret.unwrap().expose(), "canary-client-secret");
        for file in std::fs::read_dir(&folder).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(6).any(|six| six == b"canary"));
        }
        store.remove_client(&key).await.unwrap();
        assert!(store.client(&key).await.unwrap().is_none());
    }
}
