//! What a command works on: a loaded plugin and a connection, stored or made for the occasion to an org on this machine.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use builder::Workspace;
use local_org::{Options, OrgFile, RunningOrg, visitor};
use runtime::{
    Host, Inspection, Plugin,
    credentials::{ClientRegistration, ConnectionId, GrantKey, GrantState, MemoryStore, SecretStore},
    manifest::{Identifier, Manifest},
    origin::Origin,
    policy::{Effective, Policy, StandIn},
    secret::Secret,
    transport::{Bounds, ReqwestTransport, Transport},
};
use serde_json::Value;
use store::SqliteStore;

use crate::{cli, input::InputError, ui::Ui};

/// Package of the plugin that is built where none is named.
pub const DEFAULT_PACKAGE: &str = "salesforce-leads";

/// Why a command has nothing to work on.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// No connection of that name.
    #[error(
        "no connection named `{team}` in {data}; make one with `host-harness connect --team {team} --login-host HOST`"
    )]
    NoConnection {
        /// The name.
        team: String,
        /// Where it was looked for.
        data: String,
    },
    /// The manifest has none or several credentials, so it is not clear which one is meant.
    #[error("the plugin asks for {0} credentials; this command works with exactly one")]
    Credentials(usize),
    /// No org of that name or file.
    #[error("no org file `{0}`, and no org of that name is built in; `host-harness org --list` shows those that are")]
    NoOrg(String),
    /// The org file is faulty.
    #[error("{file}: {reason}")]
    OrgFile {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
}

impl TargetError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoConnection { .. } => "no-connection",
            Self::Credentials(_) => "credentials-unclear",
            Self::NoOrg(_) => "no-org",
            Self::OrgFile { .. } => "org-file",
        }
    }

    /// Exit code: the input is at fault.
    pub fn exit(&self) -> u8 {
        2
    }
}

/// A component file and what was measured of it.
pub struct ComponentFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its content.
    content: Vec<u8>,
    /// Its size.
    pub bytes: usize,
    /// Its digest.
    pub sha256: String,
}

impl ComponentFile {
    fn read(path: &Path) -> Result<Self> {
        let content = std::fs::read(path)
            .map_err(|source| InputError::Unreadable { file: path.to_owned(), source })?;
        let inspection = Inspection::read(&content).with_context(|| path.display().to_string())?;
        Ok(Self { path: path.to_owned(), bytes: content.len(), sha256: inspection.sha256, content })
    }

    /// What the component says of itself.
    pub fn inspect(&self) -> Result<Inspection> {
        Ok(Inspection::read(&self.content)?)
    }

    /// The file's bytes.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// The embedded manifest.
    pub fn manifest(&self) -> Result<Manifest> {
        let inspection = self.inspect()?;
        inspection.check(&self.content).with_context(|| self.path.display().to_string())?;
        Ok(Manifest::from_toml(inspection.manifest.as_deref().unwrap_or_default())?)
    }
}

/// Builds the component of a package of this workspace.
pub(crate) fn build(ui: &mut Ui, package: &str, out: Option<&Path>) -> Result<builder::Built> {
    let workspace = Workspace::containing(&std::env::current_dir()?)?;
    let out = match out {
        Some(out) => out.to_owned(),
        None => workspace.component(package),
    };
    Ok(builder::build(&workspace, package, &out, &mut |progress| ui.build_progress(progress))?)
}

/// The component that is named, or the one of this workspace.
pub(crate) fn component(ui: &mut Ui, named: Option<&Path>) -> Result<ComponentFile> {
    match named {
        Some(path) => ComponentFile::read(path),
        None => {
            let built = build(ui, DEFAULT_PACKAGE, None)?;
            ComponentFile::read(&built.path)
        }
    }
}

/// The operator's policy; the empty one without a file.
pub(crate) fn read_policy(file: Option<&Path>) -> Result<Policy> {
    let Some(file) = file else { return Ok(Policy::default()) };
    let text = std::fs::read_to_string(file)
        .map_err(|source| InputError::Unreadable { file: file.to_owned(), source })?;
    Policy::from_toml(&text).with_context(|| file.display().to_string())
}

/// Says which stand-ins are in force: nobody shall take a test for the real thing.
pub(crate) fn announce_stand_ins(ui: &Ui, effective: &Effective) {
    for stand_in in effective.stand_ins() {
        ui.note(format!("stand-in for testing: {} takes the place of {}", stand_in.origin(), stand_in.pattern()));
    }
}

/// The one credential that the manifest asks for.
pub(crate) fn only_credential(manifest: &Manifest) -> Result<Identifier> {
    let mut names = manifest.credentials.keys();
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(name.clone()),
        _ => bail!(TargetError::Credentials(manifest.credentials.len())),
    }
}

