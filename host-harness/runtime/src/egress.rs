//! Decides which requests of a plugin are sent. A request that is not clearly allowed is refused, never repaired.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use url::Url;

use crate::{
    imports::http::{FailureKind, Header, Request},
    manifest::{Method, Route, is_hosts_header},
    origin::{Origin, parse_url},
    policy::Permissions,
};

/// The longest URL that servers commonly accept (Salesforce: 16,384 bytes for URI and headers).
const MAX_URL_BYTES: usize = 16_000;
const MAX_HEADERS: usize = 32;

/// A refused request, for the operator. Contains no value of a query or header, and no body: only names, which the plugin chooses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Denial {
    /// Why, for machines.
    #[serde(rename = "code")]
    pub kind: DenialKind,
    /// What was requested, and why it was refused.
    pub reason: String,
    /// The manifest lines that would allow the request, if any could.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would_allow: Option<String>,
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "&'static str")]
#[non_exhaustive]
pub enum DenialKind {
    /// The URL is too long.
    UrlTooLong,
    /// The URL is malformed or ambiguous.
    UrlInvalid,
    /// The request is larger than the limit.
    RequestTooLarge,
    /// The manifest and the policy do not allow the origin.
    OriginDenied,
    /// The origin is not the connected one.
    OriginNotConnected,
    /// No route has the method and the path.
    RouteDenied,
    /// The route does not have a name of the query, or a name occurs twice.
    QueryDenied,
    /// GET and DELETE have no body: servers disagree about where it ends.
    BodyDenied,
    /// The request has too many headers.
    TooManyHeaders,
    /// A header has an invalid name or value.
    HeaderInvalid,
    /// The route does not have the header, or only the host sets it.
    HeaderDenied,
}

impl DenialKind {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::UrlTooLong => "url-too-long",
            Self::UrlInvalid => "url-invalid",
            Self::RequestTooLarge => "request-too-large",
            Self::OriginDenied => "origin-denied",
            Self::OriginNotConnected => "origin-not-connected",
            Self::RouteDenied => "route-denied",
            Self::QueryDenied => "query-denied",
            Self::BodyDenied => "body-denied",
            Self::TooManyHeaders => "too-many-headers",
            Self::HeaderInvalid => "header-invalid",
            Self::HeaderDenied => "header-denied",
        }
    }

    /// What the plugin learns, which is less than the operator.
    pub(crate) fn failure(self) -> FailureKind {
        match self {
            Self::OriginDenied | Self::OriginNotConnected | Self::RouteDenied | Self::QueryDenied => {
                FailureKind::Denied
            }
            Self::UrlTooLong
            | Self::UrlInvalid
            | Self::RequestTooLarge
            | Self::TooManyHeaders
            | Self::BodyDenied
            | Self::HeaderInvalid
            | Self::HeaderDenied => FailureKind::InvalidRequest,
        }
    }
}

impl From<DenialKind> for &'static str {
    fn from(kind: DenialKind) -> Self {
        kind.code()
    }
}

impl Denial {
    fn new(kind: DenialKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into(), would_allow: None }
    }
}

/// A request that may be sent.
#[derive(Debug)]
pub(crate) struct Allowed<'p> {
    pub(crate) request: http::Request<Vec<u8>>,
    /// The route that allows it.
    pub(crate) route: &'p Route,
}

