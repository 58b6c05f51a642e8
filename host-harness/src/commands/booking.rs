//! Shared by `run`, `preview` and `check`: reading booking and mapping, and showing the plugin's answer.

use crm_booking::{Booking, Explained, ExplainedProblem, Mapping, ResolveError, Resolved, unknown_options};
use crm_host::{
    Called, Plugin, Usage,
    types::{LeadField, Problem},
};

use crate::{
    cli::BookingAndMapping,
    connection::Connected,
    error::CliError,
    input::{self, InputError},
    ui::Ui,
};

/// A booking, a mapping, and the fields of the org that they go to.
pub(super) struct Opened {
    pub(super) connected: Connected,
    pub(super) booking: Booking,
    pub(super) mapping: Mapping,
    pub(super) fields: Vec<LeadField>,
    /// Options of the mapping that the plugin does not have.
    pub(super) unknown_options: Vec<Explained>,
}

/// Reads both files before anything is started, then connects and lists the fields. `None` if they could not be
/// listed; the reason has been shown.
pub(super) async fn open(ui: &mut Ui, arguments: &BookingAndMapping) -> Result<Option<Opened>, CliError> {
    let booking = input::read_booking(&arguments.booking, arguments.format)?;
    let mapping = input::read_mapping(&arguments.mapping)?;
    let connected = Connected::open(ui, &arguments.connection).await?;
    let called = connected.plugin.list_lead_fields(&connected.connection).await?;
    let Some(listed) = answered(ui, &connected.plugin, called.answer).await? else {
        connected.close().await;
        return Ok(None);
    };
    let unknown_options = if connected.plugin.exports().settings {
        let groups = connected.plugin.options().await?.answer;
        unknown_options(&mapping, &groups.iter().map(|group| group.id.as_str()).collect::<Vec<_>>())
    } else {
        Vec::new()
    };
    Ok(Some(Opened { connected, booking, mapping, fields: listed.fields, unknown_options }))
}

impl Opened {
    pub(super) fn resolve(&self, arguments: &BookingAndMapping) -> Result<Resolved, InputError> {
        let mut resolved = crm_booking::resolve(&self.booking, &self.mapping, &self.fields).map_err(|source| {
            let file = match source {
                ResolveError::Cancelled => arguments.booking.clone(),
                ResolveError::UnknownField { .. } => arguments.mapping.clone(),
            };
            InputError::Unresolvable { file, source }
        })?;
        resolved.findings.extend(self.unknown_options.iter().cloned());
        Ok(resolved)
    }
}

/// What the host and the plugin found, as one list.
pub(super) fn all_findings(resolved: &Resolved, found: Vec<crm_contract::Finding>) -> Vec<Explained> {
    let of_plugin = found.into_iter().map(|finding| resolved.origins.explain(finding));
    resolved.findings.iter().cloned().chain(of_plugin).collect()
}

/// The plugin's answer. A problem is shown with help, and gives `None`.
pub(super) async fn answered<T>(ui: &Ui, plugin: &Plugin, answer: Result<T, Problem>) -> Result<Option<T>, CliError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(problem) => {
            show_problem(ui, plugin, &problem.into(), &[]).await?;
            Ok(None)
        }
    }
}

/// Shows a problem with the plugin's own help, and what was found before it.
pub(super) async fn show_problem(
    ui: &Ui,
    plugin: &Plugin,
    explained: &ExplainedProblem,
    findings: &[Explained],
) -> Result<(), CliError> {
    let code = &explained.problem.code;
    let advice = if plugin.exports().guidance { plugin.advice(code, ui.locale()).await?.answer } else { None };
    ui.json(&serde_json::json!({ "problem": explained, "advice": advice, "findings": findings }))?;
    ui.findings(findings);
    ui.problem(explained, advice.as_ref());
    Ok(())
}

/// Shows what a call used next to its limits.
pub(super) fn show_usage(ui: &Ui, plugin: &Plugin, usage: &Usage) {
    let limits = plugin.limits();
    let requests: Vec<_> = usage
        .requests
        .iter()
        .map(|request| {
            let status = request.status.map_or("no response".to_owned(), |status| status.to_string());
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

/// Splits a result into answer and usage.
pub(super) fn parts<T>(called: Called<T>) -> (T, Usage) {
    (called.answer, called.usage)
}
