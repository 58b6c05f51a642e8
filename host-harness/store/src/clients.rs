//! The OAuth client of each connection. A refresh token works only with its client, so both are stored.

use crm_host::{
    credentials::{ClientRegistration, GrantKey, StoreError},
    secret::Secret,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    rows::{Opened, Rows, Table},
    sqlite_store::{SqliteStore, row},
};

/// What is sealed. It borrows the secret, so that writing makes only the copy that is sealed.
#[derive(Serialize)]
struct Written<'a> {
    id: &'a str,
    secret: Option<&'a str>,
}

#[derive(Deserialize)]
struct Read {
    id: String,
    secret: Option<String>,
}

impl SqliteStore {
    /// The client of a grant.
    ///
    /// # Errors
    /// When the store fails, or the client cannot be opened.
    pub async fn client(&self, key: &GrantKey) -> Result<Option<ClientRegistration>, StoreError> {
        let key = key.clone();
        self.read(move |rows| {
            let Some(Opened { plain, .. }) = rows.get(Table::Clients, row(&key))? else { return Ok(None) };
            let Read { id, secret } = serde_json::from_slice(&plain).map_err(|_| {
                StoreError::Unreadable(format!("the client of connection `{}`; connect again", key.connection))
            })?;
            Ok(Some(ClientRegistration { client_id: id, client_secret: secret.map(Secret::new) }))
        })
        .await
    }
}

pub(crate) fn put(rows: &mut Rows<'_>, key: &GrantKey, client: &ClientRegistration) -> Result<(), StoreError> {
    let written = Written { id: &client.client_id, secret: client.client_secret.as_ref().map(Secret::expose) };
    // Large from the start: a growing buffer leaves copies of its bytes behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(1 << 14));
    serde_json::to_writer(&mut *plain, &written).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    rows.put(Table::Clients, row(key), &plain).map(drop)
}
