//! A plugin's permissions: its manifest, narrowed by the operator's policy.

use std::collections::BTreeSet;

use url::Url;

use super::{Nat64Prefix, Policy, PolicyError, PrivateRange, Proxy, TestOverride};
use crate::{
    manifest::{ApiKeySpec, CredentialSpec, EgressRule, Limits, Manifest, Method, OAuthSpec, Route},
    origin::{Origin, OriginError, OriginPattern},
};

/// The manifest, narrowed by the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permissions {
    manifest: Manifest,
    /// The requests that the manifest asks for, before the policy narrows them.
    asked: Vec<EgressRule>,
    test_overrides: Vec<TestOverride>,
    proxy: Option<Proxy>,
    allowed_private_ranges: Vec<PrivateRange>,
    nat64_prefixes: Vec<Nat64Prefix>,
}

impl Permissions {
    /// Narrows a manifest by a policy.
    ///
    /// # Errors
    /// When nothing is left, a limit is 0, or a test override matches no allowed origin.
    pub fn new(manifest: &Manifest, policy: &Policy) -> Result<Self, PolicyError> {
        let mut manifest = manifest.clone();
        let asked = manifest.egress.clone();
        manifest.egress = narrow_egress(&manifest.egress, policy)?;
        for credential in manifest.credentials.values_mut() {
            match credential {
                CredentialSpec::OAuth2(spec) => {
                    let Some(allowed) = &policy.login_hosts else { continue };
                    let narrowed = intersections(&spec.login_hosts, allowed);
                    if narrowed.is_empty() {
                        return Err(nothing_left("login_hosts", &spec.login_hosts));
                    }
                    spec.login_hosts = narrowed;
                }
                CredentialSpec::ApiKey(spec) => {
                    if !manifest.egress.iter().any(|rule| rule.origin.intersection(&spec.origin).is_some()) {
                        return Err(nothing_left("origins", [&spec.origin]));
                    }
                }
            }
        }
        manifest.limits = policy.limits.narrow(manifest.limits.at_most(Limits::CEILING));
        if let Some(key) = manifest.limits.zero() {
            return Err(PolicyError::ZeroLimit { key });
        }
        let allowed: Vec<_> = manifest
            .egress
            .iter()
            .map(|rule| &rule.origin)
            .chain(manifest.credentials.values().flat_map(login_hosts))
            .collect();
        for test_override in &policy.test_overrides {
            if !allowed.iter().any(|pattern| pattern.intersection(&test_override.pattern).is_some()) {
                return Err(PolicyError::TestOverrideUnused {
                    pattern: test_override.pattern.clone(),
                    allowed: list(allowed.iter().copied()),
                });
            }
        }
        Ok(Self {
            manifest,
            asked,
            test_overrides: policy.test_overrides.clone(),
            proxy: policy.proxy.clone(),
            allowed_private_ranges: policy.allowed_private_ranges.clone(),
            nat64_prefixes: policy.nat64_prefixes.clone(),
        })
    }

    /// The narrowed manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The requests that the manifest asks for, before the policy narrows them.
    pub(crate) fn asked(&self) -> &[EgressRule] {
        &self.asked
    }

    /// Whether requests to an origin go to a test override's.
    pub(crate) fn is_overridden(&self, origin: &Origin) -> bool {
        let is_one =
            |test_override: &TestOverride| test_override.origin == *origin || test_override.pattern.matches(origin);
        self.test_overrides.iter().any(is_one)
    }

    /// Whether one of these patterns matches an origin, directly or through a test override.
    pub(crate) fn any_matches(&self, patterns: &[OriginPattern], origin: &Origin) -> bool {
        patterns.iter().any(|pattern| self.matches(pattern, origin))
    }

    /// The narrowed limits.
    pub fn limits(&self) -> Limits {
        self.manifest.limits
    }

    /// The test overrides in force. A host announces them in every output.
    pub fn test_overrides(&self) -> &[TestOverride] {
        &self.test_overrides
    }

    /// The proxy for all requests except those to test overrides.
    pub fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// Private addresses that names may resolve to.
    pub fn allowed_private_ranges(&self) -> &[PrivateRange] {
        &self.allowed_private_ranges
    }

    /// The network's own NAT64 prefixes.
    pub fn nat64_prefixes(&self) -> &[Nat64Prefix] {
        &self.nat64_prefixes
    }

    /// A credential by its name in the manifest.
    pub fn credential(&self, name: &str) -> Option<&CredentialSpec> {
        self.manifest.credentials.get(name)
    }

    /// The rules for a connected origin; none if it is not allowed. A test override has the rules of the origins it
    /// replaces.
    pub fn rules_for(&self, origin: &Origin) -> impl Iterator<Item = &EgressRule> {
        self.manifest.egress.iter().filter(move |rule| self.matches(&rule.origin, origin))
    }

    /// The route of a request. Of several that match, the one whose first segments are named. If the policy removed that one, none:
    /// another one must not stand in for it.
    pub(crate) fn route(&self, origin: &Origin, method: Method, path: &str) -> Option<&Route> {
        let asked = self.asked.iter().filter(|rule| self.matches(&rule.origin, origin));
        let chosen = closest(asked, method, path)?;
        closest(self.rules_for(origin), method, path).filter(|route| route.path == chosen.path)
    }

