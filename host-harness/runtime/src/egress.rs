//! Decides which requests of a plugin are sent. A request that is not clearly allowed is refused, never repaired.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use url::Url;

use crate::{
    imports::http::{FailureKind, Header, Request},
    manifest::{Method, PathPrefix},
    origin::{Origin, parse_url},
    policy::Permissions,
};

/// The longest URL that servers commonly accept (Salesforce: 16,384 bytes for URI and headers).
const MAX_URL_BYTES: usize = 16_000;
const MAX_HEADERS: usize = 32;

/// Headers that only the host sets: credentials, framing (RFC 9112), hop-by-hop fields (RFC 9110, section 7.6.1), the content
/// coding, which the host must be able to decode, and headers that some servers accept as another method, which would bypass
/// the manifest's methods. The same holds for all that begin with `proxy-` or `sec-`.
const HOST_HEADERS: [&str; 21] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-api-key",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
];

/// A refused request, for the operator. Contains no query, header value or body.
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
    /// The method is not allowed at the origin.
    MethodDenied,
    /// The path is not allowed at the origin.
    PathDenied,
    /// The request has too many headers.
    TooManyHeaders,
    /// A header has an invalid name or value.
    HeaderInvalid,
    /// Only the host sets the header.
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
            Self::MethodDenied => "method-denied",
            Self::PathDenied => "path-denied",
            Self::TooManyHeaders => "too-many-headers",
            Self::HeaderInvalid => "header-invalid",
            Self::HeaderDenied => "header-denied",
        }
    }

    /// What the plugin learns, which is less than the operator.
    pub(crate) fn failure(self) -> FailureKind {
        match self {
            Self::OriginDenied | Self::OriginNotConnected | Self::MethodDenied | Self::PathDenied => {
                FailureKind::Denied
            }
            Self::UrlTooLong
            | Self::UrlInvalid
            | Self::RequestTooLarge
            | Self::TooManyHeaders
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

/// Checks a request against the permissions. `connected` is the origin of the request's credential, the only one that is
/// reachable; `slot` is the header in which the host attaches the credential.
pub(crate) fn check(
    request: Request,
    connected: &Origin,
    slot: &HeaderName,
    permissions: &Permissions,
    max_bytes: usize,
) -> Result<http::Request<Vec<u8>>, Denial> {
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
        Denial::new(DenialKind::MethodDenied, format!("no manifest can allow the method `{method}`"))
    })?;
    check_target(&url, &origin, method, connected, permissions)?;
    let headers = check_headers(&request.headers, slot)?;

    // Send the parsed URL, because that is what was checked.
    let mut builder = http::Request::builder().method(http::Method::from(method)).uri(url.as_str());
    if let Some(map) = builder.headers_mut() {
        *map = headers;
    }
    builder
        .body(request.body.unwrap_or_default())
        .map_err(|error| Denial::new(DenialKind::UrlInvalid, format!("the request is refused: {error}")))
}

