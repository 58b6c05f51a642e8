//! Refreshing a grant (RFC 6749, section 6).
//!
//! With rotation, a refresh token works once, and showing a used one again makes servers revoke the whole grant. So:
//!
//! - one refresh runs for a grant at a time, and whoever asks meanwhile shares its outcome;
//! - it runs in a task of its own: a call that is cancelled does not take the only living token with it;
//! - the store is read again under the lease, for another process may have refreshed already;
//! - the answer is saved before anyone gets the new access token;
//! - where no answer came, nothing is sent again by itself. The next one who needs the token reads the store again and asks
//!   once more, with what lies there. If the lost request had been carried out, the grant was lost with its answer, and
//!   the server says so now; if not, the token is still good. Either way one question settles it.

use tokio::sync::watch;

use super::{
    Broker, ConnectionId, EndedGrant, Generation, Grant, GrantKey, GrantState, OAuthError, OAuthStage, OpenCredential,
    OpenError, StoreError, Stored,
    broker::{Basis, Outcome, Shared, Turn, lock},
    oauth::{Form, TokenResponse},
};
use crate::{
    manifest::{CredentialSpec, ErrorPattern, GrantType, Refresh},
    transport::TransportError,
};

/// RFC 6749, section 5.2: the grant or refresh token is invalid, expired or revoked.
const INVALID_GRANT: &str = "invalid_grant";

/// Why a credential could not be refreshed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// Only a person can connect again.
    #[error("the grant has ended{}; only a person can connect again", cause.as_ref().map(|it| format!(": {it}")).unwrap_or_default())]
    GrantEnded {
        /// What the server said, where it said something.
        cause: Option<OAuthError>,
    },
    /// Not now; the grant may still hold.
    #[error("the credential could not be refreshed just now: {0}")]
    Temporary(#[from] NotRefreshed),
}

/// Why a refresh did not come about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotRefreshed {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another process is at it and does not finish.
    #[error("another process has been refreshing it for too long")]
    Busy,
    /// The platform has no client registration for the credential.
    #[error("no client registration is configured for it; give the client id and secret")]
    NoClient,
    /// The server gave no answer.
    #[error("the authorisation server gave no answer: {0}")]
    NoAnswer(TransportError),
    /// The server refused, in a way that does not end the grant.
    #[error("the authorisation server refused: {0}")]
    Refused(OAuthError),
    /// The server's answer was no token response.
    #[error("the authorisation server's answer cannot be used: {0}")]
    InvalidAnswer(&'static str),
    /// The host is stopping.
    #[error("the host is stopping")]
    Stopping,
}

impl RefreshError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::GrantEnded { .. } => "credential-grant-ended",
            Self::Temporary(why) => match why {
                NotRefreshed::Store(error) => error.code(),
                NotRefreshed::Busy => "refresh-busy",
                NotRefreshed::NoClient => "refresh-no-client",
                NotRefreshed::NoAnswer(_) => "refresh-no-answer",
                NotRefreshed::Refused(_) => "refresh-refused",
                NotRefreshed::InvalidAnswer(_) => "refresh-invalid-answer",
                NotRefreshed::Stopping => "refresh-stopping",
            },
        }
    }
}

impl From<StoreError> for RefreshError {
    fn from(error: StoreError) -> Self {
        Self::Temporary(NotRefreshed::Store(error))
    }
}

impl Broker {
    /// Gives a credential newer than the writing `used`, which a server refused: another's refresh where there was one,
    /// else our own.
    pub async fn refresh(
        &self,
        connection: &ConnectionId,
        credential: &str,
        used: Generation,
    ) -> Result<OpenCredential, RefreshError> {
        let (key, _) = self.shared.find(connection, credential).ok_or(RefreshError::GrantEnded { cause: None })?;
        loop {
            let mut flight = self.flight(&key, used);
            let outcome = match flight.wait_for(Option::is_some).await {
                Ok(outcome) => outcome.clone(),
                Err(_) => None,
            };
            match outcome {
                // A flight that had set out for an older writing than ours.
                Some(Ok(opened)) if opened.generation() == used => {}
                Some(outcome) => return outcome,
                None => return Err(NotRefreshed::Stopping.into()),
            }
        }
    }

