//! Bookings and mappings, made from the project's examples.

use anyhow::{Context as _, Result, ensure};
use crm_booking::{Answer, AnswerValue, Booking, Mapping, Memos, QuestionKind, Resolved};
use crm_contract::{Delivery, FieldList, History, RecordRef, UnknownTries};
use crm_intake::{Intake, Native, Timerex};
use host_harness::input;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A mapping with the memos of an org's fields.
#[derive(Clone, Debug)]
pub struct Mapped {
    /// The mapping.
    pub mapping: Mapping,
    /// What the plugin noted about the org's fields.
    pub memos: Memos,
}

impl Mapped {
    /// The same mapping with an option chosen.
    pub fn with_option(&self, id: &str, value: &str) -> Result<Self> {
        let mut options = self.mapping.options().clone();
        options.insert(id.to_owned(), value.to_owned());
        let mapping = Mapping::new(self.mapping.target().map(str::to_owned), self.mapping.rows().to_vec(), options)?;
        Ok(Self { mapping, memos: self.memos.clone() })
    }

    /// What a plugin is called with for a booking.
    pub fn resolve(&self, booking: &Booking) -> Resolved {
        crm_booking::resolve(booking, &self.mapping, &self.memos)
    }
}

/// A file of the project's examples.
pub fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}

/// The booking of the Japanese scheduling service's webhook body.
pub fn japanese_booking() -> Result<Booking> {
    Ok(input::read_booking(&example("timerex-webhook.json"), &Timerex as &dyn Intake)?.booking)
}

/// The booking of the native format.
pub fn booking() -> Result<Booking> {
    Ok(input::read_booking(&example("booking.json"), &Native as &dyn Intake)?.booking)
}

/// The mapping of an example file.
pub fn mapping(name: &str, listed: &FieldList) -> Result<Mapped> {
    Ok(Mapped { mapping: input::read_mapping(&example(name))?, memos: Memos::of_list(listed) })
}

/// A mapping of rows and options in JSON. Rows without an id get one.
pub fn mapping_of(mut json: Value, listed: &FieldList) -> Result<Mapped> {
    let rows = json.get_mut("rows").and_then(Value::as_array_mut).context("rows")?;
    for (position, row) in rows.iter_mut().enumerate() {
        row.as_object_mut().context("a row")?.entry("id").or_insert_with(|| format!("r{position}").into());
    }
    let mapping = serde_json::from_value(json).context("the test's mapping")?;
    Ok(Mapped { mapping, memos: Memos::of_list(listed) })
}

/// The booking that the budget is defined for, with the fields of the default org: 12 answers, and 18 rows with every kind
/// of source and field.
pub fn full_booking(listed: &FieldList) -> Result<(Booking, Mapped)> {
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
    let mut mapping = serde_json::to_value(mapping("timerex-mapping.json", listed)?.mapping)?;
    let further = [
        ("Phone", json!({ "fixed": "03-1234-5678" })),
        ("Title", json!({ "answer": "extra-8" })),
        ("Website", json!({ "fixed": "https://minato-soft.example" })),
        ("City", json!({ "answer": "extra-9" })),
        ("Street", json!({ "template": "{answers.extra-10} / {answers.extra-11}" })),
        ("NumberOfEmployees", json!({ "fixed": "５０" })),
    ];
    let rows = mapping.get_mut("rows").and_then(Value::as_array_mut).context("rows")?;
    rows.extend(further.map(|(field, source)| json!({ "id": field, "field": field, "source": source })));
    let mapped = mapping_of(mapping, listed)?;
    ensure!((booking.answers.len(), mapped.mapping.rows().len()) == (12, 18), "the examples have changed");
    Ok((booking, mapped))
}

/// A first try at an instant.
pub fn first_try(now: u64) -> History {
    History { now, ..History::default() }
}

/// A try after one of unknown effect.
pub fn after_unknown(now: u64, began: u64) -> History {
    let unknown_tries = Some(UnknownTries { oldest: began, newest: began });
    History { first_try: Some(began), unknown_tries, ..first_try(now) }
}

/// A try for a booking that has a Lead.
pub fn with_lead(now: u64, id: &str) -> History {
    let lead = RecordRef { object: "Lead".to_owned(), id: id.to_owned(), url: None };
    History { records: vec![lead], ..first_try(now) }
}

/// Id of the record that a delivery is about; empty if there is none.
pub fn record_id(delivery: &Delivery) -> &str {
    delivery.records.first().map_or("", |record| &record.id)
}
