//! Connecting: the authorization code grant (RFC 6749, section 4.1) with PKCE (RFC 7636), client credentials
//! (section 4.4), and API keys.

use std::{collections::BTreeMap, fmt};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    ApiKeyGrant, Asker, Broker, ConnectionId, Consent, Grant, GrantKey, GrantState, OAuthError, OAuthGrant, OpenError,
    Registration, StoreError,
    broker::{Basis, Shared, lock},
    oauth::{Form, TokenResponse, challenge, is_refusal, random_text},
};
use crate::{
    manifest::{ApiKeySpec, CredentialSpec, GrantType, Identifier, OAuthSpec, OAuthStage, Refusal},
    origin::{Origin, OriginError, OriginPattern},
    policy::AdmissionError,
    secret::Secret,
    transport::TransportError,
};

/// The longest API key, in bytes.
const MAX_KEY_BYTES: usize = 4_096;
/// Shorter keys could be guessed, and could not be looked for in responses.
const MIN_KEY_BYTES: usize = crate::echo::SHORTEST;

/// How long a person has to log in and allow. An older address may have been planted.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

/// What a person asks for who connects by logging in.
#[derive(Clone, Copy, Debug)]
pub struct ConnectRequest<'a> {
    /// The connection.
    pub connection: &'a ConnectionId,
    /// Name of the credential in the manifest.
    pub credential: &'a str,
    /// The host that the person named, or the platform's default.
    pub login_host: &'a str,
    /// Where the server sends the browser back to. Sent unchanged, because servers compare it character by character.
    pub redirect_uri: &'a str,
    /// Who asks.
    pub asker: &'a Asker,
    /// Something that only this person's browser has, such as a value in a cookie of theirs. Without it, somebody could send the
    /// address to a person of another company, whose account would then be connected to the sender's team.
    pub browser: &'a Secret,
}

/// A connection that a person is about to authorize. It can be finished once, within ten minutes.
pub struct Pending {
    key: GrantKey,
    /// What the person is about to agree to.
    consent: Consent,
    browser: Secret,
    until: Timestamp,
    login_host: Origin,
    redirect_uri: String,
    state: Secret,
    verifier: Secret,
    authorize_url: Url,
}

impl Pending {
    /// The address for the person's browser.
    pub fn authorize_url(&self) -> &Url {
        &self.authorize_url
    }

    /// The `state` that returns with the callback. It identifies this one among several pending connections.
    pub fn state(&self) -> &Secret {
        &self.state
    }

    /// When it expires.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// This as one secret text, for a host whose callback may reach another process than the one that began.
    ///
    /// Who reads it and sees the callback can finish in the person's place, and who changes it decides where the code goes: keep it
    /// as grants are kept, sealed and by its [`Self::state`], and delete it when it is taken, because a copy could be tried again
    /// until it expires.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn to_secret(&self) -> Result<Secret, ConnectError> {
        let kept = Kept {
            plugin: self.key.plugin.clone(),
            connection: self.key.connection.clone(),
            credential: self.key.credential.clone(),
            consent: self.consent.clone(),
            browser: self.browser.expose().to_owned(),
            until: self.until,
            login_host: self.login_host.clone(),
            redirect_uri: self.redirect_uri.clone(),
            state: self.state.expose().to_owned(),
            verifier: self.verifier.expose().to_owned(),
            authorize_url: self.authorize_url.to_string(),
        };
        serde_json::to_string(&kept).map(Secret::new).map_err(|_| ConnectError::NotPending)
    }

    /// What [`Self::to_secret`] gave, in this process or another one. [`Broker::finish`] checks again what [`Broker::begin`] did: the
    /// time, the browser, the login host, and what the person agreed to.
    ///
    /// # Errors
    /// When the text is something else.
    pub fn from_secret(kept: &Secret) -> Result<Self, ConnectError> {
        let kept: Kept = serde_json::from_str(kept.expose()).map_err(|_| ConnectError::NotPending)?;
        Ok(Self {
            key: GrantKey { plugin: kept.plugin, connection: kept.connection, credential: kept.credential },
            consent: kept.consent,
            browser: Secret::new(kept.browser),
            until: kept.until,
            login_host: kept.login_host,
            redirect_uri: kept.redirect_uri,
            state: Secret::new(kept.state),
            verifier: Secret::new(kept.verifier),
            authorize_url: kept.authorize_url.parse().map_err(|_| ConnectError::NotPending)?,
        })
    }
}

