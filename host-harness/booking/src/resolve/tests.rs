use crm_contract::{Answer, AnswerValue, FieldType, QuestionKind};
use serde_json::json;

use super::*;
use crate::{RowId, fixture, source::SourceValue};

fn booking() -> Booking {
    let answer = |id: &str, kind: &str, value: serde_json::Value| json!({ "question_id": id, "label": id.to_uppercase(), "kind": kind, "required": false, "value": value });
    let booking = json!({
        "kind": "confirmed", "id": "b-1", "team": { "id": "team" }, "calendar": { "id": "c", "name": "Demo" },
        "title": "Demo", "start": "2026-12-02T08:30:00+09:00", "end": "2026-12-02T09:00:00+09:00",
        "confirmed_at": "2026-11-24T18:05:09+09:00", "time_zone": "Asia/Tokyo", "guest": { "name": "山田 太郎" },
        "answers": [
            answer("size", "radio", json!(" 51〜300名 ")), answer("areas", "checkboxes", json!(["採用", "営業"])),
            answer("agree", "consent", json!(["同意します"])), answer("age", "number", json!({ "number": "7" })),
            answer("first", "other", json!(false)), answer("blank", "text", json!(" ")),
        ],
    });
    serde_json::from_value(booking).unwrap()
}

fn mapping(rows: serde_json::Value) -> Mapping {
    serde_json::from_value(json!({ "rows": rows, "options": { "existing": "keep" } })).unwrap()
}

fn field(name: &str) -> LeadField {
    fixture::field(name, FieldType::Text)
}

fn value_of<'a>(resolved: &'a Resolved, row: usize) -> Option<SourceValue<'a>> {
    source::value(&resolved.mapping.rows[row].source, &resolved.booking)
}

#[test]
fn a_value_table_translates_exactly_after_trimming_and_each_choice_for_itself() {
    let rows = json!([
        { "id": "size", "field": "A", "source": { "answer": "size" }, "values": { "51〜300名": "51-300" } },
        { "id": "areas", "field": "B", "source": { "answer": "areas" }, "values": { " 採用 ": "Hiring" } },
        { "id": "agree", "field": "C", "source": { "answer": "agree" }, "values": { "同意します": "yes" } },
        { "id": "age", "field": "D", "source": { "answer": "age" }, "values": { "7": "seven" } },
        { "id": "first", "field": "E", "source": { "answer": "first" }, "values": { "false": "returning" } },
        { "id": "blank", "field": "F", "source": { "answer": "blank" }, "values": { "": "none" }, "fallback": "-" },
        { "id": "zone", "field": "G", "source": { "booking": "time-zone" }, "values": { "asia/tokyo": "JST" } },
    ]);
    let fields = ["A", "B", "C", "D", "E", "F", "G"].map(field);
    let resolved = resolve(&booking(), &mapping(rows), &fields).unwrap();
    let texts: Vec<_> = (0..7).map(|row| value_of(&resolved, row)).collect();
    let strings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let (areas, agree) = (strings(&["Hiring", "営業"]), strings(&["yes"]));
    assert_eq!(
        texts,
        [
            Some(SourceValue::Text("51-300".into())),
            Some(SourceValue::Choices(&areas)),
            Some(SourceValue::Agreed(&agree)),
            Some(SourceValue::Text("seven".into())),
            Some(SourceValue::Text("returning".into())),
            None,
            Some(SourceValue::Text("Asia/Tokyo".into())),
        ]
    );
    let found: Vec<_> =
        resolved.findings.iter().map(|found| (found.row_ids[0].as_str(), &*found.finding.code)).collect();
    assert_eq!(found, [("areas", codes::VALUE_NOT_LISTED), ("zone", codes::VALUE_NOT_LISTED)]);
    assert_eq!(resolved.findings[0].finding.detail, "not in the row's value table: 営業");
}

#[test]
fn choices_that_a_table_writes_alike_are_written_once() {
    let values = json!({ "採用": "HR", "営業": "HR" });
    let rows = json!([{ "id": "areas", "field": "A", "source": { "answer": "areas" }, "values": values }]);
    let resolved = resolve(&booking(), &mapping(rows), &[field("A")]).unwrap();
    assert_eq!(value_of(&resolved, 0), Some(SourceValue::Choices(&["HR".to_owned()])));
}

