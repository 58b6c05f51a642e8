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
const BYTES_BUDGET: usize = 480 << 10;

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
    let say = &ui.say;
    let print = |line: String| ui.print(format!("  {line}"));
    let below = |line: String| ui.print(format!("             {line}"));
    print(say.inspect_contract(plugin.contract));
    print(say.inspect_sha256(&inspection.sha256));
    print(say.inspect_size(inspection.bytes, inspection.bytes * 100 / BYTES_BUDGET, BYTES_BUDGET));
    print(say.inspect_imports(inspection.imports.join("\n             ")));
    print(say.inspect_exports(inspection.exports.join("\n             ")));
    for rule in &manifest.egress {
        print(say.inspect_may_reach(&rule.origin));
        for route in &rule.routes {
            below(route.sentence());
        }
    }
    for (name, credential) in &manifest.credentials {
        match credential {
            CredentialSpec::OAuth2(spec) => {
                let hosts: Vec<_> = spec.login_hosts.iter().map(ToString::to_string).collect();
                print(say.inspect_credential(name, spec.scopes.join(" "), hosts.join(", ")));
                if !spec.authorization_parameters.is_empty() {
                    let pairs = spec.authorization_parameters.iter();
                    let pairs: Vec<_> = pairs.map(|(name, value)| format!("{}={value}", name.as_str())).collect();
                    below(say.inspect_login_parameters(pairs.join(", ")));
                }
                let attributes: Vec<_> = spec.attributes.keys().map(ToString::to_string).collect();
                below(say.inspect_attributes(attributes.join(", ")));
            }
            CredentialSpec::ApiKey(spec) => {
                print(say.inspect_key(name, spec.slot.header.name(), &spec.origin));
                below(say.inspect_unreadable());
            }
        }
    }
    if let Some(plan) = &plugin.plan {
        print(say.inspect_plan(plan, plugin.connect_roles.join(", ")));
    }
    print(say.inspect_limits(
        limits.memory_bytes >> 20,
        limits.cpu_ms,
        limits.wall_ms,
        limits.http_requests,
        limits.request_bytes >> 10,
        limits.response_bytes >> 10,
    ));
    announce_test_overrides(ui, permissions);
}
