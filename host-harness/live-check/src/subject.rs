//! The subject of a check: a plugin in the real host, a connection, and the operator's own requests with the same grant.

use std::{sync::Arc, time::Duration};

use crm_host::{
    HostBuilder, Inspection, Plugin,
    credentials::{Builds, ConnectError, ConnectionId, OpenCredential, Registration},
    manifest::Identifier,
    policy::{Permissions, Policy},
    transport::{Bounds, ReqwestTransport, Transport},
};
use http::{Method, Request};
use serde_json::Value;
use url::Url;

use crate::{LiveCheckError, Obstacle, Recorder};

/// The describe results of the largest orgs take several megabytes.
const BOUNDS: Bounds = Bounds { max_response_bytes: 16 << 20, timeout: Duration::from_secs(60) };

/// A loaded plugin and a connection, with a recorder around all requests of both.
pub struct Subject {
    plugin: Plugin,
    connection: ConnectionId,
    credential: Identifier,
    /// Where the app logs in for itself; `None` for an existing connection.
    login_host: Option<String>,
    recorder: Arc<Recorder>,
}

/// A request of the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// Headers besides `accept` and the credential.
    pub headers: Vec<(String, String)>,
    /// JSON, or invalid text in its place.
    pub body: Option<String>,
}

impl Operation {
    /// A read.
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), headers: Vec::new(), body: None }
    }

    /// A write of JSON text.
    pub fn post(path: impl Into<String>, body: impl Into<String>) -> Self {
        Self { method: Method::POST, body: Some(body.into()), ..Self::get(path) }
            .with("content-type", "application/json")
    }

    /// A deletion.
    pub fn delete(path: impl Into<String>) -> Self {
        Self { method: Method::DELETE, ..Self::get(path) }
    }

    /// Adds a header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A response of the org.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Body, if it is JSON.
    pub json: Option<Value>,
}

impl Subject {
    /// Loads a plugin for a connection, in a host with these settings. Its grants are in the settings' store.
    ///
    /// # Errors
    /// When the component, its manifest and the policy do not fit together.
    pub async fn load(
        host: HostBuilder,
        component: &[u8],
        policy: Policy,
        credential: Identifier,
        registration: Registration,
        connection: ConnectionId,
    ) -> Result<Self, LiveCheckError> {
        let manifest = Inspection::read(component)?.manifest()?;
        let permissions = Permissions::new(&manifest, &policy)?;
        let recorder = Arc::new(Recorder::around(Arc::new(ReqwestTransport::new(&permissions))));
        let host = host
            .policy(manifest.plugin.id.clone(), policy)
            .plugin(manifest.plugin.id.clone(), Builds::Any)
            .registration(manifest.plugin.id, credential.clone(), registration)
            .transport(recorder.clone())
            .build()?;
        let plugin = host.load(component).await?;
        Ok(Self { plugin, connection, credential, login_host: None, recorder })
    }

    /// Makes [`Self::connect`] connect without a person, as the app's run-as user.
    pub fn with_client_credentials(self, login_host: impl Into<String>) -> Self {
        Self { login_host: Some(login_host.into()), ..self }
    }

    /// Connects, unless the connection exists already.
    ///
    /// # Errors
    /// When the org refuses.
    pub async fn connect(&self) -> Result<(), ConnectError> {
        if let Some(login_host) = &self.login_host {
            let broker = self.plugin.broker();
            broker.connect_with_client_credentials(&self.connection, self.credential(), login_host).await?;
        }
        Ok(())
    }

    /// The plugin.
    pub fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// The connection.
    pub fn connection(&self) -> &ConnectionId {
        &self.connection
    }

    /// Name of the credential in the manifest.
    pub fn credential(&self) -> &str {
        self.credential.as_str()
    }

    /// The recorder around all requests.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Opens the grant.
    ///
    /// # Errors
    /// When there is no valid grant.
    pub async fn open(&self) -> Result<OpenCredential, Obstacle> {
        Ok(self.plugin.broker().open(&self.connection, self.credential()).await?)
    }

    /// Sends a request of the operator with the current grant.
    ///
    /// # Errors
    /// When there is no valid grant, or the org does not respond.
    pub async fn send(&self, operation: Operation) -> Result<Answer, Obstacle> {
        let opened = self.open().await?;
        self.send_with(operation, &opened).await
    }

    /// Sends a request of the operator with an earlier state of the grant.
    ///
    /// # Errors
    /// When the org does not respond.
    pub async fn send_with(&self, operation: Operation, opened: &OpenCredential) -> Result<Answer, Obstacle> {
        let mut request = self.request(operation, opened)?;
        opened.attach(request.headers_mut());
        self.exchange(request).await
    }

    /// Sends a request with an invented token.
    ///
    /// # Errors
    /// When there is no grant that names the org, or the org does not respond.
    pub async fn send_with_invented_token(&self, operation: Operation) -> Result<Answer, Obstacle> {
        let opened = self.open().await?;
        let mut request = self.request(operation, &opened)?;
        let invented = http::HeaderValue::from_static("Bearer 00D000000000000!invented");
        request.headers_mut().insert(opened.slot(), invented);
        self.exchange(request).await
    }

    fn request(&self, operation: Operation, opened: &OpenCredential) -> Result<Request<Vec<u8>>, Obstacle> {
        let unwritable = |error: &dyn std::fmt::Display| Obstacle::Request(error.to_string());
        let url = format!("{}{}", opened.origin(), operation.path);
        let url = Url::parse(&url).map_err(|error| unwritable(&error))?;
        let url = self.plugin.permissions().target(&url).map_err(|error| unwritable(&error))?;
        let mut builder =
            Request::builder().method(operation.method).uri(url.as_str()).header("accept", "application/json");
        for (name, value) in operation.headers {
            builder = builder.header(name, value);
        }
        builder.body(operation.body.unwrap_or_default().into_bytes()).map_err(|error| unwritable(&error))
    }

    async fn exchange(&self, request: Request<Vec<u8>>) -> Result<Answer, Obstacle> {
        let response = self.recorder.send(&self.connection, request, BOUNDS).await?;
        Ok(Answer { status: response.status().as_u16(), json: serde_json::from_slice(response.body()).ok() })
    }
}
