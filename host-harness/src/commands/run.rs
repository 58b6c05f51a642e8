//! `run`: delivers one booking.

use crm_booking::Explained;
use crm_host::types::{Delivery, History, Outcome, Reaction, UnknownTries};
use jiff::Timestamp;

use super::{
    Ending,
    booking::{self, all_findings, parts, show_problem, show_usage},
};
use crate::{cli::Run, error::CliError, ui::Ui};

pub(super) async fn run(ui: &mut Ui, arguments: &Run) -> Result<Ending, CliError> {
    let Some(opened) = booking::open(ui, &arguments.delivered).await? else {
        return Ok(Ending::Refused);
    };
    let resolved = opened.resolve(&arguments.delivered)?;
    let connected = opened.connected;
    let began = Timestamp::now();
    let history = match arguments.unknown_since {
        Some(since) => after_unknown(began, since),
        None => first_try(),
    };
    let plugin = &connected.plugin;
    let called =
        plugin.on_booking_completed(&connected.connection, &resolved.booking, &resolved.mapping, &history).await;
    let (answer, usage) = match called {
        Ok(called) => parts(called),
        Err(error) => {
            if error.may_have_written() {
                look_first(ui, began);
            }
            return Err(error.into());
        }
    };
    let ending = match answer {
        Ok(mut delivery) => {
            let mut findings = all_findings(&resolved, std::mem::take(&mut delivery.findings));
            if matches!(delivery.outcome, Outcome::Kept | Outcome::AlreadyDelivered) {
                // Nothing was written that the host's findings about values could concern.
                findings.drain(..resolved.findings.len());
            }
            ui.json(&serde_json::json!({ "delivery": delivery, "findings": findings, "usage": usage }))?;
            show_delivery(ui, &delivery, &findings);
            connected.show_lead(ui, &delivery.lead_id);
            Ending::Done
        }
        Err(problem) => {
            let problem = resolved.origins.explain_problem(problem);
            show_problem(ui, plugin, &problem, &resolved.findings).await?;
            if problem.problem.reaction == Reaction::CheckFirst {
                look_first(ui, arguments.unknown_since.unwrap_or(began));
            }
            Ending::Refused
        }
    };
    show_usage(ui, plugin, &usage);
    connected.close().await;
    Ok(ending)
}

/// The command has no ledger, so the person who runs it must remember what a ledger would.
fn look_first(ui: &Ui, since: Timestamp) {
    ui.note(format!(
        "A Lead may have been written. To look for it before creating another, run again with --unknown-since {}",
        text(since)
    ));
}

/// The history of a first try.
pub(super) fn first_try() -> History {
    History { now: text(Timestamp::now()), lead_id: None, first_try: None, unknown_tries: None }
}

fn after_unknown(now: Timestamp, since: Timestamp) -> History {
    let since = text(since);
    let unknown_tries = Some(UnknownTries { oldest: since.clone(), newest: since.clone() });
    History { now: text(now), lead_id: None, first_try: Some(since), unknown_tries }
}

fn text(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub(super) fn show_delivery(ui: &Ui, delivery: &Delivery, findings: &[Explained]) {
    let done = match delivery.outcome {
        Outcome::Created => "Created Lead",
        Outcome::Updated => "Updated Lead",
        Outcome::Kept => "Left unchanged: Lead",
        Outcome::AlreadyDelivered => "Already delivered: Lead",
    };
    let url = delivery.lead_url.as_ref().map_or(String::new(), |url| format!("\n  {url}"));
    ui.print(format!("{done} {}{url}", delivery.lead_id));
    ui.findings(findings);
}
