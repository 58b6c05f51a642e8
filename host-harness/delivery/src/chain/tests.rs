//! What one change of a booking means for the others: case by case, and for random chains.

use super::*;
use crm_contract::{Delivery, Effect, Outcome, Problem, Reaction};
use proptest::prelude::*;

const NOW: Instant = 1_000_000_000;
const HOUR: u64 = 3_600_000;
const MAPPING: u64 = 7;
const RESTORED: UnknownTries = UnknownTries { oldest: NOW - HOUR, newest: NOW };

fn lead(id: &str) -> RecordRef {
    RecordRef { object: "Lead".into(), id: id.into(), url: None }
}

fn delivered(record: Option<&str>) -> Ended {
    let records = record.map(lead).into_iter().collect();
    Ended::Delivered(Delivery { records, outcome: Outcome::Created, findings: Vec::new(), more: Vec::new() })
}

fn refused(reaction: Reaction) -> Ended {
    Ended::Refused(Problem::new("code", reaction, ""))
}

fn lost() -> Ended {
    Ended::Refused(Problem { effect: Effect::Unknown, ..Problem::new("lost", Reaction::CheckFirst, "") })
}

/// A booking's chain in a queue, at a time. Changes get the ids 1, 2, 3 ...
#[derive(Clone, Debug, Default)]
struct Bed {
    chain: Chain,
    queue: Queue,
    settings: Settings,
    now: Instant,
    accepted: u64,
}

impl Bed {
    fn new() -> Self {
        Self { now: NOW, ..Self::default() }
    }

    fn entry(&mut self, kind: Kind, changed_at: Instant) -> Entry {
        self.accepted += 1;
        let progress = Progress::accepted(self.now, self.now + HOUR);
        Entry { id: EntryId(self.accepted), kind, changed_at, progress }
    }

    fn accept(&mut self, kind: Kind, changed_at: Instant) -> &mut Self {
        self.accept_with(kind, changed_at, true, None)
    }

    fn accept_with(
        &mut self,
        kind: Kind,
        changed_at: Instant,
        has_mapping: bool,
        restored: Option<UnknownTries>,
    ) -> &mut Self {
        let entry = self.entry(kind, changed_at);
        self.chain.accept(entry, has_mapping, restored, self.now);
        self
    }

    fn claim(&mut self, id: u64) -> Option<Claim> {
        self.chain.claim(EntryId(id), &mut self.queue, self.now, &self.settings)
    }

    fn finish(&mut self, id: u64, fence: u64, ended: Ended) -> Result<(), Stale> {
        let at = (self.now, 0.0);
        self.chain.finish(EntryId(id), (fence, MAPPING), ended, &mut self.queue, at, &self.settings)
    }

    /// Claims and finishes a second later.
    fn try_one(&mut self, id: u64, ended: Ended) -> Claim {
        let claim = self.claim(id).expect("its turn");
        self.now += 1_000;
        self.finish(id, claim.fence, ended).expect("claimed");
        claim
    }

    fn states(&self) -> Vec<State> {
        self.chain.entries().iter().map(|entry| entry.progress.state).collect()
    }

    fn progress(&self, id: u64) -> &Progress {
        self.chain.get(EntryId(id)).expect("accepted")
    }
}

#[test]
fn a_change_that_arrives_after_a_later_one_is_superseded() {
    use State::{Superseded, Waiting};
    // Moments of the changes in the order in which they arrive.
    for (moments, expected) in [
        (&[10, 20, 30][..], &[Waiting, Waiting, Waiting][..]),
        (&[10, 10], &[Waiting, Waiting]),
        (&[20, 10], &[Waiting, Superseded]),
        (&[30, 20, 10], &[Waiting, Superseded, Superseded]),
        (&[10, 30, 20], &[Waiting, Waiting, Superseded]),
        (&[20, 10, 15], &[Waiting, Superseded, Superseded]),
        (&[20, 10, 20], &[Waiting, Superseded, Waiting]),
    ] {
        let mut bed = Bed::new();
        for moment in moments {
            bed.accept(Kind::Rescheduled, *moment);
        }
        assert_eq!(bed.states(), expected, "{moments:?}");
    }
    let mut bed = Bed::new();
    bed.accept(Kind::Confirmed, 20);
    bed.try_one(1, delivered(Some("1")));
    bed.accept_with(Kind::Confirmed, 10, false, None);
    assert_eq!(bed.states(), [State::Delivered, Superseded], "whether or not there is a mapping");
}

