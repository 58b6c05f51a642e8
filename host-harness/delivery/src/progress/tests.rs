//! The transitions, one by one and against a model of the CRM.

use super::*;
use crm_contract::Finding;
use proptest::prelude::*;

const NOW: Instant = 1_000_000_000;
const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// The version of the mapping that most tries use.
const MAPPING: u64 = 7;

fn waiting() -> Progress {
    Progress::accepted(NOW, NOW + HOUR)
}

fn lead(id: &str) -> RecordRef {
    RecordRef { object: "Lead".into(), id: id.into(), url: None }
}

fn delivered(outcome: Outcome, consequence: Option<Consequence>) -> Ended {
    let finding = |consequence| Finding {
        code: "value-too-long".into(),
        consequence,
        fields: Vec::new(),
        rows: Vec::new(),
        message: String::new(),
        particulars: Vec::new(),
        more: Vec::new(),
    };
    Ended::Delivered(Delivery {
        records: vec![lead("1")],
        outcome,
        findings: consequence.map(finding).into_iter().collect(),
        more: Vec::new(),
    })
}

fn refused(reaction: Reaction, effect: Effect, retry_after: Option<u32>) -> Ended {
    Ended::Refused(Problem { effect, retry_after, ..Problem::new("code", reaction, "") })
}

fn stopped(effect: Effect) -> Ended {
    Ended::Stopped { code: "trap".into(), effect }
}

fn made(record: RecordRef) -> Ended {
    Ended::Refused(Problem { made: vec![record], ..Problem::new("code", Reaction::FixMapping, "") })
}

fn at(began: Instant) -> Option<UnknownTries> {
    Some(UnknownTries { oldest: began, newest: began })
}

/// Claims when it is due, and finishes ten milliseconds later. `paused_until` is the team's circuit.
fn try_with(progress: &mut Progress, ended: Ended, mapping: u64, paused_until: Option<Instant>) -> State {
    let settings = Settings::default();
    let began = progress.due;
    let claim = progress.claim(began, &settings).expect("due");
    progress.finish(claim.fence, mapping, ended, paused_until, (began + 10, 0.5), &settings).expect("claimed");
    progress.state
}

fn after(progress: &mut Progress, ended: Ended) -> State {
    try_with(progress, ended, MAPPING, None)
}

/// A booking with a try at `NOW` whose effect nobody knows.
fn doubted() -> Progress {
    let mut progress = waiting();
    after(&mut progress, refused(Reaction::CheckFirst, Effect::Unknown, Some(1)));
    progress
}

