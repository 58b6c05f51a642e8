use crm_contract::{SourceKind, Value};
use serde_json::json;

use super::*;
use crate::{Kind, QuestionKind, RowId, fixture};

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

fn text(text: &str) -> Option<Value> {
    Some(Value::Text(text.into()))
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn question(id: &str, kind: QuestionKind, required: bool, choices: &[&str]) -> Question {
    Question { id: id.into(), label: id.to_uppercase(), kind, required, choices: strings(choices) }
}

/// Rows and options as a plugin gets them, without memos.
fn resolved(booking: &Booking, mapping: &Mapping) -> Resolved {
    resolve(booking, mapping, &Memos::default())
}

fn values(resolved: &Resolved) -> Vec<Option<Value>> {
    resolved.mapping.rows.iter().map(|row| row.value.clone()).collect()
}

fn expected(questions: &[Question], mapping: &Mapping, event: Event) -> Expected {
    let names: Vec<&str> = mapping.rows().iter().map(|row| &*row.field).collect();
    expectations(questions, mapping, event, &memos(&names), None)
}

fn memos(names: &[&str]) -> Memos {
    let field = |name: &&str| json!({ "name": name, "label": name, "field_type": "text", "required": false, "memo": format!("memo of {name}") });
    let fields: Vec<_> = names.iter().map(field).collect();
    Memos::of_list(&serde_json::from_value(json!({ "fields": fields })).unwrap())
}

#[test]
fn a_row_brings_its_value_memo_fallback_and_source() {
    let rows = json!([
        { "id": "a", "field": "Name", "source": { "booking": "guest.family-name" }, "fallback": " " },
        { "id": "b", "field": "When", "source": { "booking": "start" }, "fallback": "-" },
        { "id": "c", "field": "Via", "source": { "fixed": "Web" } },
    ]);
    let resolved = resolve(&booking(), &mapping(rows), &memos(&["When"]));
    let rows: Vec<_> = resolved
        .mapping
        .rows
        .into_iter()
        .map(|row| (row.field, row.memo, row.value, row.fallback, row.source))
        .collect();
    assert_eq!(
        rows,
        [
            ("Name".into(), String::new(), text("山田"), None, SourceKind::Guest),
            (
                "When".into(),
                "memo of When".into(),
                Some(Value::Moment("2026-12-02T08:30:00+09:00".into())),
                text("-"),
                SourceKind::Meeting
            ),
            ("Via".into(), String::new(), text("Web"), None, SourceKind::Mapping),
        ]
    );
    assert_eq!(resolved.mapping.options, [Parameter::new("existing", "keep")]);
    assert_eq!((resolved.booking.id.as_str(), resolved.booking.team_id.as_str()), ("b-1", "team"));
}

#[test]
fn a_plugin_sees_only_what_is_mapped() {
    let rows = json!([{ "id": "a", "field": "A", "source": { "answer": "size" } }]);
    let sent = format!("{:?}", {
        let resolved = resolved(&booking(), &mapping(rows));
        (resolved.booking, resolved.mapping)
    });
    for unmapped in ["採用", "同意します", "山田", "Demo", "2026"] {
        assert!(!sent.contains(unmapped), "{unmapped} in {sent}");
    }
}

#[test]
fn the_language_is_that_of_the_guest_or_else_of_the_calendar() {
    let mut booking = booking();
    let locale = |booking: &Booking| resolved(booking, &Mapping::default()).booking.locale;
    assert_eq!(locale(&booking), None);
    booking.calendar.locale = Some("ja".into());
    assert_eq!(locale(&booking).as_deref(), Some("ja"));
    booking.guest.locale = Some("de-AT".into());
    assert_eq!(locale(&booking).as_deref(), Some("de-AT"));
}

#[test]
fn a_moved_booking_names_the_one_that_it_replaces() {
    let previous = |kind, previous_id: Option<&str>| {
        let booking = Booking { kind, previous_id: previous_id.map(str::to_owned), ..booking() };
        resolved(&booking, &Mapping::default()).booking.previous_id
    };
    assert_eq!(previous(Kind::Confirmed, None), None);
    assert_eq!(previous(Kind::Rescheduled, None).as_deref(), Some("b-1"));
    assert_eq!(previous(Kind::Rescheduled, Some("b-0")).as_deref(), Some("b-0"));
    assert_eq!(previous(Kind::Cancelled, Some("b-0")).as_deref(), Some("b-0"));
}

#[test]
fn a_value_table_translates_what_is_alike_and_each_choice_for_itself() {
    let rows = json!([
        { "id": "size", "field": "A", "source": { "answer": "size" }, "values": { "５１～３００名": "51-300" } },
        { "id": "areas", "field": "B", "source": { "answer": "areas" }, "values": { " 採用 ": "Hiring" } },
        { "id": "agree", "field": "C", "source": { "answer": "agree" }, "values": { "同意します": "yes" } },
        { "id": "age", "field": "D", "source": { "answer": "age" }, "values": { "7": "seven" } },
        { "id": "first", "field": "E", "source": { "answer": "first" }, "values": { "false": "returning" } },
        { "id": "blank", "field": "F", "source": { "answer": "blank" }, "values": { "": "none" }, "fallback": "-" },
        { "id": "zone", "field": "G", "source": { "booking": "time-zone" }, "values": { "Asia/Osaka": "JST" } },
        { "id": "fixed", "field": "H", "source": { "fixed": "a" }, "values": { "a": "b" } },
        { "id": "date", "field": "I", "source": { "booking": "start-date" }, "values": { "2026-12-02": "launch" } },
        { "id": "drop", "field": "J", "source": { "answer": "age" }, "values": { "7": " " } },
    ]);
    let resolved = resolved(&booking(), &mapping(rows));
    assert_eq!(
        values(&resolved),
        [
            text("51-300"),
            Some(Value::Choices(strings(&["Hiring", "営業"]))),
            Some(Value::Agreed(strings(&["yes"]))),
            text("seven"),
            text("returning"),
            None,
            text("Asia/Tokyo"),
            text("b"),
            text("launch"),
            None,
        ]
    );
    let found: Vec<_> =
        resolved.findings.iter().map(|found| (found.row_ids[0].as_str(), &*found.finding.code)).collect();
    assert_eq!(found, [("areas", codes::VALUE_NOT_LISTED), ("zone", codes::VALUE_NOT_LISTED)]);
    assert_eq!(resolved.findings[0].finding.message, "not in the row's value table: 営業");
}

#[test]
fn choices_that_a_table_writes_alike_are_written_once() {
    let values_of = json!({ "採用": "HR", "営業": "HR" });
    let rows = json!([{ "id": "areas", "field": "A", "source": { "answer": "areas" }, "values": values_of }]);
    let resolved = resolved(&booking(), &mapping(rows));
    assert_eq!(values(&resolved), [Some(Value::Choices(strings(&["HR"])))]);
}

#[test]
fn a_row_that_names_something_unknown_is_found() {
    let rows = json!([
        { "id": "a", "field": "A", "source": { "answer": "sise" } },
        { "id": "b", "field": "A2", "source": { "booking": "guest.emial" } },
        { "id": "c", "field": "A3", "source": { "template": "{answers.areas} {answers.gone} {extra.x} {tracking.y}" } },
        { "id": "d", "field": "A4", "source": { "template": "{title" } },
    ]);
    let mapping = mapping(rows);
    let found = |booking: &Booking| -> Vec<(String, String)> {
        resolved(booking, &mapping)
            .findings
            .into_iter()
            .map(|found| (found.finding.code, found.finding.message))
            .collect()
    };
    let attribute = (
        codes::ATTRIBUTE_UNKNOWN.to_owned(),
        "no booking attribute `guest.emial`; did you mean `guest.email`?".to_owned(),
    );
    let brace = (
        codes::TEMPLATE_INVALID.to_owned(),
        "the template has an unpaired brace, which is written as it is".to_owned(),
    );
    // Without a form, the questions are those that the booking answers.
    let of_booking = |id: &str, meant: &str| {
        (codes::QUESTION_UNKNOWN.to_owned(), format!("the booking has no question `{id}`{meant}"))
    };
    let (sise, gone) = (of_booking("sise", "; did you mean `size`?"), of_booking("gone", ""));
    assert_eq!(found(&booking()), [sise, attribute.clone(), gone, brace.clone()]);
    // A booking without any answers does not show which questions there are.
    assert_eq!(found(&Booking { answers: Vec::new(), ..booking() }), [attribute.clone(), brace.clone()]);
    let form = |ids: &[&str]| Some(ids.iter().map(|id| question(id, QuestionKind::Text, false, &[])).collect());
    let of_questions = [
        (codes::QUESTION_UNKNOWN.to_owned(), "the form has no question `sise`; did you mean `size`?".to_owned()),
        attribute.clone(),
        (codes::QUESTION_UNKNOWN.to_owned(), "the form has no question `gone`".to_owned()),
        brace.clone(),
    ];
    assert_eq!(found(&Booking { form: form(&["size"]), ..booking() }), of_questions);
    // Shown or not, a question of the form is known; so is one that was answered before it left the form.
    assert_eq!(found(&Booking { form: form(&["sise", "gone"]), ..booking() }), [attribute, brace]);

    // A check has the form always.
    let questions =
        [question("size", QuestionKind::Text, false, &[]), question("areas", QuestionKind::Text, false, &[])];
    let checked: Vec<_> = expected(&questions, &mapping, Event::Confirmed)
        .findings
        .into_iter()
        .map(|found| (found.finding.code, found.finding.message))
        .collect();
    assert_eq!(checked, of_questions);
}

#[test]
fn a_consent_that_offers_a_refusal_too_is_not_taken_for_agreement() {
    let form = |choices: &[&str]| Some(vec![question("agree", QuestionKind::Consent, true, choices)]);
    let mapping = mapping(json!([{ "id": "a", "field": "A", "source": { "answer": "agree" } }]));
    let given = strings(&["同意します"]);
    for (form, value, gives) in [
        (None, Value::Agreed(given.clone()), &["agreed"][..]),
        (form(&["同意します"]), Value::Agreed(given.clone()), &["agreed"]),
        (form(&["同意します", "同意しません"]), Value::Choices(given.clone()), &["text", "choices"]),
    ] {
        let booking = Booking { form, ..booking() };
        assert_eq!(values(&resolved(&booking, &mapping)), [Some(value)]);
        assert_eq!(expected(&booking.questions(), &mapping, Event::Confirmed).rows[0].gives, gives);
    }
}

#[test]
fn each_event_gets_its_rows_and_findings_lead_back_to_the_mapping() {
    let mapping = mapping(json!([
        { "id": "lost", "field": "Status", "source": { "fixed": "Lost" }, "on": ["cancelled"] },
        { "id": "size", "field": "Size", "source": { "answer": "size" }, "values": { "51〜300名": "51-300" } },
        { "id": "moved", "field": "Status", "source": { "fixed": "Moved" }, "on": ["rescheduled"] },
        { "id": "open", "field": "Status", "source": { "fixed": "Open" } },
        { "id": "once", "field": "First", "source": { "booking": "start" }, "on": ["confirmed"] },
        { "id": "start", "field": "Start", "source": { "booking": "start" }, "values": { "x": "y" } },
        { "id": "place", "field": "Place", "source": { "answer": "blank" }, "on": ["confirmed", "rescheduled"] },
    ]));
    // A moved booking gets all fields, since its record may have to be created; `+` marks what is written to one that exists.
    for (kind, rows) in [
        (Kind::Confirmed, "size open once start place"),
        (Kind::Rescheduled, "size moved+ once start+ place+"),
        (Kind::Cancelled, "lost+"),
    ] {
        let resolved = resolved(&Booking { kind, ..booking() }, &mapping);
        let mark = |row: &crm_contract::Row| if row.on_change && kind != Kind::Confirmed { "+" } else { "" };
        let ids: Vec<_> = (0..)
            .zip(&resolved.mapping.rows)
            .map(|(sent, row)| {
                let position = resolved.origins.position(sent).unwrap();
                format!("{}{}", mapping.rows()[position as usize].id, mark(row))
            })
            .collect();
        assert_eq!(ids.join(" "), rows);
        let names: Vec<_> = resolved.mapping.rows.iter().map(|row| &row.field).collect();
        assert_eq!(names.len(), names.iter().collect::<std::collections::BTreeSet<_>>().len(), "{kind:?}");
    }

    let resolved = resolved(&booking(), &mapping);
    let finding = |rows: &[u32]| Finding {
        code: "code".into(),
        consequence: Consequence::Changed,
        fields: Vec::new(),
        rows: rows.to_vec(),
        message: String::new(),
        particulars: Vec::new(),
        more: Vec::new(),
    };
    let explained = resolved.origins.explain(finding(&[0, 1, 9]));
    assert_eq!(explained.finding.rows, [1, 3]);
    assert_eq!(explained.row_ids.iter().map(RowId::as_str).collect::<Vec<_>>(), ["size", "open"]);
    assert_eq!(explained.questions, [QuestionRef { id: "size".into(), label: "SIZE".into() }]);
    assert_eq!(explained.value.as_deref(), Some(" 51〜300名 "));

    let mut problem = crm_contract::Problem::new("c", crm_contract::Reaction::FixBooking, "m");
    problem.rows = vec![1, 0];
    problem.also =
        vec![crm_contract::FurtherError { code: "d".into(), message: "n".into(), fields: Vec::new(), rows: vec![0] }];
    let explained = resolved.origins.explain_problem(problem);
    assert_eq!(explained.row_ids.iter().map(RowId::as_str).collect::<Vec<_>>(), ["open", "size"]);
    assert_eq!(explained.questions, [QuestionRef { id: "size".into(), label: "SIZE".into() }]);
    assert_eq!((explained.problem.rows, &explained.problem.also[0].rows), (vec![3, 1], &vec![1]));
}

#[test]
fn a_check_judges_the_translated_choices() {
    let questions = [question("size", QuestionKind::Radio, true, &["51〜300名", "301名以上"])];
    let mapping = mapping(json!([
        { "id": "a", "field": "A", "source": { "answer": "size" }, "values": { "51〜300名": "51-300" } },
        { "id": "b", "field": "B", "source": { "answer": "size" } },
    ]));
    let expected = expected(&questions, &mapping, Event::Confirmed);
    assert_eq!(expected.rows[0].texts, ["51-300", "301名以上"]);
    assert_eq!(expected.rows[1].texts, questions[0].choices);
    let found: Vec<_> = expected.findings.iter().map(|found| (&*found.finding.code, &*found.finding.message)).collect();
    assert_eq!(found, [(codes::VALUE_NOT_LISTED, "not in the row's value table: 301名以上")]);
}

#[test]
fn a_check_knows_what_each_source_can_give() {
    let questions = [
        question("consent", QuestionKind::Consent, false, &[]),
        question("radio", QuestionKind::Radio, true, &["a"]),
        question("boxes", QuestionKind::Checkboxes, false, &["a", "b"]),
        question("one-box", QuestionKind::Checkboxes, false, &["a"]),
        question("email", QuestionKind::Email, true, &[]),
        question("count", QuestionKind::Number, false, &[]),
        question("day", QuestionKind::Date, true, &[]),
    ];
    for (source, table, expected_row) in [
        (json!({ "answer": "consent" }), json!({}), "boolean text, blank"),
        (json!({ "answer": "consent" }), json!({ "true": "1", "false": "0" }), "text [1 0], blank"),
        (json!({ "answer": "radio" }), json!({}), "text choices [a]"),
        (json!({ "answer": "radio" }), json!({ "aa": "b" }), "choices text [a]"),
        (json!({ "answer": "boxes" }), json!({}), "choices [a b], several, blank"),
        (json!({ "answer": "one-box" }), json!({}), "choices [a], blank"),
        (json!({ "answer": "email" }), json!({}), "text, email"),
        (json!({ "answer": "count" }), json!({}), "number, blank"),
        (json!({ "answer": "day" }), json!({}), "date"),
        (json!({ "answer": "unknown" }), json!({}), "text, blank"),
        (json!({ "booking": "guest.locale" }), json!({ "de": "yes", "ja": "no" }), "text [yes no], blank"),
        (json!({ "booking": "guest.email" }), json!({}), "text, email"),
        (json!({ "booking": "guest.phone" }), json!({}), "text, phone, blank"),
        (json!({ "booking": "start-date" }), json!({ "x": "y" }), "text [y]"),
        (json!({ "booking": "start" }), json!({}), "moment"),
        (json!({ "booking": "duration-minutes" }), json!({}), "number"),
        (json!({ "booking": "title" }), json!({}), "text, label, blank"),
        (json!({ "booking": "extra.x" }), json!({}), "text, blank"),
        (json!({ "fixed": "a" }), json!({ "a": "b" }), "text [b]"),
        (json!({ "fixed": "a" }), json!({}), "text [a]"),
        (json!({ "answer": "radio" }), json!({ "a": "" }), "choices text, blank"),
        (json!({ "fixed": " " }), json!({}), "text [ ], blank"),
        (json!({ "template": "{{x}}" }), json!({}), "text [{x}]"),
        (json!({ "template": "{comment} {start}" }), json!({}), "text"),
        (json!({ "template": "{comment} {tracking.x}" }), json!({}), "text, blank"),
        (json!({ "tracking": "x" }), json!({}), "text, blank"),
    ] {
        let rows = json!([{ "id": "r", "field": "A", "source": source, "values": table }]);
        let row = expected(&questions, &mapping(rows), Event::Confirmed).rows.remove(0);
        let mut shown = row.gives.join(" ");
        if !row.texts.is_empty() {
            shown.push_str(&format!(" [{}]", row.texts.join(" ")));
        }
        for (word, holds) in [("several", row.several), ("blank", row.may_be_blank)] {
            shown.push_str(&if holds { format!(", {word}") } else { String::new() });
            if word == "several"
                && let Some(content) = &row.content
            {
                shown.push_str(&format!(", {content}"));
            }
        }
        assert_eq!(shown, expected_row, "{source} {table}");
    }
}

#[test]
fn a_check_announces_every_case_that_a_booking_brings() {
    let booking = fixture::booking();
    let attributes = attributes::names().map(|name| json!({ "booking": name }));
    let answers = booking.answers.iter().map(|answer| json!({ "answer": answer.question_id }));
    let rows: Vec<_> = (0..)
        .zip(attributes.chain(answers))
        .map(|(n, source)| json!({ "id": format!("r{n}"), "field": format!("F{n}"), "source": source }))
        .collect();
    let mapping = mapping(json!(rows));
    let questions = booking.questions();
    let expected = expected(&questions, &mapping, Event::Confirmed);
    for (row, expectation) in resolved(&booking, &mapping).mapping.rows.iter().zip(&expected.rows) {
        let Some(value) = &row.value else { continue };
        let case = serde_json::to_value(value).unwrap().as_object().unwrap().keys().next().unwrap().clone();
        // The fixture answers a radio question with a boolean.
        if case != "boolean" {
            assert!(expectation.gives.contains(&case), "{}: {case} not in {:?}", row.field, expectation.gives);
        }
    }
}

#[test]
fn a_value_table_that_does_not_match_its_question_is_found() {
    let questions = [question("radio", QuestionKind::Radio, false, &["a"])];
    let rows = json!([{ "id": "r", "field": "A", "source": { "answer": "radio" }, "values": { "aa": "b" } }]);
    let found = expected(&questions, &mapping(rows), Event::Confirmed).findings;
    let codes: Vec<_> = found.iter().map(|found| &*found.finding.code).collect();
    assert_eq!(codes, [codes::VALUE_NOT_LISTED, codes::VALUE_NOT_OFFERED]);
}

#[test]
fn an_option_that_the_plugin_does_not_have_is_found() {
    let mapping: Mapping =
        serde_json::from_value(json!({ "rows": [], "options": { "exsting": "keep", "owner": "x" } })).unwrap();
    let group = |id: &str, typed: bool| -> OptionGroup {
        let choices = json!([{ "value": "keep", "label": "Keep" }, { "value": "overwrite", "label": "Overwrite" }]);
        let group = json!({ "id": id, "label": "", "default_value": "keep", "asks": false, "typed": typed,
            "choices": choices });
        serde_json::from_value(group).unwrap()
    };
    let messages = |groups: &[OptionGroup]| -> Vec<String> {
        unknown_options(&mapping, groups).into_iter().map(|found| found.finding.message).collect()
    };
    let of_id = "the plugin has no option `exsting`; did you mean `existing`? (`existing`, `owner`)";
    assert_eq!(messages(&[group("existing", false), group("owner", true)]), [of_id]);
    let of_value = "the option `owner` has no value `x` (`keep`, `overwrite`)";
    assert_eq!(messages(&[group("exsting", false), group("owner", false)]), [of_value]);
}

#[test]
fn every_field_that_the_plugin_does_not_list_is_found_with_the_likely_one() {
    let mapping = mapping(json!([
        { "id": "a", "field": "Lastname", "source": { "fixed": "x" } },
        { "id": "b", "field": "Company", "source": { "fixed": "x" } },
        { "id": "c", "field": "Hidden", "source": { "fixed": "x" } },
    ]));
    let memos = memos(&["LastName", "Company"]);
    let shown = |found: &[Explained]| -> Vec<(u32, String)> {
        found.iter().map(|found| (found.finding.rows[0], found.finding.message.clone())).collect()
    };
    let found = [
        (0, "the plugin lists no field `Lastname`; did you mean `LastName`?".to_owned()),
        (2, "the plugin lists no field `Hidden`".to_owned()),
    ];
    assert_eq!(shown(&unknown_fields(&mapping, Event::Confirmed, &memos)), found);
    // A check goes on with the others.
    let expected = expectations(&[], &mapping, Event::Confirmed, &memos, None);
    assert_eq!(shown(&expected.findings), found);
    assert_eq!((expected.rows.len(), expected.origins.position(0)), (1, Some(1)));
}
