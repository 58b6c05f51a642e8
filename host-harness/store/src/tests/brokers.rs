//! Brokers of several machines, and a server that rotates.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use crm_host::{
    clock::SystemClock,
    credentials::{
        Asker, Broker, ClientRegistration, ConnectRequest, ConnectionId, Pending, Registration, SecretStore,
    },
    manifest::{GrantType, Manifest},
    policy::{Permissions, Policy},
    secret::Secret,
    transport::{Bounds, Transport, TransportError},
};

use crate::Store;

const MANIFEST: &str = r#"
[plugin]
id = "acme-leads"
name = "Acme"
version = "2.0.0"
contract = "scheduling:crm@0.1.0"

[[egress]]
origin = "https://*.api.acme.example"
routes = [{ method = "POST", path = "/" }]

[limits]
memory_bytes = 1
cpu_ms = 1
wall_ms = 1
http_requests = 1
request_bytes = 1
response_bytes = 1

[credentials.acme]
kind = "oauth2"
login_hosts = ["https://id.acme.example"]
authorization_path = "/oauth/authorize"
token_path = "/oauth/token"
slot = { header = "authorization", scheme = "Bearer" }
origin_member = "api_base"
"#;

/// A server that rotates: each refresh token works once, and a reused one ends the grant.
#[derive(Debug)]
pub(super) struct Rotating(Mutex<(String, u32)>);

impl Rotating {
    /// With the refresh token that works first.
    pub(super) fn new(token: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new((token.to_owned(), 0))))
    }

    /// How many refreshes there were.
    pub(super) fn refreshes(&self) -> u32 {
        self.0.lock().unwrap().1
    }
}

#[async_trait]
impl Transport for Rotating {
    async fn send(
        &self,
        _connection: &ConnectionId,
        request: http::Request<Vec<u8>>,
        _bounds: Bounds,
    ) -> Result<http::Response<Vec<u8>>, TransportError> {
        // Let other tasks run while the response is under way.
        tokio::task::yield_now().await;
        let form = String::from_utf8(request.into_body()).unwrap();
        let mut current = self.0.lock().unwrap();
        if !form.contains(&format!("refresh_token={}&", current.0)) {
            current.0 = "revoked".to_owned();
            let body = br#"{"error":"invalid_grant"}"#.to_vec();
            return Ok(http::Response::builder().status(400).body(body).unwrap());
        }
        current.1 += 1;
        current.0 = format!("refresh-token-{}", current.1);
        let body = format!(r#"{{"access_token":"access-token-{}","refresh_token":"{}"}}"#, current.1, current.0);
        Ok(http::Response::new(body.into_bytes()))
    }
}

/// A machine's broker.
pub(super) fn broker(store: Arc<dyn Store>, server: &Arc<Rotating>) -> Broker {
    let permissions = Permissions::new(&Manifest::from_toml(MANIFEST).unwrap(), &Policy::default()).unwrap();
    let registration = Registration {
        client: ClientRegistration { client_id: "id".to_owned(), client_secret: None },
        login_hosts: vec!["https://id.acme.example".parse().unwrap()],
        grant_types: [GrantType::AuthorizationCode].into(),
    };
    let store: Arc<dyn SecretStore> = store;
    Broker::new(
        Arc::new(permissions),
        server.clone(),
        store,
        Arc::new(SystemClock),
        BTreeMap::from([("acme".parse().unwrap(), registration)]),
    )
}

/// A connection that a person is about to authorize.
pub(super) fn pending(store: Arc<dyn Store>) -> Pending {
    let request = ConnectRequest {
        connection: &ConnectionId::new("a"),
        credential: "acme",
        login_host: "https://id.acme.example",
        redirect_uri: "https://platform.example/callback",
        asker: &Asker::operator(),
        browser: &Secret::new("canary-browser"),
    };
    broker(store, &Rotating::new("none")).begin(request).unwrap()
}
