//! The environment of the programs that a build starts.

use std::{env, process::Command};

/// Settings of the user that every cargo needs: its folders and the way to the registry.
const KEPT: [&str; 7] =
    ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR", "CARGO_SOURCE_", "RUSTUP_AUTO_INSTALL", "RUSTUP_HOME"];

/// Removes the variables that the calling cargo and its rustup proxy have set: they name another toolchain, package and
/// flags, and would affect the component. Removes the command's own settings too.
pub fn clean(command: &mut Command) -> &mut Command {
    remove(withhold_settings(command), is_callers)
}

/// Keeps the settings of this command (`HARNESS_*`) from a program that it starts. Some are secrets, and build scripts and browsers
/// run the code of others.
pub fn withhold_settings(command: &mut Command) -> &mut Command {
    remove(command, is_setting)
}

fn is_setting(name: &str) -> bool {
    name.starts_with("HARNESS_")
}

fn remove(command: &mut Command, is_removed: impl Fn(&str) -> bool) -> &mut Command {
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(&is_removed) {
            command.env_remove(name);
        }
    }
    command
}

fn is_callers(name: &str) -> bool {
    let build = name.starts_with("CARGO") || name.starts_with("RUST") || name == "LD_LIBRARY_PATH";
    build && !KEPT.iter().any(|kept| name.starts_with(kept))
}

#[cfg(test)]
mod tests {
    use super::{is_callers, is_setting};

    #[test]
    fn a_program_that_is_started_inherits_no_setting_of_the_command() {
        for name in ["HARNESS_CLIENT_SECRET", "HARNESS_STORE_KEY", "HARNESS_LIVE_CLIENT_SECRET"] {
            assert!(is_setting(name), "{name} must be removed");
        }
        assert!(!is_setting("PATH") && !is_setting("CARGO_HOME"));
    }

    #[test]
    fn a_nested_build_keeps_the_users_settings_and_nothing_of_the_calling_cargo() {
        let removed = ["CARGO", "CARGO_MANIFEST_DIR", "CARGO_TARGET_DIR", "RUSTFLAGS", "RUSTUP_TOOLCHAIN", "RUSTC"];
        let removed = removed.into_iter().chain(["CARGO_ENCODED_RUSTFLAGS", "RUST_BACKTRACE", "LD_LIBRARY_PATH"]);
        for name in removed {
            assert!(is_callers(name), "{name} must be removed");
        }
        let kept = ["PATH", "HOME", "CARGO_HOME", "CARGO_HTTP_PROXY", "CARGO_NET_OFFLINE", "RUSTUP_AUTO_INSTALL"];
        for name in kept.into_iter().chain(["RUSTUP_HOME", "CARGO_REGISTRIES_CRATES_IO_PROTOCOL"]) {
            assert!(!is_callers(name), "{name} must be kept");
        }
    }
}
