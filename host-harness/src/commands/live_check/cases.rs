//! `live-check --cases`: tests an org on this machine with the refusals of a real one.

use std::path::Path;

use crm_host::{credentials::ClientRegistration, secret::Secret};
use salesforce_live_check::{Case, replay};
use salesforce_local_org::Options;

use super::{Ending, by_client_credentials};
use crate::{brokers::Brokers, cli::LiveCheck, error::CliError, files, orgs, ui::Ui};

pub(super) async fn run(
    ui: &mut Ui,
    brokers: &Brokers,
    arguments: &LiveCheck,
    cases: &Path,
    org: &str,
) -> Result<Ending, CliError> {
    let cases = Case::parse_all(&files::read_text(cases)?)?;
    let org = salesforce_local_org::serve(orgs::find(Some(org))?, Options::default()).await?;
    let app = org.app();
    let client = ClientRegistration { client_id: app.client_id, client_secret: Some(Secret::new(app.client_secret)) };
    let subject = by_client_credentials(ui, brokers, arguments, org.base_url(), client).await?;
    subject.connect().await?;
    let replayed = replay(&subject, &cases).await;
    org.stop().await;

    let differing = replayed.iter().filter(|case| !case.is_alike()).count();
    let listed: Vec<_> = replayed
        .iter()
        .map(|case| {
            let (id, expected, found) = (&case.case.id, case.expected(), case.found());
            serde_json::json!({ "id": id, "alike": case.is_alike(), "expected": expected, "found": found })
        })
        .collect();
    ui.json(&serde_json::json!({ "cases": listed }))?;
    for case in &replayed {
        let mark = if case.is_alike() { ui.say.live_alike() } else { ui.say.live_differs() };
        ui.print(format!("{mark:>7}  {:<28} {}", case.case.id, case.found()));
        if !case.is_alike() {
            ui.print(format!("{:9}{}", "", ui.say.live_expected(case.expected())));
        }
    }
    ui.print(format!("\n{}", ui.say.live_cases(replayed.len() - differing, replayed.len())));
    Ok(if differing == 0 { Ending::Done } else { Ending::Refused })
}