fn check_target(
    url: &Url,
    origin: &Origin,
    method: Method,
    connected: &Origin,
    permissions: &Permissions,
) -> Result<(), Denial> {
    let rules: Vec<_> = permissions.rules_for(origin).collect();
    if rules.is_empty() {
        return Err(Denial {
            kind: DenialKind::OriginDenied,
            reason: format!("the manifest and the operator's policy do not allow the origin {origin}"),
            would_allow: Some(format!(
                "[[egress]]\norigin = \"{origin}\"\nmethods = [\"{method}\"]\npath_prefixes = [\"{}\"]",
                folder(url.path()).map_or("/".into(), |prefix| prefix.to_string())
            )),
        });
    }
    if connected != origin {
        let reason = format!("{origin} is not the connected org, which is {connected}");
        return Err(Denial::new(DenialKind::OriginNotConnected, reason));
    }
    let of_method: Vec<_> = rules.into_iter().filter(|rule| rule.methods.contains(&method)).collect();
    if of_method.is_empty() {
        return Err(Denial {
            kind: DenialKind::MethodDenied,
            reason: format!("{method} is not allowed at {origin}"),
            would_allow: Some(format!("methods = [\"{method}\"]")),
        });
    }
    if !of_method.iter().any(|rule| rule.allows_path(url.path())) {
        let allowed: Vec<_> = of_method.iter().flat_map(|rule| &rule.path_prefixes).map(ToString::to_string).collect();
        return Err(Denial {
            kind: DenialKind::PathDenied,
            reason: format!("{} is not below {} at {origin}", shown(url.path()), allowed.join(" or ")),
            would_allow: folder(url.path()).map(|prefix| format!("path_prefixes = [\"{prefix}\"]")),
        });
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

/// The prefix that would allow a path: its folder, if a manifest can express it.
fn folder(path: &str) -> Option<PathPrefix> {
    let (folder, _) = path.rsplit_once('/').filter(|(folder, _)| folder.len() <= 200)?;
    PathPrefix::try_from(format!("{folder}/")).ok()
}

fn check_headers(headers: &[Header], slot: &HeaderName) -> Result<HeaderMap, Denial> {
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
        if HOST_HEADERS.contains(&text) || text.starts_with("proxy-") || text.starts_with("sec-") || name == *slot {
            return Err(Denial::new(
                DenialKind::HeaderDenied,
                format!("only the host sets the header `{}`", shown(text)),
            ));
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
        methods = ["GET", "POST"]
        path_prefixes = ["/api/"]
    "#;
    const ORG: &str = "https://acme.tiny-crm.example";

    fn permissions() -> Permissions {
        let manifest = Manifest::from_toml(MANIFEST).unwrap();
        Permissions::new(&manifest, &Policy::default()).unwrap()
    }

    fn code(method: Method, url: &str, headers: &[(&str, &str)]) -> &'static str {
        let headers =
            headers.iter().map(|(name, value)| Header { name: (*name).into(), value: (*value).into() }).collect();
        let request = Request { method, url: url.into(), headers, body: None, more: Vec::new() };
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
            (Method::Delete, "https://acme.tiny-crm.example/api/leads", "method-denied"),
            (Method::Other("HEAD".into()), "https://acme.tiny-crm.example/api/leads", "method-denied"),
            (Method::Other("GET".into()), "https://acme.tiny-crm.example/api/leads", "method-denied"),
            (Method::Get, "https://acme.tiny-crm.example/admin", "path-denied"),
            (Method::Get, "https://acme.tiny-crm.example/api/../admin", "path-denied"),
            (Method::Get, "https://acme.tiny-crm.example/api/%2e%2e/admin", "path-denied"),
            (Method::Get, "https://acme.tiny-crm.example/api/..%2f..%2fadmin", "path-denied"),
            (Method::Get, "https://acme.tiny-crm.example/api/..%5cadmin", "path-denied"),
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
            ("x-note", "a\r\nauthorization: x", "header-invalid"),
            ("x-note", "山田", "header-invalid"),
        ] {
            assert_eq!(code(Method::Get, url, &[(name, value)]), expected, "{name:?}: {value:?}");
        }
    }

    #[test]
    fn a_denial_names_the_manifest_lines_that_would_allow_it() {
        let request = Request {
            method: Method::Get,
            url: "https://evil.test/x?secret".into(),
            headers: vec![],
            body: None,
            more: Vec::new(),
        };
        let slot = HeaderName::from_static("x-tiny-token");
        let denial = check(request, &ORG.parse().unwrap(), &slot, &permissions(), 10_000).unwrap_err();
        assert_eq!(
            denial.would_allow.as_deref(),
            Some("[[egress]]\norigin = \"https://evil.test\"\nmethods = [\"GET\"]\npath_prefixes = [\"/\"]")
        );
        assert!(!denial.reason.contains("secret"));
    }
}
