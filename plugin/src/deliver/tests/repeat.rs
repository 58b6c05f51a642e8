use super::{SAME, concerned, lead_id, run};
use crate::{
    bindings::types::{Effect, History, Outcome, Reaction, RecordRef, UnknownTries},
    codes,
    fixture::{self, after_unknown, first_try, instant, known, lead, with_options},
    script::{answer, changed, created, described, leads, lost, refused},
};

fn near() -> String {
    SAME.replace("2026-12-02", "2026-12-09").replace("LstAAE", "NerAAE")
}

#[test]
fn a_delivery_that_the_ledger_knows_of_is_reported_without_a_call() {
    let other = RecordRef { object: "Task".into(), id: "00T5e00000LstAAEAZ".into(), url: None };
    let both = History { records: vec![other.clone(), lead("00Q5e00000LstAAEAZ")], ..first_try() };
    let of_another_host =
        History { records: vec![RecordRef { object: "lead".into(), ..lead("00Q5e00000LstAAEAZ") }], ..first_try() };
    for history in
        [known("00Q5e00000LstAAEAZ", first_try()), known("00Q5e00000LstAAEAZ", after_unknown(1)), both, of_another_host]
    {
        let (result, script) = run(&fixture::mapping(), &history, []);
        let delivery = result.unwrap();
        assert_eq!(delivery.outcome, Outcome::AlreadyDelivered);
        assert_eq!(delivery.records[0].id, "00Q5e00000LstAAEAZ");
        assert_eq!(delivery.records.len(), history.records.len());
        assert!(script.asked().is_empty());
    }
    // What is not a Lead is not the booking's Lead.
    let (result, _) = run(&fixture::mapping(), &History { records: vec![other], ..first_try() }, [created()]);
    assert_eq!(result.unwrap().outcome, Outcome::Created);
}

#[test]
fn a_lost_reply_never_makes_a_second_lead() {
    let again = SAME.replace("LstAAE", "Ls2AAE");
    for (minutes, found, expected) in [
        // Found: whatever the time.
        (1, vec![SAME], Ok(Outcome::AlreadyDelivered)),
        (60, vec![SAME], Ok(Outcome::AlreadyDelivered)),
        (1, vec![SAME, &near()], Ok(Outcome::AlreadyDelivered)),
        // None: conclusive only once the org cannot commit it any more.
        (1, vec![], Err((codes::OUTCOME_PENDING, Some(660)))),
        (11, vec![], Err((codes::OUTCOME_PENDING, Some(60)))),
        (12, vec![], Ok(Outcome::Created)),
        (60, vec![], Ok(Outcome::Created)),
        // Several, or near ones: time may tell, at last a person must.
        (1, vec![&near()], Err((codes::OUTCOME_UNCLEAR, Some(660)))),
        (60, vec![&near()], Err((codes::OUTCOME_UNCLEAR, None))),
        (1, vec![SAME, &again], Err((codes::OUTCOME_UNCLEAR, Some(660)))),
        (60, vec![SAME, &again], Err((codes::OUTCOME_UNCLEAR, None))),
    ] {
        let creates = expected == Ok(Outcome::Created);
        let replies = std::iter::once(leads(&found)).chain(creates.then(created));
        let (result, script) = run(&fixture::mapping(), &after_unknown(minutes), replies);
        match expected {
            Ok(outcome) => assert_eq!(result.unwrap().outcome, outcome, "{minutes} {found:?}"),
            Err((code, retry_after)) => {
                let problem = result.unwrap_err();
                assert_eq!((problem.code.as_str(), &problem.reaction), (code, &Reaction::CheckFirst), "{minutes}");
                assert_eq!(problem.retry_after, retry_after, "{minutes} {found:?}");
                assert_eq!(problem.effect, Effect::None);
                assert_eq!(problem.concerned.len(), found.len());
            }
        }
        assert_eq!(script.asked().len(), if creates { 2 } else { 1 });
    }
}

#[test]
fn the_look_up_for_a_lost_try_is_narrowed_to_what_it_can_have_made() {
    let (_, script) = run(&fixture::mapping(), &after_unknown(5), [leads(&[SAME])]);
    assert_eq!(
        script.asked(),
        ["GET /query?q=SELECT Id,CreatedDate,LastName,FirstName,Company,Email,Description,MeetingDate__c FROM Lead \
          WHERE (CreatedDate >= 2026-11-22T02:15:00Z AND (Email = 'Taro.Yamada@example.com' \
          OR (LastName IN ('山田') AND Email = null))) ORDER BY CreatedDate DESC LIMIT 50"]
    );
}