#[test]
fn each_end_of_a_try_leads_to_its_state() {
    use Consequence::{Changed, LeftOut, Refused};
    use Effect::{None as Nothing, Unknown};
    use State::{Delivered, NeedsAttention, Parked, PartlyDelivered, Waiting};
    let other = || Reaction::Other("later".into());
    // How the try ended; the state; whether it is unknown; whether it settles earlier tries; whether it counts as passing.
    for (ended, state, is_unknown, settles, passes) in [
        (delivered(Outcome::Created, None), Delivered, false, true, false),
        (delivered(Outcome::Updated, None), Delivered, false, true, false),
        (delivered(Outcome::Kept, None), Delivered, false, true, false),
        (delivered(Outcome::AlreadyDelivered, None), Delivered, false, true, false),
        (delivered(Outcome::Other("later".into()), None), Delivered, false, true, false),
        (delivered(Outcome::Created, Some(Changed)), Delivered, false, true, false),
        (delivered(Outcome::Created, Some(Refused)), Delivered, false, true, false),
        (delivered(Outcome::Created, Some(LeftOut)), PartlyDelivered, false, true, false),
        (delivered(Outcome::Ignored, None), Delivered, false, true, false),
        (delivered(Outcome::Ignored, Some(LeftOut)), Delivered, false, true, false),
        (refused(Reaction::FixBooking, Nothing, None), NeedsAttention, false, true, false),
        (refused(Reaction::FixBooking, Nothing, Some(30)), NeedsAttention, false, true, false),
        (refused(Reaction::FixMapping, Nothing, None), NeedsAttention, false, true, false),
        (refused(Reaction::FixMapping, Nothing, Some(30)), NeedsAttention, false, true, false),
        (refused(Reaction::AskAdmin, Nothing, None), NeedsAttention, false, true, false),
        (refused(Reaction::AskAdmin, Nothing, Some(30)), NeedsAttention, false, true, false),
        (refused(Reaction::Reconnect, Nothing, None), Parked, false, false, false),
        (refused(Reaction::Reconnect, Nothing, Some(30)), Parked, false, false, false),
        (refused(Reaction::Retry, Nothing, None), Waiting, false, true, true),
        (refused(Reaction::Retry, Nothing, Some(60)), Waiting, false, true, true),
        (refused(Reaction::CheckFirst, Nothing, None), NeedsAttention, false, false, false),
        (refused(Reaction::CheckFirst, Nothing, Some(30)), Waiting, false, false, true),
        (refused(other(), Nothing, None), NeedsAttention, false, false, false),
        (refused(other(), Nothing, Some(30)), NeedsAttention, false, false, false),
        (refused(Reaction::CheckFirst, Unknown, None), NeedsAttention, true, false, false),
        (refused(Reaction::CheckFirst, Unknown, Some(30)), Waiting, true, false, true),
        // An unknown effect makes `check-first` of everything [H16].
        (refused(Reaction::FixBooking, Unknown, None), NeedsAttention, true, false, false),
        (refused(Reaction::FixBooking, Unknown, Some(30)), Waiting, true, false, true),
        (refused(Reaction::FixMapping, Unknown, None), NeedsAttention, true, false, false),
        (refused(Reaction::FixMapping, Unknown, Some(30)), Waiting, true, false, true),
        (refused(Reaction::AskAdmin, Unknown, None), NeedsAttention, true, false, false),
        (refused(Reaction::AskAdmin, Unknown, Some(30)), Waiting, true, false, true),
        (refused(Reaction::Reconnect, Unknown, None), NeedsAttention, true, false, false),
        (refused(Reaction::Reconnect, Unknown, Some(30)), Waiting, true, false, true),
        (refused(Reaction::Retry, Unknown, None), NeedsAttention, true, false, false),
        (refused(Reaction::Retry, Unknown, Some(30)), Waiting, true, false, true),
        // Except of a reaction that nobody knows: a person must look [H18].
        (refused(other(), Unknown, None), NeedsAttention, true, false, false),
        (refused(other(), Unknown, Some(30)), NeedsAttention, true, false, false),
        (stopped(Nothing), Waiting, false, false, true),
        (stopped(Unknown), Waiting, true, false, true),
        (Ended::NotCalled, Waiting, false, false, false),
    ] {
        let mut first = waiting();
        let found = try_with(&mut first, ended.clone(), 3, None);
        assert_eq!((found, first.passing > 0), (state, passes), "{ended:?}");
        let expected = if is_unknown { (at(NOW), Some(3)) } else { (None, None) };
        assert_eq!((first.unknown, first.pinned_mapping), expected, "{ended:?}");
        assert_eq!(first.cause.is_some(), !state.is_final() && ended != Ended::NotCalled, "{ended:?}");
        assert_eq!(first.claimed, None, "{ended:?}");

        // The same end after a try whose effect nobody knows.
        let mut second = doubted();
        let began = second.due;
        let found = try_with(&mut second, ended.clone(), MAPPING, None);
        assert_eq!(found, state, "{ended:?}");
        let expected = match (settles, is_unknown) {
            (true, _) => (None, None),
            (false, false) => (at(NOW), Some(MAPPING)),
            (false, true) => (Some(UnknownTries { oldest: NOW, newest: began }), Some(MAPPING)),
        };
        assert_eq!((second.unknown, second.pinned_mapping), expected, "{ended:?} after an unknown try");
    }
}

#[test]
fn a_wait_is_what_the_crm_asks_for_and_half_of_what_the_schedule_allows() {
    for (ended, wait) in [
        (refused(Reaction::Retry, Effect::None, None), 2_500),
        (refused(Reaction::Retry, Effect::None, Some(60)), 62_500),
        (refused(Reaction::CheckFirst, Effect::Unknown, Some(30)), 32_500),
        (refused(Reaction::FixBooking, Effect::Unknown, Some(30)), 32_500),
        (stopped(Effect::None), 2_500),
        (Ended::NotCalled, 2_500),
    ] {
        let mut progress = waiting();
        after(&mut progress, ended.clone());
        assert_eq!(progress.due, NOW + 10 + wait, "{ended:?}");
        let tries = progress.passing;
        let began = progress.due;
        after(&mut progress, ended.clone());
        let expected = if tries == 0 { wait } else { wait + 2_500 };
        assert_eq!(progress.due, began + 10 + expected, "the second {ended:?}");
    }
}

