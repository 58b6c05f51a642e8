//! Origins (RFC 6454) that requests may go to, and the patterns in manifests and policies that match them.
//!
//! There are two kinds of origin: `https` on its default port at a DNS name, and plain `http` on loopback, which only an
//! operator's test override makes reachable. Anything else in a URL (user information, a fragment, another port, an address
//! instead of a name) is refused, never repaired, because it can make two parsers see two hosts.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// An origin that a request may go to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(Kind);

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kind {
    /// `https`, default port.
    Https(String),
    /// `http` on this machine.
    Loopback(Loopback, u16),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Loopback {
    V4,
    V6,
    Name,
}

/// Why a text is not an origin or an origin pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// The text cannot be read as an absolute URL in one way only.
    #[error("not an absolute URL; write it as `https://host`")]
    NotAUrl,
    /// The scheme is not `https`.
    #[error("only `https` is allowed; write it as `https://host`")]
    Scheme,
    /// There is user information before the host.
    #[error("user information (`user@`) is not allowed; leave it out")]
    UserInfo,
    /// There is a fragment.
    #[error("a fragment (`#...`) is not allowed; leave it out")]
    Fragment,
    /// The port is not the scheme's own.
    #[error("only the default port is allowed; leave the port out")]
    Port,
    /// The host is an IP address.
    #[error("an IP address is not allowed; name the host")]
    Address,
    /// The host is not a DNS name of letters, digits and hyphens.
    #[error(
        "the host is not a full DNS name of letters, digits and hyphens; write `name.example.com`, without a final dot"
    )]
    Host,
    /// There is a path or a query where only an origin belongs.
    #[error("a path or query does not belong to an origin; end it after the host")]
    Path,
    /// A wildcard stands where none may stand.
    #[error(
        "a wildcard must be the whole leftmost part and have at least two parts after it, as in `https://*.example.com`"
    )]
    Wildcard,
    /// The host of a pattern is not written as it is compared.
    #[error("a pattern must be written in lower case and without a port, as in `https://*.example.com`")]
    Spelling,
}

impl OriginError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAUrl => "origin-not-a-url",
            Self::Scheme => "origin-scheme",
            Self::UserInfo => "origin-user-info",
            Self::Fragment => "origin-fragment",
            Self::Port => "origin-port",
            Self::Address => "origin-address",
            Self::Host => "origin-host",
            Self::Path => "origin-path",
            Self::Wildcard => "origin-wildcard",
            Self::Spelling => "origin-spelling",
        }
    }
}

/// Parses an absolute URL and its origin.
///
/// # Errors
/// When the text is not a URL, is ambiguous, or has an origin that is not allowed.
pub fn parse_url(text: &str) -> Result<(Url, Origin), OriginError> {
    // The URL Standard removes tabs and line ends, trims blanks and treats `\` as `/`; other parsers do not.
    if text.bytes().any(|byte| byte <= b' ' || byte == b'\\' || byte == 0x7f) {
        return Err(OriginError::NotAUrl);
    }
    let (_, rest) = text.split_once("://").ok_or(OriginError::NotAUrl)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // An empty user (`https://@host`) is lost in the parsed URL.
    if authority.contains('@') {
        return Err(OriginError::UserInfo);
    }
    if authority.is_empty() {
        return Err(OriginError::NotAUrl);
    }
    let url = Url::parse(text).map_err(|error| match error {
        url::ParseError::InvalidPort => OriginError::Port,
        url::ParseError::IdnaError
        | url::ParseError::InvalidDomainCharacter
        | url::ParseError::InvalidIpv4Address
        | url::ParseError::InvalidIpv6Address
        | url::ParseError::EmptyHost => OriginError::Host,
        _ => OriginError::NotAUrl,
    })?;
    let origin = Origin::of_url(&url)?;
    Ok((url, origin))
}

