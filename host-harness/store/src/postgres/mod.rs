//! The store in PostgreSQL, for many machines.
//!
//! A transaction at `READ COMMITTED` is enough: each change is a compare-and-swap on one row's generation, an upsert, or a deletion
//! that returns what it removed. Times are counted by the database's clock, because those of the machines differ.
//!
//! No statement is prepared under a name and no setting outlives a transaction, so a pooler between may pool by transaction.

mod rotate;
mod rows;
mod schema;

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use async_trait::async_trait;
use crm_host::{
    credentials::{
        ClientRegistration, ConnectionId, Generation, GrantKey, GrantState, Lease, Pending, SecretStore, StoreError,
        Stored,
    },
    full_message,
    secret::Secret,
};
use crm_seal::Sealer;
use deadpool_postgres::{Object, Pool};
use jiff::Timestamp;
use tokio_postgres::{
    GenericClient,
    types::{ToSql, Type},
};

use self::rows::{Found, Writing, texts};
use crate::{
    ApiToken, Key, OpenError, Rotated, Store, TeamConnection,
    contents::{self, NewToken, TokenContent, number},
    table::{StoreId, Table, new_store_id, not_sealed, row},
};

/// What the row that shows the store's key is sealed for.
const STORE: &[&[u8]] = &[b"store"];
/// Each operation takes a few milliseconds, so few connections serve many.
const POOL_SIZE: usize = 8;
const OF_CONNECTION: &str = "plugin = $1 AND connection = $2";
const OF_TEAM: &str = "team = $1 AND plugin = $2";

/// Connections in PostgreSQL, secrets sealed. Cheap to clone; all clones share a pool of connections to the database.
#[derive(Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
}

struct Inner {
    pool: Pool,
    store: StoreId,
    /// The keys that this process was given.
    keys: Vec<Key>,
    seal: RwLock<Arc<Seal>>,
}

/// The store's key.
struct Seal {
    key: Key,
    sealer: Sealer,
    /// The row that shows that it is the store's.
    shown: Vec<u8>,
}

impl Seal {
    fn new(key: Key, shown: Vec<u8>) -> Self {
        Self { sealer: Sealer::new(&key), key, shown }
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("pool", &self.inner.pool.status()).finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Opens the store in the schema `crm_grants` of a database, and creates it if it is missing. `url` has the form
    /// `postgres://user:password@host/database?sslmode=require`; a certificate is always verified, against the system's authorities or
    /// those in the PEM file of `sslrootcert`.
    ///
    /// `next` is a key that a rotation is about to set. With it, this process follows the rotation without being started again: give
    /// it to all machines, rotate, then give them the new key alone.
    ///
    /// # Errors
    /// When the URL, the server or the key cannot be used, or the server confirms commits that a crash can lose.
    pub async fn open(url: &str, key: Key, next: Option<Key>) -> Result<Self, OpenError> {
        let pool = crm_postgres::pool(url, "crm-store", POOL_SIZE)?;
        let mut client = pool.get().await.map_err(|error| OpenError::Postgres(error.into()))?;
        check_durability(&**client).await?;
        schema::prepare(&mut client).await?;
        let keys: Vec<Key> = std::iter::once(key).chain(next).collect();
        let shown = match shown(&**client).await.map_err(open_error)? {
            Some(shown) => shown,
            None => show_key(&mut client, keys.first()).await?,
        };
        let (seal, store) = keys.iter().find_map(|key| opened_by(key, &shown)).ok_or(OpenError::WrongKey)?;
        drop(client);
        Ok(Self { inner: Arc::new(Inner { pool, store, keys, seal: RwLock::new(Arc::new(seal)) }) })
    }
}

/// Refuses a server that confirms a commit before it is on disk: a saved refresh token must survive a crash, because the server that
/// gave it no longer takes the one before.
async fn check_durability(client: &impl GenericClient) -> Result<(), OpenError> {
    for setting in ["synchronous_commit", "fsync"] {
        // Servers that only speak PostgreSQL's protocol lack some settings.
        let select = "SELECT current_setting($1, true)";
        let row = client.query_typed_one(select, &[(&setting, Type::TEXT)]).await.map_err(open_error)?;
        if row.try_get::<_, Option<&str>>(0).map_err(open_error)? == Some("off") {
            return Err(OpenError::NotDurable { setting: setting.to_owned() });
        }
    }
    Ok(())
}

/// The row that shows the store's key; `None` if the store is new, or was damaged.
async fn shown(client: &impl GenericClient) -> Result<Option<Vec<u8>>, tokio_postgres::Error> {
    let row = client.query_typed_opt("SELECT sealed FROM crm_grants.store", &[]).await?;
    row.map(|row| row.try_get(0)).transpose()
}

/// A new row that shows a store's key.
fn show(key: &Key, store: &StoreId) -> Result<Vec<u8>, StoreError> {
    Sealer::new(key).seal(store, STORE).map_err(not_sealed)
}

fn opened_by(key: &Key, shown: &[u8]) -> Option<(Seal, StoreId)> {
    let seal = Seal::new(key.clone(), shown.to_vec());
    let store = StoreId::try_from(seal.sealer.open(shown, STORE).ok()?.as_slice()).ok()?;
    Some((seal, store))
}

/// Begins a new store with a key. Of several machines, one does so.
async fn show_key(client: &mut Object, key: Option<&Key>) -> Result<Vec<u8>, OpenError> {
    let transaction = client.transaction().await.map_err(open_error)?;
    let lock = format!("SELECT pg_advisory_xact_lock({})", schema::LOCK);
    transaction.batch_execute(&lock).await.map_err(open_error)?;
    if let Some(shown) = shown(&*transaction).await.map_err(open_error)? {
        return Ok(shown);
    }
    let tables = Table::ALL.map(|table| format!("EXISTS (SELECT FROM crm_grants.{})", table.name()));
    let has_rows = format!("SELECT {}", tables.join(" OR "));
    let has_rows = transaction.query_typed_one(&has_rows, &[]).await.and_then(|row| row.try_get(0));
    if has_rows.map_err(open_error)? {
        return Err(OpenError::Damaged);
    }
    let shown = show(key.ok_or(OpenError::WrongKey)?, &new_store_id()?)?;
    let insert = "INSERT INTO crm_grants.store (sealed) VALUES ($1)";
    transaction.execute_typed(insert, &[(&shown, Type::BYTEA)]).await.map_err(open_error)?;
    transaction.commit().await.map_err(open_error)?;
    Ok(shown)
}

impl Inner {
    async fn client(&self) -> Result<Object, StoreError> {
        self.pool.get().await.map_err(|error| match error {
            deadpool_postgres::PoolError::Backend(error) => unavailable(error),
            error => StoreError::Unavailable(format!("PostgreSQL: {}", full_message(&error))),
        })
    }