#[test]
fn changes_of_chains_that_turn_out_to_be_one_are_superseded_too() {
    let mut bed = Bed::new();
    let entries =
        vec![bed.entry(Kind::Confirmed, 60), bed.entry(Kind::Rescheduled, 30), bed.entry(Kind::Rescheduled, 70)];
    bed.chain = Chain::new(entries.into_iter().rev().collect());
    assert_eq!(bed.chain.entries().iter().map(|entry| entry.id.0).collect::<Vec<_>>(), [1, 2, 3]);
    bed.accept(Kind::Rescheduled, 20);
    assert_eq!(bed.states(), [State::Waiting, State::Superseded, State::Waiting, State::Superseded]);
    let mut bed = Bed::new();
    let mut entries = vec![bed.entry(Kind::Confirmed, 60), bed.entry(Kind::Rescheduled, 30)];
    entries[1].progress.doubt_between(NOW, NOW);
    bed.chain = Chain::new(entries);
    bed.accept(Kind::Rescheduled, 20);
    assert_eq!(bed.states(), [State::Waiting, State::Waiting, State::Superseded], "what may be written is looked for");
}

#[test]
fn a_change_without_a_moment_is_the_latest() {
    let mut bed = Bed::new();
    assert_eq!(bed.chain.moment(None, NOW), NOW);
    assert_eq!(bed.chain.moment(Some(5), NOW), 5);
    bed.accept(Kind::Confirmed, NOW + 50);
    assert_eq!(bed.chain.moment(None, NOW), NOW + 50, "the scheduler's clock may be ahead");
    assert_eq!(bed.chain.moment(None, NOW + 60), NOW + 60);
}

#[test]
fn a_later_change_is_blocked_by_one_that_needs_a_person_and_released_with_it() {
    use State::{Cancelled, Delivered, GivenUp, NeedsAttention, Waiting};
    type Step = fn(&mut Bed);
    let resend: Step = |bed| assert!(bed.chain.resend(EntryId(1), None, bed.now));
    let release: Step = |bed| assert!(bed.chain.release(EntryId(1), bed.now));
    let give_up: Step = |bed| assert!(bed.chain.give_up(EntryId(1), bed.now));
    let resend_the_second: Step = |bed| assert!(bed.chain.resend(EntryId(2), None, bed.now));
    let give_up_the_second: Step = |bed| assert!(bed.chain.give_up(EntryId(2), bed.now));
    let cancel: Step = |bed| {
        bed.accept(Kind::Cancelled, 40);
    };
    let deliver: Step = |bed| {
        bed.chain.resend(EntryId(1), None, bed.now);
        bed.try_one(1, delivered(Some("1")));
    };
    for (step, expected) in [
        (resend, &[Waiting, Waiting, Waiting][..]),
        (release, &[Waiting, Waiting, Waiting]),
        (give_up, &[GivenUp, Waiting, Waiting]),
        (deliver, &[Delivered, Waiting, Waiting]),
        (resend_the_second, &[NeedsAttention, NeedsAttention, NeedsAttention]),
        (give_up_the_second, &[NeedsAttention, GivenUp, NeedsAttention]),
        (cancel, &[Cancelled, Cancelled, Cancelled, Cancelled]),
    ] {
        for arrives_later in [false, true] {
            let mut bed = Bed::new();
            bed.accept(Kind::Confirmed, 10);
            if !arrives_later {
                bed.accept(Kind::Rescheduled, 20).accept(Kind::Rescheduled, 30);
            }
            bed.try_one(1, refused(Reaction::FixMapping));
            if arrives_later {
                bed.accept(Kind::Rescheduled, 20).accept(Kind::Rescheduled, 30);
            }
            assert_eq!(bed.states(), [NeedsAttention, NeedsAttention, NeedsAttention]);
            for id in [2, 3] {
                assert!(bed.progress(id).has_cause(codes::EARLIER_CHANGE));
                assert!(bed.claim(id).is_none());
            }
            step(&mut bed);
            assert_eq!(bed.states(), expected);
            for id in [2, 3] {
                let progress = bed.progress(id);
                assert!(progress.state != Waiting || (progress.cause.is_none() && progress.due <= bed.now));
            }
        }
    }
}

