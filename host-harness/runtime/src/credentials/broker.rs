//! State shared by all broker operations.

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
    ConnectionId, Consent, Generation, Grant, GrantKey, GrantState, Lease, OAuthError, OAuthGrant, OpenCredential,
    OpenError, RefreshError, Registration, SecretStore, StoreError, Stored,
    consent::Dissent,
    drain::Work,
    oauth::{Form, MAX_RESPONSE_BYTES, TokenResponse, random_text},
    refresh::Refused,
};
use crate::{
    clock::Clock,
    echo::EchoScanner,
    manifest::{CredentialSpec, GrantType, Identifier, OAuthSpec},
    observe::{self, Event, Observed, Observer},
    origin::{Origin, OriginPattern},
    policy::{AdmissionError, Permissions},
    secret::Secret,
    transport::{Bounds, Transport, TransportError, TransportErrorKind},
};

/// Time limit for a response of an authorization server.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Duration of a lease: longer than a response and saving it may take.
const LEASE: SignedDuration = SignedDuration::from_secs(90);
/// How long to wait for the lease of another process, and how often to check.
const LEASE_PATIENCE: Duration = Duration::from_secs(20);
const LEASE_POLL: Duration = Duration::from_millis(100);
/// Pauses between attempts to save a grant that cannot be obtained again.
const SAVE_PAUSES: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(400), Duration::from_millis(1_600)];

/// Obtains, opens, refreshes and revokes the credentials of one plugin. Cheap to clone.
#[derive(Clone)]
pub struct Broker {
    pub(super) shared: Arc<Shared>,
}

/// The outcome of a flight; `None` while it is under way.
pub(super) type Outcome = Option<Result<OpenCredential, RefreshError>>;

pub(super) struct Shared {
    pub(super) permissions: Arc<Permissions>,
    pub(super) clock: Arc<dyn Clock>,
    store: Arc<dyn SecretStore>,
    transport: Arc<dyn Transport>,
    registrations: BTreeMap<Identifier, Registration>,
    /// Refreshes under way in this process.
    pub(super) flights: Mutex<HashMap<GrantKey, watch::Receiver<Outcome>>>,
    /// Rotated grants that could not be saved yet. Nobody gets their tokens before they are saved.
    pub(super) unsaved: Mutex<HashMap<GrantKey, (Generation, OAuthGrant)>>,
    /// The last refusals of refreshes.
    pub(super) refused: Mutex<HashMap<GrantKey, Refused>>,
    pub(super) work: watch::Sender<Work>,
    observer: Option<Observer>,
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker").field("plugin", &self.shared.permissions.manifest().plugin.id).finish_non_exhaustive()
    }
}

impl Broker {
    /// A broker for the credentials of one manifest. `registrations` are the platform's for this plugin, by credential; one without a
    /// registration can be opened but neither connected nor refreshed. An API key needs none.
    pub fn new(
        permissions: Arc<Permissions>,
        transport: Arc<dyn Transport>,
        store: Arc<dyn SecretStore>,
        clock: Arc<dyn Clock>,
        registrations: BTreeMap<Identifier, Registration>,
    ) -> Self {
        Self::observed(permissions, transport, store, clock, registrations, None)
    }

    pub(crate) fn observed(
        permissions: Arc<Permissions>,
        transport: Arc<dyn Transport>,
        store: Arc<dyn SecretStore>,
        clock: Arc<dyn Clock>,
        registrations: BTreeMap<Identifier, Registration>,
        observer: Option<Observer>,
    ) -> Self {
        let (flights, unsaved, refused, work) = Default::default();
        let shared =
            Shared { permissions, clock, store, transport, registrations, flights, unsaved, refused, work, observer };
        Self { shared: Arc::new(shared) }
    }

