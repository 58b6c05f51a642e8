//! What a browser and an authorization server answer.

use std::{
    collections::BTreeMap,
    error::Error,
    fmt,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use crm_host::{
    clock::ManualClock,
    credentials::{
        Asker, Broker, ClientRegistration, ConnectRequest, ConnectionId, MemoryStore, Pending, Registration, Revoked,
    },
    full_message,
    manifest::{GrantType, Manifest},
    policy::{Permissions, Policy},
    secret::Secret,
    transport::{Bounds, Transport, TransportError},
};
use http::{Request, Response};
use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};

use crate::{
    message::Message,
    spelling::{ESCAPES, FORMS},
};

const MANIFEST: &str = r#"
plugin = { id = "acme-leads", name = "Acme", version = "1", contract = "scheduling:crm@0.1.0" }
limits = { memory_bytes = 1, cpu_ms = 1, wall_ms = 1, http_requests = 1, request_bytes = 1, response_bytes = 1 }

[[egress]]
origin = "https://*.api.acme.example"
routes = [{ method = "GET", path = "/v2/x" }]

[credentials.acme]
kind = "oauth2"
login_hosts = ["https://id.acme.example"]
authorization_path = "/o/allow"
token_path = "/o/token"
scopes = ["leads"]
slot = { header = "x-acme-token" }
origin_member = "api_base"

[[credentials.acme.refusals]]
error = ["busy"]
means = "passing"

[[credentials.acme.refusals]]
text = "try again"
code = "try-again"
means = "passing"

[[credentials.acme.refusals]]
error = ["account_closed", "unknown_token"]
means = "ended"

[credentials.acme.attributes]
base = { member = "api_base" }
account = { member = "account" }
user = { member = "id", path_segment_from_end = 1 }

[credentials.acme.revocation]
path = "/o/forget"
"#;

const CLIENT: &str = "client-Xk29fQz7Lm4Rb8TnWq3Yd6Hs";
const CODE: &str = "code-7Yh2Kp9Wq4Zs8Vd3Gt5Bn6Mj";
const ACCESS: &str = "access-Pr8Lw3Ft6Qx1Nc9Zk4Vb7Jm2";
const REFRESH: &str = "refresh-Hd5Sg8Ty2Ua6Eo9Ic3Wv7Rl";

static PERMISSIONS: LazyLock<Arc<Permissions>> = LazyLock::new(|| {
    let manifest = Manifest::from_toml(MANIFEST).expect("a manifest");
    Arc::new(Permissions::new(&manifest, &Policy::default()).expect("permissions"))
});
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));

/// Connecting, refreshing and disconnecting end with a grant or an error. No text of an error has a secret of the request in it, and
/// no attribute has one, or a token.
///
/// The input: the callback's query; `status: 400`; after a blank line the server's answer. `{code}`, `{state}`, `{verifier}`, `{client}`,
/// `{access}` and `{refresh}` stand for these, and `{code:16}` for one in the form 1 and the escape 6 of [`FORMS`] and [`ESCAPES`];
/// `<` and `>` in place of the digits for its first and second half.
pub fn oauth_answers(input: &[u8]) {
    let Some(message) = Message::read(input) else { return };
    let status = message.header("status").and_then(|status| status.parse().ok()).unwrap_or(200);
    RUNTIME.block_on(answered(message.first, status, message.body));
}

async fn answered(query: &str, status: u16, body: &[u8]) {
    let server = Arc::new(Server::default());
    let registration = Registration {
        client: ClientRegistration { client_id: "id".to_owned(), client_secret: Some(Secret::new(CLIENT)) },
        login_hosts: vec!["https://id.acme.example".parse().expect("a pattern")],
        grant_types: [GrantType::AuthorizationCode].into(),
    };
    let broker = Broker::new(
        PERMISSIONS.clone(),
        server.clone(),
        Arc::new(MemoryStore::new()),
        Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH)),
        BTreeMap::from([("acme".parse().expect("an identifier"), registration)]),
    );

    let team = ConnectionId::new("team");
    server.answer(status, body);
    let (pending, browser) = begin(&broker, &team);
    let state = pending.state().expose().to_owned();
    let query = filled(query.as_bytes(), &[("code", CODE), ("state", &state)]);
    let callback = String::from_utf8_lossy(&query).into_owned();
    // Elsewhere in the query it is a text like any other.
    let has_code =
        url::form_urlencoded::parse(callback.as_bytes()).any(|(name, value)| (&*name, &*value) == ("code", CODE));
    match broker.finish(pending, &callback, &browser).await {
        Ok(connected) => {
            let opened = broker.open(&team, "acme").await.expect("a connection that was made opens");
            let verifier = server.verifier();
            let sent = [CLIENT, &verifier].into_iter().chain(has_code.then_some(CODE));
            for secret in opened.secrets().map(Secret::expose).chain(sent) {
                let is_told = |value: &String| value.contains(secret);
                assert!(!connected.attributes.values().any(is_told), "{secret} in {:?}", connected.attributes);
            }
        }
        Err(error) => {
            silent(&[CLIENT, &state, &server.verifier()], &error);
            silent(if has_code { &[CODE] } else { &[] }, &error);
        }
    }

    let other = ConnectionId::new("other");
    let tokens = r#"{"access_token":"{access}","refresh_token":"{refresh}","api_base":"https://one.api.acme.example"}"#;
    server.answer(200, tokens.as_bytes());
    let (pending, browser) = begin(&broker, &other);
    let callback = format!("code={CODE}&state={}", pending.state().expose());
    broker.finish(pending, &callback, &browser).await.expect("tokens are an answer");
    let opened = broker.open(&other, "acme").await.expect("a connection that was made opens");
    server.answer(status, body);
    if let Err(error) = broker.refresh(&other, "acme", opened.generation()).await {
        silent(&[CLIENT, ACCESS, REFRESH], &error);
    }
    // A refresh may have replaced the tokens, or ended the grant.
    let opened = broker.open(&other, "acme").await;
    let known: Vec<&str> = opened.iter().flat_map(|opened| opened.secrets()).map(Secret::expose).collect();
    let kept: Vec<&str> = [ACCESS, REFRESH].into_iter().filter(|token| known.contains(token)).chain([CLIENT]).collect();
    match broker.disconnect(&other, "acme", &Asker::operator()).await {
        Ok(disconnected) => {
            if let Revoked::Refused(error) = disconnected.revoked {
                silent(&kept, &Refused(error.to_string()));
            }
        }
        Err(error) => silent(&kept, &error),
    }
}

