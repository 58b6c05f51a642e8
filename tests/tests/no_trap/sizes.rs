//! Bookings and mappings of the maximum size that the contract allows.

use crate::call_all;
use acceptance::samples;
use acceptance::system::System;
use anyhow::Result;
use crm_booking::{Answer, AnswerValue, Booking, Person, Question, QuestionKind};
use crm_host::types::Parameter;
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

#[tokio::test]
async fn lists_of_the_maximum_length_never_trap() -> Result<()> {
    let system = System::start().await?;
    let listed = system.fields().await?;
    let required =
        [("LastName", json!({ "booking": "guest.family-name" })), ("Company", json!({ "booking": "guest.company" }))];
    // More fields than any org has: those that it does not have are looked for, and reported.
    let optional: Vec<String> = listed
        .fields
        .iter()
        .filter(|field| !field.required)
        .map(|field| field.name.clone())
        .chain((0..LONGEST).map(|number| format!("None{number}__c")))
        .collect();
    let questions: Vec<Question> = (0..LONGEST)
        .map(|number| Question {
            id: format!("q{number}"),
            label: format!("質問 {number}"),
            kind: QuestionKind::Text,
            required: false,
            choices: Vec::new(),
        })
        .collect();
    let options: serde_json::Map<_, _> = (0..LONGEST).map(|number| (format!("option-{number}"), json!("x"))).collect();
    type Sources = fn(usize) -> serde_json::Value;
    let kinds: [(&str, Sources); 4] = [
        ("answers", |number| json!({ "answer": format!("q{}", LONGEST - 1 - number) })),
        ("parameters", |number| json!({ "tracking": format!("utm_{}", LONGEST - 1 - number) })),
        ("templates", |number| json!({ "template": format!("{{answers.q{number}}} / {{tracking.utm_{number}}}") })),
        (
            "companions",
            |number| json!({ "booking": if number % 400 == 0 { "companions.names" } else { "guest.email" } }),
        ),
    ];
    for (kind, source) in kinds {
        let optional = optional.iter().enumerate().map(|(number, name)| (name.as_str(), source(number)));
        let row = |(field, source)| json!({ "field": field, "source": source });
        let rows: Vec<_> = required.clone().into_iter().chain(optional).take(LONGEST).map(row).collect();
        let mapped = samples::mapping_of(json!({ "rows": rows, "options": options.clone() }), &listed)?;
        for booking in [samples::japanese_booking()?, long_booking()?] {
            let what = format!("{kind}, {} answers, {} rows", booking.answers.len(), mapped.mapping.rows().len());
            let answers = call_all(&system.plugin, &system.connection, &booking, &mapped, &questions, &what).await?;
            assert!(answers.check.is_ok_and(|checked| !checked.findings.is_empty()), "{what}");
            assert!(answers.preview.is_ok() || answers.delivery.is_err(), "{what}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn long_text_for_a_multi_select_never_traps() -> Result<()> {
    let system = System::start().await?;
    let rows = json!({ "rows": [
        { "field": "LastName", "source": { "booking": "guest.family-name" } },
        { "field": "Company", "source": { "booking": "guest.company" } },
        { "field": "Interests__c", "source": { "answer": "q" } },
    ], "options": { "duplicates": "save-anyway" } });
    let mapped = samples::mapping_of(rows, &system.fields().await?)?;
    for text in [",", ";", "\n", "、", "；", "a,", "値 499;", "1、", "が"] {
        let mut booking = samples::japanese_booking()?;
        booking.answers = vec![answer("q".into(), AnswerValue::Text(text.repeat((128 << 10) / text.len())))];
        let what = format!("128 KiB of {text:?}");
        call_all(&system.plugin, &system.connection, &booking, &mapped, &[], &what).await?;
    }
    Ok(())
}
