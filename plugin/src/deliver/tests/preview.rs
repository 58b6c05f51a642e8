use crate::{
    bindings::{
        http::{Failure, Response},
        settings::{PlannedAction, PreviewResult},
        types::{Consequence, Mapping, Problem, Source},
    },
    codes,
    deliver::preview,
    fixture::{self, with_options},
    script::{Script, answer, described, leads, lost},
};
use serde_json::Value;

fn previewed(
    mapping: &Mapping,
    replies: impl IntoIterator<Item = Result<Response, Failure>>,
) -> (Result<PreviewResult, Box<Problem>>, Script) {
    let script = Script::new(replies);
    (preview::preview(&mut script.clone(), &fixture::booking(), mapping), script)
}

#[test]
fn a_preview_shows_exactly_what_a_first_try_sends() {
    let mapping = with_options(&[("booking-id-field", "BookingId__c"), ("owner", "0055e00000AbCdE")]);
    let (result, script) = previewed(&mapping, [described(&[])]);
    let preview = result.unwrap();
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
    let lead = r#"{"Id":"00Q5e00000OldAAEAZ","Email":"taro.yamada@example.com","FirstName":null,"LastName":"x","Company":"x","Description":"x","MeetingDate__c":"2020-01-01"}"#;
    let id = || "00Q5e00000OldAAEAZ".to_owned();
    for (policy, found, action, values) in [
        ("keep", leads(&[lead]), PlannedAction::Keep(id()), 0),
        ("fill-empty", leads(&[lead]), PlannedAction::Update(id()), 1),
        ("overwrite", leads(&[lead]), PlannedAction::Update(id()), 6),
        ("overwrite", leads(&[]), PlannedAction::Create, 6),
    ] {
        let (result, script) = previewed(&with_options(&[("existing", policy)]), [described(&[]), found]);
        let preview = result.unwrap();
        assert_eq!((preview.action, preview.values.len()), (action, values), "{policy}");
        assert!(script.asked().iter().all(|asked| asked.starts_with("GET ")));
    }
}

#[test]
fn a_preview_says_what_would_be_refused_and_still_shows_the_rest() {
    let mut mapping = fixture::mapping();
    mapping.rows[2].source = Source::Answer("q-empty".into());
    let preview = previewed(&mapping, [described(&[])]).0.unwrap();
    let PlannedAction::Refuse(problem) = &preview.action else { panic!() };
    assert_eq!((problem.code.as_str(), &*problem.rows), (codes::REQUIRED_FIELD_BLANK, &[2][..]));
    assert_eq!(preview.values.len(), 5);
    assert_eq!(preview.findings[0].consequence, Consequence::Refused);

    // A value that the guest's Lead does not need is not a reason to refuse.
    let lead = r#"{"Id":"00Q5e00000OldAAEAZ","Email":"taro.yamada@example.com","IsConverted":false}"#;
    for (policy, action) in [
        ("keep", PlannedAction::Keep("00Q5e00000OldAAEAZ".into())),
        ("overwrite", PlannedAction::Update("00Q5e00000OldAAEAZ".into())),
    ] {
        mapping.options = with_options(&[("existing", policy)]).options;
        let preview = previewed(&mapping, [described(&[]), leads(&[lead])]).0.unwrap();
        assert_eq!((preview.action, &*preview.findings), (action, &[][..]));
        let preview = previewed(&mapping, [described(&[]), leads(&[])]).0.unwrap();
        assert!(matches!(preview.action, PlannedAction::Refuse(_)));
    }

    let preview = previewed(&with_options(&[("existing", "?")]), []).0.unwrap();
    assert!(matches!(preview.action, PlannedAction::Refuse(problem) if problem.code == codes::OPTION_INVALID));
}

#[test]
fn a_preview_that_could_not_ask_is_a_problem() {
    let mapping = with_options(&[("existing", "keep")]);
    assert!(previewed(&mapping, [lost()]).0.is_err());
    assert!(previewed(&mapping, [described(&[]), lost()]).0.is_err());
    assert!(previewed(&mapping, [answer(200, "<html>")]).0.is_err());
}
