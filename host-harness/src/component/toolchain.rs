//! Which compiler, which standard library and which linker build a component.
//!
//! With rustup, the toolchain file names the target `wasm32-unknown-unknown` and rustup brings its standard library. Where
//! rustup may not download, Debian's packages have a Rust whose standard library is built from source along with the
//! plugin. Nothing here starts an installation.

use super::StandardLibrary;
use super::environment::{self, entries};
use super::workspace::{Version, Workspace};
use crate::install::Needed;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Target of all plugins: a core module without any system interface.
pub(super) const TARGET: &str = "wasm32-unknown-unknown";

/// Programs and sources to build with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Toolchain {
    pub(super) standard: StandardLibrary,
    pub(super) cargo: PathBuf,
    pub(super) rustc: PathBuf,
    pub(super) linker: PathBuf,
    /// Where the standard library's source lies: paths that must not remain in a component.
    pub(super) standard_sources: Vec<PathBuf>,
}

/// Where to look.
#[derive(Debug)]
pub(super) struct Places {
    /// The toolchain that the workspace asks for.
    pub(super) sysroot: Option<PathBuf>,
    /// Folder that holds `usr`.
    pub(super) system: PathBuf,
    /// Folders with programs.
    pub(super) programs: Vec<PathBuf>,
}

impl Places {
    /// The places of this machine.
    pub(super) fn of(workspace: &Workspace) -> Self {
        let mut rustc = Command::new("rustc");
        environment::clean(&mut rustc).args(["--print", "sysroot"]).current_dir(workspace.root());
        let programs = env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
        Self { sysroot: line_of(rustc).map(PathBuf::from), system: PathBuf::from("/"), programs }
    }
}

/// Looks for everything that a build needs.
pub(super) fn find(places: &Places, oldest: Version) -> Result<Toolchain, Needed> {
    let precompiled = |sysroot: &&PathBuf| sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir();
    let linker = linker(places);
    match (places.sysroot.as_ref().filter(precompiled), linker) {
        (Some(sysroot), Some(linker)) => Ok(Toolchain {
            standard: StandardLibrary::Precompiled,
            cargo: sysroot.join("bin/cargo"),
            rustc: sysroot.join("bin/rustc"),
            linker,
            standard_sources: standard_sources(sysroot),
        }),
        (Some(_), None) => Err(linker_needed()),
        (None, linker) => find_debian(&places.system.join("usr"), oldest, linker),
    }
}

fn find_debian(usr: &Path, oldest: Version, linker: Option<PathBuf>) -> Result<Toolchain, Needed> {
    let (cargo, rustc) = (usr.join("bin/cargo"), usr.join("bin/rustc"));
    let mut missing = Vec::new();
    if version(&rustc).is_none_or(|version| version < oldest) {
        missing.push("rustc-web".to_owned());
    }
    if version(&cargo).is_none_or(|version| version < oldest) {
        missing.push("cargo-web".to_owned());
    }
    if !usr.join("lib/rustlib/src/rust/library/std").is_dir() {
        missing.push("rust-web-src".to_owned());
    }
    match linker {
        Some(linker) if missing.is_empty() => Ok(Toolchain {
            standard: StandardLibrary::FromSource,
            cargo,
            rustc,
            linker,
            standard_sources: standard_sources(usr),
        }),
        Some(_) => Err(needed(missing)),
        None if missing.is_empty() => Err(linker_needed()),
        None => Err(needed(missing.into_iter().chain([linker_package()]).collect())),
    }
}

fn needed(packages: Vec<String>) -> Needed {
    Needed {
        purpose: "Rust's standard library for WebAssembly",
        packages,
        otherwise: "With rustup, this brings it: rustup target add wasm32-unknown-unknown",
    }
}

fn linker_needed() -> Needed {
    Needed {
        purpose: "a linker for WebAssembly",
        packages: vec![linker_package()],
        otherwise: "Any wasm-ld of LLVM's lld will do, where PATH finds it",
    }
}

/// The source of the standard library, by the name it is compiled under and by its real one.
fn standard_sources(sysroot: &Path) -> Vec<PathBuf> {
    let named = sysroot.join("lib/rustlib/src/rust");
    let real = named.canonicalize().ok().filter(|real| *real != named);
    [Some(named), real].into_iter().flatten().collect()
}

/// The linker of the workspace's own toolchain, since its version is pinned; else the newest of the system.
fn linker(places: &Places) -> Option<PathBuf> {
    let hosts = places.sysroot.as_ref().map(|sysroot| entries(&sysroot.join("lib/rustlib"))).unwrap_or_default();
    let own = hosts.into_iter().map(|host| host.join("bin/rust-lld")).find(|linker| linker.is_file());
    own.or_else(|| {
        let programs = places.programs.iter().flat_map(|folder| entries(folder));
        programs.filter_map(|program| Some((lld_release(&program)?, program))).max().map(|(_, program)| program)
    })
}

/// The release of LLVM that a `wasm-ld` belongs to: 22 of `wasm-ld-22`, 0 where the name does not tell.
fn lld_release(program: &Path) -> Option<u32> {
    let release = program.file_name()?.to_str()?.strip_prefix("wasm-ld")?;
    if release.is_empty() { Some(0) } else { release.strip_prefix('-')?.parse().ok() }
}

