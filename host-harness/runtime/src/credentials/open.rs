//! Opening a credential for a call.

use std::{fmt, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::{Broker, ConnectionId, Generation, Grant, GrantKey, GrantState, StoreError, Stored, broker::Shared};
use crate::{
    manifest::{CredentialSpec, Moved, Slot},
    origin::Origin,
    secret::Secret,
};

/// An opened credential. It attaches the token or key to a request without revealing it.
#[derive(Clone)]
pub struct OpenCredential(Arc<Opened>);

struct Opened {
    grant: Grant,
    generation: Generation,
    header: HeaderValue,
    slot: Slot,
    /// `None` for an API key, which nothing refreshes.
    stale: Option<Stale>,
}

/// Which responses call for a refresh.
struct Stale {
    /// 401 responses that no refresh cures.
    incurable: Vec<String>,
    /// Responses from an origin that the account has left.
    moved: Vec<Moved>,
}

/// Why a credential could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Nothing to open: the name is unknown, nothing is bound to it, or policy no longer allows its origin.
    #[error("no such credential is connected; connect it first")]
    Unavailable,
    /// The grant has ended.
    #[error("the grant has ended; only a person can connect again")]
    GrantEnded {
        /// The manifest's code for why, if it has one.
        cause: Option<String>,
    },
    /// The plugin asks for more than a person agreed to.
    #[error("the plugin now asks for more than the person agreed to who connected it; they must connect again")]
    Outgrown,
    /// The store failed.
    #[error(transparent)]
    Temporary(StoreError),
}

impl OpenError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unavailable => "credential-unavailable",
            Self::GrantEnded { .. } => "credential-grant-ended",
            Self::Outgrown => "credential-outgrown",
            Self::Temporary(error) => error.code(),
        }
    }
}

impl Broker {
    /// Opens a credential of the manifest for a connection. Sends nothing.
    ///
    /// # Errors
    /// When there is no valid grant, or the store fails.
    pub async fn open(&self, connection: &ConnectionId, credential: &str) -> Result<OpenCredential, OpenError> {
        let (key, spec) = self.shared.find(connection, credential).ok_or(OpenError::Unavailable)?;
        let stored = self.shared.load(&key).await.map_err(|error| {
            tracing::warn!(connection = %key.connection, credential = %key.credential, code = error.code(), %error,
                "a credential could not be opened");
            OpenError::Temporary(error)
        })?;
        self.shared.opened(&key, spec, stored.ok_or(OpenError::Unavailable)?)
    }
}

impl Shared {
    /// Opens a stored grant.
    pub(super) fn opened(
        &self,
        key: &GrantKey,
        spec: &CredentialSpec,
        stored: Stored,
    ) -> Result<OpenCredential, OpenError> {
        let grant = match stored.state {
            GrantState::Live(grant) => grant,
            GrantState::Ended(ended) => {
                return Err(OpenError::GrantEnded { cause: ended.cause.and_then(|cause| cause.code) });
            }
        };
        // The manifest or the policy may have changed, or a test override been removed, since the grant was obtained.
        let (secret, stale, is_allowed) = match (spec, &grant) {
            (CredentialSpec::OAuth2(spec), Grant::OAuth(grant)) => {
                let is_allowed = self.permissions.rules_for(&grant.origin).next().is_some();
                let stale = Stale { incurable: spec.incurable.clone(), moved: spec.moved.clone() };
                (&grant.access_token, Some(stale), is_allowed)
            }
            (CredentialSpec::ApiKey(spec), Grant::ApiKey(grant)) => {
                (&grant.key, None, self.permissions.admits_key(spec, &grant.origin))
            }
            _ => {
                tracing::warn!(connection = %key.connection, credential = %key.credential,
                    "a stored credential is of another kind than the manifest asks for");
                return Err(OpenError::Unavailable);
            }
        };
        self.agreed(key, spec, &grant)?;
        if !is_allowed {
            tracing::warn!(connection = %key.connection, credential = %key.credential, origin = %grant.origin(),
                "manifest and policy do not allow the origin of a stored credential");
            return Err(OpenError::Unavailable);
        }
        let slot = spec.slot().clone();
        let text = Zeroizing::new(match &slot.scheme {
            Some(scheme) => format!("{scheme} {}", secret.expose()),
            None => secret.expose().to_owned(),
        });
        let mut header = HeaderValue::from_str(&text).map_err(|_| OpenError::Unavailable)?;
        header.set_sensitive(true);
        Ok(OpenCredential(Arc::new(Opened { grant, generation: stored.generation, header, slot, stale })))
    }
}

impl OpenCredential {
    /// The connected origin, the only reachable one, with or without the credential.
    pub fn origin(&self) -> &Origin {
        self.0.grant.origin()
    }

    /// A fact that the manifest exposes.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.0.grant.attributes().get(name).map(String::as_str)
    }

    /// Generation of the grant, for [`Broker::refresh`].
    pub fn generation(&self) -> Generation {
        self.0.generation
    }

    /// The header field of the credential.
    pub fn slot(&self) -> &HeaderName {
        self.0.slot.header.name()
    }

    /// Attaches the token or key, replacing the slot's value.
    pub fn attach(&self, headers: &mut HeaderMap) {
        headers.insert(self.slot(), self.0.header.clone());
    }

    /// Whether a refresh may cure a 401 with this body.
    pub fn cures_unauthorized(&self, body: &[u8]) -> bool {
        let text = String::from_utf8_lossy(body).to_lowercase();
        let stale = self.0.stale.as_ref();
        stale.is_some_and(|stale| !stale.incurable.iter().any(|part| text.contains(&part.to_lowercase())))
    }

    /// Whether a response says that the account is no longer at this origin.
    pub fn has_moved(&self, status: u16, body: &[u8]) -> bool {
        self.0.stale.as_ref().is_some_and(|stale| stale.moved.iter().any(|moved| moved.matches(status, body)))
    }

    /// The values that must not reach the plugin.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.0.grant.secrets()
    }
}

impl fmt::Debug for OpenCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenCredential")
            .field("origin", self.origin())
            .field("generation", &self.generation())
            .finish_non_exhaustive()
    }
}
