//! `doctor`: checks a connection and explains how to repair it.

use crm_booking::Explained;

use super::{
    Ending,
    booking::{advice_on, codes_of, parts, show_problem, show_usage},
};
use crate::{
    brokers::Brokers,
    cli::ConnectionArgs,
    connection::Connected,
    error::CliError,
    ui::{Ui, one_line},
};

pub(super) async fn run(ui: &mut Ui, brokers: &Brokers, arguments: &ConnectionArgs) -> Result<Ending, CliError> {
    let connected = Connected::open(ui, brokers, arguments).await?;
    let plugin = &connected.plugin;
    let (answer, usage) =
        parts(connected.patiently(ui, plugin.check_connection(&connected.connection, ui.locale())).await?);
    let ending = match answer {
        Ok(account) => {
            let findings: Vec<Explained> = account.findings.iter().cloned().map(Into::into).collect();
            let advice = advice_on(ui, plugin, codes_of(&findings)).await;
            ui.json(&serde_json::json!({ "account": account, "advice_on_findings": advice, "usage": usage }))?;
            ui.print(ui.say.connection_works());
            let name = account.name.clone().unwrap_or_default();
            let account_line = [name.as_str(), account.id.as_str()].join(" ");
            if !account_line.trim().is_empty() {
                ui.print(format!("  {}", one_line(account_line.trim())));
            }
            ui.table(&["", ""], account.facts.iter().map(|fact| vec![fact.label.clone(), fact.value.clone()]));
            ui.findings(&findings, &advice);
            Ending::Done
        }
        Err(problems) => {
            if ui.is_json() {
                let codes = problems.iter().map(|problem| (problem.code.as_str(), problem.particulars.as_slice()));
                let advice = advice_on(ui, plugin, codes).await;
                ui.json(&serde_json::json!({ "problems": problems, "advice_on_problems": advice, "usage": usage }))?;
            } else {
                for problem in &problems {
                    show_problem(ui, plugin, &problem.clone().into(), &[], None, None).await?;
                }
            }
            Ending::Refused
        }
    };
    show_usage(ui, plugin, &usage);
    connected.close(ui).await;
    Ok(ending)
}
