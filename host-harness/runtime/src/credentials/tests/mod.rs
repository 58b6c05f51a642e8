//! The broker against an invented provider with names, client authentication and error texts of its own.

mod api_key;
mod binding;
mod connect;
mod disconnect;
mod drain;
mod refresh;
mod silence;

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use super::*;
use crate::{
    clock::ManualClock,
    manifest::{GrantType, Manifest},
    policy::{Permissions, Policy},
    secret::Secret,
    transport::{Bounds, Transport, TransportError, TransportErrorKind},
};

const ACME: &str = r#"
[plugin]
id = "acme-leads"
name = "Acme"
version = "2.0.0"
contract = "scheduling:crm@0.1.0"

[[egress]]
origin = "https://*.api.acme.example"
routes = [{ method = "GET", path = "/v2/x" }]

[limits]
memory_bytes = 1
cpu_ms = 1
wall_ms = 1
http_requests = 1
request_bytes = 1
response_bytes = 1

[credentials.acme]
kind = "oauth2"
login_hosts = ["https://id.acme.example", "https://*.api.acme.example"]
authorization_path = "/o/allow"
token_path = "/o/token"
grant_types = ["authorization_code", "client_credentials"]
client_authentication = "client_secret_basic"
scopes = ["leads", "offline"]
authorization_parameters = { prompt = "login consent" }
slot = { header = "x-acme-token" }
origin_member = "api_base"
idle_days = 10
incurable = ["api is off for this plan"]
refusals = [
    { error = ["busy"], means = "passing" },
    { error = ["invalid_grant"], text = "try again", code = "try-again", means = "passing" },
    { error = ["account_closed"], means = "ended" },
    { error = ["unknown_token"], stage = "revoke", means = "ended" },
]

[credentials.acme.attributes]
base = { member = "api_base" }
account = { member = "account" }

[credentials.acme.revocation]
path = "/o/forget"
"#;

/// A credential to put in place of [`ACME`]'s.
const API_KEY: &str = r#"
[credentials.acme]
kind = "api_key"
origin = "https://*.api.acme.example"
slot = { header = "x-acme-key", scheme = "Key" }
"#;

/// Overrides what the provider does with a request.
enum Reply {
    Answer(u16, &'static str),
    Fail(TransportError),
    /// Signals that the request has arrived, waits, then continues as usual.
    Hold(Arc<Notify>, Arc<Notify>),
}

/// A request as the provider saw it.
#[derive(Clone, Debug)]
struct Seen {
    url: String,
    authorization: Option<String>,
    form: HashMap<String, String>,
}

/// A provider that rotates: each refresh token works once, and a reused one ends the grant.
#[derive(Default)]
struct Provider {
    state: Mutex<ProviderState>,
}

#[derive(Default)]
struct ProviderState {
    issued: u32,
    revoked: bool,
    replies: VecDeque<Reply>,
    seen: Vec<Seen>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Provider")
    }
}

impl Provider {
    fn reply(&self, reply: Reply) {
        self.state.lock().unwrap().replies.push_back(reply);
    }

    fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    fn by_itself(&self, seen: &Seen) -> (u16, String) {
        let mut state = self.state.lock().unwrap();
        if seen.url.ends_with("/o/forget") {
            state.revoked = true;
            return (200, String::new());
        }
        let current = format!("canary-refresh-{}", state.issued);
        if seen.form["grant_type"] == "refresh_token" && (seen.form["refresh_token"] != current || state.revoked) {
            state.revoked = true;
            return (400, r#"{"error":"invalid_grant","error_description":"token is used up"}"#.to_owned());
        }
        state.issued += 1;
        let number = state.issued;
        let body = format!(
            r#"{{"access_token":"canary-access-{number}","refresh_token":"canary-refresh-{number}","token_type":"acme",
                "api_base":"https://one.api.acme.example/","account":4711,"expires_in":3600}}"#
        );
        (200, body)
    }
}

#[async_trait]
impl Transport for Provider {
    async fn send(
        &self,
        _connection: &ConnectionId,
        request: Request<Vec<u8>>,
        _bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let seen = Seen {
            url: request.uri().to_string(),
            authorization: request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned()),
            form: url::form_urlencoded::parse(request.body()).into_owned().collect(),
        };
        let reply = {
            let mut state = self.state.lock().unwrap();
            state.seen.push(seen.clone());
            state.replies.pop_front()
        };
        let (status, body) = match reply {
            Some(Reply::Answer(status, body)) => (status, body.to_owned()),
            Some(Reply::Fail(error)) => return Err(error),
            Some(Reply::Hold(arrived, go_on)) => {
                arrived.notify_one();
                go_on.notified().await;
                self.by_itself(&seen)
            }
            None => self.by_itself(&seen),
        };
        Ok(Response::builder().status(status).body(body.into_bytes()).unwrap())
    }
}

/// A store that fails on demand.
#[derive(Debug, Default)]
struct Faulty {
    store: MemoryStore,
    failing_saves: AtomicUsize,
    state: Mutex<Reading>,
}

/// How reading goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reading {
    #[default]
    Works,
    /// The rows are damaged.
    Damaged,
    /// The disk is gone.
    Gone,
}

