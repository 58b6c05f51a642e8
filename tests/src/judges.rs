//! Runs third-party Salesforce clients against a local org, to judge how faithful to Salesforce it is.
//!
//! Each judge is a script in `tests/judges` that prints `ok NAME` or `FAILED ...` for every check, and requests a browser
//! visit by printing `visit URL`. Its packages are installed from its lock file into `target/judges`, outside the
//! sources.

use crate::node_host::NotRun;
use anyhow::{Context as _, Result, ensure};
use crm_installer::FORBIDDEN_BY;
use salesforce_local_org::{Options, OrgFile, RunningOrg, visitor};
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

/// Timeout of a judge, in case it hangs; a run takes a few seconds.
const PATIENCE: Duration = Duration::from_secs(180);

/// A third-party client.
#[derive(Clone, Copy, Debug)]
pub enum Judge {
    /// `simple-salesforce` from PyPI, on Python.
    SimpleSalesforce,
    /// `jsforce` from npm, on Node.
    Jsforce,
}

/// The orgs that the judges run against.
#[derive(Debug)]
pub struct Judged {
    /// An org with a rule for every kind of rejection.
    pub strict: RunningOrg,
    /// An org with rotating refresh tokens and the users of the other.
    pub rotating: RunningOrg,
}

impl Judged {
    /// Starts both orgs.
    pub async fn start() -> Result<Self> {
        let strict = OrgFile::parse(&fs::read_to_string(sources().join("org.toml"))?)?;
        let mut rotating = OrgFile::named("rotation-30-days").context("a built-in org")??;
        rotating.users.clone_from(&strict.users);
        Ok(Self {
            strict: salesforce_local_org::serve(strict, Options::default()).await?,
            rotating: salesforce_local_org::serve(rotating, Options::default()).await?,
        })
    }

    /// Environment variables of a script: addresses and app credentials.
    fn variables(&self) -> Result<Vec<(String, String)>> {
        let mut variables = vec![("ADMIN_URL".to_owned(), self.strict.admin_url().to_owned())];
        for (prefix, org) in [("", &self.strict), ("ROTATING_", &self.rotating)] {
            let app = org.app();
            let callback = app.redirect_uris.into_iter().next().context("a callback")?;
            for (name, value) in [
                ("BASE_URL", org.base_url().to_owned()),
                ("CLIENT_ID", app.client_id),
                ("CLIENT_SECRET", app.client_secret),
                ("REDIRECT_URI", callback),
            ] {
                variables.push((format!("{prefix}{name}"), value));
            }
        }
        Ok(variables)
    }
}

impl Judge {
    /// Runs every check against the orgs, prints the judge's output, and returns the names of the passed checks.
    pub async fn run(self, orgs: &Judged) -> Result<Vec<String>, NotRun> {
        let home = self.set_up()?;
        let verdict = tokio::time::timeout(PATIENCE, self.judge(&home, orgs)).await;
        let verdict = verdict.unwrap_or_else(|_| Err(anyhow::anyhow!("no verdict within {PATIENCE:?}")));
        verdict.map_err(|error| NotRun::Failed(format!("{}: {error:#}", self.name())))
    }