/// Lets an origin on this machine stand in for everything that the manifest would reach or log in at.
pub(crate) fn with_stand_in(mut policy: Policy, manifest: &Manifest, origin: &Origin) -> Result<Policy> {
    if !origin.is_loopback() {
        return Ok(policy);
    }
    let wildcards = manifest.egress.iter().map(|rule| &rule.origin);
    for pattern in wildcards {
        policy.stand_ins.push(StandIn::new(pattern.clone(), origin.clone())?);
    }
    Ok(policy)
}

/// The names and descriptions of the orgs that are built in.
pub(crate) fn built_in_orgs() -> impl Iterator<Item = (&'static str, String)> {
    OrgFile::built_in()
}

/// An org by file or name; the default one without either.
pub(crate) fn org_file(named: Option<&str>) -> Result<OrgFile> {
    let Some(named) = named else { return Ok(OrgFile::enterprise()?) };
    if let Some(file) = OrgFile::named(named) {
        return Ok(file?);
    }
    let text = std::fs::read_to_string(named).map_err(|_| TargetError::NoOrg(named.to_owned()))?;
    let fault = |reason: String| TargetError::OrgFile { file: named.to_owned(), reason };
    let file = OrgFile::parse(&text).and_then(|file| file.check().map(|()| file));
    Ok(file.map_err(|error| fault(error.to_string()))?)
}

/// An org made from somebody's own describe result.
pub(crate) fn org_from_describe(file: &Path) -> Result<OrgFile> {
    let text =
        std::fs::read(file).map_err(|source| InputError::Unreadable { file: file.to_owned(), source })?;
    let fault = |reason: String| TargetError::OrgFile { file: file.display().to_string(), reason };
    Ok(OrgFile::from_describe(&text).map_err(|error| fault(error.to_string()))?)
}

/// Starts an org on this machine.
pub(crate) async fn serve_org(
    file: OrgFile,
    listen: SocketAddr,
    admin: SocketAddr,
    state: Option<PathBuf>,
) -> Result<RunningOrg> {
    let options = Options { listen, admin, store: state, ..Options::default() };
    local_org::serve(file, options).await.context("the org does not start")
}

/// A connection in a data folder.
pub(crate) struct Stored {
    pub(crate) store: SqliteStore,
    pub(crate) key: GrantKey,
    plugin: Identifier,
    origin: Origin,
    client: ClientRegistration,
}

impl Stored {
    /// Finds a team's connection for the plugin of a component.
    pub(crate) async fn find(component: &ComponentFile, data: &Path, team: &str) -> Result<Self> {
        let missing = || TargetError::NoConnection { team: team.to_owned(), data: data.display().to_string() };
        // Opening a store makes one; looking for a connection must not.
        if !data.exists() {
            bail!(missing());
        }
        let manifest = component.manifest()?;
        let store = SqliteStore::open(data)?;
        let plugin = manifest.plugin.id.clone();
        let found = store.connection(team, plugin.as_str()).await?.ok_or_else(missing)?;
        let key = GrantKey { connection: found.connection, credential: only_credential(&manifest)? };
        let client = store.client(&key).await?.ok_or_else(missing)?;
        let grant = store.load(&key).await?;
        let origin = grant.map_or(found.login_host, |grant| grant.state.origin().clone());
        Ok(Self { store, key, plugin, origin, client })
    }

    /// Loads the plugin with this connection.
    pub(crate) async fn load(&self, component: &ComponentFile, policy: Policy) -> Result<Plugin> {
        let policy = with_stand_in(policy, &component.manifest()?, &self.origin)?;
        let host = Host::builder()
            .policy(policy)
            .secrets(Arc::new(self.store.clone()))
            .registration(self.key.credential.clone(), self.client.clone())
            .build()?;
        Ok(host.load(component.content()).await?)
    }

    /// Where the connection leads.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Forgets the connection. The broker has removed its grant before.
    pub(crate) async fn forget(&self, team: &str) -> Result<()> {
        self.store.remove_client(&self.key).await?;
        self.store.remove_connection(team, self.plugin.as_str()).await?;
        Ok(())
    }
}

/// How a command opens what it works on.
pub struct Target;

/// A loaded plugin and a connection.
pub struct Connected {
    /// The plugin.
    pub plugin: Plugin,
    /// The connection.
    pub connection: ConnectionId,
    credential: Identifier,
    local: Option<Local>,
}

struct Local {
    org: RunningOrg,
    secrets: Arc<MemoryStore>,
    /// The access token, kept by the host's side to show later that it is dead.
    token: Option<Secret>,
}

