//! Cargo's folders of sources.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Cargo's own folder.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")))
}

/// Folders with the sources of dependencies, the outermost first. The innermost is named after the registry or its mirror.
pub(crate) fn dependency_sources() -> Vec<PathBuf> {
    let home = cargo_home();
    let real = home.as_ref().and_then(|home| home.canonicalize().ok()).filter(|real| home.as_ref() != Some(real));
    let homes = [home, real].into_iter().flatten().collect::<Vec<_>>();
    let registries = homes.iter().flat_map(|home| entries(&home.join("registry/src"))).collect::<Vec<_>>();
    homes.into_iter().chain(registries).collect()
}

/// The sorted entries of a folder; none if it does not exist.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut entries = entries.filter_map(|entry| Some(entry.ok()?.path())).collect::<Vec<_>>();
    entries.sort();
    entries
}
