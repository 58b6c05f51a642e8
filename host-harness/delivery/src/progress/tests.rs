//! The transitions, one by one and against a model of the CRM.

use super::*;
use crm_contract::{Consequence, Finding};
use proptest::prelude::*;

const NOW: Instant = 1_000_000_000;

fn waiting() -> Progress {
    Progress::accepted(NOW, NOW + 3_600_000, Vec::new())
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

/// Claims and finishes.
fn after(progress: &mut Progress, ended: Ended) -> State {
    let settings = Settings::default();
    let claim = progress.claim(progress.due, &settings).expect("due");
    progress.finish(claim.fence, ended, progress.due + 10, &settings, 0.5).expect("claimed");
    progress.state
}

#[test]
fn each_end_of_a_try_leads_to_its_state() {
    use Effect::{None as NoEffect, Unknown};
    for (ended, state, is_unknown) in [
        (delivered(Outcome::Created, None), State::Delivered, false),
        (delivered(Outcome::Created, Some(Consequence::Changed)), State::Delivered, false),
        (delivered(Outcome::Created, Some(Consequence::LeftOut)), State::PartlyDelivered, false),
        (delivered(Outcome::Ignored, Some(Consequence::LeftOut)), State::Delivered, false),
        (refused(Reaction::FixBooking, NoEffect, None), State::NeedsAttention, false),
        (refused(Reaction::FixMapping, NoEffect, None), State::NeedsAttention, false),
        (refused(Reaction::AskAdmin, NoEffect, None), State::NeedsAttention, false),
        (refused(Reaction::Reconnect, NoEffect, None), State::Parked, false),
        (refused(Reaction::Retry, NoEffect, Some(60)), State::Waiting, false),
        (refused(Reaction::Retry, NoEffect, None), State::Waiting, false),
        (refused(Reaction::CheckFirst, Unknown, Some(30)), State::Waiting, true),
        (refused(Reaction::CheckFirst, NoEffect, Some(30)), State::Waiting, false),
        (refused(Reaction::CheckFirst, Unknown, None), State::NeedsAttention, true),
        (refused(Reaction::Other("later".into()), NoEffect, Some(30)), State::NeedsAttention, false),
        // An unknown effect makes `check-first` of everything [H16].
        (refused(Reaction::Retry, Unknown, Some(30)), State::NeedsAttention, true),
        (refused(Reaction::Reconnect, Unknown, None), State::NeedsAttention, true),
        (Ended::Stopped(NoEffect), State::Waiting, false),
        (Ended::Stopped(Unknown), State::Waiting, true),
    ] {
        let mut progress = waiting();
        let found = after(&mut progress, ended.clone());
        assert_eq!((found, progress.unknown.is_some()), (state, is_unknown), "{ended:?}");
    }
}

#[test]
fn a_worker_that_lost_its_claim_changes_nothing() {
    let settings = Settings::default();
    let mut progress = waiting();
    let first = progress.claim(NOW, &settings).unwrap();
    assert!(progress.claim(NOW, &settings).is_none(), "one worker at a time");
    assert!(!progress.rescue(first.until - 1, &settings, 0.0));
    assert!(progress.rescue(first.until, &settings, 0.0));
    let before = progress.clone();
    let late = progress.finish(first.fence, delivered(Outcome::Created, None), first.until, &settings, 0.0);
    assert_eq!((late, &progress), (Err(Stale), &before));
    let second = progress.claim(progress.due, &settings).unwrap();
    assert!(second.fence > first.fence);
    assert_eq!(second.history.unknown_tries, Some(UnknownTries { oldest: NOW, newest: NOW }));
    assert_eq!(progress.finish(first.fence, delivered(Outcome::Created, None), NOW, &settings, 0.0), Err(Stale));
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
    assert_eq!((progress.state, &*progress.cause.as_ref().unwrap().code), (State::NeedsAttention, TIME_OVER));
    assert!(progress.try_again(progress.due));
    assert_eq!((progress.state, progress.passing), (State::Waiting, 0));
    let claim = progress.claim(progress.due, &settings).unwrap();
    assert!(!progress.try_again(claim.until), "under way");
}

#[test]
fn a_person_hears_of_a_refusal_that_lasts_a_day_while_the_tries_go_on() {
    let settings = Settings::default();
    let mut progress = waiting();
    after(&mut progress, refused(Reaction::Retry, Effect::None, None));
    assert!(!progress.should_be_told(NOW + settings.told_after - 1_000, &settings));
    assert!(progress.should_be_told(NOW + settings.told_after + 1_000, &settings));
}

#[test]
fn only_what_has_certainly_written_nothing_is_dropped() {
    let mut progress = waiting();
    assert!(progress.clone().drop_as(State::Cancelled));
    assert!(!progress.clone().drop_as(State::Waiting), "that is no end");
    after(&mut progress, Ended::Stopped(Effect::Unknown));
    assert!(!progress.drop_as(State::Cancelled), "it may have a record");
    after(&mut progress, delivered(Outcome::AlreadyDelivered, None));
    assert!(!progress.drop_as(State::GivenUp) && !progress.try_again(NOW), "final");
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
            match fate {
                Fate::Answered => {
                    create(&mut records);
                    progress.finish(claim.fence, delivered(Outcome::Created, None), now, &settings, random).unwrap();
                }
                Fate::Refused => {
                    // Until earlier tries are settled, a plugin says `check-first` of whatever stops it.
                    let reaction = match claim.history.unknown_tries {
                        Some(_) => Reaction::CheckFirst,
                        None => Reaction::Retry,
                    };
                    let ended = refused(reaction, Effect::None, Some(5));
                    progress.finish(claim.fence, ended, now, &settings, random).unwrap();
                }
                Fate::Lost => {
                    create(&mut records);
                    let lost = refused(Reaction::CheckFirst, Effect::Unknown, Some(30));
                    progress.finish(claim.fence, lost, now, &settings, random).unwrap();
                }
                Fate::WorkerGone => {
                    create(&mut records);
                    prop_assert!(progress.rescue(claim.until, &settings, random));
                }
                Fate::NothingSent => {
                    prop_assert!(progress.rescue(claim.until, &settings, random));
                }
            }
            prop_assert!(records <= 1, "{progress:?}");
        }
        prop_assert!(progress.state.is_final() && records == 1, "{progress:?}");
    }
}
