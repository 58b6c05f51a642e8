//! `check`: checks a mapping against the org's fields and the form.

use crm_booking::{EVENTS, Event, expectations};
use crm_host::types::Consequence;

use super::{
    Ending,
    booking::{self, Opened, answered, parts},
};
use crate::{cli::BookingAndMapping, error::CliError, ui::Ui};

pub(super) async fn run(ui: &mut Ui, arguments: &BookingAndMapping) -> Result<Ending, CliError> {
    let Some(opened) = booking::open(ui, arguments).await? else {
        return Ok(Ending::Refused);
    };
    let Opened { connected, booking, mapping, fields, .. } = opened;
    let plugin = &connected.plugin;
    // The plugin reports unknown options itself.
    let mut findings = Vec::new();
    let mut usages = Vec::new();
    let mut checked = None;
    for event in EVENTS {
        let expected = expectations(&booking.questions(), &mapping, event, &fields);
        let mut found = expected.findings;
        // An event that sends the same rows as the one before needs no second look at the org.
        let is_new = checked.as_ref() != Some(&expected.mapping);
        if is_new && (event != Event::Cancelled || !expected.mapping.rows.is_empty()) {
            let called = plugin.check_mapping(&connected.connection, &expected.mapping, &expected.questions).await?;
            let (answer, usage) = parts(called);
            let Some(of_plugin) = answered(ui, plugin, answer).await? else {
                connected.close().await;
                return Ok(Ending::Refused);
            };
            found.extend(of_plugin.into_iter().map(|finding| expected.origins.explain(finding)));
            usages.push(usage);
            checked = Some(expected.mapping);
        }
        for found in found {
            // A cancellation writes to a record that exists, so that required fields need no row.
            let applies = event != Event::Cancelled || !found.row_ids.is_empty();
            if applies && !findings.contains(&found) {
                findings.push(found);
            }
        }
    }
    ui.json(&serde_json::json!({ "findings": findings, "usages": usages }))?;
    if findings.is_empty() {
        ui.print("No findings: a booking can be delivered.");
    }
    ui.findings(&findings);
    connected.close().await;
    let refused = findings.iter().any(|found| found.finding.consequence == Consequence::Refused);
    Ok(if refused { Ending::Refused } else { Ending::Done })
}
