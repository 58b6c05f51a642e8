//! Records what a component was made from, so that an unchanged tree needs no call of cargo.
//!
//! Cargo itself would decide the same, but takes 0.3 s (and finding the toolchain 0.1 s), and waits for any other cargo in the
//! same target folder. Checking the stamp takes 1 ms, also in a debug build.
//!
//! A stamp lists cargo's own inputs, from the dep-info file beside the core module: all sources of the package and of the
//! workspace crates it depends on, files that they include, and the WIT text. They are compared by size and modification
//! time, as cargo compares them. Digests of their contents would take 15 ms, and where they disagreed with cargo, cargo would
//! not build either. The stamp adds inputs that cargo does not list: the names in every folder with an input, so that added
//! and removed files count, every `Cargo.toml`, the lock file, cargo's configuration, the toolchain's programs, and
//! `plugin.toml`. The component's own digest is compared, because only that reveals a damaged file.
//!
//! Environment variables that sources read with `env!` are not tracked; no plugin here reads one.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crm_host::MANIFEST_SECTION;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    MANIFEST, StandardLibrary,
    cargo_home::{self, entries},
    compile::Module,
    hex,
    toolchain::Toolchain,
    workspace::Workspace,
};

/// The coarsest step in which file systems keep times (FAT). A file changed within one step after the build began may
/// carry a time before it.
const TIME_STEP: Duration = Duration::from_secs(2);

/// The sources of this crate that decide what a component contains. The lock file covers the dependencies from a registry.
/// `crm-host` has no entry there that would show its changes, and needs none: it accepts or refuses a finished component,
/// and does so again when it loads one. All that ends up in the file is the name it gives to the section.
const OWN_SOURCES: [&str; 8] = [
    include_str!("lib.rs"),
    include_str!("cargo_home.rs"),
    include_str!("compile.rs"),
    include_str!("encode.rs"),
    include_str!("toolchain.rs"),
    include_str!("workspace.rs"),
    crm_installer::CLEAN_SOURCE,
    MANIFEST_SECTION,
];

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// Digest over everything that is not a file.
    settings: String,
    pub(crate) sha256: String,
    pub(crate) standard_library: StandardLibrary,
    inputs: BTreeMap<PathBuf, State>,
}

/// An input, and what reveals a change of it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum State {
    Missing,
    File {
        bytes: u64,
        modified: SystemTime,
    },
    /// Names of the entries. Hidden ones are left out: editors keep theirs there.
    Folder(Vec<PathBuf>),
}

impl State {
    fn of(path: &Path) -> Self {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                let names = entries(path).into_iter().filter_map(|entry| entry.file_name().map(PathBuf::from));
                Self::Folder(names.filter(|name| !name.as_os_str().as_encoded_bytes().starts_with(b".")).collect())
            }
            Ok(found) => match found.modified() {
                Ok(modified) => Self::File { bytes: found.len(), modified },
                Err(_) => Self::Missing,
            },
            Err(_) => Self::Missing,
        }
    }
}

impl Stamp {
    /// A stamp for a build that `began` then; `None` if an input has changed since, because either state could have
    /// been compiled.
    pub(crate) fn new(
        settings: String,
        sha256: String,
        standard_library: StandardLibrary,
        inputs: Vec<PathBuf>,
        began: SystemTime,
    ) -> Option<Self> {
        let inputs: BTreeMap<_, _> =
            inputs.into_iter().map(|path| (State::of(&path), path)).map(|(s, p)| (p, s)).collect();
        let settled = began.checked_sub(TIME_STEP)?;
        let changed = |state: &State| matches!(state, State::File { modified, .. } if *modified >= settled);
        (!inputs.values().any(changed)).then_some(Self { settings, sha256, standard_library, inputs })
    }

    pub(crate) fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    /// Whether a build with these settings would find the same inputs.
    pub(crate) fn holds(&self, settings: &str) -> bool {
        self.settings == settings && self.inputs.iter().all(|(path, state)| State::of(path) == *state)
    }
}

/// Where the stamp of a component is kept.
pub(crate) fn path(component: &Path) -> PathBuf {
    component.with_extension("stamp")
}

/// Digest of what affects a component besides its input files: this crate, the package's name, the folders whose
/// paths are remapped, and which `rustc` is found first.
///
/// The workspace's own folders are part of it because a stamp lists its inputs by absolute path: in a copy of a workspace
/// with its target folder, the stamp would watch the original's sources.
pub(crate) fn settings(workspace: &Workspace, package: &str) -> String {
    let mut digest = Sha256::new();
    let own = [workspace.root(), workspace.target()].map(Path::to_owned);
    let folders = own.into_iter().chain(cargo_home::dependency_sources()).chain(first_rustc());
    let folders = folders.map(|folder| folder.into_os_string().into_encoded_bytes());
    let parts = OWN_SOURCES.map(|source| source.as_bytes().to_vec()).into_iter();
    for part in parts.chain([package.as_bytes().to_vec()]).chain(folders) {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    hex(&digest.finalize())
}

fn first_rustc() -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join("rustc")).find(|program| program.is_file())
}

