//! The `host-harness` command.

use std::process::ExitCode;

use clap::Parser;
use host_harness::{cli::Cli, commands, environment};

fn main() -> ExitCode {
    // This program is its own compiler: see `connection::host_for`.
    if let Some(code) = crm_host::run_as_compiler() {
        return code;
    }
    environment::read();
    let cli = Cli::parse();
    // One thread serves a command; the rest of the machine is for the build.
    match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime.block_on(commands::run(cli)),
        Err(error) => {
            eprintln!("error: no threads: {error}");
            ExitCode::FAILURE
        }
    }
}