impl Origin {
    /// The origin of a URL.
    ///
    /// # Errors
    /// When the origin is not allowed.
    pub fn of_url(url: &Url) -> Result<Self, OriginError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OriginError::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(OriginError::Fragment);
        }
        match (url.scheme(), url.host()) {
            ("https", Some(Host::Domain(name))) => {
                if url.port().is_some() {
                    return Err(OriginError::Port);
                }
                check_name(name)?;
                Ok(Self(Kind::Https(name.to_owned())))
            }
            ("https", Some(Host::Ipv4(_) | Host::Ipv6(_))) => Err(OriginError::Address),
            ("http", Some(host)) => {
                let loopback = match host {
                    Host::Ipv4(Ipv4Addr::LOCALHOST) => Loopback::V4,
                    Host::Ipv6(Ipv6Addr::LOCALHOST) => Loopback::V6,
                    Host::Domain("localhost") => Loopback::Name,
                    _ => return Err(OriginError::Scheme),
                };
                let port = url.port_or_known_default().ok_or(OriginError::Port)?;
                Ok(Self(Kind::Loopback(loopback, port)))
            }
            ("http", None) | ("https", None) => Err(OriginError::NotAUrl),
            _ => Err(OriginError::Scheme),
        }
    }

    /// Whether it is plain `http` on this machine, which only a test override allows.
    pub fn is_loopback(&self) -> bool {
        matches!(self.0, Kind::Loopback(..))
    }

    /// Whether it is loopback by the name `localhost`, which needs a look-up.
    pub(crate) fn is_localhost(&self) -> bool {
        matches!(self.0, Kind::Loopback(Loopback::Name, _))
    }

    /// The URL of a path at this origin. The path begins with `/`.
    pub(crate) fn join(&self, path: &str) -> Result<Url, OriginError> {
        Url::parse(&format!("{self}{path}")).map_err(|_| OriginError::NotAUrl)
    }

    /// `url` with this origin instead of its own.
    pub(crate) fn in_place_of(&self, url: &Url) -> Result<Url, OriginError> {
        self.join(&url[url::Position::BeforePath..])
    }
}

/// Checks for a DNS name of at least two labels as RFC 1123, section 2.1 writes host names.
fn check_name(name: &str) -> Result<(), OriginError> {
    let label_is_fine = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() <= 253 && name.contains('.') && name.split('.').all(label_is_fine) {
        Ok(())
    } else {
        Err(OriginError::Host)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Https(host) => write!(f, "https://{host}"),
            Kind::Loopback(Loopback::V4, port) => write!(f, "http://127.0.0.1:{port}"),
            Kind::Loopback(Loopback::V6, port) => write!(f, "http://[::1]:{port}"),
            Kind::Loopback(Loopback::Name, port) => write!(f, "http://localhost:{port}"),
        }
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    /// Parses an origin. A final `/` is accepted, because servers write one; any other path is not.
    fn from_str(text: &str) -> Result<Self, OriginError> {
        let (url, origin) = parse_url(text)?;
        if url.path() != "/" || url.query().is_some() {
            return Err(OriginError::Path);
        }
        Ok(origin)
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;

    fn try_from(text: String) -> Result<Self, OriginError> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.to_string()
    }
}

/// Matches one origin, or all origins whose host is below a name.
///
/// In `https://*.my.salesforce.com`, `*` matches one or more labels (Salesforce's sandboxes have several). The pattern does
/// not match `my.salesforce.com` itself. Loopback origins match no pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = r"^https://(\*\.)?[a-z0-9.-]+$")))]
#[serde(try_from = "String", into = "String")]
pub struct OriginPattern {
    wildcard: bool,
    host: String,
}

impl OriginPattern {
    /// Whether the pattern matches an origin.
    pub fn matches(&self, origin: &Origin) -> bool {
        match &origin.0 {
            Kind::Https(host) => self.covers(false, host),
            Kind::Loopback(..) => false,
        }
    }

    /// The only origin that matches; `None` for a wildcard.
    pub fn exact(&self) -> Option<Origin> {
        (!self.wildcard).then(|| Origin(Kind::Https(self.host.clone())))
    }

    /// The origins that both patterns match. Two patterns are nested or disjoint, so one pattern expresses it.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        if self.covers(other.wildcard, &other.host) {
            Some(other.clone())
        } else if other.covers(self.wildcard, &self.host) {
            Some(self.clone())
        } else {
            None
        }
    }

    fn covers(&self, wildcard: bool, host: &str) -> bool {
        if !self.wildcard {
            return !wildcard && host == self.host;
        }
        if wildcard && host == self.host {
            return true;
        }
        host.strip_suffix(&self.host).and_then(|front| front.strip_suffix('.')).is_some_and(|front| !front.is_empty())
    }
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}{}", if self.wildcard { "*." } else { "" }, self.host)
    }
}

impl FromStr for OriginPattern {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let rest = text.strip_prefix("https://").ok_or(OriginError::Scheme)?;
        let (wildcard, host) = match rest.strip_prefix("*.") {
            Some(host) => (true, host),
            None => (false, rest),
        };
        if host.contains('*') {
            return Err(OriginError::Wildcard);
        }
        let origin: Origin = format!("https://{host}").parse()?;
        match origin.0 {
            // The text must already be in the form that is compared: no case, port, final slash or Unicode to normalize.
            Kind::Https(parsed) if parsed == host => Ok(Self { wildcard, host: parsed }),
            _ => Err(if host.ends_with('/') { OriginError::Path } else { OriginError::Spelling }),
        }
    }
}

impl TryFrom<String> for OriginPattern {
    type Error = OriginError;

    fn try_from(text: String) -> Result<Self, OriginError> {
        text.parse()
    }
}

impl From<OriginPattern> for String {
    fn from(pattern: OriginPattern) -> Self {
        pattern.to_string()
    }
}

#[cfg(test)]
mod tests;
