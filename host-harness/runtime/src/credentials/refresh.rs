//! Refreshing a grant (RFC 6749, section 6).
//!
//! With rotation, a refresh token works once, and servers revoke the whole grant when a used one is sent again. Therefore:
//!
//! - one refresh runs per grant at a time, and callers that ask meanwhile share its outcome;
//! - it runs in a task of its own, so that a cancelled call does not lose the only valid token;
//! - the store is read again under the lease, because another process may have refreshed already;
//! - the response is saved before anyone gets the new access token;
//! - a request without a response is not repeated automatically. The next caller reads the store again and asks once more
//!   with the token stored there. If the lost request was carried out, the grant is gone with its response, and the server
//!   now says so; if not, the token is still valid. Either way one request settles it.

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::{
    Broker, ConnectionId, EndedGrant, Generation, Grant, GrantKey, GrantState, OAuthError, OAuthGrant, OpenCredential,
    OpenError, StoreError, Stored,
    broker::{Basis, Outcome, Shared, Turn, lock},
    oauth::{Form, TokenResponse, is_refusal},
};
use crate::{
    manifest::{CredentialSpec, GrantType, Meaning, OAuthSpec, OAuthStage},
    report::full_message,
    transport::TransportError,
};

/// How long a refusal stands before the server is asked again, unless a person asks. Clients that asked for every request have sent
/// thousands of refused refreshes within the hour.
const REFUSAL_STANDS: SignedDuration = SignedDuration::from_secs(60);
/// The same if the server was busy.
const BUSY_STANDS: SignedDuration = SignedDuration::from_secs(5);

/// A refresh that the server refused.
#[derive(Clone)]
pub(super) struct Refused {
    generation: Generation,
    pub(super) error: RefreshError,
    at: Timestamp,
}

/// Why a credential could not be refreshed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// Only a person can connect again.
    #[error("the grant has ended{}; only a person can connect again", cause.as_ref().map(|it| format!(": {it}")).unwrap_or_default())]
    GrantEnded {
        /// The server's error, if it sent one.
        cause: Option<OAuthError>,
    },
    /// The server refused, the grant stands, and somebody must act before it is of use.
    #[error("the authorization server refused: {0}; {who} must act first", who = who(.0.means))]
    NeedsAPerson(OAuthError),
    /// Not now; the grant may still be valid.
    #[error("the credential could not be refreshed just now")]
    Temporary(#[from] NotRefreshed),
}

