//! Installs missing tools from Debian packages.
//!
//! A build neither installs silently nor asks. As root on Debian it announces what it installs and does so, unless
//! `HARNESS_NO_INSTALL=1` forbids it. Everywhere else it fails and prints the command for a person to run.

use std::{
    env, fmt, fs, io,
    os::unix::fs::MetadataExt as _,
    path::Path,
    process::{Command, Stdio},
};

use crate::environment;

/// Environment variable that forbids every installation when set to `1`.
pub const FORBIDDEN_BY: &str = "HARNESS_NO_INSTALL";

/// A missing tool and the Debian packages that contain it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// Completes the sentence "Installing PACKAGES for ...".
    pub purpose: &'static str,
    /// The Debian packages.
    pub packages: Vec<String>,
    /// What to do instead, as a whole sentence.
    pub otherwise: &'static str,
}

/// Decides whether packages may be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Machine {
    /// `HARNESS_NO_INSTALL=1`.
    forbidden: bool,
    /// Debian with its package manager.
    debian: bool,
    /// No password is needed.
    root: bool,
}

impl Machine {
    fn this() -> Self {
        Self {
            forbidden: env::var_os(FORBIDDEN_BY).is_some_and(|value| value == "1"),
            debian: Path::new("/etc/debian_version").exists() && Path::new("/usr/bin/apt-get").exists(),
            // The owner of /proc/self is the process's permissions user (proc(5)).
            root: fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0),
        }
    }
}

/// Why a missing tool was not installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotInstalled {
    /// The environment forbids it.
    #[error("{purpose} is missing, and HARNESS_NO_INSTALL=1 forbids installing it. Run: {command}. {otherwise}")]
    Forbidden {
        /// What is missing.
        purpose: &'static str,
        /// The command for a person to run.
        command: String,
        /// What a person can do instead.
        otherwise: &'static str,
    },
    /// Only root may install.
    #[error("{purpose} is missing. Run: {command}. {otherwise}")]
    NeedsRoot {
        /// What is missing.
        purpose: &'static str,
        /// The command for a person to run.
        command: String,
        /// What a person can do instead.
        otherwise: &'static str,
    },
    /// The machine does not run Debian.
    #[error("{purpose} is missing. {otherwise}")]
    NotDebian {
        /// What is missing.
        purpose: &'static str,
        /// What a person can do.
        otherwise: &'static str,
    },
    /// The package manager could not be run.
    #[error("`{command}` could not be run. {otherwise}")]
    NotRun {
        /// The command.
        command: String,
        /// What a person can do instead.
        otherwise: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// The package manager failed.
    #[error("`{command}` failed ({status}):\n{output}\n{otherwise}")]
    Failed {
        /// The command.
        command: String,
        /// Its exit status.
        status: std::process::ExitStatus,
        /// What it printed.
        output: String,
        /// What a person can do instead.
        otherwise: &'static str,
    },
}

impl NotInstalled {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Forbidden { .. } => "install-forbidden",
            Self::NeedsRoot { .. } => "install-needs-root",
            Self::NotDebian { .. } => "install-by-hand",
            Self::NotRun { .. } | Self::Failed { .. } => "install-failed",
        }
    }
}

/// Announces and installs the packages.
///
/// # Errors
/// When nothing may be installed here, or Debian's package manager fails.
pub fn install(needed: &Needed, announce: &mut dyn FnMut(String)) -> Result<(), NotInstalled> {
    let steps = steps(needed, Machine::this())?;
    announce(format!("Installing {} for {}.", needed.packages.join(" "), needed.purpose));
    steps.iter().try_for_each(|step| step.run(needed.otherwise))
}

/// A run of Debian's package manager.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    arguments: Vec<String>,
}

impl Step {
    fn new(arguments: &[&str]) -> Self {
        Self { arguments: arguments.iter().map(|&argument| argument.to_owned()).collect() }
    }

    fn run(&self, otherwise: &'static str) -> Result<(), NotInstalled> {
        let command = self.to_string();
        let mut installer = Command::new("/usr/bin/apt-get");
        // The calling cargo points `LD_LIBRARY_PATH` at another toolchain's libraries.
        let ended = environment::clean(&mut installer)
            .args(["-o", "DPkg::Lock::Timeout=600"])
            .args(&self.arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .output();
        match ended {
            Err(source) => Err(NotInstalled::NotRun { command, otherwise, source }),
            Ok(ended) if ended.status.success() => Ok(()),
            Ok(ended) => {
                let output = [ended.stdout, ended.stderr].concat();
                let output = String::from_utf8_lossy(&output).trim().to_owned();
                Err(NotInstalled::Failed { command, status: ended.status, output, otherwise })
            }
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "apt-get {}", self.arguments.join(" "))
    }
}

/// The commands to run, or why none may run.
fn steps(needed: &Needed, machine: Machine) -> Result<[Step; 2], NotInstalled> {
    let Needed { purpose, packages, otherwise } = needed;
    // Whether to replace another package is for a person to decide; `--no-remove` makes it an error.
    let options = ["install", "-y", "--no-install-recommends", "--no-remove"];
    let install = options.into_iter().chain(packages.iter().map(String::as_str)).collect::<Vec<_>>();
    let steps = [Step::new(&["update"]), Step::new(&install)];
    let command = || {
        let sudo = if machine.root { "" } else { "sudo " };
        format!("{sudo}apt-get update && {sudo}apt-get install --no-install-recommends {}", packages.join(" "))
    };
    match machine {
        Machine { debian: false, .. } => Err(NotInstalled::NotDebian { purpose, otherwise }),
        Machine { forbidden: true, .. } => Err(NotInstalled::Forbidden { purpose, command: command(), otherwise }),
        Machine { root: false, .. } => Err(NotInstalled::NeedsRoot { purpose, command: command(), otherwise }),
        Machine { .. } => Ok(steps),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed() -> Needed {
        Needed {
            purpose: "a linker for WebAssembly",
            packages: vec!["lld-22".to_owned()],
            otherwise: "Or do it by hand.",
        }
    }

    #[test]
    fn only_root_on_debian_installs_and_only_unless_forbidden() {
        let table = [
            // forbidden, debian, root, code, command shown
            (true, true, true, "install-forbidden", "Run: apt-get update && apt-get install"),
            (true, true, false, "install-forbidden", "Run: sudo apt-get update && sudo apt-get install"),
            (true, false, true, "install-by-hand", "Or do it by hand."),
            (true, false, false, "install-by-hand", "Or do it by hand."),
            (false, true, false, "install-needs-root", "Run: sudo apt-get update && sudo apt-get install"),
            (false, false, true, "install-by-hand", "Or do it by hand."),
            (false, false, false, "install-by-hand", "Or do it by hand."),
        ];
        for (forbidden, debian, root, code, shown) in table {
            let machine = Machine { forbidden, debian, root };
            let refused = steps(&needed(), machine).expect_err("must not install");
            assert_eq!(refused.code(), code, "{machine:?}");
            assert!(refused.to_string().contains(shown), "{machine:?}: {refused}");
            assert!(refused.to_string().contains("a linker for WebAssembly"), "{machine:?}: {refused}");
        }
        assert!(steps(&needed(), Machine { forbidden: false, debian: true, root: true }).is_ok());
    }

    #[test]
    fn an_installation_removes_no_package_and_adds_no_recommended_ones() {
        let steps = steps(&needed(), Machine { forbidden: false, debian: true, root: true }).expect("may install");
        let shown = steps.map(|step| step.to_string());
        assert_eq!(shown, ["apt-get update", "apt-get install -y --no-install-recommends --no-remove lld-22"]);
    }
}