#[test]
fn a_change_that_needs_a_person_itself_is_not_released_with_an_earlier_one() {
    let mut bed = Bed::new();
    bed.accept_with(Kind::Confirmed, 10, false, None).accept_with(Kind::Rescheduled, 20, false, None);
    assert!(bed.progress(2).has_cause(codes::MAPPING_MISSING));
    assert!(bed.chain.release(EntryId(1), NOW));
    assert_eq!(bed.states(), [State::Waiting, State::NeedsAttention]);
    assert!(bed.chain.release(EntryId(2), NOW));
    assert_eq!(bed.states(), [State::Waiting, State::Waiting]);
    assert_eq!(bed.progress(2).cause, None);
}

#[test]
fn a_change_is_not_claimed_before_the_earlier_ones_have_ended() {
    // How the first try ends, and whether the second change can be tried afterwards.
    for (ended, is_free) in [
        (delivered(Some("1")), true),
        (delivered(None), true),
        (refused(Reaction::Retry), false),
        (refused(Reaction::Reconnect), false),
        (refused(Reaction::AskAdmin), false),
        (lost(), false),
        (Ended::Stopped { code: "trap".into(), effect: Effect::Unknown }, false),
        (Ended::NotCalled, false),
    ] {
        let mut bed = Bed::new();
        bed.accept(Kind::Confirmed, 10).accept(Kind::Rescheduled, 20);
        assert!(bed.claim(2).is_none());
        let claim = bed.claim(1).unwrap();
        assert!(bed.claim(2).is_none() && bed.claim(1).is_none());
        bed.finish(1, claim.fence, ended.clone()).unwrap();
        bed.queue.hold = None;
        assert_eq!(bed.claim(2).is_some(), is_free, "{ended:?}");
    }
}

#[test]
fn a_claim_needs_a_free_slot_and_a_finish_or_a_rescue_gives_it_back() {
    let mut bed = Bed::new();
    bed.accept(Kind::Confirmed, 10);
    bed.queue.in_flight = bed.settings.in_flight;
    assert!(bed.claim(1).is_none());
    bed.queue.in_flight = 2;
    let first = bed.claim(1).unwrap();
    assert_eq!((bed.queue.in_flight, bed.queue.virtual_time), (3, 1));
    assert_eq!(bed.finish(1, first.fence + 1, delivered(None)), Err(Stale));
    assert_eq!(bed.finish(9, first.fence, delivered(None)), Err(Stale));
    assert_eq!(bed.queue.in_flight, 3, "a stale finish gives nothing back");
    let at = (first.until, 0.0);
    assert!(!bed.chain.rescue(EntryId(1), 1, &mut bed.queue, (first.until - 1, 0.0), &bed.settings));
    assert!(bed.chain.rescue(EntryId(1), 1, &mut bed.queue, at, &bed.settings));
    assert!(!bed.chain.rescue(EntryId(1), 1, &mut bed.queue, at, &bed.settings));
    assert_eq!(bed.queue.in_flight, 2);
    bed.now = first.until;
    assert_eq!(bed.finish(1, first.fence, delivered(None)), Err(Stale));
    let second = bed.claim(1).unwrap();
    bed.finish(1, second.fence, delivered(None)).unwrap();
    assert_eq!((bed.queue.in_flight, bed.queue.virtual_time), (2, 2));
    bed.accept(Kind::Rescheduled, 20);
    assert!(bed.chain.resend(EntryId(2), None, bed.now));
    assert!(bed.claim(2).is_some());
    assert_eq!(bed.queue.virtual_time, 6, "a resend costs more turns");
}

#[test]
fn a_paused_queue_counts_no_try_and_its_booking_waits_for_the_pause() {
    let mut bed = Bed::new();
    bed.accept(Kind::Confirmed, 10);
    let quota = Problem { retry_after: Some(900), ..Problem::new("quota", Reaction::Retry, "") };
    bed.try_one(1, Ended::Refused(quota));
    let progress = bed.progress(1);
    assert_eq!((progress.passing, progress.due), (0, bed.now + 900_000));
    assert_eq!(bed.queue.circuit.open_until, Some(bed.now + 900_000));
    assert!(bed.claim(1).is_none());
    bed.now += 900_000;
    assert!(bed.claim(1).is_some());
}