#[test]
fn a_row_that_names_something_unknown_is_found() {
    let rows = json!([
        { "id": "a", "field": "A", "source": { "answer": "sise" } },
        { "id": "b", "field": "A2", "source": { "booking": "guest.emial" } },
        { "id": "c", "field": "A3", "source": { "template": "{answers.areas} {answers.gone} {extra.x} {tracking.y}" } },
    ]);
    let fields = ["A", "A2", "A3"].map(field);
    let found = |booking: &Booking| -> Vec<(String, String)> {
        let resolved = resolve(booking, &mapping(rows.clone()), &fields).unwrap();
        resolved.findings.into_iter().map(|found| (found.finding.code, found.finding.detail)).collect()
    };
    let attribute = (
        codes::ATTRIBUTE_UNKNOWN.to_owned(),
        "no booking attribute `guest.emial`; did you mean `guest.email`?".to_owned(),
    );
    // Without a form nobody knows which questions there are.
    assert_eq!(found(&booking()), std::slice::from_ref(&attribute));
    let form = |ids: &[&str]| {
        let question = |id: &&str| Question {
            id: (*id).into(),
            label: String::new(),
            kind: QuestionKind::Text,
            required: false,
            choices: Vec::new(),
        };
        Some(ids.iter().map(question).collect())
    };
    let with_form = Booking { form: form(&["size"]), ..booking() };
    assert_eq!(
        found(&with_form),
        [
            (codes::QUESTION_UNKNOWN.to_owned(), "the form has no question `sise`; did you mean `size`?".to_owned()),
            attribute.clone(),
            (codes::QUESTION_UNKNOWN.to_owned(), "the form has no question `gone`".to_owned()),
        ]
    );
    // Shown or not, a question of the form is known; so is one that was answered before it left the form.
    assert_eq!(found(&Booking { form: form(&["sise", "gone"]), ..booking() }), [attribute]);
}

#[test]
fn a_consent_that_offers_a_refusal_too_is_not_taken_for_agreement() {
    let form = |choices: &[&str]| -> Vec<Question> {
        let choices = choices.iter().map(|choice| (*choice).to_owned()).collect();
        vec![Question {
            id: "agree".into(),
            label: String::new(),
            kind: QuestionKind::Consent,
            required: true,
            choices,
        }]
    };
    let rows = json!([{ "id": "a", "field": "A", "source": { "answer": "agree" } }]);
    let given = ["同意します".to_owned()];
    for (form, expected) in [
        (None, SourceValue::Agreed(&given)),
        (Some(form(&["同意します"])), SourceValue::Agreed(&given)),
        (Some(form(&["同意します", "個人情報の取扱いに同意しません"])), SourceValue::Choices(&given)),
    ] {
        let several = expected == SourceValue::Choices(&given);
        let booking = Booking { form, ..booking() };
        let resolved = resolve(&booking, &mapping(rows.clone()), &[field("A")]).unwrap();
        assert_eq!(value_of(&resolved, 0), Some(expected));
        let kinds: Vec<_> = booking.questions().iter().filter(|q| q.id == "agree").map(|q| q.kind).collect();
        assert_eq!(kinds == [QuestionKind::Radio], several);
    }
}

