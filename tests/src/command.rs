//! Runs the command as a separate process, as a person does.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The command's executable, built once per process. Usually cargo has already built it, and this takes no time.
pub fn binary() -> Result<&'static Path> {
    static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BINARY
        .get_or_init(|| build().map_err(|error| format!("{error:#}")))
        .as_deref()
        .map_err(|error| anyhow::anyhow!("{error}"))
}

fn build() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--locked", "-p", "host-harness", "--bin", "host-harness", "--message-format=json"])
        .current_dir(root)
        .stdin(Stdio::null())
        .output()?;
    ensure!(output.status.success(), "cargo build: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
        .context("cargo named no executable")
}

/// The command, set to run in `folder` without environment variables that would change its behavior.
pub fn harness(folder: &Path) -> Result<Command> {
    let mut command = Command::new(binary()?);
    command.current_dir(folder).stdin(Stdio::null());
    for name in ["BASE_URL", "CLIENT_ID", "CLIENT_SECRET", "REDIRECT_URI", "HARNESS_DATA", "HARNESS_STORE_KEY"] {
        command.env_remove(name);
    }
    for name in ["LC_ALL", "LC_MESSAGES", "LANG"] {
        command.env_remove(name);
    }
    Ok(command)
}

/// Exit code, standard output and standard error of a finished command.
pub fn ended(output: &Output) -> (i32, String, String) {
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}