    /// Refreshes a grant that the server would otherwise end for lack of use. Says whether it was time.
    pub async fn keep_alive(&self, connection: &ConnectionId, credential: &str) -> Result<bool, RefreshError> {
        let Some((key, spec)) = self.shared.find(connection, credential) else { return Ok(false) };
        match self.shared.load(&key).await? {
            Some(Stored { state: GrantState::Live(grant), generation })
                if grant.due_for_keep_alive(spec, self.shared.clock.now()) =>
            {
                self.refresh(connection, credential, generation).await.map(|_| true)
            }
            _ => Ok(false),
        }
    }

    /// Joins the refresh that is under way, or starts one.
    fn flight(&self, key: &GrantKey, used: Generation) -> watch::Receiver<Outcome> {
        let mut flights = lock(&self.shared.flights);
        if let Some(flight) = flights.get(key) {
            return flight.clone();
        }
        let (sender, receiver) = watch::channel(None);
        flights.insert(key.clone(), receiver.clone());
        drop(flights);
        let landing = Landing { broker: self.clone(), key: key.clone() };
        tokio::spawn(async move {
            let outcome = landing.broker.shared.renew(&landing.key, used).await;
            // Who comes after this starts anew; who came before gets the outcome.
            drop(landing);
            sender.send_replace(Some(outcome));
        });
        receiver
    }
}

/// Strikes a flight off, however it ends.
struct Landing {
    broker: Broker,
    key: GrantKey,
}

impl Drop for Landing {
    fn drop(&mut self) {
        lock(&self.broker.shared.flights).remove(&self.key);
    }
}

impl Shared {
    async fn renew(&self, key: &GrantKey, used: Generation) -> Result<OpenCredential, RefreshError> {
        let Some((_, spec)) = self.find(&key.connection, key.credential.as_str()) else {
            return Err(RefreshError::GrantEnded { cause: None });
        };
        // Somebody else's refresh, or the end, makes ours needless.
        let needless = |stored: Option<Stored>| match stored {
            Some(stored) if stored.generation == used && matches!(stored.state, GrantState::Live(_)) => None,
            stored => Some(self.outcome(key, spec, stored)),
        };
        let lease = match self.lease(key, needless).await? {
            Turn::Ours(lease) => lease,
            Turn::Done(outcome) => return outcome,
            Turn::Busy => return Err(NotRefreshed::Busy.into()),
        };
        // Read again: between the last look and the lease, its former holder may have saved.
        let outcome = match self.load(key).await {
            Ok(Some(Stored { state: GrantState::Live(grant), generation })) if generation == used => {
                self.ask(key, spec, &grant, generation).await
            }
            Ok(stored) => self.outcome(key, spec, stored),
            Err(error) => Err(error.into()),
        };
        self.release(key, &lease).await;
        outcome
    }

    /// What a caller gets of what lies in the store.
    fn outcome(
        &self,
        key: &GrantKey,
        spec: &CredentialSpec,
        stored: Option<Stored>,
    ) -> Result<OpenCredential, RefreshError> {
        let Some(stored) = stored else { return Err(RefreshError::GrantEnded { cause: None }) };
        if let GrantState::Ended(ended) = &stored.state {
            return Err(RefreshError::GrantEnded { cause: ended.cause.clone() });
        }
        self.opened(key, spec, stored).map_err(|error| match error {
            OpenError::Unavailable | OpenError::GrantEnded => RefreshError::GrantEnded { cause: None },
            OpenError::Temporary(error) => error.into(),
        })
    }

