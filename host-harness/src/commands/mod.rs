//! The sub-commands, one file each, and how they end.

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

use anyhow::Result;
use builder::BuildError;
use runtime::{
    HostError, InspectError, LoadError, credentials::ConnectError, manifest::ManifestError, policy::PolicyError,
};

use crate::{
    cli::{Cli, Command},
    input::InputError,
    target::TargetError,
    ui::Ui,
};

/// How a command that did its work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Done.
    Done,
    /// The plugin answered that it cannot, or found what would refuse a booking.
    Refused,
}

/// Runs a command, says how it failed where it did, and gives the exit code that the help documents.
pub async fn run(cli: Cli) -> ExitCode {
    let mut ui = Ui::new(cli.json, cli.locale);
    let ended = tokio::select! {
        ended = dispatch(&mut ui, cli.command) => ended,
        // Futures are dropped: the org stops, connections close, what was stored stays stored.
        _ = tokio::signal::ctrl_c() => {
            ui.note("\ninterrupted");
            return ExitCode::from(130);
        }
    };
    match ended {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::Refused) => ExitCode::from(3),
        Err(error) => {
            let (exit, code) = classify(&error);
            if ui.is_json() {
                let body = serde_json::json!({ "error": { "code": code, "message": format!("{error:#}") } });
                let _ = ui.json(&body);
            }
            ui.note(format!("error: {error:#}"));
            ExitCode::from(exit)
        }
    }
}

async fn dispatch(ui: &mut Ui, command: Command) -> Result<Ending> {
    match command {
        Command::Demo(arguments) => demo::run(ui, arguments).await,
        Command::Build(arguments) => build::run(ui, &arguments),
        Command::Inspect(arguments) => inspect::run(ui, &arguments),
        Command::Org(arguments) => org::run(ui, arguments).await,
        Command::Connect(arguments) => connect::run(ui, arguments).await,
        Command::Disconnect(arguments) => disconnect::run(ui, arguments).await,
        Command::Doctor(target) => doctor::run(ui, &target).await,
        Command::Fields(target) => fields::run(ui, &target).await,
        Command::Run(arguments) => run::run(ui, &arguments).await,
        Command::Preview(arguments) => preview::run(ui, &arguments).await,
        Command::Check(arguments) => check::run(ui, &arguments).await,
        Command::LiveCheck(arguments) => live_check::run(ui, arguments).await,
    }
}

/// The exit code and the stable code of an error. What the operator gave and is at fault ends with 2.
fn classify(error: &anyhow::Error) -> (u8, &'static str) {
    for cause in error.chain() {
        if let Some(error) = cause.downcast_ref::<InputError>() {
            return (2, error.code());
        }
        if let Some(error) = cause.downcast_ref::<InspectError>() {
            return (2, error.code());
        }
        if let Some(error) = cause.downcast_ref::<LoadError>() {
            return (2, error.code());
        }
        if let Some(error) = cause.downcast_ref::<ManifestError>() {
            return (2, error.code());
        }
        if let Some(error) = cause.downcast_ref::<PolicyError>() {
            return (2, error.code());
        }
        if let Some(error) = cause.downcast_ref::<TargetError>() {
            return (error.exit(), error.code());
        }
        if let Some(error) = cause.downcast_ref::<::live_check::LiveCheckError>() {
            return (if error.is_input() { 2 } else { 1 }, error.code());
        }
        if let Some(error) = cause.downcast_ref::<ConnectError>() {
            let argument = matches!(error, ConnectError::LoginHost(_) | ConnectError::RedirectUri(_));
            return (if argument { 2 } else { 1 }, error.code());
        }
        if let Some(error) = cause.downcast_ref::<BuildError>() {
            return (1, error.code());
        }
        if let Some(error) = cause.downcast_ref::<HostError>() {
            return (1, error.code());
        }
        if let Some(error) = cause.downcast_ref::<runtime::CallError>() {
            return (1, error.code());
        }
    }
    (1, "failed")
}
