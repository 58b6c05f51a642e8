//! The store in one SQLite file.

mod connections;
mod data_dir;
mod key_file;
mod memos;
mod pending;
mod rotate;
mod rows;
mod schema;
mod tokens;

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use crm_host::{
    credentials::{
        ClientRegistration, ConnectionId, Generation, GrantKey, GrantState, Lease, Pending, SecretStore, StoreError,
        Stored,
    },
    secret::Secret,
};
use crm_seal::Sealer;
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};

use self::{
    connections::Connecting,
    data_dir::Folder,
    key_file::KeySource,
    rows::{Head, Rows, Version},
};
use crate::{
    ApiToken, Key, OpenError, Rotated, Store, TeamConnection,
    contents::{self, number},
    table::{Table, row},
};

pub use data_dir::PrivacyError;
#[cfg(test)]
pub(crate) use {data_dir::Folder as DataFolder, rotate::Step};

const DATABASE_FILE: &str = "store.sqlite3";

/// Connections in SQLite, secrets sealed. Cheap to clone.
#[derive(Clone)]
pub struct SqliteStore {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) folder: Folder,
    pub(crate) keys: KeySource,
    pub(crate) open: Mutex<Open>,
}

/// The open database.
pub(crate) struct Open {
    database: Connection,
    key: Key,
    sealer: Sealer,
    /// The last version that this process has seen.
    seen: Version,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("folder", &self.inner.folder).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the store of a data directory with the key in its key file, and creates them if missing.
    ///
    /// # Errors
    /// When the directory, the key or the database cannot be used.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        Self::open_by(directory, KeySource::File)
    }

    /// Opens the store of a data directory with a key that the platform keeps itself.
    ///
    /// # Errors
    /// When the directory or the database cannot be used, or the key is not the store's.
    pub fn open_with_key(directory: &Path, key: Key) -> Result<Self, OpenError> {
        Self::open_by(directory, KeySource::Given(key))
    }

    fn open_by(directory: &Path, keys: KeySource) -> Result<Self, OpenError> {
        let folder = Folder::open_or_create(directory)?;
        // If processes open a new store at once, one makes its files and the others find them.
        let turn = folder.lock()?;
        // SQLite creates its log with the mode of the database.
        folder.create_file(DATABASE_FILE, b"")?;
        for file in ["", "-wal", "-shm", "-journal"] {
            folder.check(&format!("{DATABASE_FILE}{file}"))?;
        }
        let flags =
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut database = Connection::open_with_flags(folder.file(DATABASE_FILE), flags)?;
        schema::prepare(&mut database)?;
        let (key, seen) = match rows::sealed_head(&database)? {
            Some(sealed) => {
                let (key, head) = rows::open_head(keys.keys(&folder)?, &sealed).ok_or(OpenError::WrongKey)?;
                keys.settle(&folder, &key)?;
                (key, head.version())
            }
            None if rows::has_rows(&database)? => return Err(OpenError::Damaged),
            None => {
                let key = keys.of_new_store(&folder)?;
                let rows = Rows::new(database.transaction()?, &Sealer::new(&key), Head::of_new_store()?).commit()?;
                (key, rows)
            }
        };
        drop(turn);
        let open = Mutex::new(Open { database, sealer: Sealer::new(&key), key, seen });
        Ok(Self { inner: Arc::new(Inner { folder, keys, open }) })
    }

    /// Runs a task on a blocking thread.
    async fn blocking<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Inner, &mut Open) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = self.inner.clone();
        tokio::task::spawn_blocking(move || {
            // A panic rolls its transaction back, so the connection stays usable.
            let mut open = inner.open.lock().unwrap_or_else(PoisonError::into_inner);
            task(&inner, &mut open)
        })
        .await
        .map_err(|error| StoreError::Unavailable(error.to_string()))?
    }

    /// Runs a task with the tables that are not sealed.
    pub(crate) async fn plain<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.blocking(|_, open| task(&mut open.database).map_err(unavailable)).await
    }

    /// Reads sealed rows, all from the same state.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Rows<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.blocking(|inner, open| task(&open.rows(inner, TransactionBehavior::Deferred)?)).await
    }

    /// Changes sealed rows, all or none.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Rows<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.blocking(|inner, open| {
            let mut rows = open.rows(inner, TransactionBehavior::Immediate)?;
            let done = task(&mut rows)?;
            open.seen = rows.commit()?;
            Ok(done)
        })
        .await
    }
}