/// The newest linker among the packages that this machine knows.
fn linker_package() -> String {
    let mut list = Command::new("apt-cache");
    environment::clean(&mut list).args(["pkgnames", "lld-"]);
    let known = list.output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let newest = known.lines().filter_map(|name| name.strip_prefix("lld-")?.parse::<u32>().ok()).max();
    newest.map_or_else(|| "lld".to_owned(), |release| format!("lld-{release}"))
}

/// The second word of what a tool prints as its version: `rustc 1.96.0 (ac68faa20 2026-05-25)`.
fn version(tool: &Path) -> Option<Version> {
    let mut tool = Command::new(tool);
    environment::clean(&mut tool).arg("--version");
    Version::parse(line_of(tool)?.split_whitespace().nth(1)?)
}

fn line_of(mut command: Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    /// A machine made of files.
    struct Machine {
        folder: tempfile::TempDir,
    }

    impl Machine {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().expect("a folder") }
        }

        fn with_folder(self, path: &str) -> Self {
            fs::create_dir_all(self.path(path)).expect("a folder");
            self
        }

        fn with_program(self, path: &str, says: &str) -> Self {
            let file = self.path(path);
            fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
            fs::write(&file, format!("#!/bin/sh\necho '{says}'\n")).expect("a file");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("a program");
            self
        }

        fn with_debian_rust(self, version: &str) -> Self {
            self.with_program("usr/bin/rustc", &format!("rustc {version} (ac68faa20 2026-05-25)"))
                .with_program("usr/bin/cargo", &format!("cargo {version}"))
                .with_folder("usr/lib/rustlib/src/rust/library/std")
        }

        fn path(&self, path: &str) -> PathBuf {
            self.folder.path().join(path)
        }

        fn find(&self, sysroot: Option<&str>) -> Result<Toolchain, Needed> {
            let places = Places {
                sysroot: sysroot.map(|sysroot| self.path(sysroot)),
                system: self.folder.path().to_owned(),
                programs: vec![self.path("usr/bin"), self.path("usr/local/bin")],
            };
            find(&places, Version::parse("1.95").expect("a version"))
        }
    }

    #[test]
    fn the_target_of_the_pinned_toolchain_is_taken_before_any_other_way() {
        let machine = Machine::new()
            .with_folder("toolchain/lib/rustlib/wasm32-unknown-unknown/lib")
            .with_program("toolchain/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld", "")
            .with_program("usr/bin/wasm-ld-22", "")
            .with_debian_rust("1.96.0");
        let found = machine.find(Some("toolchain")).expect("a toolchain");
        assert_eq!(found.standard, StandardLibrary::Precompiled);
        assert_eq!(found.rustc, machine.path("toolchain/bin/rustc"));
        assert_eq!(found.linker, machine.path("toolchain/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld"));
    }

    #[test]
    fn without_the_target_debian_builds_the_standard_library_with_its_own_tools() {
        let machine = Machine::new()
            .with_program("toolchain/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld", "")
            .with_debian_rust("1.96.0");
        let found = machine.find(Some("toolchain")).expect("a toolchain");
        assert_eq!(found.standard, StandardLibrary::FromSource);
        assert_eq!(found.rustc, machine.path("usr/bin/rustc"));
        assert_eq!(found.cargo, machine.path("usr/bin/cargo"));
        assert!(found.standard_sources.contains(&machine.path("usr/lib/rustlib/src/rust")));
    }

    #[test]
    fn the_newest_linker_is_found_by_looking() {
        let machine = Machine::new().with_debian_rust("1.96.0").with_program("usr/local/bin/wasm-ld", "");
        assert_eq!(machine.find(None).expect("a toolchain").linker, machine.path("usr/local/bin/wasm-ld"));
        let machine = machine.with_program("usr/bin/wasm-ld-9", "").with_program("usr/bin/wasm-ld-22", "");
        let machine = machine.with_program("usr/bin/wasm-ld-notes", "").with_program("usr/bin/wasm-objdump-30", "");
        assert_eq!(machine.find(None).expect("a toolchain").linker, machine.path("usr/bin/wasm-ld-22"));
    }

    #[test]
    fn what_is_missing_is_named_by_its_package() {
        let table = [
            (Machine::new().with_program("usr/bin/wasm-ld-22", ""), vec!["rustc-web", "cargo-web", "rust-web-src"]),
            (
                Machine::new().with_debian_rust("1.63.0").with_program("usr/bin/wasm-ld-14", ""),
                vec!["rustc-web", "cargo-web"],
            ),
            (
                Machine::new()
                    .with_program("usr/bin/rustc", "rustc 1.96.0")
                    .with_program("usr/bin/cargo", "cargo 1.96.0")
                    .with_program("usr/bin/wasm-ld-22", ""),
                vec!["rust-web-src"],
            ),
        ];
        for (machine, packages) in table {
            assert_eq!(machine.find(None).expect_err("something is missing").packages, packages);
        }
        let needed = Machine::new().with_debian_rust("1.96.0").find(None).expect_err("no linker");
        assert!(matches!(needed.packages.as_slice(), [linker] if linker.starts_with("lld")), "{needed:?}");
        assert_eq!(needed.purpose, "a linker for WebAssembly");
        let needed = Machine::new().find(None).expect_err("nothing at all");
        assert_eq!(needed.packages.len(), 4, "{needed:?}");
    }
}
