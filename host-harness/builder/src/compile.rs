//! Compiles a package to a core module in a separate cargo process.

use std::{
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use serde::Deserialize;

use crate::{
    BuildError, Progress, StandardLibrary, cargo_home,
    toolchain::{TARGET, Toolchain},
    workspace::Workspace,
};

/// A compiled core module.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) file: PathBuf,
    /// Folder of the package.
    pub(crate) package: PathBuf,
}

/// Runs cargo and reports its progress.
pub(crate) fn compile(
    workspace: &Workspace,
    toolchain: &Toolchain,
    package: &str,
    report: &mut dyn FnMut(Progress),
) -> Result<Module, BuildError> {
    let not_run = |source| BuildError::CargoNotRun { cargo: toolchain.cargo.clone(), source };
    let mut cargo = command(workspace, toolchain, package).spawn().map_err(not_run)?;
    let messages = cargo.stdout.take().map(|stdout| thread::spawn(move || last_module(BufReader::new(stdout))));
    let log = match cargo.stderr.take() {
        Some(stderr) => follow(BufReader::new(stderr), report).map_err(not_run)?,
        None => String::new(),
    };
    let module = messages.and_then(|messages| messages.join().ok());
    let status = cargo.wait().map_err(not_run)?;
    if !status.success() {
        return Err(BuildError::Compile { package: package.to_owned(), log });
    }
    module.transpose().map_err(not_run)?.flatten().ok_or_else(|| BuildError::NoModule { package: package.to_owned() })
}

fn command(workspace: &Workspace, toolchain: &Toolchain, package: &str) -> Command {
    let mut cargo = Command::new(&toolchain.cargo);
    crm_installer::clean(&mut cargo)
        .current_dir(workspace.root())
        .args(["rustc", "--locked", "--profile", "plugin", "--package", package, "--lib", "--target", TARGET])
        // An rlib beside it would keep everything public alive: a quarter of the component.
        .args(["--crate-type", "cdylib"])
        .args(["--message-format", "json-render-diagnostics"])
        .env("RUSTC", &toolchain.rustc)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", &toolchain.linker)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(workspace, toolchain))
        .env("CARGO_TERM_COLOR", "never")
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        .env("CARGO_TERM_PROGRESS_WIDTH", "100")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // Each way has its own folder; in a shared one they would discard each other's output.
    match toolchain.standard {
        StandardLibrary::Precompiled => cargo.arg("--target-dir").arg(workspace.target().join("wasm")),
        StandardLibrary::FromSource => cargo
            .arg("-Zbuild-std=std,panic_abort")
            // Debian's compiler is stable, and -Zbuild-std is unstable.
            .env("RUSTC_BOOTSTRAP", "1")
            .arg("--target-dir")
            .arg(workspace.target().join("wasm-std")),
    };
    cargo
}

