//! Finds the compiler, standard library and linker for components.
//!
//! With rustup, the toolchain file names the target `wasm32-unknown-unknown`, and rustup installs its standard library.
//! Where rustup cannot download, Debian's Rust packages are used; their standard library is compiled from source with the
//! plugin. Nothing here installs anything.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crm_installer::Needed;

use crate::{
    StandardLibrary,
    cargo_home::entries,
    workspace::{Version, Workspace},
};

/// The target of all plugins: a core module without any system interface.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// The programs of a build.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Toolchain {
    pub(crate) standard: StandardLibrary,
    pub(crate) cargo: PathBuf,
    pub(crate) rustc: PathBuf,
    pub(crate) linker: PathBuf,
    /// Folders of the standard library's source. Their paths must not remain in a component.
    pub(crate) standard_sources: Vec<PathBuf>,
    /// The folder whose presence or absence decided between precompiled and source.
    pub(crate) precompiled: Option<PathBuf>,
}

/// Where to look for a toolchain.
#[derive(Debug)]
pub(crate) struct Search {
    /// The toolchain that the workspace names.
    pub(crate) sysroot: Option<PathBuf>,
    /// The folder above `usr`.
    pub(crate) system: PathBuf,
    /// The folders of `PATH`.
    pub(crate) programs: Vec<PathBuf>,
}

impl Search {
    pub(crate) fn of_this_machine(workspace: &Workspace) -> Self {
        let mut rustc = Command::new("rustc");
        crm_installer::clean(&mut rustc).args(["--print", "sysroot"]).current_dir(workspace.root());
        let programs = env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
        Self { sysroot: line_of(rustc).map(PathBuf::from), system: PathBuf::from("/"), programs }
    }
}

/// Finds everything that a build needs.
pub(crate) fn find(search: &Search, oldest: Version) -> Result<Toolchain, Needed> {
    let precompiled = |sysroot: &Path| sysroot.join("lib/rustlib").join(TARGET).join("lib");
    let decisive = search.sysroot.as_deref().map(precompiled);
    let linker = linker(search);
    match (search.sysroot.as_ref().filter(|sysroot| precompiled(sysroot).is_dir()), linker) {
        (Some(sysroot), Some(linker)) => Ok(Toolchain {
            standard: StandardLibrary::Precompiled,
            cargo: sysroot.join("bin/cargo"),
            rustc: sysroot.join("bin/rustc"),
            linker,
            standard_sources: standard_sources(sysroot),
            precompiled: decisive,
        }),
        (Some(_), None) => Err(linker_needed()),
        (None, linker) => find_debian(&search.system.join("usr"), oldest, linker, decisive),
    }
}

fn find_debian(
    usr: &Path,
    oldest: Version,
    linker: Option<PathBuf>,
    precompiled: Option<PathBuf>,
) -> Result<Toolchain, Needed> {
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
            precompiled,
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
        otherwise: "With rustup, run: rustup target add wasm32-unknown-unknown",
    }
}

fn linker_needed() -> Needed {
    Needed {
        purpose: "a linker for WebAssembly",
        packages: vec![linker_package()],
        otherwise: "Any wasm-ld of LLVM's lld in PATH will do",
    }
}

/// The standard library's source, under the path it is compiled from and under its real path.
fn standard_sources(sysroot: &Path) -> Vec<PathBuf> {
    let named = sysroot.join("lib/rustlib/src/rust");
    let real = named.canonicalize().ok().filter(|real| *real != named);
    [Some(named), real].into_iter().flatten().collect()
}

/// The linker of the workspace's own toolchain, whose version is pinned; else the newest in `PATH`.
fn linker(search: &Search) -> Option<PathBuf> {
    let hosts = search.sysroot.as_ref().map(|sysroot| entries(&sysroot.join("lib/rustlib"))).unwrap_or_default();
    let own = hosts.into_iter().map(|host| host.join("bin/rust-lld")).find(|linker| linker.is_file());
    own.or_else(|| {
        let programs = search.programs.iter().flat_map(|folder| entries(folder));
        programs.filter_map(|program| Some((lld_release(&program)?, program))).max().map(|(_, program)| program)
    })
}

/// The LLVM release of a `wasm-ld`: 22 for `wasm-ld-22`, 0 for `wasm-ld`.
fn lld_release(program: &Path) -> Option<u32> {
    let release = program.file_name()?.to_str()?.strip_prefix("wasm-ld")?;
    if release.is_empty() { Some(0) } else { release.strip_prefix('-')?.parse().ok() }
}

/// The newest linker package in the package lists of this machine.
fn linker_package() -> String {
    let mut list = Command::new("apt-cache");
    crm_installer::clean(&mut list).args(["pkgnames", "lld-"]);
    let known = list.output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let newest = known.lines().filter_map(|name| name.strip_prefix("lld-")?.parse::<u32>().ok()).max();
    newest.map_or_else(|| "lld".to_owned(), |release| format!("lld-{release}"))
}

/// Parses the output of `--version`, for example `rustc 1.96.0 (ac68faa20 2026-05-25)`.
fn version(tool: &Path) -> Option<Version> {
    let mut tool = Command::new(tool);
    crm_installer::clean(&mut tool).arg("--version");
    Version::parse(line_of(tool)?.split_whitespace().nth(1)?)
}

fn line_of(mut command: Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    /// A file system with the programs of a machine.
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
            let search = Search {
                sysroot: sysroot.map(|sysroot| self.path(sysroot)),
                system: self.folder.path().to_owned(),
                programs: vec![self.path("usr/bin"), self.path("usr/local/bin")],
            };
            find(&search, Version::parse("1.95").expect("a version"))
        }
    }

    #[test]
    fn the_target_of_the_pinned_toolchain_comes_first() {
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
    fn without_the_target_debians_tools_compile_the_standard_library() {
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
    fn the_newest_linker_in_path_is_found() {
        let machine = Machine::new().with_debian_rust("1.96.0").with_program("usr/local/bin/wasm-ld", "");
        assert_eq!(machine.find(None).expect("a toolchain").linker, machine.path("usr/local/bin/wasm-ld"));
        let machine = machine.with_program("usr/bin/wasm-ld-9", "").with_program("usr/bin/wasm-ld-22", "");
        let machine = machine.with_program("usr/bin/wasm-ld-notes", "").with_program("usr/bin/wasm-objdump-30", "");
        assert_eq!(machine.find(None).expect("a toolchain").linker, machine.path("usr/bin/wasm-ld-22"));
    }

    #[test]
    fn a_missing_tool_is_named_by_its_package() {
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