#[test]
fn a_look_up_that_fails_leaves_the_outcome_unknown() {
    for reply in [lost(), answer(503, ""), answer(200, "not json")] {
        let (result, _) = run(&fixture::mapping(), &after_unknown(60), [reply]);
        let problem = result.unwrap_err();
        assert_eq!(problem.reaction, Reaction::CheckFirst);
        assert!(problem.retry_after.is_some());
    }
}

#[test]
fn with_a_policy_one_look_up_finds_the_guests_leads_and_the_lost_one() {
    let created_at = |at: &str| SAME.replacen('{', &format!(r#"{{"CreatedDate":"{at}","#), 1);
    let since = created_at("2026-11-22T03:19:30.000+0000");
    let before = created_at("2020-01-01T00:00:00.000+0000").replace("2026-12-02", "2020-01-01");
    let since_but_other = near().replacen('{', r#"{"CreatedDate":"2026-11-22T03:19:30.000+0000","#, 1);
    for (minutes, found, expected) in [
        (1, Some(&*since), Ok(Outcome::AlreadyDelivered)),
        (1, Some(&*before), Ok(Outcome::Updated)),
        (1, Some(&*since_but_other), Err(codes::OUTCOME_UNCLEAR)),
        (60, Some(&*since_but_other), Ok(Outcome::Updated)),
        (1, None, Err(codes::OUTCOME_PENDING)),
        (60, None, Ok(Outcome::Created)),
    ] {
        let write = match expected {
            Ok(Outcome::Created) => Some(created()),
            Ok(Outcome::Updated) => Some(changed()),
            _ => None,
        };
        let found: Vec<&str> = found.into_iter().collect();
        let mapping = with_options(&[("existing", "overwrite")]);
        let (result, script) = run(&mapping, &after_unknown(minutes), std::iter::once(leads(&found)).chain(write));
        assert_eq!(
            result.map(|delivery| delivery.outcome).map_err(|problem| problem.code),
            expected.map_err(str::to_owned),
            "{minutes} {found:?}"
        );
        assert!(script.asked().len() <= 2);
    }
}

#[test]
fn a_key_is_read_first_on_every_repeat_and_makes_a_second_create_safe() {
    let mapping = with_options(&[("booking-id-field", "BookingId__c")]);
    let keyed = r#"{"Id":"00Q5e00000LstAAEAZ","BookingId__c":"team-1/b-1"}"#;
    let repeat = History { first_try: Some(instant("2026-11-22T03:00:00Z")), ..first_try() };
    for history in [&repeat, &after_unknown(1), &after_unknown(60)] {
        let (result, script) = run(&mapping, history, [leads(&[keyed])]);
        assert_eq!(result.unwrap().outcome, Outcome::AlreadyDelivered);
        assert_eq!(script.asked().len(), 1);
        assert!(script.asked()[0].contains(" WHERE BookingId__c IN ('team-1/b-1') O"), "{:?}", script.asked());
    }
    let (result, script) = run(&mapping, &repeat, [leads(&[]), created()]);
    assert_eq!(result.unwrap().outcome, Outcome::Created);
    assert_eq!(script.asked().len(), 2);
    // While the first create may still be under way, the key must be a unique one.
    for minutes in [1, 60] {
        let (result, script) = run(&mapping, &after_unknown(minutes), [leads(&[]), described(&[]), created()]);
        assert_eq!(result.unwrap().outcome, Outcome::Created);
        assert_eq!(script.asked().len(), 3);
    }
}

#[test]
fn key_and_guest_are_looked_for_by_one_query() {
    let options = [("existing", "overwrite"), ("booking-id-field", "BookingId__c")];
    let repeat = History { first_try: Some(instant("2026-11-22T03:00:00Z")), ..first_try() };
    let (result, script) = run(&with_options(&options), &repeat, [leads(&[]), created()]);
    assert_eq!(result.unwrap().outcome, Outcome::Created);
    assert_eq!(
        script.asked()[0],
        "GET /query?q=SELECT Id,BookingId__c,Email,IsConverted FROM Lead WHERE BookingId__c IN ('team-1/b-1') \
         OR (Email = 'Taro.Yamada@example.com' AND IsConverted = false) ORDER BY CreatedDate DESC LIMIT 50"
    );
}

#[test]
fn a_taken_key_means_delivered_and_another_taken_field_does_not() {
    let mapping = with_options(&[("booking-id-field", "BookingId__c")]);
    let taken = || {
        refused(
            "DUPLICATE_VALUE",
            "duplicate value found: BookingId__c duplicates value on record with id: 00Q5e00000Lst",
            &[],
        )
    };
    let keyed = |key: &str| format!(r#"{{"Id":"00Q5e00000LstAAEAZ","BookingId__c":"{key}"}}"#);

    let (result, script) = run(&mapping, &first_try(), [taken(), leads(&[&keyed("team-1/b-1")])]);
    let delivery = result.unwrap();
    assert_eq!((&delivery.outcome, lead_id(&delivery)), (&Outcome::AlreadyDelivered, "00Q5e00000LstAAEAZ"));
    assert_eq!(script.asked().len(), 2);

    let (result, _) = run(&mapping, &first_try(), [taken(), leads(&[])]);
    assert_eq!(result.unwrap_err().code, "DUPLICATE_VALUE");

    let (result, _) = run(&mapping, &first_try(), [taken(), leads(&[&keyed("TEAM-1/b-1")])]);
    let problem = result.unwrap_err();
    assert_eq!((problem.code.as_str(), &problem.reaction), (codes::BOOKING_ID_COLLISION, &Reaction::AskAdmin));
    assert_eq!(concerned(&problem), ["00Q5e00000LstAAEAZ"]);

    let (result, _) = run(&fixture::mapping(), &first_try(), [taken()]);
    assert_eq!(result.unwrap_err().code, "DUPLICATE_VALUE");
}

#[test]
fn a_key_that_fits_no_field_is_a_problem_and_never_shortened() {
    let mut booking = fixture::booking();
    booking.id = "予".repeat(60);
    let mapping = with_options(&[("booking-id-field", "BookingId__c")]);
    let problem = super::deliver(&mut crate::script::Script::default(), &booking, &mapping, &first_try()).unwrap_err();
    assert_eq!((problem.code.as_str(), &problem.reaction), (codes::BOOKING_ID_TOO_LONG, &Reaction::FixMapping));

    let refusal =
        refused("STRING_TOO_LONG", "Booking Id: data value too large: team-1/b-1 (max length=8)", &["BookingId__c"]);
    let (result, _) = run(&mapping, &first_try(), [refusal, crate::script::described(&[])]);
    assert_eq!(result.unwrap_err().code, codes::BOOKING_ID_TOO_LONG);
}

#[test]
fn nothing_found_is_conclusive_only_when_the_newest_lost_try_is() {
    let old = after_unknown(60);
    let oldest = old.unknown_tries.unwrap().oldest;
    let newest = after_unknown(5).unknown_tries.unwrap().newest;
    let history = History { unknown_tries: Some(UnknownTries { oldest, newest }), ..old };
    let (result, script) = run(&fixture::mapping(), &history, [leads(&[])]);
    let problem = result.unwrap_err();
    assert_eq!(problem.code, codes::OUTCOME_PENDING, "the second try may still make a Lead");
    assert!(problem.retry_after.is_some());
    let asked = script.asked().concat();
    assert_eq!(script.asked().len(), 1);
    assert!(asked.contains("CreatedDate"), "{asked}");
}

#[test]
fn a_duplicate_rule_that_refuses_before_the_key_does_not_hide_that_the_booking_has_a_lead() {
    let mapping = with_options(&[("booking-id-field", "BookingId__c")]);
    let refusal = || refused("DUPLICATES_DETECTED", "Use one of these records?", &[]);
    let keyed = r#"{"Id":"00Q5e00000LstAAEAZ","BookingId__c":"team-1/b-1"}"#;
    let (result, script) = run(&mapping, &first_try(), [refusal(), leads(&[keyed])]);
    let delivery = result.unwrap();
    assert_eq!((&delivery.outcome, lead_id(&delivery)), (&Outcome::AlreadyDelivered, "00Q5e00000LstAAEAZ"));
    assert_eq!(script.asked().len(), 2);

    let (result, _) = run(&mapping, &first_try(), [refusal(), leads(&[])]);
    assert_eq!(result.unwrap_err().code, "DUPLICATES_DETECTED");

    // A repeat too: what was lost may have been committed after its key was read.
    let repeat = History { first_try: Some(instant("2026-11-22T03:00:00Z")), ..first_try() };
    let (result, script) = run(&mapping, &repeat, [leads(&[]), refusal(), leads(&[keyed])]);
    assert_eq!(result.unwrap().outcome, Outcome::AlreadyDelivered);
    assert_eq!(script.asked().len(), 3);
    let replies = [leads(&[]), described(&[]), refusal(), leads(&[keyed])];
    let (result, _) = run(&mapping, &after_unknown(1), replies);
    assert_eq!(result.unwrap().outcome, Outcome::AlreadyDelivered);
}
