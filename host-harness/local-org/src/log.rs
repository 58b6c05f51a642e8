//! The request log. It never contains a token, a secret, a code or a password.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;
use url::form_urlencoded;

use crate::message::{Answer, Request};

/// Headers that the log records.
const SHOWN: [&str; 10] = [
    "accept",
    "accept-encoding",
    "content-type",
    "if-modified-since",
    "sforce-auto-assign",
    "sforce-call-options",
    "sforce-duplicate-rule-header",
    "sforce-query-options",
    "user-agent",
    "x-prettyprint",
];

/// Form fields and query parameters whose values are redacted.
const SECRET: [&str; 11] = [
    "access_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "pass",
    "password",
    "pw",
    "refresh_token",
    "token",
];

/// Entries that are kept; the oldest are dropped.
const LONGEST: usize = 10_000;

/// One request and its response.
#[derive(Clone, Debug, Serialize)]
pub struct LogEntry {
    /// Time of arrival by the org's clock.
    pub at: Timestamp,
    /// HTTP method.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// Query string, secrets redacted.
    pub query: String,
    /// Request headers from a fixed list that never includes `Authorization`.
    pub headers: Vec<(String, String)>,
    /// Request body, secrets redacted.
    pub body: String,
    /// Whether the request had an `Authorization` header.
    pub authorization: bool,
    /// User of the access token, if it was valid.
    pub user: Option<String>,
    /// Response status; `None` if the connection was closed without a response.
    pub status: Option<u16>,
    /// Response body; empty for OAuth endpoints, whose responses contain tokens.
    pub answer: String,
}

impl LogEntry {
    pub(crate) fn of(at: Timestamp, request: &Request, user: Option<String>, answer: Option<&Answer>) -> Self {
        let shown = |name: &&str| request.header(name).map(|value| ((*name).to_owned(), value.to_owned()));
        // Uses the path as the org reads it: escapes and trailing slashes do not make another endpoint.
        let segments = request.segments();
        let api = matches!(segments.as_slice(), [services, part, ..] if services == "services" && part != "oauth2");
        let form = request.media_type().is_some_and(|kind| kind == "application/x-www-form-urlencoded");
        let body = if form { withhold(&String::from_utf8_lossy(&request.body)) } else { text(&request.body) };
        Self {
            at,
            method: request.method.to_string(),
            path: request.path.clone(),
            query: withhold(&request.query),
            headers: SHOWN.iter().filter_map(shown).collect(),
            body: if api || form { body } else { String::new() },
            authorization: request.headers.contains_key("authorization"),
            user,
            status: answer.map(|answer| answer.status.as_u16()),
            answer: answer.filter(|_| api).map(|answer| text(&answer.body)).unwrap_or_default(),
        }
    }

    /// The value of a recorded request header, by a name of any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether this was a REST API call, which counts against the org's limit.
    pub fn api_call(&self) -> bool {
        self.path.strip_prefix("/services/data/").is_some_and(|rest| !rest.is_empty())
    }
}

/// Adds an entry, and drops the oldest if the log is full.
pub(crate) fn push(log: &mut VecDeque<LogEntry>, entry: LogEntry) {
    if log.len() >= LONGEST {
        log.pop_front();
    }
    log.push_back(entry);
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| format!("({} bytes that are not text)", bytes.len()))
}

fn withhold(form: &str) -> String {
    if !form.contains('=') {
        return form.to_owned();
    }
    let mut shown = form_urlencoded::Serializer::new(String::new());
    for (key, value) in form_urlencoded::parse(form.as_bytes()) {
        let secret = SECRET.contains(&key.as_ref()) && !value.is_empty();
        shown.append_pair(&key, if secret { "(withheld)" } else { &value });
    }
    shown.finish()
}