#[test]
fn rows_of_other_events_are_not_sent_and_findings_lead_back_to_the_mapping() {
    let rows = json!([
        { "id": "lost", "field": "Status", "source": { "fixed": "Lost" }, "on": ["cancelled"] },
        { "id": "size", "field": "Size", "source": { "answer": "size" }, "values": { "51〜300名": "51-300" } },
        { "id": "moved", "field": "Status", "source": { "fixed": "Moved" }, "on": ["rescheduled"] },
        { "id": "open", "field": "Status", "source": { "fixed": "Open" }, "on": ["confirmed"] },
    ]);
    let (mapping, fields) = (mapping(rows), ["Status", "Size"].map(field));
    let sent = |kind| -> Vec<Source> {
        let resolved = resolve(&Booking { kind, ..booking() }, &mapping, &fields).unwrap();
        resolved.mapping.rows.into_iter().map(|row| row.source).collect()
    };
    let translated = Source::Answer("\u{1f}size".into());
    assert_eq!(sent(Event::Confirmed), [translated.clone(), Source::Fixed("Open".into())]);
    assert_eq!(sent(Event::Rescheduled), [translated, Source::Fixed("Moved".into())]);
    assert_eq!(
        resolve(&Booking { kind: Event::Cancelled, ..booking() }, &mapping, &fields).unwrap_err().code(),
        "kind-unsupported"
    );

    let resolved = resolve(&booking(), &mapping, &fields).unwrap();
    let finding = |rows: Vec<u32>, ids: &[&str]| Finding {
        code: "code".into(),
        consequence: Consequence::Changed,
        fields: Vec::new(),
        rows,
        question_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        detail: String::new(),
    };
    let explained = resolved.origins.explain(finding(vec![0, 1, 9], &["\u{1f}size", "size", "other"]));
    assert_eq!(explained.finding.rows, [1, 3]);
    assert_eq!(explained.row_ids.iter().map(RowId::as_str).collect::<Vec<_>>(), ["size", "open"]);
    assert_eq!(explained.finding.question_ids, ["size", "other"]);
    assert_eq!(explained.questions[0], QuestionRef { id: "size".into(), label: "SIZE".into() });
    assert_eq!(explained.value.as_deref(), Some(" 51〜300名 "));

    let problem = serde_json::from_value(json!({
        "code": "c", "message": "m", "reaction": "fix_booking", "rows": [1], "question_ids": ["\u{1f}size"],
        "also": [{ "code": "d", "message": "n", "rows": [0], "question_ids": ["\u{1f}size"] }],
    }));
    let explained = resolved.origins.explain_problem(problem.unwrap());
    assert_eq!(explained.row_ids[0].as_str(), "open");
    assert_eq!(explained.questions, [QuestionRef { id: "size".into(), label: String::new() }]);
    let problem = explained.problem;
    assert_eq!((problem.rows, problem.question_ids), (vec![3], vec!["size".to_owned()]));
    assert_eq!((&problem.also[0].rows, &problem.also[0].question_ids), (&vec![1], &vec!["size".to_owned()]));
}

#[test]
fn a_check_judges_the_translated_choices() {
    let question = Question {
        id: "size".into(),
        label: "Size".into(),
        kind: QuestionKind::Radio,
        required: true,
        choices: vec!["51〜300名".into(), "301名以上".into()],
    };
    let rows = json!([
        { "id": "a", "field": "A", "source": { "answer": "size" }, "values": { "51〜300名": "51-300" } },
        { "id": "b", "field": "B", "source": { "answer": "size" } },
    ]);
    let fields = ["A", "B"].map(field);
    let expected = expectations(std::slice::from_ref(&question), &mapping(rows), Event::Confirmed, &fields);
    let choices_of = |row: usize| {
        let Source::Answer(id) = &expected.mapping.rows[row].source else { panic!("an answer") };
        expected.questions.iter().find(|question| question.id == *id).unwrap().choices.clone()
    };
    assert_eq!(choices_of(0), ["51-300", "301名以上"]);
    assert_eq!(choices_of(1), question.choices);
    let found: Vec<_> = expected.findings.iter().map(|found| (&*found.finding.code, &*found.finding.detail)).collect();
    assert_eq!(found, [(codes::VALUE_NOT_LISTED, "not in the row's value table: 301名以上")]);
}

#[test]
fn a_check_judges_what_any_value_table_writes() {
    let question = |id: &str, kind, choices: &[&str]| Question {
        id: id.into(),
        label: String::new(),
        kind,
        required: false,
        choices: choices.iter().map(|choice| (*choice).to_owned()).collect(),
    };
    let questions = [question("consent", QuestionKind::Consent, &[]), question("radio", QuestionKind::Radio, &["a"])];
    for (source, values, choices, required, found) in [
        (json!({ "booking": "guest.locale" }), json!({ "de": "yes", "ja": "no" }), &["yes", "no"][..], false, &[][..]),
        (json!({ "booking": "start-date" }), json!({ "x": "y" }), &["y"], true, &[]),
        (json!({ "fixed": "a" }), json!({ "a": "b" }), &["b"], true, &[]),
        (json!({ "answer": "consent" }), json!({ "true": "1", "false": "0" }), &["1", "0"], false, &[]),
        (
            json!({ "answer": "radio" }),
            json!({ "aa": "b" }),
            &["a"],
            false,
            &[codes::VALUE_NOT_LISTED, codes::VALUE_NOT_OFFERED],
        ),
    ] {
        let rows = json!([{ "id": "r", "field": "A", "source": source, "values": values }]);
        let expected = expectations(&questions, &mapping(rows), Event::Confirmed, &[field("A")]);
        let checked = expected.questions.last().unwrap();
        assert_eq!(checked.choices, choices, "{source}");
        assert_eq!(checked.required, required, "{source}");
        assert_eq!(expected.mapping.rows[0].source, Source::Answer(checked.id.clone()));
        let codes: Vec<_> = expected.findings.iter().map(|found| &*found.finding.code).collect();
        assert_eq!(codes, found, "{source}");
    }
}

