//! What every ledger must keep, as tests for those who write one.
//!
//! ```ignore
//! crm_delivery::conformance_tests!(async { Some(MyBed::new().await) });
//! ```
//!
//! makes a test of each promise. The expression gives a [`Bed`]: an empty ledger with a clock that the test moves; or `None` where a
//! database is missing, and has said so.

mod by_hand;
mod lanes;
mod promises;
mod upkeep;
mod world;

use std::sync::Arc;

use crm_contract::{Delivery, Instant, Outcome, Problem, Reaction, RecordRef};

use crate::{
    Acceptance, Arrival, Claimed, Ended, EntryId, Filter, Ledger, LedgerError, MappingKey, State, Summary, Tried,
};

pub use by_hand::*;
pub use lanes::*;
pub use promises::*;
pub use upkeep::*;
pub use world::*;

/// An empty ledger for one test.
pub trait Bed: Send + Sync {
    /// The ledger.
    fn ledger(&self) -> Arc<dyn Ledger>;

    /// Moves the ledger's clock on, in milliseconds.
    fn advance(&self, by: Instant);
}

/// Makes a test of each promise of [`conformance`](crate::conformance).
#[macro_export]
macro_rules! conformance_tests {
    ($bed:expr) => {
        $crate::conformance_tests! { @each $bed;
            an_arrival_is_accepted_once,
            another_content_under_the_same_change_differs,
            many_accept_the_same_change_at_once_and_one_is_new,
            a_try_is_noted_before_it_begins,
            a_delivered_booking_is_not_tried_again,
            a_stale_worker_changes_nothing,
            two_workers_never_have_the_same_booking,
            a_lost_worker_leaves_an_unknown_try,
            an_unknown_try_keeps_its_mapping,
            a_passing_refusal_waits_and_is_tried_again,
            a_booking_without_a_mapping_waits_for_one,
            mappings_have_versions,
            a_lane_goes_in_order,
            a_booking_that_needs_a_person_frees_its_lane,
            a_later_change_waits_behind_one_that_needs_a_person,
            a_moved_booking_has_the_records_of_the_earlier_one,
            changes_that_arrive_out_of_order_form_one_chain,
            a_booking_that_is_cancelled_while_it_waits_is_not_sent,
            a_cancellation_follows_a_delivery,
            a_team_has_few_bookings_under_way,
            teams_take_turns,
            resent_bookings_leave_room_for_fresh_ones,
            a_disconnected_team_waits_and_goes_on_in_order,
            another_account_does_not_get_what_waited,
            a_paused_team_is_not_tried_and_no_try_counts,
            a_team_with_spent_calls_waits_for_the_next_day,
            entries_are_listed_by_filter_newest_first,
            another_teams_entries_are_never_touched,
            causes_are_counted_with_their_earliest_meeting,
            a_resend_goes_in_batches_by_its_filter,
            a_person_who_looked_settles_unknown_tries,
            what_is_given_up_is_not_tried,
            content_is_removed_after_its_time,
            a_guest_can_be_erased,
            after_a_restore_bookings_are_looked_for,
            a_task_is_done_by_one,
            a_note_is_kept_by_its_name,
            totals_follow_the_entries,
            random_steps_keep_every_promise,
        }
    };
    (@each $bed:expr; $($promise:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                let Some(bed) = ($bed).await else { return };
                $crate::conformance::$promise(&bed).await;
            }
        )*
    };
}

/// A team.
pub const TEAM: &str = "team-1";
/// A calendar.
pub const CALENDAR: &str = "calendar-1";
/// A plugin and integration.
pub const PLUGIN: &str = "plugin-1";

/// A change of a booking of a team.
pub fn arrival(team: &str, booking: &str, change: &str) -> Arrival {
    Arrival {
        team: team.to_owned(),
        calendar: CALENDAR.to_owned(),
        booking: booking.to_owned(),
        previous: None,
        change: change.to_owned(),
        changed_at: None,
        kind: crm_booking::Kind::Confirmed,
        digest: [0; 32],
        meeting: (1 << 41, (1 << 41) + 3_600_000),
        guest: Some(format!("{booking}@example.com")),
        payload: format!("payload of {booking} {change}").into_bytes(),
        default_integration: PLUGIN.parse().expect("an integration"),
    }
}

pub(crate) fn key(team: &str) -> MappingKey {
    MappingKey {
        team: team.to_owned(),
        calendar: CALENDAR.to_owned(),
        integration: PLUGIN.parse().expect("an integration"),
    }
}

/// Saves a mapping for a team's calendar.
pub async fn map(ledger: &dyn Ledger, team: &str) {
    ledger.put_mapping(&key(team), None, "{}", &[], "a test").await.expect("a mapping");
}

/// Accepts a change, and returns its id.
pub async fn accept(ledger: &dyn Ledger, arrival: Arrival) -> EntryId {
    match ledger.accept(arrival).await.expect("accepted") {
        Acceptance::Accepted(placed) => placed.first().expect("an integration").id,
        other => panic!("{other:?}"),
    }
}

/// Claims all that is due.
pub async fn claim(ledger: &dyn Ledger) -> Vec<Claimed> {
    ledger.claim(100).await.expect("claims")
}

pub(crate) fn lead(id: &str) -> RecordRef {
    RecordRef { object: "Lead".to_owned(), id: id.to_owned(), url: None }
}

/// A delivery that created a record.
pub(crate) fn created(id: &str) -> Ended {
    Ended::Delivered(Delivery {
        records: vec![lead(id)],
        outcome: Outcome::Created,
        findings: Vec::new(),
        more: Vec::new(),
    })
}

pub(crate) fn refused(reaction: Reaction) -> Ended {
    Ended::Refused(Problem::new("a-code", reaction, ""))
}

pub(crate) fn tried(claimed: &Claimed, ended: Ended) -> Tried {
    Tried {
        id: claimed.id,
        fence: claimed.fence,
        mapping: claimed.mapping.version,
        ended,
        requests: 1,
        detail: b"detail".to_vec(),
        random: 1.0,
    }
}

/// Ends a try.
pub(crate) async fn finish(ledger: &dyn Ledger, claimed: &Claimed, ended: Ended) {
    ledger.finish(tried(claimed, ended)).await.expect("the claim is current");
}

/// Claims the only booking that is due, and ends its try.
pub(crate) async fn try_one(ledger: &dyn Ledger, ended: Ended) -> Claimed {
    let mut claimed = claim(ledger).await;
    assert_eq!(claimed.len(), 1, "one booking is due: {claimed:?}");
    let claimed = claimed.pop().expect("one");
    finish(ledger, &claimed, ended).await;
    claimed
}

pub(crate) async fn state(ledger: &dyn Ledger, id: EntryId) -> State {
    summary(ledger, id).await.progress.state
}

/// An entry.
pub async fn summary(ledger: &dyn Ledger, id: EntryId) -> Summary {
    ledger.show(None, id).await.expect("an entry").summary
}

/// The ids of claims.
pub fn ids(claimed: &[Claimed]) -> Vec<EntryId> {
    claimed.iter().map(|claimed| claimed.id).collect()
}

pub(crate) fn is_stale(result: &Result<(), LedgerError>) -> bool {
    matches!(result, Err(LedgerError::Stale))
}

pub(crate) fn of_team(team: &str) -> Filter {
    Filter { team: Some(team.to_owned()), ..Filter::default() }
}
