//! Routes: which requests a plugin may send, and what it gets of the responses.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use super::{
    ManifestError,
    egress::Method,
    header::{MediaType, RequestHeader, ResponseHeader},
};

/// One kind of request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The paths.
    pub path: PathPattern,
    /// Names that the query may have, each at most once.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub query: BTreeSet<String>,
    /// Headers that the plugin may set.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub headers: BTreeSet<RequestHeader>,
    /// Headers of the response that the plugin gets.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub response_headers: BTreeSet<ResponseHeader>,
    /// Media types of responses whose body the plugin gets. Of any other it gets the status and the headers only.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub response_types: BTreeSet<MediaType>,
}

impl Route {
    /// Whether it allows all that another one does. Their paths must be the same, except for the names of parameters.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.method == other.method
            && self.path.shape() == other.path.shape()
            && other.query.is_subset(&self.query)
            && other.headers.is_subset(&self.headers)
            && other.response_headers.is_subset(&self.response_headers)
            && other.response_types.is_subset(&self.response_types)
    }

    /// What a plugin may do by it, for the person who decides on the plugin.
    pub fn sentence(&self) -> String {
        let verb = match self.method {
            Method::Get => "reads",
            Method::Post => "creates or sends",
            Method::Put => "replaces",
            Method::Patch => "changes",
            Method::Delete => "deletes",
        };
        let listed = |parts: [(&str, Vec<&str>); 2]| {
            let parts = parts.into_iter().filter(|(_, names)| !names.is_empty());
            parts.map(|(what, names)| format!("{what} {}", names.join(", "))).collect::<Vec<_>>().join(" and ")
        };
        let sets = listed([
            ("query", self.query.iter().map(String::as_str).collect()),
            ("headers", self.headers.iter().map(RequestHeader::as_str).collect()),
        ]);
        let gets = listed([
            ("headers", self.response_headers.iter().map(ResponseHeader::as_str).collect()),
            ("bodies of", self.response_types.iter().map(MediaType::as_str).collect()),
        ]);
        let sets = if sets.is_empty() { sets } else { format!(", may set {sets}") };
        let gets = if gets.is_empty() { "the status only".to_owned() } else { gets };
        format!("{self} ({verb}){sets}; gets {gets}")
    }

    pub(super) fn check(&self, key: &str) -> Result<(), ManifestError> {
        match self.query.iter().find(|name| name.is_empty() || name.len() > 64 || name.contains(char::is_control)) {
            None => Ok(()),
            Some(_) => Err(ManifestError::value(format!("{key}.query"), "write names of 1 to 64 characters")),
        }
    }

    /// The manifest's lines for a request, to show how it could be allowed.
    pub(crate) fn suggestion(
        method: Method,
        path: &str,
        query: impl IntoIterator<Item = String>,
        headers: impl IntoIterator<Item = String>,
    ) -> String {
        let mut lines =
            format!("[[egress.routes]]\nmethod = \"{method}\"\npath = \"{}\"", PathPattern::suggestion(path));
        let listed = |names: BTreeSet<String>| -> String {
            names.iter().take(32).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
        };
        for (key, names) in [("query", query.into_iter().collect()), ("headers", headers.into_iter().collect())] {
            let names = listed(names);
            if !names.is_empty() {
                lines.push_str(&format!("\n{key} = [{names}]"));
            }
        }
        lines
    }
}

/// As a policy names it: `GET /services/data/{version}/query`.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// Paths: `/api/leads/{id}`. `{name}` stands for one segment, whatever it is; the rest stands for itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = r"^/([A-Za-z0-9._~-]+|\{[a-z-]{1,32}\})?(/([A-Za-z0-9._~-]+|\{[a-z-]{1,32}\}))*/?$")))]
#[serde(try_from = "String", into = "String")]
pub struct PathPattern(String);

/// The text is not a [`PathPattern`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a path starts with `/`; between slashes it has letters, digits and `-._~`, or one `{{name}}` that stands for any segment: \
     `/api/leads/{{id}}`"
)]
pub struct InvalidPathPattern;

