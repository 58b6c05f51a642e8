//! Order, turns, holds.

use crm_booking::Kind;
use crm_contract::{Problem, Reaction};

use super::{
    Bed, PLUGIN, TEAM, accept, arrival, claim, created, finish, ids, key, lead, map, of_team, refused, state, summary,
    try_one,
};
use crate::{Arrival, Ended, Hold, State, codes};

fn change(booking: &str, change: &str, kind: Kind, changed_at: u64) -> Arrival {
    Arrival { kind, changed_at: Some(changed_at), ..arrival(TEAM, booking, change) }
}

fn moved(from: &str, to: &str, changed_at: u64) -> Arrival {
    Arrival { previous: Some(from.to_owned()), ..change(to, "moved", Kind::Rescheduled, changed_at) }
}

/// Bookings of one guest are delivered one after the other, in order; those of others are not held up.
pub async fn a_lane_goes_in_order(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let of_mina = |booking: &str, guest: &str| Arrival { guest: Some(guest.to_owned()), ..arrival(TEAM, booking, "c") };
    let first = accept(&*ledger, of_mina("b-1", "mina@example.com")).await;
    let second = accept(&*ledger, of_mina("b-2", " Mina@Example.com")).await;
    let other = accept(&*ledger, of_mina("b-3", "aki@example.com")).await;
    let claimed = claim(&*ledger).await;
    assert_eq!(ids(&claimed), [first, other]);
    finish(&*ledger, &claimed[0], refused(Reaction::Retry)).await;
    assert!(claim(&*ledger).await.is_empty(), "the first one still holds the lane");
    bed.advance(ledger.settings().longest_wait);
    assert_eq!(try_one(&*ledger, created("1")).await.id, first);
    assert_eq!(try_one(&*ledger, created("2")).await.id, second);
}

/// One booking that needs a person does not hold up the guest's next one.
pub async fn a_booking_that_needs_a_person_frees_its_lane(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let guest = Some("mina@example.com".to_owned());
    let first = accept(&*ledger, Arrival { guest: guest.clone(), ..arrival(TEAM, "b-1", "c") }).await;
    let second = accept(&*ledger, Arrival { guest, ..arrival(TEAM, "b-2", "c") }).await;
    try_one(&*ledger, refused(Reaction::FixMapping)).await;
    let claimed = claim(&*ledger).await;
    assert_eq!(ids(&claimed), [second]);
    assert!(ledger.resend_one(None, first, None).await.unwrap());
    assert!(claim(&*ledger).await.is_empty(), "a worker has the other one of the lane");
    finish(&*ledger, &claimed[0], created("2")).await;
    assert_eq!(ids(&claim(&*ledger).await), [first]);
}

/// A change never passes an earlier one of its booking [H12].
pub async fn a_later_change_waits_behind_one_that_needs_a_person(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let first = accept(&*ledger, change("b-1", "1", Kind::Confirmed, 10)).await;
    try_one(&*ledger, refused(Reaction::FixMapping)).await;
    let second = accept(&*ledger, change("b-1", "2", Kind::Rescheduled, 20)).await;
    assert_eq!(state(&*ledger, second).await, State::NeedsAttention);
    assert_eq!(summary(&*ledger, second).await.progress.cause.unwrap().code, codes::EARLIER_CHANGE);
    ledger.resend_one(None, second, None).await.unwrap();
    assert!(claim(&*ledger).await.is_empty(), "not even by hand");
    ledger.resend_one(None, first, None).await.unwrap();
    assert_eq!(try_one(&*ledger, created("1")).await.id, first);
    let claimed = try_one(&*ledger, created("1")).await;
    assert_eq!((claimed.id, claimed.history.records), (second, vec![lead("1")]));
}

/// A booking that moved to a new id keeps its record [H13], and its lane even if the guest's address changed.
pub async fn a_moved_booking_has_the_records_of_the_earlier_one(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let first = accept(&*ledger, change("b-1", "1", Kind::Confirmed, 10)).await;
    let second = accept(&*ledger, moved("b-1", "b-2", 20)).await;
    let third = accept(&*ledger, moved("b-2", "b-3", 30)).await;
    let began = try_one(&*ledger, created("1")).await.history.now;
    bed.advance(5);
    for id in [second, third] {
        let claimed = try_one(&*ledger, created("1")).await;
        assert_eq!((claimed.id, claimed.history.records.as_slice()), (id, &[lead("1")][..]));
        assert_eq!(claimed.history.first_try, Some(began));
    }
    assert_eq!(state(&*ledger, first).await, State::Delivered);
}