#[test]
fn a_worker_that_lost_its_claim_changes_nothing() {
    let settings = Settings::default();
    let mut progress = waiting();
    let first = progress.claim(NOW, &settings).unwrap();
    assert!(progress.claim(NOW, &settings).is_none(), "one worker at a time");
    assert!(!progress.rescue(MAPPING, (first.until - 1, 0.0), &settings));
    assert!(progress.rescue(MAPPING, (first.until, 0.0), &settings));
    assert!(!progress.rescue(MAPPING, (first.until, 0.0), &settings), "once");
    let end = || delivered(Outcome::Created, None);
    let before = progress.clone();
    let late = progress.finish(first.fence, MAPPING, end(), None, (first.until, 0.0), &settings);
    assert_eq!((late, &progress), (Err(Stale), &before));
    let second = progress.claim(progress.due, &settings).unwrap();
    assert!(second.fence > first.fence);
    assert_eq!(second.history.unknown_tries, at(NOW));
    let before = progress.clone();
    let late = progress.finish(first.fence, MAPPING, end(), None, (second.history.now, 0.0), &settings);
    assert_eq!((late, &progress), (Err(Stale), &before));
    progress.finish(second.fence, MAPPING, end(), None, (second.until, 0.0), &settings).unwrap();
    let before = progress.clone();
    for fence in [first.fence, second.fence] {
        let late = progress.finish(fence, MAPPING, Ended::NotCalled, None, (second.until, 0.0), &settings);
        assert_eq!((late, &progress), (Err(Stale), &before));
    }
}

#[test]
fn a_booking_is_claimed_when_it_is_due_and_not_before() {
    let settings = Settings::default();
    let mut progress = waiting();
    assert!(progress.claim(NOW - 1, &settings).is_none());
    let claim = progress.claim(NOW, &settings).unwrap();
    let history = History { now: NOW, ..History::default() };
    assert_eq!((claim.fence, claim.history, claim.until), (1, history, NOW + settings.lease));
    for state in State::ALL.into_iter().filter(|state| *state != State::Waiting) {
        let mut progress = Progress { state, ..waiting() };
        let before = progress.clone();
        assert!(progress.claim(NOW, &settings).is_none(), "{state:?}");
        assert_eq!(progress, before);
    }
}

#[test]
fn a_claim_without_a_call_is_not_a_try() {
    let settings = Settings::default();
    let mut progress = waiting();
    after(&mut progress, Ended::NotCalled);
    assert_eq!((progress.first_try, progress.passing, progress.cause.as_ref()), (None, 0, None));
    let began = progress.due;
    let claim = progress.claim(began, &settings).unwrap();
    assert_eq!((claim.fence, claim.history.first_try), (2, None));
    progress.rescue(MAPPING, (claim.until, 0.0), &settings);
    assert_eq!(progress.first_try, Some(began), "a lost worker may have called");
    after(&mut progress, refused(Reaction::Retry, Effect::None, None));
    assert_eq!(progress.first_try, Some(began), "the first one stays");
}

#[test]
fn tries_end_with_a_person_and_a_person_begins_them_again() {
    let settings = Settings::default();
    let mut progress = waiting();
    let mut tries = 0;
    while after(&mut progress, refused(Reaction::Retry, Effect::None, None)) == State::Waiting {
        tries += 1;
    }
    assert!((72..200).contains(&tries), "{tries} tries in three days");
    let cause = progress.cause.clone().unwrap();
    assert_eq!((progress.state, &*cause.code, cause.tries_ended), (State::NeedsAttention, "code", true));
    assert!(progress.resend(progress.due));
    assert_eq!((progress.state, progress.passing), (State::Waiting, 0));
    assert!(!progress.cause.as_ref().unwrap().tries_ended);
    let claim = progress.claim(progress.due, &settings).unwrap();
    assert!(!progress.resend(claim.until), "under way");
}

