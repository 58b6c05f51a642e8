//! The environment of the programs that a build starts.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a person has set up and every cargo needs: where things are, and the way to the registry.
const KEPT: [&str; 7] =
    ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR", "CARGO_SOURCE_", "RUSTUP_AUTO_INSTALL", "RUSTUP_HOME"];

/// Takes away what the calling cargo and its rustup proxy have set: it names another toolchain, another package and
/// other flags, and would end up in the component.
pub(super) fn clean(command: &mut Command) -> &mut Command {
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_of_the_caller) {
            command.env_remove(name);
        }
    }
    command
}

fn is_of_the_caller(name: &str) -> bool {
    let build = name.starts_with("CARGO") || name.starts_with("RUST") || name == "LD_LIBRARY_PATH";
    build && !KEPT.iter().any(|kept| name.starts_with(kept))
}

/// Where cargo keeps the sources of dependencies, the outermost folder first. The innermost is named after the registry
/// they came from, or after its mirror.
pub(super) fn dependency_sources() -> Vec<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let real = home.as_ref().and_then(|home| home.canonicalize().ok()).filter(|real| home.as_ref() != Some(real));
    let homes = [home, real].into_iter().flatten().collect::<Vec<_>>();
    let registries = homes.iter().flat_map(|home| entries(&home.join("registry/src"))).collect::<Vec<_>>();
    homes.into_iter().chain(registries).collect()
}

/// What a folder holds, in order; nothing where there is no such folder.
pub(super) fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut entries = entries.filter_map(|entry| Some(entry.ok()?.path())).collect::<Vec<_>>();
    entries.sort();
    entries
}

#[cfg(test)]
mod tests {
    use super::is_of_the_caller;

    #[test]
    fn a_nested_build_keeps_the_set_up_and_nothing_of_the_calling_cargo() {
        let removed = ["CARGO", "CARGO_MANIFEST_DIR", "CARGO_TARGET_DIR", "RUSTFLAGS", "RUSTUP_TOOLCHAIN", "RUSTC"];
        let removed = removed.into_iter().chain(["CARGO_ENCODED_RUSTFLAGS", "RUST_BACKTRACE", "LD_LIBRARY_PATH"]);
        for name in removed {
            assert!(is_of_the_caller(name), "{name} must be removed");
        }
        let kept = ["PATH", "HOME", "CARGO_HOME", "CARGO_HTTP_PROXY", "CARGO_NET_OFFLINE", "RUSTUP_AUTO_INSTALL"];
        for name in kept.into_iter().chain(["RUSTUP_HOME", "CARGO_REGISTRIES_CRATES_IO_PROTOCOL"]) {
            assert!(!is_of_the_caller(name), "{name} must be kept");
        }
    }
}