/// All inputs of a compiled module; `None` if cargo left no list.
pub(crate) fn inputs(workspace: &Workspace, toolchain: &Toolchain, module: &Module) -> Option<Vec<PathBuf>> {
    let root = workspace.root();
    let listed = dep_info(&fs::read_to_string(module.file.with_extension("d")).ok()?)?;
    let mut inputs = BTreeSet::new();
    for path in listed {
        let path = root.join(path);
        // Build scripts generate what is in the target folder from other inputs; the toolchain covers its own sources.
        let made = path.starts_with(workspace.target());
        if !made && !toolchain.standard_sources.iter().any(|sources| path.starts_with(sources)) {
            expand(&path, &mut inputs);
        }
    }
    let folders: BTreeSet<_> =
        inputs.iter().filter(|path| path.starts_with(root)).flat_map(|path| folders_of_package(path, root)).collect();
    inputs.extend(folders.iter().map(|folder| folder.join("Cargo.toml")));
    inputs.extend(folders);
    inputs.extend(["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "rust-toolchain"].map(|name| root.join(name)));
    inputs.insert(module.package.join(MANIFEST));
    let configured = root.ancestors().map(|folder| folder.join(".cargo")).chain(cargo_home::cargo_home());
    inputs.extend(configured.flat_map(|folder| ["config.toml", "config"].map(|name| folder.join(name))));
    inputs.extend(first_rustc());
    inputs.extend([&toolchain.cargo, &toolchain.rustc, &toolchain.linker].map(Clone::clone));
    inputs.extend(toolchain.precompiled.clone());
    Some(inputs.into_iter().collect())
}

/// Reads a dep-info file: `OUTPUT: INPUT INPUT...`, where a backslash escapes a blank in a path.
fn dep_info(text: &str) -> Option<Vec<PathBuf>> {
    let (_, inputs) = text.lines().find_map(|line| line.split_once(": "))?;
    let mut paths = vec![String::new()];
    let mut characters = inputs.chars();
    while let Some(character) = characters.next() {
        match (character, paths.last_mut()) {
            (' ', _) => paths.push(String::new()),
            ('\\', Some(path)) => path.extend(characters.next()),
            (_, Some(path)) => path.push(character),
            (_, None) => {}
        }
    }
    Some(paths.into_iter().filter(|path| !path.is_empty()).map(PathBuf::from).collect())
}

/// A file, or a folder with everything in it: a build script may name either.
fn expand(path: &Path, inputs: &mut BTreeSet<PathBuf>) {
    inputs.insert(path.to_owned());
    if path.is_dir() {
        entries(path).iter().for_each(|entry| expand(entry, inputs));
    }
}

/// The folders from a file up to that of its package. A file outside of any package (`wit/`) has only its own.
fn folders_of_package(file: &Path, root: &Path) -> Vec<PathBuf> {
    let folders: Vec<_> = file.ancestors().skip(1).take_while(|folder| *folder != root).collect();
    match folders.iter().position(|folder| folder.join("Cargo.toml").is_file()) {
        Some(package) => folders.into_iter().take(package + 1).map(Path::to_owned).collect(),
        None => folders.into_iter().take(1).map(Path::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dep_info_names_paths_with_blanks() {
        let text = "/t/plugin.wasm: /w/src/lib.rs /w/a\\ folder/x.rs wit/types.wit\n\n/w/src/lib.rs:\n";
        let expected = ["/w/src/lib.rs", "/w/a folder/x.rs", "wit/types.wit"].map(PathBuf::from);
        assert_eq!(dep_info(text), Some(expected.to_vec()));
        assert_eq!(dep_info("nonsense"), None);
    }

    #[test]
    fn settings_tell_packages_workspaces_and_target_folders_apart() {
        let workspace = || {
            let folder = tempfile::tempdir().expect("a folder");
            let manifest = "[workspace]\n[workspace.package]\nrust-version = \"1.95\"\n";
            fs::write(folder.path().join("Cargo.toml"), manifest).expect("a file");
            (Workspace::containing(folder.path()).expect("a workspace"), folder)
        };
        let ((one, _one), (other, _other)) = (workspace(), workspace());
        let different = BTreeSet::from([
            settings(&one, "a"),
            settings(&one, "b"),
            settings(&other, "a"),
            settings(&other.clone().building_in(one.target()), "a"),
            settings(&one.clone().building_in(other.target()), "a"),
        ]);
        assert_eq!(different.len(), 5);
        assert_eq!(settings(&one, "a"), settings(&one, "a"));
    }

    #[test]
    fn an_input_that_changed_since_the_build_began_leaves_no_stamp() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let stamp = |began| {
            let inputs = vec![file.path().to_owned()];
            Stamp::new(String::new(), String::new(), StandardLibrary::Precompiled, inputs, began)
        };
        assert_eq!(stamp(SystemTime::now()), None);
        assert!(stamp(SystemTime::now() + Duration::from_secs(60)).is_some());
    }
}
