//! The operator's policy, and the permissions that it leaves of a plugin's manifest.
//!
//! A policy narrows origins, login hosts, methods, routes and limits. It adds one thing: a *test override*, a loopback origin that
//! replaces the origins matching a pattern. A manifest cannot have one, and a host announces those in force.

mod permissions;

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::{IpNet, Ipv6Net};
use serde::{Deserialize, Serialize};
use url::Url;

pub use permissions::{AdmissionError, Permissions};

use crate::{
    manifest::{Limits, Method},
    origin::{Origin, OriginPattern},
};

/// The most that an operator allows a plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Origins that may be connected; `None` keeps those of the manifest.
    pub origins: Option<Vec<OriginPattern>>,
    /// Origins at which people may log in; `None` keeps those of the manifest.
    pub login_hosts: Option<Vec<OriginPattern>>,
    /// Methods that may be used; `None` keeps those of the manifest.
    pub methods: Option<BTreeSet<Method>>,
    /// Routes that may be used, as `inspect` prints them: `GET /services/data/{version}/query`. `None` keeps those of the manifest.
    pub routes: Option<BTreeSet<String>>,
    /// Limits; one above the manifest's has no effect.
    pub limits: PolicyLimits,
    /// A proxy for all requests except those to test overrides. The proxy resolves names, so it must itself refuse private
    /// networks.
    pub proxy: Option<Proxy>,
    /// Private addresses that names may resolve to, for example `10.20.0.0/16`.
    pub allowed_private_ranges: Vec<PrivateRange>,
    /// Prefixes under which this network reaches IPv4 addresses, for example `2001:db8:64::/96`. An address under one is as good as
    /// the IPv4 address in it. The well-known prefix `64:ff9b::/96` needs no mention.
    pub nat64_prefixes: Vec<Nat64Prefix>,
    /// Replaced origins.
    #[serde(rename = "test_override")]
    pub test_overrides: Vec<TestOverride>,
}

/// Limits of a policy; `None` keeps the manifest's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyLimits {
    /// See [`Limits::memory_bytes`].
    pub memory_bytes: Option<u64>,
    /// See [`Limits::cpu_ms`].
    pub cpu_ms: Option<u64>,
    /// See [`Limits::wall_ms`].
    pub wall_ms: Option<u64>,
    /// See [`Limits::http_requests`].
    pub http_requests: Option<u32>,
    /// See [`Limits::request_bytes`].
    pub request_bytes: Option<u64>,
    /// See [`Limits::response_bytes`].
    pub response_bytes: Option<u64>,
}

impl PolicyLimits {
    fn narrow(&self, limits: Limits) -> Limits {
        limits.at_most(Limits {
            memory_bytes: self.memory_bytes.unwrap_or(u64::MAX),
            cpu_ms: self.cpu_ms.unwrap_or(u64::MAX),
            wall_ms: self.wall_ms.unwrap_or(u64::MAX),
            http_requests: self.http_requests.unwrap_or(u32::MAX),
            request_bytes: self.request_bytes.unwrap_or(u64::MAX),
            response_bytes: self.response_bytes.unwrap_or(u64::MAX),
        })
    }
}

/// A loopback origin that replaces the origins matching a pattern. Routes stay restricted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawTestOverride")]
pub struct TestOverride {
    pattern: OriginPattern,
    origin: Origin,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTestOverride {
    pattern: OriginPattern,
    origin: Origin,
}

impl TryFrom<RawTestOverride> for TestOverride {
    type Error = PolicyError;

    fn try_from(raw: RawTestOverride) -> Result<Self, PolicyError> {
        Self::new(raw.pattern, raw.origin)
    }
}

impl TestOverride {
    /// Replaces origins matching `pattern` with a loopback origin such as `http://127.0.0.1:4000`.
    ///
    /// # Errors
    /// When the origin is not on loopback.
    pub fn new(pattern: OriginPattern, origin: Origin) -> Result<Self, PolicyError> {
        if origin.is_loopback() {
            Ok(Self { pattern, origin })
        } else {
            Err(PolicyError::TestOverrideNotLoopback { origin })
        }
    }

    /// The replaced origins.
    pub fn pattern(&self) -> &OriginPattern {
        &self.pattern
    }

    /// Where requests go instead.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

/// A proxy: `http://host:port`, without user information.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Proxy(Url);

impl Proxy {
    /// The address.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl TryFrom<String> for Proxy {
    type Error = PolicyError;

    fn try_from(text: String) -> Result<Self, PolicyError> {
        let url = Url::parse(&text).map_err(|_| PolicyError::Proxy)?;
        let plain = url.scheme() == "http"
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        if plain { Ok(Self(url)) } else { Err(PolicyError::Proxy) }
    }
}

impl From<Proxy> for String {
    fn from(proxy: Proxy) -> Self {
        proxy.0.into()
    }
}

/// A range of private addresses, never with loopback, link-local, multicast or unspecified ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "IpNet", into = "IpNet")]
pub struct PrivateRange(IpNet);

/// The private ranges of RFC 1918, RFC 6598 and RFC 4193.
const PRIVATE_RANGES: [&str; 5] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"];

impl PrivateRange {
    /// Whether the range contains an address.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl TryFrom<IpNet> for PrivateRange {
    type Error = PolicyError;

