//! The sub-commands, one file each, and their exit codes.

mod booking;
mod build;
mod calendar;
mod check;
mod connect;
mod deliveries;
mod demo;
mod disconnect;
mod doctor;
mod fields;
mod inspect;
mod live_check;
mod options;
mod org;
mod preview;
mod rotate_key;
mod run;
mod sample;
mod serve;
mod team;
mod token;

use std::process::ExitCode;

use crm_host::full_message;

use crate::{
    brokers::Brokers,
    cli::{Cli, Command},
    doubt::{Doubt, Left, arguments},
    error::CliError,
    ui::Ui,
};

/// A wait that needs no explanation.
const UNNOTICED: std::time::Duration = std::time::Duration::from_millis(300);

/// The exit code of an interrupted command.
pub(crate) const INTERRUPTED: u8 = 130;

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
    doubt.explain_panics(ui.say.language());
    let brokers = Brokers::default();
    let ends_itself = matches!(cli.command, Command::Serve(_) | Command::Worker(_));
    let ended = tokio::select! {
        ended = dispatch(&mut ui, &doubt, &brokers, cli.command) => ended,
        // The command's future is dropped: the org stops and connections close; what was stored stays.
        () = interrupt(), if !ends_itself => {
            let left = doubt.left();
            let _ = report(&ui, "interrupted", "interrupted", left);
            ui.note(format!("\n{}", ui.say.interrupted()));
            if let Some(left) = left {
                ui.note(left.advice(&ui.say));
            }
            save(&ui, &brokers).await;
            return ExitCode::from(INTERRUPTED);
        }
    };
    save(&ui, &brokers).await;
    let code = match ended {
        Ok(_) if ui.is_lost() => 1,
        Ok(Ending::Done) => 0,
        Ok(Ending::Refused) => 3,
        Err(error) => {
            let _ = report(&ui, error.code(), &full_message(&error), doubt.left());
            ui.error(&error);
            error.exit()
        }
    };
    if let Some(left) = doubt.left().filter(|left| *left != Left::AtLocalOrg) {
        if ui.is_closed() {
            ui.note(ui.say.output_closed());
        }
        ui.note(left.advice(&ui.say));
    }
    ExitCode::from(code)
}

/// Why the command ended without a result, for machines.
fn report(ui: &Ui, code: &str, message: &str, left: Option<Left>) -> Result<(), CliError> {
    let tries = left.and_then(Left::tries);
    ui.json(&serde_json::json!({
        "error": { "code": code, "message": message },
        "unknown_tries": tries,
        "look_first": tries.map(arguments),
    }))
}

/// Saves what servers are about to send, such as a rotated token. A second interrupt ends that.
async fn save(ui: &Ui, brokers: &Brokers) {
    let mut drain = std::pin::pin!(brokers.drain());
    let is_saved = match tokio::time::timeout(UNNOTICED, &mut drain).await {
        Ok(is_saved) => is_saved,
        Err(_) => {
            ui.note(ui.say.saving_token());
            tokio::select! {
                is_saved = drain => is_saved,
                () = interrupt() => false,
            }
        }
    };
    if !is_saved {
        ui.note(ui.say.token_lost());
    }
}

/// Waits for Ctrl-C, or for a request to end (POSIX: `SIGTERM`, `SIGHUP`, `SIGQUIT`).
pub(crate) async fn interrupt() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = [SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()].map(signal);
        if let [Ok(mut terminate), Ok(mut hang_up), Ok(mut quit)] = signals {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
                _ = quit.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

async fn dispatch(ui: &mut Ui, doubt: &Doubt, brokers: &Brokers, command: Command) -> Result<Ending, CliError> {
    match command {
        Command::Demo(arguments) => demo::run(ui, doubt, brokers, arguments).await,
        Command::Build(arguments) => build::run(ui, &arguments),
        Command::Inspect(arguments) => inspect::run(ui, &arguments),
        Command::Org(arguments) => org::run(ui, arguments).await,
        Command::Connect(arguments) => connect::run(ui, brokers, arguments).await,
        Command::Disconnect(arguments) => disconnect::run(ui, brokers, arguments).await,
        Command::Doctor(arguments) => doctor::run(ui, brokers, &arguments).await,
        Command::Fields(arguments) => fields::run(ui, brokers, &arguments).await,
        Command::Options(arguments) => options::run(ui, brokers, &arguments).await,
        Command::Run(arguments) => run::run(ui, doubt, brokers, &arguments).await,
        Command::Preview(arguments) => preview::run(ui, brokers, &arguments).await,
        Command::Check(arguments) => check::run(ui, brokers, &arguments).await,
        Command::LiveCheck(arguments) => live_check::run(ui, doubt, brokers, arguments).await,
        Command::RotateKey(arguments) => rotate_key::run(ui, &arguments).await,
        Command::Serve(arguments) => serve::serve(ui, brokers, arguments).await,
        Command::Worker(arguments) => serve::worker(ui, brokers, arguments).await,
        Command::Team(command) => team::run(ui, command).await,
        Command::Token(command) => token::run(ui, command).await,
        Command::Calendar(command) => calendar::run(ui, command).await,
        Command::Deliveries(command) => deliveries::run(ui, command).await,
        Command::Recover(arguments) => deliveries::recover(ui, arguments).await,
        Command::Erase(arguments) => deliveries::erase(ui, arguments).await,
    }
}
