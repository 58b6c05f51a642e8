//! Arguments of the commands that accept, deliver and look after bookings.

use std::{net::SocketAddr, path::PathBuf};

use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use crm_contract::RecordRef;
use crm_delivery::State;

use super::record;

/// Where bookings and connections are kept.
#[derive(Clone, Debug, Args)]
pub struct Databases {
    /// Folder of stored connections and, without --postgres, of bookings
    #[arg(long, value_name = "DIR", env = "HARNESS_DATA", default_value = ".host-harness")]
    pub data: PathBuf,

    /// PostgreSQL for bookings and connections, as postgres://user:password@host/database; HARNESS_STORE_KEY holds the key
    #[arg(long, value_name = "URL", env = "HARNESS_POSTGRES", hide_env_values = true)]
    pub postgres: Option<String>,
}

const SERVING: &str = "\
The process accepts bookings at POST /v1/teams/TEAM/calendars/CALENDAR/bookings and webhooks at
POST /hooks/SERVICE/TEAM/CALENDAR; /v1/openapi.json describes the rest. It answers 202 once a booking is durable.
Ctrl-C or SIGTERM ends it: bookings under way are finished, the others wait. A second one ends it at once; what was under way then
is looked for before it is created.

--settings FILE is TOML: docs/operating.md lists its keys.";

/// Arguments of `serve`.
#[derive(Debug, Args)]
#[command(after_help = SERVING)]
pub struct Serve {
    /// Where bookings and connections are kept
    #[command(flatten)]
    pub databases: Databases,

    /// Address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8920")]
    pub listen: SocketAddr,

    /// What delivers
    #[command(flatten)]
    pub delivering: Delivering,

    /// Run a Salesforce org on this machine too, with a team that is connected to it, to try things out
    #[arg(long)]
    pub local_org: bool,
}

/// Arguments of `worker`.
#[derive(Debug, Args)]
pub struct WorkerArgs {
    /// Where bookings and connections are kept
    #[command(flatten)]
    pub databases: Databases,

    /// What delivers
    #[command(flatten)]
    pub delivering: Delivering,
}

/// Which plugin delivers, and how.
#[derive(Debug, Args)]
pub struct Delivering {
    /// The component [default: the Salesforce plugin, built from this workspace]
    #[arg(long = "plugin", value_name = "FILE")]
    pub component: Option<PathBuf>,

    /// The operator's policy, which narrows what the plugin may do
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,

    /// Times, limits and alerts
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
}

/// `team ...`
#[derive(Debug, Subcommand)]
pub enum TeamCommand {
    /// Add a team, or rename it
    Create {
        /// The team's id, as in its bookings
        id: String,
        /// Its name for people [default: the id]
        #[arg(long)]
        name: Option<String>,
        /// Where bookings and connections are kept
        #[command(flatten)]
        databases: Databases,
    },
    /// List all teams
    List {
        /// Where bookings and connections are kept
        #[command(flatten)]
        databases: Databases,
    },
}

/// `token ...`
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it; it is not shown again
    Create {
        /// The team that it is for; without one, it is an operator's
        #[arg(long)]
        team: Option<String>,
        /// What it may do: hand over bookings, or all of its team's
        #[arg(long, value_parser = ["intake", "admin"], default_value = "intake", requires = "team")]
        scope: String,
        /// Where bookings and connections are kept
        #[command(flatten)]
        databases: Databases,
    },
    /// List all tokens, without their text
    List {
        /// Where bookings and connections are kept
        #[command(flatten)]
        databases: Databases,
    },
    /// Revoke a token; servers notice within five seconds
    Revoke {
        /// Its id, as `token list` shows it
        id: String,
        /// Where bookings and connections are kept
        #[command(flatten)]
        databases: Databases,
    },
}

