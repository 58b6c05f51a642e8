//! `check`: checks a mapping against the org's fields and the form.

use crm_booking::{EVENTS, Event, Expected, Explained, codes, expectations};
use crm_host::types::Consequence;
use crm_intake::Reading;

use super::{
    Ending,
    booking::{self, Opened, advice_on, answered, codes_of, options_unknown, parts},
};
use crate::{brokers::Brokers, cli::BookingAndMapping, error::CliError, ui::Ui};

pub(super) async fn run(ui: &mut Ui, brokers: &Brokers, arguments: &BookingAndMapping) -> Result<Ending, CliError> {
    let Some(opened) = booking::open(ui, brokers, arguments).await? else {
        return Ok(Ending::Refused);
    };
    let Opened { connected, reading: Reading { booking, findings: unread }, mapping, mut memos } = opened;
    let (plugin, target) = (&connected.plugin, mapping.target());
    let questions = booking.questions();
    let Some(mut findings) = options_unknown(ui, &connected, &mapping).await? else {
        connected.close(ui).await;
        return Ok(Ending::Refused);
    };
    let has_unknown_options = !findings.is_empty();
    findings.extend(unread);
    let mut usages = Vec::new();
    let mut checked_rows = None;
    for event in EVENTS {
        let expected = expectations(&questions, &mapping, event, &memos, booking.calendar.locale.as_deref());
        let Expected { rows, options, findings: mut found, origins } = expected;
        // An event with the same rows as the one before needs no second look at the org.
        let is_new = checked_rows.as_ref() != Some(&rows);
        if is_new && (event != Event::Cancelled || !rows.is_empty()) {
            let kind = event.to_contract();
            let called = connected
                .patiently(ui, plugin.check_mapping(&connected.connection, &kind, target, &rows, &options))
                .await?;
            let (answer, usage) = parts(called);
            let Some(checked) = answered(ui, plugin, answer).await? else {
                connected.close(ui).await;
                return Ok(Ending::Refused);
            };
            let explained = checked.findings.into_iter().map(|finding| origins.explain(finding));
            // What the plugin says of a row without a source, and of options, is said already.
            let unknown: Vec<u32> = found.iter().filter(|found| is_unknown(found)).flat_map(rows_of).collect();
            let is_said = |found: &Explained| {
                let rows = &found.finding.rows;
                let is_of_unknown = !rows.is_empty() && rows.iter().all(|row| unknown.contains(row));
                is_of_unknown || (has_unknown_options && found.finding.code == codes::OPTION_INVALID)
            };
            found.extend(explained.filter(|found| !is_said(found)));
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
        ui.print(ui.say.no_findings());
    }
    ui.findings(&findings, &advice);
    connected.close(ui).await;
    // The command refuses a booking if a row for it writes a field that the plugin does not list, and the like.
    let refuses = |found: &Explained| {
        let code = found.finding.code.as_str();
        let is_refused = [codes::FIELD_UNKNOWN, codes::ATTRIBUTE_UNKNOWN, codes::OPTION_INVALID].contains(&code);
        found.finding.consequence == Consequence::Refused || is_refused
    };
    let refused = findings.iter().any(refuses);
    Ok(if refused { Ending::Refused } else { Ending::Done })
}

fn is_unknown(found: &Explained) -> bool {
    found.finding.code == codes::ATTRIBUTE_UNKNOWN
}

fn rows_of(found: &Explained) -> Vec<u32> {
    found.finding.rows.clone()
}
