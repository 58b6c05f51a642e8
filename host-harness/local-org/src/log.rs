//! The request log. It never holds a token, a secret, a code or a password.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;
use url::form_urlencoded;

use crate::message::{Answer, Request};

/// Headers that the log shows.
const SHOWN: [&str; 9] = [
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

/// Form fields and query parameters whose values the log withholds.
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

/// Entries that are kept; older ones make room.
const LONGEST: usize = 10_000;

/// One request, and how it was answered.
#[derive(Clone, Debug, Serialize)]
pub struct LogEntry {
    /// When it came.
    pub at: Timestamp,
    /// Its method.
    pub method: String,
    /// Its path, without the query.
    pub path: String,
    /// Its query, secrets withheld.
    pub query: String,
    /// Its headers, as far as they matter.
    pub headers: Vec<(String, String)>,
    /// Its body, secrets withheld.
    pub body: String,
    /// Whether it came with an `Authorization` header.
    pub authorization: bool,
    /// User whose access token it carried, if that was good.
    pub user: Option<String>,
    /// Status of the answer; `None` if the connection was closed without one.
    pub status: Option<u16>,
    /// Body of the answer; empty for OAuth answers, which carry tokens.
    pub answer: String,
}

impl LogEntry {
    /// The entry of a request.
    pub(crate) fn of(at: Timestamp, request: &Request, user: Option<String>, answer: Option<&Answer>) -> Self {
        let shown = |name: &&str| request.header(name).map(|value| ((*name).to_owned(), value.to_owned()));
        // By the path as the org reads it: escapes and slashes at its end make no other endpoint.
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

    /// The value of a header that the request had.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether this was a call of the REST API, which counts against the org's limit.
    pub fn api_call(&self) -> bool {
        self.path.strip_prefix("/services/data/").is_some_and(|rest| !rest.is_empty())
    }
}

/// Adds an entry, and makes room for it.
pub(crate) fn push(log: &mut VecDeque<LogEntry>, entry: LogEntry) {
    if log.len() >= LONGEST {
        log.pop_front();
    }
    log.push_back(entry);
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| format!("({} bytes that are no text)", bytes.len()))
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
