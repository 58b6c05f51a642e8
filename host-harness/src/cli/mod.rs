//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{
    Args, Parser, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use crm_contract::RecordRef;
use crm_intake::Intake;

mod delivery;

pub use delivery::{
    CalendarCommand, Databases, DeliveriesCommand, Delivering, DeliveryFilter, Erase, Recover, Serve, TeamCommand,
    TokenCommand, WorkerArgs,
};

const EXIT_CODES: &str = "\
Exit codes:
  0  done; values that were left out are findings, and the last line counts them
  1  the command failed: a build, a file it could not write, the network, a plugin that broke a limit
  2  the input is at fault: an argument, a booking, a mapping that names what does not exist, a policy, a component file;
     nothing was sent
  3  the plugin reported a problem, a finding that would refuse a booking, or a connection that does not work
130  interrupted by Ctrl-C, SIGTERM, SIGHUP or SIGQUIT";

const LIVE_ORG: &str = "\
Environment:
  HARNESS_LIVE_LOGIN_HOST     the org's My Domain, such as acme--uat.sandbox.my.salesforce.com
  HARNESS_LIVE_CLIENT_ID      consumer key of an app with the client-credentials flow
  HARNESS_LIVE_CLIENT_SECRET  its consumer secret

Test Leads are created and deleted. Use a sandbox or a Developer Edition org.";

const UNKNOWN_TRIES: &str = "\
If a run ends without a result, it prints how to look for its record before another one is created. If it was killed and could
not print that, pass the time at which it started to --unknown-since.";

/// Builds, inspects and tries plugins that turn bookings into CRM leads.
#[derive(Debug, Parser)]
#[command(name = "host-harness", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    /// Print JSON for machines on standard output
    #[arg(long, global = true)]
    pub json: bool,

    /// Language of explanations, as a BCP 47 tag [default: from LC_ALL, LC_MESSAGES or LANG]
    #[arg(long, global = true, value_name = "TAG")]
    pub locale: Option<String>,

    /// The sub-command
    #[command(subcommand)]
    pub command: Command,
}

/// The sub-commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the main job end to end on this machine: a webhook booking becomes a Lead
    Demo(Demo),
    /// Build the plugin's component
    Build(Build),
    /// Show what a component is and may do, without running it
    Inspect(Inspect),
    /// Run a Salesforce org on this machine until stopped
    Org(Org),
    /// Connect a team to its org in the browser, or with an API key
    Connect(Connect),
    /// Revoke a team's grant, or delete its API key, and forget the connection
    Disconnect(Disconnect),
    /// Seal all stored connections with a new key
    RotateKey(RotateKey),
    /// Check a connection and explain how to repair it
    Doctor(ConnectionArgs),
    /// List the fields that can be mapped, and those that cannot
    Fields(Fields),
    /// List the options that a mapping can choose, with their values
    Options(ConnectionArgs),
    /// Deliver one booking
    Run(Run),
    /// Show what delivering a booking would write, without writing
    Preview(Preview),
    /// Check a mapping against the org's fields and a booking's form
    Check(BookingAndMapping),
    /// Accept bookings over HTTP and deliver them, until stopped
    Serve(Serve),
    /// Deliver the bookings that others accept, on a further machine
    Worker(WorkerArgs),
    /// Create and list teams
    #[command(subcommand)]
    Team(TeamCommand),
    /// Make, list and revoke tokens of the HTTP API
    #[command(subcommand)]
    Token(TokenCommand),
    /// Save a calendar's mapping, or set the secrets of a scheduling service's webhooks
    #[command(subcommand)]
    Calendar(CalendarCommand),
    /// List, show, send again and give up deliveries
    #[command(subcommand)]
    Deliveries(DeliveriesCommand),
    /// After the ledger was restored from a backup: look for bookings before they are created
    Recover(Recover),
    /// Remove what is personal of a guest's bookings
    Erase(Erase),
    /// Test the plugin against a real org step by step, and write a transcript without secrets or personal data
    LiveCheck(LiveCheck),
}

/// Which component is run, and for which connection.
#[derive(Clone, Debug, Args)]
pub struct ConnectionArgs {
    /// The component [default: the Salesforce plugin, built from this workspace]
    #[arg(long, value_name = "FILE")]
    pub component: Option<PathBuf>,

    /// A stored connection [default: an org that runs on this machine during the command]
    #[arg(long, value_name = "NAME")]
    pub team: Option<String>,

    /// Where connections are kept
    #[command(flatten)]
    pub databases: Databases,

    /// The operator's policy, which narrows what the plugin may do
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,

    /// The org to run on this machine: a file, or the name of a built-in one (see `org --list`)
    #[arg(long, value_name = "FILE|NAME", conflicts_with = "team")]
    pub org: Option<String>,
}

