//! What people ask and do.

use crm_contract::{Effect, Problem, Reaction};

use super::{
    Bed, PLUGIN, TEAM, accept, arrival, claim, created, finish, ids, lead, map, of_team, refused, state, summary,
    try_one,
};
use crate::{Ended, EntryId, Filter, LedgerError, State, codes};

/// Lists are pages of what a filter selects.
pub async fn entries_are_listed_by_filter_newest_first(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let mut all = Vec::new();
    for booking in 0..4 {
        all.push(accept(&*ledger, arrival(TEAM, &format!("b-{booking}"), "c")).await);
        bed.advance(1_000);
    }
    let other = accept(&*ledger, arrival("team-2", "b-0", "c")).await;
    let claimed = claim(&*ledger).await;
    finish(&*ledger, &claimed[0], created("1")).await;
    finish(&*ledger, &claimed[1], refused(Reaction::FixMapping)).await;
    let listed = async |filter: Filter, before: Option<EntryId>, most: u32| -> Vec<EntryId> {
        ledger.list(&filter, before, most).await.unwrap().into_iter().map(|summary| summary.id).collect()
    };
    let [first, second, third, fourth] = all[..] else { panic!("{all:?}") };
    let team = of_team(TEAM);
    assert_eq!(listed(Filter::default(), None, 10).await, [other, fourth, third, second, first]);
    assert_eq!(listed(team.clone(), None, 2).await, [fourth, third]);
    assert_eq!(listed(team.clone(), Some(third), 2).await, [second, first]);
    let with = |change: fn(&mut Filter)| {
        let mut filter = team.clone();
        change(&mut filter);
        filter
    };
    assert_eq!(listed(with(|filter| filter.state = Some(State::Delivered)), None, 10).await, [first]);
    assert_eq!(listed(with(|filter| filter.cause = Some("a-code".to_owned())), None, 10).await, [second]);
    assert_eq!(listed(with(|filter| filter.booking = Some("b-3".to_owned())), None, 10).await, [fourth]);
    assert_eq!(listed(with(|filter| filter.calendar = Some("calendar-2".to_owned())), None, 10).await, []);
    let accepted = summary(&*ledger, second).await.progress.accepted;
    let between = Filter { from: Some(accepted), until: Some(accepted + 1_001), ..team };
    assert_eq!(listed(between, None, 10).await, [third, second]);
}

/// What one team does or asks for never shows or changes another's.
pub async fn another_teams_entries_are_never_touched(bed: &dyn Bed) {
    let ledger = bed.ledger();
    for team in [TEAM, "team-2"] {
        map(&*ledger, team).await;
        for booking in 0..3 {
            accept(&*ledger, arrival(team, &format!("b-{booking}"), "c")).await;
        }
    }
    for claimed in claim(&*ledger).await {
        finish(&*ledger, &claimed, refused(Reaction::FixMapping)).await;
    }
    let others = async || ledger.list(&of_team("team-2"), None, 10).await.unwrap();
    let before = others().await;
    let their_entry = before[0].id;
    let not_found = |error: LedgerError| matches!(error, LedgerError::NoEntry(id) if id == their_entry);
    assert!(not_found(ledger.show(Some(TEAM), their_entry).await.unwrap_err()));
    assert!(not_found(ledger.resend_one(Some(TEAM), their_entry, None).await.unwrap_err()));
    assert!(not_found(ledger.give_up(Some(TEAM), their_entry).await.unwrap_err()));
    assert_eq!(ledger.count_to_resend(&of_team(TEAM)).await.unwrap(), 3);
    let by_cause = Filter { cause: Some("a-code".to_owned()), ..of_team(TEAM) };
    assert_eq!(ledger.resend(&by_cause, None, 100).await.unwrap().changed, 3);
    assert!(ledger.causes(Some(TEAM)).await.unwrap().iter().all(|cause| cause.team == TEAM));
    assert_eq!(others().await, before);
}

