//! While a try of unknown outcome may have created a Lead, no problem lets the host forget it, and the Lead is found however
//! many of its values Salesforce refused.

use super::{
    SAME, deliver, lead_id, record, run,
    world::{KEY, World},
};
use crate::{
    bindings::{
        http::{Failure, FailureKind, Response},
        secrets::SecretError,
        types::{
            Delivery, Effect, FieldType, History, Instant, Mapping, Outcome, Problem, Reaction, SourceKind,
            UnknownTries, Value,
        },
    },
    codes,
    field::{LeadField, PicklistValue},
    fixture::{self, after_unknown, given_by, instant, row, text, with_options},
    salesforce::org::Connect,
    script::{self, Script, answer, changed, created, dated, described, leads, lost, refused},
};
use serde_json::{Value as Json, json};

/// No credential.
struct Closed(SecretError);

impl Connect for Closed {
    type Org = Script;

    fn connect(&mut self) -> Result<Script, SecretError> {
        Err(self.0.clone())
    }
}

/// Mappings whose next try looks: by values, by the guest's address too, and by a key.
fn mappings() -> [Mapping; 3] {
    [fixture::mapping(), with_options(&[("existing", "overwrite")]), with_options(&[("booking-id-field", KEY)])]
}

fn failed(kind: FailureKind) -> Result<Response, Failure> {
    script::failed(kind, Effect::None)
}

#[track_caller]
fn assert_in_doubt(problem: &Problem, code: &str, waits: bool) {
    // The try itself only looked, so that the host does not name it.
    let found = (problem.code.as_str(), &problem.reaction, problem.effect);
    assert_eq!(found, (code, &Reaction::CheckFirst, Effect::None));
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
        assert_in_doubt(&try_with(SecretError::Temporary(None), &mapping), codes::CREDENTIAL_UNAVAILABLE, true);
        assert_in_doubt(&try_with(SecretError::NeedsAPerson(None), &mapping), codes::CREDENTIAL_BLOCKED, false);
        let elsewhere = Mapping { target: Some("Contact".into()), ..mapping.clone() };
        assert_in_doubt(&run(&elsewhere, &history, []).0.unwrap_err(), codes::TARGET_UNKNOWN, false);
        for error in [SecretError::Unavailable, SecretError::GrantEnded(None)] {
            assert_eq!(try_with(error, &mapping).reaction, Reaction::Reconnect);
        }
        // An option was edited since.
        let options = with_options(&[("existing", "?")]).options;
        let edited = Mapping { options, ..mapping.clone() };
        assert_in_doubt(&run(&edited, &history, []).0.unwrap_err(), codes::OPTION_INVALID, false);
        // The mapping yields nothing any more.
        let mut empty = mapping.clone();
        empty.rows.retain(|row| row.field == "LastName");
        empty.rows[0].value = None;
        let (result, _) = run(&empty, &history, [described(&[]), leads(&[])]);
        assert_in_doubt(&result.unwrap_err(), codes::REQUIRED_FIELD_BLANK, false);
        // The fields are asked for, since a snapshot may be stale.
        mapping.rows.push(row(fixture::text_field("Title", 2), text("部長代理")));
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
        values: vec![fixture::value("Hot"), PicklistValue { is_default: true, ..fixture::value("Warm") }],
        ..fixture::field("Rating", FieldType::Choice)
    };
    mapping.rows.push(row(rating, text("Hot")));
    mapping.rows.push(row(fixture::field("News__c", FieldType::Checkbox), Value::Agreed(vec!["同意します".into()])));
    mapping.rows[2].fallback = Some(text("個人"));
    let whole = record(SAME, &json!({"Rating": "Hot", "News__c": true}));
    let (same, near, other) = (&Ok(Outcome::AlreadyDelivered), &Err(codes::OUTCOME_UNCLEAR), &Ok(Outcome::Created));
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
        assert_eq!(outcome, expected.clone().map_err(str::to_owned), "{changes}");
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
    mapping.rows[0].value = Some(text(" 山田　 "));
    mapping.rows[0].fallback = Some(text("不明"));
    let (_, script) = run(&mapping, &after_unknown(5), [leads(&[SAME])]);
    assert!(script.asked()[0].contains("LastName IN ('山田　','不明')"), "{:?}", script.asked());
    mapping.rows.retain(|row| row.field != "Email");
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
        (vec![(KEY, "name", Json::Null)], false),
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
    let history = History { first_try: Some(instant("2026-11-22T03:00:00Z")), ..fixture::first_try() };
    let (result, script) = run(&mapping, &history, [leads(&vec![&*other; 50]), leads(&[&keyed])]);
    assert_eq!(result.unwrap().outcome, Outcome::AlreadyDelivered);
    assert!(script.asked()[1].contains(" WHERE BookingId__c IN ('team-1/b-1') ORDER BY"), "{:?}", script.asked());
}

