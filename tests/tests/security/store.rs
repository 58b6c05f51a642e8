//! Another plugin, another user of the machine, and a process that ends at the wrong time: what they get of stored connections.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crate::Family;
use crate::guest::hostile_with;
use acceptance::command::{Team, ended, harness, write_private};
use acceptance::guests;
use acceptance::scripted::VICTIM;
use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use crm_host::credentials::{Asker, ConnectionId, MemoryStore, Revoked, SecretStore};
use crm_store::{Key, PostgresStore, SqliteStore};
use salesforce_local_org::Fault;
use test_postgres::Cluster;

/// A plugin that uses the names of another one's credential and connection.
pub async fn grants() -> Result<Family> {
    let mut family = Family::new("a plugin that uses another's names");
    let folder = tempfile::tempdir()?;
    let mut stores: Vec<(&str, Arc<dyn SecretStore>)> =
        vec![("memory", Arc::new(MemoryStore::new())), ("SQLite", Arc::new(SqliteStore::open(folder.path())?))];
    if let Some(cluster) = Cluster::shared() {
        let key = Key::from_base64(&STANDARD.encode([7; 32]))?;
        stores.push(("PostgreSQL", Arc::new(PostgresStore::open(&cluster.database("grants"), key, None).await?)));
    }
    for (name, store) in stores {
        let guest = hostile_with(|host| host.secrets(store)).await?;
        let (connected, team) = (&guest.plugin, &guest.connection);
        let other = guest.host.load(&guests::as_another_plugin("other")?).await?;
        ensure!(connected.broker().open(team, VICTIM.credential).await.is_ok(), "its own plugin opens it");

        let opened = other.broker().open(team, VICTIM.credential).await.map_err(|error| error.code());
        let code = opened.as_ref().err().copied();
        family.attack(format!("{name}: opens the grant: {opened:?}"), code == Some("credential-unavailable"));
        let state = other.broker().state(team, VICTIM.credential).await?;
        family.attack(format!("{name}: reads its state: {state:?}"), state.is_none());
        let gone = other.broker().disconnect(team, VICTIM.credential, &Asker::operator()).await?;
        family.attack(format!("{name}: ends it: {gone:?}"), gone.revoked == Revoked::NothingToRevoke);
        let is_kept = connected.broker().open(team, VICTIM.credential).await.is_ok();
        family.attack(format!("{name}: the grant after that: {is_kept}"), is_kept && guest.script.seen().is_empty());
    }
    Ok(family)
}

/// Who can write the file but has no key, and many who open it first.
pub async fn rows() -> Result<Family> {
    let mut family = Family::new("rows that somebody changes");
    let team = |name: &str| ConnectionId::new(name);
    for (what, change) in [
        (
            "swaps two teams' tokens",
            "UPDATE grants SET sealed = (SELECT sealed FROM old WHERE old.connection <> grants.connection)",
        ),
        ("raises generations", "UPDATE grants SET generation = generation + 100"),
        ("empties what is sealed", "UPDATE grants SET sealed = zeroblob(60)"),
        ("moves a grant to another plugin", "UPDATE grants SET plugin = 'other'"),
    ] {
        let folder = tempfile::tempdir()?;
        let store = Arc::new(SqliteStore::open(folder.path())?);
        let guest = hostile_with(|host| host.secrets(store)).await?;
        let broker = guest.plugin.broker();
        guest.connect(&team("team-2")).await?;
        let database = rusqlite::Connection::open(folder.path().join("store.sqlite3"))?;
        database.execute_batch("CREATE TEMP TABLE old AS SELECT * FROM grants")?;
        ensure!(database.execute(change, [])? == 2, "{change}");
        for name in ["team-1", "team-2"] {
            let opened = broker.open(&team(name), VICTIM.credential).await.map(|_| ()).map_err(|error| error.code());
            family.attack(format!("{what}: {name} {opened:?}"), opened.is_err());
        }
        let other = guest.host.load(&guests::as_another_plugin("other")?).await?;
        let opened = other.broker().open(&team("team-1"), VICTIM.credential).await.map(|_| ());
        let opened = opened.map_err(|error| error.code());
        family.attack(format!("{what}: another plugin {opened:?}"), opened.is_err());
        // A person gets out of it.
        let gone = broker
            .disconnect(&team("team-1"), VICTIM.credential, &Asker::operator())
            .await
            .map_err(|error| error.code());
        family.attack(format!("{what}: disconnects {gone:?}"), gone.is_ok());
        let again = guest.connect(&team("team-2")).await;
        let opened = broker.open(&team("team-2"), VICTIM.credential).await.is_ok();
        family.attack(format!("{what}: connects {again:?}"), again.is_ok() && opened);
    }
    for round in 0..10 {
        let folder = tempfile::tempdir()?;
        let openers: Vec<_> = (0..4)
            .map(|_| {
                let path = folder.path().join("data");
                std::thread::spawn(move || SqliteStore::open(&path).map(|_| ()).map_err(|error| error.code()))
            })
            .collect();
        let opened: Vec<_> = openers.into_iter().filter_map(|opener| opener.join().ok()).collect();
        let is_held = opened.len() == 4 && opened.iter().all(Result::is_ok);
        family.attack(format!("a new store opens for four at once, {round}: {opened:?}"), is_held);
    }
    Ok(family)
}

