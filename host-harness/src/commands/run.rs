//! `run`: delivers one booking.

use crm_host::types::{Delivery, Effect, History, Outcome, RecordRef, UnknownTries};
use jiff::Timestamp;

use super::{
    Ending,
    booking::{self, advice_on, all_findings, codes_of, left_out, parts, show_problem, show_usage},
};
use crate::{
    brokers::Brokers,
    cli::Run,
    doubt::{Doubt, Left, instant},
    error::CliError,
    ui::{Ui, one_line},
};

pub(super) async fn run(ui: &mut Ui, doubt: &Doubt, brokers: &Brokers, arguments: &Run) -> Result<Ending, CliError> {
    let is_local = arguments.delivered.connection.team.is_none();
    if is_local {
        doubt.raise(Left::AtLocalOrg);
    }
    let Some(opened) = booking::open(ui, brokers, &arguments.delivered).await? else {
        return Ok(Ending::Refused);
    };
    let Some(resolved) = opened.resolve(ui, &arguments.delivered.mapping).await? else {
        opened.connected.close(ui).await;
        return Ok(Ending::Refused);
    };
    let connected = opened.connected;
    let plugin = &connected.plugin;
    let history = history(arguments)?;
    let earlier = history.unknown_tries;
    // Until the result is here, this try may write something that nobody knows of.
    let with_this = with_try(earlier, history.now);
    let settle = |tries: Option<UnknownTries>| match tries {
        _ if is_local => doubt.raise(Left::AtLocalOrg),
        Some(tries) => doubt.raise(Left::Tries(tries)),
        None => doubt.clear(),
    };
    settle(Some(with_this));
    let called = connected
        .patiently(
            ui,
            plugin.on_booking_completed(&connected.connection, &resolved.booking, &resolved.mapping, &history),
        )
        .await;
    let unknown = |effect| if effect == Effect::Unknown { Some(with_this) } else { earlier };
    let (answer, usage) = match called {
        Ok(called) => parts(called),
        Err(error) => {
            settle(unknown(error.effect()));
            return Err(error.into());
        }
    };
    let ending = match answer {
        Ok(mut delivery) => {
            let mut findings = all_findings(&resolved, std::mem::take(&mut delivery.findings));
            if matches!(delivery.outcome, Outcome::Kept | Outcome::AlreadyDelivered | Outcome::Ignored) {
                // Nothing was written that the host's findings about values could concern.
                findings.drain(..resolved.findings.len());
            }
            let advice = advice_on(ui, plugin, codes_of(&findings)).await;
            ui.json(&serde_json::json!({
                "delivery": delivery,
                "findings": findings,
                "advice_on_findings": advice,
                "usage": usage,
            }))?;
            show_delivery(ui, &delivery);
            ui.findings(&findings, &advice);
            let left_out = left_out(&findings);
            if left_out > 0 {
                ui.print(ui.say.left_out_count(left_out));
            }
            // What nobody was shown stays unknown.
            if !ui.is_closed() {
                settle(None);
            }
            for record in &delivery.records {
                connected.show_lead(ui, &record.id);
            }
            Ending::Done
        }
        Err(problem) => {
            let tries = if problem.settles_earlier_tries() { None } else { unknown(problem.effect) };
            settle(tries);
            let problem = resolved.origins.explain_problem(problem);
            show_problem(ui, plugin, &problem, &resolved.findings, tries, Some(&usage)).await?;
            for record in &problem.problem.made {
                ui.note(ui.say.name_record(one_line(&shown(record))));
            }
            Ending::Refused
        }
    };
    show_usage(ui, plugin, &usage);
    connected.close(ui).await;
    Ok(ending)
}

/// What a ledger would know, as far as the arguments say.
fn history(arguments: &Run) -> Result<History, CliError> {
    let now = Timestamp::now();
    let unknown_tries = match (arguments.unknown_since, arguments.unknown_until) {
        (None, _) => None,
        (Some(since), until) => {
            let until = until.unwrap_or(since);
            if since > until || until > now {
                return Err(CliError::UnknownTries);
            }
            Some(UnknownTries { oldest: instant(since), newest: instant(until) })
        }
    };
    Ok(History {
        now: instant(now),
        records: arguments.known.records.clone(),
        first_try: unknown_tries.map(|tries| tries.oldest),
        unknown_tries,
        ..History::default()
    })
}

/// Earlier tries of unknown outcome together with one that begins now.
fn with_try(earlier: Option<UnknownTries>, now: u64) -> UnknownTries {
    match earlier {
        Some(tries) => UnknownTries { oldest: tries.oldest.min(now), newest: tries.newest.max(now) },
        None => UnknownTries { oldest: now, newest: now },
    }
}

/// The history of a first try.
pub(super) fn first_try() -> History {
    History { now: instant(Timestamp::now()), ..History::default() }
}

fn shown(record: &RecordRef) -> String {
    format!("{}/{}", record.object, record.id)
}

pub(super) fn show_delivery(ui: &Ui, delivery: &Delivery) {
    let say = &ui.say;
    let mut records = delivery.records.iter();
    let line = |record: &RecordRef| {
        let url = record.url.as_ref().map_or(String::new(), |url| format!("\n  {}", one_line(url)));
        format!("{}{url}", one_line(&shown(record)))
    };
    let first = records.next().map(line).unwrap_or_default();
    let done = match &delivery.outcome {
        Outcome::Created => say.outcome_created(first),
        Outcome::Updated => say.outcome_updated(first),
        Outcome::Kept => say.outcome_kept(first),
        Outcome::AlreadyDelivered => say.outcome_already_delivered(first),
        Outcome::Ignored => say.outcome_ignored(),
        Outcome::Other(outcome) => say.outcome_other(one_line(outcome), first),
    };
    ui.print(done.trim_end());
    for record in records {
        ui.print(format!("  {}", say.and_record(line(record))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_try_joins_the_earlier_ones_at_either_end() {
        let tries = |oldest, newest| UnknownTries { oldest, newest };
        assert_eq!(with_try(None, 5), tries(5, 5));
        assert_eq!(with_try(Some(tries(1, 3)), 5), tries(1, 5));
        // The clock was set back.
        assert_eq!(with_try(Some(tries(7, 9)), 5), tries(5, 9));
    }
}