    /// The store's key, by the row that shows it.
    fn seal(&self, shown: Option<&[u8]>) -> Result<Arc<Seal>, StoreError> {
        let unreadable = |why: &str| StoreError::Unreadable(why.to_owned());
        let shown = shown.ok_or_else(|| unreadable("another program removed the row that shows the store's key"))?;
        let seal = self.seal.read().unwrap_or_else(PoisonError::into_inner).clone();
        if seal.shown == shown {
            return Ok(seal);
        }
        // Another machine has rotated the key since.
        match self.keys.iter().chain([&seal.key]).find_map(|key| opened_by(key, shown)) {
            Some((seal, store)) if store == self.store => Ok(self.use_seal(seal)),
            Some(_) => Err(unreadable("another store was put in place of the one in use")),
            None => {
                Err(unreadable("the store is sealed with another key by now; start this process again with that key"))
            }
        }
    }

    fn use_seal(&self, seal: Seal) -> Arc<Seal> {
        let seal = Arc::new(seal);
        *self.seal.write().unwrap_or_else(PoisonError::into_inner) = seal.clone();
        seal
    }

    /// Runs one statement on tables that are not sealed.
    async fn execute(
        &self,
        statement: &str,
        names: &[&str],
        values: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<u64, StoreError> {
        let mut all = texts(names);
        all.extend_from_slice(values);
        self.client().await?.execute_typed(statement, &all).await.map_err(unavailable)
    }

    /// Sealed rows, by a condition on their names.
    async fn find<const N: usize>(
        &self,
        table: Table,
        condition: &str,
        values: &[&str],
    ) -> Result<Vec<Found<N>>, StoreError> {
        rows::find(self, &**self.client().await?, table, condition, values).await
    }

    async fn generation(&self, table: Table, row: &[&str]) -> Result<Option<i64>, StoreError> {
        let select = format!("SELECT generation FROM crm_grants.{} WHERE {}", table.name(), table.is_row('$'));
        let found = self.client().await?.query_typed_opt(&select, &texts(row)).await.map_err(unavailable)?;
        found.map(|found| found.try_get(0)).transpose().map_err(unavailable)
    }
}

/// An error of PostgreSQL. Its text contains no values, which the server puts into the detail.
fn unavailable(error: tokio_postgres::Error) -> StoreError {
    let why = match error.as_db_error() {
        Some(error) => format!("{} ({})", error.message(), error.code().code()),
        None => full_message(&error),
    };
    StoreError::Unavailable(format!("PostgreSQL: {why}"))
}

fn open_error(error: tokio_postgres::Error) -> OpenError {
    OpenError::Postgres(error.into())
}

/// Time left, in milliseconds.
fn left(until: Timestamp, now: Timestamp) -> i64 {
    until.as_millisecond().saturating_sub(now.as_millisecond())
}

#[async_trait]
impl SecretStore for PostgresStore {
    async fn load(&self, key: &GrantKey) -> Result<Option<Stored>, StoreError> {
        let found = self.inner.find::<3>(Table::Grants, &Table::Grants.is_row('$'), &row(key)).await?.pop();
        found.map(|found| contents::grant(found.opened?)).transpose()
    }