impl Target {
    /// Opens the stored connection that is named, else an org on this machine for as long as the command takes.
    pub(crate) async fn open(ui: &mut Ui, target: &cli::Target) -> Result<Connected> {
        let component = component(ui, target.component.as_deref())?;
        let policy = read_policy(target.policy.as_deref())?;
        let connected = match &target.team {
            Some(team) => Self::stored(&component, policy, &target.data, team).await?,
            None => Self::local(&component, policy, org_file(target.org.as_deref())?).await?,
        };
        announce_stand_ins(ui, connected.plugin.effective());
        Ok(connected)
    }

    async fn stored(component: &ComponentFile, policy: Policy, data: &Path, team: &str) -> Result<Connected> {
        let stored = Stored::find(component, data, team).await?;
        let plugin = stored.load(component, policy).await?;
        Ok(Connected { plugin, connection: stored.key.connection, credential: stored.key.credential, local: None })
    }

    /// Starts an org and connects to it through its pages, as a person would.
    pub async fn local(component: &ComponentFile, policy: Policy, file: OrgFile) -> Result<Connected> {
        let manifest = component.manifest()?;
        let credential = only_credential(&manifest)?;
        let org = local_org::serve(file, Options::default()).await.context("the org on this machine")?;
        let origin: Origin = org.base_url().parse()?;
        let policy = with_stand_in(policy, &manifest, &origin)?;
        let app = org.app();
        let secrets = Arc::new(MemoryStore::new());
        let client =
            ClientRegistration { client_id: app.client_id, client_secret: Some(Secret::new(app.client_secret)) };
        let host =
            Host::builder().policy(policy).secrets(secrets.clone()).registration(credential.clone(), client).build()?;
        let plugin = host.load(&component.content).await?;
        let connection = ConnectionId::new("local");

        let callback = app.redirect_uris.first().context("the org has no callback URL registered")?;
        let pending = plugin.broker().begin(&connection, credential.as_str(), org.base_url(), callback)?;
        let user = org.org().file().users.into_iter().next().context("the org has no user")?;
        let back = visitor::allow(pending.authorize_url().as_str(), &user.username, &user.password).await?;
        let (_, query) = back.split_once('?').context("the browser came back without an answer")?;
        plugin.broker().finish(pending, query).await?;

        let mut connected =
            Connected { plugin, connection, credential, local: Some(Local { org, secrets, token: None }) };
        connected.keep_token().await?;
        Ok(connected)
    }
}

impl Connected {
    async fn keep_token(&mut self) -> Result<()> {
        let state = self.plugin.broker().state(&self.connection, self.credential.as_str()).await?;
        if let (Some(local), Some(stored)) = (&mut self.local, state)
            && let GrantState::Live(grant) = stored.state
        {
            local.token = grant.secrets().next().cloned();
        }
        Ok(())
    }

    /// Shows a Lead as the org on this machine holds it. Another org is not asked: the plugin alone speaks to it.
    pub(crate) fn show_lead(&self, ui: &Ui, id: &str) -> Option<Value> {
        let org = self.local.as_ref()?.org.org();
        let lead = org.leads().into_iter().find(|lead| lead.get("Id").and_then(Value::as_str) == Some(id))?;
        let fields = lead.as_object()?.iter().filter(|(name, value)| {
            !value.is_null() && *name != "attributes" && !(value.is_object() || matches!(value, Value::Bool(false)))
        });
        ui.table(
            &["Field", "Value"],
            fields.map(|(name, value)| {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                vec![name.clone(), text]
            }),
        );
        Some(lead)
    }

    /// Revokes and forgets the grant.
    pub(crate) async fn disconnect(&self) -> Result<()> {
        let gone = self.plugin.broker().disconnect(&self.connection, self.credential.as_str()).await?;
        if !gone.revoked.is_certain() {
            bail!("the org did not confirm that the grant is revoked");
        }
        Ok(())
    }

    /// What the org answers to a request with the token that the connection had. Only an org on this machine is asked so.
    pub(crate) async fn answer_to_old_token(&self, path: &str) -> Result<u16> {
        let Some(Local { org, token: Some(token), .. }) = &self.local else {
            bail!("only an org on this machine can be asked with the old token");
        };
        let request = http::Request::get(format!("{}{path}", org.base_url()))
            .header("authorization", format!("Bearer {}", token.expose()))
            .body(Vec::new())?;
        let bounds = Bounds { max_response_bytes: 1 << 20, timeout: Duration::from_secs(10) };
        let transport = ReqwestTransport::new(self.plugin.effective());
        Ok(transport.send(&self.connection, request, bounds).await?.status().as_u16())
    }

    /// Stops what was started for the command.
    pub(crate) async fn close(self) {
        if let Some(local) = self.local {
            drop(local.secrets);
            local.org.stop().await;
        }
    }
}