#[test]
fn tries_last_three_days_or_until_a_day_after_the_meeting_or_three_days_after_a_resend() {
    let settings = Settings::default();
    for (meeting_end, resent, last) in [
        (NOW, None, NOW + 3 * DAY),
        (NOW + 2 * DAY, None, NOW + 3 * DAY),
        (NOW + 10 * DAY, None, NOW + 11 * DAY),
        (NOW, Some(NOW + DAY), NOW + 4 * DAY),
        (NOW, Some(NOW + 20 * DAY), NOW + 23 * DAY),
        (NOW + 10 * DAY, Some(NOW + DAY), NOW + 11 * DAY),
    ] {
        let progress = Progress { resent, ..Progress::accepted(NOW, meeting_end) };
        assert_eq!(progress.last_try(&settings), last);
        assert!(progress.clone().claim(last, &settings).is_some());
        let mut late = progress.clone();
        assert_eq!(late.claim(last + 1, &settings), None);
        let cause = Cause { code: codes::TOO_LATE.into(), since: last + 1, tries_ended: true };
        assert_eq!((late.state, late.cause.as_ref()), (State::NeedsAttention, Some(&cause)));
        assert_eq!((late.first_try, late.fence), (None, progress.fence));
        assert!(late.resend(last + 2) && late.claim(last + 2, &settings).is_some(), "a person asks for more");
    }
}

#[test]
fn a_booking_that_is_too_late_keeps_the_cause_of_its_last_try() {
    let settings = Settings::default();
    let mut progress = waiting();
    after(&mut progress, refused(Reaction::Retry, Effect::None, None));
    assert_eq!(progress.claim(NOW + 4 * DAY, &settings), None);
    let cause = progress.cause.unwrap();
    assert_eq!((&*cause.code, cause.tries_ended), ("code", true));
}

#[test]
fn a_try_that_may_have_written_is_followed_up_however_late() {
    let mut progress = doubted();
    let claim = progress.claim(NOW + 40 * DAY, &Settings::default()).unwrap();
    assert_eq!(claim.history.unknown_tries, at(NOW));
}

#[test]
fn a_wait_beyond_the_last_try_ends_the_tries() {
    let mut progress = waiting();
    let asked = u32::try_from(3 * DAY / 1_000).unwrap();
    assert_eq!(after(&mut progress, refused(Reaction::Retry, Effect::None, Some(asked))), State::NeedsAttention);
    assert!(progress.cause.unwrap().tries_ended);
    let mut progress = waiting();
    let ended = refused(Reaction::CheckFirst, Effect::Unknown, Some(asked));
    assert_eq!(after(&mut progress, ended), State::NeedsAttention);
    assert_eq!(progress.unknown, at(NOW), "the person sees that it may have been written");
}

#[test]
fn a_paused_circuit_uses_up_no_try() {
    let mut progress = waiting();
    after(&mut progress, refused(Reaction::Retry, Effect::None, None));
    let counted = progress.passing;
    let until = progress.due + HOUR;
    let state = try_with(&mut progress, refused(Reaction::Retry, Effect::None, Some(900)), MAPPING, Some(until));
    assert_eq!((state, progress.passing, progress.due), (State::Waiting, counted, until));
    assert!(progress.cause.is_some());
    // Even beyond the last try: the pause is over before anybody judges.
    let mut progress = waiting();
    let until = NOW + 5 * DAY;
    let state = try_with(&mut progress, refused(Reaction::Retry, Effect::None, Some(900)), MAPPING, Some(until));
    assert_eq!((state, progress.due), (State::Waiting, until));
}

#[test]
fn a_booking_that_stops_the_plugin_again_and_again_needs_a_person() {
    let settings = Settings::default();
    let mut progress = waiting();
    for _ in 1..settings.stopped_tries {
        assert_eq!(after(&mut progress, stopped(Effect::None)), State::Waiting);
    }
    assert_eq!(after(&mut progress, stopped(Effect::None)), State::NeedsAttention);
    assert!(!progress.cause.as_ref().unwrap().tries_ended);
    assert!(progress.resend(progress.due));
    assert_eq!(after(&mut progress, stopped(Effect::None)), State::Waiting, "counted from the start");
}