/// Arguments of `fields`.
#[derive(Debug, Args)]
pub struct Fields {
    /// Show all values of choice fields
    #[arg(long)]
    pub choices: bool,

    /// Show one field, with all its values
    #[arg(long, value_name = "NAME")]
    pub field: Option<String>,

    /// Which component and connection
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// The component [default: the Salesforce plugin, built from this workspace]
    #[arg(long, value_name = "FILE")]
    pub component: Option<PathBuf>,
}

/// Arguments of `build`.
#[derive(Debug, Args)]
pub struct Build {
    /// The package of this workspace to build
    #[arg(long, value_name = "NAME", default_value = "salesforce-leads")]
    pub package: String,

    /// Where to write the component [default: target/component/<package>.wasm]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Arguments of `inspect`.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The component
    pub file: PathBuf,

    /// The operator's policy, to show the narrowed permissions
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// Arguments of `org`.
#[derive(Debug, Args)]
pub struct Org {
    /// Address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,

    /// Address of the admin API: faults on demand, the request log, the clock (see docs/local-org.md)
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub admin: SocketAddr,

    /// The org: a file (docs/local-org.md lists its keys), or the name of a built-in one
    #[arg(long, value_name = "FILE|NAME")]
    pub file: Option<String>,

    /// Make the org from the describe result of a real one
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub describe: Option<PathBuf>,

    /// Keep Leads and grants in a file across restarts
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,

    /// Print HARNESS_LOGIN_HOST, HARNESS_CLIENT_ID, HARNESS_CLIENT_SECRET, HARNESS_REDIRECT_URI, HARNESS_EXT_ID_FIELD and
    /// HARNESS_ADMIN_URL as shell assignments, then serve
    #[arg(long)]
    pub print_env: bool,

    /// List the built-in orgs
    #[arg(long)]
    pub list: bool,
}

/// Arguments of `connect`.
#[derive(Debug, Args)]
pub struct Connect {
    /// Name of the connection
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub team: String,

    /// Where connections are kept
    #[command(flatten)]
    pub databases: Databases,

    /// The component [default: the Salesforce plugin, built from this workspace]
    #[arg(long, value_name = "FILE")]
    pub component: Option<PathBuf>,

    /// The operator's policy
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,

    /// How a person logs in
    #[command(flatten)]
    pub login: Login,

    /// The API key
    #[command(flatten)]
    pub key: Key,
}

/// Arguments of `connect` for a plugin whose people log in. The environment fills them in only for such a plugin.
#[derive(Debug, Args)]
#[command(next_help_heading = "For a plugin whose people log in")]
pub struct Login {
    /// Where the org's users log in: https://login.salesforce.com for production, https://test.salesforce.com for a sandbox,
    /// an org's My Domain, or the URL of an org on this machine [default: the variable HARNESS_LOGIN_HOST]
    #[arg(long, value_name = "HOST")]
    pub login_host: Option<String>,

    /// Consumer key of the registered app [default: the variable HARNESS_CLIENT_ID]
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,

    /// File with the app's consumer secret, which only you can read [default: the variable HARNESS_CLIENT_SECRET]
    #[arg(long, value_name = "FILE")]
    pub client_secret_file: Option<PathBuf>,

    /// Callback URL, as registered with the app; must be on this machine [default: the variable HARNESS_REDIRECT_URI, or
    /// http://127.0.0.1:8917/callback]
    #[arg(long, value_name = "URL")]
    pub redirect_uri: Option<url::Url>,

    /// Open the login page in a browser, besides printing its address
    #[arg(long, conflicts_with_all = ["no_browser", "local_login"])]
    pub open: bool,

    /// Do not wait for a browser on this machine: read the address that the browser was sent to from standard input
    #[arg(long, conflicts_with = "local_login")]
    pub no_browser: bool,

    /// Log in to an org on this machine as its first user, without a browser
    #[arg(long)]
    pub local_login: bool,

    /// How long to wait for the login, at most ten minutes
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub timeout: u64,
}

/// Arguments of `connect` for a plugin that uses an API key. The key itself is never an argument: others can read these.
#[derive(Debug, Args)]
#[command(next_help_heading = "For a plugin that uses an API key")]
pub struct Key {
    /// File with the API key, which only you can read; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,

    /// Where the CRM has the account that the key belongs to [default: the plugin's only origin]
    #[arg(long, value_name = "URL")]
    pub origin: Option<String>,
}

/// Arguments of `disconnect`.
#[derive(Debug, Args)]
pub struct Disconnect {
    /// Name of the connection
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub team: String,

    /// Where connections are kept
    #[command(flatten)]
    pub databases: Databases,

    /// The component [default: the Salesforce plugin, built from this workspace]
    #[arg(long, value_name = "FILE")]
    pub component: Option<PathBuf>,