impl Open {
    pub(crate) fn rows(&mut self, inner: &Inner, behavior: TransactionBehavior) -> Result<Rows<'_>, StoreError> {
        let transaction = self.database.transaction_with_behavior(behavior).map_err(unavailable)?;
        let sealed = rows::sealed_head(&transaction).map_err(unavailable)?.unwrap_or_default();
        let mut head = Head::open(&self.sealer, &sealed);
        if head.is_none() {
            // Another process may have rotated the key since.
            let keys = inner.keys.keys(&inner.folder).map_err(|error| StoreError::Unavailable(error.to_string()))?;
            if let Some((key, opened)) = rows::open_head(keys, &sealed) {
                (self.sealer, self.key) = (Sealer::new(&key), key);
                head = Some(opened);
            }
        }
        let lost =
            || StoreError::Unreadable("the store's head was removed or changed, or sealed with another key".to_owned());
        let rows = Rows::new(transaction, &self.sealer, head.ok_or_else(lost)?);
        if !self.seen.can_become(rows.version()) {
            let replaced = "another store, or an older copy of the whole store, was put in place of the one in use";
            return Err(StoreError::Unreadable(replaced.to_owned()));
        }
        self.seen = rows.version();
        Ok(rows)
    }

    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    pub(crate) fn has_key(&self, key: &Key) -> bool {
        self.key.bytes() == key.bytes()
    }

    pub(crate) fn use_key(&mut self, key: Key) {
        (self.sealer, self.key) = (Sealer::new(&key), key);
    }

    /// Ends a rotation of the key that was interrupted. The folder must be locked.
    pub(crate) fn settle_key(&mut self, inner: &Inner) -> Result<(), OpenError> {
        drop(self.rows(inner, TransactionBehavior::Deferred)?);
        inner.keys.settle(&inner.folder, &self.key)
    }
}

