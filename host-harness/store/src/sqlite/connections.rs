//! The connections of teams, with what belongs to them.

use async_trait::async_trait;
use crm_host::credentials::{
    ClientRegistration, ConnectionId, Generation, Grant, GrantKey, GrantState, Lease, SecretStore, StoreError, Stored,
};
use jiff::Timestamp;

use super::{SqliteStore, rows::Rows, save, unavailable};
use crate::{
    TeamConnection, contents,
    table::{Table, row},
};

const OF_CONNECTION: &str = "plugin = ?1 AND connection = ?2";

pub(super) fn find(rows: &Rows<'_>, team: &str, plugin: &str) -> Result<Option<TeamConnection>, StoreError> {
    let Some(name) = named(rows, team, plugin)? else { return Ok(None) };
    open(rows, name)
}

pub(super) fn find_to_remove(rows: &Rows<'_>, team: &str, plugin: &str) -> Result<Option<ConnectionId>, StoreError> {
    Ok(named(rows, team, plugin)?.map(|[.., connection]| ConnectionId::new(connection)))
}

pub(super) fn all(rows: &Rows<'_>) -> Result<Vec<Result<TeamConnection, StoreError>>, StoreError> {
    let names = rows.find(Table::Teams, "TRUE", &[])?;
    Ok(names.into_iter().filter_map(|name| open(rows, name).transpose()).collect())
}

pub(super) fn remove(rows: &mut Rows<'_>, team: &str, plugin: &str) -> Result<Option<Vec<String>>, StoreError> {
    let Some(name) = named(rows, team, plugin)? else { return Ok(None) };
    let [.., connection] = &name;
    let mut not_revoked = Vec::new();
    for grant in rows.find::<3>(Table::Grants, OF_CONNECTION, &[&plugin, connection])? {
        let row = grant.each_ref().map(String::as_str);
        let has_ended = match rows.get(Table::Grants, &row).transpose() {
            Some(opened) => contents::has_ended(opened)?,
            None => false,
        };
        rows.remove(Table::Grants, &row)?;
        let [.., credential] = grant;
        not_revoked.extend((!has_ended).then_some(credential));
    }
    for client in rows.find::<3>(Table::Clients, OF_CONNECTION, &[&plugin, connection])? {
        rows.remove(Table::Clients, &client.each_ref().map(String::as_str))?;
    }
    let delete = "DELETE FROM memos WHERE plugin = ?1 AND connection = ?2";
    rows.transaction.execute(delete, [plugin, connection]).map_err(unavailable)?;
    rows.remove(Table::Teams, &name.each_ref().map(String::as_str))?;
    Ok(Some(not_revoked))
}

/// The name of a team's row for a plugin, if there is one.
fn named(rows: &Rows<'_>, team: &str, plugin: &str) -> Result<Option<[String; 3]>, StoreError> {
    Ok(rows.find(Table::Teams, "team = ?1 AND plugin = ?2", &[&team, &plugin])?.pop())
}

fn open(rows: &Rows<'_>, name: [String; 3]) -> Result<Option<TeamConnection>, StoreError> {
    let opened = rows.get(Table::Teams, &name.each_ref().map(String::as_str))?;
    opened.map(|opened| contents::team(name, &opened)).transpose()
}

/// A [`SecretStore`] that writes a team's connection together with its new grant.
#[derive(Clone, Debug)]
pub(super) struct Connecting {
    pub(super) store: SqliteStore,
    pub(super) team: String,
    pub(super) client: Option<ClientRegistration>,
}

impl Connecting {
    fn put(&self, rows: &mut Rows<'_>, key: &GrantKey, grant: &Grant) -> Result<(), StoreError> {
        match &self.client {
            Some(client) => drop(rows.put(Table::Clients, &row(key), &contents::seal_client(client)?)?),
            None => rows.remove(Table::Clients, &row(key))?,
        }
        let (plugin, connection) = (key.plugin.as_str(), key.connection.as_str());
        if let Some(earlier) = named(rows, &self.team, plugin)? {
            rows.remove(Table::Teams, &earlier.each_ref().map(String::as_str))?;
        }
        for name in rows.find::<3>(Table::Teams, OF_CONNECTION, &[&plugin, &connection])? {
            // A row that was renamed must not keep its team from connecting. One that opens is another team's.
            let name = name.each_ref().map(String::as_str);
            if matches!(rows.get(Table::Teams, &name), Err(StoreError::Unreadable(_))) {
                rows.remove(Table::Teams, &name)?;
            }
        }
        rows.put(Table::Teams, &[&self.team, plugin, connection], &contents::seal_team(grant)?).map(drop)
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
