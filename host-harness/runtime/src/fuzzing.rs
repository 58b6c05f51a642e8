//! Private functions for the fuzz targets. No part of what a platform embeds.

use http::HeaderName;

use crate::{
    echo::{EchoScanner, is_recognizable},
    egress,
    egress::Denial,
    imports::http::{Header, Method, Request},
    inspect::features,
    manifest::Route,
    origin::Origin,
    policy::Permissions,
};

/// A request as a plugin states it.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The method, as its name.
    pub method: &'a str,
    /// The URL.
    pub url: &'a str,
    /// Names and values.
    pub headers: Vec<(&'a str, &'a str)>,
    /// The body.
    pub body: Option<&'a [u8]>,
}

/// Checks a request of a plugin as a call does. Returns what would be sent, and the route that allows it.
///
/// # Errors
/// When it may not be sent.
pub fn check<'p>(
    asked: &Asked<'_>,
    connected: &Origin,
    slot: &HeaderName,
    permissions: &'p Permissions,
) -> Result<(http::Request<Vec<u8>>, &'p Route), Denial> {
    let method = match asked.method {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        other => Method::Other(other.to_owned()),
    };
    let header = |(name, value): &(&str, &str)| Header { name: (*name).to_owned(), value: (*value).to_owned() };
    let request = Request {
        method,
        url: asked.url.to_owned(),
        headers: asked.headers.iter().map(header).collect(),
        body: asked.body.map(<[u8]>::to_vec),
        more: Vec::new(),
    };
    egress::check(request, connected, slot, permissions, 1 << 20).map(|allowed| (allowed.request, allowed.route))
}

/// Whether a secret is one that the scanner must find: nobody gets another one.
pub fn is_scanned_for(secret: &str) -> bool {
    is_recognizable(secret)
}

/// Whether the scanner finds a secret in a response.
pub fn finds(secret: &str, response: &[u8]) -> bool {
    EchoScanner::new([secret]).finds_in(response)
}

/// Whether the whole file is valid WebAssembly of the accepted features, by the validator's own judgment.
pub fn is_valid(component: &[u8]) -> bool {
    wasmparser::Validator::new_with_features(features()).validate_all(component).is_ok()
}
