//! Acceptance, claims, fences, unknown tries, mappings.

use crm_contract::{Effect, Problem, Reaction, UnknownTries};

use super::{
    Bed, PLUGIN, TEAM, accept, arrival, claim, created, finish, ids, is_stale, key, map, refused, state, summary,
    tried, try_one,
};
use crate::{Acceptance, Ended, LedgerError, State, codes};

/// A change is new once, and known from then on, whatever its state.
pub async fn an_arrival_is_accepted_once(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let id = accept(&*ledger, arrival(TEAM, "b-1", "c-1")).await;
    let known = |acceptance: Acceptance| match acceptance {
        Acceptance::Known(placed) => (placed[0].id, placed[0].state),
        other => panic!("{other:?}"),
    };
    let again = || ledger.accept(arrival(TEAM, "b-1", "c-1"));
    assert_eq!(known(again().await.unwrap()), (id, State::Waiting));
    try_one(&*ledger, created("1")).await;
    assert_eq!(known(again().await.unwrap()), (id, State::Delivered));
    let other_team = ledger.accept(arrival("team-2", "b-1", "c-1")).await.unwrap();
    assert!(matches!(other_team, Acceptance::Accepted(_)), "ids are unique within a team only");
    let other_change = ledger.accept(arrival(TEAM, "b-1", "c-2")).await.unwrap();
    assert!(matches!(other_change, Acceptance::Accepted(_)), "a booking can change");
}

/// A repeat with another content is refused with what was accepted.
pub async fn another_content_under_the_same_change_differs(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let first = arrival(TEAM, "b-1", "c-1");
    accept(&*ledger, first.clone()).await;
    let mut other = first.clone();
    other.digest = [1; 32];
    other.payload = b"other".to_vec();
    assert_eq!(ledger.accept(other).await.unwrap(), Acceptance::Differs(Some(first.payload)));
    assert_eq!(claim(&*ledger).await.len(), 1);
}

/// Concurrent repeats find one entry.
pub async fn many_accept_the_same_change_at_once_and_one_is_new(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let accepts: Vec<_> = (0..8)
        .map(|_| {
            let ledger = ledger.clone();
            tokio::spawn(async move { ledger.accept(arrival(TEAM, "b-1", "c-1")).await.unwrap() })
        })
        .collect();
    let mut new = 0;
    for accepted in accepts {
        if let Acceptance::Accepted(_) = accepted.await.unwrap() {
            new += 1;
        }
    }
    assert_eq!(new, 1);
    assert_eq!(claim(&*ledger).await.len(), 1);
}

/// The list of tries has a try from the moment that a worker gets the booking [H11].
pub async fn a_try_is_noted_before_it_begins(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let id = accept(&*ledger, arrival(TEAM, "b-1", "c-1")).await;
    let claimed = claim(&*ledger).await.remove(0);
    assert_eq!((claimed.id, claimed.booking.as_str()), (id, "b-1"));
    assert_eq!(claimed.payload, b"payload of b-1 c-1");
    assert_eq!((claimed.history.first_try, claimed.history.unknown_tries), (None, None));
    assert_eq!(claimed.time, ledger.settings().call);
    let detail = ledger.show(Some(TEAM), id).await.unwrap();
    assert_eq!(detail.summary.progress.state, State::Delivering);
    assert_eq!(detail.attempts.len(), 1);
    assert_eq!((detail.attempts[0].began, detail.attempts[0].ended), (claimed.history.now, None));
    finish(&*ledger, &claimed, refused(Reaction::AskAdmin)).await;
    let detail = ledger.show(Some(TEAM), id).await.unwrap();
    let attempt = &detail.attempts[0];
    assert_eq!((attempt.code.as_deref(), attempt.reaction.as_deref()), (Some("a-code"), Some("ask-admin")));
    assert_eq!((attempt.effect.as_deref(), attempt.requests), (Some("none"), 1));
    assert!(attempt.ended.is_some());
    assert_eq!(detail.detail.as_deref(), Some(b"detail".as_slice()));
    assert_eq!(detail.payload.as_deref(), Some(b"payload of b-1 c-1".as_slice()));
}

