//! A plugin's request against the routes of its manifest.

use std::{collections::BTreeSet, fmt::Write as _, sync::LazyLock};

use crm_host::{
    fuzzing::{Asked, check},
    manifest::{Manifest, Route},
    origin::Origin,
    policy::{Permissions, Policy},
};
use http::HeaderName;
use url::Url;

use crate::message::Message;

const MANIFEST: &str = r#"
plugin = { id = "tiny", name = "Tiny", version = "1", contract = "scheduling:crm@0.1.0" }
limits = { memory_bytes = 1, cpu_ms = 1, wall_ms = 1, http_requests = 1, request_bytes = 1, response_bytes = 1 }
[[egress]]
origin = "https://*.victim.example"
"#;

static CONNECTED: LazyLock<Origin> = LazyLock::new(|| "https://acme.victim.example".parse().expect("an origin"));

/// A request that is sent goes to the connected origin, by a route that has its path segment by segment, its query names and its
/// headers, and two parsers read its URL alike. A refused one is described without control characters, and the lines that would
/// allow it are TOML.
///
/// The input: `GET https://acme.victim.example/x`, headers, and after a blank line the routes: `GET /{id} q,page accept,x-note`.
pub fn routes(input: &[u8]) {
    let Some(message) = Message::read(input) else { return };
    let Some(permissions) = std::str::from_utf8(message.body).ok().and_then(permissions) else { return };
    let (method, url) = message.first.split_once(' ').unwrap_or_default();
    let slot = HeaderName::from_static("x-tiny-token");
    let body = matches!(method, "POST" | "PUT" | "PATCH").then_some(&b"{}"[..]);
    let asked = Asked { method, url, headers: message.headers, body };
    match check(&asked, &CONNECTED, &slot, &permissions) {
        Ok((request, route)) => sent(&request, route, &slot),
        Err(denial) => {
            assert!(denial.reason.len() < 2_000 && !denial.reason.contains(char::is_control), "{:?}", denial.reason);
            if let Some(lines) = denial.would_allow {
                assert!(lines.len() < 64 << 10 && toml::from_str::<toml::Table>(&lines).is_ok(), "{lines}");
            }
        }
    }
}

/// Permissions with these routes, or some usual ones if there are none.
fn permissions(routes: &str) -> Option<Permissions> {
    let routes = if routes.is_empty() {
        "GET /open/{page} q,page accept,x-note\nPOST /open/{page} - content-type\nGET /open/new draft\nDELETE /{a}/{b}/"
    } else {
        routes
    };
    let mut manifest = MANIFEST.to_owned();
    for line in routes.lines() {
        let mut parts = line.split(' ');
        let mut part = || parts.next().filter(|part| *part != "-");
        let (method, path) = (part()?, part()?);
        write!(manifest, "[[egress.routes]]\nmethod = {method:?}\npath = {path:?}\n").ok()?;
        for key in ["query", "headers"] {
            if let Some(names) = part() {
                let names: Vec<_> = names.split(',').collect();
                writeln!(manifest, "{key} = {names:?}").ok()?;
            }
        }
    }
    Permissions::new(&Manifest::from_toml(&manifest).ok()?, &Policy::default()).ok()
}

fn sent(request: &http::Request<Vec<u8>>, route: &Route, slot: &HeaderName) {
    let text = request.uri().to_string();
    let url = Url::parse(&text).expect("what is sent is a URL");
    assert_eq!(url.as_str(), text, "the URL is written in one way");
    assert_eq!(Origin::of_url(&url).as_ref(), Ok(&*CONNECTED), "{text}");
    assert_eq!(request.uri().host(), url.host_str(), "{text}");
    assert_eq!(request.uri().path(), url.path(), "{text}");
    assert_eq!(request.uri().query().unwrap_or_default(), url.query().unwrap_or_default(), "{text}");

    assert_eq!(request.method(), &http::Method::from(route.method), "{text}");
    let expected: Vec<_> = route.path.as_str().split('/').collect();
    let segments: Vec<_> = url.path().split('/').collect();
    assert_eq!(segments.len(), expected.len(), "{text} by {route}");
    for (segment, expected) in segments.iter().zip(expected) {
        if expected.starts_with('{') {
            assert!(is_one_segment(segment), "{segment:?} of {text}");
        } else {
            assert_eq!(*segment, expected, "{text} by {route}");
        }
    }

    let names: Vec<_> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert!(names.iter().all(|name| route.query.contains(name)), "{text} by {route}");
    assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len(), "{text}");
    // Others read neither `;` nor an escaped `&` as the end of a value.
    let raw = url.query().unwrap_or_default().split(['&', ';']).filter(|pair| !pair.is_empty()).count();
    assert_eq!(raw, names.len(), "{text}");

    for (name, value) in request.headers() {
        assert!(route.headers.contains(name.as_str()) && name != slot, "{name} by {route}");
        let name = name.as_str();
        assert!(
            !matches!(name, "authorization" | "host" | "cookie" | "content-length" | "transfer-encoding"),
            "{name}"
        );
        assert_eq!(request.headers().get_all(name).iter().count(), 1, "{name}");
        assert!(value.to_str().is_ok_and(|value| !value.contains(['\r', '\n', '\0'])), "{value:?}");
    }
    let reads = matches!(route.method, crm_host::manifest::Method::Get | crm_host::manifest::Method::Delete);
    assert!(!reads || request.body().is_empty());
}

/// Whether every server takes it for one segment, even one that decodes it twice.
fn is_one_segment(segment: &str) -> bool {
    let mut text = segment.to_owned();
    for _ in 0..3 {
        if text.is_empty() || matches!(text.trim(), "." | "..") || text.contains(['/', '\\', ';', '\0', '\r', '\n']) {
            return false;
        }
        // As a path has it, not as a form: `+` is itself.
        let escaped = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
        text = url::form_urlencoded::parse(escaped.as_bytes()).map(|(name, _)| name.into_owned()).collect();
    }
    true
}
