//! Plugins that claim to be another one, and servers that are not the provider's.

use crate::Family;
use crate::guest::run;
use acceptance::guests;
use acceptance::memory;
use acceptance::scripted::{Script, response};
use acceptance::system::{CREDENTIAL, PLUGIN, component};
use anyhow::{Context as _, Result};
use crm_host::credentials::{Asker, Builds, ClientRegistration, ConnectRequest, ConnectionId, Registration};
use crm_host::manifest::GrantType;
use crm_host::policy::Policy;
use crm_host::secret::Secret;
use crm_host::{Event, HostBuilder, Inspection};
use std::sync::{Arc, Mutex, PoisonError};

fn registration(login_hosts: &[&str]) -> Result<Registration> {
    Ok(Registration {
        client: ClientRegistration {
            client_id: "platform".to_owned(),
            client_secret: Some(Secret::new("canary-client-secret")),
        },
        login_hosts: login_hosts.iter().map(|host| host.parse()).collect::<Result<_, _>>()?,
        grant_types: [GrantType::AuthorizationCode].into(),
    })
}

fn salesforce(builds: Builds) -> Result<HostBuilder> {
    let registration = registration(&["https://login.salesforce.com"])?;
    Ok(memory::host().concurrent_calls(2).plugin(PLUGIN.parse()?, builds).registration(
        PLUGIN.parse()?,
        CREDENTIAL.parse()?,
        registration,
    ))
}

pub async fn impostors() -> Result<Family> {
    let mut family = Family::new("plugins that claim to be another one");
    let real = component()?;
    let builds = Builds::Sha256([Inspection::read(real)?.sha256].into());
    let impostor = guests::with_manifest_of("plugin/plugin.toml")?;
    let mut load = async |what: &str, host: HostBuilder, bytes: &[u8], expected: Option<&str>| -> Result<()> {
        let code = host.build()?.load(bytes).await.err().map(|error| error.code());
        family.attack(format!("{what}: {code:?}"), code == expected);
        Ok(())
    };
    load(
        "a file that claims the id, another digest",
        salesforce(builds.clone())?,
        &impostor,
        Some("build-not-allowed"),
    )
    .await?;
    load("the build that the operator allows", salesforce(builds)?, real, None).await?;
    let other = std::fs::read(guests::build("hostile")?.path)?;
    load("a plugin that nobody named", salesforce(Builds::Any)?, &other, Some("plugin-not-allowed")).await?;
    load("a plugin on a host without any", memory::host().concurrent_calls(1), real, Some("plugin-not-allowed"))
        .await?;

    let nowhere = memory::host().registration(PLUGIN.parse()?, CREDENTIAL.parse()?, registration(&[])?);
    let nowhere = nowhere.plugin(PLUGIN.parse()?, Builds::Any);
    let code = nowhere.build().err().map(|error| error.code());
    for (what, host) in [
        ("a policy", memory::host().policy("salesforce-lead".parse()?, Policy::default())),
        (
            "a registration",
            memory::host().registration(
                "salesforce-lead".parse()?,
                CREDENTIAL.parse()?,
                registration(&["https://login.salesforce.com"])?,
            ),
        ),
    ] {
        let code = host.plugin(PLUGIN.parse()?, Builds::Any).build().err().map(|error| error.code());
        family.attack(format!("{what} for a misspelled plugin: {code:?}"), code == Some("plugin-not-named"));
    }
    family.attack(format!("a registration without login hosts: {code:?}"), code == Some("registration-no-login-hosts"));
    Ok(family)
}

