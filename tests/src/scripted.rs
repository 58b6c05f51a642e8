//! Any plugin in the real host, with scripted responses. Nothing leaves the process, so a request that the script did not
//! see was not sent.

use crate::memory;
use anyhow::Result;
use async_trait::async_trait;
use crm_host::credentials::{
    Asker, Builds, ClientRegistration, ConnectRequest, ConnectionId, MemoryStore, Registration,
};
use crm_host::manifest::GrantType;
use crm_host::policy::Permissions;
use crm_host::secret::Secret;
use crm_host::transport::{Bounds, ReqwestTransport, Transport, TransportError};
use crm_host::{Host, HostBuilder, Inspection, Plugin};
use http::{Method, Request, Response, Uri};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The outcome of a scripted request.
pub type Reply = Result<Response<Vec<u8>>, TransportError>;

/// Responds to a request; `None` lets it time out.
type Answer = dyn Fn(&Request<Vec<u8>>) -> Option<Reply> + Send + Sync;

/// Responds to requests and records them.
pub struct Script {
    answer: Box<Answer>,
    /// How the token endpoint answers, once that differs from the provider's tokens.
    tokens: Mutex<Option<Response<Vec<u8>>>>,
    seen: Mutex<Vec<Request<Vec<u8>>>>,
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").finish_non_exhaustive()
    }
}

impl Script {
    /// A script; returning `None` lets a request time out.
    pub fn new(answer: impl Fn(&Request<Vec<u8>>) -> Option<Reply> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { answer: Box::new(answer), tokens: Mutex::default(), seen: Mutex::default() })
    }

    /// What the token endpoint answers from now on; by default the provider's tokens.
    pub fn answer_refreshes(&self, response: Option<Response<Vec<u8>>>) {
        *self.tokens.lock().unwrap_or_else(PoisonError::into_inner) = response;
    }

    /// The requests sent, in order.
    pub fn seen(&self) -> Vec<Request<Vec<u8>>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, _: &ConnectionId, request: Request<Vec<u8>>, bounds: Bounds) -> Reply {
        let is_login = request.uri().path().ends_with("/token");
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let answer = tokens.filter(|_| is_login).map(Ok).or_else(|| (self.answer)(&request));
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        match answer {
            Some(answer) => answer,
            // The server never responds, but a transport must respect its bounds.
            None => {
                tokio::time::sleep(bounds.timeout).await;
                Err(TransportError::maybe_sent(crm_host::transport::TransportErrorKind::Timeout, "no response"))
            }
        }
    }
}

/// A response with a body, which passes for JSON.
pub fn response(status: u16, body: impl Into<Vec<u8>>) -> Reply {
    let mut response = Response::new(body.into());
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::BAD_GATEWAY);
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    Ok(response)
}

/// An OAuth provider as a manifest describes it.
pub struct Provider {
    /// Name of the credential in the manifest.
    pub credential: &'static str,
    /// A login host that the manifest allows.
    pub login_host: &'static str,
    /// Path of the token endpoint.
    pub token_path: &'static str,
    /// Response of the token endpoint.
    pub tokens: &'static str,
}

/// The provider of the hostile guest.
pub const VICTIM: Provider = Provider {
    credential: "loot",
    login_host: "https://login.victim.example",
    token_path: "/token",
    tokens: r#"{"access_token":"canary-access-0123456789","refresh_token":"canary-refresh-0123456789","instance_url":"https://acme.victim.example","token_type":"Bearer"}"#,
};

/// Salesforce, as in the Salesforce plugin's manifest.
pub const SALESFORCE: Provider = Provider {
    credential: "salesforce",
    login_host: "https://login.salesforce.com",
    token_path: "/services/oauth2/token",
    tokens: r#"{"access_token":"00D5i000000AbCd!access-0123456789","refresh_token":"5Aep861refresh-0123456789","instance_url":"https://minato.my.salesforce.com","id":"https://login.salesforce.com/id/00D5i000000AbCdEAK/0055i000000AbCdAAK","token_type":"Bearer","scope":"api refresh_token"}"#,
};