/// Checks a request against the permissions. `connected` is the origin of the request's credential, the only one that is
/// reachable; `slot` is the header in which the host attaches the credential.
pub(crate) fn check<'p>(
    request: Request,
    connected: &Origin,
    slot: &HeaderName,
    permissions: &'p Permissions,
    max_bytes: usize,
) -> Result<Allowed<'p>, Denial> {
    if request.url.len() > MAX_URL_BYTES {
        return Err(Denial::new(
            DenialKind::UrlTooLong,
            format!("the URL has {} bytes, and {MAX_URL_BYTES} are allowed", request.url.len()),
        ));
    }
    let size = request.url.len()
        + request.headers.iter().map(|header| header.name.len() + header.value.len()).sum::<usize>()
        + request.body.as_ref().map_or(0, Vec::len);
    if size > max_bytes {
        return Err(Denial::new(
            DenialKind::RequestTooLarge,
            format!("the request has {size} bytes, and {max_bytes} are allowed"),
        ));
    }
    let (url, origin) = parse_url(&request.url)
        .map_err(|error| Denial::new(DenialKind::UrlInvalid, format!("the URL is refused: {error}")))?;
    let method = Method::try_from(request.method).map_err(|method| {
        let method = shown(&method);
        Denial::new(DenialKind::RouteDenied, format!("no manifest can allow the method `{method}`"))
    })?;
    // What the manifest would have to say. Names only: values are the guest's or the team's.
    let suggestion = || {
        let query = url.query_pairs().map(|(name, _)| shown(&name));
        let headers = request.headers.iter().map(|header| shown(&header.name.to_ascii_lowercase()));
        Route::suggestion(method, url.path(), query, headers.filter(|name| !is_hosts_header(name)))
    };
    if permissions.rules_for(&origin).next().is_none() {
        return Err(Denial {
            kind: DenialKind::OriginDenied,
            reason: format!(
                "the manifest and the operator's policy do not allow the origin {}",
                shown(&origin.to_string())
            ),
            would_allow: Some(format!("[[egress]]\norigin = \"{}\"\n{}", shown(&origin.to_string()), suggestion())),
        });
    }
    if *connected != origin {
        let reason = format!("{} is not the connected org, which is {connected}", shown(&origin.to_string()));
        return Err(Denial::new(DenialKind::OriginNotConnected, reason));
    }
    let Some(route) = permissions.route(&origin, method, url.path()) else {
        return Err(Denial {
            kind: DenialKind::RouteDenied,
            reason: format!("no route allows {method} {}", shown(url.path())),
            would_allow: Some(suggestion()),
        });
    };
    check_query(&url, route).map_err(|reason| Denial {
        kind: DenialKind::QueryDenied,
        reason,
        would_allow: Some(suggestion()),
    })?;
    let headers = check_headers(&request.headers, slot, route).map_err(|denial| match denial.kind {
        DenialKind::HeaderDenied => Denial { would_allow: Some(suggestion()), ..denial },
        _ => denial,
    })?;
    if matches!(method, Method::Get | Method::Delete) && request.body.is_some() {
        return Err(Denial::new(DenialKind::BodyDenied, format!("a {method} has no body")));
    }

    // Send the parsed URL, because that is what was checked.
    let mut builder = http::Request::builder().method(http::Method::from(method)).uri(url.as_str());
    if let Some(map) = builder.headers_mut() {
        *map = headers;
    }
    let request = builder
        .body(request.body.unwrap_or_default())
        .map_err(|error| Denial::new(DenialKind::UrlInvalid, format!("the request is refused: {error}")))?;
    Ok(Allowed { request, route })
}

/// The names of a query must be those of the route, each at most once: servers take the first or the last of several. Some also
/// separate them at `;`.
fn check_query(url: &Url, route: &Route) -> Result<(), String> {
    if url.query().is_some_and(|query| query.contains(';')) {
        return Err("a query must not have `;` outside of an escape".to_owned());
    }
    let mut seen = BTreeSet::new();
    for (name, _) in url.query_pairs() {
        if !route.query.contains(&*name) {
            return Err(format!("{route} does not have the query name `{}`", shown(&name)));
        }
        if !seen.insert(name.clone()) {
            return Err(format!("the query name `{}` occurs twice", shown(&name)));
        }
    }
    Ok(())
}

/// A text of the plugin's for a report: its beginning, without control characters. A plugin could otherwise fill logs and the
/// host's memory with it, or paint over what a terminal shows.
fn shown(text: &str) -> String {
    const MOST: usize = 64;
    let mut shown: String = text.chars().take(MOST).flat_map(char::escape_debug).take(2 * MOST).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}

