//! Why a command failed, with its exit code and stable code.

use std::{io, path::PathBuf};

use crm_builder::BuildError;
use crm_delivery::{InvalidIntegration, LedgerError};
use crm_host::{
    CallError, HostError, InspectError, LoadError,
    credentials::{ConnectError, DisconnectError, StoreError},
    origin::OriginError,
    policy::PolicyError,
    transport::TransportError,
};
use crm_store::OpenError;
use salesforce_live_check::LiveCheckError;
use salesforce_local_org::{FileError, ServeError, visitor::VisitError};

use crate::input::InputError;

/// The input is at fault, and nothing was sent.
const INPUT: u8 = 2;
/// The command itself failed.
const FAILED: u8 = 1;

/// Why a command failed. Causes are sources only; [`crm_host::full_message`] joins them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// A booking or mapping file is faulty.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A file that an argument names cannot be read.
    #[error("{} cannot be read", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Other users can read a file that holds a secret.
    #[error(
        "other users can read {} (mode {mode:o}); run `chmod 600 '{}'`, and replace the secret if somebody may have read it",
        file.display(),
        file.display()
    )]
    NotPrivate {
        /// The file.
        file: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A file or folder cannot be written.
    #[error("{} cannot be written", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A component file is not a plugin.
    #[error("{}", file.display())]
    Component {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: InspectError,
    },
    /// A policy file is invalid.
    #[error("{}", file.display())]
    PolicyFile {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: PolicyError,
    },
    /// The policy does not fit the plugin.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// An org file is invalid.
    #[error("{}", file.display())]
    OrgFile {
        /// The file, or the name of a built-in org.
        file: PathBuf,
        /// The cause.
        source: FileError,
    },
    /// No org file and no built-in org has this name.
    #[error("no org file `{0}`, and no built-in org of that name; `host-harness org --list` shows the built-in ones")]
    NoOrg(String),
    /// The org file lacks something that the command needs.
    #[error("the org file must name {0}")]
    IncompleteOrg(&'static str),
    /// The unknown tries of `run` cannot have begun at these times.
    #[error(
        "--unknown-since must not be after --unknown-until, and neither can be in the future; use the times that the earlier run printed"
    )]
    UnknownTries,
    /// No connection has this name.
    #[error(
        "no connection named `{team}` in {}; make one with `host-harness connect --team {team}`",
        data.display()
    )]
    NoConnection {
        /// The name.
        team: String,
        /// The data folder.
        data: PathBuf,
    },
    /// The key to rotate is not in a file that could be replaced.
    #[error("HARNESS_STORE_KEY holds the present key; give the new one with `--new-key-file FILE`")]
    NewKeyMissing,
    /// The store's key is blank.
    #[error("HARNESS_STORE_KEY is set but blank; set it to the store's key, or unset it to keep the key in a file")]
    StoreKeyBlank,
    /// The data folder is missing.
    #[error("there is no folder {}; name the one with the stored connections with `--data`", .0.display())]
    NoStore(PathBuf),
    /// The manifest has no credential or several, so the command cannot tell which one to use.
    #[error("the plugin asks for {0} credentials; this command needs exactly one")]
    Credentials(usize),
    /// An argument is missing that this plugin's kind of credential needs.
    #[error("`connect` needs {0} for this plugin")]
    ArgumentMissing(&'static str),
    /// An argument is for the other kind of credential.
    #[error("`{argument}` does not apply: {reason}")]
    ArgumentUnfit {
        /// The argument.
        argument: &'static str,
        /// What the plugin's credential is, and how to connect it.
        reason: &'static str,
    },
    /// The API key would be typed in, where everybody can read it.
    #[error(
        "standard input is a terminal; pipe the API key into the command, or name its file with `--api-key-file FILE`"
    )]
    KeyFromTerminal,
    /// The redirect URI leads to another machine.
    #[error(
        "the redirect URI must be on this machine, for example http://127.0.0.1:8917/callback; {0} is not. Register such a \
         callback URL with the app"
    )]
    RedirectUri(url::Url),
    /// The variable HARNESS_REDIRECT_URI is not a URL.
    #[error("the variable HARNESS_REDIRECT_URI is not a URL")]
    RedirectUriInvalid(#[source] url::ParseError),
    /// The component was not built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The host could not be built.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The plugin could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Connecting failed.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Disconnecting failed.
    #[error(transparent)]
    Disconnect(#[from] DisconnectError),
    /// The store of connections could not be opened.
    #[error(transparent)]
    OpenStore(#[from] OpenError),
    /// The store of connections failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A live check could not start.
    #[error(transparent)]
    LiveCheck(#[from] LiveCheckError),
    /// The local org did not start.
    #[error("the org does not start")]
    Serve(#[from] ServeError),
    /// The local org has an address that is not an origin.
    #[error("the org's own address is not an origin")]
    OrgAddress(#[from] OriginError),
    /// The local org's pages were not passed.
    #[error("the visit to the org's pages failed")]
    Visitor(#[from] VisitError),
    /// A request of the command's own failed.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// A request of the command's own could not be built.
    #[error("the request cannot be built")]
    Request(#[from] http::Error),
    /// The callback address is taken.
    #[error("{address} is taken; stop what listens there, or register another callback URL")]
    Listen {
        /// Host and port.
        address: String,
        /// The cause.
        source: io::Error,
    },
    /// No callback arrived in time.
    #[error("nothing came back to the callback URL {address} within {seconds} s")]
    NoCallback {
        /// The callback URL.
        address: url::Url,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The login host cannot be reached.
    #[error("{origin} cannot be reached")]
    LoginHostUnreachable {
        /// The login host.
        origin: String,
        /// The cause.
        source: io::Error,
    },
    /// A login without a browser was asked for at an org of others.
    #[error("{0} is not on this machine")]
    LocalLoginElsewhere(String),
    /// The plugin lists no field of this name.
    #[error("the plugin lists no field {0}")]
    NoField(String),
    /// The field cannot be mapped.
    #[error("the field `{name}` cannot be mapped: {reason}")]
    FieldWithheld {
        /// The field.
        name: String,
        /// Why, as a code of the plugin.
        reason: String,
    },
    /// The org did not confirm a revocation.
    #[error("the org did not confirm that the grant is revoked")]
    NotRevoked,
    /// The ledger could not be opened.
    #[error(transparent)]
    OpenLedger(#[from] crm_delivery_sqlite::OpenError),
    /// The ledger in PostgreSQL could not be opened.
    #[error(transparent)]
    OpenPostgresLedger(#[from] crm_delivery_postgres::OpenError),
    /// PostgreSQL has no key file beside it.
    #[error(
        "with `--postgres`, HARNESS_STORE_KEY holds the key that secrets are sealed with, the same on all machines: 32 bytes in base64, \
         as `openssl rand -base64 32` prints"
    )]
    StoreKeyMissing,
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An argument names no integration.
    #[error(transparent)]
    Integration(#[from] InvalidIntegration),
    /// A settings file is invalid.
    #[error("{}", file.display())]
    Settings {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: toml::de::Error,
    },
    /// Settings that cannot work.
    #[error("{}: `delivery.lease` must be longer than `delivery.call`, and `delivery.in_flight` at least 1", file.display())]
    SettingsUnfit {
        /// The file.
        file: PathBuf,
    },
    /// Alerts cannot be sent to the webhook of the settings.
    #[error(transparent)]
    AlertWebhook(#[from] crm_server::AlertWebhookError),
    /// The recorder of metrics does not start.
    #[error("metrics cannot be counted: {0}")]
    Metrics(String),
    /// A worker shares a database with others.
    #[error("`worker` needs `--postgres URL`; `serve` delivers what is in a data folder itself")]
    WorkerNeedsPostgres,
    /// No team has this id.
    #[error("there is no team `{0}`; make it with `host-harness team create {0}`")]
    NoTeam(String),
    /// A team's id is too short or too long.
    #[error("a team's id has 1 to 200 bytes without control characters; found `{0}`")]
    TeamId(String),
    /// No token has this id.
    #[error("there is no token `{0}`; `host-harness token list` lists them")]
    NoToken(String),
    /// No service of this name sends webhooks.
    #[error("there is no hook for a service `{0}`; expected timerex, calendly or calcom")]
    NoHook(String),
    /// A hook's secret cannot be used.
    #[error("{}", file.display())]
    HookSecret {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: crm_intake::UnusableSecret,
    },
    /// Nobody agreed to a resend.
    #[error("nothing was sent again; agree on the terminal, or with `--yes`")]
    NotConfirmed,
    /// Teams are connected to real orgs and to one on this machine.
    #[error(
        "some teams of this data folder are connected to an org on this machine, others to real ones or to another local one;          use a data folder for each, since a test must not mix with real data"
    )]
    MixedConnections,
    /// Connections were made with different clients.
    #[error(
        "the stored connections were made with {0} different clients; set HARNESS_CLIENT_ID and HARNESS_CLIENT_SECRET to the one that          this server uses, and let the teams of the others connect again"
    )]
    SeveralClients(usize),
    /// The demo did not end as it must.
    #[error("{0}")]
    Demo(String),
    /// A result has no JSON form.
    #[error("the result cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl CliError {
    /// The exit code, as `--help` documents it.
    pub fn exit(&self) -> u8 {
        match self {
            Self::Input(_)
            | Self::Unreadable { .. }
            | Self::NotPrivate { .. }
            | Self::Component { .. }
            | Self::PolicyFile { .. }
            | Self::Policy(_)
            | Self::OrgFile { .. }
            | Self::NoOrg(_)
            | Self::IncompleteOrg(_)
            | Self::UnknownTries
            | Self::NoConnection { .. }
            | Self::NoStore(_)
            | Self::NewKeyMissing
            | Self::StoreKeyBlank
            | Self::OpenStore(OpenError::SameKey)
            | Self::Settings { .. }
            | Self::SettingsUnfit { .. }
            | Self::AlertWebhook(_)
            | Self::Integration(_)
            | Self::WorkerNeedsPostgres
            | Self::StoreKeyMissing
            | Self::NoTeam(_)
            | Self::TeamId(_)
            | Self::NoToken(_)
            | Self::NoHook(_)
            | Self::HookSecret { .. }
            | Self::NotConfirmed
            | Self::MixedConnections
            | Self::SeveralClients(_)
            | Self::OpenLedger(crm_delivery_sqlite::OpenError::InUse(_))
            | Self::Ledger(LedgerError::NoEntry(_))
            | Self::Credentials(_)
            | Self::ArgumentMissing(_)
            | Self::ArgumentUnfit { .. }
            | Self::KeyFromTerminal
            | Self::RedirectUri(_)
            | Self::RedirectUriInvalid(_)
            | Self::LocalLoginElsewhere(_)
            | Self::NoField(_)
            | Self::FieldWithheld { .. }
            | Self::Load(_)
            | Self::Connect(
                ConnectError::LoginHost(_)
                | ConnectError::RedirectUri(_)
                | ConnectError::Origin(_)
                | ConnectError::InvalidKey
                | ConnectError::NotOAuth(_),
            ) => INPUT,
            Self::LiveCheck(error) if error.is_input() => INPUT,
            Self::Unwritable { .. }
            | Self::Build(_)
            | Self::Host(_)
            | Self::Call(_)
            | Self::Connect(_)
            | Self::Disconnect(_)
            | Self::OpenStore(_)
            | Self::Store(_)
            | Self::LiveCheck(_)
            | Self::Serve(_)
            | Self::OrgAddress(_)
            | Self::Visitor(_)
            | Self::Transport(_)
            | Self::Request(_)
            | Self::Listen { .. }
            | Self::NoCallback { .. }
            | Self::LoginHostUnreachable { .. }
            | Self::NotRevoked
            | Self::OpenLedger(_)
            | Self::OpenPostgresLedger(_)
            | Self::Ledger(_)
            | Self::Metrics(_)
            | Self::Demo(_)
            | Self::Json(_) => FAILED,
        }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Input(error) => error.code(),
            Self::Unreadable { .. } => "file-unreadable",
            Self::NotPrivate { .. } => "file-not-private",
            Self::Unwritable { .. } => "file-unwritable",
            Self::Component { source, .. } => source.code(),
            Self::PolicyFile { source, .. } | Self::Policy(source) => source.code(),
            Self::OrgFile { source, .. } => source.code(),
            Self::NoOrg(_) => "no-org",
            Self::IncompleteOrg(_) => "org-incomplete",
            Self::UnknownTries => "unknown-tries",
            Self::NoConnection { .. } => "no-connection",
            Self::NoStore(_) => "no-store",
            Self::NewKeyMissing => "new-key-missing",
            Self::StoreKeyBlank => "store-key-blank",
            Self::Credentials(_) => "credentials-unclear",
            Self::ArgumentMissing(_) => "argument-missing",
            Self::ArgumentUnfit { .. } => "argument-unfit",
            Self::KeyFromTerminal => "key-from-terminal",
            Self::RedirectUri(_) | Self::RedirectUriInvalid(_) => "redirect-uri",
            Self::Build(error) => error.code(),
            Self::Host(error) => error.code(),
            Self::Load(error) => error.code(),
            Self::Call(error) => error.code(),
            Self::Connect(error) => error.code(),
            Self::Disconnect(error) => error.code(),
            Self::OpenStore(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::LiveCheck(error) => error.code(),
            Self::Serve(error) => error.code(),
            Self::OrgAddress(error) => error.code(),
            Self::Visitor(error) => error.code(),
            Self::Transport(error) => error.code(),
            Self::Request(_) => "request-invalid",
            Self::Listen { .. } => "callback-listen",
            Self::NoCallback { .. } => "no-callback",
            Self::LoginHostUnreachable { .. } => "login-host-unreachable",
            Self::LocalLoginElsewhere(_) => "local-login-elsewhere",
            Self::NoField(_) | Self::FieldWithheld { .. } => "no-such-field",
            Self::NotRevoked => "not-revoked",
            Self::OpenLedger(error) => error.code(),
            Self::OpenPostgresLedger(error) => error.code(),
            Self::StoreKeyMissing => "store-key-not-given",
            Self::Ledger(error) => error.code(),
            Self::Integration(_) => "integration-invalid",
            Self::Settings { .. } | Self::SettingsUnfit { .. } => "settings-invalid",
            Self::AlertWebhook(error) => error.code(),
            Self::Metrics(_) => "metrics",
            Self::WorkerNeedsPostgres => "worker-needs-postgres",
            Self::NoTeam(_) => "no-such-team",
            Self::TeamId(_) => "team-id",
            Self::NoToken(_) => "no-such-token",
            Self::NoHook(_) => "no-such-hook",
            Self::HookSecret { source, .. } => source.code(),
            Self::NotConfirmed => "not-confirmed",
            Self::MixedConnections => "mixed-connections",
            Self::SeveralClients(_) => "several-clients",
            Self::Demo(_) => "demo-failed",
            Self::Json(_) => "json",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crm_host::{Inspection, full_message};
    use salesforce_local_org::OrgFile;

    use super::*;

    #[test]
    fn a_system_error_is_shown_once_with_its_file() {
        // A folder below a file can be neither read nor made, not even by root.
        let below_a_file = Path::new("/dev/null/data");
        let said = std::fs::read(below_a_file).expect_err("not a folder").to_string();
        let store = crm_store::SqliteStore::open(below_a_file).expect_err("no store");
        let org = OrgFile::parse("nonsense = 1").expect_err("an unknown key");
        let org_said = "unknown field `nonsense`";
        for (error, said, named) in [
            (CliError::from(store), said.as_str(), "/dev/null/data"),
            (crate::files::read_text(below_a_file).expect_err("no file"), &said, "/dev/null/data"),
            (crate::files::write(below_a_file, "").expect_err("no file"), &said, "/dev/null/data"),
            (CliError::OrgFile { file: "org.toml".into(), source: org }, org_said, "org.toml"),
        ] {
            let message = full_message(&error);
            assert_eq!(message.matches(said).count(), 1, "{message}");
            assert_eq!(message.matches(named).count(), 1, "{message}");
        }
    }

    #[test]
    fn the_exit_code_tells_faulty_input_from_a_failure() {
        let component = Inspection::read(b"hello").expect_err("not a component");
        let policy = crm_host::policy::Policy::from_toml("methods = [\"TRACE\"]").expect_err("an unknown method");
        let login_host = ConnectError::LoginHost(OriginError::Scheme.into());
        for (error, exit, code) in [
            (CliError::Component { file: "x.wasm".into(), source: component }, 2, "not-wasm"),
            (CliError::PolicyFile { file: "policy.toml".into(), source: policy }, 2, "policy-invalid"),
            (CliError::NoOrg("nowhere".into()), 2, "no-org"),
            (CliError::NoConnection { team: "a".into(), data: "b".into() }, 2, "no-connection"),
            (login_host.into(), 2, "connect-login-host"),
            (LoadError::Compile("x".into()).into(), 2, "component-invalid"),
            (LiveCheckError::Incomplete("HARNESS_LIVE_CLIENT_ID").into(), 2, "live-check-incomplete"),
            (ConnectError::StateMismatch.into(), 1, "connect-state-mismatch"),
            (StoreError::Conflict.into(), 1, "store-conflict"),
            (BuildError::NoWorkspace { folder: "/".into() }.into(), 1, "no-workspace"),
            (CliError::NotRevoked, 1, "not-revoked"),
        ] {
            assert_eq!((error.exit(), error.code()), (exit, code), "{error:?}");
        }
    }
}