impl PathPattern {
    /// Whether a path of a parsed URL is one of these.
    ///
    /// Servers decode paths differently, and some more than once. A segment that stands for a parameter is therefore decoded once,
    /// and does not match if it is then still encoded, has a separator, is a dot segment, or is not UTF-8.
    pub fn matches(&self, path: &str) -> bool {
        let mut segments = path.split('/');
        let all = self.0.split('/').all(|expected| match (segments.next(), parameter(expected)) {
            (Some(segment), None) => segment == expected,
            (Some(segment), Some(_)) => is_unambiguous(segment),
            (None, _) => false,
        });
        all && segments.next().is_none()
    }

    /// Orders patterns that match the same path: one that names a segment comes before one that has a parameter there.
    pub(crate) fn generality(&self) -> Vec<bool> {
        self.0.split('/').map(|segment| parameter(segment).is_some()).collect()
    }

    /// A pattern of the same shape, for comparison: parameters without their names.
    fn shape(&self) -> Vec<Option<&str>> {
        self.0.split('/').map(|segment| if parameter(segment).is_some() { None } else { Some(segment) }).collect()
    }

    /// A pattern that would match a path.
    fn suggestion(path: &str) -> Self {
        let segments = path.split('/').skip(1).take(16).map(|segment| {
            if segment.is_empty() || (is_plain_segment(segment) && segment.len() <= 64) { segment } else { "{segment}" }
        });
        Self(format!("/{}", segments.collect::<Vec<_>>().join("/")))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a parameter, if the segment of a pattern is one.
fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// Whether a segment means the same to every server: decoded once, it has no separator, nothing that is encoded a second time,
/// no control character, and is more than dots.
fn is_unambiguous(segment: &str) -> bool {
    let escapes = segment.split('%').skip(1);
    let is_escaped = |rest: &str| rest.get(..2).is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if !escapes.into_iter().all(is_escaped) {
        return false;
    }
    let Ok(decoded) = percent_decode_str(segment).decode_utf8() else { return false };
    // Servers that fold widths (NFKC) read these as `/ \ ; % .` of ASCII.
    let folds = |c: char| {
        matches!(
            c,
            '\u{FF0F}' | '\u{FF3C}' | '\u{FF1B}' | '\u{FF05}' | '\u{FF0E}' | '\u{FE68}' | '\u{FE54}' | '\u{FE6A}'
        ) || matches!(c, '\u{FE52}' | '\u{2024}'..='\u{2026}' | '\u{2044}' | '\u{2215}' | '\u{29F8}')
    };
    let is_separator = |c: char| matches!(c, '/' | '\\' | ';' | '%') || c.is_control() || folds(c);
    let is_dots = decoded.trim().chars().all(|c| c == '.');
    !decoded.contains(is_separator) && !is_dots
}

/// Whether a path segment has only unreserved characters (RFC 3986, section 2.3) and is not a dot segment.
pub(super) fn is_plain_segment(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..")
        && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for PathPattern {
    type Error = InvalidPathPattern;

    fn try_from(text: String) -> Result<Self, InvalidPathPattern> {
        let is_name = |name: &str| {
            !name.is_empty() && name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        };
        let is_segment = |segment: &str| is_plain_segment(segment) || parameter(segment).is_some_and(is_name);
        let rest = text.strip_prefix('/').filter(|_| text.len() <= 512).ok_or(InvalidPathPattern)?;
        let folder = rest.strip_suffix('/').unwrap_or(rest);
        if rest.is_empty() || folder.split('/').all(is_segment) { Ok(Self(text)) } else { Err(InvalidPathPattern) }
    }
}

impl From<PathPattern> for String {
    fn from(path: PathPattern) -> Self {
        path.0
    }
}

/// The position of a route that can match the same requests as an earlier one, and of that one.
pub(super) fn repeated(routes: &[Route]) -> Option<(usize, usize)> {
    let mut known = BTreeMap::new();
    routes.iter().enumerate().find_map(|(place, route)| {
        known.insert((route.method, route.path.shape()), place).map(|earlier| (place, earlier))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Result<PathPattern, InvalidPathPattern> {
        text.to_owned().try_into()
    }

    #[test]
    fn a_pattern_is_whole_segments() {
        for text in ["/", "/services/data/", "/v1.0/~x", "/leads/{id}", "/{a}/{b-c}/", "/a.b"] {
            assert!(path(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "services/",
            "//",
            "/a//b/",
            "/a/../b/",
            "/./",
            "/a%2f/",
            "/a?b/",
            "/a b/",
            "/é/",
            "/a{id}",
            "/{id}b",
            "/{}",
            "/{ID}",
            "/{a/b}",
            "/*",
            "/a;b",
        ] {
            assert!(path(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pattern_matches_whole_paths_and_no_segment_that_servers_read_in_two_ways() {
        let lead = path("/services/data/{version}/sobjects/Lead/{id}").unwrap();
        let of = |id: &str| lead.matches(&format!("/services/data/v64.0/sobjects/Lead/{id}"));
        for id in ["00Q5e00000LstAAEAZ", "team%20a%3Ab", "%E5%B1%B1", "a+b", "a.b", "...a"] {
            assert!(of(id), "{id}");
        }
        for id in [
            "",
            ".",
            "..",
            "...",
            "a/b",
            "a%2Fb",
            "a%5cb",
            "a%00b",
            "a%09",
            "a;b",
            "a%3Bb",
            "a%25b",
            "%252e%252e",
            "..%252f",
            "..%255c",
            "%c0%ae",
            "%ef%bc%8f",
            "..%09",
            "..%20",
            "%20..%20",
            "..%3b",
            "..;",
            "%",
            "a%2",
            "a%zz",
            "%ff",
            "%E2%80%A6",
            "%EF%BC%8E%EF%BC%8E",
            "%c2%85",
        ] {
            assert!(!of(id), "{id}");
        }
        for other in [
            "/services/data/v64.0/sobjects/Lead",
            "/services/data/v64.0/sobjects/Lead/",
            "/services/data/v64.0/sobjects/Lead/a/b",
            "/services/data/v64.0/sobjects/lead/a",
            "/services/data/v64.0/sobjects/Account/a",
            "/services/data/v64.0//sobjects/Lead/a",
            "//services/data/v64.0/sobjects/Lead/a",
            "/services/data/v64.0/tooling/executeAnonymous/",
        ] {
            assert!(!lead.matches(other), "{other}");
        }
        assert!(path("/services/data/").unwrap().matches("/services/data/"));
        assert!(!path("/services/data/").unwrap().matches("/services/data"));
        assert!(path("/").unwrap().matches("/"));
    }

    #[test]
    fn a_plugin_sets_and_gets_no_header_of_the_hosts() {
        for name in [
            "authorization",
            "Accept",
            "host",
            "x_api",
            "x-forwarded-proto",
            "proxy-authorization",
            "sec-fetch-mode",
            "range",
            "x-original-url",
            "x-rewrite-url",
            "",
            "a b",
            "transfer-encoding",
        ] {
            assert!(RequestHeader::try_from(name.to_owned()).is_err(), "{name}");
        }
        for name in ["accept", "content-type", "if-match", "sforce-auto-assign"] {
            assert!(RequestHeader::try_from(name.to_owned()).is_ok(), "{name}");
        }
        for name in ["set-cookie", "www-authenticate", "content-encoding", "Date", "x_y", ""] {
            assert!(ResponseHeader::try_from(name.to_owned()).is_err(), "{name}");
        }
        assert!(ResponseHeader::try_from("date".to_owned()).is_ok());
    }

    #[test]
    fn a_body_is_of_a_media_type_in_utf_8() {
        for (value, expected) in [
            ("application/json", Some("application/json")),
            ("Application/JSON; charset=UTF-8", Some("application/json")),
            ("text/html;charset=\"utf-8\"", Some("text/html")),
            ("application/json; charset=utf-16", None),
            ("application/json; CHARSET=iso-8859-1", None),
            ("application/*", None),
            ("json", None),
            ("", None),
        ] {
            assert_eq!(MediaType::of_header(value).as_ref().map(MediaType::as_str), expected, "{value}");
        }
    }
}
