//! `check`: checks a mapping against the org's fields and the form.

use crm_booking::{Event, Explained, expectations};
use crm_host::types::Consequence;

use super::{
    Ending,
    booking::{self, answered, parts},
};
use crate::{cli::BookingAndMapping, error::CliError, input::InputError, ui::Ui};

pub(super) async fn run(ui: &mut Ui, arguments: &BookingAndMapping) -> Result<Ending, CliError> {
    let Some(opened) = booking::open(ui, arguments).await? else {
        return Ok(Ending::Refused);
    };
    let expected = expectations(&opened.booking.questions(), &opened.mapping, Event::Confirmed, &opened.fields)
        .map_err(|source| InputError::Unresolvable { file: arguments.mapping.clone(), source })?;
    let connected = opened.connected;
    let plugin = &connected.plugin;
    let called = plugin.check_mapping(&connected.connection, &expected.mapping, &expected.questions).await?;
    let (answer, usage) = parts(called);
    let ending = match answered(ui, plugin, answer).await? {
        Some(findings) => {
            let findings: Vec<Explained> =
                findings.into_iter().map(|finding| expected.origins.explain(finding)).collect();
            ui.json(&serde_json::json!({ "findings": findings, "usage": usage }))?;
            if findings.is_empty() {
                ui.print("No findings: a booking can be delivered.");
            }
            ui.findings(&findings);
            let refused = findings.iter().any(|found| found.finding.consequence == Consequence::Refused);
            if refused { Ending::Refused } else { Ending::Done }
        }
        None => Ending::Refused,
    };
    connected.close().await;
    Ok(ending)
}
