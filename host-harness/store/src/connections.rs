//! The connections of teams. Nothing here is secret, but nobody else must change which account a team is connected to.

use async_trait::async_trait;
use crm_host::{
    credentials::{
        ClientRegistration, ConnectionId, Generation, Grant, GrantKey, GrantState, Lease, SecretStore, StoreError,
        Stored,
    },
    origin::Origin,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    clients,
    rows::{Opened, Rows, Table},
    sqlite_store::{SqliteStore, row, save, unavailable},
};

/// A team's connection for a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamConnection {
    /// The team's name.
    pub team: String,
    /// Id of the plugin, as in its manifest.
    pub plugin: String,
    /// Id of the connection, under which its grants are stored.
    pub connection: ConnectionId,
    /// Where the person logged in, or the origin that their API key is for.
    pub login_host: Origin,
    /// When it was connected.
    pub connected_at: Timestamp,
}

/// What is sealed. The rest is the name of the row.
#[derive(Serialize, Deserialize)]
struct Content {
    login_host: Origin,
    connected_at: Timestamp,
}

impl SqliteStore {
    /// The store as a broker uses it that connects `team`: with a new grant, it writes the grant's client and the team's
    /// connection, all or none.
    pub fn connecting(&self, team: &str, client: Option<ClientRegistration>) -> Connecting {
        Connecting { store: self.clone(), team: team.to_owned(), client }
    }

    /// A team's connection for a plugin.
    ///
    /// # Errors
    /// When the store fails, or the row cannot be opened.
    pub async fn connection(&self, team: &str, plugin: &str) -> Result<Option<TeamConnection>, StoreError> {
        let (team, plugin) = (team.to_owned(), plugin.to_owned());
        self.read(move |rows| named(rows, &team, &plugin)?.map(|name| open(rows, name)).transpose()).await
    }

    /// The id that a team's connection for a plugin has, even if the row cannot be opened. Use it only to remove the connection:
    /// another program may have changed it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn connection_to_remove(&self, team: &str, plugin: &str) -> Result<Option<ConnectionId>, StoreError> {
        let (team, plugin) = (team.to_owned(), plugin.to_owned());
        self.read(move |rows| Ok(named(rows, &team, &plugin)?.map(|[.., connection]| ConnectionId::new(connection))))
            .await
    }

    /// All connections, ordered by team. Those that cannot be opened are errors of their own.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn connections(&self) -> Result<Vec<Result<TeamConnection, StoreError>>, StoreError> {
        self.read(|rows| {
            let names = rows.find(Table::Teams, "TRUE", &[])?;
            Ok(names.into_iter().map(|name| open(rows, name)).collect())
        })
        .await
    }

    /// Removes a team's connection for a plugin with its grants, clients and memos. Returns the credentials of the grants that may
    /// still be valid at the server, or `None` if there was no connection. A broker must disconnect before, which revokes the grant
    /// of its plugin's credential; a grant of another build's credential stays until now, and a person must revoke it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove_connection(&self, team: &str, plugin: &str) -> Result<Option<Vec<String>>, StoreError> {
        let (team, plugin) = (team.to_owned(), plugin.to_owned());
        self.write(move |rows| {
            let Some(name) = named(rows, &team, &plugin)? else { return Ok(None) };
            let [.., connection] = &name;
            let mut not_revoked = Vec::new();
            for grant in rows.find(Table::Grants, OF_CONNECTION, &[&plugin, connection])? {
                let row = grant.each_ref().map(String::as_str);
                let has_ended = has_ended(rows, row)?;
                rows.remove(Table::Grants, row)?;
                let [.., credential] = grant;
                not_revoked.extend((!has_ended).then_some(credential));
            }
            for client in rows.find(Table::Clients, OF_CONNECTION, &[&plugin, connection])? {
                rows.remove(Table::Clients, client.each_ref().map(String::as_str))?;
            }
            let delete = "DELETE FROM memos WHERE plugin = ?1 AND connection = ?2";
            rows.transaction.execute(delete, [&plugin, connection]).map_err(unavailable)?;
            rows.remove(Table::Teams, name.each_ref().map(String::as_str))?;
            Ok(Some(not_revoked))
        })
        .await
    }
}