/// The order of arrival does not matter: an older change that arrives late is superseded.
pub async fn changes_that_arrive_out_of_order_form_one_chain(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let third = accept(&*ledger, moved("b-2", "b-3", 30)).await;
    let second = accept(&*ledger, moved("b-1", "b-2", 20)).await;
    let first = accept(&*ledger, change("b-1", "1", Kind::Confirmed, 10)).await;
    assert_eq!(state(&*ledger, second).await, State::Superseded);
    assert_eq!(state(&*ledger, first).await, State::Superseded);
    assert_eq!(try_one(&*ledger, created("1")).await.id, third);
    let fourth = accept(&*ledger, change("b-1", "4", Kind::Cancelled, 40)).await;
    let claimed = try_one(&*ledger, created("1")).await;
    assert_eq!((claimed.id, claimed.history.records), (fourth, vec![lead("1")]));
}

/// Nothing is created for a booking that was cancelled before it was sent.
pub async fn a_booking_that_is_cancelled_while_it_waits_is_not_sent(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let first = accept(&*ledger, change("b-1", "1", Kind::Confirmed, 10)).await;
    let second = accept(&*ledger, change("b-1", "2", Kind::Cancelled, 20)).await;
    assert_eq!(state(&*ledger, first).await, State::Cancelled);
    assert_eq!(state(&*ledger, second).await, State::Cancelled);
    assert!(claim(&*ledger).await.is_empty());
    let first = accept(&*ledger, change("b-2", "1", Kind::Confirmed, 10)).await;
    let claimed = claim(&*ledger).await.remove(0);
    let second = accept(&*ledger, change("b-2", "2", Kind::Cancelled, 20)).await;
    finish(&*ledger, &claimed, refused(Reaction::Retry)).await;
    assert_eq!(state(&*ledger, first).await, State::Cancelled, "its try wrote nothing");
    assert_eq!(state(&*ledger, second).await, State::Cancelled);
    bed.advance(ledger.settings().longest_wait);
    assert!(claim(&*ledger).await.is_empty());
}

/// What was delivered is cancelled at the CRM.
pub async fn a_cancellation_follows_a_delivery(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    accept(&*ledger, change("b-1", "1", Kind::Confirmed, 10)).await;
    let claimed = claim(&*ledger).await.remove(0);
    let cancelled = accept(&*ledger, change("b-1", "2", Kind::Cancelled, 20)).await;
    assert!(claim(&*ledger).await.is_empty(), "the delivery is under way");
    finish(&*ledger, &claimed, created("1")).await;
    let claimed = try_one(&*ledger, created("1")).await;
    assert_eq!((claimed.id, claimed.history.records), (cancelled, vec![lead("1")]));
    let alone = accept(&*ledger, change("b-9", "2", Kind::Cancelled, 20)).await;
    assert_eq!(try_one(&*ledger, created("9")).await.id, alone, "the platform may know of an earlier delivery");
}

/// A CRM that is slow has a bounded number of a team's bookings at a time.
pub async fn a_team_has_few_bookings_under_way(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let most = usize::try_from(ledger.settings().in_flight).unwrap();
    for booking in 0..most + 3 {
        accept(&*ledger, arrival(TEAM, &format!("b-{booking}"), "c")).await;
    }
    let claimed = claim(&*ledger).await;
    assert_eq!(claimed.len(), most);
    assert!(claim(&*ledger).await.is_empty());
    finish(&*ledger, &claimed[0], created("1")).await;
    assert_eq!(claim(&*ledger).await.len(), 1);
    bed.advance(ledger.settings().lease);
    ledger.rescue(0.0).await.unwrap();
    assert_eq!(claim(&*ledger).await.len(), most, "lost workers give their places back");
}

/// A team with many bookings gets as many turns as one with few.
pub async fn teams_take_turns(bed: &dyn Bed) {
    let ledger = bed.ledger();
    for team in ["large", "small"] {
        map(&*ledger, team).await;
    }
    for booking in 0..20 {
        accept(&*ledger, arrival("large", &format!("b-{booking}"), "c")).await;
    }
    for _ in 0..6 {
        let claimed = ledger.claim(1).await.unwrap();
        finish(&*ledger, &claimed[0], created("1")).await;
    }
    for booking in 0..4 {
        accept(&*ledger, arrival("small", &format!("b-{booking}"), "c")).await;
    }
    let mut turns = Vec::new();
    for _ in 0..8 {
        let claimed = ledger.claim(1).await.unwrap().remove(0);
        turns.push(claimed.mapping_key.team.clone());
        finish(&*ledger, &claimed, created("1")).await;
    }
    let small = turns.iter().filter(|team| *team == "small").count();
    assert_eq!(small, 4, "{turns:?}");
    assert!(turns[..3].contains(&"small".to_owned()), "it does not wait for the other's: {turns:?}");
}

