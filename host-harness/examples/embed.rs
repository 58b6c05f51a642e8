//! How a platform embeds the Salesforce plugin: README.md quotes the region `embed`.
//!
//! `cargo run --example embed -- COMPONENT DATA POLICY BOOKING MAPPING` connects the team `team-42` and delivers a booking.

// region: embed
use std::{error::Error, path::Path, sync::Arc};

use crm_booking::{Booking, Explained, Mapping, Memos};
use crm_host::{
    Host, Plugin,
    credentials::{
        Asker, Builds, ClientRegistration, ConnectError, ConnectRequest, ConnectionId, Pending, Registration,
    },
    manifest::GrantType,
    policy::Policy,
    secret::Secret,
    types::Effect,
};
use crm_store::SqliteStore;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Once per process. The first line of `main` is `if let Some(code) = crm_host::run_as_compiler() { return code; }`.
async fn load(component: &Path, data: &Path, policy: &str, client: ClientRegistration) -> Fallible<Plugin> {
    let component = std::fs::read(component)?;
    let digest = crm_host::Inspection::read(&component)?.sha256; // yours is a constant: the build that you trust, as `inspect` prints it
    let host = Host::builder()
        .plugin("salesforce-leads".parse()?, Builds::Sha256([digest].into()))
        .registration(
            "salesforce-leads".parse()?,
            "salesforce".parse()?,
            Registration {
                client,
                // The only hosts that the client's secret and tokens are exchanged with.
                login_hosts: vec!["https://login.salesforce.com".parse()?, "https://*.my.salesforce.com".parse()?],
                grant_types: [GrantType::AuthorizationCode].into(),
            },
        )
        .policy("salesforce-leads".parse()?, Policy::from_toml(policy)?) // TOML that narrows what it may do: docs/policy.md
        .secrets(Arc::new(SqliteStore::open(data)?)) // or your own SecretStore
        .compiler(std::env::current_exe()?) // compiles in a process of its own, under limits
        .compiled_cache(data.join("compiled")) // compiles each component once
        .observe(|seen| println!("{seen:?}")) // each request with its outcome, and each denial: your audit log
        .build()?;
    Ok(host.load(&component).await?)
}

/// A person connects their team: returns where to send the browser, and what to keep until it comes back. `browser` is a secret that
/// only their browser has, such as a cookie's value.
fn begin(plugin: &Plugin, team: &ConnectionId, asker: &Asker, browser: &Secret) -> Fallible<(String, Secret)> {
    let pending = plugin.broker().begin(ConnectRequest {
        connection: team,
        credential: "salesforce",
        login_host: "https://login.salesforce.com",
        redirect_uri: "https://scheduler.example/callback",
        asker, // Asker::person(roles, plans): must satisfy `connect_roles` and `plan` of the manifest
        browser,
    })?;
    // Sealed, by pending.state(): any of your processes can finish within ten minutes. One process can keep `pending` itself.
    Ok((pending.authorize_url().to_string(), pending.to_secret()?))
}

/// At the callback. Delete `kept` before.
async fn finish(plugin: &Plugin, kept: &Secret, callback_query: &str, browser: &Secret) -> Fallible<String> {
    match plugin.broker().finish(Pending::from_secret(kept)?, callback_query, browser).await {
        Ok(connected) => Ok(format!("connected to {}", connected.origin)),
        Err(ConnectError::Refused(refused)) => Ok(plugin.explain_refusal(refused).await?.answer.message),
        Err(error) => Err(error.into()),
    }
}

/// When a mapping is saved: keep what the plugin notes about its fields.
async fn memos(plugin: &Plugin, team: &ConnectionId, mapping: &Mapping) -> Fallible<Memos> {
    let listed = plugin.list_lead_fields(team, mapping.target(), "ja").await?.answer;
    Ok(Memos::of_list(&listed.map_err(|problem| problem.message)?))
}

