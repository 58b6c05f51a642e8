//! A small test client over real sockets.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use salesforce_local_org::{Options, OrgFile, RunningOrg, visitor};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use url::{Url, form_urlencoded};

/// The folder with recordings of real orgs, if `ORG_FIXTURES` is set.
pub fn fixtures() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("ORG_FIXTURES") else {
        println!("not run: ORG_FIXTURES is not set");
        return None;
    };
    // Relative paths start at the workspace root.
    Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder))
}

/// Starts the default org.
pub async fn enterprise() -> RunningOrg {
    start(OrgFile::enterprise().unwrap()).await
}

/// Starts an org on free ports.
pub async fn start(file: OrgFile) -> RunningOrg {
    salesforce_local_org::serve(file, Options::default()).await.unwrap()
}

/// A request to send.
pub struct Send<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub headers: Vec<(&'a str, String)>,
    pub body: String,
}

/// A response.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub bytes: Bytes,
    pub text: String,
    /// Null if the body is not JSON.
    pub json: Value,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Status and first error code.
    pub fn error(&self) -> (u16, &str) {
        (self.status, self.json[0]["errorCode"].as_str().unwrap_or_default())
    }

    /// Status, error and description of an OAuth response.
    pub fn oauth(&self) -> (u16, &str, &str) {
        let text = |name: &str| self.json[name].as_str().unwrap_or_default();
        (self.status, text("error"), text("error_description"))
    }
}

/// Sends one request on its own connection.
pub async fn send(base: &str, request: Send<'_>) -> Result<Reply, String> {
    let base = Url::parse(base).unwrap();
    let address = (base.host_str().unwrap(), base.port().unwrap());
    let stream = tokio::net::TcpStream::connect(address).await.map_err(|e| e.to_string())?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
    tokio::spawn(connection);
    let mut builder = Request::builder().method(request.method).uri(request.path).header("host", base.authority());
    for (name, value) in &request.headers {
        builder = builder.header(*name, value);
    }
    let request = builder.body(Full::new(Bytes::from(request.body))).unwrap();
    let (parts, body) = sender.send_request(request).await.map_err(|e| e.to_string())?.into_parts();
    let bytes = body.collect().await.map_err(|e| e.to_string())?.to_bytes();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let headers = parts.headers.iter().map(|(k, v)| (k.to_string(), v.to_str().unwrap().to_owned())).collect();
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Reply { status: parts.status.as_u16(), headers, bytes, text, json })
}

/// Posts a form to an OAuth endpoint.
pub async fn post_form(base: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
    send(base, Send { method: "POST", path, headers, body }).await.unwrap()
}

/// A connected client.
#[derive(Clone)]
pub struct Client {
    pub base: String,
    pub client_id: String,
    pub client_secret: String,
    pub access_token: String,
    pub refresh_token: String,
}

pub const VERIFIER: &str = "a-code-verifier-of-at-least-forty-three-characters";

/// The authorize URL of an org's app.
pub fn authorize_url(running: &RunningOrg, extra: &[(&str, &str)]) -> String {
    use base64::Engine;
    let challenge = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let app = running.app();
    let mut url = Url::parse(&format!("{}/services/oauth2/authorize", running.base_url())).unwrap();
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &app.client_id)
        .append_pair("redirect_uri", &app.redirect_uris[0])
        .append_pair("scope", "api refresh_token")
        .append_pair("state", "st/ate==")
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        .extend_pairs(extra);
    url.into()
}

/// A parameter of a callback URL.
pub fn parameter(url: &str, name: &str) -> Option<String> {
    Url::parse(url).unwrap().query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

impl Client {
    /// Connects through the pages as the org's first user.
    pub async fn connect(running: &RunningOrg) -> Self {
        let code = Self::code(running).await;
        let app = running.app();
        let reply = Self::exchange(running, &code, VERIFIER).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        Self {
            base: running.base_url().to_owned(),
            client_id: app.client_id,
            client_secret: app.client_secret,
            access_token: reply.json["access_token"].as_str().unwrap().to_owned(),
            refresh_token: reply.json["refresh_token"].as_str().unwrap_or_default().to_owned(),
        }
    }

    /// Gets an authorization code through the pages.
    pub async fn code(running: &RunningOrg) -> String {
        let callback = Self::callback(running, &[]).await;
        assert_eq!(parameter(&callback, "state").as_deref(), Some("st/ate=="), "{callback}");
        parameter(&callback, "code").unwrap()
    }

    /// The callback URL that the pages end at.
    pub async fn callback(running: &RunningOrg, extra: &[(&str, &str)]) -> String {
        let file = running.org().file();
        let user = &file.users[0];
        visitor::allow(&authorize_url(running, extra), &user.username, &user.password).await.unwrap()
    }

    pub async fn exchange(running: &RunningOrg, code: &str, verifier: &str) -> Reply {
        let app = running.app();
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &app.redirect_uris[0]),
            ("code_verifier", verifier),
            ("client_id", &app.client_id),
            ("client_secret", &app.client_secret),
        ];
        post_form(running.base_url(), "/services/oauth2/token", &fields).await
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Result<Reply, String> {
        let mut all = vec![("authorization", format!("Bearer {}", self.access_token))];
        all.extend(headers.iter().map(|(name, value)| (*name, (*value).to_owned())));
        send(&self.base, Send { method, path, headers: all, body: body.to_owned() }).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], "").await.unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.write("POST", path, &[], body).await
    }

    pub async fn write(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        self.send(method, path, &all, &body.to_string()).await.unwrap()
    }

    pub async fn query(&self, soql: &str) -> Reply {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", soql).finish();
        self.get(&format!("/services/data/v67.0/query?{query}")).await
    }

    /// Refreshes and stores the new tokens.
    pub async fn refresh(&mut self) -> Reply {
        let reply = self.try_refresh(&self.refresh_token).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        self.access_token = reply.json["access_token"].as_str().unwrap().to_owned();
        if let Some(rotated) = reply.json["refresh_token"].as_str() {
            self.refresh_token = rotated.to_owned();
        }
        reply
    }

    pub async fn try_refresh(&self, refresh_token: &str) -> Reply {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
            ("client_id", &self.client_id),
            ("client_secret", &self.client_secret),
        ];
        post_form(&self.base, "/services/oauth2/token", &fields).await
    }

    pub async fn revoke(&self) -> Reply {
        post_form(&self.base, "/services/oauth2/revoke", &[("token", &self.refresh_token)]).await
    }

    pub fn secrets(&self) -> Vec<String> {
        vec![self.client_secret.clone(), self.access_token.clone(), self.refresh_token.clone(), VERIFIER.to_owned()]
    }
}

/// Sends a raw create on a connection that the caller can read or drop.
pub async fn begin_create(running: &RunningOrg, client: &Client, body: &str) -> TcpStream {
    let address = running.base_url().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST /services/data/v67.0/sobjects/Lead HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        client.access_token,
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}
