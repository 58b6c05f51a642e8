//! While a try of unknown outcome may have created a Lead, no problem lets the host forget it, and the Lead is found however
//! many of its values Salesforce refused.

use super::{
    SAME, deliver, record, run,
    world::{KEY, World},
};
use crate::{
    bindings::{
        http::{Effect, Failure, FailureKind, Response},
        secrets::SecretError,
        types::{FieldType, History, LeadField, Mapping, Outcome, Problem, Reaction, Source},
    },
    codes,
    fixture::{self, after_unknown, row, with_options},
    salesforce::org::Connect,
    script::{Script, answer, changed, created, described, leads, lost, refused},
};
use serde_json::{Value, json};

/// No credential.
struct Closed(SecretError);

impl Connect for Closed {
    type Org = Script;

    fn connect(&mut self) -> Result<Script, SecretError> {
        Err(self.0)
    }
}

/// Mappings whose next try looks: by values, by the guest's address too, and by a key.
fn mappings() -> [Mapping; 3] {
    [fixture::mapping(), with_options(&[("existing", "overwrite")]), with_options(&[("booking-id-field", KEY)])]
}

fn failed(kind: FailureKind) -> Result<Response, Failure> {
    Err(Failure { kind, effect: Effect::None })
}

#[track_caller]
fn assert_in_doubt(problem: &Problem, code: &str, waits: bool) {
    assert_eq!((problem.code.as_str(), problem.reaction), (code, Reaction::CheckFirst));
    assert_eq!(problem.retry_after.is_some(), waits, "{code}");
}

#[test]
fn no_answer_to_a_look_up_ends_a_doubt_but_the_leads() {
    let refusal = |status, code: &str| answer(status, &json!([{"errorCode": code, "message": "x"}]).to_string());
    for mapping in mappings() {
        for (reply, code, waits) in [
            (lost(), codes::ORG_UNREACHABLE, true),
            (answer(200, "not json"), codes::ANSWER_UNREADABLE, true),
            (refusal(503, "SERVER_UNAVAILABLE"), "SERVER_UNAVAILABLE", true),
            (refusal(403, "REQUEST_LIMIT_EXCEEDED"), "REQUEST_LIMIT_EXCEEDED", true),
            (refusal(403, "API_DISABLED_FOR_ORG"), "API_DISABLED_FOR_ORG", false),
            (refusal(403, "INSUFFICIENT_ACCESS"), "INSUFFICIENT_ACCESS", false),
            (refusal(400, "MALFORMED_QUERY"), "MALFORMED_QUERY", false),
            (refusal(404, "NOT_FOUND"), "NOT_FOUND", false),
            (failed(FailureKind::Denied), codes::REQUEST_DENIED, false),
            (failed(FailureKind::ResponseTooLarge), codes::ANSWER_TOO_LARGE, false),
            (failed(FailureKind::Budget), codes::BUDGET_EXHAUSTED, true),
        ] {
            let (result, script) = run(&mapping, &after_unknown(60), [reply]);
            assert_in_doubt(&result.unwrap_err(), code, waits);
            assert_eq!(script.asked().len(), 1);
        }
        // A new connection says nothing of the tries: the host names them again.
        let (result, _) = run(&mapping, &after_unknown(60), [refusal(401, "INVALID_SESSION_ID")]);
        assert_eq!(result.unwrap_err().reaction, Reaction::Reconnect);
    }
}