impl Faulty {
    fn read_as(&self, reading: Reading) {
        *self.state.lock().unwrap() = reading;
    }

    fn check_readable(&self) -> Result<(), StoreError> {
        match *self.state.lock().unwrap() {
            Reading::Gone => Err(StoreError::Unavailable("disk gone".to_owned())),
            Reading::Works | Reading::Damaged => Ok(()),
        }
    }
}

#[async_trait]
impl SecretStore for Faulty {
    async fn load(&self, key: &GrantKey) -> Result<Option<Stored>, StoreError> {
        self.check_readable()?;
        let stored = self.store.load(key).await?;
        if stored.is_some() && *self.state.lock().unwrap() == Reading::Damaged {
            return Err(StoreError::Unreadable("damaged".to_owned()));
        }
        Ok(stored)
    }

    async fn generation(&self, key: &GrantKey) -> Result<Option<Generation>, StoreError> {
        self.check_readable()?;
        self.store.generation(key).await
    }

    async fn save(
        &self,
        key: &GrantKey,
        expected: Option<Generation>,
        state: &GrantState,
    ) -> Result<Generation, StoreError> {
        let failing = self.failing_saves.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if failing.is_ok() {
            return Err(StoreError::Unavailable("disk full".to_owned()));
        }
        self.store.save(key, expected, state).await
    }

    async fn remove(&self, key: &GrantKey, expected: Generation) -> Result<(), StoreError> {
        self.store.remove(key, expected).await
    }

    async fn acquire_lease(&self, key: &GrantKey, lease: &Lease, now: Timestamp) -> Result<bool, StoreError> {
        self.store.acquire_lease(key, lease, now).await
    }

    async fn release_lease(&self, key: &GrantKey, lease: &Lease) -> Result<(), StoreError> {
        self.store.release_lease(key, lease).await
    }
}

/// A provider, a store and a clock, shared by any number of brokers.
struct World {
    provider: Arc<Provider>,
    store: Arc<Faulty>,
    clock: Arc<ManualClock>,
    manifest: String,
    policy: String,
    /// Those of the registration.
    login_hosts: Vec<&'static str>,
}

const REDIRECT: &str = "http://127.0.0.1:9000/callback";

impl World {
    fn new() -> Self {
        Self {
            provider: Arc::default(),
            store: Arc::default(),
            clock: Arc::new(ManualClock::new("2026-11-22T00:00:00Z".parse().unwrap())),
            manifest: ACME.to_owned(),
            policy: String::new(),
            login_hosts: vec!["https://id.acme.example", "https://*.api.acme.example", "https://one.api.acme.example"],
        }
    }

    /// Where people copy a key instead of logging in.
    fn with_api_key() -> Self {
        let manifest = format!("{}{API_KEY}", ACME.split("[credentials").next().unwrap());
        Self { manifest, ..Self::new() }
    }

    /// A broker, as in another process.
    fn broker(&self) -> Broker {
        let manifest = Manifest::from_toml(&self.manifest).unwrap();
        let permissions = Permissions::new(&manifest, &Policy::from_toml(&self.policy).unwrap()).unwrap();
        let registration = Registration {
            client: ClientRegistration {
                client_id: "client".to_owned(),
                client_secret: Some(Secret::new("canary-client")),
            },
            login_hosts: self.login_hosts.iter().map(|host| host.parse().unwrap()).collect(),
            grant_types: [GrantType::AuthorizationCode, GrantType::ClientCredentials].into(),
        };
        let registrations = manifest.credentials.keys().map(|name| (name.clone(), registration.clone())).collect();
        Broker::new(Arc::new(permissions), self.provider.clone(), self.store.clone(), self.clock.clone(), registrations)
    }

    /// Connects as a person does.
    async fn connect(&self) -> (Broker, OpenCredential) {
        let broker = self.broker();
        let pending = broker.begin(request(&team(), "acme", "https://id.acme.example", REDIRECT)).unwrap();
        let query = format!("code=canary-code&state={}", pending.state().expose());
        broker.finish(pending, &query, &BROWSER).await.unwrap();
        let opened = broker.open(&team(), "acme").await.unwrap();
        (broker, opened)
    }
}

/// What a person asks for who is the operator.
fn request<'a>(
    connection: &'a ConnectionId,
    credential: &'a str,
    login_host: &'a str,
    redirect_uri: &'a str,
) -> ConnectRequest<'a> {
    ConnectRequest { connection, credential, login_host, redirect_uri, asker: &OPERATOR, browser: &BROWSER }
}

static OPERATOR: LazyLock<Asker> = LazyLock::new(Asker::operator);
static BROWSER: LazyLock<Secret> = LazyLock::new(|| Secret::new("canary-cookie"));

fn team() -> ConnectionId {
    ConnectionId::new("team")
}

fn access(opened: &OpenCredential) -> String {
    opened.secrets().next().unwrap().expose().to_owned()
}

fn no_answer() -> Reply {
    Reply::Fail(TransportError::maybe_sent(TransportErrorKind::Timeout, "no answer"))
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(days * 24)
}
