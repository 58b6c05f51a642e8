//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{
    Args, Parser, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use intake::Intake;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the command failed: a build, a file of its own, the network, a plugin that broke a limit
  2  the input is at fault: an argument, a booking, a mapping, a policy, a component file; nothing was sent
  3  the plugin answered: a problem, a finding that would refuse a booking, a connection that does not work
130  interrupted";

const LIVE_ORG: &str = "\
Environment:
  LIVE_LOGIN_HOST     the org's My Domain, such as acme--uat.sandbox.my.salesforce.com
  LIVE_CLIENT_ID      consumer key of an app with the client-credentials flow
  LIVE_CLIENT_SECRET  its consumer secret

Test Leads are created and deleted. Use a sandbox or a Developer Edition org.";

/// Builds, inspects and tries plugins that turn bookings into CRM leads.
#[derive(Debug, Parser)]
#[command(name = "host-harness", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    /// Print JSON for machines on standard output
    #[arg(long, global = true)]
    pub json: bool,

    /// Language of explanations, as a BCP 47 tag; without it, that of the environment (LC_ALL, LANG)
    #[arg(long, global = true, value_name = "TAG")]
    pub locale: Option<String>,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the main job from end to end on this machine: a webhook booking becomes a Lead
    Demo(Demo),
    /// Build the plugin's component
    Build(Build),
    /// Show what a component is and what it may do, without running it
    Inspect(Inspect),
    /// Run a Salesforce org on this machine until it is stopped
    Org(Org),
    /// Connect a team to its org, in the browser
    Connect(Connect),
    /// Revoke a team's grant and forget it
    Disconnect(Disconnect),
    /// Check that a connection works, and say what to do if it does not
    Doctor(Target),
    /// List the fields that can be mapped, and those that cannot
    Fields(Target),
    /// Deliver one booking
    Run(Run),
    /// Show what delivering a booking would write, without writing
    Preview(BookingAndMapping),
    /// Hold a mapping against the org's fields and the form of a booking
    Check(BookingAndMapping),
    /// Try the plugin against a real org, step by step, and keep a transcript without secrets and personal data
    LiveCheck(LiveCheck),
}

/// Which component is run, and for which connection.
#[derive(Clone, Debug, Args)]
pub struct Target {
    /// The component; without it, the Salesforce plugin is built from this workspace
    #[arg(long, value_name = "FILE")]
    pub component: Option<PathBuf>,

    /// A stored connection; without it, an org is run on this machine for as long as the command takes
    #[arg(long, value_name = "NAME")]
    pub team: Option<String>,

    /// Where connections are stored
    #[arg(long, value_name = "DIR", env = "HARNESS_DATA", default_value = ".host-harness")]
    pub data: PathBuf,

    /// The operator's policy, which narrows what the plugin may do
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,

    /// The org to run on this machine: a file, or the name of one that is built in (see `org --list`)
    #[arg(long, value_name = "FILE|NAME", conflicts_with = "team")]
    pub org: Option<String>,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// The component; without it, the Salesforce plugin is built from this workspace
    #[arg(long, value_name = "FILE")]
    pub component: Option<PathBuf>,
}

/// Arguments of `build`.
#[derive(Debug, Args)]
pub struct Build {
    /// The package of this workspace to build
    #[arg(long, value_name = "NAME", default_value = "salesforce-leads")]
    pub package: String,

    /// Where the component goes; without it, target/component/<package>.wasm
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Arguments of `inspect`.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The component
    pub file: PathBuf,

    /// The operator's policy, to show what is left of the manifest
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

    /// The org: a file (its keys are in docs/local-org.md), or the name of one that is built in
    #[arg(long, value_name = "FILE|NAME")]
    pub file: Option<String>,

    /// Make the org from a describe result of somebody's own org
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub describe: Option<PathBuf>,

    /// Keep Leads and grants in a file, so that a restart has them
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,

    /// Print BASE_URL, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, EXT_ID_FIELD and ADMIN_URL as shell assignments, then serve
    #[arg(long)]
    pub print_env: bool,

    /// List the orgs that are built in
    #[arg(long)]
    pub list: bool,
}

/// Arguments of `connect`.
#[derive(Debug, Args)]
pub struct Connect {
    /// Where the org's people log in: https://login.salesforce.com for production, https://test.salesforce.com for a sandbox,
    /// an org's My Domain, or the URL of an org on this machine
    #[arg(long, value_name = "HOST", env = "BASE_URL")]
    pub login_host: String,