/// A pending connection as text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    plugin: Identifier,
    connection: ConnectionId,
    credential: Identifier,
    consent: Consent,
    browser: String,
    until: Timestamp,
    login_host: Origin,
    redirect_uri: String,
    state: String,
    verifier: String,
    authorize_url: String,
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("key", &self.key).field("login_host", &self.login_host).finish_non_exhaustive()
    }
}

/// An authorized connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// Where the person logged in; `None` for an API key.
    pub login_host: Option<Origin>,
    /// The connected origin.
    pub origin: Origin,
    /// The facts that the manifest exposes.
    pub attributes: BTreeMap<Identifier, String>,
    /// The scopes that were granted.
    pub scopes: Vec<String>,
    /// When it was authorized.
    pub connected_at: Timestamp,
}

/// Why connecting failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The manifest has no such credential.
    #[error("the plugin does not ask for a credential `{0}`")]
    UnknownCredential(String),
    /// It is an API key.
    #[error("the credential `{0}` is an API key; connect with the key, not by logging in")]
    NotOAuth(Identifier),
    /// It is a grant of OAuth 2.0.
    #[error(
        "the credential `{0}` is a grant that a person authorizes by logging in; connect that way, not with an API key"
    )]
    NotApiKey(Identifier),
    /// It was begun for another plugin, or the plugin has been replaced since by one that asks for more.
    #[error("the connection was begun for another plugin, or for a build of it that asked for less; begin again")]
    Changed,
    /// The text is not a pending connection that was kept.
    #[error("the text is not a pending connection; begin again")]
    NotPending,
    /// The text cannot be an API key.
    #[error(
        "an API key is {MIN_KEY_BYTES} to {MAX_KEY_BYTES} visible ASCII characters without blanks; copy it from the CRM again"
    )]
    InvalidKey,
    /// The platform has no client registration for the credential.
    #[error("no client registration is configured for the credential `{0}`; give the client id and secret")]
    NoClient(Identifier),
    /// The manifest does not allow this grant type.
    #[error("the plugin's manifest does not allow this grant type; it must be listed in `grant_types`")]
    GrantType,
    /// The host is not one at which people log in.
    #[error("the login host cannot be used")]
    LoginHost(#[source] AdmissionError),
    /// The redirect URI is neither https nor http on loopback.
    #[error("the redirect URI must be `https`, or `http` on loopback")]
    RedirectUri(#[source] OriginError),
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers: {0}")]
    NoRandom(String),
    /// The person has none of the roles that the manifest names.
    #[error("only {} may connect this plugin", .allowed.join(" or "))]
    Role {
        /// The roles.
        allowed: Vec<String>,
    },
    /// The team does not have the plan that the manifest names.
    #[error("this plugin needs the plan `{needed}`")]
    Plan {
        /// The plan.
        needed: String,
    },
    /// The registration does not allow this grant type at this host.
    #[error("the operator's registration does not allow this grant type here")]
    NotRegistered,
    /// The operator's registration does not name the host.
    #[error("the operator's registration does not name the login host `{0}`")]
    LoginHostNotRegistered(Origin),
    /// Too much time has passed.
    #[error("too much time has passed; start again from the settings page")]
    Expired,
    /// The callback came from another browser. Somebody may have planted the address.
    #[error("the callback came from another browser than the request; start again from the settings page")]
    OtherBrowser,
    /// The callback does not belong to this request. It may be forged.
    #[error("the callback does not belong to this request (its `state` differs); start again from the settings page")]
    StateMismatch,
    /// The callback has a parameter not exactly once.
    #[error("the callback must have `{0}` exactly once; start again")]
    Callback(&'static str),
    /// The server, or the person, refused.
    #[error("the connection was refused: {0}")]
    Refused(OAuthError),
    /// The server did not respond to the exchange.
    #[error("the authorization server did not respond; start again")]
    NoAnswer(#[source] TransportError),
    /// The server's response is not a token response.
    #[error("the authorization server's response cannot be used: {0}")]
    InvalidAnswer(&'static str),
    /// The account's origin is not allowed.
    #[error("the account's origin cannot be used")]
    Origin(#[source] AdmissionError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The host is stopping.
    #[error("the host is stopping; start again")]
    Stopping,
}

impl ConnectError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownCredential(_) => "connect-unknown-credential",
            Self::NotOAuth(_) => "connect-not-oauth",
            Self::NotApiKey(_) => "connect-not-api-key",
            Self::NotPending => "connect-not-pending",
            Self::InvalidKey => "connect-key-invalid",
            Self::NoClient(_) => "connect-no-client",
            Self::GrantType => "connect-grant-type",
            Self::LoginHost(_) => "connect-login-host",
            Self::RedirectUri(_) => "connect-redirect-uri",
            Self::NoRandom(_) => "connect-no-random",
            Self::Role { .. } => "connect-role",
            Self::Plan { .. } => "connect-plan",
            Self::NotRegistered => "connect-not-registered",
            Self::LoginHostNotRegistered(_) => "connect-login-host-not-registered",
            Self::Expired => "connect-expired",
            Self::Changed => "connect-changed",
            Self::OtherBrowser => "connect-other-browser",
            Self::StateMismatch => "connect-state-mismatch",
            Self::Callback(_) => "connect-callback",
            Self::Refused(_) => "connect-refused",
            Self::NoAnswer(_) => "connect-no-answer",
            Self::InvalidAnswer(_) => "connect-invalid-answer",
            Self::Origin(_) => "connect-origin",
            Self::Store(error) => error.code(),
            Self::Stopping => "connect-stopping",
        }
    }
}

impl Broker {
    /// Starts connecting and returns the address for the person's browser.
    ///
    /// # Errors
    /// When the person, the credential, the login host or the redirect URI is not allowed.
    pub fn begin(&self, request: ConnectRequest<'_>) -> Result<Pending, ConnectError> {
        let ConnectRequest { connection, credential, login_host, redirect_uri, asker, browser } = request;
        asker.may_connect(&self.shared.permissions.manifest().plugin)?;
        let ready = self.shared.ready(connection, credential, login_host, GrantType::AuthorizationCode)?;
        crate::origin::parse_url(redirect_uri).map_err(ConnectError::RedirectUri)?;
        let random = || random_text().map_err(|error| ConnectError::NoRandom(error.to_string()));
        let (state, verifier) = (random()?, random()?);
        let mut authorize_url = ready
            .login_host
            .join(ready.spec.authorization_path.as_str())
            .and_then(|url| self.shared.permissions.target(&url))
            .map_err(|error| ConnectError::LoginHost(error.into()))?;
        authorize_url
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &ready.registration.client.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("state", state.expose())
            .append_pair("code_challenge", &challenge(&verifier))
            .append_pair("code_challenge_method", "S256");
        let parameters = &ready.spec.authorization_parameters;
        authorize_url.query_pairs_mut().extend_pairs(parameters.iter().map(|(name, value)| (name.as_str(), value)));
        if !ready.spec.scopes.is_empty() {
            authorize_url.query_pairs_mut().append_pair("scope", &ready.spec.scopes.join(" "));
        }
        Ok(Pending {
            consent: Consent::asked(&self.shared.permissions, ready.credential, [&ready.login_host]),
            key: ready.key,
            browser: browser.clone(),
            until: self.shared.clock.now().saturating_add(PATIENCE).unwrap_or(Timestamp::MAX),
            login_host: ready.login_host,
            redirect_uri: redirect_uri.to_owned(),
            state,
            verifier,
            authorize_url,
        })
    }

    /// Finishes connecting with the query of the callback (without `?`), and what its browser has, as in
    /// [`ConnectRequest::browser`]. It completes even if the caller stops waiting, because a code works once.
    ///
    /// # Errors
    /// When the callback is invalid, late or from another browser, or the server refuses or does not respond.
    pub async fn finish(
        &self,
        pending: Pending,
        callback_query: &str,
        browser: &Secret,
    ) -> Result<Connected, ConnectError> {
        if !pending.browser.matches(browser.expose()) {
            return Err(ConnectError::OtherBrowser);
        }
        if self.shared.clock.now() > pending.until {
            return Err(ConnectError::Expired);
        }
        let (key, spec) = self.shared.known(&pending.key.connection, pending.key.credential.as_str())?;
        let asked = Consent::asked(&self.shared.permissions, spec, [&pending.login_host]);
        if key != pending.key || pending.consent.covers(&asked).is_err() {
            return Err(ConnectError::Changed);
        }
        let refusals = match self.shared.find(&pending.key.connection, pending.key.credential.as_str()) {
            Some((_, CredentialSpec::OAuth2(spec))) => spec.refusals.as_slice(),
            _ => &[],
        };
        let registration = self.shared.registration(&pending.key.credential);
        let client_secret = registration.and_then(|registration| registration.client.client_secret.as_ref());
        let code = code_of(refusals, &pending, client_secret, callback_query)?;
        let broker = self.clone();
        let task = broker.shared.begin().ok_or(ConnectError::Stopping)?;
        tokio::spawn(async move {
            let _task = task;
            let ready = broker.shared.ready(
                &pending.key.connection,
                pending.key.credential.as_str(),
                &pending.login_host.to_string(),
                GrantType::AuthorizationCode,
            )?;
            let form = Form::new()
                .field("grant_type", "authorization_code")
                .field("code", code.expose())
                .field("redirect_uri", &pending.redirect_uri)
                .field("code_verifier", pending.verifier.expose());
            ready.exchange(&broker.shared, GrantType::AuthorizationCode, form, &[&code, &pending.verifier]).await
        })
        .await
        .unwrap_or(Err(ConnectError::Stopping))
    }

    /// Connects with the client's own credentials, without a person. Nothing proves that the account belongs to the team, so a host
    /// lets nobody but its operator name the login host, and the registration must name it without `*`.
    ///
    /// # Errors
    /// When the credential or login host is not allowed, or the server refuses or does not respond.
    pub async fn connect_with_client_credentials(
        &self,
        connection: &ConnectionId,
        credential: &str,
        login_host: &str,
    ) -> Result<Connected, ConnectError> {
        let broker = self.clone();
        let task = broker.shared.begin().ok_or(ConnectError::Stopping)?;
        let (connection, credential, login_host) = (connection.clone(), credential.to_owned(), login_host.to_owned());
        tokio::spawn(async move {
            let _task = task;
            let ready = broker.shared.ready(&connection, &credential, &login_host, GrantType::ClientCredentials)?;
            let form = Form::new().field("grant_type", "client_credentials");
            ready.exchange(&broker.shared, GrantType::ClientCredentials, form, &[]).await
        })
        .await
        .unwrap_or(Err(ConnectError::Stopping))
    }

    /// Connects with an API key that a person copied from the CRM. `origin` is where the CRM has this account, as the person
    /// named it. Sends nothing, so a wrong key shows at its first use.
    ///
    /// # Errors
    /// When the credential is not an API key, the origin is not allowed, or the text cannot be a key.
    pub async fn connect_api_key(
        &self,
        connection: &ConnectionId,
        credential: &str,
        origin: &str,
        key: Secret,
        asker: &Asker,
    ) -> Result<Connected, ConnectError> {
        asker.may_connect(&self.shared.permissions.manifest().plugin)?;
        let (grant_key, asked) = self.shared.known(connection, credential)?;
        let (grant_key, spec): (_, &ApiKeySpec) = match (grant_key, asked) {
            (grant_key, CredentialSpec::ApiKey(spec)) => (grant_key, spec),
            (grant_key, CredentialSpec::OAuth2(_)) => return Err(ConnectError::NotApiKey(grant_key.credential)),
        };
        let origin = self.shared.permissions.admit_key_origin(spec, origin).map_err(ConnectError::Origin)?;
        if !is_api_key(&key) {
            return Err(ConnectError::InvalidKey);
        }
        let _task = self.shared.begin().ok_or(ConnectError::Stopping)?;
        let connected_at = self.shared.clock.now();
        let consent = Consent::asked(&self.shared.permissions, asked, [&origin]);
        let grant = ApiKeyGrant { key, origin: origin.clone(), consent, connected_at };
        self.shared.save_new(&grant_key, Grant::ApiKey(grant)).await?;
        Ok(Connected { login_host: None, origin, attributes: BTreeMap::new(), scopes: Vec::new(), connected_at })
    }
}

/// Whether a text can be an API key. Anything but visible ASCII could inject a header or was pasted with its surroundings.
fn is_api_key(key: &Secret) -> bool {
    let is_findable = crate::echo::is_recognizable(key.expose());
    let key = key.expose().as_bytes();
    (MIN_KEY_BYTES..=MAX_KEY_BYTES).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic) && is_findable
}

/// Extracts the code from a callback that belongs to our request. The server knows the client's secret from other requests.
fn code_of(
    refusals: &[Refusal],
    pending: &Pending,
    client_secret: Option<&Secret>,
    query: &str,
) -> Result<Secret, ConnectError> {
    let once = |name: &'static str| {
        let mut values = url::form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Ok(Some(Secret::undecided(value))),
            (None, _) => Ok(None),
            (Some(_), Some(_)) => Err(ConnectError::Callback(name)),
        }
    };
    let state = once("state")?.ok_or(ConnectError::StateMismatch)?;
    if !pending.state.matches(state.expose()) {
        return Err(ConnectError::StateMismatch);
    }
    // RFC 9207: a code of another server must not be sent to this one.
    if let Some(issuer) = once("iss")?
        && issuer.expose().parse::<Origin>() != Ok(pending.login_host.clone())
    {
        return Err(ConnectError::Callback("iss"));
    }
    let code = once("code")?.map(|code| Secret::new(code.expose()));
    if let Some(error) = once("error")? {
        let description = once("error_description")?;
        let sent: Vec<_> = [&pending.state, &pending.verifier].into_iter().chain(&code).chain(client_secret).collect();
        return Err(ConnectError::Refused(OAuthError::new(
            refusals,
            OAuthStage::Authorize,
            error.expose(),
            description.as_ref().map(Secret::expose).unwrap_or_default(),
            None,
            &sent,
        )));
    }
    code.filter(|code| !code.expose().is_empty()).ok_or(ConnectError::Callback("code"))
}