const OF_CONNECTION: &str = "plugin = ?1 AND connection = ?2";

/// Whether a grant has certainly ended. One that cannot be opened may be valid.
fn has_ended(rows: &Rows<'_>, row: [&str; 3]) -> Result<bool, StoreError> {
    match rows.get(Table::Grants, row) {
        Ok(opened) => Ok(opened
            .and_then(|opened| GrantState::from_plaintext(&opened.plain).ok())
            .is_some_and(|state| matches!(state, GrantState::Ended(_)))),
        Err(StoreError::Unreadable(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The name of a team's row for a plugin, if there is one.
fn named(rows: &Rows<'_>, team: &str, plugin: &str) -> Result<Option<[String; 3]>, StoreError> {
    Ok(rows.find(Table::Teams, "team = ?1 AND plugin = ?2", &[team, plugin])?.pop())
}

fn open(rows: &Rows<'_>, name: [String; 3]) -> Result<TeamConnection, StoreError> {
    let damaged = || StoreError::Unreadable(format!("the connection of team `{}`; connect again", name[0]));
    let Opened { plain, .. } = rows.get(Table::Teams, name.each_ref().map(String::as_str))?.ok_or_else(damaged)?;
    let Content { login_host, connected_at } = serde_json::from_slice(&plain).map_err(|_| damaged())?;
    let [team, plugin, connection] = name;
    Ok(TeamConnection { team, plugin, connection: ConnectionId::new(connection), login_host, connected_at })
}

/// A [`SecretStore`] that writes a team's connection together with its new grant.
#[derive(Clone, Debug)]
pub struct Connecting {
    store: SqliteStore,
    team: String,
    client: Option<ClientRegistration>,
}

impl Connecting {
    fn put(&self, rows: &mut Rows<'_>, key: &GrantKey, grant: &Grant) -> Result<(), StoreError> {
        match &self.client {
            Some(client) => clients::put(rows, key, client)?,
            None => rows.remove(Table::Clients, row(key))?,
        }
        if let Some(earlier) = named(rows, &self.team, key.plugin.as_str())? {
            rows.remove(Table::Teams, earlier.each_ref().map(String::as_str))?;
        }
        let of_connection = rows.find(Table::Teams, OF_CONNECTION, &[key.plugin.as_str(), key.connection.as_str()])?;
        for name in of_connection {
            // A row that was renamed must not keep its team from connecting. One that opens is another team's.
            let name = name.each_ref().map(String::as_str);
            if matches!(rows.get(Table::Teams, name), Err(StoreError::Unreadable(_))) {
                rows.remove(Table::Teams, name)?;
            }
        }
        let content = Content { login_host: grant.login_host().clone(), connected_at: grant.connected_at() };
        let plain = serde_json::to_vec(&content).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        rows.put(Table::Teams, [&self.team, key.plugin.as_str(), key.connection.as_str()], &plain).map(drop)
    }
}

#[async_trait]
impl SecretStore for Connecting {
    async fn load(&self, key: &GrantKey) -> Result<Option<Stored>, StoreError> {
        self.store.load(key).await
    }

    async fn generation(&self, key: &GrantKey) -> Result<Option<Generation>, StoreError> {
        self.store.generation(key).await
    }

    async fn save(
        &self,
        key: &GrantKey,
        expected: Option<Generation>,
        state: &GrantState,
    ) -> Result<Generation, StoreError> {
        let (connecting, key, state) = (self.clone(), key.clone(), state.clone());
        self.store
            .write(move |rows| {
                let generation = save(rows, &key, expected, &state)?;
                if let GrantState::Live(grant) = &state {
                    connecting.put(rows, &key, grant)?;
                }
                Ok(generation)
            })
            .await
    }

    async fn remove(&self, key: &GrantKey, expected: Generation) -> Result<(), StoreError> {
        self.store.remove(key, expected).await
    }

    async fn acquire_lease(&self, key: &GrantKey, lease: &Lease, now: Timestamp) -> Result<bool, StoreError> {
        self.store.acquire_lease(key, lease, now).await
    }

    async fn release_lease(&self, key: &GrantKey, lease: &Lease) -> Result<(), StoreError> {
        self.store.release_lease(key, lease).await
    }
}