/// Why a refresh did not happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotRefreshed {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another process is refreshing it and does not finish.
    #[error("another process has been refreshing it for too long")]
    Busy,
    /// It is an API key.
    #[error("an API key is not refreshed; a person connects with another one")]
    ApiKey,
    /// The platform has no client registration for the credential.
    #[error("no client registration is configured for it; give the client id and secret")]
    NoClient,
    /// The server did not respond.
    #[error("the authorization server did not respond")]
    NoAnswer(#[source] TransportError),
    /// The server refused without ending the grant.
    #[error("the authorization server refused: {0}")]
    Refused(OAuthError),
    /// The server's response is not a token response.
    #[error("the authorization server's response cannot be used: {0}")]
    InvalidAnswer(&'static str),
    /// The host is stopping.
    #[error("the host is stopping")]
    Stopping,
}

impl RefreshError {
    /// What the server said, if it said why.
    pub fn cause(&self) -> Option<&OAuthError> {
        match self {
            Self::GrantEnded { cause } => cause.as_ref(),
            Self::NeedsAPerson(error) | Self::Temporary(NotRefreshed::Refused(error)) => Some(error),
            Self::Temporary(_) => None,
        }
    }

    /// How long to wait before the server is asked again.
    fn stands(&self) -> Option<SignedDuration> {
        match self {
            Self::NeedsAPerson(_) => Some(REFUSAL_STANDS),
            Self::Temporary(NotRefreshed::Refused(_) | NotRefreshed::InvalidAnswer(_)) => Some(BUSY_STANDS),
            // The store has the end of a grant. Otherwise the server has said nothing.
            Self::GrantEnded { .. } | Self::Temporary(_) => None,
        }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::GrantEnded { .. } => "credential-grant-ended",
            Self::NeedsAPerson(_) => "refresh-needs-a-person",
            Self::Temporary(why) => match why {
                NotRefreshed::Store(error) => error.code(),
                NotRefreshed::Busy => "refresh-busy",
                NotRefreshed::ApiKey => "refresh-api-key",
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
    /// Returns a credential newer than the generation `used`, which a server refused: from another process's refresh if there
    /// was one, else from our own. A server that refused is not asked again within a minute; see [`Self::ask_again`].
    ///
    /// # Errors
    /// When the grant has ended, or cannot be refreshed just now.
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
                // That flight had started for an older generation than ours.
                Some(Ok(opened)) if opened.generation() == used => {}
                Some(outcome) => return outcome,
                None => return Err(NotRefreshed::Stopping.into()),
            }
        }
    }

    /// Refreshes a grant that the server would otherwise end because it is unused. Returns whether it was due.
    ///
    /// # Errors
    /// When the grant has ended, or cannot be refreshed just now.
    pub async fn keep_alive(&self, connection: &ConnectionId, credential: &str) -> Result<bool, RefreshError> {
        let Some((key, CredentialSpec::OAuth2(spec))) = self.shared.find(connection, credential) else {
            return Ok(false);
        };
        match self.shared.load(&key).await? {
            Some(Stored { state: GrantState::Live(Grant::OAuth(grant)), generation })
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
        // Without a task the sender is dropped, which callers take for `Stopping`.
        let Some(task) = self.shared.begin() else { return receiver };
        flights.insert(key.clone(), receiver.clone());
        drop(flights);
        let guard = FlightGuard { broker: self.clone(), key: key.clone() };
        tokio::spawn(async move {
            let outcome = guard.broker.shared.renew(&guard.key, used).await;
            // Later callers start a new flight; earlier ones get this outcome.
            drop(guard);
            sender.send_replace(Some(outcome));
            drop(task);
        });
        receiver
    }
}

/// Removes a flight from the list, however it ends.
struct FlightGuard {
    broker: Broker,
    key: GrantKey,
}

impl Drop for FlightGuard {
    fn drop(&mut self) {
        lock(&self.broker.shared.flights).remove(&self.key);
    }
}

impl Broker {
    /// Lets the next refresh of a connection ask the server, even if it has just refused: a person may have removed the reason.
    pub fn ask_again(&self, connection: &ConnectionId) {
        lock(&self.shared.refused).retain(|key, _| key.connection != *connection);
    }
}

impl Shared {
    /// The refusal of a generation's last refresh.
    pub(super) fn refused_of(&self, key: &GrantKey, generation: Generation) -> Option<Refused> {
        lock(&self.refused).get(key).filter(|refused| refused.generation == generation).cloned()
    }

    /// The refusal that still stands for a generation.
    fn standing(&self, key: &GrantKey, generation: Generation) -> Option<RefreshError> {
        let refused = self.refused_of(key, generation)?;
        let age = self.clock.now().duration_since(refused.at);
        // A clock that was set back proves nothing.
        let stands = refused.error.stands().is_some_and(|stands| age < stands && !age.is_negative());
        stands.then_some(refused.error)
    }

    /// Asks the server for new tokens, and remembers a refusal.
    async fn ask(
        &self,
        key: &GrantKey,
        spec: &OAuthSpec,
        grant: &OAuthGrant,
        generation: Generation,
    ) -> Result<OpenCredential, RefreshError> {
        if let Some(error) = self.standing(key, generation) {
            return Err(error);
        }
        let answer = self.exchange(key, spec, grant, generation).await;
        let mut refused = lock(&self.refused);
        match &answer {
            Err(error) if error.stands().is_some() => {
                let (error, at) = (error.clone(), self.clock.now());
                refused.insert(key.clone(), Refused { generation, error, at });
            }
            _ => {
                refused.remove(key);
            }
        }
        answer
    }

    async fn renew(&self, key: &GrantKey, used: Generation) -> Result<OpenCredential, RefreshError> {
        let Some((_, spec)) = self.find(&key.connection, key.credential.as_str()) else {
            return Err(RefreshError::GrantEnded { cause: None });
        };
        // Another refresh, or the end of the grant, makes ours unnecessary.
        let settled = |stored: Result<Option<Stored>, StoreError>| match stored? {
            Some(stored) if stored.generation == used && matches!(stored.state, GrantState::Live(_)) => Ok(None),
            stored => Ok(Some(self.outcome(key, stored))),
        };
        let lease = match self.lease(key, settled).await? {
            Turn::Ours(lease) => lease,
            Turn::Done(outcome) => return outcome,
            Turn::Busy => return Err(NotRefreshed::Busy.into()),
        };
        // Read again: the previous holder of the lease may have saved since the last look.
        let outcome = match self.load(key).await {
            Ok(Some(Stored { state: GrantState::Live(grant), generation })) if generation == used => {
                match (spec, grant) {
                    // Before its token is sent anywhere.
                    (_, grant) if self.agreed(key, spec, &grant).is_err() => {
                        Err(RefreshError::GrantEnded { cause: None })
                    }
                    (CredentialSpec::OAuth2(oauth), Grant::OAuth(grant)) => {
                        self.ask(key, oauth, &grant, generation).await
                    }
                    _ => Err(NotRefreshed::ApiKey.into()),
                }
            }
            Ok(stored) => self.outcome(key, stored),
            Err(error) => Err(error.into()),
        };
        self.release(key, &lease).await;
        outcome
    }

    /// What a caller gets from the stored state.
    fn outcome(&self, key: &GrantKey, stored: Option<Stored>) -> Result<OpenCredential, RefreshError> {
        let spec = self.find(&key.connection, key.credential.as_str()).map(|(_, spec)| spec);
        let (Some(stored), Some(spec)) = (stored, spec) else {
            return Err(RefreshError::GrantEnded { cause: None });
        };
        if let GrantState::Ended(ended) = &stored.state {
            return Err(RefreshError::GrantEnded { cause: ended.cause.clone() });
        }
        self.opened(key, spec, stored).map_err(|error| match error {
            OpenError::Unavailable | OpenError::GrantEnded { .. } | OpenError::Outgrown => {
                RefreshError::GrantEnded { cause: None }
            }
            OpenError::Temporary(error) => error.into(),
        })
    }

    /// Exchanges the refresh token for new tokens and saves them.
    async fn exchange(
        &self,
        key: &GrantKey,
        spec: &OAuthSpec,
        grant: &OAuthGrant,
        generation: Generation,
    ) -> Result<OpenCredential, RefreshError> {
        let client = &self.registration(&key.credential).ok_or(NotRefreshed::NoClient)?.client;
        let form = match (grant.grant_type, &grant.refresh_token) {
            (GrantType::ClientCredentials, _) => Form::new().field("grant_type", "client_credentials"),
            (GrantType::AuthorizationCode, Some(token)) => {
                Form::new().field("grant_type", "refresh_token").field("refresh_token", token.expose())
            }
            (GrantType::AuthorizationCode, None) => return self.end(key, grant, generation, None).await,
        };
        let form = form.authenticated(client, spec.client_authentication);
        let (status, body) = self
            .post(key, spec, &grant.login_host, spec.token_path.as_str(), form)
            .await
            .map_err(NotRefreshed::NoAnswer)?;
        let sent: Vec<_> = grant.secrets().chain(&client.client_secret).collect();
        if status != 200 || is_refusal(&body) {
            let error = OAuthError::of_response(&spec.refusals, OAuthStage::Refresh, status, &body, &sent);
            // Client credentials are no grant that could end: nothing but the client's registration is refused.
            if error.means == Meaning::Ended && grant.grant_type == GrantType::AuthorizationCode {
                return self.end(key, grant, generation, Some(error)).await;
            }
            tracing::warn!(connection = %key.connection, credential = %key.credential, %error, "a refresh was refused");
            return Err(match error.means {
                Meaning::Passing => NotRefreshed::Refused(error).into(),
                Meaning::Ended | Meaning::Team | Meaning::CrmAdmin | Meaning::Operator => {
                    RefreshError::NeedsAPerson(error)
                }
            });
        }
        let response = TokenResponse::parse(&body, &spec.slot).map_err(NotRefreshed::InvalidAnswer)?;
        let (access, refresh) = (response.access_token.clone(), response.refresh_token.clone());
        let is_named = spec.names_account(|attribute| response.attribute(attribute).is_some());
        let renewed = match self.grant(spec, response, Basis::Renewed(grant), &sent) {
            Ok(renewed) if is_same_account(spec, grant, &renewed, is_named) => Ok(renewed),
            Ok(_) => {
                let words =
                    "the server gave tokens of another account, or of another origin without naming the account";
                Err(OAuthError::of_host("account-changed", words.to_owned()))
            }
            // A server that now names a forbidden origin redirects the token: the credential is unusable.
            Err(error) => Err(OAuthError::of_host(error.code(), full_message(&error))),
        };
        let renewed = match renewed {
            Ok(renewed) => renewed,
            Err(error) => {
                self.discard(key, spec, &grant.login_host, &access, refresh.as_ref()).await;
                return self.end(key, grant, generation, Some(error)).await;
            }
        };
        match self.save_rotated(key, generation, &renewed).await {
            Ok(generation) => {
                tracing::info!(connection = %key.connection, credential = %key.credential, %generation, "a credential was refreshed");
                self.outcome(key, Some(Stored { state: GrantState::Live(Grant::OAuth(renewed)), generation }))
            }
            // Someone has reconnected or disconnected meanwhile: the stored state counts.
            Err(StoreError::Conflict) => self.outcome(key, self.load(key).await?),
            Err(error) => Err(error.into()),
        }
    }

    /// Durably marks a grant as ended, unless another process has renewed it since.
    async fn end(
        &self,
        key: &GrantKey,
        grant: &OAuthGrant,
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
            Err(StoreError::Conflict) => self.outcome(key, self.load(key).await?),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether a renewed grant is for the account that the person connected. An account may move to another origin if the response names
/// it, and it is the same one.
fn is_same_account(spec: &OAuthSpec, grant: &OAuthGrant, renewed: &OAuthGrant, is_named: bool) -> bool {
    (is_named || grant.origin == renewed.origin)
        && spec.account.iter().all(|name| grant.attributes.get(name) == renewed.attributes.get(name))
}

/// Who must act.
fn who(means: Meaning) -> &'static str {
    match means {
        Meaning::CrmAdmin => "an administrator of the account at the CRM",
        Meaning::Operator => "the platform's operator",
        Meaning::Ended | Meaning::Passing | Meaning::Team => "somebody of the team",
    }
}