#[test]
fn every_try_knows_the_records_and_the_first_try_of_all_changes() {
    let mut bed = Bed::new();
    bed.accept(Kind::Confirmed, 10).accept(Kind::Rescheduled, 20).accept(Kind::Rescheduled, 30);
    let made = |record: &str, reaction| {
        Ended::Refused(Problem { made: vec![lead(record)], ..Problem::new("code", reaction, "") })
    };
    assert_eq!(bed.try_one(1, made("a", Reaction::FixMapping)).history.first_try, None);
    let began = NOW;
    assert!(bed.chain.give_up(EntryId(1), bed.now));
    let claim = bed.try_one(2, delivered(Some("b")));
    assert_eq!((claim.history.records, claim.history.first_try), (vec![lead("a")], Some(began)));
    let claim = bed.try_one(3, made("c", Reaction::FixMapping));
    assert_eq!((claim.history.records, claim.history.first_try), (vec![lead("a"), lead("b")], Some(began)));
    bed.accept(Kind::Rescheduled, 25).accept(Kind::Cancelled, 40);
    assert_eq!(bed.states()[3..], [State::Superseded, State::Waiting]);
    let claim = bed.try_one(5, delivered(Some("b")));
    assert_eq!(claim.history.records, [lead("a"), lead("b"), lead("c")], "each once [H13]");
    assert_eq!(claim.history.first_try, Some(began));
    assert_eq!(bed.progress(2).records, [lead("b")], "each change keeps its own");
}

/// What became of a booking before it was cancelled, whether it is sent all the same, and whether the cancellation is.
#[test]
fn a_cancellation_drops_what_was_not_sent_and_itself_if_nothing_was() {
    use State::{Cancelled, Delivered, Delivering, GivenUp, NeedsAttention, Parked, Superseded, Waiting};
    type Step = fn(&mut Bed);
    let nothing: Step = |_| {};
    let deliver: Step = |bed| drop(bed.try_one(1, delivered(Some("1"))));
    let ignore: Step = |bed| drop(bed.try_one(1, delivered(None)));
    let begin: Step = |bed| drop(bed.claim(1));
    let retry: Step = |bed| drop(bed.try_one(1, refused(Reaction::Retry)));
    let fix: Step = |bed| drop(bed.try_one(1, refused(Reaction::FixMapping)));
    let park: Step = |bed| drop(bed.try_one(1, refused(Reaction::Reconnect)));
    let lose: Step = |bed| drop(bed.try_one(1, lost()));
    let lose_and_park: Step = |bed| {
        bed.try_one(1, lost());
        bed.chain.resend(EntryId(1), None, bed.now);
        bed.try_one(1, refused(Reaction::Reconnect));
    };
    let give_up: Step = |bed| assert!(bed.chain.give_up(EntryId(1), bed.now));
    let lose_and_give_up: Step = |bed| {
        bed.try_one(1, lost());
        bed.chain.give_up(EntryId(1), bed.now);
    };
    let make_and_fail: Step = |bed| {
        let problem = Problem { made: vec![lead("1")], ..Problem::new("code", Reaction::FixMapping, "") };
        bed.try_one(1, Ended::Refused(problem));
    };
    for (before, with_one, with_two) in [
        (nothing, [Cancelled, Cancelled], [Cancelled, Cancelled, Cancelled]),
        (retry, [Cancelled, Cancelled], [Cancelled, Cancelled, Cancelled]),
        (fix, [Cancelled, Cancelled], [Cancelled, Cancelled, Cancelled]),
        (park, [Cancelled, Cancelled], [Cancelled, Cancelled, Cancelled]),
        (deliver, [Delivered, Waiting], [Delivered, Cancelled, Waiting]),
        (ignore, [Delivered, Waiting], [Delivered, Cancelled, Waiting]),
        (begin, [Delivering, Waiting], [Delivering, Cancelled, Waiting]),
        (lose, [NeedsAttention, NeedsAttention], [NeedsAttention, Cancelled, NeedsAttention]),
        (lose_and_park, [Parked, Waiting], [Parked, Cancelled, Waiting]),
        (give_up, [GivenUp, Waiting], [GivenUp, Cancelled, Cancelled]),
        (lose_and_give_up, [GivenUp, Waiting], [GivenUp, Cancelled, Waiting]),
        (make_and_fail, [Cancelled, Waiting], [Cancelled, Cancelled, Waiting]),
    ] {
        let mut bed = Bed::new();
        bed.accept(Kind::Confirmed, 10);
        before(&mut bed);
        let mut moved = bed.clone();
        assert_eq!(bed.accept(Kind::Cancelled, 40).states(), with_one);
        moved.accept(Kind::Rescheduled, 20);
        assert_eq!(moved.accept(Kind::Cancelled, 40).states(), with_two);
        // A change that arrives late says nothing new.
        bed.accept(Kind::Rescheduled, 30);
        let [first, second] = with_one;
        assert_eq!(bed.states(), [first, second, Superseded]);
    }
    assert_eq!(Bed::new().accept(Kind::Cancelled, 10).states(), [Waiting], "the CRM may know of it from before");
}