#[test]
fn only_stops_in_a_row_count_as_such() {
    let settings = Settings::default();
    let mut progress = waiting();
    for _ in 0..2 * settings.stopped_tries {
        after(&mut progress, refused(Reaction::Retry, Effect::None, None));
    }
    for _ in 1..settings.stopped_tries {
        assert_eq!(after(&mut progress, stopped(Effect::None)), State::Waiting);
    }
    after(&mut progress, Ended::NotCalled);
    after(&mut progress, refused(Reaction::Retry, Effect::None, None));
    assert_eq!(after(&mut progress, stopped(Effect::None)), State::Waiting);
}

#[test]
fn a_cause_keeps_the_moment_since_which_it_lasts() {
    let mut progress = waiting();
    assert_eq!(progress.cause, None, "nothing is in its way");
    let since = |progress: &Progress| progress.cause.as_ref().map(|cause| cause.since);
    after(&mut progress, refused(Reaction::Retry, Effect::None, None));
    after(&mut progress, refused(Reaction::Retry, Effect::None, None));
    assert_eq!(since(&progress), Some(NOW + 10), "since the first of them");
    let began = progress.due;
    after(&mut progress, stopped(Effect::None));
    assert_eq!(since(&progress), Some(began + 10), "another cause");
}

#[test]
fn only_what_has_certainly_written_nothing_is_dropped() {
    let mut progress = waiting();
    assert!(progress.can_be_dropped());
    after(&mut progress, stopped(Effect::Unknown));
    assert!(!progress.can_be_dropped(), "it may have a record");
    after(&mut progress, refused(Reaction::Retry, Effect::None, None));
    assert!(progress.can_be_dropped(), "settled");
    let mut claimed = progress.clone();
    claimed.claim(claimed.due, &Settings::default()).unwrap();
    assert!(!claimed.can_be_dropped(), "a worker has it");
    after(&mut progress, delivered(Outcome::AlreadyDelivered, None));
    assert!(!progress.can_be_dropped() && !progress.resend(NOW) && !progress.release(NOW), "final");
}

#[test]
fn unknown_tries_name_the_oldest_and_the_newest_and_the_mapping_of_the_oldest() {
    let mut progress = waiting();
    try_with(&mut progress, stopped(Effect::Unknown), 3, None);
    let claim = progress.clone().claim(progress.due, &Settings::default()).unwrap();
    assert_eq!(claim.pinned_mapping, Some(3));
    let newest = progress.due;
    // A host that is not told the version that is pinned cannot replace it.
    try_with(&mut progress, refused(Reaction::CheckFirst, Effect::Unknown, Some(1)), 4, None);
    assert_eq!(progress.unknown, Some(UnknownTries { oldest: NOW, newest }));
    assert_eq!(progress.pinned_mapping, Some(3));
    after(&mut progress, refused(Reaction::CheckFirst, Effect::None, Some(1)));
    assert_eq!(progress.unknown, Some(UnknownTries { oldest: NOW, newest }), "a try that wrote nothing is not added");
    let settings = Settings::default();
    let began = progress.due;
    let claim = progress.claim(began, &settings).unwrap();
    assert!(progress.rescue(9, (claim.until, 0.0), &settings));
    assert_eq!(progress.unknown, Some(UnknownTries { oldest: NOW, newest: began }));
    assert_eq!(progress.pinned_mapping, Some(3));
}

#[test]
fn a_person_who_looked_settles_unknown_tries() {
    for found in [None, Some(lead("9"))] {
        let mut progress = doubted();
        progress.settle(found.clone());
        assert_eq!((progress.unknown, progress.pinned_mapping), (None, None));
        assert_eq!(progress.records, Vec::from_iter(found));
    }
}

#[test]
fn records_are_kept_once_however_the_try_ended() {
    let mut progress = waiting();
    after(&mut progress, made(lead("1")));
    assert!(progress.release(progress.due));
    after(&mut progress, made(lead("2")));
    assert!(progress.release(progress.due));
    let with_address = RecordRef { url: Some("https://example.com".into()), ..lead("1") };
    after(&mut progress, made(with_address));
    assert!(progress.release(progress.due));
    let contact = RecordRef { object: "Contact".into(), ..lead("1") };
    after(&mut progress, made(contact.clone()));
    assert_eq!(progress.records, [lead("1"), lead("2"), contact.clone()]);
    assert!(progress.release(NOW));
    let claim = progress.claim(NOW, &Settings::default()).unwrap();
    assert_eq!(claim.history.records, [lead("1"), lead("2"), contact]);
}

