//! The sub-commands, one file each, and their exit codes.

mod booking;
mod build;
mod check;
mod connect;
mod demo;
mod disconnect;
mod doctor;
mod fields;
mod inspect;
mod live_check;
mod org;
mod preview;
mod run;

use std::process::ExitCode;

use crm_host::full_message;

use crate::{
    cli::{Cli, Command},
    doubt::{Doubt, arguments, how_to_look},
    error::CliError,
    ui::Ui,
};

/// The result of a command that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Done.
    Done,
    /// The plugin reported a problem, or a finding that would refuse a booking.
    Refused,
}

/// Runs a command, reports its error if it fails, and returns the exit code that the help documents.
pub async fn run(cli: Cli) -> ExitCode {
    let mut ui = Ui::new(cli.json, cli.locale);
    let doubt = Doubt::default();
    doubt.explain_panics();
    let ended = tokio::select! {
        ended = dispatch(&mut ui, &doubt, cli.command) => ended,
        // The command's future is dropped: the org stops and connections close; what was stored stays.
        () = interrupt() => {
            let tries = doubt.tries();
            let error = serde_json::json!({ "code": "interrupted", "message": "interrupted" });
            let look_first = tries.map(arguments);
            let _ = ui.json(&serde_json::json!({ "error": error, "unknown_tries": tries, "look_first": look_first }));
            ui.note("\ninterrupted");
            if let Some(tries) = tries {
                ui.note(how_to_look(tries));
            }
            return ExitCode::from(130);
        }
    };
    match ended {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::Refused) => ExitCode::from(3),
        Err(error) => {
            let message = full_message(&error);
            let tries = doubt.tries();
            let report = serde_json::json!({ "code": error.code(), "message": message });
            let look_first = tries.map(arguments);
            let _ = ui.json(&serde_json::json!({ "error": report, "unknown_tries": tries, "look_first": look_first }));
            ui.note(format!("error: {message}"));
            if let Some(tries) = tries {
                ui.note(how_to_look(tries));
            }
            ExitCode::from(error.exit())
        }
    }
}

/// Waits for Ctrl-C, or for a request to end (POSIX: `SIGTERM`, `SIGHUP`).
async fn interrupt() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut terminate), Ok(mut hang_up)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

async fn dispatch(ui: &mut Ui, doubt: &Doubt, command: Command) -> Result<Ending, CliError> {
    match command {
        Command::Demo(arguments) => demo::run(ui, arguments).await,
        Command::Build(arguments) => build::run(ui, &arguments),
        Command::Inspect(arguments) => inspect::run(ui, &arguments),
        Command::Org(arguments) => org::run(ui, arguments).await,
        Command::Connect(arguments) => connect::run(ui, arguments).await,
        Command::Disconnect(arguments) => disconnect::run(ui, arguments).await,
        Command::Doctor(arguments) => doctor::run(ui, &arguments).await,
        Command::Fields(arguments) => fields::run(ui, &arguments).await,
        Command::Run(arguments) => run::run(ui, doubt, &arguments).await,
        Command::Preview(arguments) => preview::run(ui, &arguments).await,
        Command::Check(arguments) => check::run(ui, &arguments).await,
        Command::LiveCheck(arguments) => live_check::run(ui, arguments).await,
    }
}
