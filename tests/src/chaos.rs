//! Feeds bookings to real processes and kills them at random, while the org loses answers, stalls and refuses; then counts Leads.
//!
//! What is promised: each booking that was called accepted has exactly one Lead in the end, or waits for a person who is told why.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use crm_host::{
    credentials::{Asker, Builds, ClientRegistration, ConnectRequest, ConnectionId, Registration},
    manifest::{GrantType, Manifest},
    policy::{Policy, TestOverride},
    secret::Secret,
};
use crm_store::{Key, PostgresStore, SqliteStore, Store};
use jiff::Timestamp;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use salesforce_local_org::{Effect, Fault, Options, OrgFile, RunningOrg, visitor};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    command::{harness, write_private},
    guests,
};

/// Times that are short enough for a test: a lease of three seconds, tries after a tenth of one.
const SETTINGS: &str = "
slots = 16
bookings_per_second = 100000

[delivery]
shortest_wait = 100
longest_wait = 2000
lease = 4000
call = 3000
shortest_pause = 1000
longest_pause = 5000
";
/// The key of the tests' stores.
const KEY: &str = "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=";
const TEAMS: usize = 4;
const CALENDAR: &str = "calendar";
const PLUGIN: &str = "salesforce-leads";
/// The field for booking ids in the built-in org.
const MAPPING: &str = include_str!("../../examples/mapping.json");

/// Where bookings are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// One process.
    Sqlite,
    /// A server that accepts and delivers, and two workers.
    Postgres,
}

/// What to do.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Where bookings are kept.
    pub store: StoreKind,
    /// How many bookings.
    pub bookings: usize,
    /// How many times a process is killed.
    pub kills: usize,
    /// How many times a process is stopped for longer than its claims last, and then continued.
    pub stops: usize,
    /// Decides who is killed when, and what the org does.
    pub seed: u64,
    /// Whether the mapping names a field for booking ids.
    pub with_field: bool,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Bookings that were called accepted.
    pub accepted: usize,
    /// Of these, those with one Lead.
    pub delivered: usize,
    /// Those that wait for the team to connect.
    pub parked: usize,
    /// Those that wait for a person.
    pub needs_attention: usize,
    /// Those that have no Lead, and nobody was told.
    pub lost: usize,
    /// Those with more than one Lead.
    pub doubled: usize,
    /// How often a process was killed.
    pub kills: usize,
    /// How often a process was stopped and continued.
    pub stops: usize,
    /// How many faults the org played.
    pub faults: usize,
}

/// Runs a plan. `None` if PostgreSQL is missing, which is said and fails in CI.
pub async fn run(plan: Plan) -> Result<Option<Outcome>> {
    let cluster = match plan.store {
        StoreKind::Sqlite => None,
        StoreKind::Postgres => match test_postgres::Cluster::start() {
            Some(cluster) => Some(cluster),
            None => return Ok(None),
        },
    };
    let mut bed = Bed::new(plan, cluster).await?;
    bed.play().await.map(Some)
}

/// Everything that runs.
struct Bed {
    plan: Plan,
    random: StdRng,
    folder: TempDir,
    org: RunningOrg,
    cluster: Option<test_postgres::Cluster>,
    url: Option<String>,
    component: PathBuf,
    address: String,
    token: String,
    operator: String,
    processes: Vec<Process>,
    client: reqwest::Client,
}

/// A process that is killed and started again.
struct Process {
    arguments: Vec<String>,
    child: Child,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Bed {
    async fn new(plan: Plan, cluster: Option<test_postgres::Cluster>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        let component = guests::build(PLUGIN)?.path;
        let mut file = OrgFile::enterprise()?;
        file.duplicate_rules.clear();
        let org = salesforce_local_org::serve(file, Options::default()).await?;
        let url = cluster.as_ref().map(|cluster| cluster.database("chaos"));
        let store: Arc<dyn Store> = match &url {
            Some(url) => Arc::new(PostgresStore::open(url, Key::from_base64(KEY)?, None).await?),
            None => Arc::new(SqliteStore::open_with_key(&data, Key::from_base64(KEY)?)?),
        };
        for team in teams() {
            connect(&store, &org, &component, &team).await?;
        }
        let (_, operator) = store.create_token(None, "operator", Timestamp::now()).await?;
        drop(store);
        std::fs::write(folder.path().join("settings.toml"), SETTINGS)?;
        write_private(&folder.path().join("key"), KEY)?;
        // A free port, which stays the server's when it starts again.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut bed = Self {
            plan,
            random: StdRng::seed_from_u64(plan.seed),
            folder,
            org,
            cluster,
            url,
            component,
            address: format!("http://127.0.0.1:{port}"),
            token: operator.expose().to_owned(),
            operator: operator.expose().to_owned(),
            processes: Vec::new(),
            client: client()?,
        };
        let listen = format!("127.0.0.1:{port}");
        bed.start(&["serve", "--listen", &listen])?;
        if bed.url.is_some() {
            bed.start(&["worker"])?;
            bed.start(&["worker"])?;
        }
        bed.wait_until_ready().await?;
        bed.set_up().await?;
        Ok(bed)
    }