/// Everything needed for a request to the authorization server.
struct Ready<'a> {
    key: GrantKey,
    credential: &'a CredentialSpec,
    spec: &'a OAuthSpec,
    registration: &'a Registration,
    login_host: Origin,
}

impl Shared {
    fn known(&self, connection: &ConnectionId, credential: &str) -> Result<(GrantKey, &CredentialSpec), ConnectError> {
        let unknown = || ConnectError::UnknownCredential(credential.chars().take(64).collect());
        self.find(connection, credential).ok_or_else(unknown)
    }

    fn ready(
        &self,
        connection: &ConnectionId,
        credential: &str,
        login_host: &str,
        grant_type: GrantType,
    ) -> Result<Ready<'_>, ConnectError> {
        let (key, credential) = self.known(connection, credential)?;
        let CredentialSpec::OAuth2(spec) = credential else { return Err(ConnectError::NotOAuth(key.credential)) };
        if !spec.grant_types.contains(&grant_type) {
            return Err(ConnectError::GrantType);
        }
        let login_host = self.permissions.admit_login_host(spec, login_host).map_err(ConnectError::LoginHost)?;
        let registration =
            self.registration(&key.credential).ok_or_else(|| ConnectError::NoClient(key.credential.clone()))?;
        if !registration.grant_types.contains(&grant_type) {
            return Err(ConnectError::NotRegistered);
        }
        let hosts = &registration.login_hosts;
        let is_exact =
            |pattern: &&OriginPattern| pattern.exact().is_some() || self.permissions.is_overridden(&login_host);
        let is_registered = match grant_type {
            GrantType::AuthorizationCode => self.permissions.any_matches(hosts, &login_host),
            GrantType::ClientCredentials => {
                let exact: Vec<_> = hosts.iter().filter(is_exact).cloned().collect();
                self.permissions.any_matches(&exact, &login_host)
            }
        };
        if !is_registered {
            return Err(ConnectError::LoginHostNotRegistered(login_host));
        }
        Ok(Ready { key, credential, spec: spec.as_ref(), registration, login_host })
    }
}