    async fn generation(&self, key: &GrantKey) -> Result<Option<Generation>, StoreError> {
        self.inner.generation(Table::Grants, &row(key)).await?.map(contents::generation).transpose()
    }

    async fn save(
        &self,
        key: &GrantKey,
        expected: Option<Generation>,
        state: &GrantState,
    ) -> Result<Generation, StoreError> {
        let mut client = self.inner.client().await?;
        let writing = Writing::begin(&self.inner, &mut client).await?;
        let generation = save(&writing, key, expected, state).await?;
        writing.commit().await?;
        Ok(generation)
    }

    async fn remove(&self, key: &GrantKey, expected: Generation) -> Result<(), StoreError> {
        let delete = format!("DELETE FROM crm_grants.grants WHERE {} AND generation = $4", Table::Grants.is_row('$'));
        let expected = number(expected)?;
        let removed = self.inner.execute(&delete, &row(key), &[(&expected, Type::INT8)]).await?;
        if removed == 0 && self.inner.generation(Table::Grants, &row(key)).await?.is_some() {
            return Err(StoreError::Conflict);
        }
        Ok(())
    }

    async fn acquire_lease(&self, key: &GrantKey, lease: &Lease, now: Timestamp) -> Result<bool, StoreError> {
        let [plugin, connection, credential] = row(key);
        let insert = "INSERT INTO crm_grants.leases AS held (plugin, connection, credential, holder, until)
             VALUES ($1, $2, $3, $4, clock_timestamp() + $5 * interval '1 millisecond')
             ON CONFLICT (plugin, connection, credential) DO UPDATE SET holder = excluded.holder, until = excluded.until
             WHERE held.until <= clock_timestamp()";
        let names = [plugin, connection, credential, &lease.holder];
        Ok(self.inner.execute(insert, &names, &[(&left(lease.until, now), Type::INT8)]).await? == 1)
    }

    async fn release_lease(&self, key: &GrantKey, lease: &Lease) -> Result<(), StoreError> {
        let [plugin, connection, credential] = row(key);
        let delete = "DELETE FROM crm_grants.leases
             WHERE plugin = $1 AND connection = $2 AND credential = $3 AND holder = $4";
        self.inner.execute(delete, &[plugin, connection, credential, &lease.holder], &[]).await.map(drop)
    }
}

/// Writes a grant if the stored one still has the expected generation.
async fn save(
    writing: &Writing<'_>,
    key: &GrantKey,
    expected: Option<Generation>,
    state: &GrantState,
) -> Result<Generation, StoreError> {
    let expected = expected.map(number).transpose()?;
    let plain = contents::seal_grant(state)?;
    contents::generation(writing.put_over(Table::Grants, &row(key), expected, &plain).await?)
}

#[async_trait]
impl Store for PostgresStore {
    async fn client(&self, key: &GrantKey) -> Result<Option<ClientRegistration>, StoreError> {
        let found = self.inner.find::<3>(Table::Clients, &Table::Clients.is_row('$'), &row(key)).await?.pop();
        found.map(|found| contents::client(key, &found.opened?)).transpose()
    }

    fn connecting(&self, team: &str, client: Option<ClientRegistration>) -> Arc<dyn SecretStore> {
        Arc::new(Connecting { store: self.clone(), team: team.to_owned(), client })
    }

    async fn connection(&self, team: &str, plugin: &str) -> Result<Option<TeamConnection>, StoreError> {
        let found = self.inner.find(Table::Teams, OF_TEAM, &[team, plugin]).await?.pop();
        found.map(|found| contents::team(found.name, &found.opened?)).transpose()
    }