    fn start(&mut self, arguments: &[&str]) -> Result<()> {
        let mut arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let path = |path: &Path| path.to_string_lossy().into_owned();
        arguments.extend(["--plugin".to_owned(), path(&self.component)]);
        arguments.extend(["--settings".to_owned(), path(&self.folder.path().join("settings.toml"))]);
        arguments.extend(["--data".to_owned(), path(&self.folder.path().join("data"))]);
        let child = self.spawn(&arguments)?;
        self.processes.push(Process { arguments, child });
        Ok(())
    }

    fn spawn(&self, arguments: &[String]) -> Result<Child> {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.path().join("log"))?;
        let mut command = harness(self.folder.path())?;
        command.args(arguments).env("HARNESS_STORE_KEY", KEY).env("RUST_LOG", "warn");
        if let Some(url) = &self.url {
            command.env("HARNESS_POSTGRES", url);
        }
        Ok(command.stdout(Stdio::null()).stderr(log).spawn()?)
    }

    async fn wait_until_ready(&self) -> Result<()> {
        let begun = Instant::now();
        loop {
            let ready = self.client.get(format!("{}/readyz", self.address)).send().await;
            if ready.is_ok_and(|ready| ready.status().is_success()) {
                return Ok(());
            }
            if begun.elapsed() > Duration::from_secs(120) {
                bail!("the server is not ready: {}", self.log());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The end of what the processes logged.
    fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().take(20).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    async fn call(&self, method: reqwest::Method, path: &str, body: Option<&Value>) -> Result<(u16, Value)> {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.address))
            .header("authorization", format!("Bearer {}", self.operator));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    async fn set_up(&self) -> Result<()> {
        let mut mapping: Value = serde_json::from_str(MAPPING)?;
        if self.plan.with_field {
            let unique = self.org.org().file().fields.into_iter().find(|field| field.external_id && field.unique);
            let options = mapping.get_mut("options").context("options")?;
            options["booking-id-field"] = unique.context("a field for booking ids")?.name.into();
        }
        for team in teams() {
            let (status, answer) =
                self.call(reqwest::Method::PUT, &format!("/v1/teams/{team}"), Some(&json!({ "name": team }))).await?;
            ensure!(status == 201, "{answer}");
            let path = format!("/v1/teams/{team}/calendars/{CALENDAR}/integrations/{PLUGIN}/mapping");
            let (status, answer) = self.call(reqwest::Method::PUT, &path, Some(&json!({ "mapping": mapping }))).await?;
            ensure!(status == 200, "{answer}");
        }
        Ok(())
    }

    /// Feeds, kills, waits and counts.
    async fn play(&mut self) -> Result<Outcome> {
        let accepted = Arc::new(Mutex::new(Vec::new()));
        let feeding = self.feed(accepted.clone());
        let mut outcome = Outcome::default();
        let (mut kills, mut stops) = (self.plan.kills, self.plan.stops);
        while kills + stops > 0 {
            self.org_fails(&mut outcome);
            let pause = self.random.random_range(50..400);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            if self.random.random_range(0..kills + stops) < kills {
                self.kill().await?;
                kills -= 1;
                outcome.kills += 1;
            } else {
                self.stop().await?;
                stops -= 1;
                outcome.stops += 1;
            }
        }
        self.org.org().clear_faults();
        for task in feeding {
            task.await??;
        }
        self.wait_until_settled().await?;
        let accepted = std::mem::take(&mut *accepted.lock().unwrap_or_else(PoisonError::into_inner));
        self.count(&accepted, &mut outcome).await?;
        Ok(outcome)
    }

    /// Posts bookings until each is called accepted, as a platform does that keeps its own outbox.
    fn feed(&self, accepted: Arc<Mutex<Vec<(String, String)>>>) -> Vec<tokio::task::JoinHandle<Result<()>>> {
        const FEEDERS: usize = 8;
        let per_feeder = self.plan.bookings.div_ceil(FEEDERS);
        let tasks = (0..FEEDERS).map(|feeder| {
            let (client, address, token) = (self.client.clone(), self.address.clone(), self.token.clone());
            let accepted = accepted.clone();
            let end = ((feeder + 1) * per_feeder).min(self.plan.bookings);
            let numbers = feeder * per_feeder..end;
            // Spread over the kills.
            let pause = Duration::from_millis(u64::try_from(self.plan.kills * 250 / per_feeder.max(1)).unwrap_or(0));
            tokio::spawn(async move {
                for number in numbers {
                    let team = format!("team-{}", number % TEAMS);
                    let id = format!("b-{number}");
                    let booking = booking(&team, &id).to_string();
                    let url = format!("{address}/v1/teams/{team}/calendars/{CALENDAR}/bookings");
                    loop {
                        let sent = client
                            .post(&url)
                            .header("authorization", format!("Bearer {token}"))
                            .header("content-type", "application/json")
                            .body(booking.clone())
                            .send()
                            .await;
                        match sent.map(|sent| sent.status().as_u16()) {
                            Ok(200 | 202) => break,
                            Ok(status @ (400..=428 | 430..=499)) => bail!("booking {id}: status {status}"),
                            _ => tokio::time::sleep(Duration::from_millis(20)).await,
                        }
                    }
                    accepted.lock().unwrap_or_else(PoisonError::into_inner).push((team, id));
                    tokio::time::sleep(pause).await;
                }
                Ok(())
            })
        });
        tasks.collect()
    }

    /// Lets the org fail in some way.
    fn org_fails(&mut self, outcome: &mut Outcome) {
        let unavailable = |body: &str, kind: &str| Effect::Answer {
            status: 503,
            headers: vec![("content-type".to_owned(), kind.to_owned())],
            body: body.to_owned(),
            after_commit: false,
        };
        let effect = match self.random.random_range(0..7) {
            0 => Effect::Drop { after_commit: true, commit_after_seconds: 0 },
            1 => Effect::Drop { after_commit: false, commit_after_seconds: 0 },
            2 => unavailable("<html><h1>Down for maintenance</h1></html>", "text/html"),
            3 => unavailable(r#"[{"errorCode":"SERVER_UNAVAILABLE","message":"busy"}]"#, "application/json"),
            4 => Effect::Truncate { bytes: 3 },
            // Whoever is killed while it refreshes a grant has its lease for a minute and a half.
            5 if self.plan.kills >= 20 => {
                self.org.org().expire_access_tokens();
                outcome.faults += 1;
                return;
            }
            _ => Effect::Pass,
        };
        let delay = if effect == Effect::Pass { 3_500 } else { 0 };
        let fault = Fault { method: Some("POST".to_owned()), answer_delay_ms: delay, times: 2, ..Fault::new(effect) };
        self.org.org().add_fault(fault);
        outcome.faults += 1;
    }

    /// Kills a process, or the database server, and starts it again.
    async fn kill(&mut self) -> Result<()> {
        let victims = self.processes.len() + usize::from(self.cluster.is_some());
        let victim = self.random.random_range(0..victims);
        let pause = Duration::from_millis(self.random.random_range(0..200));
        if let (Some(cluster), true) = (&self.cluster, victim == self.processes.len()) {
            cluster.kill9();
            tokio::time::sleep(pause).await;
            cluster.restart();
            return Ok(());
        }
        let process = self.processes.get_mut(victim).context("a process")?;
        process.child.kill()?;
        process.child.wait()?;
        tokio::time::sleep(pause).await;
        let arguments = process.arguments.clone();
        let child = self.spawn(&arguments)?;
        self.processes.get_mut(victim).context("a process")?.child = child;
        Ok(())
    }

    /// Stops a process until its claims have ended, and lets it go on where it was.
    async fn stop(&mut self) -> Result<()> {
        let victim = self.random.random_range(0..self.processes.len());
        let id = self.processes.get(victim).context("a process")?.child.id().to_string();
        signal("STOP", &id)?;
        tokio::time::sleep(STOPPED).await;
        signal("CONT", &id)
    }

    /// Waits until nothing waits but for people. A process that could not start is started again, as its supervisor would.
    async fn wait_until_settled(&mut self) -> Result<()> {
        let begun = Instant::now();
        loop {
            for index in 0..self.processes.len() {
                let process = self.processes.get_mut(index).context("a process")?;
                if process.child.try_wait()?.is_some() {
                    let arguments = process.arguments.clone();
                    let child = self.spawn(&arguments)?;
                    self.processes.get_mut(index).context("a process")?.child = child;
                }
            }
            let mut open = None;
            for state in ["waiting", "delivering"] {
                if let Ok((200, page)) =
                    self.call(reqwest::Method::GET, &format!("/v1/deliveries?state={state}&limit=500"), None).await
                {
                    let found = page.get("deliveries").and_then(Value::as_array).map_or(0, Vec::len);
                    open = Some(open.unwrap_or(0) + found);
                } else {
                    open = None;
                    break;
                }
            }
            if open == Some(0) {
                return Ok(());
            }
            if begun.elapsed() > Duration::from_secs(300) {
                bail!("not settled, {open:?} open: {}", self.log());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Compares what was accepted with what the org has.
    async fn count(&self, accepted: &[(String, String)], outcome: &mut Outcome) -> Result<()> {
        let mut leads: BTreeMap<String, usize> = BTreeMap::new();
        for lead in self.org.org().leads() {
            let email = lead.get("Email").and_then(Value::as_str).unwrap_or_default();
            *leads.entry(email.to_owned()).or_default() += 1;
        }
        outcome.accepted = accepted.len();
        for (team, id) in accepted {
            let found = leads.get(&email(id)).copied().unwrap_or_default();
            if found == 1 {
                outcome.delivered += 1;
                continue;
            }
            if found > 1 {
                outcome.doubled += 1;
                continue;
            }
            let path = format!("/v1/deliveries?team={team}&booking={id}");
            let (_, page) = self.call(reqwest::Method::GET, &path, None).await?;
            match page.pointer("/deliveries/0/state").and_then(Value::as_str) {
                Some("needs-attention") => outcome.needs_attention += 1,
                Some("parked") => outcome.parked += 1,
                _ => outcome.lost += 1,
            }
        }
        Ok(())
    }
}

/// Longer than a lease of [`SETTINGS`].
const STOPPED: Duration = Duration::from_millis(4_500);

fn signal(name: &str, id: &str) -> Result<()> {
    let sent = std::process::Command::new("kill").args(["-s", name, id]).status()?;
    ensure!(sent.success(), "kill -s {name} {id}");
    Ok(())
}

fn teams() -> impl Iterator<Item = String> {
    (0..TEAMS).map(|team| format!("team-{team}"))
}

fn email(id: &str) -> String {
    format!("{id}@example.com")
}

fn booking(team: &str, id: &str) -> Value {
    json!({
        "kind": "confirmed",
        "id": id,
        "change_id": "1",
        "team": { "id": team },
        "calendar": { "id": CALENDAR, "name": "Calendar" },
        "title": "Meeting",
        "start": "2027-02-01T08:30:00+09:00",
        "end": "2027-02-01T09:00:00+09:00",
        "time_zone": "Asia/Tokyo",
        "guest": { "name": format!("Guest {id}"), "email": email(id), "company": "Company" },
        "hosts": [{ "name": "Host" }],
    })
}

fn client() -> Result<reqwest::Client> {
    // There may be a proxy in the environment.
    Ok(reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?)
}

/// Connects a team as its owner would.
async fn connect(store: &Arc<dyn Store>, org: &RunningOrg, component: &Path, team: &str) -> Result<()> {
    let component = std::fs::read(component)?;
    let manifest: Manifest = crm_host::Inspection::read(&component)?.manifest()?;
    let credential = manifest.credentials.keys().next().context("a credential")?.clone();
    let app = org.app();
    let client = ClientRegistration { client_id: app.client_id, client_secret: Some(Secret::new(app.client_secret)) };
    let origin: crm_host::origin::Origin = org.base_url().parse()?;
    let mut policy = Policy::default();
    for rule in &manifest.egress {
        policy.test_overrides.push(TestOverride::new(rule.origin.clone(), origin.clone())?);
    }
    let registration = Registration {
        client: client.clone(),
        login_hosts: vec!["https://login.salesforce.com".parse()?, "https://*.my.salesforce.com".parse()?],
        grant_types: [GrantType::AuthorizationCode].into(),
    };
    let plugin = crate::memory::host()
        .plugin(manifest.plugin.id.clone(), Builds::Any)
        .policy(manifest.plugin.id.clone(), policy)
        .registration(manifest.plugin.id.clone(), credential.clone(), registration)
        .secrets(store.connecting(team, Some(client)))
        .build()?
        .load(&component)
        .await?;
    let callback = app.redirect_uris.first().context("a callback")?;
    let browser = Secret::new("a test");
    let pending = plugin.broker().begin(ConnectRequest {
        connection: &ConnectionId::new(team),
        credential: credential.as_str(),
        login_host: org.base_url(),
        redirect_uri: callback,
        asker: &Asker::operator(),
        browser: &browser,
    })?;
    let user = org.org().file().users.into_iter().next().context("a user")?;
    let back = visitor::allow(pending.authorize_url().as_str(), &user.username, &user.password).await?;
    plugin.broker().finish(pending, back.split_once('?').map_or("", |(_, query)| query), &browser).await?;
    Ok(())
}