impl Ready<'_> {
    /// Requests tokens and saves the grant.
    async fn exchange(
        self,
        shared: &Shared,
        grant_type: GrantType,
        form: Form,
        sent: &[&Secret],
    ) -> Result<Connected, ConnectError> {
        // A store that fails must not cost the person the code, which works once.
        shared.generation(&self.key).await?;
        let client = &self.registration.client;
        let form = form.authenticated(client, self.spec.client_authentication);
        let (status, body) = shared
            .post(&self.key, self.spec, &self.login_host, self.spec.token_path.as_str(), form)
            .await
            .map_err(ConnectError::NoAnswer)?;
        let sent: Vec<_> = sent.iter().copied().chain(&client.client_secret).collect();
        if status != 200 || is_refusal(&body) {
            return Err(ConnectError::Refused(OAuthError::of_response(
                &self.spec.refusals,
                OAuthStage::Exchange,
                status,
                &body,
                &sent,
            )));
        }
        let response = TokenResponse::parse(&body, &self.spec.slot).map_err(ConnectError::InvalidAnswer)?;
        let basis = Basis::New { grant_type, login_host: &self.login_host, credential: self.credential };
        let (access, refresh) = (response.access_token.clone(), response.refresh_token.clone());
        let kept = match shared.grant(self.spec, response, basis, &sent) {
            Ok(grant) => match shared.save_new(&self.key, Grant::OAuth(grant.clone())).await {
                Ok(replaced) => Ok((grant, replaced)),
                Err(error) => Err(error.into()),
            },
            Err(error) => Err(ConnectError::Origin(error)),
        };
        let (grant, replaced) = match kept {
            Ok(kept) => kept,
            Err(error) => {
                shared.discard(&self.key, self.spec, &self.login_host, &access, refresh.as_ref()).await;
                return Err(error);
            }
        };
        if let Some(GrantState::Live(Grant::OAuth(earlier))) = replaced
            && self.spec.revocation.as_ref().is_some_and(|revocation| revocation.spares_other_grants)
            && shared.agreed(&self.key, self.credential, &Grant::OAuth(earlier.clone())) != Err(OpenError::Unavailable)
        {
            let revoked = shared.revoke(&self.key, self.spec, &earlier).await;
            tracing::info!(connection = %self.key.connection, ?revoked, "the earlier grant was revoked");
        }
        let OAuthGrant { login_host, origin, attributes, scopes, connected_at, .. } = grant;
        Ok(Connected { login_host: Some(login_host), origin, attributes, scopes, connected_at })
    }
}

impl Shared {
    /// Replaces whatever is stored with a new grant, as the person has just decided, and returns what was stored. It need not open:
    /// the new grant is what repairs a damaged one.
    async fn save_new(&self, key: &GrantKey, grant: Grant) -> Result<Option<GrantState>, StoreError> {
        let origin = grant.origin().clone();
        let state = GrantState::Live(grant);
        // Each conflict means that another writer succeeded, so a few tries suffice.
        for _ in 0..8 {
            let (expected, replaced) = match self.load(key).await {
                Ok(stored) => stored.map(|stored| (stored.generation, stored.state)).unzip(),
                Err(StoreError::Unreadable(_)) => (self.generation(key).await?, None),
                Err(error) => return Err(error),
            };
            match self.save(key, expected, &state).await {
                Err(StoreError::Conflict) => {}
                Ok(_) => {
                    lock(&self.unsaved).remove(key);
                    tracing::info!(connection = %key.connection, credential = %key.credential, %origin, "connected");
                    return Ok(replaced);
                }
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }
}