    /// Why the authorization server refuses a connection's credential: at its last refresh in this process, or at the one that ended
    /// the grant. `None` if it does not refuse, or gave no reason. It has the server's own words, for the operator.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn refusal(&self, connection: &ConnectionId, credential: &str) -> Result<Option<OAuthError>, StoreError> {
        let Some((key, _)) = self.shared.find(connection, credential) else { return Ok(None) };
        let stored = self.shared.load(&key).await?;
        Ok(match stored {
            Some(Stored { state: GrantState::Ended(ended), .. }) => ended.cause,
            Some(Stored { generation, .. }) => {
                self.shared.refused_of(&key, generation).and_then(|it| it.error.cause().cloned())
            }
            None => None,
        })
    }

    /// Tells the account of a connection from others: the attributes that the manifest names for that, or else its origin. `None` if the
    /// connection has no grant that works.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn account(&self, connection: &ConnectionId, credential: &str) -> Result<Option<String>, StoreError> {
        let Some((key, spec)) = self.shared.find(connection, credential) else { return Ok(None) };
        let Some(Stored { state: GrantState::Live(grant), .. }) = self.shared.load(&key).await? else {
            return Ok(None);
        };
        let names = match spec {
            CredentialSpec::OAuth2(spec) => spec.account.as_slice(),
            CredentialSpec::ApiKey(_) => &[],
        };
        let attributes = names.iter().filter_map(|name| grant.attributes().get(name)).map(String::as_str);
        let named = attributes.collect::<Vec<_>>().join("\n");
        Ok(Some(if named.is_empty() { grant.origin().to_string() } else { named }))
    }

    /// The stored state of a connection's credential, if any.
    ///
    /// # Errors
    /// When the store fails.
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
        let (name, spec) = self.permissions.manifest().credentials.get_key_value(credential)?;
        let plugin = self.permissions.manifest().plugin.id.clone();
        Some((GrantKey { plugin, connection: connection.clone(), credential: name.clone() }, spec))
    }

    pub(super) fn registration(&self, credential: &Identifier) -> Option<&Registration> {
        self.registrations.get(credential)
    }

    /// Whether the plugin can use a grant as it is now: the person agreed to all that it asks for, and no test override came or
    /// went since.
    pub(super) fn agreed(&self, key: &GrantKey, spec: &CredentialSpec, grant: &Grant) -> Result<(), OpenError> {
        let now = Consent::asked(&self.permissions, spec, grant.addresses());
        grant.consent().covers(&now).map_err(|dissent| {
            tracing::warn!(connection = %key.connection, credential = %key.credential, ?dissent, "a stored grant is not used");
            match dissent {
                Dissent::Outgrown => OpenError::Outgrown,
                Dissent::OtherSide => OpenError::Unavailable,
            }
        })
    }

    /// Reads a grant, after saving a rotated one that is still unsaved.
    pub(super) async fn load(&self, key: &GrantKey) -> Result<Option<Stored>, StoreError> {
        let unsaved = lock(&self.unsaved).get(key).cloned();
        if let Some((expected, grant)) = unsaved {
            match self.store.save(key, Some(expected), &GrantState::Live(Grant::OAuth(grant))).await {
                // After a conflict, the stored grant is newer.
                Ok(_) | Err(StoreError::Conflict) => {
                    lock(&self.unsaved).remove(key);
                }
                Err(error) => return Err(error),
            }
        }
        self.store.load(key).await
    }

    /// The generation of a grant, whether or not it can be opened.
    pub(super) async fn generation(&self, key: &GrantKey) -> Result<Option<Generation>, StoreError> {
        self.store.generation(key).await
    }

    pub(super) async fn save(
        &self,
        key: &GrantKey,
        expected: Option<Generation>,
        state: &GrantState,
    ) -> Result<Generation, StoreError> {
        self.store.save(key, expected, state).await
    }

    /// Saves a grant that cannot be obtained again. If the store keeps failing, it stays in memory for the next attempt.
    pub(super) async fn save_rotated(
        &self,
        key: &GrantKey,
        expected: Generation,
        grant: &OAuthGrant,
    ) -> Result<Generation, StoreError> {
        let state = GrantState::Live(Grant::OAuth(grant.clone()));
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

    /// Waits for the lease of a grant until it is acquired, `done` finds it unnecessary, or time runs out.
    pub(super) async fn lease<T>(
        &self,
        key: &GrantKey,
        mut done: impl FnMut(Result<Option<Stored>, StoreError>) -> Result<Option<T>, StoreError>,
    ) -> Result<Turn<T>, StoreError> {
        let holder = random_text().map_err(|error| StoreError::Unavailable(format!("no random numbers: {error}")))?;
        let give_up = Instant::now() + LEASE_PATIENCE;
        loop {
            if let Some(done) = done(self.load(key).await)? {
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

    /// Releases a lease. If that fails, the lease expires by itself.
    pub(super) async fn release(&self, key: &GrantKey, lease: &Lease) {
        if let Err(error) = self.store.release_lease(key, lease).await {
            tracing::warn!(connection = %key.connection, credential = %key.credential, code = error.code(),
                "a lease could not be released; it expires by itself");
        }
    }

    /// Posts a form to an endpoint of an authorization server and returns status and body. A form has secrets in it. This is the one
    /// place that sends them, and therefore the one that checks where: both the manifest, as the policy leaves it, and the registration
    /// must name the host.
    pub(super) async fn post(
        &self,
        key: &GrantKey,
        spec: &OAuthSpec,
        host: &Origin,
        path: &str,
        form: Form,
    ) -> Result<(u16, Zeroizing<Vec<u8>>), TransportError> {
        let registered = self.registration(&key.credential).map(|registration| &registration.login_hosts);
        let is_named = |hosts: &Vec<OriginPattern>| self.permissions.any_matches(hosts, host);
        if !registered.is_some_and(is_named) || !is_named(&spec.login_hosts) {
            tracing::error!(connection = %key.connection, %host, "a secret was not sent to a host that nobody allows");
            let detail =
                "the login host is not named by both the manifest, as the policy leaves it, and the registration";
            return Err(TransportError::before_sending(TransportErrorKind::Denied, detail));
        }
        let connection = &key.connection;
        let invalid = |detail: &str| TransportError::before_sending(TransportErrorKind::Invalid, detail);
        let url = host.join(path).and_then(|url| self.permissions.target(&url)).map_err(|_| invalid("endpoint"))?;
        let request = form.post_to(&url).map_err(|_| invalid("form"))?;
        let bounds = Bounds { max_response_bytes: MAX_RESPONSE_BYTES, timeout: ANSWER_TIMEOUT };
        let begun = Instant::now();
        let sent = self.transport.send(connection, request, bounds).await;
        if let Some(observer) = &self.observer {
            let outcome = match &sent {
                Ok(response) => observe::Outcome::Answered(response.status().as_u16()),
                Err(error) => observe::Outcome::Failed(error.kind),
            };
            let event = Event::Login { host, path, outcome, took: begun.elapsed() };
            observer.notify(&Observed { plugin: &key.plugin, connection, event });
        }
        let response = sent?;
        Ok((response.status().as_u16(), Zeroizing::new(response.into_body())))
    }

    /// Builds a grant from a token response. A renewal keeps what the response leaves out (RFC 6749, section 6). `sent` are the
    /// secrets of the request: some servers repeat one in another member, where a plugin or a person would read it.
    pub(super) fn grant(
        &self,
        spec: &OAuthSpec,
        response: TokenResponse,
        basis: Basis<'_>,
        sent: &[&Secret],
    ) -> Result<OAuthGrant, AdmissionError> {
        let now = self.clock.now();
        let previous = match &basis {
            Basis::Renewed(grant) => Some(*grant),
            Basis::New { .. } => None,
        };
        let tokens = std::iter::once(&response.access_token).chain(&response.refresh_token);
        let secrets = EchoScanner::new(tokens.chain(sent.iter().copied()).map(Secret::expose));
        let named = spec.origin_member.as_ref().and_then(|member| response.member(member));
        if named.is_some_and(|text| secrets.finds_in(text.as_bytes())) {
            return Err(AdmissionError::RepeatsSecret);
        }
        let origin = match (named, previous, self.permissions.manifest().only_origin()) {
            (Some(text), _, _) => self.permissions.admit_origin(text)?,
            (None, Some(grant), _) => grant.origin.clone(),
            (None, None, Some(only)) if spec.origin_member.is_none() => only,
            (None, None, _) => return Err(AdmissionError::NotNamed),
        };
        let mut attributes = previous.map(|grant| grant.attributes.clone()).unwrap_or_default();
        for (name, attribute) in &spec.attributes {
            // Expose the origin in its checked form, not as the server wrote it.
            let value = if spec.origin_member.as_ref() == Some(&attribute.member)
                && attribute.path_segment_from_end.is_none()
            {
                Some(origin.to_string())
            } else {
                response.attribute(attribute)
            };
            let value = value.filter(|value| !secrets.finds_in(value.as_bytes()));
            attributes.extend(value.map(|value| (name.clone(), value)));
        }
        let scopes = response.scopes();
        let refresh_token = response.refresh_token.or_else(|| previous.and_then(|grant| grant.refresh_token.clone()));
        let (grant_type, login_host, consent) = match &basis {
            Basis::New { grant_type, login_host, credential } => {
                let asked = Consent::asked(&self.permissions, credential, [*login_host, &origin]);
                (*grant_type, (*login_host).clone(), asked)
            }
            Basis::Renewed(grant) => (grant.grant_type, grant.login_host.clone(), grant.consent.clone()),
        };
        Ok(OAuthGrant {
            access_token: response.access_token,
            refresh_token,
            grant_type,
            login_host,
            origin,
            attributes,
            consent,
            scopes: scopes
                .unwrap_or_else(|| previous.map_or_else(|| spec.scopes.clone(), |grant| grant.scopes.clone())),
            connected_at: previous.map_or(now, |grant| grant.connected_at),
            refreshed_at: now,
        })
    }
}

/// The origin of a new set of tokens.
pub(super) enum Basis<'a> {
    /// A new connection.
    New {
        /// How the grant was obtained.
        grant_type: GrantType,
        /// Where it was obtained.
        login_host: &'a Origin,
        /// The credential of the manifest.
        credential: &'a CredentialSpec,
    },
    /// A grant that was refreshed.
    Renewed(&'a OAuthGrant),
}

/// The result of waiting for a lease.
pub(super) enum Turn<T> {
    /// The lease was acquired.
    Ours(Lease),
    /// It is no longer needed.
    Done(T),
    /// Another process held it for too long.
    Busy,
}

/// Locks a mutex. Its content is consistent after every statement, so a panic elsewhere does no harm.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