/// Delivered is final.
pub async fn a_delivered_booking_is_not_tried_again(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let id = accept(&*ledger, arrival(TEAM, "b-1", "c-1")).await;
    try_one(&*ledger, created("1")).await;
    bed.advance(30 * 86_400_000);
    ledger.rescue(0.5).await.unwrap();
    assert!(claim(&*ledger).await.is_empty());
    assert!(!ledger.resend_one(None, id, None).await.unwrap());
    assert_eq!(state(&*ledger, id).await, State::Delivered);
    assert_eq!(ledger.next_due().await.unwrap(), None);
}

/// A worker whose claim ended learns so, and leaves everything as it is.
pub async fn a_stale_worker_changes_nothing(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let id = accept(&*ledger, arrival(TEAM, "b-1", "c-1")).await;
    let old = claim(&*ledger).await.remove(0);
    bed.advance(ledger.settings().lease);
    assert_eq!(ledger.rescue(0.0).await.unwrap(), 1);
    bed.advance(ledger.settings().longest_wait);
    assert!(is_stale(&ledger.finish(tried(&old, created("1"))).await), "it waits");
    let new = claim(&*ledger).await.remove(0);
    assert!(is_stale(&ledger.finish(tried(&old, created("1"))).await), "another worker has it");
    assert_eq!(state(&*ledger, id).await, State::Delivering);
    finish(&*ledger, &new, created("2")).await;
    assert!(is_stale(&ledger.finish(tried(&new, created("3"))).await), "it ended already");
    assert!(is_stale(&ledger.finish(tried(&old, created("1"))).await));
    let records = summary(&*ledger, id).await.progress.records;
    assert_eq!(records.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["2"]);
}

/// Workers that claim at the same time get different bookings.
pub async fn two_workers_never_have_the_same_booking(bed: &dyn Bed) {
    let ledger = bed.ledger();
    for team in 0..10 {
        let team = format!("team-{team}");
        map(&*ledger, &team).await;
        for booking in 0..5 {
            accept(&*ledger, arrival(&team, &format!("b-{booking}"), "c")).await;
        }
    }
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                let mut had = Vec::new();
                loop {
                    let claimed = ledger.claim(3).await.unwrap();
                    if claimed.is_empty() {
                        return had;
                    }
                    had.extend(ids(&claimed));
                }
            })
        })
        .collect();
    let mut had = Vec::new();
    for worker in workers {
        had.extend(worker.await.unwrap());
    }
    had.sort_unstable();
    let claims = had.len();
    had.dedup();
    assert_eq!((claims, had.len()), (50, 50));
}

/// Nobody knows what the try of a lost worker did, so that later ones name it [H15].
pub async fn a_lost_worker_leaves_an_unknown_try(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let id = accept(&*ledger, arrival(TEAM, "b-1", "c-1")).await;
    let first = claim(&*ledger).await.remove(0);
    bed.advance(ledger.settings().lease - 1);
    assert_eq!(ledger.rescue(0.0).await.unwrap(), 0, "the worker may still be at it");
    bed.advance(1);
    assert_eq!(ledger.rescue(0.0).await.unwrap(), 1);
    assert_eq!(summary(&*ledger, id).await.progress.cause.unwrap().code, codes::TRY_LOST);
    let second = claim(&*ledger).await.remove(0);
    let began = first.history.now;
    assert_eq!(second.history.unknown_tries, Some(UnknownTries { oldest: began, newest: began }));
    assert_eq!(second.history.first_try, Some(began));
    finish(&*ledger, &second, refused(Reaction::Retry)).await;
    bed.advance(ledger.settings().longest_wait);
    let third = claim(&*ledger).await.remove(0);
    assert_eq!(third.history.unknown_tries, None, "the second try settled it");
}

/// The tries after an unknown one go by the mapping that it used [H33].
pub async fn an_unknown_try_keeps_its_mapping(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    accept(&*ledger, arrival(TEAM, "b-1", "c-1")).await;
    let unknown =
        Problem { effect: Effect::Unknown, retry_after: Some(1), ..Problem::new("lost", Reaction::CheckFirst, "") };
    let first = try_one(&*ledger, Ended::Refused(unknown)).await;
    ledger.put_mapping(&key(TEAM), Some(1), "{\"new\":1}", &[], "a test").await.unwrap();
    bed.advance(ledger.settings().longest_wait + 1_000);
    let second = claim(&*ledger).await.remove(0);
    assert_eq!((first.mapping.version, second.mapping.version), (1, 1));
    finish(&*ledger, &second, refused(Reaction::Retry)).await;
    bed.advance(ledger.settings().longest_wait);
    assert_eq!(claim(&*ledger).await.remove(0).mapping.content, "{\"new\":1}");
}

