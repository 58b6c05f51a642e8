//! Retention, erasure, restores, tasks, totals.

use crm_contract::{Reaction, UnknownTries};

use super::{
    Bed, TEAM, accept, arrival, claim, created, finish, ids, lead, map, of_team, refused, state, summary, try_one,
};
use crate::{Acceptance, Arrival, State};

/// What is personal goes; what the CRM's record is called stays.
pub async fn content_is_removed_after_its_time(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let done = accept(&*ledger, arrival(TEAM, "b-1", "c")).await;
    try_one(&*ledger, created("1")).await;
    bed.advance(1_000);
    let open = accept(&*ledger, arrival(TEAM, "b-2", "c")).await;
    try_one(&*ledger, refused(Reaction::FixMapping)).await;
    let now = ledger.now().await.unwrap();
    assert_eq!(ledger.forget(now - 1_000, 10).await.unwrap(), 0);
    assert_eq!(ledger.forget(now, 10).await.unwrap(), 1);
    assert_eq!(ledger.forget(now + 1, 10).await.unwrap(), 0, "once");
    let kept = ledger.show(None, done).await.unwrap();
    assert_eq!((kept.payload, kept.detail), (None, None));
    assert_eq!((kept.summary.progress.state, kept.summary.progress.records), (State::Delivered, vec![lead("1")]));
    assert!(ledger.show(None, open).await.unwrap().payload.is_some(), "what is open keeps its content");
    let again = ledger.accept(arrival(TEAM, "b-1", "c")).await.unwrap();
    assert!(matches!(again, Acceptance::Known(_)), "a repeat is known for good");
    let mut other = arrival(TEAM, "b-1", "c");
    other.digest = [9; 32];
    assert_eq!(ledger.accept(other).await.unwrap(), Acceptance::Differs(None));
    accept(&*ledger, Arrival { kind: crm_booking::Kind::Cancelled, ..arrival(TEAM, "b-1", "later") }).await;
    assert_eq!(try_one(&*ledger, created("1")).await.history.records, [lead("1")], "later changes have its record");
}

/// A guest's bookings are found by their address, whatever its case, and end.
pub async fn a_guest_can_be_erased(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let of = |team: &str, booking: &str, guest: &str| Arrival {
        guest: Some(guest.to_owned()),
        ..arrival(team, booking, "c")
    };
    let first = accept(&*ledger, of(TEAM, "b-1", "Mina@example.com")).await;
    try_one(&*ledger, created("1")).await;
    let second = accept(&*ledger, of("team-2", "b-2", "mina@example.com ")).await;
    let other = accept(&*ledger, of(TEAM, "b-3", "aki@example.com")).await;
    let erased = ledger.erase("MINA@EXAMPLE.COM").await.unwrap();
    assert_eq!(erased.iter().map(|summary| summary.id).collect::<Vec<_>>(), [first, second]);
    assert_eq!(erased[0].progress.records, [lead("1")]);
    assert_eq!(erased[1].progress.state, State::GivenUp);
    for id in [first, second] {
        assert_eq!(ledger.show(None, id).await.unwrap().payload, None);
    }
    assert!(ledger.erase("mina@example.com").await.unwrap().is_empty());
    assert_eq!(ids(&claim(&*ledger).await), [other]);
}

/// A ledger that was restored from a backup does not know what happened since, so that it looks.
pub async fn after_a_restore_bookings_are_looked_for(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let early = accept(&*ledger, arrival(TEAM, "b-0", "c")).await;
    try_one(&*ledger, created("0")).await;
    bed.advance(10_000);
    let from = ledger.now().await.unwrap();
    let delivered = accept(&*ledger, arrival(TEAM, "b-1", "c")).await;
    try_one(&*ledger, created("1")).await;
    let open = accept(&*ledger, arrival(TEAM, "b-2", "c")).await;
    bed.advance(10_000);
    let until = ledger.now().await.unwrap();
    assert_eq!(ledger.recover(from).await.unwrap(), 2);
    assert_eq!(state(&*ledger, early).await, State::Delivered);
    let tries = Some(UnknownTries { oldest: from, newest: until });
    let mut claimed = claim(&*ledger).await;
    claimed.sort_by_key(|claimed| claimed.id);
    assert_eq!(ids(&claimed), [delivered, open]);
    for claimed in &claimed {
        assert_eq!(claimed.history.unknown_tries, tries);
        finish(&*ledger, claimed, created(&claimed.booking)).await;
    }
    bed.advance(1);
    let of_before = Arrival { changed_at: Some(until - 5), ..arrival(TEAM, "b-3", "c") };
    let of_after = Arrival { changed_at: Some(until + 1), ..arrival(TEAM, "b-4", "c") };
    let before = accept(&*ledger, of_before).await;
    accept(&*ledger, of_after).await;
    for claimed in claim(&*ledger).await {
        let expected = if claimed.id == before { tries } else { None };
        assert_eq!(claimed.history.unknown_tries, expected, "booking {}", claimed.booking);
    }
}

/// A task of the fleet is taken by one process, and again after its time.
pub async fn a_task_is_done_by_one(bed: &dyn Bed) {
    let ledger = bed.ledger();
    let takers: Vec<_> = (0..8)
        .map(|taker| {
            let ledger = ledger.clone();
            tokio::spawn(async move { ledger.take_task("drift", &format!("p-{taker}"), 1_000).await.unwrap() })
        })
        .collect();
    let mut taken = 0;
    for taker in takers {
        taken += u32::from(taker.await.unwrap());
    }
    assert_eq!(taken, 1);
    assert!(ledger.take_task("doctor", "p-1", 1_000).await.unwrap(), "another task");
    bed.advance(999);
    assert!(!ledger.take_task("drift", "p-1", 1_000).await.unwrap());
    bed.advance(1);
    assert!(ledger.take_task("drift", "p-1", 1_000).await.unwrap());
}

/// Notes are replaced by name.
pub async fn a_note_is_kept_by_its_name(bed: &dyn Bed) {
    let ledger = bed.ledger();
    assert_eq!(ledger.note("alerts").await.unwrap(), None);
    ledger.put_note("alerts", "[1]").await.unwrap();
    ledger.put_note("other", "[2]").await.unwrap();
    ledger.put_note("alerts", "[3]").await.unwrap();
    assert_eq!(ledger.note("alerts").await.unwrap().as_deref(), Some("[3]"));
}

/// Totals count every entry once.
pub async fn totals_follow_the_entries(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    for booking in 0..3 {
        accept(&*ledger, arrival(TEAM, &format!("b-{booking}"), "c")).await;
    }
    let due = summary(&*ledger, ledger.list(&of_team(TEAM), None, 10).await.unwrap()[2].id).await.progress.due;
    assert_eq!(ledger.totals().await.unwrap().oldest_due, Some(due));
    let claimed = claim(&*ledger).await;
    finish(&*ledger, &claimed[0], created("1")).await;
    finish(&*ledger, &claimed[1], refused(Reaction::AskAdmin)).await;
    let totals = ledger.totals().await.unwrap();
    let count = |state: State| totals.states.get(&state).copied().unwrap_or_default();
    assert_eq!([State::Waiting, State::Delivering, State::Delivered, State::NeedsAttention].map(count), [0, 1, 1, 1]);
    assert_eq!(totals.oldest_due, None);
}
