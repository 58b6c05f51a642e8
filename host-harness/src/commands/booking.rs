//! What `run`, `preview` and `check` share: reading booking and mapping, and showing how the plugin answered.

use anyhow::Result;
use runtime::{
    Called, Plugin, Usage,
    types::{Booking, LeadField, Mapping, Problem},
};

use crate::{
    cli::BookingAndMapping,
    input,
    target::{Connected, Target},
    ui::Ui,
};

/// A booking and a mapping that fit the open org.
pub(super) struct Opened {
    pub(super) connected: Connected,
    pub(super) booking: Booking,
    pub(super) mapping: Mapping,
}

/// Reads both files before anything is started, then opens the target and fills in the fields that rows only name. `None`
/// when the fields could not be listed; the reason has been shown.
pub(super) async fn open(ui: &mut Ui, arguments: &BookingAndMapping) -> Result<Option<Opened>> {
    let booking = input::read_booking(&arguments.booking, arguments.format)?;
    let file = input::read_mapping(&arguments.mapping)?;
    let connected = Target::open(ui, &arguments.target).await?;
    let fields: Vec<LeadField> = if file.needs_fields() {
        let called = connected.plugin.list_lead_fields(&connected.connection).await?;
        match answered(ui, &connected.plugin, called.answer).await? {
            Some(listed) => listed.fields,
            None => {
                connected.close().await;
                return Ok(None);
            }
        }
    } else {
        Vec::new()
    };
    let mapping = file.into_mapping(&arguments.mapping, &fields)?;
    Ok(Some(Opened { connected, booking, mapping }))
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
