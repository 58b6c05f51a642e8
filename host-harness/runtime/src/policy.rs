//! The operator's policy, and what holds when it meets a plugin's manifest.
//!
//! A policy narrows: origins, login hosts, methods and limits. The one thing it adds is a *stand-in*: a named origin on
//! loopback that takes the place of the origins that a pattern means, for testing. A manifest cannot have one, and a host
//! announces those that are in force.

use std::{collections::BTreeSet, net::IpAddr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    manifest::{CredentialSpec, EgressRule, Limits, Manifest, Method},
    origin::{Origin, OriginError, OriginPattern},
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

/// What holds: the manifest, narrowed by the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    manifest: Manifest,
    stand_ins: Vec<StandIn>,
    proxy: Option<Proxy>,
    allowed_private_ranges: Vec<PrivateRange>,
}

impl Effective {
    /// Narrows a manifest by a policy.
    pub fn new(manifest: &Manifest, policy: &Policy) -> Result<Self, PolicyError> {
        let mut manifest = manifest.clone();
        manifest.egress = narrow_egress(&manifest.egress, policy)?;
        for credential in manifest.credentials.values_mut() {
            if let Some(allowed) = &policy.login_hosts {
                let narrowed = intersections(&credential.login_hosts, allowed);
                if narrowed.is_empty() {
                    return Err(nothing_left("login_hosts", &credential.login_hosts));
                }
                credential.login_hosts = narrowed;
            }
        }
        manifest.limits = policy.limits.narrow(manifest.limits);
        if let Some(key) = manifest.limits.zero() {
            return Err(PolicyError::ZeroLimit { key });
        }
        let allowed: Vec<_> = manifest
            .egress
            .iter()
            .map(|rule| &rule.origin)
            .chain(manifest.credentials.values().flat_map(|credential| &credential.login_hosts))
            .collect();
        for stand_in in &policy.stand_ins {
            if !allowed.iter().any(|pattern| pattern.intersection(&stand_in.pattern).is_some()) {
                return Err(PolicyError::StandInForNothing {
                    pattern: stand_in.pattern.clone(),
                    allowed: list(allowed.iter().copied()),
                });
            }
        }
        Ok(Self {
            manifest,
            stand_ins: policy.stand_ins.clone(),
            proxy: policy.proxy.clone(),
            allowed_private_ranges: policy.allowed_private_ranges.clone(),
        })
    }

    /// The manifest as it holds.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The limits as they hold.
    pub fn limits(&self) -> Limits {
        self.manifest.limits
    }

    /// The stand-ins in force. A host announces them in every output.
    pub fn stand_ins(&self) -> &[StandIn] {
        &self.stand_ins
    }

    /// The proxy for all requests but those to stand-ins.
    pub fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// Private addresses that names may resolve to.
    pub fn allowed_private_ranges(&self) -> &[PrivateRange] {
        &self.allowed_private_ranges
    }

    /// A credential by its name in the manifest.
    pub fn credential(&self, name: &str) -> Option<&CredentialSpec> {
        self.manifest.credentials.get(name)
    }

    /// The rules for a connected origin; none when it may not be one.
    ///
    /// A stand-in is under the rules of what it stands in for.
    pub fn rules_for(&self, origin: &Origin) -> impl Iterator<Item = &EgressRule> {
        self.manifest.egress.iter().filter(move |rule| self.means(&rule.origin, origin))
    }

    /// Reads the text by which a server names the account's origin, and checks that it may become the connected one.
    pub fn admit_origin(&self, text: &str) -> Result<Origin, AdmissionError> {
        let origin: Origin = text.parse()?;
        if self.rules_for(&origin).next().is_some() {
            Ok(origin)
        } else {
            Err(AdmissionError::NotAllowed {
                allowed: list(self.manifest.egress.iter().map(|rule| &rule.origin)),
                origin,
            })
        }
    }

    /// Reads the host that a person names, and checks that people may log in there.
    pub fn admit_login_host(&self, credential: &CredentialSpec, text: &str) -> Result<Origin, AdmissionError> {
        let origin: Origin = text.parse()?;
        if credential.login_hosts.iter().any(|pattern| self.means(pattern, &origin)) {
            Ok(origin)
        } else {
            Err(AdmissionError::NotAllowed { allowed: list(&credential.login_hosts), origin })
        }
    }

    /// The URL that is really used: that of the stand-in where there is one.
    pub fn target(&self, url: &Url) -> Result<Url, OriginError> {
        let origin = Origin::of_url(url)?;
        match self.stand_ins.iter().find(|stand_in| stand_in.pattern.matches(&origin)) {
            Some(stand_in) => stand_in.origin.in_place_of(url),
            None => Ok(url.clone()),
        }
    }

    /// Whether a pattern means an origin, itself or through a stand-in.
    fn means(&self, pattern: &OriginPattern, origin: &Origin) -> bool {
        pattern.matches(origin)
            || self
                .stand_ins
                .iter()
                .any(|stand_in| stand_in.origin == *origin && pattern.intersection(&stand_in.pattern).is_some())
    }
}

/// Why an origin may not be the connected one, or a login host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdmissionError {
    /// The text is no origin.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// Manifest and policy allow others only.
    #[error("`{origin}` is not among the allowed: {allowed}")]
    NotAllowed {
        /// The origin.
        origin: Origin,
        /// What is allowed.
        allowed: String,
    },
}

impl AdmissionError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Origin(error) => error.code(),
            Self::NotAllowed { .. } => "origin-not-allowed",
        }
    }
}

fn narrow_egress(rules: &[EgressRule], policy: &Policy) -> Result<Vec<EgressRule>, PolicyError> {
    let mut narrowed = Vec::new();
    for rule in rules {
        let origins = match &policy.origins {
            Some(allowed) => intersections(std::slice::from_ref(&rule.origin), allowed),
            None => vec![rule.origin.clone()],
        };
        let mut methods = rule.methods.clone();
        if let Some(allowed) = &policy.methods {
            methods.retain(|method| allowed.contains(method));
        }
        if methods.is_empty() {
            continue;
        }
        narrowed.extend(origins.into_iter().map(|origin| EgressRule {
            origin,
            methods: methods.clone(),
            path_prefixes: rule.path_prefixes.clone(),
        }));
    }
    if narrowed.is_empty() {
        let key = if policy.origins.is_some() { "origins" } else { "methods" };
        return Err(nothing_left(key, rules.iter().map(|rule| &rule.origin)));
    }
    Ok(narrowed)
}

fn intersections(theirs: &[OriginPattern], ours: &[OriginPattern]) -> Vec<OriginPattern> {
    let both: BTreeSet<_> =
        theirs.iter().flat_map(|one| ours.iter().filter_map(|other| one.intersection(other))).collect();
    both.into_iter().collect()
}

fn nothing_left<'a>(key: &'static str, asked: impl IntoIterator<Item = &'a OriginPattern>) -> PolicyError {
    PolicyError::NothingLeft { key, asked: list(asked) }
}

fn list<'a>(patterns: impl IntoIterator<Item = &'a OriginPattern>) -> String {
    patterns.into_iter().map(|pattern| format!("`{pattern}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
