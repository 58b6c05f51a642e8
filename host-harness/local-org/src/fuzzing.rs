//! An org without sockets, for the fuzz targets.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header::AUTHORIZATION};
use jiff::Timestamp;
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use crate::{
    clock::Clock,
    file::{FileError, OrgFile},
    message::Request,
    org::{Org, Place},
    route, soql,
    state::{Session, State},
    token::Digest,
};

const TOKEN: &str = "token";

/// Queries of an org, with the rights of its first user.
#[derive(Debug)]
pub struct Queries(Org);

impl Queries {
    /// An org of this file, at an instant.
    ///
    /// # Errors
    /// When the file is inconsistent.
    pub fn new(mut file: OrgFile, now: Timestamp) -> Result<Self, FileError> {
        file.api.daily_limit = u64::MAX;
        let username = file.users.first().map(|user| user.username.clone()).unwrap_or_default();
        let place = Place { base_url: "http://127.0.0.1".to_owned(), instance_url: None, store: None };
        let org = Org::new(file, Clock::fixed(now), place, State::default())?;
        let scopes = vec!["api".to_owned()];
        let session = Session { grant: None, username, scopes, issued: now, expires: Timestamp::MAX };
        org.state().kept.change().sessions.insert(Digest::of(TOKEN), session);
        Ok(Self(org))
    }

    /// The org.
    pub fn org(&self) -> &Org {
        &self.0
    }

    /// The status and body of a query's response.
    pub fn ask(&self, soql: &str) -> (u16, Value) {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer token"));
        let query: String = byte_serialize(soql.as_bytes()).collect();
        let (method, path) = (Method::GET, "/services/data/latest/query".to_owned());
        let request = Request { method, path, query: format!("q={query}"), headers, body: Bytes::new() };
        let answer = route::respond(&self.0, &request);
        (answer.status.as_u16(), answer.body_json().unwrap_or_default())
    }
}

/// Whether a text is a condition, as in a validation rule.
pub fn is_condition(text: &str) -> bool {
    soql::condition(text).is_ok()
}