    /// The operator's policy
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

const ROTATION: &str = "\
The new key replaces the key file. If the command is interrupted, run it again: the store opens with whichever of the two keys sealed
it. Copies of the store that were made before need the key of that time.

If HARNESS_STORE_KEY holds the key, the command takes the new one from --new-key-file; set the variable to it afterwards.";

/// Arguments of `rotate-key`.
#[derive(Debug, Args)]
#[command(after_help = ROTATION)]
pub struct RotateKey {
    /// Folder of stored connections
    #[arg(long, value_name = "DIR", env = "HARNESS_DATA", default_value = ".host-harness")]
    pub data: PathBuf,

    /// File with the new key, as `openssl rand -base64 32` prints it; only if HARNESS_STORE_KEY holds the present one
    #[arg(long, value_name = "FILE")]
    pub new_key_file: Option<PathBuf>,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = UNKNOWN_TRIES)]
pub struct Run {
    /// The booking and its mapping
    #[command(flatten)]
    pub delivered: BookingAndMapping,

    /// The records that the booking has
    #[command(flatten)]
    pub known: KnownRecords,

    /// When the first earlier run with an unknown outcome began (RFC 3339): look for its record before creating one
    #[arg(long, value_name = "TIME")]
    pub unknown_since: Option<jiff::Timestamp>,

    /// When the last earlier run with an unknown outcome began [default: the same as --unknown-since]
    #[arg(long, value_name = "TIME", requires = "unknown_since")]
    pub unknown_until: Option<jiff::Timestamp>,
}

/// Arguments of `preview`.
#[derive(Debug, Args)]
pub struct Preview {
    /// The booking and its mapping
    #[command(flatten)]
    pub delivered: BookingAndMapping,

    /// The records that the booking has
    #[command(flatten)]
    pub known: KnownRecords,
}

/// What a ledger would know of a booking.
#[derive(Debug, Args)]
pub struct KnownRecords {
    /// A record that an earlier run made for this booking, as `run` printed it; may be repeated
    #[arg(long = "record", value_name = "OBJECT/ID", value_parser = record)]
    pub records: Vec<RecordRef>,
}

/// A booking, a mapping, and a connection.
#[derive(Debug, Args)]
pub struct BookingAndMapping {
    /// The booking
    #[arg(long, value_name = "FILE")]
    pub booking: PathBuf,

    /// The mapping
    #[arg(long, value_name = "FILE")]
    pub mapping: PathBuf,

    /// Format of the booking
    #[arg(long, default_value = "native", value_parser = format())]
    pub format: &'static dyn Intake,

    /// Which component and connection
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// Arguments of `live-check`.
#[derive(Debug, Args)]
#[command(after_help = LIVE_ORG)]
pub struct LiveCheck {
    /// A stored connection [default: the org that the environment names]
    #[arg(long, value_name = "NAME")]
    pub team: Option<String>,

    /// Revoke the stored connection as the last step; a connection made for the check is always revoked
    #[arg(long, requires = "team")]
    pub revoke: bool,

    /// Where connections are kept
    #[command(flatten)]
    pub databases: Databases,

    /// The component [default: the Salesforce plugin, built from this workspace]
    #[arg(long, value_name = "FILE")]
    pub component: Option<PathBuf>,

    /// The operator's policy
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,

    /// Where to write the transcript
    #[arg(long, value_name = "FILE", default_value = "live-check.jsonl")]
    pub transcript: PathBuf,

    /// Make an org file and cases for the local org from a transcript, instead of testing an org
    #[arg(long, value_name = "FILE", requires = "out")]
    pub from_transcript: Option<PathBuf>,

    /// Folder for the org file and the cases
    #[arg(long, value_name = "DIR", requires = "from_transcript")]
    pub out: Option<PathBuf>,

    /// Test an org on this machine with the cases of a transcript, instead of testing a real one
    #[arg(long, value_name = "FILE", requires = "org", conflicts_with_all = ["team", "from_transcript"])]
    pub cases: Option<PathBuf>,

    /// The org for `--cases`: a file, or the name of a built-in one
    #[arg(long, value_name = "FILE|NAME", requires = "cases")]
    pub org: Option<String>,
}

fn format() -> impl TypedValueParser<Value = &'static dyn Intake> {
    PossibleValuesParser::new(crm_intake::FORMATS.iter().map(|format| format.name()))
        .try_map(|name| crm_intake::format(&name).ok_or("no such format"))
}

/// `Lead/00Q...`. Object names may contain a slash.
fn record(text: &str) -> Result<RecordRef, String> {
    match text.rsplit_once('/') {
        Some((object, id)) if !object.is_empty() && !id.is_empty() => {
            Ok(RecordRef { object: object.to_owned(), id: id.to_owned(), url: None })
        }
        _ => Err("expected OBJECT/ID, for example Lead/00Q5e00000AbCdEAAV".to_owned()),
    }
}