fn begin(broker: &Broker, team: &ConnectionId) -> (Pending, Secret) {
    let browser = Secret::new("cookie");
    let pending = broker.begin(ConnectRequest {
        connection: team,
        credential: "acme",
        login_host: "https://id.acme.example",
        redirect_uri: "https://platform.example/callback",
        asker: &Asker::operator(),
        browser: &browser,
    });
    (pending.expect("the request is allowed"), browser)
}

#[derive(Debug)]
struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Refused {}

/// A server with one answer, in which it repeats what it was sent.
#[derive(Debug, Default)]
struct Server {
    answer: Mutex<(u16, Vec<u8>)>,
    verifier: Mutex<String>,
}

impl Server {
    fn answer(&self, status: u16, body: &[u8]) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = (status, body.to_vec());
    }

    fn verifier(&self) -> String {
        self.verifier.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// No text of an error has one of these secrets in it.
fn silent(secrets: &[&str], error: &(impl Error + 'static)) {
    for text in [full_message(error), format!("{error:?}")] {
        for secret in secrets {
            assert!(!tells(&text, secret), "{secret} in {text}");
        }
    }
}

/// Whether a text has a secret in it, in any form: without what separates its characters, in base64 or in hex.
fn tells(text: &str, secret: &str) -> bool {
    let reduced = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let text = reduced(text);
    // Nothing was sent yet.
    if secret.is_empty() {
        return false;
    }
    text.contains(&reduced(secret))
        || text.contains(&reduced(&STANDARD.encode(secret)))
        || text.to_ascii_lowercase().contains(&hex)
}

#[async_trait]
impl Transport for Server {
    async fn send(
        &self,
        _: &ConnectionId,
        request: Request<Vec<u8>>,
        _: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        for (name, value) in url::form_urlencoded::parse(request.body()) {
            if name == "code_verifier" {
                *self.verifier.lock().unwrap_or_else(PoisonError::into_inner) = value.into_owned();
            }
        }
        let (status, body) = self.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let verifier = self.verifier();
        let secrets = [
            ("client", CLIENT),
            ("code", CODE),
            ("access", ACCESS),
            ("refresh", REFRESH),
            ("verifier", verifier.as_str()),
        ];
        let mut response = Response::new(filled(&body, &secrets));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::BAD_REQUEST);
        Ok(response)
    }
}

/// A text with secrets in place of their names.
fn filled(text: &[u8], secrets: &[(&str, &str)]) -> Vec<u8> {
    let mut filled = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, tail)) = rest.split_first() {
        let named = tail.iter().take(14).position(|byte| *byte == b'}').filter(|_| *byte == b'{');
        let spelled = named.and_then(|end| {
            let name = std::str::from_utf8(tail.get(..end)?).ok()?;
            let (name, how) = name.split_once(':').unwrap_or((name, ""));
            let (_, secret) = secrets.iter().find(|(known, _)| *known == name)?;
            Some((spelled(secret, how.as_bytes()), tail.get(end + 1..)?))
        });
        match spelled {
            Some((secret, after)) => {
                filled.extend(secret);
                rest = after;
            }
            None => {
                filled.push(*byte);
                rest = tail;
            }
        }
    }
    filled
}

fn spelled(secret: &str, how: &[u8]) -> Vec<u8> {
    let (first, second) = secret.split_at(secret.len() / 2);
    let digit = |byte: &u8| usize::from(byte.saturating_sub(b'0'));
    match how {
        b"<" => first.into(),
        b">" => second.into(),
        [form, escape] => {
            let form = FORMS.get(digit(form)).map_or_else(|| secret.into(), |form| form(secret.as_bytes()));
            ESCAPES.get(digit(escape)).map_or_else(|| form.clone(), |escape| escape(&form))
        }
        _ => secret.into(),
    }
}