/// `calendar ...`
#[derive(Debug, Subcommand)]
pub enum CalendarCommand {
    /// Save a mapping as the calendar's next version
    Map {
        /// The team
        #[arg(long)]
        team: String,
        /// The calendar
        #[arg(long)]
        calendar: String,
        /// The plugin's id, or PLUGIN.TARGET for another target than its first
        #[arg(long, default_value = "salesforce-leads")]
        integration: String,
        /// The mapping
        #[arg(value_name = "FILE")]
        mapping: PathBuf,
        /// Where bookings and connections are kept
        #[command(flatten)]
        databases: Databases,
    },
    /// Set the secrets by which a service's webhooks for a team are recognized; no file switches the hook off
    Hook {
        /// The team
        #[arg(long)]
        team: String,
        /// The service: timerex, calendly or calcom
        #[arg(long)]
        service: String,
        /// Files with a secret each, which only you can read. With two, the old one still works.
        #[arg(value_name = "FILE")]
        secrets: Vec<PathBuf>,
        /// Where bookings and connections are kept
        #[command(flatten)]
        databases: Databases,
    },
}

/// `deliveries ...`
#[derive(Debug, Subcommand)]
pub enum DeliveriesCommand {
    /// List deliveries, the newest first
    List {
        /// Which ones
        #[command(flatten)]
        filter: DeliveryFilter,
        /// How many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
        /// Only those with a lower id
        #[arg(long, value_name = "ID")]
        before: Option<u64>,
        /// Where bookings and connections are kept
        #[command(flatten)]
        databases: Databases,
    },
    /// Group deliveries that wait by their cause, the earliest meeting first
    Causes {
        /// Of one team
        #[arg(long)]
        team: Option<String>,
        /// Where bookings and connections are kept
        #[command(flatten)]
        databases: Databases,
    },
    /// Show a delivery with its tries and what the last one found
    Show {
        /// Its id
        id: u64,
        /// Where bookings and connections are kept
        #[command(flatten)]
        databases: Databases,
    },
    /// Send again: one delivery, or all that the filter selects, after showing how many
    Retry {
        /// The id of one
        id: Option<u64>,
        /// You looked at the CRM for what its tries may have written, and found no record
        #[arg(long, requires = "id")]
        looked: bool,
        /// The record that you found, as OBJECT/ID
        #[arg(long, value_name = "OBJECT/ID", value_parser = record, requires = "id")]
        record: Option<RecordRef>,
        /// Which ones
        #[command(flatten)]
        filter: DeliveryFilter,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Where bookings and connections are kept
        #[command(flatten)]
        databases: Databases,
    },
    /// Give a delivery up; records that its tries made stay at the CRM
    Cancel {
        /// Its id
        id: u64,
        /// Where bookings and connections are kept
        #[command(flatten)]
        databases: Databases,
    },
    /// Write all selected deliveries as JSON lines, without personal data
    Export {
        /// Which ones
        #[command(flatten)]
        filter: DeliveryFilter,
        /// Where bookings and connections are kept
        #[command(flatten)]
        databases: Databases,
    },
}

/// Which deliveries.
#[derive(Clone, Debug, Args)]
pub struct DeliveryFilter {
    /// Of one team
    #[arg(long)]
    pub team: Option<String>,
    /// Of one calendar
    #[arg(long)]
    pub calendar: Option<String>,
    /// In one state, such as needs-attention
    #[arg(long, value_parser = state())]
    pub state: Option<State>,
    /// With one cause, as `deliveries causes` shows it
    #[arg(long, value_name = "CODE")]
    pub cause: Option<String>,
    /// Of one booking
    #[arg(long, value_name = "ID")]
    pub booking: Option<String>,
    /// Accepted at this time or later (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub from: Option<jiff::Timestamp>,
    /// Accepted before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub until: Option<jiff::Timestamp>,
}

/// Arguments of `recover`.
#[derive(Debug, Args)]
pub struct Recover {
    /// When the backup was made (RFC 3339); earlier is safe, later is not
    #[arg(long, value_name = "TIME")]
    pub from_backup: jiff::Timestamp,

    /// Where bookings and connections are kept
    #[command(flatten)]
    pub databases: Databases,
}

/// Arguments of `erase`.
#[derive(Debug, Args)]
pub struct Erase {
    /// The guest's email address
    #[arg(long, value_name = "EMAIL")]
    pub guest: String,

    /// Where bookings and connections are kept
    #[command(flatten)]
    pub databases: Databases,
}

fn state() -> impl TypedValueParser<Value = State> {
    PossibleValuesParser::new(State::ALL.map(State::name)).try_map(|name| State::named(&name).ok_or("no such state"))
}
