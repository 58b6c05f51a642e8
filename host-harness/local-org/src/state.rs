//! What changes while an org runs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{fault::Fault, log::LogEntry, store::Tracked, token::Digest};

/// The part of an org's state that a restart keeps, and the part that it does not.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub kept: Tracked<Kept>,
    pub codes: BTreeMap<Digest, Code>,
    /// Browser sessions: cookie to user name.
    pub browsers: BTreeMap<Digest, String>,
    /// Refresh tokens whose refresh is under way.
    pub refreshing: BTreeSet<Digest>,
    pub cursors: BTreeMap<String, Cursor>,
    pub faults: Vec<Fault>,
    pub log: VecDeque<LogEntry>,
}

/// What a restart keeps. Tokens are kept as digests: a copy of the file opens nothing.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    /// Consumer key and secret, where they were made up.
    pub client_id: String,
    pub client_secret: String,
    pub callbacks: Vec<String>,
    pub leads: Vec<Lead>,
    pub sequence: u64,
    pub grants: BTreeMap<u64, Grant>,
    pub sessions: BTreeMap<Digest, Session>,
    /// API calls of the last 24 hours, by the minute.
    pub usage: BTreeMap<i64, u64>,
}

/// A Lead.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Lead {
    pub id: String,
    pub deleted: bool,
    /// Every value that is not null, under its field's API name.
    pub values: Map<String, Value>,
}

/// An authorisation code.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub redirect_uri: String,
    pub challenge: Option<String>,
    pub username: String,
    pub scopes: Vec<String>,
    pub expires: Timestamp,
    pub used: bool,
}

/// A user's approval of the app, with its chain of refresh tokens.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Grant {
    pub username: String,
    pub scopes: Vec<String>,
    /// The refresh token that works.
    pub refresh: Option<Digest>,
    /// Refresh tokens that rotation took out of use.
    pub retired: BTreeSet<Digest>,
    pub issued: Timestamp,
    pub used: Timestamp,
}

/// What an access token stands for.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Session {
    /// The grant that it came from; `None` for client credentials.
    pub grant: Option<u64>,
    pub username: String,
    pub scopes: Vec<String>,
    pub issued: Timestamp,
    pub expires: Timestamp,
}

/// The rest of a query's result.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    pub username: String,
    pub records: Vec<Value>,
    pub batch: usize,
    pub expires: Timestamp,
}

impl State {
    /// The next number of everything that is numbered.
    pub fn next(&mut self) -> u64 {
        self.kept.change().sequence += 1;
        self.kept.sequence
    }

    /// Counts one API call.
    pub fn count_call(&mut self, now: Timestamp) {
        let usage = &mut self.kept.in_passing().usage;
        *usage = usage.split_off(&day_before(now));
        *usage.entry(minute(now)).or_default() += 1;
    }

    /// API calls of the last 24 hours.
    pub fn calls(&self, now: Timestamp) -> u64 {
        self.kept.usage.range(day_before(now)..).map(|(_, calls)| calls).sum()
    }

    /// Ends a grant and every access token that came from it.
    pub fn end_grant(&mut self, grant: u64) {
        self.kept.change().grants.remove(&grant);
        self.kept.change().sessions.retain(|_, session| session.grant != Some(grant));
    }

    /// Whether access tokens of this session still work; a use prolongs them.
    pub fn touch_session(&mut self, token: &Digest, now: Timestamp, idle: SignedDuration) -> Option<Session> {
        let session = self.kept.in_passing().sessions.get_mut(token).filter(|session| session.expires > now)?;
        session.expires = now.saturating_add(idle).unwrap_or(Timestamp::MAX);
        Some(session.clone())
    }
}

/// The minute of a time, counted from 1970.
pub(crate) fn minute(now: Timestamp) -> i64 {
    now.as_second().div_euclid(60)
}

/// The first minute of the 24 hours that end now.
fn day_before(now: Timestamp) -> i64 {
    minute(now) - 24 * 60 + 1
}
