//! `inspect`: shows what a component is and may do, without running it.

use crm_host::{CONTRACT, Inspection, manifest::CredentialSpec, policy::Permissions};

use super::Ending;
use crate::{
    cli::Inspect,
    component_file::ComponentFile,
    error::CliError,
    policy_file::{self, announce_test_overrides},
    ui::Ui,
};

/// The budget for a component file, printed next to its size.
const BYTES_BUDGET: usize = 448 << 10;

pub(super) fn run(ui: &mut Ui, arguments: &Inspect) -> Result<Ending, CliError> {
    let ComponentFile { path, content, inspection, manifest } = ComponentFile::open(&arguments.file)?;
    let fault = |source| CliError::Component { file: path.clone(), source };
    let complexity = Inspection::complexity(&content).map_err(fault)?;
    let permissions = Permissions::new(&manifest, &policy_file::read(arguments.policy.as_deref())?)?;

    ui.json(&serde_json::json!({
        "file": path,
        "contract": CONTRACT,
        "imports": inspection.imports,
        "exports": inspection.exports,
        "bytes": inspection.bytes,
        "sha256": inspection.sha256,
        "complexity": complexity,
        "manifest": permissions.manifest(),
        "limits": permissions.limits(),
        "test_overrides": permissions.test_overrides(),
        "budgets": { "bytes": BYTES_BUDGET },
    }))?;
    human(ui, &inspection, &permissions);
    Ok(Ending::Done)
}

fn human(ui: &Ui, inspection: &Inspection, permissions: &Permissions) {
    let manifest = permissions.manifest();
    let plugin = &manifest.plugin;
    let limits = permissions.limits();
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
        ui.print(format!("  may reach  {} (during a call: only the origin of the connected org)", rule.origin));
        for route in &rule.routes {
            ui.print(format!("             {}", route.sentence()));
        }
    }
    for (name, credential) in &manifest.credentials {
        match credential {
            CredentialSpec::OAuth2(spec) => {
                let hosts: Vec<_> = spec.login_hosts.iter().map(ToString::to_string).collect();
                ui.print(format!(
                    "  credential {name}: scopes {}; login at {}",
                    spec.scopes.join(" "),
                    hosts.join(", ")
                ));
                if !spec.authorization_parameters.is_empty() {
                    let pairs = spec.authorization_parameters.iter();
                    let pairs: Vec<_> = pairs.map(|(name, value)| format!("{}={value}", name.as_str())).collect();
                    ui.print(format!("             login is requested with {}", pairs.join(", ")));
                }
                let attributes: Vec<_> = spec.attributes.keys().map(ToString::to_string).collect();
                ui.print(format!(
                    "             the plugin cannot read it, only its attributes {}",
                    attributes.join(", ")
                ));
            }
            CredentialSpec::ApiKey(spec) => {
                let header = spec.slot.header.name();
                ui.print(format!("  credential {name}: API key in header {header}, to {}", spec.origin));
                ui.print("             the plugin cannot read it");
            }
        }
    }
    if let Some(plan) = &plugin.plan {
        ui.print(format!("  plan       {plan}; may be connected by {}", plugin.connect_roles.join(", ")));
    }
    ui.print(format!(
        "  per call   {} MiB memory, {} ms computing, {} ms in all, {} requests of {} KiB, responses of {} KiB",
        limits.memory_bytes >> 20,
        limits.cpu_ms,
        limits.wall_ms,
        limits.http_requests,
        limits.request_bytes >> 10,
        limits.response_bytes >> 10
    ));
    announce_test_overrides(ui, permissions);
}
