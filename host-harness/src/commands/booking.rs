//! Shared by `run`, `preview` and `check`: reading booking and mapping, and showing the plugin's answer.

use crm_booking::{Booking, Explained, ExplainedProblem, Mapping, Memos, Resolved, unknown_fields, unknown_options};
use crm_host::{
    Called, Plugin, Usage,
    types::{AdviceText, Parameter, Problem, UnknownTries},
};

use crate::{
    cli::BookingAndMapping,
    connection::Connected,
    error::CliError,
    input::{self, InputError},
    ui::Ui,
};

/// A booking, a mapping, and a connection.
pub(super) struct Opened {
    pub(super) connected: Connected,
    pub(super) booking: Booking,
    pub(super) mapping: Mapping,
    /// What the plugin noted about the fields that it listed.
    pub(super) memos: Memos,
    /// Options of the mapping that the plugin does not have.
    pub(super) unknown_options: Vec<Explained>,
}

/// Reads both files before anything is started, connects, and lists the fields unless they are known from an earlier command.
/// `None` if they could not be listed; the reason has been shown.
pub(super) async fn open(ui: &mut Ui, arguments: &BookingAndMapping) -> Result<Option<Opened>, CliError> {
    let Some(opened) = open_with_unknown_fields(ui, arguments).await? else { return Ok(None) };
    if let Some(unknown) = unknown_fields(&opened.mapping, &opened.memos).into_iter().next() {
        let position = unknown.finding.rows.first().copied().unwrap_or_default();
        let (file, message) = (arguments.mapping.clone(), unknown.finding.message);
        opened.connected.close().await;
        return Err(InputError::UnknownField { file, position, message }.into());
    }
    Ok(Some(opened))
}

/// The same for a check, which reports all unknown fields.
pub(super) async fn open_with_unknown_fields(
    ui: &mut Ui,
    arguments: &BookingAndMapping,
) -> Result<Option<Opened>, CliError> {
    let booking = input::read_booking(&arguments.booking, arguments.format)?;
    let mapping = input::read_mapping(&arguments.mapping)?;
    let connected = Connected::open(ui, &arguments.connection).await?;
    let (plugin, connection, target) = (&connected.plugin, &connected.connection, mapping.target());
    let mut memos = connected.memos(target).await?;
    if !memos.cover(&mapping) {
        let called = plugin.list_lead_fields(connection, target, ui.locale()).await?;
        let Some(listed) = answered(ui, plugin, called.answer).await? else {
            connected.close().await;
            return Ok(None);
        };
        memos = Memos::of_list(&listed);
        connected.keep_memos(target, &memos).await?;
    }
    let unknown_options = if plugin.exports().settings && !mapping.options().is_empty() {
        let called = plugin.options(connection, target, ui.locale()).await?;
        let Some(groups) = answered(ui, plugin, called.answer).await? else {
            connected.close().await;
            return Ok(None);
        };
        unknown_options(&mapping, &groups.iter().map(|group| group.id.as_str()).collect::<Vec<_>>())
    } else {
        Vec::new()
    };
    Ok(Some(Opened { connected, booking, mapping, memos, unknown_options }))
}

impl Opened {
    pub(super) fn resolve(&self) -> Resolved {
        let mut resolved = crm_booking::resolve(&self.booking, &self.mapping, &self.memos);
        resolved.findings.extend(self.unknown_options.iter().cloned());
        resolved
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
            show_problem(ui, plugin, &problem.into(), &[], None).await?;
            Ok(None)
        }
    }
}

/// Shows a problem with the plugin's own help, what was found before it, and which tries it leaves unknown.
pub(super) async fn show_problem(
    ui: &Ui,
    plugin: &Plugin,
    explained: &ExplainedProblem,
    findings: &[Explained],
    unknown_tries: Option<UnknownTries>,
) -> Result<(), CliError> {
    let Problem { code, particulars, .. } = &explained.problem;
    let advice = advice(ui, plugin, code, particulars).await?;
    ui.json(&serde_json::json!({
        "problem": explained,
        "advice": advice,
        "findings": findings,
        "unknown_tries": unknown_tries,
    }))?;
    ui.findings(findings);
    ui.problem(explained, advice.as_ref());
    Ok(())
}

/// The plugin's help on a code, if it has any.
pub(super) async fn advice(
    ui: &Ui,
    plugin: &Plugin,
    code: &str,
    particulars: &[Parameter],
) -> Result<Option<AdviceText>, CliError> {
    if !plugin.exports().guidance {
        return Ok(None);
    }
    Ok(plugin.advice(code, particulars, ui.locale()).await?.answer)
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
