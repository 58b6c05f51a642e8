//! The manifest: what a plugin is, what it may do, and how people connect it.
//!
//! It is TOML in a custom section of the component. Everything is checked when it is read, and unknown keys are errors, so
//! that a typo never silently allows or forbids anything.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

mod contract_version;
mod credential;
mod egress;
mod header;
mod moved;
mod refusal;
mod route;

pub use contract_version::{ContractVersion, InvalidContractVersion};
pub use credential::{
    ApiKeySpec, Attribute, ClientAuthentication, CredentialSpec, EndpointPath, GrantType, OAuthSpec, ParameterName,
    Revocation, Slot, SlotHeader,
};
pub use egress::{EgressRule, Method};
pub(crate) use header::is_hosts_header;
pub use header::{MediaType, RequestHeader, ResponseHeader};
pub use moved::Moved;
pub(crate) use refusal::recognize;
pub use refusal::{Meaning, OAuthStage, Refusal};
pub use route::{PathPattern, Route};

/// The largest manifest that is accepted.
const MAX_BYTES: usize = 64 << 10;

/// A plugin's manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Manifest {
    /// What the plugin is.
    pub plugin: Plugin,
    /// Which origins may be connected, and what may be sent to them.
    pub egress: Vec<EgressRule>,
    /// Limits of one call.
    pub limits: Limits,
    /// The credentials it asks for, by name.
    #[serde(default)]
    pub credentials: BTreeMap<Identifier, CredentialSpec>,
}

/// What a plugin is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Plugin {
    /// Stable id.
    pub id: Identifier,
    /// Name for people.
    pub name: String,
    /// Version of the plugin.
    pub version: String,
    /// The oldest version of the contract that it needs.
    pub contract: ContractVersion,
    /// The plan that a team needs, as the platform names it.
    #[serde(default)]
    pub plan: Option<String>,
    /// The roles that may connect it, as the platform names them; everybody if empty.
    #[serde(default)]
    pub connect_roles: Vec<String>,
}

/// Limits of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes of linear memory, all memories together.
    pub memory_bytes: u64,
    /// Milliseconds of computing by the plugin itself.
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

/// Why a manifest is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The text is too large.
    #[error("the manifest has {bytes} bytes, and at most {MAX_BYTES} are accepted")]
    TooLarge {
        /// Size of the text.
        bytes: usize,
    },
    /// It has keys or values that this library does not know, and names a newer version of the contract.
    #[error(
        "the plugin needs a host of {needed}, and this one supports {supported}; upgrade the host or use an older plugin",
        supported = ContractVersion::SUPPORTED
    )]
    NewerContract {
        /// The version that it needs.
        needed: ContractVersion,
    },
    /// Not TOML, or a key is unknown, missing or has a wrong value.
    #[error("the manifest cannot be read")]
    Invalid(#[from] toml::de::Error),
    /// A value does not fit the others.
    #[error("manifest, `{key}`: {fault}")]
    Value {
        /// The key.
        key: String,
        /// The fault, and what to write instead.
        fault: String,
    },
}

impl ManifestError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "manifest-too-large",
            Self::NewerContract { .. } => "newer-contract",
            Self::Invalid(_) => "manifest-invalid",
            Self::Value { .. } => "manifest-value",
        }
    }

    fn value(key: impl Into<String>, fault: impl Into<String>) -> Self {
        Self::Value { key: key.into(), fault: fault.into() }
    }
}

