//! The operator's policy, and what holds when it meets a plugin's manifest.
//!
//! A policy narrows: origins, login hosts, methods and limits. The one thing it adds is a *stand-in*: a named origin on
//! loopback that takes the place of the origins that a pattern means, for testing. A manifest cannot have one, and a host
//! announces those that are in force.

mod effective;

use std::{collections::BTreeSet, net::IpAddr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use url::Url;

pub use effective::{AdmissionError, Effective};

use crate::{
    manifest::{Limits, Method},
    origin::{Origin, OriginPattern},
};

/// What an operator allows a plugin, at most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Origins that may become the connected one; `None`: those of the manifest.
    pub origins: Option<Vec<OriginPattern>>,
    /// Origins at which people may log in; `None`: those of the manifest.
    pub login_hosts: Option<Vec<OriginPattern>>,
    /// Methods that may be used; `None`: those of the manifest.
    pub methods: Option<BTreeSet<Method>>,
    /// Limits; what is larger than the manifest's has no effect.
    pub limits: PolicyLimits,
    /// A proxy for all requests but those to stand-ins. The proxy then resolves names, so it must keep them out of
    /// private networks itself.
    pub proxy: Option<Proxy>,
    /// Private addresses that names may resolve to all the same, for example `10.20.0.0/16`.
    pub allowed_private_ranges: Vec<PrivateRange>,
    /// Stand-ins for testing.
    #[serde(rename = "stand_in")]
    pub stand_ins: Vec<StandIn>,
}

/// Limits of a policy. What is left out is the manifest's.
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
        fn least<T: Ord>(theirs: T, ours: Option<T>) -> T {
            match ours {
                Some(ours) => theirs.min(ours),
                None => theirs,
            }
        }
        Limits {
            memory_bytes: least(limits.memory_bytes, self.memory_bytes),
            cpu_ms: least(limits.cpu_ms, self.cpu_ms),
            wall_ms: least(limits.wall_ms, self.wall_ms),
            http_requests: least(limits.http_requests, self.http_requests),
            request_bytes: least(limits.request_bytes, self.request_bytes),
            response_bytes: least(limits.response_bytes, self.response_bytes),
        }
    }
}

/// A loopback origin in the place of the origins that a pattern means. Methods and paths stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawStandIn")]
pub struct StandIn {
    pattern: OriginPattern,
    origin: Origin,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStandIn {
    pattern: OriginPattern,
    origin: Origin,
}

impl TryFrom<RawStandIn> for StandIn {
    type Error = PolicyError;

    fn try_from(raw: RawStandIn) -> Result<Self, PolicyError> {
        Self::new(raw.pattern, raw.origin)
    }
}

impl StandIn {
    /// Lets a loopback origin, for example `http://127.0.0.1:4000`, stand in for what `pattern` means.
    pub fn new(pattern: OriginPattern, origin: Origin) -> Result<Self, PolicyError> {
        if origin.is_loopback() {
            Ok(Self { pattern, origin })
        } else {
            Err(PolicyError::StandInNotLoopback { origin })
        }
    }

    /// What it stands in for.
    pub fn pattern(&self) -> &OriginPattern {
        &self.pattern
    }

    /// Where requests really go.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

/// A proxy: `http://host:port`, without user information.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Proxy(Url);

impl Proxy {
    /// Its address.
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

/// A range of private addresses. Loopback, link-local, multicast and unspecified addresses are in none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "IpNet", into = "IpNet")]
pub struct PrivateRange(IpNet);

/// What RFC 1918, RFC 6598 and RFC 4193 set aside.
const PRIVATE_RANGES: [&str; 5] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"];

impl PrivateRange {
    /// Whether an address lies in it.
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

/// Why a policy is not accepted, alone or together with a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// It is not TOML, or a key is unknown or has a wrong value.
    #[error("the policy cannot be read: {0}")]
    Invalid(String),
    /// A stand-in is not on loopback.
    #[error("a stand-in must be on loopback, as in `http://127.0.0.1:4000`; `{origin}` is not")]
    StandInNotLoopback {
        /// The origin.
        origin: Origin,
    },
    /// The proxy's address has more than scheme, host and port, or another scheme.
    #[error("a proxy is written `http://host:port`, without user information and path")]
    Proxy,
    /// A range has addresses that are not private.
    #[error("`{range}` is not within {}; public addresses need no permission, and loopback only a stand-in has", PRIVATE_RANGES.join(", "))]
    NotPrivate {
        /// The range.
        range: IpNet,
    },
    /// Nothing is left of what the manifest asks for.
    #[error(
        "the policy's `{key}` leaves nothing of what the manifest asks for ({asked}); widen it, or do not install the plugin"
    )]
    NothingLeft {
        /// The policy's key.
        key: &'static str,
        /// What the manifest asks for.
        asked: String,
    },
    /// A limit of 0 allows nothing.
    #[error("the policy's `limits.{key}` is 0, which allows nothing; leave it out to keep the manifest's")]
    ZeroLimit {
        /// The key.
        key: &'static str,
    },
    /// A stand-in for what the manifest does not ask for would leave tests speaking to the real thing.
    #[error("the stand-in for `{pattern}` stands in for nothing: the manifest and policy allow {allowed}")]
    StandInForNothing {
        /// The stand-in's pattern.
        pattern: OriginPattern,
        /// What is allowed.
        allowed: String,
    },
}

impl PolicyError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "policy-invalid",
            Self::StandInNotLoopback { .. } => "policy-stand-in-not-loopback",
            Self::Proxy => "policy-proxy",
            Self::NotPrivate { .. } => "policy-range-not-private",
            Self::NothingLeft { .. } => "policy-nothing-left",
            Self::ZeroLimit { .. } => "policy-zero-limit",
            Self::StandInForNothing { .. } => "policy-stand-in-for-nothing",
        }
    }
}

impl Policy {
    /// Reads a policy file. An error names line and key.
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        toml::from_str(text).map_err(|error| PolicyError::Invalid(error.to_string()))
    }
}

#[cfg(test)]
mod tests;