    fn try_from(range: IpNet) -> Result<Self, PolicyError> {
        let private =
            PRIVATE_RANGES.iter().filter_map(|text| text.parse::<IpNet>().ok()).any(|all| all.contains(&range));
        if private { Ok(Self(range)) } else { Err(PolicyError::NotPrivate { range }) }
    }
}

impl From<PrivateRange> for IpNet {
    fn from(range: PrivateRange) -> Self {
        range.0
    }
}

/// A prefix of IPv6 addresses that a network translates to IPv4 (RFC 6052, section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Ipv6Net", into = "Ipv6Net")]
pub struct Nat64Prefix(Ipv6Net);

/// The octet of an IPv6 address that is zero under every prefix.
const RESERVED_OCTET: usize = 8;

impl Nat64Prefix {
    /// The IPv4 address in an address that begins with the prefix.
    pub fn embedded(&self, address: Ipv6Addr) -> Option<Ipv4Addr> {
        let start = usize::from(self.0.prefix_len() / 8);
        let mut octets =
            address.octets().into_iter().enumerate().skip(start).filter(|(place, _)| *place != RESERVED_OCTET);
        let mut next = || octets.next().map(|(_, octet)| octet);
        let embedded = Ipv4Addr::new(next()?, next()?, next()?, next()?);
        self.0.contains(&address).then_some(embedded)
    }
}

impl TryFrom<Ipv6Net> for Nat64Prefix {
    type Error = PolicyError;

    fn try_from(prefix: Ipv6Net) -> Result<Self, PolicyError> {
        let is_reserved_zero = prefix.network().octets().get(RESERVED_OCTET) == Some(&0);
        let is_whole = matches!(prefix.prefix_len(), 32 | 40 | 48 | 56 | 64 | 96) && prefix.network() == prefix.addr();
        if is_whole && is_reserved_zero { Ok(Self(prefix)) } else { Err(PolicyError::NotNat64 { prefix }) }
    }
}

impl From<Nat64Prefix> for Ipv6Net {
    fn from(prefix: Nat64Prefix) -> Self {
        prefix.0
    }
}

/// Why a policy is invalid, alone or together with a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Not TOML, or a key is unknown or has a wrong value.
    #[error("the policy cannot be read")]
    Invalid(#[from] toml::de::Error),
    /// A test override is not on loopback.
    #[error("a test override must be on loopback, as in `http://127.0.0.1:4000`; `{origin}` is not")]
    TestOverrideNotLoopback {
        /// The origin.
        origin: Origin,
    },
    /// The proxy's address has a scheme other than `http`, or more than host and port.
    #[error("write the proxy as `http://host:port`, without user information and path")]
    Proxy,
    /// A range has addresses that are not private.
    #[error("`{range}` is not within {}; public addresses need no permission, and loopback needs a test override", PRIVATE_RANGES.join(", "))]
    NotPrivate {
        /// The range.
        range: IpNet,
    },
    /// A NAT64 prefix of another length, or with more bits than its length.
    #[error(
        "`{prefix}` is not a NAT64 prefix: it has 32, 40, 48, 56, 64 or 96 bits, and zeros after them and in bits 64 to 71"
    )]
    NotNat64 {
        /// The prefix.
        prefix: Ipv6Net,
    },
    /// The policy and the manifest have nothing in common.
    #[error(
        "the policy's `{key}` allows nothing that the manifest asks for ({asked}); widen it, or do not install the plugin"
    )]
    NothingLeft {
        /// The policy's key.
        key: &'static str,
        /// The manifest's values.
        asked: String,
    },
    /// A limit of 0 allows nothing.
    #[error("the policy's `limits.{key}` is 0, which allows nothing; leave it out to keep the manifest's")]
    ZeroLimit {
        /// The key.
        key: &'static str,
    },
    /// A test override replaces no allowed origin, so that tests would reach the real one.
    #[error("the test override for `{pattern}` matches no allowed origin; allowed are {allowed}")]
    TestOverrideUnused {
        /// Its pattern.
        pattern: OriginPattern,
        /// The allowed origins.
        allowed: String,
    },
}

impl PolicyError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "policy-invalid",
            Self::TestOverrideNotLoopback { .. } => "policy-test-override-not-loopback",
            Self::Proxy => "policy-proxy",
            Self::NotPrivate { .. } => "policy-range-not-private",
            Self::NotNat64 { .. } => "policy-not-nat64",
            Self::NothingLeft { .. } => "policy-nothing-left",
            Self::ZeroLimit { .. } => "policy-zero-limit",
            Self::TestOverrideUnused { .. } => "policy-test-override-unused",
        }
    }
}

impl Policy {
    /// Parses a policy file. An error names line and key.
    ///
    /// # Errors
    /// When the text is not a valid policy.
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        Ok(toml::from_str(text)?)
    }
}

#[cfg(test)]
mod tests;