/// Causes are grouped, and the most urgent comes first.
pub async fn causes_are_counted_with_their_earliest_meeting(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    for (booking, start) in [("b-1", 3_000_u64), ("b-2", 1_000), ("b-3", 2_000)] {
        let mut arrival = arrival(TEAM, booking, "c");
        arrival.meeting.0 = (1 << 41) + start;
        accept(&*ledger, arrival).await;
    }
    for claimed in claim(&*ledger).await {
        let code = if claimed.booking == "b-3" { "rare" } else { "frequent" };
        let problem = Problem::new(code, Reaction::FixMapping, "");
        finish(&*ledger, &claimed, Ended::Refused(problem)).await;
    }
    let found = ledger.causes(Some(TEAM)).await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|cause| (cause.code.as_str(), cause.state, cause.count, cause.earliest_meeting - (1 << 41)))
        .collect();
    assert_eq!(found, [("frequent", State::NeedsAttention, 2, 1_000), ("rare", State::NeedsAttention, 1, 2_000)]);
    ledger.resend(&Filter { cause: Some("frequent".to_owned()), ..of_team(TEAM) }, None, 10).await.unwrap();
    let after = ledger.causes(None).await.unwrap();
    let waiting = after.iter().find(|cause| cause.code == "frequent").expect("still the last known cause");
    assert_eq!((waiting.state, waiting.count), (State::Waiting, 2));
    for claimed in claim(&*ledger).await {
        finish(&*ledger, &claimed, created(&claimed.booking)).await;
    }
    assert_eq!(ledger.causes(None).await.unwrap().len(), 1);
}

/// A resend goes on where the last batch ended, and skips what is final or under way.
pub async fn a_resend_goes_in_batches_by_its_filter(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    for booking in 0..5 {
        accept(&*ledger, arrival(TEAM, &format!("b-{booking}"), "c")).await;
        let ended = if booking == 2 { created("1") } else { refused(Reaction::AskAdmin) };
        try_one(&*ledger, ended).await;
    }
    let filter = of_team(TEAM);
    assert_eq!(ledger.count_to_resend(&filter).await.unwrap(), 4);
    let mut after = None;
    let mut batches = Vec::new();
    loop {
        let batch = ledger.resend(&filter, after, 3).await.unwrap();
        if batch.last.is_none() {
            break;
        }
        batches.push(batch.changed);
        after = batch.last;
    }
    assert_eq!(batches, [3, 1]);
    assert_eq!(claim(&*ledger).await.len(), usize::try_from(ledger.settings().in_flight_resent).unwrap());
}

/// A person looks where the plugin cannot be sure, and says what they found.
pub async fn a_person_who_looked_settles_unknown_tries(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let unsure =
        || Ended::Refused(Problem { effect: Effect::Unknown, ..Problem::new("unsure", Reaction::CheckFirst, "") });
    let id = accept(&*ledger, arrival(TEAM, "b-1", "c")).await;
    try_one(&*ledger, unsure()).await;
    assert_eq!(state(&*ledger, id).await, State::NeedsAttention);
    ledger.resend_one(None, id, None).await.unwrap();
    let claimed = try_one(&*ledger, unsure()).await;
    assert!(claimed.history.unknown_tries.is_some(), "nobody has looked yet");
    ledger.resend_one(None, id, Some(Some(lead("found")))).await.unwrap();
    let claimed = try_one(&*ledger, created("found")).await;
    assert_eq!((claimed.history.unknown_tries, claimed.history.records), (None, vec![lead("found")]));
    assert_eq!(summary(&*ledger, id).await.progress.records, [lead("found")]);
}

/// Giving up is final, and frees the changes behind.
pub async fn what_is_given_up_is_not_tried(bed: &dyn Bed) {
    let ledger = bed.ledger();
    map(&*ledger, TEAM).await;
    let first = accept(&*ledger, arrival(TEAM, "b-1", "1")).await;
    try_one(&*ledger, refused(Reaction::FixBooking)).await;
    let second = accept(&*ledger, arrival(TEAM, "b-1", "2")).await;
    assert!(ledger.give_up(Some(TEAM), first).await.unwrap());
    assert!(!ledger.give_up(Some(TEAM), first).await.unwrap(), "it is final");
    assert_eq!(state(&*ledger, first).await, State::GivenUp);
    let claimed = claim(&*ledger).await;
    assert_eq!(ids(&claimed), [second]);
    assert!(!ledger.give_up(Some(TEAM), second).await.unwrap(), "a worker has it");
    finish(&*ledger, &claimed[0], created("1")).await;
    let waits = accept(&*ledger, arrival("unmapped", "b-1", "1")).await;
    assert_eq!(summary(&*ledger, waits).await.progress.cause.unwrap().code, codes::MAPPING_MISSING);
    assert!(ledger.queues().await.unwrap().iter().any(|queue| queue.plugin == PLUGIN));
}