#[test]
fn an_option_that_the_plugin_does_not_have_is_found() {
    let mapping: Mapping =
        serde_json::from_value(json!({ "rows": [], "options": { "exsting": "keep", "owner": "x" } })).unwrap();
    let found = unknown_options(&mapping, &["existing", "owner"]);
    let details: Vec<_> = found.iter().map(|found| found.finding.detail.as_str()).collect();
    assert_eq!(details, ["the plugin has no option `exsting`; did you mean `existing`?"]);
}

#[test]
fn a_row_that_a_move_does_not_rewrite_is_found() {
    let rows = json!([
        { "id": "plain", "field": "A", "source": { "booking": "start-time" } },
        { "id": "table", "field": "B", "source": { "booking": "start-time" }, "values": { "08:30": "morning" } },
        { "id": "fixed", "field": "C", "source": { "fixed": "Moved" }, "on": ["rescheduled"] },
        { "id": "both", "field": "D", "source": { "fixed": "x" } },
    ]);
    let (mapping, fields) = (mapping(rows), ["A", "B", "C", "D"].map(field));
    let found = |findings: &[Explained]| -> Vec<String> {
        let of = findings.iter().filter(|found| found.finding.code == codes::NOT_REWRITTEN);
        of.map(|found| found.row_ids[0].to_string()).collect()
    };
    let resolved = |kind| resolve(&Booking { kind, ..booking() }, &mapping, &fields).unwrap().findings;
    assert_eq!(found(&resolved(Event::Rescheduled)), ["table", "fixed"]);
    assert_eq!(found(&resolved(Event::Confirmed)), [""; 0]);
    assert_eq!(found(&expectations(&[], &mapping, Event::Rescheduled, &fields).findings), ["table", "fixed"]);
}

#[test]
fn a_check_reports_every_field_that_is_not_listed_and_goes_on() {
    let rows = json!([
        { "id": "a", "field": "Gone", "source": { "fixed": "x" } },
        { "id": "b", "field": "A", "source": { "fixed": "x" } },
        { "id": "c", "field": "Hidden", "source": { "fixed": "x" } },
    ]);
    let expected = expectations(&[], &mapping(rows), Event::Confirmed, &[field("A")]);
    let found: Vec<_> = expected.findings.iter().map(|found| (&*found.finding.code, found.finding.rows[0])).collect();
    assert_eq!(found, [(codes::FIELD_UNKNOWN, 0), (codes::FIELD_UNKNOWN, 2)]);
    assert_eq!(expected.origins.position(0), Some(1));
}

#[test]
fn an_answer_of_the_form_never_replaces_a_translated_value() {
    let mut booking = booking();
    let injected = Answer {
        question_id: "\u{1f}r".into(),
        value: Some(AnswerValue::Text("INJECTED".into())),
        ..booking.answers[0].clone()
    };
    booking.answers.insert(0, injected);
    let rows =
        json!([{ "id": "r", "field": "A", "source": { "answer": "size" }, "values": { "51〜300名": "51-300" } }]);
    let resolved = resolve(&booking, &mapping(rows), &[field("A")]).unwrap();
    assert_eq!(value_of(&resolved, 0), Some(SourceValue::Text("51-300".into())));
}

#[test]
fn a_field_that_is_not_listed_is_refused_with_the_likely_one() {
    let rows = json!([{ "id": "a", "field": "Lastname", "source": { "fixed": "x" } }]);
    let error = resolve(&booking(), &mapping(rows), &["LastName", "Company"].map(field)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "rows[0].field: the plugin lists no writable field `Lastname`; did you mean `LastName`?"
    );
}
