//! Shared by `run`, `preview` and `check`: reading booking and mapping, and showing the plugin's answer.

use std::{collections::BTreeMap, path::Path};

use crm_booking::{Explained, ExplainedProblem, Mapping, Memos, Resolved, unknown_fields, unknown_options};
use crm_host::{
    Called, Plugin, Usage,
    types::{AdviceText, Parameter, Problem, UnknownTries},
};
use crm_intake::Received;

use crate::{
    brokers::Brokers,
    cli::BookingAndMapping,
    connection::Connected,
    doubt::arguments,
    error::CliError,
    input::{self, InputError},
    ui::Ui,
};

/// A booking, a mapping, and a connection.
pub(super) struct Opened {
    pub(super) connected: Connected,
    pub(super) received: Received,
    pub(super) mapping: Mapping,
    /// What the plugin noted about the fields that it listed.
    pub(super) memos: Memos,
}

/// Reads both files before anything is started, connects, and lists the fields unless they are known from an earlier command.
/// `None` if they could not be listed; the reason has been shown.
pub(super) async fn open(
    ui: &mut Ui,
    brokers: &Brokers,
    arguments: &BookingAndMapping,
) -> Result<Option<Opened>, CliError> {
    let received = input::read_booking(&arguments.booking, arguments.format)?;
    let mapping = input::read_mapping(&arguments.mapping)?;
    let connected = Connected::open(ui, brokers, &arguments.connection).await?;
    let (plugin, target) = (&connected.plugin, mapping.target());
    let mut memos = connected.memos(target).await?;
    if !memos.cover(&mapping) {
        let called = plugin.list_lead_fields(&connected.connection, target, ui.locale()).await?;
        let Some(listed) = answered(ui, plugin, called.answer).await? else {
            connected.close().await;
            return Ok(None);
        };
        memos = Memos::of_list(&listed);
        connected.keep_memos(target, &memos).await?;
    }
    Ok(Some(Opened { connected, received, mapping, memos }))
}

impl Opened {
    /// Resolves the booking, and finds what the mapping asks for that the plugin does not have. `None` if the plugin reported a
    /// problem, which has been shown.
    ///
    /// # Errors
    /// If a row for this booking writes a field that the plugin does not list.
    pub(super) async fn resolve(&self, ui: &Ui, file: &Path) -> Result<Option<Resolved>, CliError> {
        let Self { connected, received: Received { booking, findings }, mapping, memos } = self;
        if let Some(unknown) = unknown_fields(mapping, booking.kind, memos).into_iter().next() {
            let position = unknown.finding.rows.first().copied().unwrap_or_default();
            let message = unknown.finding.message;
            return Err(InputError::UnknownField { file: file.to_owned(), position, message }.into());
        }
        let mut resolved = crm_booking::resolve(booking, mapping, memos);
        resolved.findings.extend(findings.iter().cloned());
        let plugin = &connected.plugin;
        if plugin.exports().settings && !mapping.options().is_empty() {
            let called = plugin.options(&connected.connection, mapping.target(), ui.locale()).await?;
            let Some(groups) = answered(ui, plugin, called.answer).await? else { return Ok(None) };
            let ids: Vec<&str> = groups.iter().map(|group| group.id.as_str()).collect();
            resolved.findings.extend(unknown_options(mapping, &ids));
        }
        Ok(Some(resolved))
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
            show_problem(ui, plugin, &problem.into(), &[], None, None).await?;
            Ok(None)
        }
    }
}

/// Shows a problem with the plugin's own help, what was found before it, which tries it leaves unknown, and what the call used.
pub(super) async fn show_problem(
    ui: &Ui,
    plugin: &Plugin,
    explained: &ExplainedProblem,
    findings: &[Explained],
    unknown_tries: Option<UnknownTries>,
    usage: Option<&Usage>,
) -> Result<(), CliError> {
    let Problem { code, particulars, .. } = &explained.problem;
    let on_problem = advice(ui, plugin, code, particulars).await;
    let on_findings = advice_on(ui, plugin, codes_of(findings)).await;
    ui.json(&serde_json::json!({
        "problem": explained,
        "advice": on_problem,
        "findings": findings,
        "advice_on_findings": on_findings,
        "unknown_tries": unknown_tries,
        "look_first": unknown_tries.map(arguments),
        "usage": usage,
    }))?;
    ui.findings(findings, &on_findings);
    ui.problem(explained, on_problem.as_ref());
    Ok(())
}

/// Help on a code, from the plugin or else from the host. A plugin that fails to explain a code takes nothing from the result that
/// the code belongs to.
pub(super) async fn advice(ui: &Ui, plugin: &Plugin, code: &str, particulars: &[Parameter]) -> Option<AdviceText> {
    let of_plugin = if plugin.exports().guidance {
        plugin.advice(code, particulars, ui.locale()).await.ok().and_then(|called| called.answer)
    } else {
        None
    };
    of_plugin.or_else(|| crm_booking::advice(code, particulars, ui.locale()))
}

/// Codes that are explained at most: a plugin may find any number of things.
const MOST_ADVICE: usize = 32;

/// Help by code on problems and findings. Codes without help are left out.
pub(super) async fn advice_on<'f>(
    ui: &Ui,
    plugin: &Plugin,
    codes: impl IntoIterator<Item = (&'f str, &'f [Parameter])>,
) -> Advice {
    let mut distinct: BTreeMap<&str, &[Parameter]> = BTreeMap::new();
    for (code, particulars) in codes {
        distinct.entry(code).or_insert(particulars);
    }
    let mut found = Advice::new();
    for (code, particulars) in distinct.into_iter().take(MOST_ADVICE) {
        if let Some(text) = advice(ui, plugin, code, particulars).await {
            found.insert(code.to_owned(), text);
        }
    }
    found
}

/// The codes of findings.
pub(super) fn codes_of(findings: &[Explained]) -> impl Iterator<Item = (&str, &[Parameter])> {
    findings.iter().map(|found| (found.finding.code.as_str(), found.finding.particulars.as_slice()))
}

/// Help by code.
pub(super) type Advice = BTreeMap<String, AdviceText>;

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