/// One try to deliver a booking; returns what was noticed. `Ledger` is below: it is durable, and gives `history`.
async fn deliver(
    plugin: &Plugin,
    team: &ConnectionId,
    ledger: &Ledger,
    (booking, mapping, memos): (&Booking, &Mapping, &Memos),
) -> Fallible<Vec<Explained>> {
    let history = ledger.begin(&booking.id, now()); // noted durably before anything is sent
    let resolved = crm_booking::resolve(booking, mapping, memos);
    let mut findings = resolved.findings; // what the host itself found, such as an unknown question
    let called = plugin.on_booking_completed(team, &resolved.booking, &resolved.mapping, &history).await;
    match called.map(|called| called.answer) {
        Ok(Ok(delivery)) => {
            findings.extend(delivery.findings.into_iter().map(|finding| resolved.origins.explain(finding)));
            ledger.delivered(&booking.id, delivery.records);
        }
        Ok(Err(problem)) => {
            // `check-first` and every other reaction: only what this very try may have written is named in later tries.
            ledger.ended(&booking.id, history.now, problem.effect == Effect::Unknown, problem.settles_earlier_tries());
            let problem = resolved.origins.explain_problem(problem); // with rows and questions
            println!("{} {:?} {:?}", problem.problem.code, problem.problem.reaction, problem.row_ids);
        }
        // The plugin was stopped. It may have written all the same.
        Err(error) => ledger.ended(&booking.id, history.now, error.effect() == Effect::Unknown, false),
    }
    Ok(findings)
}
// endregion

use std::{collections::BTreeMap, process::ExitCode, sync::Mutex, time::Duration};

/// What a platform keeps of its bookings, in memory for the example. A real one is a table, and each call a transaction.
#[derive(Default)]
struct Ledger(Mutex<BTreeMap<String, crm_host::types::History>>);

impl Ledger {
    /// Notes that a try begins, and returns what earlier ones left.
    fn begin(&self, booking: &str, now: u64) -> crm_host::types::History {
        let mut tries = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let kept = tries.entry(booking.to_owned()).or_default();
        let history = crm_host::types::History { now, ..kept.clone() };
        kept.first_try.get_or_insert(now);
        history
    }

    /// The records of a booking: later tries, such as one for a moved booking, get them.
    fn delivered(&self, booking: &str, records: Vec<crm_host::types::RecordRef>) {
        let mut tries = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let kept = tries.entry(booking.to_owned()).or_default();
        kept.records = records;
        kept.unknown_tries = None;
    }

    /// A try ended without a delivery.
    fn ended(&self, booking: &str, began: u64, is_unknown: bool, settles_earlier: bool) {
        let mut tries = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let kept = tries.entry(booking.to_owned()).or_default();
        if settles_earlier {
            kept.unknown_tries = None;
        }
        if is_unknown {
            let oldest = kept.unknown_tries.map_or(began, |tries| tries.oldest.min(began));
            let newest = kept.unknown_tries.map_or(began, |tries| tries.newest.max(began));
            kept.unknown_tries = Some(crm_host::types::UnknownTries { oldest, newest });
        }
    }
}

/// Milliseconds since 1970.
fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default()
}

#[tokio::main]
async fn main() -> ExitCode {
    if let Some(code) = crm_host::run_as_compiler() {
        return code;
    }
    match embed().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn embed() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [component, data, policy, booking, mapping] = arguments.as_slice() else {
        return Err("usage: embed COMPONENT DATA POLICY BOOKING MAPPING".into());
    };
    let client = ClientRegistration {
        client_id: std::env::var("SALESFORCE_CLIENT_ID")?,
        client_secret: std::env::var("SALESFORCE_CLIENT_SECRET").ok().map(Secret::new),
    };
    let plugin = load(Path::new(component), Path::new(data), &std::fs::read_to_string(policy)?, client).await?;
    // Of a webhook body, `findings` has what could not be read.
    let received = crm_intake::Intake::read(&crm_intake::Native, &std::fs::read_to_string(booking)?, None)?;
    let crm_intake::Reading { booking, findings } = received.booking().ok_or("the file has no booking to deliver")?;
    let mapping: Mapping = crm_intake::json::parse(&std::fs::read_to_string(mapping)?)?;
    let team = ConnectionId::new("team-42");

    // A web server would do this at two requests of the same browser.
    let browser = Secret::new("the value of a cookie of this browser");
    let (address, kept) = begin(&plugin, &team, &Asker::operator(), &browser)?;
    println!("{address}\nPaste the query of the address that the browser is sent to:");
    let mut query = String::new();
    std::io::stdin().read_line(&mut query)?;
    println!("{}", finish(&plugin, &kept, query.trim(), &browser).await?);

    let memos = memos(&plugin, &team, &mapping).await?;
    let noticed = deliver(&plugin, &team, &Ledger::default(), (&booking, &mapping, &memos)).await?;
    for found in findings.into_iter().chain(noticed) {
        println!("{:?}: {}", found.row_ids, found.finding.message);
    }
    // Before the process ends: refreshed tokens that are not saved yet exist nowhere else.
    if plugin.broker().drain(Duration::from_secs(35)).await { Ok(()) } else { Err("a token may be lost".into()) }
}
