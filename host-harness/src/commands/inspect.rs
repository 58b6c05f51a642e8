//! `inspect`: what a component is and what it may do, read without running it.

use std::fs;

use anyhow::{Context, Result};
use runtime::{CONTRACT, Inspection, manifest::Manifest, policy::Effective};

use super::Ending;
use crate::{cli::Inspect, input::InputError, target, ui::Ui};

/// The budget for a component file, printed next to its size.
const BYTES_BUDGET: usize = 448 << 10;

pub(super) fn run(ui: &mut Ui, arguments: &Inspect) -> Result<Ending> {
    let file = &arguments.file;
    let bytes = fs::read(file).map_err(|source| InputError::Unreadable { file: file.to_owned(), source })?;
    let inspection = Inspection::read(&bytes).with_context(|| file.display().to_string())?;
    inspection.check(&bytes).with_context(|| file.display().to_string())?;
    let manifest = Manifest::from_toml(inspection.manifest.as_deref().unwrap_or_default())
        .with_context(|| format!("{}: the embedded manifest", file.display()))?;
    let policy = target::read_policy(arguments.policy.as_deref())?;
    let effective = Effective::new(&manifest, &policy)?;

    ui.json(&serde_json::json!({
        "file": file,
        "contract": CONTRACT,
        "imports": inspection.imports,
        "exports": inspection.exports,
        "bytes": inspection.bytes,
        "sha256": inspection.sha256,
        "manifest": effective.manifest(),
        "limits": effective.limits(),
        "stand_ins": effective.stand_ins(),
        "budgets": { "bytes": BYTES_BUDGET },
    }))?;
    human(ui, &inspection, &effective);
    Ok(Ending::Done)
}

fn human(ui: &Ui, inspection: &Inspection, effective: &Effective) {
    let manifest = effective.manifest();
    let plugin = &manifest.plugin;
    let limits = effective.limits();
    ui.print(format!("{} {} ({})", plugin.name, plugin.version, plugin.id));
    ui.print(format!("  contract   {}", plugin.contract));
    ui.print(format!("  sha256     {}", inspection.sha256));
    ui.print(format!(
        "  size       {} bytes ({} % of {BYTES_BUDGET})",
        inspection.bytes,
        inspection.bytes * 100 / BYTES_BUDGET
    ));
    ui.print(format!("  imports    {}", inspection.imports.join("\n             ")));
    ui.print(format!("  exports    {}", inspection.exports.join("\n             ")));
    for rule in &manifest.egress {
        let methods: Vec<_> = rule.methods.iter().map(ToString::to_string).collect();
        let paths: Vec<_> = rule.path_prefixes.iter().map(ToString::to_string).collect();
        ui.print(format!("  may reach  {} {} below {}", methods.join(", "), rule.origin, paths.join(", ")));
        ui.print("             (during a call: only the origin of the connected org)");
    }
    for (name, credential) in &manifest.credentials {
        let hosts: Vec<_> = credential.login_hosts.iter().map(ToString::to_string).collect();
        ui.print(format!(
            "  credential {name}: scopes {}; log-in at {}",
            credential.scopes.join(" "),
            hosts.join(", ")
        ));
        let attributes: Vec<_> = credential.attributes.keys().map(ToString::to_string).collect();
        ui.print(format!("             the plugin cannot read it; it is told {}", attributes.join(", ")));
    }
    if let Some(plan) = &plugin.plan {
        ui.print(format!("  plan       {plan}; may be connected by {}", plugin.connect_roles.join(", ")));
    }
    ui.print(format!(
        "  per call   {} MiB memory, {} ms computing, {} ms in all, {} requests of {} KiB, answers of {} KiB",
        limits.memory_bytes >> 20,
        limits.cpu_ms,
        limits.wall_ms,
        limits.http_requests,
        limits.request_bytes >> 10,
        limits.response_bytes >> 10
    ));
    target::announce_stand_ins(ui, effective);
}
