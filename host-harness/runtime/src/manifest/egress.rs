//! Rules for the requests of a plugin.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::ManifestError;
use crate::{
    imports,
    origin::{Origin, OriginPattern},
};

/// Origins that may be connected, and what may be sent to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct EgressRule {
    /// The origins.
    pub origin: OriginPattern,
    /// The allowed methods.
    pub methods: BTreeSet<Method>,
    /// The prefixes of allowed paths.
    pub path_prefixes: Vec<PathPrefix>,
}

impl EgressRule {
    pub(super) fn check(&self, key: &str) -> Result<(), ManifestError> {
        if self.methods.is_empty() {
            return Err(ManifestError::value(format!("{key}.methods"), "name at least one method"));
        }
        if self.path_prefixes.is_empty() {
            return Err(ManifestError::value(
                format!("{key}.path_prefixes"),
                "name at least one; `/` allows every path",
            ));
        }
        Ok(())
    }

    /// Whether a path of a parsed URL is allowed.
    pub fn allows_path(&self, path: &str) -> bool {
        self.path_prefixes.iter().any(|prefix| prefix.covers(path))
    }
}

/// The only origin that rules admit, if there is just one.
pub(super) fn only_origin(rules: &[EgressRule]) -> Option<Origin> {
    match rules {
        [rule] => rule.origin.exact(),
        _ => None,
    }
}

/// A request method that a plugin may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Creates.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Deletes.
    Delete,
}

impl TryFrom<imports::http::Method> for Method {
    /// The name of a method that a manifest cannot list.
    type Error = String;

    fn try_from(method: imports::http::Method) -> Result<Self, String> {
        use imports::http::Method as Imported;
        Ok(match method {
            Imported::Get => Self::Get,
            Imported::Post => Self::Post,
            Imported::Put => Self::Put,
            Imported::Patch => Self::Patch,
            Imported::Delete => Self::Delete,
            Imported::Other(name) => return Err(name),
        })
    }
}

impl From<Method> for http::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(http::Method::from(*self).as_str())
    }
}

/// The beginning of a path: whole segments, from `/` to `/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathPrefix(String);

impl PathPrefix {
    /// Whether a path is below the prefix.
    ///
    /// A path with an escaped separator or backslash is below none: some servers decode it before they resolve the segments,
    /// so it may lead outside. The URL parser has already resolved dots.
    pub fn covers(&self, path: &str) -> bool {
        let lower = path.to_ascii_lowercase();
        path.starts_with(&self.0) && !["%2f", "%5c", "//", "%00"].iter().any(|ambiguous| lower.contains(ambiguous))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PathPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a [`PathPrefix`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a path prefix starts and ends with `/` and has only letters, digits and `-._~` between, no `..`: `/api/v2/`")]
pub struct InvalidPathPrefix;

impl TryFrom<String> for PathPrefix {
    type Error = InvalidPathPrefix;

    fn try_from(text: String) -> Result<Self, InvalidPathPrefix> {
        let inner = match text.strip_prefix('/') {
            Some("") => return Ok(Self(text)),
            Some(rest) => rest.strip_suffix('/').ok_or(InvalidPathPrefix)?,
            None => return Err(InvalidPathPrefix),
        };
        if inner.split('/').all(is_plain_segment) { Ok(Self(text)) } else { Err(InvalidPathPrefix) }
    }
}

/// Whether a path segment has only unreserved characters (RFC 3986, section 2.3) and is not a dot segment.
pub(super) fn is_plain_segment(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..")
        && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

impl From<PathPrefix> for String {
    fn from(prefix: PathPrefix) -> Self {
        prefix.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Result<PathPrefix, InvalidPathPrefix> {
        text.to_owned().try_into()
    }

    #[test]
    fn a_prefix_is_whole_segments() {
        for text in ["/", "/services/data/", "/v1.0/~x/"] {
            assert!(prefix(text).is_ok(), "{text}");
        }
        for text in ["", "services/", "/services", "//", "/a//b/", "/a/../b/", "/./", "/a%2f/", "/a?b/", "/a b/", "/é/"]
        {
            assert!(prefix(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_that_servers_may_interpret_in_two_ways_is_below_no_prefix() {
        let data = prefix("/services/data/").unwrap();
        for (path, covered) in [
            ("/services/data/v66.0/sobjects/Lead", true),
            ("/services/data/v66.0/sobjects/Lead/BookingId__c/team%20a%3Ab", true),
            ("/services/data/", true),
            ("/services/data", false),
            ("/services/database/", false),
            ("/Services/data/", false),
            ("/services/data/..%2Foauth2/token", false),
            ("/services/data/..%5coauth2/token", false),
            ("/services/data//oauth2", false),
            ("/services/data/a%00b", false),
            ("/services/oauth2/token", false),
        ] {
            assert_eq!(data.covers(path), covered, "{path}");
        }
    }
}