#[test]
fn a_lead_that_existed_before_takes_the_booking_and_one_that_appeared_since_may_be_the_lost_one() {
    let mapping = with_options(&[("existing", "overwrite")]);
    let changes = json!({"LastName": "Yamada", "IsConverted": false});
    for (created, minutes, expected) in [
        ("2020-01-01T00:00:00.000+0000", 1, Ok(Outcome::Updated)),
        ("2026-11-22T03:19:30.000+0000", 1, Err(codes::OUTCOME_UNCLEAR)),
        ("2026-11-22T03:19:30.000+0000", 60, Ok(Outcome::Updated)),
    ] {
        let found = record(&record(SAME, &changes), &json!({"CreatedDate": created}));
        let (result, _) = run(&mapping, &after_unknown(minutes), [leads(&[&found]), changed()]);
        let outcome = result.map(|delivery| delivery.outcome).map_err(|problem| problem.code);
        assert_eq!(outcome, expected.map_err(str::to_owned), "{created} {minutes}");
    }
}

#[test]
fn a_key_keeps_out_no_lead_beside_one_that_takes_the_booking_without_it() {
    // Somebody's Lead with the guest's address: the lost create may still add another.
    let others = record(SAME, &json!({"LastName": "Yamada", "IsConverted": false, KEY: "team-1/b-7"}));
    for policy in ["keep", "fill-empty", "overwrite"] {
        let mapping = with_options(&[("existing", policy), ("booking-id-field", KEY)]);
        for (created, minutes, is_used) in [
            ("2020-01-01T00:00:00.000+0000", 1, true),
            ("2026-11-22T03:19:30.000+0000", 1, false),
            ("2026-11-22T03:19:30.000+0000", 60, true),
        ] {
            let found = record(&others, &json!({"CreatedDate": created}));
            let (result, script) =
                run(&mapping, &after_unknown(minutes), [leads(&[&found]), described(&[]), changed()]);
            let told = format!("{policy} {created} {minutes}");
            match result {
                Ok(delivery) => assert!(is_used && delivery.outcome != Outcome::Created, "{told}"),
                Err(problem) => {
                    assert!(!is_used, "{told}");
                    assert_in_doubt(&problem, codes::OUTCOME_PENDING, true);
                    assert_eq!(script.asked().len(), 2);
                }
            }
        }
    }
}

#[test]
fn a_clock_that_jumped_is_never_taken_for_proof() {
    for ahead in [1, 3_600_000, u64::from(u32::MAX) * 1_000 + 1, u64::MAX / 2] {
        let mut history = after_unknown(60);
        let newest = history.now.saturating_add(ahead);
        history.unknown_tries = Some(UnknownTries { oldest: history.now, newest });
        let (result, _) = run(&fixture::mapping(), &history, [leads(&[])]);
        assert_in_doubt(&result.unwrap_err(), codes::OUTCOME_PENDING, true);
    }
}

/// A host that keeps the contract: it names the tries that ended with an unknown effect until a later one settles them.
struct Host {
    world: World,
    mapping: Mapping,
    now: Instant,
    first_try: Option<Instant>,
    unknown: Option<UnknownTries>,
}

/// A delay of ten years.
const NEVER: i64 = 315_360_000;
const START: &str = "2026-11-22T03:20:00Z";

impl Host {
    /// A host whose clock the org's is ahead of by this many minutes.
    fn new(mapping: Mapping, skew: i64) -> Self {
        let world = World::new(START);
        world.wait(skew * 60);
        Self { world, mapping, now: instant(START), first_try: None, unknown: None }
    }

    fn wait(&mut self, seconds: u32) {
        self.world.wait(i64::from(seconds));
        self.now += u64::from(seconds) * 1_000;
    }

    fn attempt(&mut self) -> Result<Delivery, Box<Problem>> {
        let began = self.now;
        let history =
            History { now: began, first_try: self.first_try, unknown_tries: self.unknown, ..History::default() };
        self.first_try.get_or_insert(began);
        let result = deliver(&mut self.world.clone(), &fixture::booking(), &self.mapping, &history);
        match &result {
            Err(problem) if problem.effect == Effect::Unknown => {
                let oldest = self.unknown.map_or(began, |tries| tries.oldest);
                self.unknown = Some(UnknownTries { oldest, newest: began });
            }
            Err(problem) if matches!(problem.reaction, Reaction::CheckFirst | Reaction::Reconnect) => {}
            _ => self.unknown = None,
        }
        result
    }

