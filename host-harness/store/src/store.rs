//! What every store offers beyond [`SecretStore`].

use std::sync::Arc;

use async_trait::async_trait;
use crm_host::{
    credentials::{ClientRegistration, ConnectionId, GrantKey, Pending, SecretStore, StoreError},
    secret::Secret,
};
use jiff::Timestamp;

use crate::{ApiToken, Key, OpenError, TeamConnection};

/// A key that was rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// How many rows were sealed with the new key.
    pub rows: usize,
    /// How many rows did not open before, and still do not.
    pub damaged: usize,
}

/// Stores all that a platform keeps about connections.
///
/// Every method fails with [`StoreError`] when the store cannot be reached, or a sealed row cannot be opened. A write whose future is
/// dropped happens as a whole or not at all.
#[async_trait]
pub trait Store: SecretStore {
    /// The OAuth client of a grant. A refresh token works only with its client, so both are stored.
    async fn client(&self, key: &GrantKey) -> Result<Option<ClientRegistration>, StoreError>;

    /// The store as a broker uses it that connects `team`: with a new grant, it writes the grant's client and the team's
    /// connection, all or none.
    fn connecting(&self, team: &str, client: Option<ClientRegistration>) -> Arc<dyn SecretStore>;

    /// A team's connection for a plugin.
    async fn connection(&self, team: &str, plugin: &str) -> Result<Option<TeamConnection>, StoreError>;

    /// The id that a team's connection for a plugin has, even if the row cannot be opened. Use it only to remove the connection:
    /// another program may have changed it.
    async fn connection_to_remove(&self, team: &str, plugin: &str) -> Result<Option<ConnectionId>, StoreError>;

    /// All connections, ordered by team. Those that cannot be opened are errors of their own.
    async fn connections(&self) -> Result<Vec<Result<TeamConnection, StoreError>>, StoreError>;

    /// Removes a team's connection for a plugin with its grants, clients and memos. Returns the credentials of the grants that may
    /// still be valid at the server, or `None` if there was no connection. A broker must disconnect before, which revokes the grant
    /// of its plugin's credential; a grant of another build's credential stays until now, and a person must revoke it.
    async fn remove_connection(&self, team: &str, plugin: &str) -> Result<Option<Vec<String>>, StoreError>;

    /// The memos of a connection's target, ordered by field; empty before the fields were listed. `target` is empty for a plugin's
    /// first.
    async fn memos(
        &self,
        plugin: &str,
        connection: &ConnectionId,
        target: &str,
    ) -> Result<Vec<(String, String)>, StoreError>;

    /// Replaces the memos of a connection's target: what a plugin noted about the fields that it listed (`field.memo` in the
    /// contract).
    async fn put_memos(
        &self,
        plugin: &str,
        connection: &ConnectionId,
        target: &str,
        memos: Vec<(String, String)>,
    ) -> Result<(), StoreError>;

    /// Keeps a pending connection by its `state` until it expires, so that the callback may reach another process than the one that
    /// began. Removes those that have expired.
    async fn put_pending(&self, pending: &Pending, now: Timestamp) -> Result<(), StoreError>;

    /// Takes the pending connection of a `state`; `None` if it was taken before, has expired, or never existed. Of several takers,
    /// one gets it.
    async fn take_pending(&self, state: &Secret, now: Timestamp) -> Result<Option<Pending>, StoreError>;

    /// Makes a token of the HTTP API for a team, or for an operator, and returns its text, which is not stored.
    async fn create_token(
        &self,
        team: Option<&str>,
        scope: &str,
        now: Timestamp,
    ) -> Result<(ApiToken, Secret), StoreError>;

    /// The token with this text, unless it was revoked.
    async fn find_token(&self, text: &Secret) -> Result<Option<ApiToken>, StoreError>;

    /// All tokens, revoked ones included, ordered by id. Those that cannot be opened are errors of their own.
    async fn tokens(&self) -> Result<Vec<Result<ApiToken, StoreError>>, StoreError>;

    /// Revokes a token; one that was revoked keeps its time. Returns whether there is such a token. A row that cannot be opened is
    /// removed.
    async fn revoke_token(&self, id: &str, now: Timestamp) -> Result<bool, StoreError>;

    /// Replaces the secrets by which a service's webhooks for a team are recognized. Without any, there is no hook.
    async fn put_hook_secrets(&self, team: &str, service: &str, secrets: &[Secret]) -> Result<(), StoreError>;

    /// The secrets of a team's hook; empty if there are none.
    async fn hook_secrets(&self, team: &str, service: &str) -> Result<Vec<Secret>, StoreError>;

    /// Seals all rows with another key, all or none. Who has the store open with the present key alone must open it again with the new
    /// one.
    ///
    /// # Errors
    /// When the key is the present one, or the store fails; then all rows have the key that they had.
    async fn reseal(&self, key: &Key) -> Result<Rotated, OpenError>;
}
