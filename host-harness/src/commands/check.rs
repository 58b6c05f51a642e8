//! `check`: checks a mapping against the org's fields and the form.

use crm_booking::{EVENTS, Event, Expected, Explained, expectations};
use crm_host::types::Consequence;
use crm_intake::Received;

use super::{
    Ending,
    booking::{self, Opened, advice_on, answered, codes_of, parts},
};
use crate::{brokers::Brokers, cli::BookingAndMapping, error::CliError, ui::Ui};

pub(super) async fn run(ui: &mut Ui, brokers: &Brokers, arguments: &BookingAndMapping) -> Result<Ending, CliError> {
    let Some(opened) = booking::open(ui, brokers, arguments).await? else {
        return Ok(Ending::Refused);
    };
    let Opened { connected, received: Received { booking, findings: unread }, mapping, mut memos } = opened;
    let (plugin, target) = (&connected.plugin, mapping.target());
    let questions = booking.questions();
    // The plugin reports unknown options itself.
    let mut findings: Vec<Explained> = unread;
    let mut usages = Vec::new();
    let mut checked_rows = None;
    for event in EVENTS {
        let expected = expectations(&questions, &mapping, event, &memos, booking.calendar.locale.as_deref());
        let Expected { rows, options, findings: mut found, origins } = expected;
        // An event with the same rows as the one before needs no second look at the org.
        let is_new = checked_rows.as_ref() != Some(&rows);
        if is_new && (event != Event::Cancelled || !rows.is_empty()) {
            let kind = event.to_contract();
            let called = plugin.check_mapping(&connected.connection, &kind, target, &rows, &options).await?;
            let (answer, usage) = parts(called);
            let Some(checked) = answered(ui, plugin, answer).await? else {
                connected.close().await;
                return Ok(Ending::Refused);
            };
            found.extend(checked.findings.into_iter().map(|finding| origins.explain(finding)));
            usages.push(usage);
            for (row, memo) in checked.memos {
                if let Some(row) = usize::try_from(row).ok().and_then(|row| rows.get(row)) {
                    memos.replace(&row.field, memo);
                }
            }
            checked_rows = Some(rows);
        }
        for found in found {
            if !findings.contains(&found) {
                findings.push(found);
            }
        }
    }
    connected.keep_memos(target, &memos).await?;
    let advice = advice_on(ui, plugin, codes_of(&findings)).await;
    ui.json(&serde_json::json!({ "findings": findings, "advice_on_findings": advice, "usages": usages }))?;
    if findings.is_empty() {
        ui.print("No findings: a booking can be delivered.");
    }
    ui.findings(&findings, &advice);
    connected.close().await;
    // The command refuses a booking if a row for it writes a field that the plugin does not list.
    let refuses = |found: &Explained| {
        found.finding.consequence == Consequence::Refused || found.finding.code == crm_booking::codes::FIELD_UNKNOWN
    };
    let refused = findings.iter().any(refuses);
    Ok(if refused { Ending::Refused } else { Ending::Done })
}