    async fn connection_to_remove(&self, team: &str, plugin: &str) -> Result<Option<ConnectionId>, StoreError> {
        let found = self.inner.find(Table::Teams, OF_TEAM, &[team, plugin]).await?.pop();
        Ok(found.map(|Found { name: [_, _, connection], .. }| ConnectionId::new(connection)))
    }

    async fn connections(&self) -> Result<Vec<Result<TeamConnection, StoreError>>, StoreError> {
        let found = self.inner.find(Table::Teams, "true", &[]).await?;
        Ok(found.into_iter().map(|found| contents::team(found.name, &found.opened?)).collect())
    }

    async fn remove_connection(&self, team: &str, plugin: &str) -> Result<Option<Vec<String>>, StoreError> {
        let mut client = self.inner.client().await?;
        let writing = Writing::begin(&self.inner, &mut client).await?;
        let Some(Found { name: [.., connection], .. }) =
            writing.take::<3>(Table::Teams, OF_TEAM, &[team, plugin]).await?.pop()
        else {
            return Ok(None);
        };
        let of_connection = [plugin, connection.as_str()];
        let mut not_revoked = Vec::new();
        for Found { name: [.., credential], opened } in
            writing.take::<3>(Table::Grants, OF_CONNECTION, &of_connection).await?
        {
            not_revoked.extend((!contents::has_ended(opened)?).then_some(credential));
        }
        for table in ["clients", "memos"] {
            let delete = format!("DELETE FROM crm_grants.{table} WHERE {OF_CONNECTION}");
            writing.execute(&delete, &of_connection, &[]).await?;
        }
        writing.commit().await?;
        Ok(Some(not_revoked))
    }

    async fn memos(
        &self,
        plugin: &str,
        connection: &ConnectionId,
        target: &str,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let select = "SELECT memos FROM crm_grants.memos WHERE plugin = $1 AND connection = $2 AND target = $3";
        let values = [plugin, connection.as_str(), target];
        let found = self.inner.client().await?.query_typed_opt(select, &texts(&values)).await.map_err(unavailable)?;
        let Some(found) = found else { return Ok(Vec::new()) };
        serde_json::from_slice(found.try_get(0).map_err(unavailable)?).map_err(|_| {
            StoreError::Unreadable(format!("the memos of connection `{connection}`; list its fields again"))
        })
    }

    async fn put_memos(
        &self,
        plugin: &str,
        connection: &ConnectionId,
        target: &str,
        mut memos: Vec<(String, String)>,
    ) -> Result<(), StoreError> {
        memos.sort();
        let memos = serde_json::to_vec(&memos).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let insert = "INSERT INTO crm_grants.memos (plugin, connection, target, memos) VALUES ($1, $2, $3, $4)
             ON CONFLICT (plugin, connection, target) DO UPDATE SET memos = excluded.memos";
        let names = [plugin, connection.as_str(), target];
        self.inner.execute(insert, &names, &[(&memos, Type::BYTEA)]).await.map(drop)
    }

    async fn put_pending(&self, pending: &Pending, now: Timestamp) -> Result<(), StoreError> {
        let (state, plain) = (contents::state_hash(pending.state()), contents::seal_pending(pending)?);
        let mut client = self.inner.client().await?;
        let writing = Writing::begin(&self.inner, &mut client).await?;
        sweep(&writing).await?;
        writing.put(Table::Pending, &[&state], &plain).await?;
        let update = "UPDATE crm_grants.pending SET until = clock_timestamp() + $2 * interval '1 millisecond'
             WHERE state = $1";
        writing.execute(update, &[&state], &[(&left(pending.until(), now), Type::INT8)]).await?;
        writing.commit().await
    }

    async fn take_pending(&self, state: &Secret, _now: Timestamp) -> Result<Option<Pending>, StoreError> {
        let mut client = self.inner.client().await?;
        let writing = Writing::begin(&self.inner, &mut client).await?;
        sweep(&writing).await?;
        let taken = writing.take::<1>(Table::Pending, "state = $1", &[&contents::state_hash(state)]).await?.pop();
        writing.commit().await?;
        taken.map(|taken| contents::pending(taken.opened?)).transpose()
    }

    async fn create_token(
        &self,
        team: Option<&str>,
        scope: &str,
        now: Timestamp,
    ) -> Result<(ApiToken, Secret), StoreError> {
        let token = NewToken::new(team, scope, now)?;
        let mut client = self.inner.client().await?;
        let writing = Writing::begin(&self.inner, &mut client).await?;
        writing.put(Table::Tokens, &[&token.id, &token.hash], &token.content.seal()?).await?;
        writing.commit().await?;
        Ok(token.listed())
    }

