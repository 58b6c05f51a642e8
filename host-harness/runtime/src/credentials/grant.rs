//! Grants of an authorization server and API keys, as the host keeps them.

use std::{collections::BTreeMap, fmt};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

use super::{Consent, OAuthError};
use crate::{
    manifest::{GrantType, Identifier, OAuthSpec},
    origin::Origin,
    secret::Secret,
};

/// The platform's id for a connection, one team's authorized link to one account. Not secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectionId(String);

impl ConnectionId {
    /// A connection by its id.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Identifies a grant by its plugin, its connection and a credential of the plugin's manifest. A plugin that uses the name of
/// another one's credential must not reach that one's grants.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GrantKey {
    /// The plugin's id in its manifest.
    pub plugin: Identifier,
    /// The connection.
    pub connection: ConnectionId,
    /// The credential's name in the manifest.
    pub credential: Identifier,
}

/// What a person or the client itself has connected, and can be used.
#[derive(Clone, Debug)]
pub enum Grant {
    /// Tokens of OAuth 2.0.
    OAuth(OAuthGrant),
    /// An API key. Only a person replaces or ends it.
    ApiKey(ApiKeyGrant),
}

/// A valid grant of OAuth 2.0 with its tokens.
#[derive(Clone, Debug)]
pub struct OAuthGrant {
    pub(super) access_token: Secret,
    pub(super) refresh_token: Option<Secret>,
    pub(super) grant_type: GrantType,
    pub(super) login_host: Origin,
    pub(super) origin: Origin,
    pub(super) attributes: BTreeMap<Identifier, String>,
    pub(super) scopes: Vec<String>,
    pub(super) consent: Consent,
    pub(super) connected_at: Timestamp,
    pub(super) refreshed_at: Timestamp,
}

/// An API key with the origin that it is for.
#[derive(Clone, Debug)]
pub struct ApiKeyGrant {
    pub(super) key: Secret,
    pub(super) origin: Origin,
    pub(super) consent: Consent,
    pub(super) connected_at: Timestamp,
}

/// Credentials without attributes have these.
static NO_ATTRIBUTES: BTreeMap<Identifier, String> = BTreeMap::new();

impl Grant {
    /// The connected origin.
    pub fn origin(&self) -> &Origin {
        match self {
            Self::OAuth(grant) => &grant.origin,
            Self::ApiKey(grant) => &grant.origin,
        }
    }

    /// Where the person or the client logged in; for an API key, the connected origin.
    pub fn login_host(&self) -> &Origin {
        match self {
            Self::OAuth(grant) => &grant.login_host,
            Self::ApiKey(grant) => &grant.origin,
        }
    }

    /// The facts that the manifest exposes.
    pub fn attributes(&self) -> &BTreeMap<Identifier, String> {
        match self {
            Self::OAuth(grant) => &grant.attributes,
            Self::ApiKey(_) => &NO_ATTRIBUTES,
        }
    }

    /// The scopes that were granted.
    pub fn scopes(&self) -> &[String] {
        match self {
            Self::OAuth(grant) => &grant.scopes,
            Self::ApiKey(_) => &[],
        }
    }

    /// What the person agreed to.
    pub(super) fn consent(&self) -> &Consent {
        match self {
            Self::OAuth(grant) => &grant.consent,
            Self::ApiKey(grant) => &grant.consent,
        }
    }

    /// The login host and the connected origin.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &Origin> {
        let (first, second) = match self {
            Self::OAuth(grant) => (&grant.origin, Some(&grant.login_host)),
            Self::ApiKey(grant) => (&grant.origin, None),
        };
        std::iter::once(first).chain(second)
    }

    /// When a person or the client itself connected.
    pub fn connected_at(&self) -> Timestamp {
        match self {
            Self::OAuth(grant) => grant.connected_at,
            Self::ApiKey(grant) => grant.connected_at,
        }
    }

    /// The values that must not appear anywhere else; first the one that is sent to the connected origin.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let (first, second) = match self {
            Self::OAuth(grant) => (&grant.access_token, grant.refresh_token.as_ref()),
            Self::ApiKey(grant) => (&grant.key, None),
        };
        std::iter::once(first).chain(second)
    }
}

impl OAuthGrant {
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        std::iter::once(&self.access_token).chain(&self.refresh_token)
    }

    /// Whether to refresh now so that the server does not end an unused grant. It is due after half of the idle days; the
    /// other half is a reserve for outages.
    pub(super) fn due_for_keep_alive(&self, spec: &OAuthSpec, now: Timestamp) -> bool {
        let Some(days) = spec.idle_days.filter(|_| self.refresh_token.is_some()) else {
            return false;
        };
        now.duration_since(self.refreshed_at) >= SignedDuration::from_hours(i64::from(days) * 12)
    }
}

