//! Runs a component under another host: jco on Node, in `other-hosts/node`.

use crm_installer::FORBIDDEN_BY;
use serde_json::Value;
use std::env;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Why the other host did not run.
#[derive(Debug)]
pub enum NotRun {
    /// A dependency is not installed. Outside CI a test prints this and passes.
    NotInstalled(String),
    /// It ran, or was installed, and failed.
    Failed(String),
}

impl NotRun {
    /// Prints a missing dependency outside CI. In CI it is a failure.
    ///
    /// # Errors
    ///
    /// The failure's description.
    pub fn report(self) -> Result<(), String> {
        match self {
            Self::NotInstalled(what) if env::var_os("CI").is_none() => {
                println!("not run: install {what}");
                Ok(())
            }
            Self::NotInstalled(what) => Err(format!("not run, which CI does not accept: install {what}")),
            Self::Failed(why) => Err(why),
        }
    }
}

/// Runs the scenario, and returns the result of each step. The input has the access token, so it goes to standard input.
pub fn run(component: &Path, ledger: &Path, input: &Value) -> Result<Value, NotRun> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("other-hosts/node");
    set_up(&folder)?;
    let mut command = Command::new("node");
    command.arg(folder.join("scenario.mjs")).arg(component).arg(ledger);
    let output = finished("node scenario.mjs", with_input(&mut command, &input.to_string()))?;
    println!("{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).map_err(|error| NotRun::Failed(format!("the other host's output: {error}")))
}

/// Runs a command that reads all its input before it prints much.
fn with_input(command: &mut Command, input: &str) -> io::Result<Output> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    child.wait_with_output()
}

/// Installs the host's packages into its own folder, once per lock file.
fn set_up(folder: &Path) -> Result<(), NotRun> {
    let io = |error: io::Error| NotRun::Failed(format!("{}: {error}", folder.display()));
    let release = Command::new("node").arg("--version").output().ok().filter(|output| output.status.success());
    let release = release.and_then(|output| major(&String::from_utf8_lossy(&output.stdout)));
    if release.is_none_or(|release| release < 20) {
        return Err(NotRun::NotInstalled("Node 20".to_owned()));
    }
    // Several test processes may get here concurrently.
    let target = folder.join("../../../target");
    fs::create_dir_all(&target).map_err(io)?;
    let turn = File::create(target.join("other-host.lock")).map_err(io)?;
    turn.lock().map_err(io)?;
    let wanted = fs::read(folder.join("package-lock.json")).map_err(io)?;
    let done = folder.join("node_modules/.lock-installed");
    if fs::read(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    if env::var_os(FORBIDDEN_BY).is_some_and(|value| value == "1") {
        return Err(NotRun::NotInstalled(format!("its packages: npm ci --prefix {}", folder.display())));
    }
    println!("Installing the packages of package-lock.json into {}.", folder.join("node_modules").display());
    let npm = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder).output();
    finished("npm ci", npm)?;
    fs::write(done, wanted).map_err(io)
}

/// The major version, such as 20 of `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn finished(command: &str, output: io::Result<Output>) -> Result<Output, NotRun> {
    let output = output.map_err(|error| NotRun::Failed(format!("{command}: {error}")))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(NotRun::Failed(format!("{command}: {}\n{said}", output.status)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_node_version_is_parsed() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("nonsense"), None);
    }
}