#[test]
fn a_release_tries_again_now_and_keeps_what_may_have_been_written() {
    for state in State::ALL {
        let mut progress = Progress { state, passing: 4, stopped: 2, ..doubted() };
        let before = progress.clone();
        let is_released = progress.release(NOW + 5);
        assert_eq!(is_released, !state.is_final() && state != State::Delivering, "{state:?}");
        if is_released {
            let expected = Progress { state: State::Waiting, due: NOW + 5, passing: 0, stopped: 0, ..before };
            assert_eq!(progress, expected);
        } else {
            assert_eq!(progress, before, "{state:?}");
        }
    }
}

#[test]
fn a_doubt_looks_now_and_takes_the_booking_from_its_worker() {
    let settings = Settings::default();
    let range = Some(UnknownTries { oldest: NOW - 50, newest: NOW + 50 });
    for state in State::ALL.into_iter().filter(|state| *state != State::Delivering) {
        let mut progress = Progress { state, due: NOW + 9, ..waiting() };
        progress.doubt_between(NOW - 50, NOW + 50);
        assert_eq!((progress.state, progress.unknown), (State::Waiting, range), "{state:?}");
        assert!(progress.has_cause(codes::RESTORED));
        assert_eq!(progress.due, if state == State::Waiting { NOW + 9 } else { NOW + 50 });
    }
    let mut progress = waiting();
    let claim = progress.claim(NOW, &settings).unwrap();
    progress.doubt_between(NOW - 50, NOW + 50);
    let late = progress.finish(claim.fence, 1, delivered(Outcome::Created, None), None, (NOW + 60, 0.0), &settings);
    assert_eq!(late, Err(Stale));
    assert!(progress.rescue(1, (NOW + 60, 0.0), &settings));
    assert_eq!(progress.claim(progress.due, &settings).unwrap().history.unknown_tries, range);
}

#[test]
fn states_and_their_names_are_those_of_json() {
    for state in State::ALL {
        assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        assert_eq!(State::named(state.name()), Some(state));
        assert!(!(state.is_final() && state.holds_its_lane()));
    }
    assert_eq!(State::named("lost"), None);
}

