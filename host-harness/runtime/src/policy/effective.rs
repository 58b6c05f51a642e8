//! What holds when a policy meets a plugin's manifest.

use std::collections::BTreeSet;

use url::Url;

use super::{Policy, PolicyError, PrivateRange, Proxy, StandIn};
use crate::{
    manifest::{CredentialSpec, EgressRule, Limits, Manifest},
    origin::{Origin, OriginError, OriginPattern},
};

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
    /// The server's answer lacks the member that would name it.
    #[error("the authorisation server did not name the origin")]
    NotNamed,
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
            Self::NotNamed => "origin-not-named",
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
