//! People, servers and operators' mistakes that lead a connection, its tokens or its client's secret elsewhere.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::Family;
use acceptance::scripted::{Reply, SALESFORCE, Script, response};
use acceptance::system::{CREDENTIAL, NOW, PLUGIN};
use acceptance::{guests, memory};
use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crm_host::clock::ManualClock;
use crm_host::credentials::{
    Asker, Broker, Builds, ClientRegistration, ConnectError, ConnectRequest, Connected, ConnectionId, MemoryStore,
    Registration,
};
use crm_host::full_message;
use crm_host::manifest::GrantType;
use crm_host::policy::Policy;
use crm_host::secret::Secret;
use jiff::{SignedDuration, Timestamp};

const LOGIN_HOST: &str = "https://login.salesforce.com";
/// As long as Salesforce's.
const CLIENT_SECRET: &str = "CANARY50F1E7B3D96A2C84E05B7F3D1960AC28E4CANARY7B5D3F1A9C6E804B2D";
const REVOKE: &str = "/services/oauth2/revoke";

/// Salesforce's servers, which give the queued answers first, and what a host of the Salesforce plugin's manifest keeps.
struct Salesforce {
    script: Arc<Script>,
    answers: Arc<Mutex<VecDeque<Reply>>>,
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    team: ConnectionId,
}

impl Salesforce {
    fn new() -> Result<Self> {
        let answers: Arc<Mutex<VecDeque<Reply>>> = Arc::default();
        let queue = answers.clone();
        let script = Script::new(move |request| {
            if request.uri().path() == REVOKE {
                return Some(response(200, ""));
            }
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            Some(next.unwrap_or_else(|| response(200, SALESFORCE.tokens)))
        });
        let clock = Arc::new(ManualClock::new(Timestamp::from_millisecond(NOW.try_into()?)?));
        Ok(Self { script, answers, store: Arc::default(), clock, team: ConnectionId::new("team-1") })
    }

    fn answer(&self, status: u16, body: impl Into<Vec<u8>>) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push_back(response(status, body));
    }

    /// A host of an operator who allows these login hosts, with this policy.
    async fn broker(&self, policy: &str, login_hosts: &[&str], grant_types: &[GrantType]) -> Result<Broker> {
        let client = ClientRegistration { client_id: "client".into(), client_secret: Some(Secret::new(CLIENT_SECRET)) };
        let login_hosts = login_hosts.iter().map(|host| host.parse()).collect::<Result<_, _>>()?;
        let grant_types = grant_types.iter().copied().collect();
        let host = memory::host()
            .policy(PLUGIN.parse()?, Policy::from_toml(policy)?)
            .secrets(self.store.clone())
            .transport(self.script.clone())
            .clock(self.clock.clone())
            .concurrent_calls(1)
            .plugin(PLUGIN.parse()?, Builds::Any)
            .registration(PLUGIN.parse()?, CREDENTIAL.parse()?, Registration { client, login_hosts, grant_types })
            .build()?;
        Ok(host.load(&guests::with_manifest_of("plugin/plugin.toml")?).await?.broker().clone())
    }

    async fn usual(&self) -> Result<Broker> {
        self.broker("", &[LOGIN_HOST], &[GrantType::AuthorizationCode]).await
    }

    fn request<'a>(&'a self, asker: &'a Asker, browser: &'a Secret) -> ConnectRequest<'a> {
        ConnectRequest {
            connection: &self.team,
            credential: CREDENTIAL,
            login_host: LOGIN_HOST,
            redirect_uri: "https://platform.example/callback",
            asker,
            browser,
        }
    }

    /// Connects; `{state}` in the callback stands for the right one.
    async fn finish(
        &self,
        broker: &Broker,
        callback: &str,
        browser: &str,
        minutes: i64,
    ) -> Result<Connected, ConnectError> {
        let pending = broker.begin(self.request(&Asker::operator(), &Secret::new("the-browser's-cookie")))?;
        let callback = callback.replace("{state}", pending.state().expose());
        self.clock.advance(SignedDuration::from_mins(minutes));
        broker.finish(pending, &callback, &Secret::new(browser)).await
    }

    async fn connect(&self, broker: &Broker) -> Result<Connected, ConnectError> {
        self.finish(broker, "code=canary-code&state={state}", "the-browser's-cookie", 0).await
    }

    fn sent(&self) -> usize {
        self.script.seen().len()
    }

    /// Whether a token was revoked.
    fn revoked(&self, token: &str) -> bool {
        let seen = self.script.seen();
        let mut revocations = seen.iter().filter(|request| request.uri().path() == REVOKE);
        revocations.any(|request| String::from_utf8_lossy(request.body()).contains(token))
    }
}