/// Longer than all calls that a test lets wait for each other.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A connected plugin and the script that responds to it.
pub struct Scripted {
    /// The host.
    pub host: Host,
    /// The plugin.
    pub plugin: Plugin,
    /// The connection.
    pub connection: ConnectionId,
    provider: &'static Provider,
    /// The script. Its records do not include the token exchange.
    pub script: Arc<Script>,
}

impl Scripted {
    /// Loads a component and connects it; `answer` responds to all requests except the token exchange.
    pub async fn start(
        component: &[u8],
        provider: &'static Provider,
        answer: impl Fn(&Request<Vec<u8>>) -> Option<Reply> + Send + Sync + 'static,
    ) -> Result<Self> {
        Self::start_with(component, provider, answer, |host| host).await
    }

    /// The same in a host with further settings.
    pub async fn start_with(
        component: &[u8],
        provider: &'static Provider,
        answer: impl Fn(&Request<Vec<u8>>) -> Option<Reply> + Send + Sync + 'static,
        settings: impl FnOnce(HostBuilder) -> HostBuilder,
    ) -> Result<Self> {
        let script = Script::new(move |request| {
            let is_login = request.uri().path() == provider.token_path;
            if is_login { Some(response(200, provider.tokens)) } else { answer(request) }
        });
        let id = Inspection::read(component)?.manifest()?.plugin.id;
        let host = memory::host()
            .longest_wait(LONGEST_WAIT)
            .secrets(Arc::new(MemoryStore::new()))
            .transport(script.clone())
            .plugin(id.clone(), Builds::Any)
            .registration(
                id,
                provider.credential.parse()?,
                Registration {
                    client: ClientRegistration {
                        client_id: "client".into(),
                        client_secret: Some(Secret::new("client-secret-canary")),
                    },
                    login_hosts: vec![provider.login_host.parse()?],
                    grant_types: [GrantType::AuthorizationCode].into(),
                },
            )
            .concurrent_calls(4);
        let host = settings(host).build()?;
        let plugin = host.load(component).await?;
        let scripted = Self { host, plugin, connection: ConnectionId::new("team-1"), provider, script };
        scripted.connect(&scripted.connection).await?;
        scripted.script.seen.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(scripted)
    }

    /// Connects a team.
    pub async fn connect(&self, team: &ConnectionId) -> Result<()> {
        let Provider { credential, login_host, .. } = self.provider;
        let broker = self.plugin.broker();
        let browser = Secret::new("cookie");
        let pending = broker.begin(ConnectRequest {
            connection: team,
            credential,
            login_host,
            redirect_uri: "https://platform.example/callback",
            asker: &Asker::operator(),
            browser: &browser,
        })?;
        let query = format!("code=c&state={}", pending.state().expose());
        broker.finish(pending, &query, &browser).await?;
        Ok(())
    }
}

type Responses = HashMap<(Method, Uri), Response<Vec<u8>>>;

/// Sends a request once, and repeats its response to requests with the same method and URL, so that neither sockets nor a server are
/// measured.
#[derive(Debug)]
pub struct Replay {
    network: ReqwestTransport,
    recorded: Mutex<Responses>,
}

impl Replay {
    /// Sends what was not recorded yet over the network.
    pub fn new(permissions: &Permissions) -> Self {
        Self { network: ReqwestTransport::new(permissions), recorded: Mutex::default() }
    }

    fn recorded(&self, key: &(Method, Uri)) -> Option<Response<Vec<u8>>> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }
}

#[async_trait]
impl Transport for Replay {
    async fn send(
        &self,
        connection: &ConnectionId,
        request: Request<Vec<u8>>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let key = (request.method().clone(), request.uri().clone());
        if let Some(response) = self.recorded(&key) {
            return Ok(response);
        }
        let response = self.network.send(connection, request, bounds).await?;
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).insert(key, response.clone());
        Ok(response)
    }
}