    /// Asks the server for new tokens and saves them.
    async fn ask(
        &self,
        key: &GrantKey,
        spec: &CredentialSpec,
        grant: &Grant,
        generation: Generation,
    ) -> Result<OpenCredential, RefreshError> {
        let client = self.client(&key.credential).ok_or(NotRefreshed::NoClient)?;
        let form = match (grant.grant_type, &grant.refresh_token) {
            (GrantType::ClientCredentials, _) => Form::new().field("grant_type", "client_credentials"),
            (GrantType::AuthorizationCode, Some(token)) => {
                Form::new().field("grant_type", "refresh_token").field("refresh_token", token.expose())
            }
            (GrantType::AuthorizationCode, None) => return self.end(key, spec, grant, generation, None).await,
        };
        let form = form.authenticated(client, spec.client_authentication);
        let (status, body) = self
            .post(&key.connection, &grant.login_host, spec.token_path.as_str(), form)
            .await
            .map_err(NotRefreshed::NoAnswer)?;
        if status != 200 {
            let sent: Vec<_> = grant.secrets().chain(&client.client_secret).collect();
            let error = OAuthError::of_response(OAuthStage::Refresh, status, &body, &sent);
            return if ends(&spec.refresh, grant.grant_type, &error) {
                self.end(key, spec, grant, generation, Some(error)).await
            } else {
                tracing::warn!(connection = %key.connection, credential = %key.credential, %error, "a refresh was refused");
                Err(NotRefreshed::Refused(error).into())
            };
        }
        let response = TokenResponse::parse(&body, &spec.slot).map_err(NotRefreshed::InvalidAnswer)?;
        let renewed = match self.grant(spec, response, Basis::Renewed(grant)) {
            Ok(renewed) => renewed,
            // A server that now names a forbidden origin steers the token away: the credential is dead.
            Err(error) => {
                let error = OAuthError::new(
                    OAuthStage::Refresh,
                    error.code().to_owned(),
                    Some(error.to_string()),
                    Some(200),
                    &[],
                );
                return self.end(key, spec, grant, generation, Some(error)).await;
            }
        };
        match self.save_rotated(key, generation, &renewed).await {
            Ok(generation) => {
                tracing::info!(connection = %key.connection, credential = %key.credential, %generation, "a credential was refreshed");
                self.outcome(key, spec, Some(Stored { state: GrantState::Live(renewed), generation }))
            }
            // Somebody connected anew, or disconnected, meanwhile: what lies there counts.
            Err(StoreError::Conflict) => self.outcome(key, spec, self.load(key).await?),
            Err(error) => Err(error.into()),
        }
    }

    /// Marks a grant as ended, durably, unless it was renewed by another since.
    async fn end(
        &self,
        key: &GrantKey,
        spec: &CredentialSpec,
        grant: &Grant,
        generation: Generation,
        cause: Option<OAuthError>,
    ) -> Result<OpenCredential, RefreshError> {
        let ended = GrantState::Ended(EndedGrant {
            login_host: grant.login_host.clone(),
            origin: grant.origin.clone(),
            attributes: grant.attributes.clone(),
            ended_at: self.clock.now(),
            cause: cause.clone(),
        });
        match self.save(key, Some(generation), &ended).await {
            Ok(_) => {
                tracing::warn!(connection = %key.connection, credential = %key.credential,
                    cause = cause.as_ref().map(tracing::field::display), "a grant has ended");
                Err(RefreshError::GrantEnded { cause })
            }
            Err(StoreError::Conflict) => self.outcome(key, spec, self.load(key).await?),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether a refusal ends the grant. Only what speaks of the grant itself does: a mistaken client secret must not end all
/// connections of a platform.
pub(super) fn ends(refresh: &Refresh, grant_type: GrantType, error: &OAuthError) -> bool {
    let means = |pattern: &ErrorPattern| pattern.matches(&error.error, error.description.as_deref());
    grant_type == GrantType::AuthorizationCode
        && !refresh.transient.iter().any(means)
        && (error.error == INVALID_GRANT || refresh.ended.iter().any(means))
}
