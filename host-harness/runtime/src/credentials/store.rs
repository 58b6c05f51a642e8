//! Where grants lie, as a seam.

use std::fmt::{self, Debug};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{GrantKey, GrantState};

/// Keeps grants.
///
/// Many processes may use one store. Writing is compare-and-swap on a generation that is never used twice, not even after
/// a grant was removed and made anew.
#[async_trait]
pub trait SecretStore: Debug + Send + Sync {
    /// Reads a grant; `None` when there is none.
    async fn load(&self, key: &GrantKey) -> Result<Option<Stored>, StoreError>;

    /// Writes a grant if the stored one still has the generation `expected` (`None`: if there is none), durably, before
    /// it returns. Gives the new generation.
    async fn save(
        &self,
        key: &GrantKey,
        expected: Option<Generation>,
        state: &GrantState,
    ) -> Result<Generation, StoreError>;

    /// Removes a grant if it has the generation `expected`. Removing what is not there does nothing.
    async fn remove(&self, key: &GrantKey, expected: Generation) -> Result<(), StoreError>;

    /// Takes the lease of a grant for `lease`, unless another holds it beyond `now`. Says whether it was taken.
    async fn acquire_lease(&self, key: &GrantKey, lease: &Lease, now: Timestamp) -> Result<bool, StoreError>;

    /// Gives a lease back. One that ran out or was taken by another since is left alone.
    async fn release_lease(&self, key: &GrantKey, lease: &Lease) -> Result<(), StoreError>;
}

/// A grant as it lies in the store.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its state.
    pub state: GrantState,
    /// Which writing of it this is.
    pub generation: Generation,
}

/// Which writing of a grant is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Generation(pub u64);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The right to renew or revoke a grant, for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it: another text for each lease, so that nobody gives back another's.
    pub holder: String,
    /// Until when.
    pub until: Timestamp,
}

/// Why a store could not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The grant was written by another since it was read.
    #[error("the grant was changed by another since it was read; read it again")]
    Conflict,
    /// The store cannot be reached just now.
    #[error("the store of credentials cannot be used just now: {0}")]
    Unavailable(String),
    /// What lies there cannot be opened.
    #[error("the stored credential cannot be opened: {0}")]
    Unreadable(String),
}

impl StoreError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Conflict => "store-conflict",
            Self::Unavailable(_) => "store-unavailable",
            Self::Unreadable(_) => "store-unreadable",
        }
    }
}