fn check_headers(headers: &[Header], slot: &HeaderName, route: &Route) -> Result<HeaderMap, Denial> {
    if headers.len() > MAX_HEADERS {
        return Err(Denial::new(
            DenialKind::TooManyHeaders,
            format!("{} headers, and {MAX_HEADERS} are allowed", headers.len()),
        ));
    }
    let mut map = HeaderMap::with_capacity(headers.len());
    for header in headers {
        // Some servers treat `_` as `-`, so such a name could smuggle in another header.
        let name = HeaderName::from_bytes(header.name.as_bytes())
            .ok()
            .filter(|name| !name.as_str().contains('_'))
            .ok_or_else(|| {
                let name = shown(&header.name);
                Denial::new(DenialKind::HeaderInvalid, format!("`{name}` is not a header name"))
            })?;
        let text = name.as_str();
        let denied = |why: String| Err(Denial::new(DenialKind::HeaderDenied, why));
        if is_hosts_header(text) || name == *slot {
            return denied(format!("only the host sets the header `{}`", shown(text)));
        }
        if !route.headers.contains(text) {
            return denied(format!("{route} does not have the header `{}`", shown(text)));
        }
        if map.contains_key(&name) {
            return Err(Denial::new(DenialKind::HeaderInvalid, format!("the header `{}` occurs twice", shown(text))));
        }
        // `HeaderValue` also accepts other bytes (obs-text of RFC 9110, section 5.5).
        let is_visible = header.value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
        let value = Some(&header.value).filter(|_| is_visible).and_then(|value| HeaderValue::from_str(value).ok());
        let value = value.ok_or_else(|| {
            Denial::new(
                DenialKind::HeaderInvalid,
                format!("the value of the header `{}` is not visible ASCII", shown(text)),
            )
        })?;
        map.append(name, value);
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{imports::http::Method, manifest::Manifest, policy::Policy};

    const MANIFEST: &str = r#"
        plugin = { id = "tiny", name = "Tiny", version = "1", contract = "scheduling:crm@0.1.0" }
        limits = { memory_bytes = 1, cpu_ms = 1, wall_ms = 1, http_requests = 1, request_bytes = 1, response_bytes = 1 }
        [[egress]]
        origin = "https://*.tiny-crm.example"
        [[egress.routes]]
        method = "GET"
        path = "/api/leads"
        query = ["q", "page"]
        headers = ["accept", "content-type", "x-note"]
        [[egress.routes]]
        method = "POST"
        path = "/api/leads"
        [[egress.routes]]
        method = "DELETE"
        path = "/api/leads/{id}"
        [[egress.routes]]
        method = "GET"
        path = "/api/leads/{id}"
        [[egress.routes]]
        method = "GET"
        path = "/api/leads/new"
        query = ["draft"]
    "#;
    const ORG: &str = "https://acme.tiny-crm.example";

    fn permissions() -> Permissions {
        let manifest = Manifest::from_toml(MANIFEST).unwrap();
        Permissions::new(&manifest, &Policy::default()).unwrap()
    }

    fn code(method: Method, url: &str, headers: &[(&str, &str)]) -> &'static str {
        with_body(method, url, headers, None)
    }

    fn with_body(method: Method, url: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> &'static str {
        let headers =
            headers.iter().map(|(name, value)| Header { name: (*name).into(), value: (*value).into() }).collect();
        let request = Request { method, url: url.into(), headers, body, more: Vec::new() };
        let connected: Origin = ORG.parse().unwrap();
        let slot = HeaderName::from_static("x-tiny-token");
        match check(request, &connected, &slot, &permissions(), 10_000) {
            Ok(_) => "ok",
            Err(denial) => denial.kind.code(),
        }
    }

    #[test]
    fn only_the_connected_org_is_reachable_by_allowed_methods_below_allowed_paths() {
        for (method, url, expected) in [
            (Method::Get, "https://acme.tiny-crm.example/api/leads?q=a%2Bb", "ok"),
            (Method::Post, "https://acme.tiny-crm.example/api/leads", "ok"),
            (Method::Get, "https://ACME.tiny-crm.example:443/api/leads", "ok"),
            (Method::Get, "https://other.tiny-crm.example/api/leads", "origin-not-connected"),
            (Method::Get, "https://evil.test/api/leads", "origin-denied"),
            (Method::Get, "https://tiny-crm.example/api/leads", "origin-denied"),
            (Method::Get, "http://acme.tiny-crm.example/api/leads", "url-invalid"),
            (Method::Get, "http://127.0.0.1:80/api/leads", "origin-denied"),
            (Method::Get, "https://acme.tiny-crm.example@evil.test/api/leads", "url-invalid"),
            (Method::Get, "https://acme.tiny-crm.example:8443/api/leads", "url-invalid"),
            (Method::Get, "https://acme.tiny-crm.example/api/leads#x", "url-invalid"),
            (Method::Get, "https://acme.tiny-crm.example\\@evil.test/", "url-invalid"),
            (Method::Delete, "https://acme.tiny-crm.example/api/leads/1", "ok"),
            (Method::Delete, "https://acme.tiny-crm.example/api/leads", "route-denied"),
            (Method::Other("HEAD".into()), "https://acme.tiny-crm.example/api/leads", "route-denied"),
            (Method::Other("GET".into()), "https://acme.tiny-crm.example/api/leads", "route-denied"),
            (Method::Get, "https://acme.tiny-crm.example/admin", "route-denied"),
            (Method::Get, "https://acme.tiny-crm.example/api/leads/", "route-denied"),
            (Method::Get, "https://acme.tiny-crm.example/api/../admin", "route-denied"),
            (Method::Get, "https://acme.tiny-crm.example/api/%2e%2e/admin", "route-denied"),
            (Method::Get, "https://acme.tiny-crm.example/api/leads/..%2f..%2fadmin", "route-denied"),
            (Method::Get, "https://acme.tiny-crm.example/api/leads/..%5cadmin", "route-denied"),
            (Method::Get, "https://acme.tiny-crm.example/api/leads?q=1&page=2", "ok"),
            (Method::Get, "https://acme.tiny-crm.example/api/leads?", "ok"),
            (Method::Get, "https://acme.tiny-crm.example/api/leads?q=a%3Bb", "ok"),
            (Method::Get, "https://acme.tiny-crm.example/api/leads?q=1&q=2", "query-denied"),
            (Method::Get, "https://acme.tiny-crm.example/api/leads?q=1;page=2", "query-denied"),
            (Method::Get, "https://acme.tiny-crm.example/api/leads?_method=DELETE", "query-denied"),
            (Method::Get, "https://acme.tiny-crm.example/api/leads?%71=1&%5fmethod=DELETE", "query-denied"),
            (Method::Post, "https://acme.tiny-crm.example/api/leads?_HttpMethod=DELETE", "query-denied"),
            (Method::Get, "https://acme.tiny-crm.example/api/leads?=1", "query-denied"),
            // The route that names the segment is the one that counts.
            (Method::Get, "https://acme.tiny-crm.example/api/leads/new?draft=1", "ok"),
            (Method::Get, "https://acme.tiny-crm.example/api/leads/old?draft=1", "query-denied"),
        ] {
            assert_eq!(code(method, url, &[]), expected, "{url}");
        }
    }

    #[test]
    fn a_header_that_only_the_host_sets_is_refused_in_every_spelling() {
        let url = "https://acme.tiny-crm.example/api/leads";
        for (name, value, expected) in [
            ("accept", "application/json", "ok"),
            ("Content-Type", "application/json", "ok"),
            ("Authorization", "Bearer x", "header-denied"),
            ("AUTHORIZATION", "", "header-denied"),
            ("X-Tiny-Token", "x", "header-denied"),
            ("Host", "evil.test", "header-denied"),
            ("Content-Length", "0", "header-denied"),
            ("Transfer-Encoding", "chunked", "header-denied"),
            ("Proxy-Authorization", "x", "header-denied"),
            ("Cookie", "x", "header-denied"),
            ("accept-encoding", "br", "header-denied"),
            ("authorization ", "x", "header-invalid"),
            ("x_tiny_token", "x", "header-invalid"),
            ("a\r\nauthorization", "x", "header-invalid"),
            ("", "x", "header-invalid"),
            ("x-other", "x", "header-denied"),
            ("x-forwarded-proto", "http", "header-denied"),
            ("x-note", "a\r\nauthorization: x", "header-invalid"),
            ("x-note", "山田", "header-invalid"),
        ] {
            assert_eq!(code(Method::Get, url, &[(name, value)]), expected, "{name:?}: {value:?}");
        }
    }

    #[test]
    fn a_header_occurs_once_and_what_reads_or_deletes_has_no_body() {
        let url = "https://acme.tiny-crm.example/api/leads";
        assert_eq!(code(Method::Get, url, &[("accept", "a/b"), ("Accept", "c/d")]), "header-invalid");
        for (method, url, expected) in [
            (Method::Get, url.to_owned(), "body-denied"),
            (Method::Delete, format!("{url}/1"), "body-denied"),
            (Method::Post, url.to_owned(), "ok"),
        ] {
            for body in [Vec::new(), b"GET / HTTP/1.1".to_vec()] {
                assert_eq!(with_body(method.clone(), &url, &[], Some(body)), expected);
            }
        }
    }

    #[test]
    fn a_denial_names_the_manifest_lines_that_would_allow_it() {
        let request = Request {
            method: Method::Get,
            url: "https://evil.test/x?secret=value".into(),
            headers: vec![],
            body: None,
            more: Vec::new(),
        };
        let slot = HeaderName::from_static("x-tiny-token");
        let denial = check(request, &ORG.parse().unwrap(), &slot, &permissions(), 10_000).unwrap_err();
        assert_eq!(
            denial.would_allow.as_deref(),
            Some(
                "[[egress]]\norigin = \"https://evil.test\"\n[[egress.routes]]\nmethod = \"GET\"\npath = \"/x\"\nquery = [\"secret\"]"
            )
        );
        assert!(!format!("{denial:?}").contains("value"));
    }
}