#[test]
fn a_try_that_was_under_way_at_the_cancellation_decides() {
    use State::{Cancelled, Delivered, NeedsAttention, Waiting};
    for (ended, is_late, expected) in [
        (delivered(Some("1")), false, [Delivered, Waiting]),
        (refused(Reaction::Retry), false, [Cancelled, Cancelled]),
        (refused(Reaction::Retry), true, [Cancelled, Cancelled]),
        (refused(Reaction::FixBooking), true, [Cancelled, Cancelled]),
        (Ended::NotCalled, true, [Cancelled, Cancelled]),
        (lost(), true, [NeedsAttention, NeedsAttention]),
        (Ended::Stopped { code: "trap".into(), effect: Effect::Unknown }, true, [Waiting, Waiting]),
    ] {
        let mut bed = Bed::new();
        bed.accept(Kind::Confirmed, 10);
        let claim = bed.claim(1).unwrap();
        bed.accept(Kind::Cancelled, 40);
        if is_late {
            bed.accept(Kind::Rescheduled, 30);
        }
        bed.finish(1, claim.fence, ended.clone()).unwrap();
        assert_eq!(bed.states()[..2], expected, "{ended:?}");
    }
}

#[test]
fn a_booking_that_is_confirmed_again_after_a_cancellation_is_sent() {
    use State::{Cancelled, Delivering, Waiting};
    let mut bed = Bed::new();
    bed.accept(Kind::Confirmed, 10).accept(Kind::Cancelled, 20).accept(Kind::Confirmed, 30);
    assert_eq!(bed.states(), [Cancelled, Cancelled, Waiting]);
    let mut bed = Bed::new();
    bed.accept(Kind::Confirmed, 10);
    let claim = bed.claim(1).unwrap();
    bed.accept(Kind::Cancelled, 20).accept(Kind::Confirmed, 30);
    assert_eq!(bed.states(), [Delivering, Waiting, Waiting]);
    bed.finish(1, claim.fence, refused(Reaction::Retry)).unwrap();
    assert_eq!(bed.states(), [Cancelled, Cancelled, Waiting]);
    assert!(bed.claim(3).is_some());
}

#[test]
fn a_person_resends_what_is_neither_final_nor_under_way() {
    for looked in [None, Some(None), Some(Some(lead("found")))] {
        let mut bed = Bed::new();
        bed.accept(Kind::Confirmed, 10).accept(Kind::Rescheduled, 20);
        bed.try_one(1, lost());
        let began = NOW;
        assert!(bed.chain.resend(EntryId(1), looked.clone(), bed.now));
        assert!(!bed.chain.resend(EntryId(9), looked.clone(), bed.now));
        assert_eq!(bed.states(), [State::Waiting, State::Waiting]);
        let claim = bed.claim(1).unwrap();
        let unknown = looked.is_none().then_some(UnknownTries { oldest: began, newest: began });
        assert_eq!((claim.history.unknown_tries, claim.pinned_mapping), (unknown, unknown.map(|_| MAPPING)));
        assert_eq!(claim.history.records, Vec::from_iter(looked.clone().flatten()));
        let before = bed.chain.clone();
        assert!(!bed.chain.resend(EntryId(1), looked.clone(), bed.now), "under way");
        assert!(!bed.chain.give_up(EntryId(1), bed.now) && !bed.chain.release(EntryId(1), bed.now));
        assert_eq!(bed.chain, before);
        bed.finish(1, claim.fence, delivered(Some("found"))).unwrap();
        let before = bed.chain.clone();
        assert!(!bed.chain.resend(EntryId(1), looked, bed.now), "final");
        assert!(!bed.chain.give_up(EntryId(1), bed.now) && !bed.chain.release(EntryId(1), bed.now));
        assert_eq!(bed.chain, before);
    }
}

