//! Bookings and mappings, made from the project's examples.

use anyhow::{Context as _, Result, ensure};
use crm_contract::{Answer, AnswerValue, History, LeadField, QuestionKind};
use crm_intake::{Intake, Native, Timerex};
use host_harness::input;
use std::path::{Path, PathBuf};

/// A file of the project's examples.
pub fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}

/// The booking of the Japanese scheduling service's webhook body, in the contract's form.
pub fn japanese_booking() -> Result<crm_contract::Booking> {
    sent("timerex-webhook.json", &Timerex)
}

/// The booking of the native format, in the contract's form.
pub fn booking() -> Result<crm_contract::Booking> {
    sent("booking.json", &Native)
}

/// The mapping of an example file, its fields as the org lists them.
pub fn mapping(name: &str, fields: &[LeadField]) -> Result<crm_contract::Mapping> {
    resolved(&input::read_mapping(&example(name))?, fields)
}

/// A mapping of rows and options in JSON, its fields as the org lists them. Rows without an id get one.
pub fn mapping_of(mut json: serde_json::Value, fields: &[LeadField]) -> Result<crm_contract::Mapping> {
    let rows = json.get_mut("rows").and_then(serde_json::Value::as_array_mut).context("rows")?;
    for (position, row) in rows.iter_mut().enumerate() {
        row.as_object_mut().context("a row")?.entry("id").or_insert_with(|| format!("r{position}").into());
    }
    resolved(&serde_json::from_value(json).context("the test's mapping")?, fields)
}

/// The booking that the budget is defined for, with the fields of the default org: 12 answers, and 18 rows with every kind
/// of source and field.
pub fn full_booking(fields: &[LeadField]) -> Result<(crm_contract::Booking, crm_contract::Mapping)> {
    let mut booking = japanese_booking()?;
    for number in booking.answers.len()..12 {
        booking.answers.push(Answer {
            question_id: format!("extra-{number}"),
            label: format!("追加の質問 {number}"),
            kind: QuestionKind::Text,
            required: false,
            value: Some(AnswerValue::Text(format!("追加の回答 {number}"))),
        });
    }
    let mut mapping = mapping("timerex-mapping.json", fields)?;
    let further = mapping_of(
        serde_json::json!({ "rows": [
            { "field": "Phone", "source": { "fixed": "03-1234-5678" } },
            { "field": "Title", "source": { "answer": "extra-8" } },
            { "field": "Website", "source": { "fixed": "https://minato-soft.example" } },
            { "field": "City", "source": { "answer": "extra-9" } },
            { "field": "Street", "source": { "template": "{answers.extra-10} / {answers.extra-11}" } },
            { "field": "NumberOfEmployees", "source": { "fixed": "５０" } },
        ] }),
        fields,
    )?;
    mapping.rows.extend(further.rows);
    ensure!((booking.answers.len(), mapping.rows.len()) == (12, 18), "the examples have changed");
    Ok((booking, mapping))
}

fn sent(name: &str, format: &dyn Intake) -> Result<crm_contract::Booking> {
    let booking = input::read_booking(&example(name), format)?;
    Ok(crm_booking::resolve(&booking, &crm_booking::Mapping::default(), &[])?.booking)
}

fn resolved(mapping: &crm_booking::Mapping, fields: &[LeadField]) -> Result<crm_contract::Mapping> {
    let booking = input::read_booking(&example("booking.json"), &Native)?;
    Ok(crm_booking::resolve(&booking, mapping, fields)?.mapping)
}

/// A first try, now.
pub fn first_try(now: &str) -> History {
    History { now: now.to_owned(), lead_id: None, first_try: None, unknown_tries: None }
}
