//! Runs the command as a separate process, as a person does.

use crate::guests;
use anyhow::{Context as _, Result, ensure};
use salesforce_local_org::{Options, OrgFile, RunningOrg, visitor};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use std::{fs, thread};
use tempfile::TempDir;

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
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HARNESS_")) {
        // Whether components may be installed is the machine's business.
        if name != crm_installer::FORBIDDEN_BY {
            command.env_remove(name);
        }
    }
    for name in ["LC_ALL", "LC_MESSAGES", "LANG"] {
        command.env_remove(name);
    }
    Ok(command)
}

/// Writes a file that only its owner can read, as a secret's file must be.
pub fn write_private(file: &Path, text: &str) -> Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600).open(file)?.write_all(text.as_bytes())?;
    Ok(())
}

/// Exit code, standard output and standard error of a finished command.
pub fn ended(output: &Output) -> (i32, String, String) {
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// A team that the command has connected to an org of this process.
pub struct Team {
    /// The org.
    pub org: RunningOrg,
    folder: TempDir,
    component: PathBuf,
}

impl Team {
    /// Runs `connect` as a person does, with a visitor in place of the browser.
    pub async fn connect() -> Result<Self> {
        let component = guests::build("salesforce-leads")?.path;
        let folder = tempfile::tempdir()?;
        // The callback must be registered; a free port keeps concurrent tests apart.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let callback = format!("http://127.0.0.1:{port}/callback");
        let file = OrgFile::parse(&format!("duplicate-rules = []\n[app]\ncallbacks = [\"{callback}\"]\n"))?;
        let org = salesforce_local_org::serve(file, Options::default()).await?;
        let app = org.app();
        let mut connecting = harness(folder.path())?
            .args(["connect", "--team", "sales", "--component"])
            .arg(&component)
            .envs([("HARNESS_LOGIN_HOST", org.base_url()), ("HARNESS_REDIRECT_URI", &callback)])
            .envs([("HARNESS_CLIENT_ID", app.client_id), ("HARNESS_CLIENT_SECRET", app.client_secret)])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut said = BufReader::new(connecting.stderr.take().context("its errors")?).lines();
        let address = said.by_ref().find_map(|line| {
            let line = line.ok()?;
            line.contains("/services/oauth2/authorize?").then(|| line.trim().to_owned())
        });
        let user = org.org().file().users.into_iter().next().context("a user")?;
        let back = visitor::allow(&address.context("an address")?, &user.username, &user.password).await?;
        // The browser follows the callback URL, where the command listens.
        let page = visitor_get(&back).await?;
        ensure!(page.contains("完了しました"), "{page}");
        let is_connected = connecting.wait()?.success();
        ensure!(is_connected, "connect: {}", said.map_while(Result::ok).collect::<Vec<_>>().join("\n"));
        org.org().clear_requests();
        Ok(Self { org, folder, component })
    }

    /// A command for this team.
    pub fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = harness(self.folder.path())?;
        command.args(arguments).args(["--team", "sales", "--component"]).arg(&self.component);
        Ok(command)
    }

    /// The folder that commands run in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// The raw HTTP response to a GET on this machine.
pub async fn visitor_get(address: &str) -> Result<String> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let rest = address.strip_prefix("http://").context("an address")?;
    let (host, path) = rest.split_once('/').context("a path")?;
    let mut stream = tokio::net::TcpStream::connect(host).await?;
    stream.write_all(format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").as_bytes()).await?;
    let mut page = Vec::new();
    stream.read_to_end(&mut page).await?;
    Ok(String::from_utf8(page)?)
}

/// All files below a folder.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

/// Watches the memory of this process' children.
pub struct Children {
    peak: Arc<AtomicU64>,
    is_done: Arc<AtomicBool>,
}

impl Children {
    /// Begins to watch.
    pub fn watch() -> Self {
        let this = Self { peak: Arc::default(), is_done: Arc::default() };
        let (peak, is_done) = (this.peak.clone(), this.is_done.clone());
        thread::spawn(move || {
            while !is_done.load(Ordering::Relaxed) {
                for status in children() {
                    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
                    let kilobytes: Option<u64> =
                        kilobytes.and_then(|text| text.trim().strip_suffix(" kB")?.parse().ok());
                    peak.fetch_max(kilobytes.unwrap_or(0) << 10, Ordering::Relaxed);
                }
                thread::sleep(Duration::from_millis(50));
            }
        });
        this
    }

    /// The most bytes that one of them used, as often as it was read; 0 where the system does not tell.
    pub fn peak(self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        self.is_done.store(true, Ordering::Relaxed);
    }
}

/// The status of each child of this process.
fn children() -> Vec<String> {
    let parent = format!("PPid:\t{}\n", std::process::id());
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let statuses = processes.filter_map(|process| fs::read_to_string(process.path().join("status")).ok());
    statuses.filter(|status| status.contains(&parent)).collect()
}