    /// Name of the connection
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub team: String,

    /// Consumer key of the registered app
    #[arg(long, value_name = "ID", env = "CLIENT_ID")]
    pub client_id: String,

    /// File that holds the app's consumer secret; without it, the variable CLIENT_SECRET is read
    #[arg(long, value_name = "FILE")]
    pub client_secret_file: Option<PathBuf>,

    /// Callback URL, as it is registered with the app; must be on this machine
    #[arg(long, value_name = "URL", env = "REDIRECT_URI", default_value = "http://127.0.0.1:8917/callback")]
    pub redirect_uri: url::Url,

    /// Open the page in a browser instead of only printing its address
    #[arg(long)]
    pub open: bool,

    /// Where connections are stored
    #[arg(long, value_name = "DIR", env = "HARNESS_DATA", default_value = ".host-harness")]
    pub data: PathBuf,

    /// The component; without it, the Salesforce plugin is built from this workspace
    #[arg(long, value_name = "FILE")]
    pub component: Option<PathBuf>,

    /// The operator's policy
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// Arguments of `disconnect`.
#[derive(Debug, Args)]
pub struct Disconnect {
    /// Name of the connection
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub team: String,

    /// Where connections are stored
    #[arg(long, value_name = "DIR", env = "HARNESS_DATA", default_value = ".host-harness")]
    pub data: PathBuf,

    /// The component; without it, the Salesforce plugin is built from this workspace
    #[arg(long, value_name = "FILE")]
    pub component: Option<PathBuf>,

    /// The operator's policy
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// An earlier run of this booking began then (RFC 3339) and its outcome is unknown: look before creating
    #[arg(long, value_name = "TIME")]
    pub unknown_since: Option<jiff::Timestamp>,

    /// What is delivered
    #[command(flatten)]
    pub delivered: BookingAndMapping,
}

/// A booking, a mapping, and where they go.
#[derive(Debug, Args)]
pub struct BookingAndMapping {
    /// The booking
    #[arg(long, value_name = "FILE")]
    pub booking: PathBuf,

    /// The mapping
    #[arg(long, value_name = "FILE")]
    pub mapping: PathBuf,

    /// How the booking is written
    #[arg(long, default_value = "native", value_parser = format())]
    pub format: &'static dyn Intake,

    /// Which component and connection
    #[command(flatten)]
    pub target: Target,
}

/// Arguments of `live-check`.
#[derive(Debug, Args)]
#[command(after_help = LIVE_ORG)]
pub struct LiveCheck {
    /// A stored connection; without it, the org that the environment names
    #[arg(long, value_name = "NAME")]
    pub team: Option<String>,

    /// Revoke the stored connection as the last step; one made for the check always is
    #[arg(long, requires = "team")]
    pub revoke: bool,

    /// Where connections are stored
    #[arg(long, value_name = "DIR", env = "HARNESS_DATA", default_value = ".host-harness")]
    pub data: PathBuf,

    /// The component; without it, the Salesforce plugin is built from this workspace
    #[arg(long, value_name = "FILE")]
    pub component: Option<PathBuf>,

    /// The operator's policy
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,

    /// Where the transcript goes
    #[arg(long, value_name = "FILE", default_value = "live-check.jsonl")]
    pub transcript: PathBuf,

    /// Make an org file and cases for the local org of a transcript, instead of trying an org
    #[arg(long, value_name = "FILE", requires = "out")]
    pub from_transcript: Option<PathBuf>,

    /// Folder for the org file and the cases
    #[arg(long, value_name = "DIR", requires = "from_transcript")]
    pub out: Option<PathBuf>,

    /// Hold an org on this machine against the cases of a transcript, instead of trying an org
    #[arg(long, value_name = "FILE", requires = "org", conflicts_with_all = ["team", "from_transcript"])]
    pub cases: Option<PathBuf>,

    /// The org to hold against them: a file, or the name of one that is built in
    #[arg(long, value_name = "FILE|NAME", requires = "cases")]
    pub org: Option<String>,
}

fn format() -> impl TypedValueParser<Value = &'static dyn Intake> {
    PossibleValuesParser::new(intake::FORMATS.iter().map(|format| format.name()))
        .try_map(|name| intake::format(&name).ok_or("no such format"))
}