/// Removes this machine's paths from panic locations: they would reveal who built the component and change its digest from
/// machine to machine. Where several prefixes match, rustc applies the last one.
fn flags(workspace: &Workspace, toolchain: &Toolchain) -> String {
    let dependencies = cargo_home::dependency_sources();
    let target = Some((workspace.target(), "/target")).filter(|(target, _)| !target.starts_with(workspace.root()));
    let own = [(workspace.root(), "/plugin")].into_iter().chain(target);
    let dependencies = dependencies.iter().map(|source| (source.as_path(), "/cargo"));
    let standard = toolchain.standard_sources.iter().map(|source| (source.as_path(), "/rust"));
    let remapped = own.chain(dependencies).chain(standard);
    let flags = remapped.map(|(path, name)| format!("--remap-path-prefix={}={name}", path.display()));
    // Cargo's separator for this variable, because flags may contain blanks.
    flags.collect::<Vec<_>>().join("\u{1f}")
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// Finds the last module that cargo reports. It is the package's own; dependencies come before it.
fn last_module(messages: impl BufRead) -> io::Result<Option<Module>> {
    let mut module = None;
    for line in messages.lines() {
        let message: Message = serde_json::from_str(&line?)?;
        if message.reason != "compiler-artifact" {
            continue;
        }
        let file = message.filenames.into_iter().find(|file| file.extension().is_some_and(|end| end == "wasm"));
        let package = message.manifest_path.as_deref().and_then(Path::parent).map(Path::to_owned);
        module = file.zip(package).map(|(file, package)| Module { file, package }).or(module);
    }
    Ok(module)
}

/// Reports cargo's progress and returns the rest of its output: warnings and errors.
fn follow(output: impl BufRead, report: &mut dyn FnMut(Progress)) -> io::Result<String> {
    let mut log = String::new();
    let mut line = Vec::new();
    let mut before = None;
    for byte in output.bytes() {
        let byte = byte?;
        // Cargo overwrites its progress bar with `\r`, so a line can last for minutes.
        if byte != b'\r' && byte != b'\n' {
            line.push(byte);
            continue;
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        line.clear();
        match Line::parse(&text) {
            Line::Progress(progress) if before.as_ref() == Some(&progress) => {}
            Line::Progress(progress) => {
                before = Some(progress.clone());
                report(progress);
            }
            Line::Status => {}
            Line::Other => {
                log.push_str(&text);
                log.push('\n');
            }
        }
    }
    Ok(log)
}

/// A line of cargo's output.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Progress(Progress),
    Status,
    Other,
}

impl Line {
    fn parse(line: &str) -> Self {
        let line = line.trim_start();
        if let Some(progress) = progress_bar(line) {
            return Self::Progress(progress);
        }
        match line.split_once(' ').map_or(line, |(word, _)| word) {
            "Blocking" => {
                let lock = line.trim_start_matches("Blocking waiting for file lock on ").trim_end();
                Self::Progress(Progress::Waiting(lock.to_owned()))
            }
            "" | "Building" | "Compiling" | "Downloaded" | "Downloading" | "Finished" | "Fresh" => Self::Status,
            _ => Self::Other,
        }
    }
}

/// Parses `Building [===>      ] 16/96: quote, core`.
fn progress_bar(line: &str) -> Option<Progress> {
    let (_, line) = line.strip_prefix("Building [")?.split_once("] ")?;
    let (count, crates) = line.split_once(": ").unwrap_or((line, ""));
    let (done, total) = count.split_once('/')?;
    let (done, total) = (done.parse().ok()?, total.parse().ok()?);
    Some(Progress::Compiling { done, total, crates: crates.trim_end().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_reported_while_cargo_overwrites_its_own_line() {
        let output = "   Compiling quote v1.0.47\n    Building [=>   ] 1/9: core    \r    Building [=>   ] 1/9: core    \r\
                      \x20   Building [==>  ] 2/9: core, serde_json(build.rs)   \r\
                      \x20   Blocking waiting for file lock on build directory\n\
                      error[E0425]: cannot find value `x`\n --> src/lib.rs:3:5\n  |\n3 |     x\n";
        let mut seen = Vec::new();
        let log = follow(output.as_bytes(), &mut |progress| seen.push(progress)).expect("readable");
        let compiling = |done, crates: &str| Progress::Compiling { done, total: 9, crates: crates.to_owned() };
        let blocking = Progress::Waiting("build directory".to_owned());
        assert_eq!(seen, [compiling(1, "core"), compiling(2, "core, serde_json(build.rs)"), blocking]);
        assert_eq!(log, "error[E0425]: cannot find value `x`\n --> src/lib.rs:3:5\n  |\n3 |     x\n");
    }

    #[test]
    fn a_progress_bar_of_another_form_is_ignored() {
        for line in ["Building", "Building [", "Building [=>  ] soon", "Building [=> ] 1/many: core", "Building x"] {
            assert_eq!(progress_bar(line), None, "{line}");
        }
    }

    #[test]
    fn the_last_module_that_cargo_reports_is_the_packages_own() {
        let artifact = |package: &str, files: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"/w/{package}/Cargo.toml","filenames":[{files}]}}"#
            )
        };
        let messages = [
            artifact("serde", r#""/t/libserde.rlib""#),
            artifact("other", r#""/t/other.wasm""#),
            artifact("plugin", r#""/t/libplugin.rlib","/t/plugin.wasm""#),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        let module = last_module(messages.join("\n").as_bytes()).expect("readable").expect("a module");
        assert_eq!(module.file, Path::new("/t/plugin.wasm"));
        assert_eq!(module.package, Path::new("/w/plugin"));
        assert!(last_module(&b""[..]).expect("readable").is_none());
    }
}