/// An OAuth grant that has ended. Its origin and attributes are kept, so that the next grant can be compared with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedGrant {
    /// Where the person had logged in.
    pub login_host: Origin,
    /// The origin that was connected.
    pub origin: Origin,
    /// The facts that the manifest exposes.
    pub attributes: BTreeMap<Identifier, String>,
    /// When the end was noticed.
    pub ended_at: Timestamp,
    /// The server's error; `None` if there was no token to ask with.
    pub cause: Option<OAuthError>,
}

/// State of a grant.
#[derive(Clone, Debug)]
pub enum GrantState {
    /// It is valid.
    Live(Grant),
    /// Only a person can connect again.
    Ended(EndedGrant),
}

/// The serialized form. It borrows the tokens, so that serializing makes only the copy that is sealed.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Written<'a> {
    Live {
        access_token: &'a str,
        refresh_token: Option<&'a str>,
        grant_type: GrantType,
        login_host: &'a Origin,
        origin: &'a Origin,
        attributes: &'a BTreeMap<Identifier, String>,
        scopes: &'a [String],
        consent: &'a Consent,
        connected_at: Timestamp,
        refreshed_at: Timestamp,
    },
    ApiKey {
        key: &'a str,
        origin: &'a Origin,
        consent: &'a Consent,
        connected_at: Timestamp,
    },
    Ended(&'a EndedGrant),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Read {
    Live {
        #[serde(deserialize_with = "secret")]
        access_token: Secret,
        #[serde(deserialize_with = "optional_secret")]
        refresh_token: Option<Secret>,
        grant_type: GrantType,
        login_host: Origin,
        origin: Origin,
        attributes: BTreeMap<Identifier, String>,
        scopes: Vec<String>,
        consent: Consent,
        connected_at: Timestamp,
        refreshed_at: Timestamp,
    },
    ApiKey {
        #[serde(deserialize_with = "secret")]
        key: Secret,
        origin: Origin,
        consent: Consent,
        connected_at: Timestamp,
    },
    Ended(EndedGrant),
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

fn optional_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
}

/// The bytes are not a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored grant cannot be read; it was written by another version, or is damaged: connect again")]
pub struct InvalidGrant;

impl GrantState {
    /// The bytes that a store seals. They contain the tokens in the clear and are wiped when dropped.
    ///
    /// # Errors
    /// When the grant cannot be serialized.
    pub fn to_plaintext(&self) -> Result<Zeroizing<Vec<u8>>, InvalidGrant> {
        let written = match self {
            Self::Live(Grant::OAuth(grant)) => Written::Live {
                access_token: grant.access_token.expose(),
                refresh_token: grant.refresh_token.as_ref().map(Secret::expose),
                grant_type: grant.grant_type,
                login_host: &grant.login_host,
                origin: &grant.origin,
                attributes: &grant.attributes,
                scopes: &grant.scopes,
                consent: &grant.consent,
                connected_at: grant.connected_at,
                refreshed_at: grant.refreshed_at,
            },
            Self::Live(Grant::ApiKey(grant)) => Written::ApiKey {
                key: grant.key.expose(),
                origin: &grant.origin,
                consent: &grant.consent,
                connected_at: grant.connected_at,
            },
            Self::Ended(ended) => Written::Ended(ended),
        };
        // Large from the start: a growing buffer leaves copies of its bytes behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(super::oauth::MAX_RESPONSE_BYTES * 2));
        serde_json::to_writer(&mut *bytes, &written).map_err(|_| InvalidGrant)?;
        Ok(bytes)
    }

    /// Parses the bytes of [`GrantState::to_plaintext`].
    ///
    /// # Errors
    /// When the bytes are damaged or of another version.
    pub fn from_plaintext(bytes: &[u8]) -> Result<Self, InvalidGrant> {
        Ok(match serde_json::from_slice(bytes).map_err(|_| InvalidGrant)? {
            Read::Live {
                access_token,
                refresh_token,
                grant_type,
                login_host,
                origin,
                attributes,
                scopes,
                consent,
                connected_at,
                refreshed_at,
            } => Self::Live(Grant::OAuth(OAuthGrant {
                access_token,
                refresh_token,
                grant_type,
                login_host,
                origin,
                attributes,
                scopes,
                consent,
                connected_at,
                refreshed_at,
            })),
            Read::ApiKey { key, origin, consent, connected_at } => {
                Self::Live(Grant::ApiKey(ApiKeyGrant { key, origin, consent, connected_at }))
            }
            Read::Ended(ended) => Self::Ended(ended),
        })
    }

    /// The connected origin.
    pub fn origin(&self) -> &Origin {
        match self {
            Self::Live(grant) => grant.origin(),
            Self::Ended(ended) => &ended.origin,
        }
    }

    /// The facts that the manifest exposes.
    pub fn attributes(&self) -> &BTreeMap<Identifier, String> {
        match self {
            Self::Live(grant) => grant.attributes(),
            Self::Ended(ended) => &ended.attributes,
        }
    }
}