pub async fn logins() -> Result<Family> {
    let mut family = Family::new("a login that somebody else began or ends");
    for (what, callback, browser, minutes, expected) in [
        ("nothing", "code=c-0123456789&state={state}", "the-browser's-cookie", 0, None),
        (
            "its own server",
            "code=c&state={state}&iss=https%3A%2F%2Flogin.salesforce.com",
            "the-browser's-cookie",
            0,
            None,
        ),
        ("another browser", "code=c&state={state}", "another cookie", 0, Some("connect-other-browser")),
        ("no cookie", "code=c&state={state}", "", 0, Some("connect-other-browser")),
        ("too late", "code=c&state={state}", "the-browser's-cookie", 11, Some("connect-expired")),
        ("a year later", "code=c&state={state}", "the-browser's-cookie", 60 * 24 * 365, Some("connect-expired")),
        ("another state", "code=c&state=guessed", "the-browser's-cookie", 0, Some("connect-state-mismatch")),
        ("no state", "code=c", "the-browser's-cookie", 0, Some("connect-state-mismatch")),
        ("two states", "code=c&state={state}&state=x", "the-browser's-cookie", 0, Some("connect-callback")),
        ("two codes", "code=c&code=d&state={state}", "the-browser's-cookie", 0, Some("connect-callback")),
        (
            "the code of another server",
            "code=c&state={state}&iss=https%3A%2F%2Flogin.evil.example",
            "the-browser's-cookie",
            0,
            Some("connect-callback"),
        ),
    ] {
        let salesforce = Salesforce::new()?;
        let broker = salesforce.usual().await?;
        let ended = salesforce.finish(&broker, callback, browser, minutes).await;
        let code = ended.err().map(|error| error.code());
        let is_sent = salesforce.sent() > 0;
        family.attack(format!("{what}: {code:?}, sent: {is_sent}"), code == expected && is_sent == expected.is_none());
    }

    let salesforce = Salesforce::new()?;
    let broker = salesforce.broker("", &["https://*.my.salesforce.com"], &[GrantType::AuthorizationCode]).await?;
    let host = "https://victim.my.salesforce.com";
    let code = broker.connect_with_client_credentials(&salesforce.team, CREDENTIAL, host).await.err();
    let code = code.map(|error| error.code());
    family.attack(format!("client credentials without the operator: {code:?}"), code == Some("connect-not-registered"));
    let broker = salesforce.broker("", &["https://*.my.salesforce.com"], &[GrantType::ClientCredentials]).await?;
    let code = broker.connect_with_client_credentials(&salesforce.team, CREDENTIAL, host).await.err();
    let code = code.map(|error| error.code());
    let is_held = code == Some("connect-login-host-not-registered") && salesforce.sent() == 0;
    family.attack(format!("client credentials at a host that only a pattern names: {code:?}"), is_held);
    Ok(family)
}

pub async fn moved() -> Result<Family> {
    let mut family = Family::new("a connection that is led elsewhere");
    let other_org = SALESFORCE.tokens.replace("00D5i000000AbCdEAK", "00D9z000000XyZwEAM");
    let other_host = SALESFORCE.tokens.replace("minato.my.salesforce.com", "evil.example");
    ensure!(other_org != SALESFORCE.tokens && other_host != SALESFORCE.tokens, "the tokens have changed");
    for (what, answer, is_kept) in [
        ("the same org", SALESFORCE.tokens, true),
        ("another org", &*other_org, false),
        ("a server that is nobody's org", &other_host, false),
    ] {
        let salesforce = Salesforce::new()?;
        let broker = salesforce.usual().await?;
        salesforce.connect(&broker).await?;
        let opened = broker.open(&salesforce.team, CREDENTIAL).await?;
        salesforce.answer(200, answer);
        let refreshed = broker.refresh(&salesforce.team, CREDENTIAL, opened.generation()).await;
        let code = refreshed.as_ref().err().map(|error| error.code());
        family.attack(format!("a refresh by {what}: {code:?}"), refreshed.is_ok() == is_kept);
    }

    let overridden = "
        [[test_override]]
        pattern = \"https://*.salesforce.com\"
        origin = \"http://127.0.0.1:4000\"
    ";
    let hosts = [LOGIN_HOST, "https://test.salesforce.com"];
    for (what, policy, login_host) in [
        ("the policy allows another login host only", "login_hosts = [\"https://test.salesforce.com\"]", LOGIN_HOST),
        ("the registration names another login host only", "", "https://test.salesforce.com"),
        ("the operator tests with an org on this machine", overridden, LOGIN_HOST),
    ] {
        let salesforce = Salesforce::new()?;
        let broker = salesforce.broker("", &hosts, &[GrantType::AuthorizationCode]).await?;
        salesforce.connect(&broker).await?;
        let generation = broker.open(&salesforce.team, CREDENTIAL).await?.generation();
        let before = salesforce.sent();
        let narrowed = salesforce.broker(policy, &[login_host], &[GrantType::AuthorizationCode]).await?;
        let refreshed =
            narrowed.refresh(&salesforce.team, CREDENTIAL, generation).await.err().map(|error| error.code());
        let is_held = refreshed.is_some() && salesforce.sent() == before;
        family.attack(format!("{what}, then a refresh: {refreshed:?}"), is_held);
        let is_kept = broker.open(&salesforce.team, CREDENTIAL).await.is_ok();
        family.attack(format!("{what}, then as before: {is_kept}"), is_kept);
    }
    Ok(family)
}

