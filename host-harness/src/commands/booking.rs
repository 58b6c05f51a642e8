//! What `run`, `preview` and `check` share: reading booking and mapping, and showing how the plugin answered.

use anyhow::Result;
use booking::{Booking, Explained, Mapping, Resolved};
use contract::{LeadField, Problem};
use runtime::{Called, Plugin, Usage};

use crate::{
    cli::BookingAndMapping,
    input::{self, InputError},
    target::{Connected, Target},
    ui::Ui,
};

/// A booking, a mapping, and the fields of the org that they go to.
pub(super) struct Opened {
    pub(super) connected: Connected,
    pub(super) booking: Booking,
    pub(super) mapping: Mapping,
    pub(super) fields: Vec<LeadField>,
}

/// Reads both files before anything is started, then opens the target and lists its fields. `None` if they could not be
/// listed; the reason has been shown.
pub(super) async fn open(ui: &mut Ui, arguments: &BookingAndMapping) -> Result<Option<Opened>> {
    let booking = input::read_booking(&arguments.booking, arguments.format)?;
    let mapping = input::read_mapping(&arguments.mapping)?;
    let connected = Target::open(ui, &arguments.target).await?;
    let called = connected.plugin.list_lead_fields(&connected.connection).await?;
    match answered(ui, &connected.plugin, called.answer).await? {
        Some(listed) => Ok(Some(Opened { connected, booking, mapping, fields: listed.fields })),
        None => {
            connected.close().await;
            Ok(None)
        }
    }
}

impl Opened {
    pub(super) fn resolve(&self, arguments: &BookingAndMapping) -> Result<Resolved, InputError> {
        booking::resolve(&self.booking, &self.mapping, &self.fields)
            .map_err(|source| InputError::Unresolvable { file: arguments.mapping.clone(), source })
    }
}

/// What the host and the plugin found, as one list.
pub(super) fn all_findings(resolved: &Resolved, found: Vec<contract::Finding>) -> Vec<Explained> {
    let of_plugin = found.into_iter().map(|finding| resolved.origins.explain(finding));
    resolved.findings.iter().cloned().chain(of_plugin).collect()
}

/// What the plugin answered; a problem is shown, with help, and gives `None`.
pub(super) async fn answered<T>(ui: &Ui, plugin: &Plugin, answer: Result<T, Problem>) -> Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(problem) => {
            show_problem(ui, plugin, &problem).await?;
            Ok(None)
        }
    }
}

/// Shows a problem with the plugin's own help.
pub(super) async fn show_problem(ui: &Ui, plugin: &Plugin, problem: &Problem) -> Result<()> {
    let advice = match plugin.exports().guidance {
        true => plugin.advice(&problem.code, ui.locale()).await?.answer,
        false => None,
    };
    ui.json(&serde_json::json!({ "problem": problem, "advice": advice }))?;
    ui.problem(problem, advice.as_ref());
    Ok(())
}

/// What a call used, next to what it may use.
pub(super) fn show_usage(ui: &Ui, plugin: &Plugin, usage: &Usage) {
    let limits = plugin.limits();
    let requests: Vec<_> = usage
        .requests
        .iter()
        .map(|request| {
            let status = request.status.map_or("no answer".to_owned(), |status| status.to_string());
            format!("\n    {} {} → {status}", request.method, request.path)
        })
        .collect();
    ui.print(format!(
        "  used: {} of {} requests, {} of {} KiB memory, {:.1} of {} ms computing, {:.0} of {} ms in all{}",
        usage.requests.len(),
        limits.http_requests,
        usage.memory_bytes >> 10,
        limits.memory_bytes >> 10,
        usage.cpu.as_secs_f64() * 1e3,
        limits.cpu_ms,
        usage.wall.as_secs_f64() * 1e3,
        limits.wall_ms,
        requests.concat()
    ));
    for denial in &usage.denials {
        ui.print(format!("  refused by policy: {}", denial.reason));
        if let Some(lines) = &denial.would_allow {
            ui.print(format!("    these manifest lines would allow it:\n      {}", lines.replace('\n', "\n      ")));
        }
    }
}

/// Takes a called function apart.
pub(super) fn parts<T>(called: Called<T>) -> (T, Usage) {
    (called.answer, called.usage)
}
