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
mod rotate_key;
mod run;

use std::process::ExitCode;

use crm_host::full_message;

use crate::{
    brokers::Brokers,
    cli::{Cli, Command},
    doubt::{Doubt, arguments, how_to_look},
    error::CliError,
    ui::Ui,
};

/// A wait that needs no explanation.
const UNNOTICED: std::time::Duration = std::time::Duration::from_millis(300);

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
    let brokers = Brokers::default();
    let ended = tokio::select! {
        ended = dispatch(&mut ui, &doubt, &brokers, cli.command) => ended,
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
            save(&ui, &brokers).await;
            return ExitCode::from(130);
        }
    };
    save(&ui, &brokers).await;
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

/// Saves what servers are about to send, such as a rotated token. A second interrupt ends that.
async fn save(ui: &Ui, brokers: &Brokers) {
    let mut drain = std::pin::pin!(brokers.drain());
    let is_saved = match tokio::time::timeout(UNNOTICED, &mut drain).await {
        Ok(is_saved) => is_saved,
        Err(_) => {
            ui.note("waiting for the server, to keep the token that it sends; interrupt again to end at once");
            tokio::select! {
                is_saved = drain => is_saved,
                () = interrupt() => false,
            }
        }
    };
    if !is_saved {
        ui.note("a token that was being refreshed may be lost; if `doctor` says so, connect again");
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

async fn dispatch(ui: &mut Ui, doubt: &Doubt, brokers: &Brokers, command: Command) -> Result<Ending, CliError> {
    match command {
        Command::Demo(arguments) => demo::run(ui, brokers, arguments).await,
        Command::Build(arguments) => build::run(ui, &arguments),
        Command::Inspect(arguments) => inspect::run(ui, &arguments),
        Command::Org(arguments) => org::run(ui, arguments).await,
        Command::Connect(arguments) => connect::run(ui, brokers, arguments).await,
        Command::Disconnect(arguments) => disconnect::run(ui, brokers, arguments).await,
        Command::Doctor(arguments) => doctor::run(ui, brokers, &arguments).await,
        Command::Fields(arguments) => fields::run(ui, brokers, &arguments).await,
        Command::Run(arguments) => run::run(ui, doubt, brokers, &arguments).await,
        Command::Preview(arguments) => preview::run(ui, brokers, &arguments).await,
        Command::Check(arguments) => check::run(ui, brokers, &arguments).await,
        Command::LiveCheck(arguments) => live_check::run(ui, brokers, arguments).await,
        Command::RotateKey(arguments) => rotate_key::run(ui, &arguments),
    }
}