#[test]
fn progress_of_an_earlier_version_is_read() {
    let json = r#"{"state":"waiting","accepted":1,"meeting_end":2,"due":3,"fence":4}"#;
    let progress: Progress = serde_json::from_str(json).unwrap();
    assert_eq!(progress, Progress { due: 3, fence: 4, ..Progress::accepted(1, 2) });
    assert_eq!(serde_json::to_string(&progress).unwrap(), json, "what has its first value takes no room");
    let cause: Cause = serde_json::from_str(r#"{"code":"busy","since":1}"#).unwrap();
    assert_eq!(cause, Cause { code: "busy".into(), since: 1, tries_ended: false });
}

fn any_end() -> impl Strategy<Value = Ended> {
    let reaction = prop::sample::select(vec![
        Reaction::FixBooking,
        Reaction::FixMapping,
        Reaction::AskAdmin,
        Reaction::Reconnect,
        Reaction::Retry,
        Reaction::CheckFirst,
        Reaction::Other("later".into()),
    ]);
    let effect = || prop::sample::select(vec![Effect::None, Effect::Unknown]);
    prop_oneof![
        1 => Just(delivered(Outcome::Created, None)),
        4 => (reaction, effect(), prop::option::of(0..400_000_u32)).prop_map(|(reaction, effect, after)| refused(reaction, effect, after)),
        2 => effect().prop_map(stopped),
        1 => Just(Ended::NotCalled),
        1 => Just(made(lead("2"))),
    ]
}

/// What happens to a worker's request at the CRM.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Answered,
    Refused,
    /// Carried out, and the response lost.
    Lost,
    /// Carried out, and the worker gone.
    WorkerGone,
    /// Not carried out, and the worker gone.
    NothingSent,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// A CRM with a plugin that keeps the contract: it looks before it creates exactly if a try is unknown.
    #[test]
    fn no_booking_is_lost_and_none_becomes_two_records(
        fates in prop::collection::vec(
            prop::sample::select(vec![Fate::Answered, Fate::Refused, Fate::Lost, Fate::WorkerGone, Fate::NothingSent]), 0..12,
        ),
        random in 0.0..1.0,
    ) {
        let settings = Settings::default();
        let mut progress = waiting();
        let mut records = 0;
        for fate in fates.into_iter().chain([Fate::Answered]) {
            if progress.state != State::Waiting {
                break;
            }
            let now = progress.due;
            let claim = progress.claim(now, &settings).unwrap();
            let is_known = !claim.history.records.is_empty() || (claim.history.unknown_tries.is_some() && records > 0);
            let create = |records: &mut usize| if !is_known { *records += 1 };
            let mut finish = |ended| progress.finish(claim.fence, MAPPING, ended, None, (now, random), &settings).unwrap();
            match fate {
                Fate::Answered => {
                    create(&mut records);
                    finish(delivered(Outcome::Created, None));
                }
                Fate::Refused => {
                    // Until earlier tries are settled, a plugin says `check-first` of whatever stops it.
                    let reaction = match claim.history.unknown_tries {
                        Some(_) => Reaction::CheckFirst,
                        None => Reaction::Retry,
                    };
                    finish(refused(reaction, Effect::None, Some(5)));
                }
                Fate::Lost => {
                    create(&mut records);
                    finish(refused(Reaction::CheckFirst, Effect::Unknown, Some(30)));
                }
                Fate::WorkerGone => {
                    create(&mut records);
                    prop_assert!(progress.rescue(MAPPING, (claim.until, random), &settings));
                }
                Fate::NothingSent => {
                    prop_assert!(progress.rescue(MAPPING, (claim.until, random), &settings));
                }
            }
            prop_assert!(records <= 1, "{progress:?}");
        }
        prop_assert!(progress.state.is_final() && records == 1, "{progress:?}");
    }
}

proptest! {
    /// What is stored is read as it was.
    #[test]
    fn json_survives_a_round_trip(ends in prop::collection::vec(any_end(), 0..12), resent: bool, random in 0.0..1.0) {
        let settings = Settings::default();
        let mut progress = waiting();
        let read = |progress: &Progress| -> Progress {
            serde_json::from_str(&serde_json::to_string(progress).unwrap()).unwrap()
        };
        for ended in ends {
            prop_assert_eq!(&read(&progress), &progress);
            if progress.state != State::Waiting && !(resent && progress.resend(progress.due)) {
                break;
            }
            let now = progress.due;
            let Some(claim) = progress.claim(now, &settings) else { break };
            prop_assert_eq!(&read(&progress), &progress);
            progress.finish(claim.fence, MAPPING, ended, None, (now + 1, random), &settings).unwrap();
        }
    }

    /// Whatever happened: a mapping is pinned as long as a try is unknown, and a booking that waits for something says for what.
    #[test]
    fn every_try_leaves_progress_that_explains_itself(ends in prop::collection::vec(any_end(), 1..20), random in 0.0..1.0) {
        let settings = Settings::default();
        let mut progress = waiting();
        for ended in ends {
            let now = progress.due;
            let Some(claim) = progress.claim(now, &settings) else { break };
            progress.finish(claim.fence, claim.pinned_mapping.unwrap_or(MAPPING), ended, None, (now, random), &settings).unwrap();
            prop_assert_eq!(progress.pinned_mapping.is_some(), progress.unknown.is_some());
            prop_assert!(progress.claimed.is_none() && progress.due >= now);
            prop_assert!(progress.first_try.is_none_or(|first| first <= now));
            let needs_cause = matches!(progress.state, State::NeedsAttention | State::Parked);
            prop_assert!(!needs_cause || progress.cause.is_some());
            if let Some(tries) = progress.unknown {
                prop_assert!(tries.oldest <= tries.newest && tries.newest <= now);
            }
            if progress.state != State::Waiting && !progress.resend(now) {
                break;
            }
        }
    }
}
