//! Hundreds of odd bookings, mappings, histories and responses, the same in every run.

use crate::odd::Odd;
use crate::{answered, scripted};
use acceptance::scripted::response;
use acceptance::system::System;
use anyhow::Result;
use crm_host::types::{BookingKind, Outcome, PlannedAction, PlannedStep, Row, SourceKind, Value};
use std::sync::{Mutex, PoisonError};

const RUNS: u64 = 300;

/// An arbitrary response of an org.
fn reply(odd: &mut Odd) -> (u16, String) {
    let status = odd.one(&[200, 201, 204, 300, 400, 401, 403, 404, 412, 429, 500, 503]);
    let text = serde_json::Value::from(odd.text()).to_string();
    let body = match odd.below(9) {
        0 => String::new(),
        1 => odd.text(),
        2 => format!("[{{\"errorCode\":\"INVALID_FIELD\",\"message\":{text},\"fields\":[{text},\"Email\"]}}]"),
        3 => format!("[{{\"errorCode\":{text},\"message\":null}},{{}},[],7]"),
        4 => format!("{{\"id\":{text},\"success\":true,\"errors\":[]}}"),
        5 => format!("{{\"totalSize\":1,\"done\":true,\"records\":[{{\"Id\":{text},\"Email\":{text}}}]}}"),
        6 => format!(
            "{{\"fields\":[{{\"name\":\"LastName\",\"label\":{text},\"type\":\"picklist\",\"length\":-1,\"createable\":true,\
             \"updateable\":true,\"picklistValues\":[{{\"value\":{text},\"validFor\":{text}}}],\"controllerName\":{text}}}]}}"
        ),
        7 => format!(
            "[{{\"errorCode\":\"DUPLICATES_DETECTED\",\"message\":{text},\"duplicateResut\":{{\"matchResults\":[{{\"matchRecords\":\
             [{{\"record\":{{\"Id\":{text}}}}}]}}]}}}}]"
        ),
        _ => text,
    };
    (status, body)
}

#[tokio::test]
async fn a_call_never_traps_on_arbitrary_input_and_responses() -> Result<()> {
    let fields = System::start().await?.fields().await?.fields;
    let replies = Mutex::new(Odd(0));
    let guest = scripted(move |_| {
        let mut replies = replies.lock().unwrap_or_else(PoisonError::into_inner);
        let (status, body) = reply(&mut replies);
        Some(response(status, body))
    })
    .await?;
    let (plugin, connection) = (&guest.plugin, &guest.connection);
    for seed in 1..=RUNS {
        let mut odd = Odd(seed);
        let (booking, mapping, history) = (odd.booking(), odd.mapping(&fields), odd.history());
        let (kind, rows) = odd.kind_and_expectations(&fields);
        let (target, locale) = (odd.perhaps(Odd::text), odd.text());
        let (target, group) =
            (target.as_deref(), odd.one(&["booking-id-field", "record-type", "owner", "assignment-rules", "x"]));
        let what = format!("seed {seed}");
        let records = odd.records();
        let _ = answered(plugin.on_booking_completed(connection, &booking, &mapping, &history).await, &what)?;
        let _ = answered(plugin.preview(connection, &booking, &mapping, &records).await, &what)?;
        let _ = answered(plugin.check_mapping(connection, &kind, target, &rows, &mapping.options).await, &what)?;
        let _ = answered(plugin.list_lead_fields(connection, target, &locale).await, &what)?;
        let _ = answered(plugin.list_targets(connection, &locale).await, &what)?;
        let _ = answered(plugin.options(connection, target, &locale).await, &what)?;
        let _ = answered(plugin.list_choices(connection, None, group, &mapping.options, &locale).await, &what)?;
        let _ = answered(plugin.check_connection(connection, &locale).await, &what)?;
        let problem = answered(plugin.explain(&odd.oauth_error()).await, &what)?;
        let code = odd.one(&[problem.code, odd_code(seed)]);
        answered(plugin.advice(&code, &odd.parameters(), &locale).await, &what)?;
    }
    Ok(())
}

fn odd_code(seed: u64) -> String {
    Odd(seed).text()
}

/// With an org that responds like Salesforce: exactly what the plugin reports is written.
#[tokio::test]
async fn on_arbitrary_input_a_lead_exists_exactly_if_the_plugin_reports_it() -> Result<()> {
    let system = System::start().await?;
    let fields = system.fields().await?.fields;
    for seed in 1..=RUNS / 2 {
        let mut odd = Odd(seed);
        let (mut booking, mut mapping, mut history) = (odd.booking(), odd.mapping(&fields), odd.history());
        history.unknown_tries = None;
        // Odd rows and options alone rarely create a Lead; these do for every second booking.
        if seed % 2 == 0 {
            history.records.clear();
            booking.kind = BookingKind::Confirmed;
            mapping.target = None;
            mapping.options.retain(|option| option.name != "existing");
            for name in ["LastName", "Company"] {
                mapping.rows.retain(|row| row.field != name);
                let memo = fields.iter().find(|field| field.name == name).map(|field| field.memo.clone());
                let value = Some(Value::Text(format!("{name} {seed}")));
                mapping.rows.push(Row {
                    field: name.into(),
                    memo: memo.unwrap_or_default(),
                    value,
                    fallback: None,
                    source: SourceKind::Mapping,
                    on_change: false,
                });
            }
        }
        let what = format!("seed {seed}");
        let before = system.org().leads().len();
        let (plugin, connection) = (&system.plugin, &system.connection);
        let preview = answered(plugin.preview(connection, &booking, &mapping, &history.records).await, &what)?;
        assert_eq!(system.org().leads().len(), before, "{what}: a preview writes nothing");
        let called = plugin.on_booking_completed(connection, &booking, &mapping, &history).await;
        let delivery = answered(called, &what)?;
        let made = system.org().leads().len() - before;
        let is_created = delivery.as_ref().is_ok_and(|delivery| delivery.outcome == Outcome::Created);
        assert_eq!(made, usize::from(is_created), "{what}: {delivery:?}");
        let is_refused = |step: &PlannedStep| matches!(step.action, PlannedAction::Refuse(_));
        if preview.is_ok_and(|preview| preview.steps.iter().any(is_refused)) {
            assert!(!is_created, "{what}: the preview predicted a refusal");
        }
    }
    assert!(system.org().leads().len() >= 20, "only {} Leads", system.org().leads().len());
    Ok(())
}