    /// Tries until there is a Lead, or a person must look. Returns the end and how many tries it took after no lost request can
    /// be committed any more.
    fn run(&mut self) -> (Result<Delivery, Box<Problem>>, usize) {
        let mut late = 0;
        loop {
            late += usize::from(self.unknown.is_some_and(|tries| self.now >= tries.newest + 12 * 60_000));
            let result = self.attempt();
            match result.as_ref().err().and_then(|problem| problem.retry_after) {
                Some(seconds) => self.wait(seconds),
                None => return (result, late),
            }
            assert!(late < 10, "it never ends");
        }
    }

    fn leads(&self) -> usize {
        self.world.0.borrow().leads.len()
    }
}

#[test]
fn the_lost_lead_is_found_however_far_the_clocks_are_apart() {
    for skew in [-120, -61, -60, -5, 0, 5, 60, 120] {
        for policy in ["create-another", "overwrite"] {
            for minutes in [0, 1, 30, 24 * 60] {
                let mut host = Host::new(with_options(&[("existing", policy)]), skew);
                host.world.0.borrow_mut().loses_next_answer = true;
                let problem = host.attempt().unwrap_err();
                assert_eq!((problem.reaction, problem.effect), (Reaction::CheckFirst, Effect::Unknown));
                host.wait(minutes * 60);
                host.world.0.borrow_mut().asked.clear();
                let again = host.attempt().unwrap();
                assert_eq!(again.outcome, Outcome::AlreadyDelivered, "{skew} {policy} {minutes}");
                assert_eq!(host.leads(), 1);
                // An org that is far behind is asked once more.
                let asked = host.world.0.borrow().asked.len();
                assert_eq!(asked, if skew < -58 { 2 } else { 1 }, "{skew} {policy} {minutes}");
            }
        }
    }
}

#[test]
fn an_older_lead_like_it_is_not_the_lost_one_however_far_the_clocks_are_apart() {
    for skew in [-120, -5, 0, 5, 120] {
        let mut host = Host::new(fixture::mapping(), skew);
        // The guest booked the same before.
        assert_eq!(host.attempt().unwrap().outcome, Outcome::Created);
        host.wait(30 * 60);
        host.first_try = None;
        host.world.0.borrow_mut().delays_next_create = Some(NEVER);
        assert_eq!(host.attempt().unwrap_err().effect, Effect::Unknown);
        let (end, late) = host.run();
        assert_eq!((end.unwrap().outcome, late), (Outcome::Created, 1), "{skew}");
        assert_eq!(host.leads(), 2);
    }
}

#[test]
fn without_the_orgs_time_clocks_that_are_a_quarter_of_an_hour_apart_find_the_lost_lead() {
    for skew in [-14, -5, 0, 5, 120] {
        let mut host = Host::new(fixture::mapping(), skew);
        host.world.0.borrow_mut().shows_date = false;
        host.world.0.borrow_mut().loses_next_answer = true;
        assert!(host.attempt().is_err());
        host.wait(60);
        assert_eq!(host.attempt().unwrap().outcome, Outcome::AlreadyDelivered, "{skew}");
    }
}

#[test]
fn a_slow_call_does_not_hide_the_lost_lead() {
    // The lost try began at 03:15, and this one at 03:20 by the same clock.
    let lost = record(SAME, &json!({"CreatedDate": "2026-11-22T03:15:00.000+0000"}));
    for date in ["Sun, 22 Nov 2026 03:20:00 GMT", "Sun, 22 Nov 2026 03:21:00 GMT", "Sun, 22 Nov 2026 03:22:00 GMT"] {
        let (result, _) = run(&fixture::mapping(), &after_unknown(5), [dated(leads(&[&lost]), date)]);
        assert_eq!(result.unwrap().outcome, Outcome::AlreadyDelivered, "{date}");
    }
}

#[test]
fn a_date_that_cannot_be_read_is_none() {
    let old = record(SAME, &json!({"CreatedDate": "2026-11-22T03:06:00.000+0000"}));
    for (date, outcome) in [
        // 14 minutes before the lost try: only with the org's time it is known to be older.
        ("Sun, 22 Nov 2026 03:20:00 GMT", Outcome::Created),
        ("Sun, 22 Nov 2026 03:20:00 JST", Outcome::AlreadyDelivered),
        ("Sunday, 22-Nov-26 03:20:00 GMT", Outcome::AlreadyDelivered),
        ("", Outcome::AlreadyDelivered),
    ] {
        let history = History { now: instant("2026-11-22T03:35:00Z"), ..after_unknown(0) };
        let date = date.replace("03:20", "03:35");
        let (result, _) = run(&fixture::mapping(), &history, [dated(leads(&[&old]), &date), created()]);
        assert_eq!(result.unwrap().outcome, outcome, "{date}");
    }
}