#[test]
fn giving_up_settles_what_may_have_been_written() {
    let mut bed = Bed::new();
    bed.accept(Kind::Confirmed, 10).accept(Kind::Rescheduled, 20);
    bed.try_one(1, lost());
    assert!(bed.chain.give_up(EntryId(1), bed.now));
    assert_eq!((bed.progress(1).state, bed.progress(1).unknown), (State::GivenUp, None));
    let claim = bed.claim(2).unwrap();
    assert_eq!((claim.history.unknown_tries, claim.history.first_try), (None, Some(NOW)));
}

#[test]
fn after_a_restore_what_is_open_or_was_delivered_looks_first() {
    for state in State::ALL {
        let mut bed = Bed::new();
        bed.accept(Kind::Confirmed, 10);
        let mut entries = bed.chain.entries().to_vec();
        entries[0].progress = Progress { state, claimed: Some((NOW - 5, NOW + 500)), ..entries[0].progress.clone() };
        bed.chain = Chain::new(entries);
        bed.queue.in_flight = u32::from(state == State::Delivering);
        let is_doubted = bed.chain.doubt(EntryId(1), RESTORED);
        let is_over = matches!(state, State::GivenUp | State::Cancelled | State::Superseded);
        assert_eq!(is_doubted, !is_over, "{state:?}");
        if state == State::Delivering {
            assert_eq!(bed.finish(1, 0, delivered(None)), Err(Stale), "it was called without knowing");
            assert!(bed.chain.rescue(EntryId(1), 1, &mut bed.queue, (NOW, 0.0), &bed.settings));
        }
        let claim = bed.claim(1);
        assert_eq!(claim.map(|claim| claim.history.unknown_tries), (!is_over).then_some(Some(RESTORED)), "{state:?}");
        assert_eq!(bed.queue.in_flight, u32::from(!is_over));
    }
    assert!(!Chain::default().doubt(EntryId(1), RESTORED));
}

#[test]
fn a_doubted_change_releases_and_blocks_those_behind_it() {
    use State::{NeedsAttention, Waiting};
    let mut bed = Bed::new();
    bed.accept(Kind::Confirmed, 10).accept(Kind::Rescheduled, 20);
    bed.try_one(1, refused(Reaction::FixMapping));
    assert!(bed.chain.doubt(EntryId(2), RESTORED));
    assert_eq!(bed.states(), [NeedsAttention, NeedsAttention]);
    assert!(bed.chain.doubt(EntryId(1), RESTORED));
    assert_eq!(bed.states(), [Waiting, Waiting]);
    bed.accept(Kind::Cancelled, 40);
    assert_eq!(bed.states(), [Waiting, Waiting, Waiting], "they may have been sent");
}

#[test]
fn what_arrives_after_a_restore_and_may_have_been_delivered_looks_first() {
    let mut bed = Bed::new();
    bed.accept_with(Kind::Confirmed, 20, true, Some(RESTORED));
    assert_eq!(bed.claim(1).unwrap().history.unknown_tries, Some(RESTORED));
    let mut bed = Bed::new();
    bed.accept_with(Kind::Confirmed, 20, false, Some(RESTORED));
    assert!(bed.progress(1).has_cause(codes::MAPPING_MISSING) && bed.progress(1).unknown == Some(RESTORED));
    // A late one is not sent after a later one [H12]: the later one looks for what both have left.
    let mut bed = Bed::new();
    bed.accept(Kind::Rescheduled, 20).accept_with(Kind::Confirmed, 10, true, Some(RESTORED));
    assert_eq!(bed.states(), [State::Waiting, State::Superseded]);
    assert_eq!(bed.claim(1).unwrap().history.unknown_tries, Some(RESTORED));
}

