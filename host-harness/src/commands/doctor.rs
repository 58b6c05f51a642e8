//! `doctor`: checks a connection and explains how to repair it.

use super::{
    Ending,
    booking::{parts, show_problem, show_usage},
};
use crate::{
    cli::ConnectionArgs,
    connection::Connected,
    error::CliError,
    ui::{Ui, one_line},
};

pub(super) async fn run(ui: &mut Ui, arguments: &ConnectionArgs) -> Result<Ending, CliError> {
    let connected = Connected::open(ui, arguments).await?;
    let plugin = &connected.plugin;
    let (answer, usage) = parts(plugin.check_connection(&connected.connection).await?);
    let ending = match answer {
        Ok(account) => {
            ui.json(&serde_json::json!({ "account": account, "usage": usage }))?;
            ui.print("The connection works.");
            let unknown = || "(not readable)".to_owned();
            let user = account.username.clone().or(account.user_id.clone());
            for (name, value) in [
                ("org", format!("{} {}", account.org_id, account.org_name.clone().unwrap_or_default())),
                ("edition", account.edition.clone().unwrap_or_else(unknown)),
                ("user", user.unwrap_or_else(unknown)),
                ("address", account.instance_url.clone()),
                ("API", account.api_version.clone()),
            ] {
                ui.print(format!("  {name:<9} {}", one_line(&value)));
            }
            if let Some(calls) = &account.daily_calls {
                ui.print(format!("  calls     {} of {} in the last 24 hours", calls.used, calls.allowed));
            }
            ui.findings(&account.findings.into_iter().map(Into::into).collect::<Vec<_>>());
            Ending::Done
        }
        Err(problems) => {
            if ui.is_json() {
                ui.json(&serde_json::json!({ "problems": problems, "usage": usage }))?;
            } else {
                for problem in &problems {
                    show_problem(ui, plugin, &problem.clone().into(), &[]).await?;
                }
            }
            Ending::Refused
        }
    };
    show_usage(ui, plugin, &usage);
    connected.close().await;
    Ok(ending)
}
