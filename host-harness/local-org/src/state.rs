//! An org's state while it runs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{fault::Fault, log::LogEntry, message::Request, store::Tracked, token::Digest};

/// State that survives a restart (`kept`) and state that does not.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub kept: Tracked<Kept>,
    pub codes: BTreeMap<Digest, Code>,
    /// Browser sessions: cookie to user name.
    pub browsers: BTreeMap<Digest, String>,
    /// Refresh tokens with a refresh in progress.
    pub refreshing: BTreeSet<Digest>,
    pub cursors: BTreeMap<String, Cursor>,
    pub faults: Vec<Fault>,
    /// Requests that a fault deferred, with their due times.
    pub late: Vec<(Timestamp, Request)>,
    pub log: VecDeque<LogEntry>,
}

/// State that survives a restart. Tokens are stored as digests, so a copy of the file grants no access.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    /// Consumer key and secret from the org file, or generated ones.
    pub client_id: String,
    pub client_secret: String,
    pub callbacks: Vec<String>,
    pub leads: Vec<Lead>,
    pub sequence: u64,
    pub grants: BTreeMap<u64, Grant>,
    pub sessions: BTreeMap<Digest, Session>,
    /// API calls of the last 24 hours, per minute since 1970.
    pub usage: BTreeMap<i64, u64>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Lead {
    pub id: String,
    pub deleted: bool,
    /// Non-null values by API name.
    pub values: Map<String, Value>,
}

#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub redirect_uri: String,
    pub challenge: Option<String>,
    pub username: String,
    pub scopes: Vec<String>,
    pub expires: Timestamp,
    pub used: bool,
}

/// A user's approval of the app, with its refresh tokens.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Grant {
    pub username: String,
    pub scopes: Vec<String>,
    /// The current refresh token; `None` if the policy issues tokens that never work.
    pub refresh: Option<Digest>,
    /// Refresh tokens retired by rotation.
    pub retired: BTreeSet<Digest>,
    pub issued: Timestamp,
    pub used: Timestamp,
}

/// The session behind an access token.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Session {
    /// The grant it was issued under; `None` without a refresh token.
    pub grant: Option<u64>,
    pub username: String,
    pub scopes: Vec<String>,
    pub issued: Timestamp,
    pub expires: Timestamp,
}

/// A query result that is fetched page by page.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    pub username: String,
    pub records: Vec<Value>,
    pub batch: usize,
    pub expires: Timestamp,
}

impl State {
    /// The next number of the sequence that Leads and grants share.
    pub fn next(&mut self) -> u64 {
        self.kept.change().sequence += 1;
        self.kept.sequence
    }

    pub fn count_call(&mut self, now: Timestamp) {
        let usage = &mut self.kept.in_passing().usage;
        *usage = usage.split_off(&day_before(now));
        *usage.entry(minute(now)).or_default() += 1;
    }

    /// Number of API calls in the last 24 hours.
    pub fn calls(&self, now: Timestamp) -> u64 {
        self.kept.usage.range(day_before(now)..).map(|(_, calls)| calls).sum()
    }

    /// Ends a grant and its access tokens.
    pub fn end_grant(&mut self, grant: u64) {
        self.kept.change().grants.remove(&grant);
        self.kept.change().sessions.retain(|_, session| session.grant != Some(grant));
    }

    /// The session of an access token, if it has not expired. Extends its life by `idle`.
    pub fn touch_session(&mut self, token: &Digest, now: Timestamp, idle: SignedDuration) -> Option<Session> {
        let session = self.kept.in_passing().sessions.get_mut(token).filter(|session| session.expires > now)?;
        session.expires = now.saturating_add(idle).unwrap_or(Timestamp::MAX);
        Some(session.clone())
    }
}

/// Minutes since 1970.
pub(crate) fn minute(now: Timestamp) -> i64 {
    now.as_second().div_euclid(60)
}

/// First minute of the 24 hours up to `now`.
fn day_before(now: Timestamp) -> i64 {
    minute(now) - 24 * 60 + 1
}