#[test]
fn a_try_that_only_looked_never_blocks() {
    // Nothing is committed: after the wait, the try that finds nothing creates.
    let mut host = Host::new(fixture::mapping(), 0);
    host.world.0.borrow_mut().delays_next_create = Some(NEVER);
    assert_eq!(host.attempt().unwrap_err().effect, Effect::Unknown);
    let newest = host.unknown.unwrap().newest;
    for minutes in 1..12 {
        host.wait(60);
        let problem = host.attempt().unwrap_err();
        assert_in_doubt(&problem, codes::OUTCOME_PENDING, true);
        assert_eq!(problem.retry_after, Some((12 - minutes) * 60));
        assert_eq!(host.unknown.unwrap().newest, newest);
    }
    host.wait(60);
    assert_eq!(host.attempt().unwrap().outcome, Outcome::Created);
    assert_eq!(host.leads(), 1);
}

#[test]
fn every_history_ends_with_one_lead_or_a_person_within_two_tries_after_the_wait() {
    for skew in [-120, -5, 0, 5, 120] {
        for options in [vec![], vec![("existing", "overwrite")], vec![("booking-id-field", KEY)]] {
            // When each lost create is committed, if ever.
            for delays in [vec![0], vec![45], vec![599], vec![NEVER], vec![NEVER, 300], vec![599, 599]] {
                let mut host = Host::new(with_options(&options), skew);
                for delay in &delays {
                    host.world.0.borrow_mut().delays_next_create = Some(*delay);
                    let _ = host.attempt();
                    // A look-up that fails settles nothing, and blocks nothing.
                    host.wait(20);
                    host.world.0.borrow_mut().look_ups_fail = true;
                    let _ = host.attempt();
                    host.world.0.borrow_mut().look_ups_fail = false;
                    host.wait(20);
                }
                host.world.0.borrow_mut().delays_next_create = None;
                let (end, late) = host.run();
                let told = format!("{skew} {options:?} {delays:?} {end:?}");
                assert!(late <= 2, "{told}");
                assert!(end.is_ok(), "{told}");
                host.wait(3_600);
                assert_eq!(host.leads(), 1, "{told}");
            }
        }
    }
}

#[test]
fn whatever_cannot_be_told_apart_goes_to_a_person_once_time_cannot_tell() {
    let mut host = Host::new(fixture::mapping(), 0);
    host.world.0.borrow_mut().loses_next_answer = true;
    assert!(host.attempt().is_err());
    // Somebody corrects the Lead meanwhile.
    host.world.0.borrow_mut().leads[0].insert("LastName".into(), json!("Yamada"));
    let (end, late) = host.run();
    let problem = end.unwrap_err();
    assert_in_doubt(&problem, codes::OUTCOME_UNCLEAR, false);
    assert_eq!((late, problem.concerned.len(), host.leads()), (1, 1, 1));
}

#[test]
fn bookings_of_one_guest_are_told_apart_by_what_comes_from_the_meeting() {
    let later = record(SAME, &json!({"MeetingDate__c": "2026-12-09", "Email": null}));
    for (source, expected) in
        [(SourceKind::Meeting, Ok(Outcome::Created)), (SourceKind::Guest, Err(codes::OUTCOME_UNCLEAR))]
    {
        let mut mapping = fixture::mapping();
        mapping.rows[5] = given_by(source, mapping.rows[5].clone());
        let (result, _) = run(&mapping, &after_unknown(60), [leads(&[&later]), created()]);
        let outcome = result.map(|delivery| delivery.outcome).map_err(|problem| problem.code);
        assert_eq!(outcome, expected.map_err(str::to_owned));
    }
    let blank = record(SAME, &json!({"MeetingDate__c": null}));
    for (source, expected) in [(SourceKind::Meeting, Err(codes::OUTCOME_UNCLEAR)), (SourceKind::Guest, Ok(()))] {
        let mut mapping = fixture::mapping();
        mapping.rows[5] = given_by(source, mapping.rows[5].clone());
        let (result, _) = run(&mapping, &after_unknown(60), [leads(&[&blank])]);
        let found = result.map(|delivery| assert_eq!(lead_id(&delivery), "00Q5e00000LstAAEAZ"));
        assert_eq!(found.map_err(|problem| problem.code), expected.map_err(str::to_owned));
    }
}
