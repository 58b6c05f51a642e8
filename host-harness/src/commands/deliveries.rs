//! `deliveries`, `recover` and `erase`: what people do with the ledger.

use std::io::{self, BufRead as _, IsTerminal as _};

use crm_contract::RecordRef;
use crm_delivery::{EntryId, Filter, Settings, Summary};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Ending;
use crate::{
    cli::{self, DeliveriesCommand, DeliveryFilter, Erase, Recover},
    databases::{As, Databases},
    doubt::instant,
    error::CliError,
    ui::Ui,
};

/// Entries of one page of an export.
const PAGE: u32 = 500;
/// Entries of one batch of a resend.
const BATCH: u32 = 200;

impl From<DeliveryFilter> for Filter {
    fn from(filter: DeliveryFilter) -> Self {
        let DeliveryFilter { team, calendar, state, cause, booking, from, until } = filter;
        Self { team, calendar, state, cause, booking, from: from.map(instant), until: until.map(instant) }
    }
}

pub(super) async fn run(ui: &Ui, command: DeliveriesCommand) -> Result<Ending, CliError> {
    let open =
        async |databases: &cli::Databases| Databases::open(ui, databases, As::Command, Settings::default()).await;
    match command {
        DeliveriesCommand::List { filter, limit, before, databases } => {
            let found = open(&databases).await?.ledger.list(&filter.into(), before.map(EntryId), limit).await?;
            ui.json(&found.iter().map(shown).collect::<Vec<_>>())?;
            show_list(ui, &found);
        }
        DeliveriesCommand::Causes { team, databases } => {
            let causes = open(&databases).await?.ledger.causes(team.as_deref()).await?;
            ui.json(&causes)?;
            let say = &ui.say;
            ui.table(
                &[
                    &say.column_team(),
                    &say.column_cause(),
                    &say.column_state(),
                    &say.column_count(),
                    &say.column_earliest_meeting(),
                ],
                causes.into_iter().map(|cause| {
                    let meeting = time_text(cause.earliest_meeting);
                    vec![cause.team, cause.code, cause.state.name().to_owned(), cause.count.to_string(), meeting]
                }),
            );
        }
        DeliveriesCommand::Show { id, databases } => {
            let detail = open(&databases).await?.ledger.show(None, EntryId(id)).await?;
            let result: Value =
                detail.detail.as_deref().and_then(|detail| serde_json::from_slice(detail).ok()).unwrap_or_default();
            ui.json(&json!({ "delivery": shown(&detail.summary), "attempts": detail.attempts, "result": result }))?;
            show_list(ui, std::slice::from_ref(&detail.summary));
            for attempt in &detail.attempts {
                let code = attempt.code.clone().unwrap_or_else(|| ui.say.try_without_end());
                let reaction = attempt.reaction.clone().unwrap_or_default();
                ui.print(format!("  {}  {code}  {reaction}", time_text(attempt.began)));
            }
            if !result.is_null() {
                ui.print(serde_json::to_string_pretty(&result)?);
            }
        }
        DeliveriesCommand::Retry { id: Some(id), looked, record, databases, .. } => {
            let looked = (looked || record.is_some()).then_some(record);
            retry_one(ui, &open(&databases).await?, EntryId(id), looked).await?;
        }
        DeliveriesCommand::Retry { id: None, filter, yes, databases, .. } => {
            return retry_many(ui, &open(&databases).await?, filter.into(), yes).await;
        }
        DeliveriesCommand::Cancel { id, databases } => {
            let is_done = open(&databases).await?.ledger.give_up(None, EntryId(id)).await?;
            ui.json(&json!({ "done": is_done }))?;
            ui.print(if is_done { ui.say.given_up(id) } else { ui.say.not_changed(id) });
        }
        DeliveriesCommand::Export { filter, databases } => {
            let (databases, filter) = (open(&databases).await?, filter.into());
            let mut before = None;
            loop {
                let page = databases.ledger.list(&filter, before, PAGE).await?;
                let Some(last) = page.last() else { break };
                before = Some(last.id);
                for summary in &page {
                    ui.line(&shown(summary).to_string());
                }
            }
        }
    }
    Ok(Ending::Done)
}

