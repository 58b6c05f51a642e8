//! The manifest: what a plugin is, what it may do, and how people connect it.
//!
//! It is a TOML text in a custom section of the component. Everything in it is checked when it is read; keys it does not
//! know are errors, so that a slip of the pen never silently allows or forbids anything.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

mod credential;
mod egress;

pub use credential::{
    Attribute, ClientAuthentication, CredentialKind, CredentialSpec, EndpointPath, ErrorPattern, GrantType, Refresh,
    Revocation, Slot, SlotHeader,
};
pub use egress::{EgressRule, Method, PathPrefix};

/// Largest manifest that is read.
const MAX_BYTES: usize = 64 << 10;

/// A plugin's manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Manifest {
    /// What the plugin is.
    pub plugin: Plugin,
    /// Which origins may become the connected one, and what may be sent there.
    pub egress: Vec<EgressRule>,
    /// What one call may use.
    pub limits: Limits,
    /// The credentials it asks for, by name.
    #[serde(default)]
    pub credentials: BTreeMap<Identifier, CredentialSpec>,
}

/// What a plugin is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Plugin {
    /// Its stable id.
    pub id: Identifier,
    /// Its name for people.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// Package and version of the contract it was built for, for example `scheduling:crm@0.1.0`.
    pub contract: String,
    /// The plan that a team needs to use it, in the platform's words.
    #[serde(default)]
    pub plan: Option<String>,
    /// The roles that may connect it, in the platform's words. Empty: everybody.
    #[serde(default)]
    pub connect_roles: Vec<String>,
}

/// What one call may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes of linear memory, all memories together.
    pub memory_bytes: u64,
    /// Milliseconds that the plugin itself may compute.
    pub cpu_ms: u64,
    /// Milliseconds from start to end, host calls included.
    pub wall_ms: u64,
    /// HTTP requests, replays after a refresh included.
    pub http_requests: u32,
    /// Bytes of one request: URL, headers and body.
    pub request_bytes: u64,
    /// Bytes of one response body, decoded.
    pub response_bytes: u64,
}

/// Why a manifest is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// It is too large to be one.
    #[error("the manifest has {bytes} bytes; at most {MAX_BYTES} are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// It is not TOML, or a key is unknown, missing or has a wrong value.
    #[error("the manifest cannot be read: {0}")]
    Invalid(String),
    /// Values that do not go together.
    #[error("manifest, `{key}`: {fault}")]
    Value {
        /// The key.
        key: String,
        /// What is wrong, and what to write instead.
        fault: String,
    },
}

impl ManifestError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "manifest-too-large",
            Self::Invalid(_) => "manifest-invalid",
            Self::Value { .. } => "manifest-value",
        }
    }

    fn value(key: impl Into<String>, fault: impl Into<String>) -> Self {
        Self::Value { key: key.into(), fault: fault.into() }
    }
}

impl Manifest {
    /// Reads a manifest. An error names line and key.
    pub fn from_toml(text: &str) -> Result<Self, ManifestError> {
        if text.len() > MAX_BYTES {
            return Err(ManifestError::TooLarge { bytes: text.len() });
        }
        let manifest: Self = toml::from_str(text).map_err(|error| ManifestError::Invalid(error.to_string()))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The one origin that every connection has where the manifest admits a single one.
    pub(crate) fn only_origin(&self) -> Option<crate::origin::Origin> {
        match self.egress.as_slice() {
            [rule] => rule.origin.exact(),
            _ => None,
        }
    }

    fn check(&self) -> Result<(), ManifestError> {
        for (key, value) in
            [("name", &self.plugin.name), ("version", &self.plugin.version), ("contract", &self.plugin.contract)]
        {
            if value.trim().is_empty() {
                return Err(ManifestError::value(format!("plugin.{key}"), "must not be blank"));
            }
        }
        if self.egress.is_empty() {
            return Err(ManifestError::value("egress", "name at least one origin that may become the connected one"));
        }
        for (index, rule) in self.egress.iter().enumerate() {
            rule.check(&format!("egress[{index}]"))?;
            if self.egress.iter().take(index).any(|earlier| earlier.origin == rule.origin) {
                return Err(ManifestError::value(
                    format!("egress[{index}].origin"),
                    format!("`{}` has a rule already; write one rule for an origin", rule.origin),
                ));
            }
        }
        if let Some(key) = self.limits.zero() {
            return Err(ManifestError::value(format!("limits.{key}"), "must be greater than 0"));
        }
        for (name, credential) in &self.credentials {
            credential.check(&format!("credentials.{name}"))?;
            if credential.origin_member.is_none() && self.only_origin().is_none() {
                return Err(ManifestError::value(
                    format!("credentials.{name}.origin_member"),
                    "name the member of the token response that holds the origin, or admit exactly one origin without a wildcard",
                ));
            }
        }
        Ok(())
    }
}

impl Limits {
    /// The key of a limit that is 0, which allows nothing.
    pub(crate) fn zero(&self) -> Option<&'static str> {
        [
            ("memory_bytes", self.memory_bytes),
            ("cpu_ms", self.cpu_ms),
            ("wall_ms", self.wall_ms),
            ("http_requests", self.http_requests.into()),
            ("request_bytes", self.request_bytes),
            ("response_bytes", self.response_bytes),
        ]
        .into_iter()
        .find_map(|(key, value)| (value == 0).then_some(key))
    }
}

/// A short name for machines: lower-case letters, digits and hyphens, beginning with a letter, at most 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Identifier(String);

/// A text that is no [`Identifier`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be lower-case letters, digits and hyphens, begin with a letter, and have at most 64 characters")]
pub struct InvalidIdentifier;

impl Identifier {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for Identifier {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Identifier {
    type Error = InvalidIdentifier;

    fn try_from(text: String) -> Result<Self, InvalidIdentifier> {
        let fits = text.len() <= 64
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if fits { Ok(Self(text)) } else { Err(InvalidIdentifier) }
    }
}

impl std::str::FromStr for Identifier {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, InvalidIdentifier> {
        text.to_owned().try_into()
    }
}

impl From<Identifier> for String {
    fn from(identifier: Identifier) -> Self {
        identifier.0
    }
}

#[cfg(test)]
pub(crate) mod tests;