/// A refusal that passes is tried again when it is due, and not before.
pub async fn a_passing_refusal_waits_and_is_tried_again(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let id = accept(&*ledger, arrival(TEAM, "b-1", "c-1")).await;
    let problem = Problem { retry_after: Some(60), ..Problem::new("busy", Reaction::Retry, "") };
    try_one(&*ledger, Ended::Refused(problem)).await;
    let due = summary(&*ledger, id).await.progress.due;
    assert_eq!(ledger.next_due().await.unwrap(), Some(due));
    let now = ledger.now().await.unwrap();
    assert!(due >= now + 60_000);
    bed.advance(due - now - 1);
    assert!(claim(&*ledger).await.is_empty());
    bed.advance(1);
    let again = try_one(&*ledger, Ended::NotCalled).await;
    assert_eq!(again.fence, 2);
    assert_eq!(state(&*ledger, id).await, State::Waiting);
}

/// A calendar's bookings wait until it has a mapping.
pub async fn a_booking_without_a_mapping_waits_for_one(bed: &dyn Bed) {
    let ledger = bed.ledger();
    let id = accept(&*ledger, arrival(TEAM, "b-1", "c-1")).await;
    assert_eq!(state(&*ledger, id).await, State::NeedsAttention);
    assert_eq!(summary(&*ledger, id).await.progress.cause.unwrap().code, codes::MAPPING_MISSING);
    assert!(claim(&*ledger).await.is_empty());
    let mut elsewhere = key(TEAM);
    elsewhere.calendar = "calendar-2".to_owned();
    ledger.put_mapping(&elsewhere, None, "{}", &[], "a test").await.unwrap();
    assert!(claim(&*ledger).await.is_empty(), "another calendar's mapping");
    map(&*ledger, TEAM).await;
    assert_eq!(ids(&claim(&*ledger).await), [id]);
}

/// Each version of a mapping stays, and a save names the version that it replaces.
pub async fn mappings_have_versions(bed: &dyn Bed) {
    let ledger = bed.ledger();
    let key = key(TEAM);
    assert_eq!(ledger.mapping(&key, None).await.unwrap(), None);
    let memos = [("a-field".to_owned(), "a memo".to_owned())];
    assert_eq!(ledger.put_mapping(&key, Some(0), "1", &memos, "mina").await.unwrap(), 1);
    assert_eq!(ledger.put_mapping(&key, Some(1), "2", &[], "aki").await.unwrap(), 2);
    let changed = ledger.put_mapping(&key, Some(1), "3", &[], "aki").await;
    assert!(matches!(changed, Err(LedgerError::MappingChanged { current: 2 })), "{changed:?}");
    let first = ledger.mapping(&key, Some(1)).await.unwrap().unwrap();
    assert_eq!((first.content.as_str(), first.memos.as_slice(), first.saved_by.as_str()), ("1", &memos[..], "mina"));
    ledger.put_memos(&key, 2, &memos).await.unwrap();
    let latest = ledger.mapping(&key, None).await.unwrap().unwrap();
    assert_eq!((latest.version, latest.memos.as_slice()), (2, &memos[..]));
    let mut other = key.clone();
    other.integration = format!("{PLUGIN}.Contact").parse().unwrap();
    ledger.put_mapping(&other, None, "c", &[], "aki").await.unwrap();
    let all = ledger.mappings(Some(TEAM)).await.unwrap();
    let listed: Vec<_> = all.iter().map(|(key, mapping)| (key.integration.as_str(), mapping.version)).collect();
    assert_eq!(listed, [("plugin-1", 2), ("plugin-1.Contact", 1)]);
    let mut two = arrival(TEAM, "b-1", "c-1");
    two.guest = None;
    let accepted = ledger.accept(two).await.unwrap();
    assert!(matches!(accepted, Acceptance::Accepted(placed) if placed.len() == 2), "one entry for each integration");
    assert!(ledger.mappings(Some("team-2")).await.unwrap().is_empty());
}