impl Manifest {
    /// Parses a manifest. An error names line and key.
    ///
    /// # Errors
    /// When the text is not a valid manifest.
    pub fn from_toml(text: &str) -> Result<Self, ManifestError> {
        if text.len() > MAX_BYTES {
            return Err(ManifestError::TooLarge { bytes: text.len() });
        }
        let manifest: Self = toml::from_str(text).map_err(|error| match needed_contract(text) {
            Some(needed) if needed > ContractVersion::SUPPORTED => ManifestError::NewerContract { needed },
            _ => error.into(),
        })?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The JSON Schema (draft 2020-12) of manifests: what [`Self::from_toml`] checks of single values. It accepts more, because it does
    /// not compare values.
    #[cfg(feature = "schema")]
    pub fn json_schema() -> serde_json::Value {
        let mut schema = schemars::SchemaGenerator::default().into_root_schema_for::<Self>();
        let title = format!("Manifest of a plugin for {}", ContractVersion::SUPPORTED);
        schema.insert("title".to_owned(), title.into());
        schema.to_value()
    }

    /// The only origin that the manifest admits, if there is just one.
    pub(crate) fn only_origin(&self) -> Option<crate::origin::Origin> {
        egress::only_origin(&self.egress)
    }

    fn check(&self) -> Result<(), ManifestError> {
        for (key, value) in [("name", &self.plugin.name), ("version", &self.plugin.version)] {
            if value.trim().is_empty() {
                return Err(ManifestError::value(format!("plugin.{key}"), "must not be blank"));
            }
        }
        if self.egress.is_empty() {
            return Err(ManifestError::value("egress", "name at least one origin that may be connected"));
        }
        for (index, rule) in self.egress.iter().enumerate() {
            rule.check(&format!("egress[{index}]"))?;
            if self.egress.iter().take(index).any(|earlier| earlier.origin == rule.origin) {
                return Err(ManifestError::value(
                    format!("egress[{index}].origin"),
                    format!("`{}` already has a rule; write one rule per origin", rule.origin),
                ));
            }
        }
        if let Some(key) = self.limits.zero() {
            return Err(ManifestError::value(format!("limits.{key}"), "must be greater than 0"));
        }
        for (name, credential) in &self.credentials {
            credential.check(&format!("credentials.{name}"), &self.egress)?;
            let slot = credential.slot().header.name().as_str();
            if self.egress.iter().flat_map(|rule| &rule.routes).any(|route| route.headers.contains(slot)) {
                let key = format!("credentials.{name}.slot");
                return Err(ManifestError::value(key, format!("a route lists `{slot}`, which the host sets")));
            }
        }
        Ok(())
    }
}

/// The version that a manifest needs, whatever else is in it.
fn needed_contract(text: &str) -> Option<ContractVersion> {
    #[derive(Deserialize)]
    struct Needs {
        plugin: Plugin,
    }
    #[derive(Deserialize)]
    struct Plugin {
        contract: ContractVersion,
    }
    toml::from_str::<Needs>(text).ok().map(|needs| needs.plugin.contract)
}

impl Limits {
    /// The most that any plugin gets, whatever its manifest asks for. Manifests and policies only lower it.
    pub const CEILING: Self = Self {
        memory_bytes: 64 << 20,
        cpu_ms: 10_000,
        wall_ms: 120_000,
        http_requests: 32,
        request_bytes: 4 << 20,
        response_bytes: 16 << 20,
    };

    /// The lower value of each limit.
    pub(crate) fn at_most(self, other: Self) -> Self {
        Self {
            memory_bytes: self.memory_bytes.min(other.memory_bytes),
            cpu_ms: self.cpu_ms.min(other.cpu_ms),
            wall_ms: self.wall_ms.min(other.wall_ms),
            http_requests: self.http_requests.min(other.http_requests),
            request_bytes: self.request_bytes.min(other.request_bytes),
            response_bytes: self.response_bytes.min(other.response_bytes),
        }
    }

    /// The key of a limit that is 0 and so allows nothing.
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

/// A short name for machines: lower-case letters, digits and hyphens, starting with a letter, at most 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = r"^[a-z][a-z0-9-]{0,63}$")))]
#[serde(try_from = "String", into = "String")]
pub struct Identifier(String);

/// The text is not an [`Identifier`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be lower-case letters, digits and hyphens, start with a letter, and have at most 64 characters")]
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
