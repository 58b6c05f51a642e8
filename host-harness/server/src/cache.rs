//! What need not be read from a database for every booking.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crm_delivery::{Ledger, LedgerError};
use crm_host::{credentials::StoreError, secret::Secret};
use crm_store::{ApiToken, Store};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use sha2::{Digest as _, Sha256};

/// How long a token is believed after it was read: as long a revoked one still works.
const TOKEN_LASTS: Duration = Duration::from_secs(5);
/// Tokens and teams that are remembered at most.
const MOST: usize = 10_000;

/// Tokens and teams that were read lately.
#[derive(Default)]
pub(crate) struct Known {
    tokens: Mutex<HashMap<[u8; 32], (ApiToken, Instant)>>,
    teams: Mutex<HashSet<String>>,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Known")
    }
}

impl Known {
    /// The token with this text, unless it was revoked.
    pub(crate) async fn token(&self, store: &dyn Store, text: &Secret) -> Result<Option<ApiToken>, StoreError> {
        let digest: [u8; 32] = Sha256::digest(text.expose().as_bytes()).into();
        let known = self.tokens.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned();
        if let Some((token, read)) = known
            && read.elapsed() < TOKEN_LASTS
        {
            return Ok(Some(token));
        }
        let found = store.find_token(text).await?;
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= MOST {
            tokens.clear();
        }
        match &found {
            Some(token) => {
                tokens.insert(digest, (token.clone(), Instant::now()));
            }
            None => {
                tokens.remove(&digest);
            }
        }
        Ok(found)
    }

    /// Whether a team was created. Teams are never removed.
    pub(crate) async fn team(&self, ledger: &dyn Ledger, team: &str) -> Result<bool, LedgerError> {
        if self.teams.lock().unwrap_or_else(PoisonError::into_inner).contains(team) {
            return Ok(true);
        }
        let is_known = ledger.team(team).await?.is_some();
        let mut teams = self.teams.lock().unwrap_or_else(PoisonError::into_inner);
        if is_known {
            if teams.len() >= MOST {
                teams.clear();
            }
            teams.insert(team.to_owned());
        }
        Ok(is_known)
    }
}

/// Keeps one team from filling the ledger.
pub(crate) struct Pace(DefaultKeyedRateLimiter<String>);

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pace")
    }
}

impl Pace {
    pub(crate) fn new(per_second: NonZeroU32) -> Self {
        let burst = per_second.saturating_mul(NonZeroU32::MIN.saturating_add(3));
        Self(RateLimiter::keyed(Quota::per_second(per_second).allow_burst(burst)))
    }

    /// Whether a team may hand over a booking now.
    pub(crate) fn admits(&self, team: &str) -> bool {
        if self.0.len() > MOST {
            self.0.retain_recent();
        }
        self.0.check_key(&team.to_owned()).is_ok()
    }
}
