//! The operator's policy, and the test override for an org on this machine.

use std::path::Path;

use crm_host::{
    manifest::Manifest,
    origin::Origin,
    policy::{Permissions, Policy, TestOverride},
};

use crate::{error::CliError, files, ui::Ui};

/// Reads a policy file. Without one, the policy is empty.
pub(crate) fn read(file: Option<&Path>) -> Result<Policy, CliError> {
    let Some(file) = file else { return Ok(Policy::default()) };
    let text = files::read_text(file)?;
    Policy::from_toml(&text).map_err(|source| CliError::PolicyFile { file: file.to_owned(), source })
}

/// Lets a loopback origin replace every origin that the manifest may reach. Other origins change nothing.
pub(crate) fn with_test_override(mut policy: Policy, manifest: &Manifest, origin: &Origin) -> Result<Policy, CliError> {
    if origin.is_loopback() {
        // The org may move to its other address (docs/local-org.md).
        let other = origin.to_string().replace("127.0.0.1", "localhost").parse().ok().filter(|other| other != origin);
        for origin in [origin.clone()].into_iter().chain(other) {
            for rule in &manifest.egress {
                policy.test_overrides.push(TestOverride::new(rule.origin.clone(), origin.clone())?);
            }
        }
    }
    Ok(policy)
}

/// Shows the test overrides in force, so that nobody mistakes a test for the real thing.
pub(crate) fn announce_test_overrides(ui: &Ui, permissions: &Permissions) {
    let mut announced = Vec::new();
    for test_override in permissions.test_overrides() {
        // The first one applies to requests; a further one only lets an org move.
        if announced.contains(&test_override.pattern()) {
            continue;
        }
        announced.push(test_override.pattern());
        let (pattern, origin) = (test_override.pattern(), test_override.origin());
        ui.note(ui.say.test_override(pattern, origin));
    }
}