#[test]
fn nothing_that_stops_a_try_before_it_has_looked_ends_a_doubt() {
    let history = after_unknown(60);
    for mut mapping in mappings() {
        let try_with =
            |error, mapping: &Mapping| deliver(&mut Closed(error), &fixture::booking(), mapping, &history).unwrap_err();
        assert_in_doubt(&try_with(SecretError::Temporary, &mapping), codes::CREDENTIAL_UNAVAILABLE, true);
        for error in [SecretError::Unavailable, SecretError::GrantEnded] {
            assert_eq!(try_with(error, &mapping).reaction, Reaction::Reconnect);
        }
        // An option was edited since.
        let options = with_options(&[("existing", "?")]).options;
        let edited = Mapping { options, ..mapping.clone() };
        assert_in_doubt(&run(&edited, &history, []).0.unwrap_err(), codes::OPTION_INVALID, false);
        // The mapping yields nothing any more.
        let mut empty = mapping.clone();
        empty.rows.retain(|row| row.field.name == "LastName");
        empty.rows[0].source = Source::Tracking("none".into());
        let (result, _) = run(&empty, &history, [described(&[]), leads(&[])]);
        assert_in_doubt(&result.unwrap_err(), codes::REQUIRED_FIELD_BLANK, false);
        // The fields are asked for, since a snapshot may be stale.
        mapping.rows.push(row(fixture::text_field("Title", 2), Source::Fixed("部長代理".into())));
        let refusal = answer(403, r#"[{"errorCode":"API_DISABLED_FOR_ORG","message":"x"}]"#);
        let (result, _) = run(&mapping, &history, [refusal]);
        assert_in_doubt(&result.unwrap_err(), "API_DISABLED_FOR_ORG", false);
    }
    let mut booking = fixture::booking();
    booking.id = "予".repeat(60);
    let keyed = with_options(&[("booking-id-field", KEY)]);
    let problem = deliver(&mut Script::default(), &booking, &keyed, &history).unwrap_err();
    assert_in_doubt(&problem, codes::BOOKING_ID_TOO_LONG, false);
}

#[test]
fn a_problem_after_a_look_up_that_concludes_settles_the_tries_and_one_before_does_not() {
    let refusal = || refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no", &["Company"]);
    let (result, _) = run(&fixture::mapping(), &after_unknown(60), [leads(&[]), refusal(), described(&[])]);
    let problem = result.unwrap_err();
    assert_eq!((problem.reaction, &*problem.rows), (Reaction::FixBooking, &[2][..]));

    // The guest's Lead of long ago takes the booking, while a lost request may still make another one.
    let old = record(SAME, &json!({"CreatedDate": "2020-01-01T00:00:00.000+0000", "Company": "Old"}));
    let overwrite = with_options(&[("existing", "overwrite")]);
    for (minutes, reaction) in [(1, Reaction::CheckFirst), (60, Reaction::AskAdmin)] {
        let refusal = answer(403, r#"[{"errorCode":"INSUFFICIENT_ACCESS_OR_READONLY","message":"x"}]"#);
        let (result, _) = run(&overwrite, &after_unknown(minutes), [leads(&[&old]), refusal]);
        assert_eq!(result.unwrap_err().reaction, reaction);
    }
}

#[test]
fn the_lead_of_a_lost_second_write_is_found_whatever_was_left_out_of_it() {
    for policy in ["create-another", "keep", "fill-empty", "overwrite"] {
        for (field, code) in [
            ("Email", "INVALID_EMAIL_ADDRESS"),
            ("Description", "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
            ("FirstName", "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
        ] {
            let mapping = with_options(&[("existing", policy)]);
            let world = World::new("2026-11-22T03:20:00.000+0000");
            world.0.borrow_mut().refuses = vec![(field, code)];
            world.0.borrow_mut().loses_next_answer = true;
            let first = deliver(&mut world.clone(), &fixture::booking(), &mapping, &fixture::first_try()).unwrap_err();
            assert_eq!(first.reaction, Reaction::CheckFirst);
            for minutes in [0, 1, 5, 11, 12, 60] {
                let again =
                    deliver(&mut world.clone(), &fixture::booking(), &mapping, &after_unknown(minutes)).unwrap();
                assert_eq!(again.outcome, Outcome::AlreadyDelivered, "{policy} {field} {minutes}");
            }
            assert_eq!(world.0.borrow().leads.len(), 1, "{policy} {field}");
        }
    }
}

#[test]
fn a_lead_is_the_lost_one_by_what_cannot_have_been_left_out() {
    let mut mapping = fixture::mapping();
    let rating = LeadField {
        values: vec![
            fixture::value("Hot"),
            crate::bindings::types::PicklistValue { is_default: true, ..fixture::value("Warm") },
        ],
        ..fixture::field("Rating", FieldType::Picklist)
    };
    mapping.rows.push(row(rating, Source::Fixed("Hot".into())));
    mapping.rows.push(row(fixture::field("News__c", FieldType::Checkbox), Source::Answer("q-consent".into())));
    mapping.rows[2].fallback = Some("個人".into());
    let whole = record(SAME, &json!({"Rating": "Hot", "News__c": true}));
    let (same, near, other) = (Ok(Outcome::AlreadyDelivered), Err(codes::OUTCOME_UNCLEAR), Ok(Outcome::Created));
    for (changes, expected) in [
        (json!({}), same),
        // Left out, with what the org fills in.
        (json!({"Email": null}), same),
        (json!({"Email": null, "FirstName": null, "Description": null}), same),
        (json!({"Rating": "Warm", "News__c": false}), same),
        (json!({"Rating": null}), same),
        // The fallback of a required field.
        (json!({"Company": "個人"}), same),
        // Changed since, or another booking of the guest.
        (json!({"FirstName": "Taro"}), near),
        (json!({"Rating": "Cold"}), near),
        (json!({"Company": "Other"}), near),
        (json!({"LastName": "Yamada"}), near),
        (json!({"MeetingDate__c": "2026-12-09"}), near),
        (json!({"MeetingDate__c": null}), near),
        (json!({"Email": null, "FirstName": "Jiro"}), near),
        (json!({"Email": null, "MeetingDate__c": null}), near),
        // Others of the same name.
        (json!({"Email": null, "Company": "Other"}), other),
        (json!({"Email": null, "MeetingDate__c": "2026-12-09"}), other),
    ] {
        let found = record(&whole, &changes);
        let replies = std::iter::once(leads(&[&found])).chain((expected == other).then(created));
        let (result, script) = run(&mapping, &after_unknown(60), replies);
        let outcome = result.map(|delivery| delivery.outcome).map_err(|problem| problem.code);
        assert_eq!(outcome, expected.map_err(str::to_owned), "{changes}");
        let question = &script.asked()[0];
        assert!(question.contains("(Email = 'Taro.Yamada@example.com' OR (LastName IN ('山田') AND Email = null))"));
    }
    // Several that may be it, and more than are read.
    let twin = record(&whole, &json!({"Id": "00Q5e00000TwnAAEAZ", "Email": null}));
    let others = vec![&*whole; 50];
    for found in [vec![&*whole, &*twin], others] {
        let (result, _) = run(&mapping, &after_unknown(60), [leads(&found)]);
        assert_in_doubt(&result.unwrap_err(), codes::OUTCOME_UNCLEAR, false);
    }
}

#[test]
fn a_last_name_is_searched_as_salesforce_keeps_it_and_with_what_may_stand_in_its_place() {
    let mut mapping = fixture::mapping();
    mapping.rows[0].source = Source::Fixed(" 山田　 ".into());
    mapping.rows[0].fallback = Some("不明".into());
    let (_, script) = run(&mapping, &after_unknown(5), [leads(&[SAME])]);
    assert!(script.asked()[0].contains("LastName IN ('山田　','不明')"), "{:?}", script.asked());
    mapping.rows.retain(|row| row.field.name != "Email");
    let (_, script) = run(&mapping, &after_unknown(5), [leads(&[SAME])]);
    assert!(script.asked()[0].contains("AND (LastName IN ('山田　','不明')))"), "{:?}", script.asked());
}

#[test]
fn the_lost_lead_is_found_whoever_is_connected_by_now() {
    let (_, script) = run(&fixture::mapping(), &after_unknown(5), [leads(&[SAME])]);
    assert!(!script.asked().concat().contains("CreatedById"), "{:?}", script.asked());
}

#[test]
fn a_key_proves_nothing_where_the_org_lets_two_leads_have_it() {
    for (changes, is_proof) in [
        (vec![], true),
        (vec![(KEY, "unique", json!(false))], false),
        (vec![(KEY, "externalId", json!(false))], false),
        (vec![(KEY, "type", json!("email"))], false),
        (vec![(KEY, "updateable", json!(false))], false),
        (vec![(KEY, "name", Value::Null)], false),
    ] {
        let mapping = with_options(&[("booking-id-field", KEY)]);
        for (minutes, creates) in [(1, is_proof), (60, true)] {
            let replies = [leads(&[]), described(&changes)].into_iter().chain(creates.then(created));
            let (result, script) = run(&mapping, &after_unknown(minutes), replies);
            match result {
                Ok(delivery) => assert_eq!((delivery.outcome, creates), (Outcome::Created, true), "{changes:?}"),
                Err(problem) => {
                    assert!(!creates);
                    assert_in_doubt(&problem, codes::OUTCOME_PENDING, true);
                }
            }
            assert_eq!(script.asked().len(), if creates { 3 } else { 2 });
        }
        // A Lead of the lost try that has the key, and one that another user stripped of it.
        let (result, _) = run(&mapping, &after_unknown(1), [leads(&[&record(SAME, &json!({KEY: "team-1/b-1"}))])]);
        assert_eq!(result.unwrap().outcome, Outcome::AlreadyDelivered);
        if !is_proof {
            let (result, _) = run(&mapping, &after_unknown(1), [leads(&[SAME]), described(&changes)]);
            assert_eq!(result.unwrap().outcome, Outcome::AlreadyDelivered);
        }
    }
}

#[test]
fn a_guest_with_many_leads_does_not_hide_the_one_with_the_key() {
    let other = record(SAME, &json!({"MeetingDate__c": "2020-01-01", "IsConverted": false, KEY: null}));
    let keyed = record(SAME, &json!({KEY: "team-1/b-1"}));
    let mapping = with_options(&[("existing", "overwrite"), ("booking-id-field", KEY)]);
    let history = History { first_try: Some("2026-11-22T03:00:00Z".into()), ..fixture::first_try() };
    let (result, script) = run(&mapping, &history, [leads(&vec![&*other; 50]), leads(&[&keyed])]);
    assert_eq!(result.unwrap().outcome, Outcome::AlreadyDelivered);
    assert!(script.asked()[1].contains(" WHERE BookingId__c IN ('team-1/b-1') ORDER BY"), "{:?}", script.asked());
}

#[test]
fn a_lead_that_appeared_since_is_not_one_that_the_lost_try_must_have_used() {
    // The mapping has no address, so that a Lead with the guest's may be anybody's.
    let mut mapping = with_options(&[("existing", "overwrite")]);
    mapping.rows.retain(|row| row.field.name != "Email");
    let changes = json!({"LastName": "Yamada", "IsConverted": false});
    for (created, minutes, expected) in [
        ("2020-01-01T00:00:00.000+0000", 1, Ok(Outcome::Updated)),
        ("2026-11-22T03:19:30.000+0000", 1, Err(codes::OUTCOME_PENDING)),
        ("2026-11-22T03:19:30.000+0000", 60, Ok(Outcome::Updated)),
    ] {
        let found = record(&record(SAME, &changes), &json!({"CreatedDate": created}));
        let (result, _) = run(&mapping, &after_unknown(minutes), [leads(&[&found]), changed()]);
        let outcome = result.map(|delivery| delivery.outcome).map_err(|problem| problem.code);
        assert_eq!(outcome, expected.map_err(str::to_owned), "{created} {minutes}");
    }
}