/// A resend of many has a share of its own.
pub async fn resent_bookings_leave_room_for_fresh_ones(bed: &dyn Bed) {
    let ledger = bed.ledger();
    for booking in 0..20 {
        accept(&*ledger, arrival(TEAM, &format!("old-{booking}"), "c")).await;
    }
    ledger.hold(TEAM, PLUGIN, Some(Hold::Operator)).await.unwrap();
    map(&*ledger, TEAM).await;
    assert_eq!(ledger.resend(&of_team(TEAM), None, 100).await.unwrap().changed, 20);
    ledger.hold(TEAM, PLUGIN, None).await.unwrap();
    let resent = claim(&*ledger).await;
    assert_eq!(resent.len(), usize::try_from(ledger.settings().in_flight_resent).unwrap());
    let fresh = accept(&*ledger, arrival(TEAM, "fresh", "c")).await;
    assert_eq!(ids(&claim(&*ledger).await), [fresh]);
}

/// Bookings of a team whose connection ended wait, and go on in order when it connects again.
pub async fn a_disconnected_team_waits_and_goes_on_in_order(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    assert!(ledger.connected(TEAM, PLUGIN, "org-1", false).await.unwrap());
    let first = accept(&*ledger, arrival(TEAM, "b-1", "c")).await;
    try_one(&*ledger, refused(Reaction::Reconnect)).await;
    assert_eq!(state(&*ledger, first).await, State::Parked);
    let second = accept(&*ledger, arrival(TEAM, "b-2", "c")).await;
    bed.advance(ledger.settings().longest_wait);
    assert!(claim(&*ledger).await.is_empty());
    assert_eq!(summary(&*ledger, second).await.hold, Some(Hold::NotConnected));
    assert_eq!(ledger.next_due().await.unwrap(), None, "nobody waits for a held queue");
    assert!(ledger.connected(TEAM, PLUGIN, "org-1", false).await.unwrap());
    let mut claimed = ids(&claim(&*ledger).await);
    claimed.sort_unstable();
    assert_eq!(claimed, [first, second]);
}

/// What waited for one account is not written to another, unless a person says so.
pub async fn another_account_does_not_get_what_waited(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    ledger.connected(TEAM, PLUGIN, "org-1", false).await.unwrap();
    let id = accept(&*ledger, arrival(TEAM, "b-1", "c")).await;
    try_one(&*ledger, refused(Reaction::Reconnect)).await;
    assert!(!ledger.connected(TEAM, PLUGIN, "org-2", false).await.unwrap());
    assert!(claim(&*ledger).await.is_empty());
    assert_eq!(ledger.queues().await.unwrap()[0].queue.hold, Some(Hold::OtherAccount));
    assert!(ledger.connected(TEAM, PLUGIN, "org-2", true).await.unwrap());
    assert_eq!(ids(&claim(&*ledger).await), [id]);
}

/// A CRM that asks for a long pause gets one, and no booking uses up a try.
pub async fn a_paused_team_is_not_tried_and_no_try_counts(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let first = accept(&*ledger, arrival(TEAM, "b-1", "c")).await;
    let second = accept(&*ledger, arrival(TEAM, "b-2", "c")).await;
    let claimed = claim(&*ledger).await;
    assert_eq!(ids(&claimed), [first, second]);
    let quota = Problem { retry_after: Some(900), ..Problem::new("quota", Reaction::Retry, "") };
    finish(&*ledger, &claimed[0], Ended::Refused(quota)).await;
    finish(&*ledger, &claimed[1], Ended::NotCalled).await;
    bed.advance(899_999);
    assert!(claim(&*ledger).await.is_empty());
    assert_eq!(summary(&*ledger, first).await.progress.passing, 0);
    bed.advance(1);
    assert_eq!(claim(&*ledger).await.len(), 2);
}

/// A team's budget of requests is per day.
pub async fn a_team_with_spent_calls_waits_for_the_next_day(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    ledger.limit_calls(TEAM, PLUGIN, Some(1)).await.unwrap();
    accept(&*ledger, arrival(TEAM, "b-1", "c")).await;
    try_one(&*ledger, created("1")).await;
    accept(&*ledger, arrival(TEAM, "b-2", "c")).await;
    assert!(claim(&*ledger).await.is_empty());
    let (now, due) = (ledger.now().await.unwrap(), ledger.next_due().await.unwrap().unwrap());
    assert_eq!(due % 86_400_000, 0);
    bed.advance(due - now);
    assert_eq!(claim(&*ledger).await.len(), 1);
    assert!(ledger.mapping(&key(TEAM), None).await.unwrap().is_some());
}
