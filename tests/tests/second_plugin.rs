//! A plugin for an invented CRM runs in the same host: nothing in the host is specific to Salesforce.

use acceptance::guests;
use acceptance::samples::{self, first_try};
use acceptance::scripted::{Scripted, TINY, response};
use acceptance::system::NOW;
use anyhow::Result;
use crm_host::types::{ChosenOption, Mapping, MappingRow, Source};
use std::fs;

#[tokio::test]
async fn a_plugin_for_another_crm_lists_fields_and_delivers_a_booking() -> Result<()> {
    let component = fs::read(guests::build("tiny-crm")?.path)?;
    let tiny = Scripted::start(&component, &TINY, |_| Some(response(201, r#"{"prospect":"p-1"}"#))).await?;
    let exports = tiny.plugin.exports();
    assert!(!exports.settings && !exports.connection && !exports.guidance, "it exports only the mandatory interface");

    let listed = tiny.plugin.list_lead_fields(&tiny.connection).await?.answer.expect("listed");
    assert!(!listed.fields.is_empty());
    let rows = listed
        .fields
        .into_iter()
        .map(|field| MappingRow { field, source: Source::Booking("guest.name".into()), fallback: None })
        .collect();
    let mapping = Mapping { rows, options: Vec::<ChosenOption>::new() };
    let delivery = tiny
        .plugin
        .on_booking_completed(&tiny.connection, &samples::booking()?, &mapping, &first_try(NOW))
        .await?
        .answer
        .expect("delivered");
    assert!(!delivery.lead_id.is_empty());

    let seen = tiny.script.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].headers()["x-tiny-session"], "Session tiny-access-0123456789");
    assert!(seen[0].uri().to_string().starts_with("https://acme.tiny-crm.example/v1/"));

    let options = tiny.plugin.options().await.err().map(|error| error.code());
    assert_eq!(options, Some("not-exported"), "a missing export is reported as such");
    Ok(())
}