pub async fn answers() -> Result<Family> {
    let mut family = Family::new("what a token endpoint says");
    let (start, rest) = CLIENT_SECRET.split_at(12);
    let each = |write: fn(u8) -> String| CLIENT_SECRET.bytes().map(write).collect::<String>();
    for said in [
        CLIENT_SECRET.to_owned(),
        format!("the secret {CLIENT_SECRET} is wrong"),
        format!("{start}\n{rest}"),
        format!("{start}\u{200b}{rest}"),
        format!("{start}\u{1b}{rest}"),
        each(|byte| format!("%{byte:02X}")),
        each(|byte| format!("{byte:02x}")),
        each(|byte| format!("&#{byte};")),
        STANDARD.encode(format!("client:{CLIENT_SECRET}")),
        CLIENT_SECRET[1..].to_owned(),
        CLIENT_SECRET[..CLIENT_SECRET.len() - 1].to_owned(),
        CLIENT_SECRET.to_lowercase(),
    ] {
        for member in ["error", "error_description"] {
            let salesforce = Salesforce::new()?;
            let broker = salesforce.usual().await?;
            let (error, description) = if member == "error" { (&*said, "no") } else { ("invalid_client", &*said) };
            let body = serde_json::json!({ "error": error, "error_description": description });
            salesforce.answer(400, body.to_string());
            let error = salesforce.connect(&broker).await.err().context("refused")?;
            let shown = format!("{} {error:?}", full_message(&error));
            let squeezed: String = shown.chars().filter(|letter| letter.is_ascii_alphanumeric()).collect();
            let is_held = shown.contains("[redacted]") && !squeezed.to_lowercase().contains("b3d96a2c84e05b7f3d19");
            family.attack(format!("{member} {said:?}: {shown}"), is_held);
        }
    }

    for (what, from, to) in [
        ("a short token", "00D5i000000AbCd!access-0123456789", "a-token"),
        ("a short refresh token", "5Aep861refresh-0123456789", "a-token"),
        ("a token of dots", "00D5i000000AbCd!access-0123456789", "................"),
        ("a token with a line break", "00D5i000000AbCd!access-0123456789", "token-0123456789\\r\\nx: y"),
        ("another type of token", "\"Bearer\"", "\"MAC\""),
    ] {
        let salesforce = Salesforce::new()?;
        let broker = salesforce.usual().await?;
        let body = SALESFORCE.tokens.replace(from, to);
        ensure!(body != SALESFORCE.tokens, "the tokens have changed");
        salesforce.answer(200, body);
        let code = salesforce.connect(&broker).await.err().map(|error| error.code());
        family.attack(format!("{what}: {code:?}"), code == Some("connect-invalid-answer"));
    }

    // The plugin can ask for the org's id.
    let token = "00D5i000000AbCd!access-0123456789";
    for written in [token.to_owned(), token.replace('!', "%21"), STANDARD.encode(token)] {
        let salesforce = Salesforce::new()?;
        let broker = salesforce.usual().await?;
        salesforce.answer(200, SALESFORCE.tokens.replace("00D5i000000AbCdEAK", &written));
        salesforce.connect(&broker).await?;
        let opened = broker.open(&salesforce.team, CREDENTIAL).await?;
        let got = opened.attribute("org-id");
        family.attack(format!("the org's id is the token, as {written}: {got:?}"), got.is_none());
    }
    Ok(family)
}

pub async fn dropped() -> Result<Family> {
    let mut family = Family::new("tokens that nobody keeps");
    let salesforce = Salesforce::new()?;
    let broker = salesforce.usual().await?;
    salesforce.answer(200, SALESFORCE.tokens.replace("minato.my.salesforce.com", "evil.example"));
    let code = salesforce.connect(&broker).await.err().map(|error| error.code());
    let is_held = code == Some("connect-origin") && salesforce.revoked("5Aep861refresh-0123456789");
    family.attack(format!("of an org that is not allowed: {code:?}"), is_held);

    let salesforce = Salesforce::new()?;
    let broker = salesforce.usual().await?;
    salesforce.answer(200, SALESFORCE.tokens.replace("5Aep861refresh", "5Aep861earlier"));
    salesforce.connect(&broker).await?;
    salesforce.connect(&broker).await?;
    family.attack("of a team that connects again", salesforce.revoked("5Aep861earlier-0123456789"));
    let is_kept = !salesforce.revoked("5Aep861refresh-0123456789");
    family.attack("the new ones after that", is_kept && broker.open(&salesforce.team, CREDENTIAL).await.is_ok());
    broker.disconnect(&salesforce.team, CREDENTIAL, &Asker::operator()).await?;
    family.attack("of a team that disconnects", salesforce.revoked("5Aep861refresh-0123456789"));
    Ok(family)
}