    /// Parses the origin that a server names for the account and checks that it may be connected.
    ///
    /// # Errors
    /// When it is not an origin, or not an allowed one.
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

    /// Parses the host that a person names and checks that people may log in there.
    ///
    /// # Errors
    /// When it is not an origin, or not an allowed one.
    pub fn admit_login_host(&self, credential: &OAuthSpec, text: &str) -> Result<Origin, AdmissionError> {
        let origin: Origin = text.parse()?;
        if credential.login_hosts.iter().any(|pattern| self.matches(pattern, &origin)) {
            Ok(origin)
        } else {
            Err(AdmissionError::NotAllowed { allowed: list(&credential.login_hosts), origin })
        }
    }

    /// Parses the origin that a person names for an API key and checks that the key may be sent there.
    ///
    /// # Errors
    /// When it is not an origin, or not an allowed one.
    pub fn admit_key_origin(&self, credential: &ApiKeySpec, text: &str) -> Result<Origin, AdmissionError> {
        let origin: Origin = text.parse()?;
        if self.admits_key(credential, &origin) {
            Ok(origin)
        } else {
            let rules = self.manifest.egress.iter();
            let allowed: Vec<_> = rules.filter_map(|rule| rule.origin.intersection(&credential.origin)).collect();
            Err(AdmissionError::NotAllowed { allowed: list(&allowed), origin })
        }
    }

    /// Whether an API key may be sent to an origin.
    pub(crate) fn admits_key(&self, credential: &ApiKeySpec, origin: &Origin) -> bool {
        self.matches(&credential.origin, origin) && self.rules_for(origin).next().is_some()
    }

    /// The URL that is requested: that of the test override, if one matches.
    ///
    /// # Errors
    /// When the URL has no valid origin.
    pub fn target(&self, url: &Url) -> Result<Url, OriginError> {
        let origin = Origin::of_url(url)?;
        match self.test_overrides.iter().find(|test_override| test_override.pattern.matches(&origin)) {
            Some(test_override) => test_override.origin.in_place_of(url),
            None => Ok(url.clone()),
        }
    }

    /// Whether a pattern matches an origin, directly or through a test override.
    fn matches(&self, pattern: &OriginPattern, origin: &Origin) -> bool {
        pattern.matches(origin)
            || self.test_overrides.iter().any(|test_override| {
                test_override.origin == *origin && pattern.intersection(&test_override.pattern).is_some()
            })
    }
}

/// Why an origin may be neither connected nor a login host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdmissionError {
    /// The text is not an origin.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// The server's response lacks the member that names it.
    #[error("the authorization server did not name the origin")]
    NotNamed,
    /// The server's response has a secret of the request in it.
    #[error("the authorization server named an origin with a secret in it")]
    RepeatsSecret,
    /// Neither manifest nor policy allow it.
    #[error("`{origin}` is not allowed; allowed are {allowed}")]
    NotAllowed {
        /// The origin.
        origin: Origin,
        /// The allowed origins.
        allowed: String,
    },
}

impl AdmissionError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Origin(error) => error.code(),
            Self::NotNamed => "origin-not-named",
            Self::RepeatsSecret => "origin-repeats-secret",
            Self::NotAllowed { .. } => "origin-not-allowed",
        }
    }
}

fn closest<'a>(rules: impl Iterator<Item = &'a EgressRule>, method: Method, path: &str) -> Option<&'a Route> {
    rules
        .flat_map(|rule| &rule.routes)
        .filter(|route| route.method == method && route.path.matches(path))
        .min_by_key(|route| route.path.generality())
}

fn narrow_egress(rules: &[EgressRule], policy: &Policy) -> Result<Vec<EgressRule>, PolicyError> {
    let mut narrowed = Vec::new();
    for rule in rules {
        let origins = match &policy.origins {
            Some(allowed) => intersections(std::slice::from_ref(&rule.origin), allowed),
            None => vec![rule.origin.clone()],
        };
        let mut routes = rule.routes.clone();
        routes.retain(|route| {
            policy.methods.as_ref().is_none_or(|methods| methods.contains(&route.method))
                && policy.routes.as_ref().is_none_or(|routes| routes.contains(&route.to_string()))
        });
        if !routes.is_empty() {
            narrowed.extend(origins.into_iter().map(|origin| EgressRule { origin, routes: routes.clone() }));
        }
    }
    if narrowed.is_empty() {
        let key = match policy {
            Policy { origins: Some(_), .. } => "origins",
            Policy { routes: Some(_), .. } => "routes",
            _ => "methods",
        };
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

fn login_hosts(credential: &CredentialSpec) -> &[OriginPattern] {
    match credential {
        CredentialSpec::OAuth2(spec) => &spec.login_hosts,
        CredentialSpec::ApiKey(_) => &[],
    }
}

fn list<'a>(patterns: impl IntoIterator<Item = &'a OriginPattern>) -> String {
    patterns.into_iter().map(|pattern| format!("`{pattern}`")).collect::<Vec<_>>().join(", ")
}
