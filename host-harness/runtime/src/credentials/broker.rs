//! What all that a broker does stands on.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::{sync::watch, time::Instant};
use zeroize::Zeroizing;

use super::{
    ConnectionId, Generation, Grant, GrantKey, GrantState, Lease, OpenCredential, RefreshError, SecretStore,
    StoreError, Stored,
    oauth::{Form, MAX_RESPONSE_BYTES, TokenResponse, random_text},
};
use crate::{
    clock::Clock,
    manifest::{CredentialSpec, GrantType, Identifier},
    origin::Origin,
    policy::{AdmissionError, Effective},
    secret::Secret,
    transport::{Bounds, Transport, TransportError, TransportErrorKind},
};

/// How long an authorisation server may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a lease holds: longer than an answer and the saving of it may take together.
const LEASE: SignedDuration = SignedDuration::from_secs(90);
/// How long to wait for another process's lease, and how often to look.
const LEASE_PATIENCE: Duration = Duration::from_secs(20);
const LEASE_POLL: Duration = Duration::from_millis(100);
/// Pauses between the tries of saving what cannot be had again.
const SAVE_PAUSES: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(400), Duration::from_millis(1_600)];

/// How the platform is registered with a provider.
#[derive(Clone, Debug)]
pub struct ClientRegistration {
    /// `client_id`: the consumer key, in some providers' words.
    pub client_id: String,
    /// `client_secret`; `None` for a public client.
    pub client_secret: Option<Secret>,
}

/// Obtains, opens, refreshes and revokes the credentials of one plugin. Cheap to clone.
#[derive(Clone)]
pub struct Broker {
    pub(super) shared: Arc<Shared>,
}

/// What a flight ends with; `None` until then.
pub(super) type Outcome = Option<Result<OpenCredential, RefreshError>>;

pub(super) struct Shared {
    pub(super) effective: Arc<Effective>,
    pub(super) clock: Arc<dyn Clock>,
    store: Arc<dyn SecretStore>,
    transport: Arc<dyn Transport>,
    clients: BTreeMap<Identifier, ClientRegistration>,
    /// Refreshes under way in this process.
    pub(super) flights: Mutex<HashMap<GrantKey, watch::Receiver<Outcome>>>,
    /// Rotated grants that the store would not take yet. Nobody gets their tokens before it does.
    unsaved: Mutex<HashMap<GrantKey, (Generation, Grant)>>,
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker").field("plugin", &self.shared.effective.manifest().plugin.id).finish_non_exhaustive()
    }
}

impl Broker {
    /// A broker for the credentials of one manifest. `clients` says, by the credential's name, how the platform is
    /// registered; a credential without a registration can be opened but neither connected nor refreshed.
    pub fn new(
        effective: Arc<Effective>,
        transport: Arc<dyn Transport>,
        store: Arc<dyn SecretStore>,
        clock: Arc<dyn Clock>,
        clients: BTreeMap<Identifier, ClientRegistration>,
    ) -> Self {
        let (flights, unsaved) = Default::default();
        Self { shared: Arc::new(Shared { effective, clock, store, transport, clients, flights, unsaved }) }
    }

    /// What is kept of a connection; `None` when there is nothing.
    pub async fn state(&self, connection: &ConnectionId, credential: &str) -> Result<Option<Stored>, StoreError> {
        match self.shared.find(connection, credential) {
            Some((key, _)) => self.shared.load(&key).await,
            None => Ok(None),
        }
    }
}

impl Shared {
    /// The key and description of a credential of the manifest.
    pub(super) fn find(&self, connection: &ConnectionId, credential: &str) -> Option<(GrantKey, &CredentialSpec)> {
        let (name, spec) = self.effective.manifest().credentials.get_key_value(credential)?;
        Some((GrantKey { connection: connection.clone(), credential: name.clone() }, spec))
    }

    pub(super) fn client(&self, credential: &Identifier) -> Option<&ClientRegistration> {
        self.clients.get(credential)
    }

    /// Reads a grant, after saving what may still be unsaved of it.
    pub(super) async fn load(&self, key: &GrantKey) -> Result<Option<Stored>, StoreError> {
        let unsaved = lock(&self.unsaved).get(key).cloned();
        if let Some((expected, grant)) = unsaved {
            match self.store.save(key, Some(expected), &GrantState::Live(grant)).await {
                // After a conflict, what lies there is newer.
                Ok(_) | Err(StoreError::Conflict) => {
                    lock(&self.unsaved).remove(key);
                }
                Err(error) => return Err(error),
            }
        }
        self.store.load(key).await
    }

    pub(super) async fn save(
        &self,
        key: &GrantKey,
        expected: Option<Generation>,
        state: &GrantState,
    ) -> Result<Generation, StoreError> {
        self.store.save(key, expected, state).await
    }

    /// Saves a grant that cannot be had again; keeps it in memory for the next try where the store fails for long.
    pub(super) async fn save_rotated(
        &self,
        key: &GrantKey,
        expected: Generation,
        grant: &Grant,
    ) -> Result<Generation, StoreError> {
        let state = GrantState::Live(grant.clone());
        let mut result = self.store.save(key, Some(expected), &state).await;
        for pause in SAVE_PAUSES {
            if !matches!(result, Err(StoreError::Unavailable(_))) {
                break;
            }
            tokio::time::sleep(pause).await;
            result = self.store.save(key, Some(expected), &state).await;
        }
        if let Err(error) = &result
            && *error != StoreError::Conflict
        {
            tracing::error!(connection = %key.connection, credential = %key.credential, code = error.code(),
                "a refreshed grant could not be saved; it is lost if this process ends before the store works again");
            lock(&self.unsaved).insert(key.clone(), (expected, grant.clone()));
        }
        result
    }

