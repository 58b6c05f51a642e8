//! Disconnecting: revocation at the server (RFC 7009), then removal from the store.

use super::{
    Asker, Broker, ConnectionId, Grant, GrantKey, GrantState, OAuthError, OAuthGrant, OpenError, StoreError, Stored,
    broker::{Shared, Turn},
    oauth::Form,
};
use crate::{
    manifest::{CredentialSpec, Meaning, OAuthSpec, OAuthStage},
    origin::Origin,
    secret::Secret,
    transport::TransportError,
};

/// A connection that was removed from the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnected {
    /// The state of the grant at the server.
    pub revoked: Revoked,
}

/// The state of a disconnected grant at the server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revoked {
    /// The server has revoked it.
    Now,
    /// It had already ended or been revoked.
    Before,
    /// No grant was stored.
    NothingToRevoke,
    /// The provider has no revocation endpoint. The person must revoke it there.
    NotSupported,
    /// There was no token to revoke: the stored grant could not be opened, or this host had ended it. The person must revoke it there.
    NoToken,
    /// It was an API key, which no host revokes. It stays valid until a person deletes it at the server.
    ApiKey,
    /// The server refused. The person must revoke it there.
    Refused(OAuthError),
    /// The server did not respond, so the grant may still be valid. The person must revoke it there.
    NoAnswer(TransportError),
}

impl Revoked {
    /// Whether the grant is certainly no longer valid at the server.
    pub fn is_certain(&self) -> bool {
        matches!(self, Self::Now | Self::Before | Self::NothingToRevoke)
    }
}

/// Why a connection could not be removed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DisconnectError {
    /// The store failed; nothing was removed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The grant was made through a test override, and this host does not have it, or the other way round.
    #[error(
        "the connection was made with another test override than this host has, so that its token could be sent to the wrong server; \
         disconnect with the policy that it was made with"
    )]
    TestOverride,
    /// The person has none of the roles that the plugin names.
    #[error("only {} may disconnect this plugin", .allowed.join(" or "))]
    Role {
        /// The manifest's `connect_roles`.
        allowed: Vec<String>,
    },
    /// Another process is refreshing it and does not finish.
    #[error("another process has been refreshing it for too long; try again in a minute")]
    Busy,
    /// The host is stopping.
    #[error("the host is stopping; disconnect again")]
    Stopping,
}

impl DisconnectError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::TestOverride => "disconnect-test-override",
            Self::Role { .. } => "disconnect-role",
            Self::Busy => "disconnect-busy",
            Self::Stopping => "disconnect-stopping",
        }
    }
}

impl Broker {
    /// Revokes a grant and removes it. It is removed even if the server does not confirm the revocation, because the tokens
    /// must be gone from here in any case. Repeating it changes nothing.
    ///
    /// # Errors
    /// When the person may not, the store fails, or another process is using the grant for too long.
    pub async fn disconnect(
        &self,
        connection: &ConnectionId,
        credential: &str,
        asker: &Asker,
    ) -> Result<Disconnected, DisconnectError> {
        asker.may_disconnect(&self.shared.permissions.manifest().plugin)?;
        let nothing = Disconnected { revoked: Revoked::NothingToRevoke };
        let Some((key, _)) = self.shared.find(connection, credential) else { return Ok(nothing) };
        let broker = self.clone();
        let task = broker.shared.begin().ok_or(DisconnectError::Stopping)?;
        // In a task of its own: a grant that was revoked but kept would look as if it had ended by itself.
        tokio::spawn(async move {
            let _task = task;
            broker.shared.disconnect(&key).await
        })
        .await
        .unwrap_or(Err(DisconnectError::Stopping))
    }
}

impl Shared {
    async fn disconnect(&self, key: &GrantKey) -> Result<Disconnected, DisconnectError> {
        // Under the lease: a concurrent refresh would leave its new token valid.
        let lease = match self.lease(key, |stored| Ok(matches!(stored, Ok(None)).then_some(()))).await? {
            Turn::Ours(lease) => lease,
            Turn::Done(()) => return Ok(Disconnected { revoked: Revoked::NothingToRevoke }),
            Turn::Busy => return Err(DisconnectError::Busy),
        };
        let result = self.disconnect_leased(key).await;
        self.release(key, &lease).await;
        result
    }

