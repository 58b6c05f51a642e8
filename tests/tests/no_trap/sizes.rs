//! Bookings and mappings of the maximum size that the contract allows.

use crate::{call_all, scripted};
use acceptance::samples;
use acceptance::scripted::response;
use acceptance::system::System;
use anyhow::Result;
use crm_host::types::{
    Answer, AnswerValue, Booking, ChosenOption, FieldType, LeadField, Mapping, MappingRow, Parameter, Person,
    PicklistValue, Question, QuestionKind, Source,
};
use serde_json::json;

/// Maximum length of the contract's lists.
const LONGEST: usize = 2_000;

fn answer(id: String, value: AnswerValue) -> Answer {
    let label = id.clone();
    Answer { question_id: id, label, kind: QuestionKind::Text, required: false, value: Some(value) }
}

/// A booking whose lists have the maximum length.
fn long_booking() -> Result<Booking> {
    let person =
        |number| Person { id: Some(format!("{number}")), name: Some(format!("参加者 {number}")), email: None };
    let parameter = |number| Parameter { name: format!("utm_{number}"), value: format!("値 {number}") };
    let text = |number| answer(format!("q{number}"), AnswerValue::Text(format!("回答 {number}")));
    Ok(Booking {
        companions: (0..LONGEST).map(person).collect(),
        hosts: (0..LONGEST).map(person).collect(),
        answers: (0..LONGEST).map(text).collect(),
        tracking: (0..LONGEST).map(parameter).collect(),
        extra: (0..LONGEST).map(parameter).collect(),
        ..samples::japanese_booking()?
    })
}

/// One row per field, cycling through the fields.
fn rows(fields: &[LeadField], source: impl Fn(usize) -> Source) -> Vec<MappingRow> {
    let row = |(number, field): (usize, &LeadField)| {
        let field = LeadField { values: Vec::new(), help: None, suggested_source: None, ..field.clone() };
        MappingRow { field, source: source(number), fallback: None }
    };
    fields.iter().cycle().take(LONGEST).enumerate().map(row).collect()
}

#[tokio::test]
async fn lists_of_the_maximum_length_never_trap() -> Result<()> {
    let system = System::start().await?;
    let fields = system.fields().await?.fields;
    let required = samples::mapping_of(
        json!({ "rows": [
            { "field": "LastName", "source": { "booking": "guest.family-name" } },
            { "field": "Company", "source": { "booking": "guest.company" } }
        ] }),
        &fields,
    )?;
    let optional: Vec<LeadField> = fields.into_iter().filter(|field| !field.required).collect();
    let questions: Vec<Question> = (0..LONGEST)
        .map(|number| Question {
            id: format!("q{number}"),
            label: format!("質問 {number}"),
            kind: QuestionKind::Text,
            required: false,
            choices: Vec::new(),
        })
        .collect();
    let option = |number| ChosenOption { id: format!("option-{number}"), value: "x".into() };
    type Sources = fn(usize) -> Source;
    let kinds: [(&str, Sources); 4] = [
        ("answers", |number| Source::Answer(format!("q{}", LONGEST - 1 - number))),
        ("parameters", |number| Source::Tracking(format!("utm_{}", LONGEST - 1 - number))),
        ("templates", |number| Source::Template(format!("{{answers.q{number}}} / {{tracking.utm_{number}}}"))),
        ("companions", |number| {
            Source::Booking(if number % 400 == 0 { "companions.names" } else { "guest.email" }.into())
        }),
    ];
    for (kind, source) in kinds {
        let mut mapping = Mapping { rows: required.rows.clone(), options: (0..LONGEST).map(option).collect() };
        mapping.rows.extend(rows(&optional, source));
        mapping.rows.truncate(LONGEST);
        // If both together exceed the contract's megabyte, use only some of the rows.
        let fewer = Mapping { rows: mapping.rows.iter().take(700).cloned().collect(), ..mapping.clone() };
        for (booking, mapping) in [(samples::japanese_booking()?, &mapping), (long_booking()?, &fewer)] {
            let what = format!("{kind}, {} answers, {} rows", booking.answers.len(), mapping.rows.len());
            let answers = call_all(&system.plugin, &system.connection, &booking, mapping, &questions, &what).await?;
            assert!(answers.check.is_ok_and(|findings| !findings.is_empty()), "{what}");
            assert!(answers.preview.is_ok() || answers.delivery.is_err(), "{what}");
        }
    }
    Ok(())
}

/// A mapping of one answer to a multi-select picklist with this many values.
fn multi_select(values: usize) -> Mapping {
    let value = |number| PicklistValue {
        value: format!("値 {number}"),
        label: format!("ラベル {number}"),
        active: true,
        is_default: false,
        valid_for: None,
    };
    let field = LeadField {
        name: "Interests__c".into(),
        label: "関心".into(),
        field_type: FieldType::MultiSelectPicklist,
        length: Some(4_099),
        precision: 0,
        scale: 0,
        required: false,
        restricted: true,
        external_id: false,
        unique: false,
        values: (0..values).map(value).collect(),
        controlling_field: None,
        reference_to: Vec::new(),
        help: None,
        suggested_source: None,
    };
    let source = Source::Answer("q".into());
    Mapping { rows: vec![MappingRow { field, source, fallback: None }], options: Vec::new() }
}

#[tokio::test]
async fn long_text_for_a_multi_select_never_traps() -> Result<()> {
    let guest = scripted(|_| Some(response(201, r#"{"id":"00Q5i000001AbCdEAV","success":true,"errors":[]}"#))).await?;
    let mapping = multi_select(500);
    for text in [",", ";", "\n", "、", "；", "a,", "値 499;", "1、", "が"] {
        let mut booking = samples::japanese_booking()?;
        booking.answers = vec![answer("q".into(), AnswerValue::Text(text.repeat((128 << 10) / text.len())))];
        call_all(&guest.plugin, &guest.connection, &booking, &mapping, &[], &format!("128 KiB of {text:?}")).await?;
    }
    Ok(())
}
