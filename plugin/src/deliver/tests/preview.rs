use crate::{
    bindings::{
        http::{Failure, Response},
        settings::{PlannedAction, PlannedStep, PreviewResult, PreviewValue},
        types::{Booking, BookingKind, Consequence, Finding, Mapping, Problem, RecordRef},
    },
    codes,
    deliver::preview,
    fixture::{self, lead, moved_from, text, with_options},
    script::{Script, answer, described, leads, lost},
};
use serde_json::Value;

/// A preview that has one step.
struct Step {
    action: PlannedAction,
    values: Vec<PreviewValue>,
    findings: Vec<Finding>,
}

fn step(preview: PreviewResult) -> Step {
    let [step] = <[PlannedStep; 1]>::try_from(preview.steps).unwrap();
    assert_eq!(step.object, "Lead");
    Step { action: step.action, values: step.values, findings: preview.findings }
}

fn previewed(
    mapping: &Mapping,
    replies: impl IntoIterator<Item = Result<Response, Failure>>,
) -> (Result<PreviewResult, Box<Problem>>, Script) {
    let script = Script::new(replies);
    (preview::preview(&mut script.clone(), &fixture::booking(), mapping, &[]), script)
}

#[test]
fn a_preview_shows_exactly_what_a_first_try_sends() {
    let mapping = with_options(&[("booking-id-field", "BookingId__c"), ("owner", "0055e00000AbCdE")]);
    let (result, script) = previewed(&mapping, [described(&[])]);
    let preview = step(result.unwrap());
    assert_eq!(preview.action, PlannedAction::Create);
    assert_eq!(script.asked(), ["GET /sobjects/Lead/describe"]);
    let shown: serde_json::Map<String, Value> =
        preview.values.iter().map(|value| (value.field.clone(), serde_json::from_str(&value.json).unwrap())).collect();

    let (delivered, sent) = {
        let script = Script::new([crate::script::created()]);
        let history = fixture::first_try();
        (crate::deliver::deliver(&mut script.clone(), &fixture::booking(), &mapping, &history), script.body(0))
    };
    assert!(delivered.is_ok());
    assert_eq!(Value::Object(shown), sent);
    let added: Vec<(&str, Option<u32>)> =
        preview.values.iter().skip(5).map(|value| (&*value.field, value.row)).collect();
    assert_eq!(added, [("MeetingDate__c", Some(5)), ("OwnerId", None), ("BookingId__c", None)]);
    assert_eq!(preview.values[0].label, "LastName label");
}

#[test]
fn a_preview_writes_nothing_whatever_it_plans() {
    let old = r#"{"Id":"00Q5e00000OldAAEAZ","Email":"taro.yamada@example.com","FirstName":null,"LastName":"x","Company":"x","Description":"x","MeetingDate__c":"2020-01-01"}"#;
    let id = || fixture::lead("00Q5e00000OldAAEAZ");
    for (policy, found, action, values) in [
        ("keep", leads(&[old]), PlannedAction::Keep(id()), 0),
        ("fill-empty", leads(&[old]), PlannedAction::Update(id()), 1),
        ("overwrite", leads(&[old]), PlannedAction::Update(id()), 6),
        ("overwrite", leads(&[]), PlannedAction::Create, 6),
    ] {
        let (result, script) = previewed(&with_options(&[("existing", policy)]), [described(&[]), found]);
        let preview = step(result.unwrap());
        assert_eq!((preview.action, preview.values.len()), (action, values), "{policy}");
        assert!(script.asked().iter().all(|asked| asked.starts_with("GET ")));
    }
}