    async fn disconnect_leased(&self, key: &GrantKey) -> Result<Disconnected, DisconnectError> {
        let (state, generation) = match self.load(key).await {
            Ok(Some(Stored { state, generation })) => (Some(state), Some(generation)),
            // One that does not open must be removable, or the person could never connect again.
            Err(StoreError::Unreadable(_)) => (None, self.generation(key).await?),
            Ok(None) => (None, None),
            Err(error) => return Err(error.into()),
        };
        let Some(generation) = generation else { return Ok(Disconnected { revoked: Revoked::NothingToRevoke }) };
        let spec = self.find(&key.connection, key.credential.as_str()).map(|(_, spec)| spec);
        if let (Some(GrantState::Live(grant)), Some(spec)) = (&state, spec)
            && matches!(self.agreed(key, spec, grant), Err(OpenError::Unavailable))
        {
            return Err(DisconnectError::TestOverride);
        }
        let revoked = match (&state, spec) {
            (Some(GrantState::Live(Grant::OAuth(grant))), Some(CredentialSpec::OAuth2(spec))) => {
                self.revoke(key, spec, grant).await
            }
            (Some(GrantState::Live(Grant::OAuth(_))), _) => Revoked::NotSupported,
            (Some(GrantState::Live(Grant::ApiKey(_))), _) => Revoked::ApiKey,
            (Some(GrantState::Ended(ended)), _) if ended.cause.as_ref().is_some_and(OAuthError::is_of_host) => {
                Revoked::NoToken
            }
            (Some(GrantState::Ended(_)), _) => Revoked::Before,
            (None, _) => Revoked::NoToken,
        };
        // A conflict means that a person has reconnected meanwhile; that connection stays.
        self.remove(key, generation).await?;
        tracing::info!(connection = %key.connection, credential = %key.credential, certain = revoked.is_certain(), "disconnected");
        Ok(Disconnected { revoked })
    }

    pub(super) async fn revoke(&self, key: &GrantKey, spec: &OAuthSpec, grant: &OAuthGrant) -> Revoked {
        let (access, refresh) = (&grant.access_token, grant.refresh_token.as_ref());
        match self.revoke_tokens(key, spec, &grant.login_host, access, refresh).await {
            // A general login host may redirect to the account's own host. The redirect could name any host, so it is not
            // followed; but the account's origin is known, and whether people may log in there.
            Revoked::Refused(error)
                if error.http_status.is_some_and(|status| (300..400).contains(&status))
                    && self.permissions.admit_login_host(spec, &grant.origin.to_string()).is_ok() =>
            {
                self.revoke_tokens(key, spec, &grant.origin, access, refresh).await
            }
            revoked => revoked,
        }
    }

    /// Revokes new tokens that are not kept: nobody has them, so nobody could end them later. Where that would end the person's other
    /// grants too, they are left to expire.
    pub(super) async fn discard(
        &self,
        key: &GrantKey,
        spec: &OAuthSpec,
        host: &Origin,
        access: &Secret,
        refresh: Option<&Secret>,
    ) {
        if spec.revocation.as_ref().is_some_and(|revocation| revocation.spares_other_grants) {
            let revoked = self.revoke_tokens(key, spec, host, access, refresh).await;
            tracing::warn!(connection = %key.connection, ?revoked, "tokens that cannot be used were revoked");
        } else {
            tracing::warn!(connection = %key.connection, "tokens that cannot be used were dropped, and not revoked");
        }
    }

    async fn revoke_tokens(
        &self,
        key: &GrantKey,
        spec: &OAuthSpec,
        host: &Origin,
        access: &Secret,
        refresh: Option<&Secret>,
    ) -> Revoked {
        // Revoking a refresh token also revokes its access tokens (RFC 7009, section 2.1); the reverse need not hold.
        let token = refresh.unwrap_or(access);
        let Some(revocation) = &spec.revocation else { return Revoked::NotSupported };
        let mut form = Form::new().field("token", token.expose());
        let client = self.registration(&key.credential).map(|registration| &registration.client);
        if let Some(client) = client.filter(|_| revocation.client_authentication) {
            form = form.authenticated(client, spec.client_authentication);
        }
        match self.post(key, spec, host, revocation.path.as_str(), form).await {
            Ok((200, _)) => Revoked::Now,
            Ok((status, body)) => {
                let secret = client.and_then(|client| client.client_secret.as_ref());
                // A server may name what it knows, even if it was not sent.
                let sent: Vec<_> = std::iter::once(access).chain(refresh).chain(secret).collect();
                let error = OAuthError::of_response(&spec.refusals, OAuthStage::Revoke, status, &body, &sent);
                if error.means == Meaning::Ended { Revoked::Before } else { Revoked::Refused(error) }
            }
            Err(error) => Revoked::NoAnswer(error),
        }
    }
}
