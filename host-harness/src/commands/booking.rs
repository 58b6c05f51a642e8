//! Shared by `run`, `preview` and `check`: reading booking and mapping, and showing the plugin's answer.

use std::{collections::BTreeMap, path::Path};

use crm_booking::{Explained, ExplainedProblem, Mapping, Memos, Resolved, codes, unknown_fields, unknown_options};
use crm_host::{
    Called, Plugin, Usage,
    types::{AdviceText, Consequence, Parameter, Problem, UnknownTries},
};
use crm_intake::Reading;

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
    pub(super) reading: Reading,
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
    let reading = input::read_booking(&arguments.booking, arguments.format)?;
    let mapping = input::read_mapping(&arguments.mapping)?;
    let connected = Connected::open(ui, brokers, &arguments.connection).await?;
    let (plugin, target) = (&connected.plugin, mapping.target());
    let mut memos = connected.memos(target).await?;
    if !memos.cover(&mapping) {
        let called =
            connected.patiently(ui, plugin.list_lead_fields(&connected.connection, target, ui.locale())).await?;
        let Some(listed) = answered(ui, plugin, called.answer).await? else {
            connected.close(ui).await;
            return Ok(None);
        };
        memos = Memos::of_list(&listed);
        connected.keep_memos(target, &memos).await?;
    }
    Ok(Some(Opened { connected, reading, mapping, memos }))
}

impl Opened {
    /// Resolves the booking, and finds what the mapping asks for that the plugin does not have. `None` if the plugin reported a
    /// problem, which has been shown.
    ///
    /// # Errors
    /// If a row for this booking writes a field that the plugin does not list or reads an attribute that no booking has, the mapping
    /// chooses an option or value that the plugin does not have, or a row's text is longer than a plugin takes.
    pub(super) async fn resolve(&self, ui: &Ui, file: &Path) -> Result<Option<Resolved>, CliError> {
        let Self { connected, reading: Reading { booking, findings }, mapping, memos } = self;
        let unknown_field = unknown_fields(mapping, booking.kind, memos).into_iter().next();
        let mut resolved = crm_booking::resolve(booking, mapping, memos);
        resolved.findings.extend(findings.iter().cloned());
        let is_unknown = |found: &&Explained| found.finding.code == codes::ATTRIBUTE_UNKNOWN;
        if let Some(unknown) = unknown_field.as_ref().or_else(|| resolved.findings.iter().find(is_unknown)) {
            return Err(InputError::unknown(file, unknown).into());
        }
        for (sent, row) in (0..).zip(&resolved.mapping.rows) {
            let position = resolved.origins.position(sent).unwrap_or(sent);
            input::check_value(file, position, row)?;
        }
        let Some(unknown) = options_unknown(ui, connected, mapping).await? else { return Ok(None) };
        match unknown.first() {
            Some(unknown) => Err(InputError::unknown(file, unknown).into()),
            None => Ok(Some(resolved)),
        }
    }
}

/// Options and values of a mapping that the plugin does not have. `None` if the plugin reported a problem, which has been shown.
pub(super) async fn options_unknown(
    ui: &Ui,
    connected: &Connected,
    mapping: &Mapping,
) -> Result<Option<Vec<Explained>>, CliError> {
    let (plugin, connection) = (&connected.plugin, &connected.connection);
    if !plugin.exports().settings || mapping.options().is_empty() {
        return Ok(Some(Vec::new()));
    }
    let called = connected.patiently(ui, plugin.options(connection, mapping.target(), ui.locale())).await?;
    let Some(mut groups) = answered(ui, plugin, called.answer).await? else { return Ok(None) };
    for group in &mut groups {
        let chosen = mapping.options().get(&group.id);
        let is_listed = chosen.is_none_or(|value| group.choices.iter().any(|choice| choice.value == *value));
        if group.asks && !group.typed && !is_listed {
            let called = connected
                .patiently(ui, plugin.list_choices(connection, mapping.target(), &group.id, &[], ui.locale()))
                .await?;
            let Some(further) = answered(ui, plugin, called.answer).await? else { return Ok(None) };
            group.choices.extend(further);
        }
    }
    Ok(Some(unknown_options(mapping, &groups)))
}

/// How many values are not written.
pub(super) fn left_out(findings: &[Explained]) -> usize {
    findings.iter().filter(|found| found.finding.consequence == Consequence::LeftOut).count()
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
            let status = request.status.map_or_else(|| ui.say.no_response(), |status| status.to_string());
            format!("\n    {} {} → {status}", request.method, request.path)
        })
        .collect();
    let used = ui.say.usage(
        usage.requests.len(),
        limits.http_requests,
        usage.memory_bytes >> 10,
        limits.memory_bytes >> 10,
        format_args!("{:.1}", usage.cpu.as_secs_f64() * 1e3),
        limits.cpu_ms,
        format_args!("{:.0}", usage.wall.as_secs_f64() * 1e3),
        limits.wall_ms,
    );
    ui.print(format!("  {used}{}", requests.concat()));
    for denial in &usage.denials {
        ui.print(format!("  {}", ui.say.denied_by_policy(&denial.reason)));
        if let Some(lines) = &denial.would_allow {
            let allowing = ui.say.would_be_allowed_by();
            ui.print(format!("    {allowing}\n      {}", lines.replace('\n', "\n      ")));
        }
    }
}

/// Splits a result into answer and usage.
pub(super) fn parts<T>(called: Called<T>) -> (T, Usage) {
    (called.answer, called.usage)
}