    pub(super) async fn remove(&self, key: &GrantKey, expected: Generation) -> Result<(), StoreError> {
        lock(&self.unsaved).remove(key);
        self.store.remove(key, expected).await
    }

    /// Tries for the lease of a grant until it is ours, `done` finds that it is no longer needed, or patience ends.
    pub(super) async fn lease<T>(
        &self,
        key: &GrantKey,
        mut done: impl FnMut(Option<Stored>) -> Option<T>,
    ) -> Result<Turn<T>, StoreError> {
        let holder = random_text().map_err(|error| StoreError::Unavailable(format!("no random numbers: {error}")))?;
        let give_up = Instant::now() + LEASE_PATIENCE;
        loop {
            if let Some(done) = done(self.load(key).await?) {
                return Ok(Turn::Done(done));
            }
            let now = self.clock.now();
            let until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
            let lease = Lease { holder: holder.expose().to_owned(), until };
            if self.store.acquire_lease(key, &lease, now).await? {
                return Ok(Turn::Ours(lease));
            }
            if Instant::now() >= give_up {
                return Ok(Turn::Busy);
            }
            tokio::time::sleep(LEASE_POLL).await;
        }
    }

    /// Gives a lease back. Where that fails it runs out by itself.
    pub(super) async fn release(&self, key: &GrantKey, lease: &Lease) {
        if let Err(error) = self.store.release_lease(key, lease).await {
            tracing::warn!(connection = %key.connection, credential = %key.credential, code = error.code(),
                "a lease could not be given back; it runs out by itself");
        }
    }

    /// Posts a form to an endpoint of an authorisation server and gives status and body.
    pub(super) async fn post(
        &self,
        connection: &ConnectionId,
        host: &Origin,
        path: &str,
        form: Form,
    ) -> Result<(u16, Zeroizing<Vec<u8>>), TransportError> {
        let invalid = |detail: &str| TransportError::before_sending(TransportErrorKind::Invalid, detail);
        let url = host.join(path).and_then(|url| self.effective.target(&url)).map_err(|_| invalid("endpoint"))?;
        let request = form.post_to(&url).map_err(|_| invalid("form"))?;
        let bounds = Bounds { max_response_bytes: MAX_RESPONSE_BYTES, timeout: ANSWER_TIMEOUT };
        let response = self.transport.send(connection, request, bounds).await?;
        Ok((response.status().as_u16(), Zeroizing::new(response.into_body())))
    }

    /// The grant that a token response gives; what a renewal leaves out stays as it was (RFC 6749, section 6).
    pub(super) fn grant(
        &self,
        spec: &CredentialSpec,
        response: TokenResponse,
        basis: Basis<'_>,
    ) -> Result<Grant, AdmissionError> {
        let now = self.clock.now();
        let previous = match &basis {
            Basis::Renewed(grant) => Some(*grant),
            Basis::New { .. } => None,
        };
        let named = spec.origin_member.as_ref().and_then(|member| response.member(member));
        let origin = match (named, previous, self.effective.manifest().only_origin()) {
            (Some(text), _, _) => self.effective.admit_origin(text)?,
            (None, Some(grant), _) => grant.origin.clone(),
            (None, None, Some(only)) if spec.origin_member.is_none() => only,
            (None, None, _) => return Err(AdmissionError::NotNamed),
        };
        let mut attributes = previous.map(|grant| grant.attributes.clone()).unwrap_or_default();
        for (name, attribute) in &spec.attributes {
            // The origin is shown as it was checked, not as it was written.
            let value = if spec.origin_member.as_ref() == Some(&attribute.member)
                && attribute.path_segment_from_end.is_none()
            {
                Some(origin.to_string())
            } else {
                response.attribute(attribute)
            };
            attributes.extend(value.map(|value| (name.clone(), value)));
        }
        let scopes = response.scopes();
        let refresh_token = response.refresh_token.or_else(|| previous.and_then(|grant| grant.refresh_token.clone()));
        let (grant_type, login_host) = match &basis {
            Basis::New { grant_type, login_host } => (*grant_type, (*login_host).clone()),
            Basis::Renewed(grant) => (grant.grant_type, grant.login_host.clone()),
        };
        Ok(Grant {
            access_token: response.access_token,
            refresh_token,
            grant_type,
            login_host,
            origin,
            attributes,
            scopes: scopes
                .unwrap_or_else(|| previous.map_or_else(|| spec.scopes.clone(), |grant| grant.scopes.clone())),
            connected_at: previous.map_or(now, |grant| grant.connected_at),
            refreshed_at: now,
        })
    }
}

/// What a new set of tokens rests on.
pub(super) enum Basis<'a> {
    /// A new connection.
    New {
        /// How it was obtained.
        grant_type: GrantType,
        /// Where.
        login_host: &'a Origin,
    },
    /// A grant that was refreshed.
    Renewed(&'a Grant),
}

/// Whose turn it is with a grant.
pub(super) enum Turn<T> {
    /// Ours.
    Ours(Lease),
    /// Nobody's: it is done.
    Done(T),
    /// Another's, for too long.
    Busy,
}

/// Locks a mutex; what it guards is whole between any two statements, so a panic elsewhere does not spoil it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