    async fn find_token(&self, text: &Secret) -> Result<Option<ApiToken>, StoreError> {
        let found = self.inner.find(Table::Tokens, "hash = $1", &[&contents::token_hash(text)]).await?.pop();
        let token = found.map(listed).transpose()?;
        Ok(token.filter(|token| token.revoked_at.is_none()))
    }

    async fn tokens(&self) -> Result<Vec<Result<ApiToken, StoreError>>, StoreError> {
        Ok(self.inner.find(Table::Tokens, "true", &[]).await?.into_iter().map(listed).collect())
    }

    async fn revoke_token(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let mut client = self.inner.client().await?;
        let writing = Writing::begin(&self.inner, &mut client).await?;
        // Of several that revoke it at once, the first sets the time.
        let lock = "SELECT FROM crm_grants.tokens WHERE id = $1 FOR UPDATE";
        writing.execute(lock, &[id], &[]).await?;
        let Some(Found { name, opened }) = writing.find::<2>(Table::Tokens, "id = $1", &[id]).await?.pop() else {
            return Ok(false);
        };
        let name = name.each_ref().map(String::as_str);
        match opened.and_then(|opened| TokenContent::read(&opened)) {
            Ok(mut content) => {
                content.revoked_at.get_or_insert(now);
                writing.put(Table::Tokens, &name, &content.seal()?).await?;
            }
            Err(StoreError::Unreadable(_)) => writing.remove(Table::Tokens, &name).await?,
            Err(error) => return Err(error),
        }
        writing.commit().await?;
        Ok(true)
    }

    async fn put_hook_secrets(&self, team: &str, service: &str, secrets: &[Secret]) -> Result<(), StoreError> {
        let mut client = self.inner.client().await?;
        let writing = Writing::begin(&self.inner, &mut client).await?;
        if secrets.is_empty() {
            writing.remove(Table::Hooks, &[team, service]).await?;
        } else {
            writing.put(Table::Hooks, &[team, service], &contents::seal_secrets(secrets)?).await?;
        }
        writing.commit().await
    }

    async fn hook_secrets(&self, team: &str, service: &str) -> Result<Vec<Secret>, StoreError> {
        let found: Vec<Found<2>> =
            self.inner.find(Table::Hooks, "team = $1 AND service = $2", &[team, service]).await?;
        found.into_iter().next().map_or(Ok(Vec::new()), |found| contents::secrets(&found.opened?))
    }

    async fn reseal(&self, key: &Key) -> Result<Rotated, OpenError> {
        rotate::reseal(&self.inner, key).await
    }
}

/// Removes the pending connections that have expired.
async fn sweep(writing: &Writing<'_>) -> Result<(), StoreError> {
    writing.execute("DELETE FROM crm_grants.pending WHERE until < clock_timestamp()", &[], &[]).await.map(drop)
}

fn listed(Found { name: [id, _], opened }: Found<2>) -> Result<ApiToken, StoreError> {
    Ok(TokenContent::read(&opened?)?.with_id(id))
}

/// A [`SecretStore`] that writes a team's connection together with its new grant.
#[derive(Clone, Debug)]
struct Connecting {
    store: PostgresStore,
    team: String,
    client: Option<ClientRegistration>,
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
        let mut client = self.store.inner.client().await?;
        let writing = Writing::begin(&self.store.inner, &mut client).await?;
        let generation = save(&writing, key, expected, state).await?;
        if let GrantState::Live(grant) = state {
            match &self.client {
                Some(client) => writing.put(Table::Clients, &row(key), &contents::seal_client(client)?).await?,
                None => writing.remove(Table::Clients, &row(key)).await?,
            }
            let (plugin, connection) = (key.plugin.as_str(), key.connection.as_str());
            for Found { name, opened } in writing.find::<3>(Table::Teams, OF_CONNECTION, &[plugin, connection]).await? {
                // A row that was renamed must not keep its team from connecting. One that opens is another team's.
                if matches!(opened, Err(StoreError::Unreadable(_))) {
                    writing.remove(Table::Teams, &name.each_ref().map(String::as_str)).await?;
                }
            }
            writing.put(Table::Teams, &[&self.team, plugin, connection], &contents::seal_team(grant)?).await?;
        }
        writing.commit().await?;
        Ok(generation)
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