/// Another user of the machine, who prepares files or reads them.
pub async fn files() -> Result<Family> {
    let mut family = Family::new("another user of the machine");
    let component = guests::build("tiny-crm")?.path;
    let origin = ["--origin", "https://acme.tiny-crm.example"];
    for mode in [0o604, 0o640, 0o644, 0o666] {
        for (argument, extra) in [("--api-key-file", &origin[..]), ("--client-secret-file", &[])] {
            let folder = tempfile::tempdir()?;
            let secret = folder.path().join("secret");
            write_private(&secret, "canary-key-0123456789")?;
            fs::set_permissions(&secret, fs::Permissions::from_mode(mode))?;
            let is_key = argument == "--api-key-file";
            let salesforce = guests::build("salesforce-leads")?.path;
            let mut command = harness(folder.path())?;
            command.args(["connect", argument, "secret"]).args(extra);
            command.arg("--component").arg(if is_key { &component } else { &salesforce });
            command.env("HARNESS_LOGIN_HOST", "login.salesforce.com").env("HARNESS_CLIENT_ID", "client");
            let (code, out, error) = ended(&command.output()?);
            let is_held = code == 2 && error.contains("chmod 600") && !folder.path().join(".host-harness").exists();
            family.attack(format!("{argument} of mode {mode:o}: {code} {out}{error}"), is_held);
        }
    }

    type Prepare = fn(&Path, &Path) -> std::io::Result<()>;
    let prepared: [(&str, Prepare); 4] = [
        ("the folder is a link", |data, elsewhere| {
            fs::rename(data, elsewhere)?;
            symlink(elsewhere, data)
        }),
        ("the key is a link", |data, elsewhere| {
            fs::rename(data.join("key"), elsewhere)?;
            symlink(elsewhere, data.join("key"))
        }),
        ("the database is a link", |data, elsewhere| {
            fs::rename(data.join("store.sqlite3"), elsewhere)?;
            symlink(elsewhere, data.join("store.sqlite3"))
        }),
        ("others can write the folder", |data, _| fs::set_permissions(data, fs::Permissions::from_mode(0o777))),
    ];
    for (what, prepare) in prepared {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        drop(SqliteStore::open(&data)?);
        prepare(&data, &folder.path().join("elsewhere"))?;
        let opened = SqliteStore::open(&data).map_err(|error| error.code());
        family.attack(format!("{what}: {opened:?}"), opened.err() == Some("store-not-private"));
    }
    Ok(family)
}

/// A process that ends while it holds what exists nowhere else, and the programs that it starts.
pub async fn processes() -> Result<Family> {
    let mut family = Family::new("store and processes");
    for signal in ["INT", "TERM", "HUP"] {
        let team = Team::connect().await?;
        team.org.org().change(|file| file.app.rotation = true)?;
        team.org.org().expire_access_tokens();
        let token = "/services/oauth2/token";
        team.org.org().add_fault(Fault::delay_answer(Duration::from_secs(3)).on("POST", token));
        let mut child = team.command(&["doctor"])?.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut is_sent = false;
        for _ in 0..600 {
            is_sent = team.org.org().requests().iter().any(|request| request.path.starts_with(token));
            if is_sent || child.try_wait()?.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        ensure!(is_sent, "no refresh began");
        ensure!(Command::new("kill").args(["-s", signal, &child.id().to_string()]).status()?.success(), "kill");
        let (code, out, error) = ended(&child.wait_with_output()?);
        ensure!(code == 130, "{out}{error}");
        team.org.org().clear_faults();
        team.org.org().expire_access_tokens();
        let (code, out, error) = ended(&team.command(&["doctor"])?.output()?);
        family.attack(format!("{signal} during a refresh, then doctor: {code} {out}{error}"), code == 0);
    }

    let inherited = browser_environment()?;
    ensure!(inherited.contains("PATH="), "{inherited}");
    for name in ["CLIENT_SECRET", "CLIENT_ID", "LOGIN_HOST", "STORE_KEY", "LIVE_CLIENT_SECRET"] {
        let is_held = !inherited.contains(&format!("HARNESS_{name}="));
        family.attack(format!("the browser inherits HARNESS_{name}"), is_held);
    }
    family.attack("the browser inherits a secret", !inherited.contains("canary"));
    Ok(family)
}

/// The environment of the browser that `connect --open` starts.
fn browser_environment() -> Result<String> {
    let folder = tempfile::tempdir()?;
    let seen = folder.path().join("seen");
    for browser in ["xdg-open", "open"] {
        let file = folder.path().join(browser);
        fs::write(&file, format!("#!/bin/sh\nenv > '{0}.draft' && mv '{0}.draft' '{0}'\n", seen.display()))?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o700))?;
    }
    let path = std::env::var("PATH")?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    // The command tries to reach the login host before it starts a browser.
    let login = std::net::TcpListener::bind("127.0.0.1:0")?;
    let mut child = harness(folder.path())?
        .args(["connect", "--open", "--component"])
        .arg(guests::build("salesforce-leads")?.path)
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .env("HARNESS_LOGIN_HOST", format!("http://{}", login.local_addr()?))
        .env("HARNESS_REDIRECT_URI", format!("http://127.0.0.1:{port}/callback"))
        .envs([("HARNESS_CLIENT_ID", "client"), ("HARNESS_CLIENT_SECRET", "canary-client-secret")])
        .env("HARNESS_LIVE_CLIENT_SECRET", "canary-live-secret")
        .env("HARNESS_STORE_KEY", "Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LWNhbmE=")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    for _ in 0..600 {
        if seen.exists() || child.try_wait()?.is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let _ = child.kill();
    let said = ended(&child.wait_with_output()?);
    fs::read_to_string(&seen).with_context(|| format!("no browser was started: {said:?}"))
}