#[test]
fn a_preview_says_what_would_be_refused_and_still_shows_the_rest() {
    let mut mapping = fixture::mapping();
    mapping.rows[2].value = None;
    let preview = step(previewed(&mapping, [described(&[])]).0.unwrap());
    let PlannedAction::Refuse(problem) = &preview.action else { panic!() };
    assert_eq!((problem.code.as_str(), &*problem.rows), (codes::REQUIRED_FIELD_BLANK, &[2][..]));
    assert_eq!(preview.values.len(), 5);
    assert_eq!(preview.findings[0].consequence, Consequence::Refused);

    // A value that the guest's Lead does not need is not a reason to refuse.
    let old = r#"{"Id":"00Q5e00000OldAAEAZ","Email":"taro.yamada@example.com","IsConverted":false}"#;
    for (policy, action) in [
        ("keep", PlannedAction::Keep(lead("00Q5e00000OldAAEAZ"))),
        ("overwrite", PlannedAction::Update(lead("00Q5e00000OldAAEAZ"))),
    ] {
        mapping.options = with_options(&[("existing", policy)]).options;
        let preview = step(previewed(&mapping, [described(&[]), leads(&[old])]).0.unwrap());
        assert_eq!((preview.action, &*preview.findings), (action, &[][..]));
        let preview = step(previewed(&mapping, [described(&[]), leads(&[])]).0.unwrap());
        assert!(matches!(preview.action, PlannedAction::Refuse(_)));
    }

    let preview = step(previewed(&with_options(&[("existing", "?")]), []).0.unwrap());
    assert!(matches!(preview.action, PlannedAction::Refuse(problem) if problem.code == codes::OPTION_INVALID));
}

#[test]
fn a_preview_that_could_not_ask_is_a_problem() {
    let mapping = with_options(&[("existing", "keep")]);
    assert!(previewed(&mapping, [lost()]).0.is_err());
    assert!(previewed(&mapping, [described(&[]), lost()]).0.is_err());
    assert!(previewed(&mapping, [answer(200, "<html>")]).0.is_err());
}

#[test]
fn a_booking_that_was_delivered_shows_what_a_change_would_write() {
    let records = [RecordRef { object: "Other".into(), id: "1".into(), url: None }, lead("00Q5e00000LstAAEAZ")];
    let preview_of = |booking: &Booking, mapping: &Mapping, replies: Vec<Result<Response, Failure>>| {
        let script = Script::new(replies);
        let preview = preview::preview(&mut script.clone(), booking, mapping, &records).unwrap();
        (preview, script.asked().len())
    };
    let mut mapping = fixture::mapping();
    let (preview, asked) = preview_of(&fixture::booking(), &mapping, vec![]);
    assert_eq!((step(preview).action, asked), (PlannedAction::Keep(records[1].clone()), 0));

    let (preview, _) = preview_of(&moved_from("b-0"), &mapping, vec![described(&[])]);
    let moved = step(preview);
    assert_eq!(moved.action, PlannedAction::Update(records[1].clone()));
    let fields: Vec<&str> = moved.values.iter().map(|value| &*value.field).collect();
    assert_eq!(fields, ["MeetingDate__c"]);

    let cancelled = Booking { kind: BookingKind::Cancelled, ..fixture::booking() };
    for row in &mut mapping.rows {
        row.on_change = row.field == "Description";
    }
    mapping.rows[4].value = Some(text("Cancelled"));
    let (preview, _) = preview_of(&cancelled, &mapping, vec![described(&[])]);
    assert_eq!(step(preview).values[0].json, "\"Cancelled\"");
}

#[test]
fn a_booking_for_which_nothing_is_to_be_done_has_no_step() {
    let unknown = Booking { kind: BookingKind::Other("no-show".into()), ..fixture::booking() };
    let cancelled = Booking { kind: BookingKind::Cancelled, ..fixture::booking() };
    let mut unchanged = fixture::mapping();
    unchanged.rows.truncate(5);
    for (booking, mapping, replies, codes) in [
        (&unknown, fixture::mapping(), vec![], vec![]),
        (&cancelled, unchanged, vec![], vec![]),
        (&cancelled, fixture::mapping(), vec![described(&[])], vec![codes::RECORD_UNKNOWN]),
    ] {
        let preview = preview::preview(&mut Script::new(replies), booking, &mapping, &[]).unwrap();
        assert!(preview.steps.is_empty());
        let found: Vec<&str> = preview.findings.iter().map(|finding| &*finding.code).collect();
        assert_eq!(found, codes);
    }
    let elsewhere = Mapping { target: Some("Contact".into()), ..fixture::mapping() };
    let preview = step(previewed(&elsewhere, []).0.unwrap());
    assert!(matches!(preview.action, PlannedAction::Refuse(problem) if problem.code == codes::TARGET_UNKNOWN));
}
