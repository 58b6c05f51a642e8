//! Hundreds of odd bookings, mappings, histories and responses, the same in every run.

use crate::odd::Odd;
use crate::{answered, scripted};
use acceptance::scripted::response;
use acceptance::system::System;
use anyhow::Result;
use crm_host::types::{Outcome, PlannedAction};
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
        let (booking, mapping, history) = (odd.booking()?, odd.mapping(&fields), odd.history());
        let questions = odd.questions();
        let what = format!("seed {seed}");
        let _ = answered(plugin.on_booking_completed(connection, &booking, &mapping, &history).await, &what)?;
        let _ = answered(plugin.preview(connection, &booking, &mapping).await, &what)?;
        let _ = answered(plugin.check_mapping(connection, &mapping, &questions).await, &what)?;
        let _ = answered(plugin.list_lead_fields(connection).await, &what)?;
        let _ = answered(plugin.check_connection(connection).await, &what)?;
        let problem = answered(plugin.explain(&odd.oauth_error()).await, &what)?;
        let (code, locale) = (odd.one(&[problem.code, odd_code(seed)]), odd.text());
        answered(plugin.advice(&code, &locale).await, &what)?;
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
        let (booking, mut mapping, mut history) = (odd.booking()?, odd.mapping(&fields), odd.history());
        history.unknown_tries = None;
        // Odd rows and options alone rarely create a Lead; these do for every second booking.
        if seed % 2 == 0 {
            mapping.options.retain(|option| option.id == "existing");
            for name in ["LastName", "Company"] {
                mapping.rows.retain(|row| row.field.name != name);
                let field = fields.iter().find(|field| field.name == name).cloned();
                let source = crm_host::types::Source::Fixed(format!("{name} {seed}"));
                mapping.rows.extend(field.map(|field| crm_host::types::MappingRow { field, source, fallback: None }));
            }
        }
        let what = format!("seed {seed}");
        let before = system.org().leads().len();
        let preview = answered(system.plugin.preview(&system.connection, &booking, &mapping).await, &what)?;
        assert_eq!(system.org().leads().len(), before, "{what}: a preview writes nothing");
        let called = system.plugin.on_booking_completed(&system.connection, &booking, &mapping, &history).await;
        let delivery = answered(called, &what)?;
        let made = system.org().leads().len() - before;
        let is_created = delivery.as_ref().is_ok_and(|delivery| delivery.outcome == Outcome::Created);
        assert_eq!(made, usize::from(is_created), "{what}: {delivery:?}");
        if let Ok(preview) = &preview
            && let PlannedAction::Refuse(problem) = &preview.action
        {
            assert!(!is_created, "{what}: the preview predicted {}", problem.code);
        }
    }
    assert!(system.org().leads().len() >= 20, "only {} Leads", system.org().leads().len());
    Ok(())
}