/// A manifest that lists the author's own server as a login host, under the real plugin's name and in a host that takes any build.
pub async fn login_hosts() -> Result<Family> {
    let mut family = Family::new("a manifest that names its author's login host");
    let mut manifest = std::fs::read_to_string(guests::workspace()?.root().join("plugin/plugin.toml"))?;
    let real = "https://login.salesforce.com\", ";
    anyhow::ensure!(manifest.contains(real), "the manifest has changed");
    manifest = manifest.replace(real, "https://login.salesforce.com\", \"https://login.evil.example\", ");
    let bytes = guests::with_manifest_text(&manifest)?;
    let script = Script::new(|_| Some(response(200, "{}")));
    let host = salesforce(Builds::Any)?.transport(script.clone()).build()?;
    let plugin = host.load(&bytes).await?;
    let (team, browser, asker) = (ConnectionId::new("team-1"), Secret::new("cookie"), Asker::operator());
    for login_host in ["https://login.evil.example", "https://evil.my.salesforce.com", "https://test.salesforce.com"] {
        let request = ConnectRequest {
            connection: &team,
            credential: CREDENTIAL,
            login_host,
            redirect_uri: "https://platform.example/callback",
            asker: &asker,
            browser: &browser,
        };
        let code = plugin.broker().begin(request).err().map(|error| error.code());
        let alone = plugin.broker().connect_with_client_credentials(&team, CREDENTIAL, login_host).await;
        let alone = alone.err().map(|error| error.code());
        let is_held = code == Some("connect-login-host-not-registered") && alone == Some("connect-not-registered");
        family.attack(format!("{login_host}: {code:?}, {alone:?}"), is_held && script.seen().is_empty());
    }
    Ok(family)
}

/// What an operator's records say: each request and denial, and no secret.
pub async fn records() -> Result<Family> {
    let mut family = Family::new("requests that leave no record");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = seen.clone();
    let guest = hostile_observed(move |line| kept.lock().unwrap_or_else(PoisonError::into_inner).push(line)).await?;
    let mut compare = |what: &str, expected: &[&str]| {
        let lines = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
        let is_held = lines.len() == expected.len()
            && lines.iter().zip(expected).all(|(line, part)| line.contains(part) && !line.contains("canary"));
        family.attack(format!("{what}: {lines:?}"), is_held);
    };
    compare("the exchange of a code", &["login https://login.victim.example/token Answered(200)"]);
    let blocked = "sent GET /open/{page} /open/echo Blocked(200)";
    for (url, expected) in [
        ("{origin}/open/x?token=canary-query", &["denied query-denied"][..]),
        ("{origin}/open/x", &["sent GET /open/{page} /open/x Answered(200)"]),
        ("{origin}/closed", &["denied route-denied"]),
        ("{origin}/open/silence", &["sent GET /open/{page} /open/silence Failed(Timeout)"]),
        ("{origin}/open/echo", &[blocked]),
        ("{origin}/open/echo", &[blocked]),
        ("{origin}/open/echo", &[blocked, "quarantined"]),
        ("{origin}/open/x", &[]),
    ] {
        let _ = run(&guest, &guest.connection, "request", &[("url", url)]).await;
        compare(url, expected);
    }
    let again = guest.host.load(&std::fs::read(guests::build("hostile")?.path)?).await?;
    family.attack("a plugin that is loaded again leaves its quarantine", again.is_quarantined(&guest.connection));
    again.lift_quarantine();
    family.attack("an operator cannot lift it", !guest.plugin.is_quarantined(&guest.connection));
    Ok(family)
}

async fn hostile_observed(keep: impl Fn(String) + Send + Sync + 'static) -> Result<acceptance::scripted::Scripted> {
    let component = std::fs::read(guests::build("hostile")?.path)?;
    acceptance::scripted::Scripted::start_with(
        &component,
        &acceptance::scripted::VICTIM,
        |request| match request.uri().path() {
            "/open/silence" => None,
            "/open/echo" => Some(response(200, request.headers()["authorization"].as_bytes())),
            path => Some(response(200, path)),
        },
        |host| {
            host.observe(move |observed| {
                keep(match &observed.event {
                    Event::Sent { route, path, outcome, .. } => format!("sent {route} {path} {outcome:?}"),
                    Event::Login { host, path, outcome, .. } => format!("login {host}{path} {outcome:?}"),
                    Event::Quarantined => "quarantined".to_owned(),
                    Event::Denied(denial) => format!("denied {} {}", denial.kind.code(), denial.reason),
                    other => format!("{other:?}"),
                });
            })
        },
    )
    .await
    .context("the hostile guest")
}
