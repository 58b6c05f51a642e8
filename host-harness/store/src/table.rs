//! The tables of sealed rows, and what a row is sealed for.

use crm_host::credentials::{GrantKey, StoreError};
use rand::{TryRng, rngs::SysRng};
use zeroize::Zeroizing;

use crm_seal::{SealError, Sealer};

/// A table of sealed rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// By plugin, connection and credential.
    Grants,
    /// By plugin, connection and credential.
    Clients,
    /// By team, plugin and connection. `connection` is readable so that a damaged row can be removed with what belongs to it.
    Teams,
    /// By the hash of the `state`.
    Pending,
    /// By id and hash.
    Tokens,
    /// By team and service.
    Hooks,
}

impl Table {
    pub(crate) const ALL: [Self; 6] =
        [Self::Grants, Self::Clients, Self::Teams, Self::Pending, Self::Tokens, Self::Hooks];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Grants => "grants",
            Self::Clients => "clients",
            Self::Teams => "teams",
            Self::Pending => "pending",
            Self::Tokens => "tokens",
            Self::Hooks => "hooks",
        }
    }

    /// The columns that name a row.
    pub(crate) fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Grants | Self::Clients => &["plugin", "connection", "credential"],
            Self::Teams => &["team", "plugin", "connection"],
            Self::Pending => &["state"],
            Self::Tokens => &["id", "hash"],
            Self::Hooks => &["team", "service"],
        }
    }

    /// The condition that selects a row by all its columns. `mark` begins a parameter: `?` in SQLite, `$` in PostgreSQL.
    pub(crate) fn is_row(self, mark: char) -> String {
        let columns = self.columns().iter().zip(1..);
        columns.map(|(column, number)| format!("{column} = {mark}{number}")).collect::<Vec<_>>().join(" AND ")
    }

    pub(crate) fn damaged(self, row: &[&str]) -> StoreError {
        let remedy = match self {
            Self::Grants | Self::Clients | Self::Teams | Self::Pending => "connect again",
            Self::Tokens => "make another token",
            Self::Hooks => "set the hook's secret again",
        };
        let (row, table) = (row.join("`, `"), self.name());
        StoreError::Unreadable(format!("row `{row}` of {table} was changed or put back by another program; {remedy}"))
    }
}

/// Chosen at random when a store is made.
pub(crate) type StoreId = [u8; 16];

pub(crate) fn new_store_id() -> Result<StoreId, StoreError> {
    let mut store = StoreId::default();
    SysRng.try_fill_bytes(&mut store).map_err(|_| not_sealed(SealError))?;
    Ok(store)
}

/// What a row is sealed for: it opens nowhere else.
pub(crate) struct SealedFor<'a> {
    pub(crate) store: &'a StoreId,
    pub(crate) table: Table,
    pub(crate) row: &'a [&'a str],
    pub(crate) generation: i64,
}

impl SealedFor<'_> {
    fn with_context<T>(&self, task: impl FnOnce(&[&[u8]]) -> T) -> T {
        let generation = self.generation.to_be_bytes();
        let mut context = vec![self.store.as_slice(), self.table.name().as_bytes()];
        context.extend(self.row.iter().map(|name| name.as_bytes()));
        context.push(&generation);
        task(&context)
    }

    pub(crate) fn seal(&self, sealer: &Sealer, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.with_context(|context| sealer.seal(plain, context)).map_err(not_sealed)
    }

    pub(crate) fn open(&self, sealer: &Sealer, sealed: &[u8]) -> Result<Opened, StoreError> {
        let plain = self.with_context(|context| sealer.open(sealed, context));
        plain.map(|plain| Opened { generation: self.generation, plain }).map_err(|_| self.table.damaged(self.row))
    }
}

/// A row that was opened.
pub(crate) struct Opened {
    pub(crate) generation: i64,
    pub(crate) plain: Zeroizing<Vec<u8>>,
}

pub(crate) fn not_sealed(SealError: SealError) -> StoreError {
    StoreError::Unavailable("the operating system provides no random numbers".to_owned())
}

/// Names the row of a grant, and that of its client.
pub(crate) fn row(key: &GrantKey) -> [&str; 3] {
    [key.plugin.as_str(), key.connection.as_str(), key.credential.as_str()]
}