    fn name(self) -> &'static str {
        match self {
            Self::SimpleSalesforce => "simple-salesforce",
            Self::Jsforce => "jsforce",
        }
    }

    fn runtime(self) -> Runtime {
        match self {
            Self::SimpleSalesforce => {
                Runtime { program: "python3", prefix: "Python ", oldest: (3, 11), called: "Python 3.11" }
            }
            Self::Jsforce => Runtime { program: "node", prefix: "v", oldest: (20, 0), called: "Node 20" },
        }
    }

    fn lock_file(self) -> PathBuf {
        let folder = sources().join(self.name());
        match self {
            Self::SimpleSalesforce => folder.join("requirements.txt"),
            Self::Jsforce => folder.join("package-lock.json"),
        }
    }

    /// Installs the client, once per lock file and language release; returns the folder.
    fn set_up(self) -> Result<PathBuf, NotRun> {
        let release = self.runtime().release()?;
        // Some distributions split the standard library into packages.
        if matches!(self, Self::SimpleSalesforce)
            && finish(Command::new("python3").args(["-c", "import ensurepip"])).is_err()
        {
            return Err(NotRun::NotInstalled("Python's venv and ensurepip (Debian: python3-venv)".to_owned()));
        }
        let install = || -> Result<Option<PathBuf>> {
            let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/judges");
            fs::create_dir_all(&all)?;
            let all = all.canonicalize()?;
            // Several test processes may get here concurrently.
            let turn = File::create(all.join(format!("{}.lock", self.name())))?;
            turn.lock()?;
            let home = all.join(self.name());
            let wanted = format!("{release}\n{}", fs::read_to_string(self.lock_file())?);
            let done = home.join(".installed");
            if fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
                return Ok(Some(home));
            }
            if env::var_os(FORBIDDEN_BY).is_some_and(|value| value == "1") {
                return Ok(None);
            }
            println!("Installing {} into {}.", self.name(), home.display());
            if home.exists() {
                fs::remove_dir_all(&home)?;
            }
            fs::create_dir_all(&home)?;
            self.install(&home)?;
            fs::write(done, wanted)?;
            Ok(Some(home))
        };
        let home = install().map_err(|error| NotRun::Failed(format!("{}: {error:#}", self.name())))?;
        home.ok_or_else(|| NotRun::NotInstalled(format!("{}: unset {FORBIDDEN_BY} and run the tests", self.name())))
    }

    fn install(self, home: &Path) -> Result<()> {
        match self {
            Self::SimpleSalesforce => {
                finish(Command::new("python3").args(["-m", "venv"]).arg(home))?;
                let mut pip = Command::new(home.join("bin/python"));
                pip.args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--no-input",
                    "--require-hashes",
                    "--only-binary",
                    ":all:",
                ]);
                finish(pip.arg("--requirement").arg(self.lock_file()))
            }
            Self::Jsforce => {
                for file in ["package.json", "package-lock.json"] {
                    fs::copy(sources().join("jsforce").join(file), home.join(file))?;
                }
                let arguments = ["ci", "--no-audit", "--no-fund", "--ignore-scripts"];
                finish(Command::new("npm").args(arguments).current_dir(home))
            }
        }
    }

    fn command(self, home: &Path) -> tokio::process::Command {
        let folder = sources().join(self.name());
        match self {
            Self::SimpleSalesforce => {
                let mut python = tokio::process::Command::new(home.join("bin/python"));
                // -B: no bytecode next to the sources.
                python.arg("-B").arg(folder.join("run.py")).env("PYTHONIOENCODING", "utf-8");
                python
            }
            Self::Jsforce => {
                let mut node = tokio::process::Command::new("node");
                node.arg(folder.join("run.mjs"));
                node
            }
        }
    }

    async fn judge(self, home: &Path, orgs: &Judged) -> Result<Vec<String>> {
        let mut process = self
            .command(home)
            .current_dir(home)
            .envs(orgs.variables()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut answers = process.stdin.take().context("its input")?;
        let mut lines = BufReader::new(process.stdout.take().context("its output")?).lines();
        let mut errors = process.stderr.take().context("its errors")?;
        // Read concurrently: the process blocks when its stderr pipe is full.
        let errors = tokio::spawn(async move {
            let mut text = String::new();
            errors.read_to_string(&mut text).await.map(|_| text)
        });
        let user = orgs.strict.org().file().users.into_iter().next().context("a user")?;
        let (mut passed, mut failed) = (Vec::new(), 0);
        while let Some(line) = lines.next_line().await? {
            if let Some(url) = line.strip_prefix("visit ") {
                let back = visitor::allow(url, &user.username, &user.password).await?;
                answers.write_all(format!("{back}\n").as_bytes()).await?;
                continue;
            }
            println!("{}: {line}", self.name());
            passed.extend(line.strip_prefix("ok ").map(ToOwned::to_owned));
            failed += usize::from(line.starts_with("FAILED "));
        }
        let status = process.wait().await?;
        let errors = errors.await??;
        ensure!(failed == 0, "{failed} checks failed; they are printed above");
        ensure!(status.success(), "the script ended with {status}\n{errors}");
        Ok(passed)
    }
}

/// The language runtime of a judge.
struct Runtime {
    program: &'static str,
    /// What `--version` prints before the number.
    prefix: &'static str,
    oldest: (u32, u32),
    called: &'static str,
}

impl Runtime {
    /// The installed release, if it is recent enough.
    fn release(&self) -> Result<String, NotRun> {
        let output = Command::new(self.program).arg("--version").output().ok();
        let output = output.filter(|output| output.status.success());
        let release = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        release
            .filter(|release| numbers(release, self.prefix).is_some_and(|found| found >= self.oldest))
            .ok_or_else(|| NotRun::NotInstalled(self.called.to_owned()))
    }
}

/// Major and minor version, such as 3 and 11 of `Python 3.11.7`.
fn numbers(release: &str, prefix: &str) -> Option<(u32, u32)> {
    let mut parts = release.strip_prefix(prefix)?.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("judges")
}

fn finish(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?}"))?;
    let said = [output.stdout, output.stderr].concat();
    ensure!(output.status.success(), "{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&said));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_releases_are_parsed() {
        assert_eq!(numbers("Python 3.11.7", "Python "), Some((3, 11)));
        assert_eq!(numbers("v20.20.2", "v"), Some((20, 20)));
        assert_eq!(numbers("nonsense", "v"), None);
    }
}
