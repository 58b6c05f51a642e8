//! Grants in memory, for tests and for hosts whose connections end with the process.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Generation, GrantKey, GrantState, Lease, SecretStore, StoreError, Stored};

/// A [`SecretStore`] that keeps grants in memory only.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Content>);

#[derive(Debug, Default)]
struct Content {
    last_generation: u64,
    grants: HashMap<GrantKey, Stored>,
    leases: HashMap<GrantKey, Lease>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SecretStore for MemoryStore {
    async fn load(&self, key: &GrantKey) -> Result<Option<Stored>, StoreError> {
        Ok(self.content().grants.get(key).cloned())
    }

    async fn generation(&self, key: &GrantKey) -> Result<Option<Generation>, StoreError> {
        Ok(self.content().grants.get(key).map(|stored| stored.generation))
    }

    async fn save(
        &self,
        key: &GrantKey,
        expected: Option<Generation>,
        state: &GrantState,
    ) -> Result<Generation, StoreError> {
        let mut content = self.content();
        if content.grants.get(key).map(|stored| stored.generation) != expected {
            return Err(StoreError::Conflict);
        }
        content.last_generation += 1;
        let generation = Generation(content.last_generation);
        content.grants.insert(key.clone(), Stored { state: state.clone(), generation });
        Ok(generation)
    }

    async fn remove(&self, key: &GrantKey, expected: Generation) -> Result<(), StoreError> {
        let mut content = self.content();
        match content.grants.get(key) {
            Some(stored) if stored.generation != expected => Err(StoreError::Conflict),
            _ => {
                content.grants.remove(key);
                Ok(())
            }
        }
    }

    async fn acquire_lease(&self, key: &GrantKey, lease: &Lease, now: Timestamp) -> Result<bool, StoreError> {
        let mut content = self.content();
        if content.leases.get(key).is_some_and(|held| held.until > now) {
            return Ok(false);
        }
        content.leases.insert(key.clone(), lease.clone());
        Ok(true)
    }

    async fn release_lease(&self, key: &GrantKey, lease: &Lease) -> Result<(), StoreError> {
        let mut content = self.content();
        if content.leases.get(key).is_some_and(|held| held.holder == lease.holder) {
            content.leases.remove(key);
        }
        Ok(())
    }
}
