//! PostgreSQL's programs, and the user that runs them.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use crm_installer::Needed;

use crate::NotRun;

/// The programs that a cluster needs. Clients alone have no `initdb`.
const PROGRAMS: [&str; 4] = ["createdb", "initdb", "pg_ctl", "postgres"];

/// The folder of Debian's settings for the cluster that a server package creates and starts when it is installed, and the one that
/// prevents it.
const NO_MAIN_CLUSTER: (&str, &str) = ("/etc/postgresql-common/createcluster.d", "create_main_cluster = false\n");

/// PostgreSQL on this machine.
#[derive(Debug)]
pub(crate) struct Server {
    programs: PathBuf,
    /// PostgreSQL refuses to run as root, so another user runs it then.
    user: Option<&'static str>,
}

impl Server {
    /// Finds PostgreSQL, and installs it where that is needed and allowed.
    pub(crate) fn find_or_install() -> Result<Self, NotRun> {
        let programs = match find() {
            Some(programs) => programs,
            None => {
                // One process installs; the others wait for the lock and then find the programs.
                let _turn = turn()?;
                if find().is_none() {
                    install()?;
                }
                find().ok_or_else(|| NotRun::Missing("Debian's package `postgresql` has no server".to_owned()))?
            }
        };
        Ok(Self { programs, user: ordinary_user()? })
    }

    /// One of PostgreSQL's programs, run by the ordinary user.
    pub(crate) fn program(&self, name: &str) -> Command {
        self.command(&self.programs.join(name))
    }

    /// Any program, run by the ordinary user, without the caller's `PGHOST` and the like.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = match self.user {
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(program);
                command
            }
            None => Command::new(program),
        };
        crm_installer::clean(&mut command);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        // The other user cannot enter every folder.
        command.current_dir("/").env("LC_ALL", "C").stdin(Stdio::null());
        command
    }

    pub(crate) fn path_of(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }
}

/// Runs a program to its end, and returns what it printed.
pub(crate) fn finish(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}\n{printed}{errors}", output.status);
    Ok(printed)
}

/// The folder of the programs: what `pg_config` says, Debian's folders with the newest version first, or one of the path.
fn find() -> Option<PathBuf> {
    let configured = finish(Command::new("pg_config").arg("--bindir").stdin(Stdio::null())).ok();
    let configured = configured.map(|folder| PathBuf::from(folder.trim()));
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    let path = env::var_os("PATH").unwrap_or_default();
    configured
        .into_iter()
        .chain(versions.into_iter().rev().map(|(_, folder)| folder))
        .chain(env::split_paths(&path))
        .find(|folder| PROGRAMS.iter().all(|program| folder.join(program).is_file()))
}

fn install() -> Result<(), NotRun> {
    let needed = Needed {
        purpose: "PostgreSQL",
        packages: vec!["postgresql".to_owned()],
        otherwise: "Or put another PostgreSQL's programs (`initdb`, `pg_ctl`) in the PATH.",
    };
    let (folder, setting) = NO_MAIN_CLUSTER;
    let folder = Path::new(folder);
    let file = folder.join("test-postgres.conf");
    let is_new = !folder.exists();
    let mut is_set = Ok(());
    let installed = crm_installer::install(&needed, &mut |line| {
        println!("{line}");
        // Only now is it certain that something is installed.
        is_set = fs::create_dir_all(folder).and_then(|()| fs::write(&file, setting));
    });
    // A person who wants Debian's cluster later gets it.
    let _ = fs::remove_file(&file);
    if is_new {
        let _ = fs::remove_dir(folder);
    }
    is_set.with_context(|| format!("{} cannot be written", file.display()))?;
    installed.map_err(|error| NotRun::Missing(error.to_string()))
}

/// Waits until no other process installs. Ends when dropped.
fn turn() -> Result<File> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    fs::create_dir_all(&target)?;
    let file = File::create(target.join("install.lock"))?;
    file.lock()?;
    Ok(file)
}

fn ordinary_user() -> Result<Option<&'static str>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let exists = |user: &&str| finish(Command::new("id").args(["-u", user])).is_ok();
    ["postgres", "nobody"].into_iter().find(exists).map(Some).context("a user other than root")
}
