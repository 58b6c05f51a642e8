//! Turns: how many calls run at the same time, and how many of them for one connection. Without a share per connection, the
//! bookings of one team whose org does not answer would hold all turns and stop every other team.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{credentials::ConnectionId, manifest::Identifier};

/// Calls that run at the same time; further calls wait. Small enough that the pool's address space fits on every machine.
pub(crate) const CALLS: u32 = 64;
/// How long a call waits for its turn.
pub(crate) const WAIT: Duration = Duration::from_secs(10);

/// How calls share the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shares {
    pub(crate) calls: u32,
    /// Calls for one connection; an eighth of all if not set.
    pub(crate) of_connection: Option<u32>,
    pub(crate) wait: Duration,
}

impl Default for Shares {
    fn default() -> Self {
        Self { calls: CALLS, of_connection: None, wait: WAIT }
    }
}

pub(crate) struct Turns {
    all: Arc<Semaphore>,
    share: usize,
    wait: Duration,
    shares: Mutex<HashMap<Holder, Weak<Semaphore>>>,
}

/// Whose share a call counts to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    Connection(ConnectionId),
    /// Calls without a connection: a plugin's help, for example.
    Plugin(Identifier),
}

/// A call's turn, until it is dropped.
pub(crate) struct Turn {
    _all: OwnedSemaphorePermit,
    _own: OwnedSemaphorePermit,
}

/// No turn came in time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Busy(pub(crate) Duration);

impl Turns {
    pub(crate) fn new(shares: Shares) -> Self {
        let calls = usize::try_from(shares.calls).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS);
        let of_connection = shares.of_connection.map(|calls| usize::try_from(calls).unwrap_or(usize::MAX));
        Self {
            all: Arc::new(Semaphore::new(calls)),
            share: of_connection.unwrap_or(calls / 8).clamp(1, calls),
            wait: shares.wait,
            shares: Mutex::default(),
        }
    }

    /// Waits for a turn. Calls of one holder wait for each other first, and only then for those of others.
    pub(crate) async fn take(&self, holder: Holder) -> Result<Turn, Busy> {
        let turn = async {
            let own = self.share_of(holder).acquire_owned().await.ok()?;
            let all = self.all.clone().acquire_owned().await.ok()?;
            Some(Turn { _all: all, _own: own })
        };
        tokio::time::timeout(self.wait, turn).await.ok().flatten().ok_or(Busy(self.wait))
    }

    fn share_of(&self, holder: Holder) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(&holder).and_then(Weak::upgrade) {
            return share;
        }
        // Those that nobody has or waits for are forgotten, so that the map stays as small as what is going on.
        shares.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(Semaphore::new(self.share));
        shares.insert(holder, Arc::downgrade(&share));
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(calls: u32, of_connection: Option<u32>) -> Turns {
        Turns::new(Shares { calls, of_connection, wait: Duration::ZERO })
    }

    fn team(number: usize) -> Holder {
        Holder::Connection(ConnectionId::new(format!("team-{number}")))
    }

    #[tokio::test]
    async fn a_connection_has_an_eighth_of_the_turns_and_at_least_one() {
        for (calls, set, expected) in
            [(64, None, 8), (4, None, 1), (1, None, 1), (0, None, 1), (8, Some(3), 3), (8, Some(0), 1), (2, Some(9), 2)]
        {
            let turns = turns(calls, set);
            let mut held = Vec::new();
            while let Ok(turn) = turns.take(team(1)).await {
                held.push(turn);
            }
            assert_eq!(held.len(), expected, "{calls} {set:?}");
            assert_eq!(turns.take(team(2)).await.is_ok(), calls > 1 && expected < calls as usize);
            drop(held);
            assert!(turns.take(team(1)).await.is_ok(), "a turn that ended is free again");
        }
    }

    #[tokio::test]
    async fn what_needs_no_connection_has_the_share_of_its_plugin() {
        let turns = turns(16, None);
        let plugin = |id: &str| Holder::Plugin(id.parse().unwrap());
        let mut held = Vec::new();
        while let Ok(turn) = turns.take(plugin("hostile")).await {
            held.push(turn);
        }
        assert_eq!(held.len(), 2);
        assert!(turns.take(plugin("other")).await.is_ok() && turns.take(team(1)).await.is_ok());
    }

    #[tokio::test]
    async fn connections_without_calls_are_forgotten() {
        let turns = turns(16, None);
        for number in 0..1_000 {
            let _turn = turns.take(team(number)).await.unwrap();
        }
        assert!(turns.shares.lock().unwrap().len() <= 2);
    }
}