/// An error of SQLite. Its text contains no values.
pub(super) fn unavailable(error: rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

#[async_trait]
impl SecretStore for SqliteStore {
    async fn load(&self, key: &GrantKey) -> Result<Option<Stored>, StoreError> {
        let key = key.clone();
        self.read(move |rows| rows.get(Table::Grants, &row(&key))?.map(contents::grant).transpose()).await
    }

    async fn generation(&self, key: &GrantKey) -> Result<Option<Generation>, StoreError> {
        let key = key.clone();
        self.read(move |rows| rows.generation(Table::Grants, &row(&key))?.map(contents::generation).transpose()).await
    }

    async fn save(
        &self,
        key: &GrantKey,
        expected: Option<Generation>,
        state: &GrantState,
    ) -> Result<Generation, StoreError> {
        let (key, state) = (key.clone(), state.clone());
        self.write(move |rows| save(rows, &key, expected, &state)).await
    }

    async fn remove(&self, key: &GrantKey, expected: Generation) -> Result<(), StoreError> {
        let (key, expected) = (key.clone(), number(expected)?);
        self.write(move |rows| match rows.generation(Table::Grants, &row(&key))? {
            Some(current) if current != expected => Err(StoreError::Conflict),
            _ => rows.remove(Table::Grants, &row(&key)),
        })
        .await
    }

    async fn acquire_lease(&self, key: &GrantKey, lease: &Lease, now: Timestamp) -> Result<bool, StoreError> {
        let (key, lease) = (key.clone(), lease.clone());
        self.plain(move |database| {
            let [plugin, connection, credential] = row(&key);
            let taken = database.execute(
                "INSERT INTO leases (plugin, connection, credential, holder, until_ms) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms
                 WHERE until_ms <= ?6",
                params![
                    plugin,
                    connection,
                    credential,
                    lease.holder,
                    lease.until.as_millisecond(),
                    now.as_millisecond()
                ],
            )?;
            Ok(taken == 1)
        })
        .await
    }

    async fn release_lease(&self, key: &GrantKey, lease: &Lease) -> Result<(), StoreError> {
        let (key, lease) = (key.clone(), lease.clone());
        self.plain(move |database| {
            let [plugin, connection, credential] = row(&key);
            database.execute(
                "DELETE FROM leases WHERE plugin = ?1 AND connection = ?2 AND credential = ?3 AND holder = ?4",
                [plugin, connection, credential, &lease.holder],
            )?;
            Ok(())
        })
        .await
    }
}

/// Writes a grant if the stored one still has the expected generation.
fn save(
    rows: &mut Rows<'_>,
    key: &GrantKey,
    expected: Option<Generation>,
    state: &GrantState,
) -> Result<Generation, StoreError> {
    if rows.generation(Table::Grants, &row(key))? != expected.map(number).transpose()? {
        return Err(StoreError::Conflict);
    }
    contents::generation(rows.put(Table::Grants, &row(key), &contents::seal_grant(state)?)?)
}

#[async_trait]
impl Store for SqliteStore {
    async fn client(&self, key: &GrantKey) -> Result<Option<ClientRegistration>, StoreError> {
        let key = key.clone();
        self.read(move |rows| {
            let opened = rows.get(Table::Clients, &row(&key))?;
            opened.map(|opened| contents::client(&key, &opened)).transpose()
        })
        .await
    }

    fn connecting(&self, team: &str, client: Option<ClientRegistration>) -> Arc<dyn SecretStore> {
        Arc::new(Connecting { store: self.clone(), team: team.to_owned(), client })
    }

    async fn connection(&self, team: &str, plugin: &str) -> Result<Option<TeamConnection>, StoreError> {
        let (team, plugin) = (team.to_owned(), plugin.to_owned());
        self.read(move |rows| connections::find(rows, &team, &plugin)).await
    }

    async fn connection_to_remove(&self, team: &str, plugin: &str) -> Result<Option<ConnectionId>, StoreError> {
        let (team, plugin) = (team.to_owned(), plugin.to_owned());
        self.read(move |rows| connections::find_to_remove(rows, &team, &plugin)).await
    }

    async fn connections(&self) -> Result<Vec<Result<TeamConnection, StoreError>>, StoreError> {
        self.read(connections::all).await
    }

    async fn remove_connection(&self, team: &str, plugin: &str) -> Result<Option<Vec<String>>, StoreError> {
        let (team, plugin) = (team.to_owned(), plugin.to_owned());
        self.write(move |rows| connections::remove(rows, &team, &plugin)).await
    }

    async fn memos(
        &self,
        plugin: &str,
        connection: &ConnectionId,
        target: &str,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let row = [plugin, connection.as_str(), target].map(str::to_owned);
        self.plain(move |database| memos::read(database, &row)).await
    }

    async fn put_memos(
        &self,
        plugin: &str,
        connection: &ConnectionId,
        target: &str,
        memos: Vec<(String, String)>,
    ) -> Result<(), StoreError> {
        let row = [plugin, connection.as_str(), target].map(str::to_owned);
        self.plain(move |database| memos::put(database, &row, memos)).await
    }

    async fn put_pending(&self, pending: &Pending, now: Timestamp) -> Result<(), StoreError> {
        let (state, until) = (contents::state_hash(pending.state()), pending.until());
        let plain = contents::seal_pending(pending)?;
        self.write(move |rows| pending::put(rows, &state, until, &plain, now)).await
    }

    async fn take_pending(&self, state: &Secret, now: Timestamp) -> Result<Option<Pending>, StoreError> {
        let state = contents::state_hash(state);
        let taken = self.write(move |rows| pending::take(rows, &state, now)).await?;
        taken.transpose()?.map(contents::pending).transpose()
    }

    async fn create_token(
        &self,
        team: Option<&str>,
        scope: &str,
        now: Timestamp,
    ) -> Result<(ApiToken, Secret), StoreError> {
        let token = contents::NewToken::new(team, scope, now)?;
        self.write(move |rows| {
            rows.put(Table::Tokens, &[&token.id, &token.hash], &token.content.seal()?)?;
            Ok(token.listed())
        })
        .await
    }

    async fn find_token(&self, text: &Secret) -> Result<Option<ApiToken>, StoreError> {
        let hash = contents::token_hash(text);
        self.read(move |rows| tokens::find(rows, &hash)).await
    }

    async fn tokens(&self) -> Result<Vec<Result<ApiToken, StoreError>>, StoreError> {
        self.read(tokens::all).await
    }

    async fn revoke_token(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.write(move |rows| tokens::revoke(rows, &id, now)).await
    }

    async fn put_hook_secrets(&self, team: &str, service: &str, secrets: &[Secret]) -> Result<(), StoreError> {
        let (name, plain) = ([team.to_owned(), service.to_owned()], contents::seal_secrets(secrets)?);
        let is_empty = secrets.is_empty();
        self.write(move |rows| {
            let name = name.each_ref().map(String::as_str);
            if is_empty { rows.remove(Table::Hooks, &name) } else { rows.put(Table::Hooks, &name, &plain).map(drop) }
        })
        .await
    }

    async fn hook_secrets(&self, team: &str, service: &str) -> Result<Vec<Secret>, StoreError> {
        let name = [team.to_owned(), service.to_owned()];
        let opened = self.read(move |rows| rows.get(Table::Hooks, &name.each_ref().map(String::as_str))).await?;
        opened.as_ref().map(contents::secrets).transpose().map(Option::unwrap_or_default)
    }

    async fn reseal(&self, key: &Key) -> Result<Rotated, OpenError> {
        let (store, key) = (self.clone(), key.clone());
        let resealing = tokio::task::spawn_blocking(move || store.rotate(Some(&key), |_, _| Ok(()), |_| Ok(())));
        resealing.await.map_err(|error| StoreError::Unavailable(error.to_string()))?
    }
}