async fn retry_one(
    ui: &Ui,
    databases: &Databases,
    id: EntryId,
    looked: Option<Option<RecordRef>>,
) -> Result<(), CliError> {
    let is_done = databases.ledger.resend_one(None, id, looked).await?;
    ui.json(&json!({ "done": is_done }))?;
    ui.print(if is_done { ui.say.resent_one(id) } else { ui.say.not_changed(id) });
    Ok(())
}

/// Says how many, asks, and sends them again in batches. An interrupt ends that between two batches; what was sent stays sent.
async fn retry_many(ui: &Ui, databases: &Databases, filter: Filter, yes: bool) -> Result<Ending, CliError> {
    let count = databases.ledger.count_to_resend(&filter).await?;
    ui.note(ui.say.resend_plan(shown_count(count), count));
    if count == 0 {
        ui.json(&json!({ "resent": 0 }))?;
        return Ok(Ending::Done);
    }
    if !yes && !agrees(ui)? {
        return Err(CliError::NotConfirmed);
    }
    let (mut after, mut resent) = (None, 0);
    loop {
        let batch = databases.ledger.resend(&filter, after, BATCH).await?;
        let Some(last) = batch.last else { break };
        after = Some(last);
        resent += batch.changed;
        ui.note(ui.say.resent_so_far(resent, count));
    }
    ui.json(&json!({ "resent": resent }))?;
    ui.print(ui.say.resent_all(shown_count(resent)));
    Ok(Ending::Done)
}

/// Asks on the terminal. Without one, nobody can agree.
fn agrees(ui: &Ui) -> Result<bool, CliError> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    ui.note(ui.say.resend_question());
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|source| CliError::Unreadable { file: "standard input".into(), source })?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes" | "はい"))
}

pub(super) async fn recover(ui: &Ui, arguments: Recover) -> Result<Ending, CliError> {
    // The server must not run: it would not know.
    let databases = Databases::open(ui, &arguments.databases, As::Server, Settings::default()).await?;
    let count = databases.ledger.recover(instant(arguments.from_backup)).await?;
    ui.json(&json!({ "looked_for": count }))?;
    ui.print(ui.say.recovered(shown_count(count)));
    Ok(Ending::Done)
}

pub(super) async fn erase(ui: &Ui, arguments: Erase) -> Result<Ending, CliError> {
    let databases = Databases::open(ui, &arguments.databases, As::Command, Settings::default()).await?;
    let erased = databases.ledger.erase(&arguments.guest).await?;
    ui.json(&erased.iter().map(shown).collect::<Vec<_>>())?;
    ui.print(ui.say.erased(erased.len()));
    show_list(ui, &erased);
    Ok(Ending::Done)
}

/// A number as texts choose a plural by.
fn shown_count(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn show_list(ui: &Ui, found: &[Summary]) {
    let say = &ui.say;
    ui.table(
        &[
            &say.column_id(),
            &say.column_team(),
            &say.column_booking(),
            &say.column_state(),
            &say.column_cause(),
            &say.column_record(),
            &say.column_meeting(),
        ],
        found.iter().map(|summary| {
            let progress = &summary.progress;
            let cause = progress.cause.as_ref().filter(|_| !progress.state.is_final());
            let record = progress.records.first().map(|record| format!("{}/{}", record.object, record.id));
            vec![
                summary.id.to_string(),
                summary.team.clone(),
                summary.booking.clone(),
                progress.state.name().to_owned(),
                cause.map(|cause| cause.code.clone()).unwrap_or_default(),
                record.unwrap_or_default(),
                time_text(summary.meeting_start),
            ]
        }),
    );
}

fn time_text(instant: u64) -> String {
    let time = i64::try_from(instant).ok().and_then(|time| Timestamp::from_millisecond(time).ok());
    time.map_or_else(|| instant.to_string(), |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// An entry for machines, without personal data.
fn shown(summary: &Summary) -> Value {
    let Summary { id, team, calendar, integration, booking, change, kind, meeting_start, hold, progress } = summary;
    json!({
        "id": id,
        "team": team,
        "calendar": calendar,
        "integration": integration,
        "booking": booking,
        "change": change,
        "kind": kind,
        "state": progress.state,
        "accepted": progress.accepted,
        "meeting_start": meeting_start,
        "cause": progress.cause.as_ref().filter(|_| !progress.state.is_final()).map(|cause| &cause.code),
        "hold": hold,
        "unknown": progress.unknown.is_some(),
        "records": progress.records,
    })
}
