//! The store of grants, as a trait.

use std::fmt::{self, Debug};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{GrantKey, GrantState};

/// Stores grants.
///
/// Several processes may use one store. Writes are compare-and-swap on a generation that is never reused, not even after a
/// grant was removed and created again.
#[async_trait]
pub trait SecretStore: Debug + Send + Sync {
    /// Reads a grant, if there is one.
    async fn load(&self, key: &GrantKey) -> Result<Option<Stored>, StoreError>;

    /// The generation of a grant, if there is one. Works for one that cannot be opened too, so that it can be replaced or
    /// removed.
    async fn generation(&self, key: &GrantKey) -> Result<Option<Generation>, StoreError>;

    /// Durably writes a grant if the stored one still has the generation `expected` (`None`: if there is none), and returns
    /// the new generation.
    async fn save(
        &self,
        key: &GrantKey,
        expected: Option<Generation>,
        state: &GrantState,
    ) -> Result<Generation, StoreError>;

    /// Removes a grant if it has the generation `expected`. Removing a missing grant does nothing.
    async fn remove(&self, key: &GrantKey, expected: Generation) -> Result<(), StoreError>;

    /// Acquires the lease of a grant unless another holder has it beyond `now`. Returns whether it was acquired. A store for several
    /// machines counts the time from `now` to the lease's end by its own clock, because theirs may differ.
    async fn acquire_lease(&self, key: &GrantKey, lease: &Lease, now: Timestamp) -> Result<bool, StoreError>;

    /// Releases a lease. One that has expired or belongs to another holder by now is left alone.
    async fn release_lease(&self, key: &GrantKey, lease: &Lease) -> Result<(), StoreError>;
}

/// A stored grant.
#[derive(Clone, Debug)]
pub struct Stored {
    /// State of the grant.
    pub state: GrantState,
    /// Generation of this state.
    pub generation: Generation,
}

/// Counts the writes of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Generation(pub u64);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The temporary right to renew or revoke a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The holder: a different text for each lease, so that nobody releases another's.
    pub holder: String,
    /// When it expires.
    pub until: Timestamp,
}

/// Why a store operation failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The grant has changed since it was read.
    #[error("the grant has changed since it was read; read it again")]
    Conflict,
    /// The store cannot be reached just now.
    #[error("the store of credentials cannot be used just now: {0}")]
    Unavailable(String),
    /// The stored bytes cannot be opened.
    #[error("the stored credential cannot be opened: {0}")]
    Unreadable(String),
}

impl StoreError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Conflict => "store-conflict",
            Self::Unavailable(_) => "store-unavailable",
            Self::Unreadable(_) => "store-unreadable",
        }
    }
}