/// Something that happens to a chain.
#[derive(Clone, Debug)]
enum Step {
    Accept { kind: Kind, changed_at: u64, has_mapping: bool },
    Claim(u64),
    Finish(Ended),
    Rescue,
    Release(u64),
    Resend(u64, Option<Option<RecordRef>>),
    GiveUp(u64),
    Doubt(u64),
    Connect,
    Advance(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = prop::sample::select(vec![Kind::Confirmed, Kind::Rescheduled, Kind::Rescheduled, Kind::Cancelled]);
    let reaction = prop::sample::select(vec![
        Reaction::FixBooking,
        Reaction::AskAdmin,
        Reaction::Reconnect,
        Reaction::Retry,
        Reaction::Retry,
        Reaction::CheckFirst,
        Reaction::CheckFirst,
        Reaction::Other("later".into()),
    ]);
    let effect = || prop::sample::select(vec![Effect::None, Effect::Unknown]);
    let record = || prop::sample::select(vec!["a", "b"]);
    let refusal = (reaction, effect(), prop::option::of(0..600_u32), prop::option::of(record())).prop_map(
        |(reaction, effect, retry_after, made)| {
            let made = made.into_iter().map(lead).collect();
            Ended::Refused(Problem { effect, retry_after, made, ..Problem::new("code", reaction, "") })
        },
    );
    let ended = prop_oneof![
        3 => prop::option::of(record()).prop_map(delivered),
        6 => refusal,
        1 => effect().prop_map(|effect| Ended::Stopped { code: "trap".into(), effect }),
        1 => Just(Ended::NotCalled),
    ];
    let id = || 1..6_u64;
    let looked = prop::option::of(prop::option::of(record().prop_map(lead)));
    let step = prop_oneof![
        4 => (kind, 0..60_u64, prop::bool::weighted(0.9))
            .prop_map(|(kind, changed_at, has_mapping)| Step::Accept { kind, changed_at, has_mapping }),
        6 => id().prop_map(Step::Claim),
        6 => ended.prop_map(Step::Finish),
        1 => Just(Step::Rescue),
        1 => id().prop_map(Step::Release),
        2 => (id(), looked).prop_map(|(id, looked)| Step::Resend(id, looked)),
        1 => id().prop_map(Step::GiveUp),
        1 => id().prop_map(Step::Doubt),
        1 => Just(Step::Connect),
        4 => prop_oneof![0..10_000_u64, 0..4 * HOUR, 0..50 * HOUR].prop_map(Step::Advance),
    ];
    prop::collection::vec(step, 1..60)
}

/// Lets a person do something, which must work exactly with what is neither final nor under way.
fn by_hand(bed: &mut Bed, id: u64, what: impl FnOnce(&mut Bed) -> bool) {
    let state = bed.chain.get(EntryId(id)).map(|progress| progress.state);
    let is_possible = state.is_some_and(|state| !state.is_final() && state != State::Delivering);
    assert_eq!(what(bed), is_possible, "{state:?}");
}

/// Lets a step happen. `claims` are the workers' that have not finished.
fn take(bed: &mut Bed, claims: &mut Vec<(u64, u64)>, step: Step) {
    let at = (bed.now, 0.5);
    match step {
        // Later arrivals tend to be later changes.
        Step::Accept { kind, changed_at, has_mapping } if bed.accepted < 6 => {
            bed.accept_with(kind, changed_at + bed.accepted * 20, has_mapping, None);
        }
        Step::Claim(id) => claims.extend(bed.claim(id).map(|claim| (id, claim.fence))),
        Step::Finish(ended) => {
            if let Some((id, fence)) = claims.pop() {
                let is_current = bed.progress(id).fence == fence && bed.progress(id).state == State::Delivering;
                assert_eq!(bed.finish(id, fence, ended).is_ok(), is_current);
            }
        }
        Step::Rescue => {
            for id in 1..=bed.accepted {
                bed.chain.rescue(EntryId(id), MAPPING, &mut bed.queue, at, &bed.settings);
            }
        }
        Step::Release(id) => by_hand(bed, id, |bed| bed.chain.release(EntryId(id), bed.now)),
        Step::Resend(id, looked) => by_hand(bed, id, |bed| bed.chain.resend(EntryId(id), looked, bed.now)),
        Step::GiveUp(id) => by_hand(bed, id, |bed| bed.chain.give_up(EntryId(id), bed.now)),
        Step::Doubt(id) => {
            let tries = UnknownTries { oldest: bed.now - HOUR, newest: bed.now };
            bed.chain.doubt(EntryId(id), tries);
        }
        Step::Connect => {
            bed.queue.connected("org");
            for id in 1..=bed.accepted {
                if bed.progress(id).state == State::Parked {
                    bed.chain.release(EntryId(id), bed.now);
                }
            }
        }
        Step::Advance(by) => bed.now += by,
        Step::Accept { .. } => {}
    }
}

/// The rules of [`Chain`], as its documentation has them.
fn assert_rules(bed: &Bed) {
    let entries = bed.chain.entries();
    for (index, entry) in entries.iter().enumerate() {
        let Entry { progress, changed_at, .. } = entry;
        let earlier = &entries[..index];
        let state = progress.state;
        let is_open = !state.is_final();
        let is_late = earlier.iter().any(|other| other.changed_at > *changed_at);
        assert!(!(is_late && is_open && progress.unknown.is_none()), "late, and not superseded: {entries:#?}");
        let is_blocked = earlier.iter().any(|other| other.progress.state == State::NeedsAttention);
        assert!(!(state == State::Waiting && is_blocked), "it waits behind one that needs a person: {entries:#?}");
        let was_blocked = state == State::NeedsAttention && progress.has_cause(codes::EARLIER_CHANGE);
        assert!(!was_blocked || is_blocked, "blocked by nothing: {entries:#?}");
        if entry.kind == Kind::Cancelled && is_open {
            let is_sent = |other: &Entry| {
                let progress = &other.progress;
                progress.state.is_final() || progress.state == State::Delivering || progress.unknown.is_some()
            };
            assert!(earlier.iter().all(is_sent), "a cancelled booking waits to be sent: {entries:#?}");
            let is_dropped =
                |other: &Entry| other.progress.state == State::Cancelled && other.progress.records.is_empty();
            let knows_nothing = progress.records.is_empty() && progress.unknown.is_none() && state != State::Delivering;
            let was_sent = earlier.is_empty() || !earlier.iter().all(is_dropped) || !knows_nothing;
            assert!(was_sent, "a cancellation of nothing waits to be sent: {entries:#?}");
        }
    }
    let under_way = entries.iter().filter(|entry| entry.progress.state == State::Delivering).count();
    assert!(under_way <= 1, "{entries:#?}");
    assert_eq!(u32::try_from(under_way).unwrap(), bed.queue.in_flight, "{entries:#?}");
    let mut again = bed.chain.clone();
    again.arrange(bed.now);
    assert_eq!(again, bed.chain, "arranged twice");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_rules_hold_after_every_transition_and_what_is_final_stays(steps in steps()) {
        let mut bed = Bed::new();
        let mut claims = Vec::new();
        for step in steps {
            let before = bed.chain.clone();
            let is_doubt = matches!(step, Step::Doubt(_));
            take(&mut bed, &mut claims, step.clone());
            assert_rules(&bed);
            for entry in before.entries().iter().filter(|entry| entry.progress.state.is_final() && !is_doubt) {
                prop_assert_eq!(bed.chain.get(entry.id), Some(&entry.progress), "{:?}", step);
            }
        }
    }

    /// A call is for the latest change that was called so far, and knows what all have left [H12, H13].
    #[test]
    fn calls_are_in_the_order_of_the_changes(steps in steps()) {
        let mut bed = Bed::new();
        let mut claims = Vec::new();
        let mut latest = 0;
        for step in steps.into_iter().filter(|step| !matches!(step, Step::Doubt(_))) {
            let before = bed.chain.clone();
            let known = claims.len();
            take(&mut bed, &mut claims, step);
            if claims.len() <= known {
                continue;
            }
            let (id, _) = claims[known];
            let entry = before.entries().iter().find(|entry| entry.id.0 == id).unwrap();
            prop_assert!(entry.changed_at >= latest, "{:#?}", before);
            latest = entry.changed_at;
            let others = before.entries().iter().filter(|other| other.id.0 != id);
            let is_earlier_unknown = others.filter(|other| other.changed_at < latest).any(|other| other.progress.unknown.is_some());
            prop_assert!(!is_earlier_unknown, "{:#?}", before);
        }
    }
}
