//! Random steps against a ledger and a CRM that is simple enough to be right.
//!
//! The CRM writes what a try asks for, or not, and tells or not. The test knows what it wrote. A try that finds unknown tries in its
//! history looks first, as a plugin does.

use std::collections::{BTreeMap, BTreeSet};

use crm_booking::Kind;
use crm_contract::{Effect, Problem, Reaction};
use proptest::{
    prelude::{Just, Strategy, any, prop, prop_oneof},
    strategy::ValueTree,
    test_runner::{Config, TestRng, TestRunner},
};

use super::{Bed, TEAM, arrival, created, is_stale, lead, map, of_team, tried};
use crate::{Acceptance, Arrival, Claimed, Ended, EntryId, Filter, State};

/// Something that happens.
#[derive(Clone, Debug)]
enum Step {
    Accept { team: u8, booking: u8, change: u8, kind: u8 },
    Claim { most: u8 },
    End { claim: u8, how: How },
    Advance { by: u32 },
    Rescue,
    Resend { team: u8 },
    GiveUp { entry: u8 },
}

/// How a try goes.
#[derive(Clone, Copy, Debug)]
enum How {
    /// It writes and says so.
    Writes,
    /// It writes, and its answer is lost.
    WritesUnheard,
    /// Its request is lost.
    IsLost,
    /// The CRM refuses, for now or for good.
    IsRefused(bool),
    /// Its worker dies, after writing or before.
    Dies(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let how = prop_oneof![
        4 => Just(How::Writes),
        1 => Just(How::WritesUnheard),
        1 => Just(How::IsLost),
        1 => any::<bool>().prop_map(How::IsRefused),
        1 => any::<bool>().prop_map(How::Dies),
    ];
    let step = prop_oneof![
        3 => (0..3_u8, 0..6_u8, 0..3_u8, 0..3_u8)
            .prop_map(|(team, booking, change, kind)| Step::Accept { team, booking, change, kind }),
        3 => (1..4_u8).prop_map(|most| Step::Claim { most }),
        4 => (any::<u8>(), how).prop_map(|(claim, how)| Step::End { claim, how }),
        2 => prop_oneof![0..10_u32, 0..10_000_u32, 0..4_000_000_u32].prop_map(|by| Step::Advance { by }),
        1 => Just(Step::Rescue),
        1 => (0..3_u8).prop_map(|team| Step::Resend { team }),
        1 => any::<u8>().prop_map(|entry| Step::GiveUp { entry }),
    ];
    prop::collection::vec(step, 400)
}

/// What the test knows.
#[derive(Default)]
struct Known {
    /// Bookings by team and id that the CRM has, with the number of records made for each.
    written: BTreeMap<(String, String), u32>,
    accepted: BTreeSet<(String, String, String)>,
    entries: Vec<EntryId>,
    /// Claims of workers that are alive, and of dead ones.
    claims: Vec<Claimed>,
    given_up: BTreeSet<(String, String)>,
}

/// Whatever happens in whatever order: no booking is written twice, none is lost, and only current workers change anything.
pub async fn random_steps_keep_every_promise(bed: &dyn Bed) {
    let ledger = bed.ledger();
    let teams = ["t-0", "t-1", "t-2"];
    for team in teams {
        map(&*ledger, team).await;
    }
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let mut known = Known::default();
    for round in 0..5 {
        let steps = steps().new_tree(&mut runner).expect("steps").current();
        for step in steps {
            known.take(bed, round, step).await;
        }
    }
    known.settle(bed).await;
    assert!(ledger.list(&of_team(TEAM), None, 1).await.unwrap().is_empty());
}

impl Known {
    async fn take(&mut self, bed: &dyn Bed, round: u32, step: Step) {
        let ledger = bed.ledger();
        match step {
            Step::Accept { team, booking, change, kind } => {
                let (team, booking) = (format!("t-{team}"), format!("b-{round}-{booking}"));
                let change = format!("c-{change}");
                let kind = [Kind::Confirmed, Kind::Confirmed, Kind::Rescheduled][usize::from(kind)];
                let arrival = Arrival { kind, ..arrival(&team, &booking, &change) };
                let is_new = self.accepted.insert((team, booking, change));
                match ledger.accept(arrival).await.unwrap() {
                    Acceptance::Accepted(placed) if is_new => self.entries.push(placed[0].id),
                    Acceptance::Known(_) if !is_new => {}
                    other => panic!("new {is_new}: {other:?}"),
                }
            }
            Step::Claim { most } => {
                for claimed in ledger.claim(u32::from(most)).await.unwrap() {
                    self.check(&claimed);
                    self.claims.push(claimed);
                }
            }
            Step::End { claim, how } if !self.claims.is_empty() => {
                let claimed = self.claims.swap_remove(usize::from(claim) % self.claims.len());
                self.end(bed, claimed, how).await;
            }
            Step::Advance { by } => bed.advance(u64::from(by)),
            Step::Rescue => {
                ledger.rescue(0.5).await.unwrap();
            }
            Step::Resend { team } => {
                ledger.resend(&of_team(&format!("t-{team}")), None, 5).await.unwrap();
            }
            Step::GiveUp { entry } if !self.entries.is_empty() => {
                let id = self.entries[usize::from(entry) % self.entries.len()];
                let summary = ledger.show(None, id).await.unwrap().summary;
                // A person who gives up has looked.
                let key = (summary.team, summary.booking);
                if summary.progress.unknown.is_none() && ledger.give_up(None, id).await.unwrap() {
                    self.given_up.insert(key);
                }
            }
            Step::End { .. } | Step::GiveUp { .. } => {}
        }
    }

    fn key(claimed: &Claimed) -> (String, String) {
        (claimed.mapping_key.team.clone(), claimed.booking.clone())
    }

    /// A worker that begins knows every record that was told, and whether there may be others.
    fn check(&self, claimed: &Claimed) {
        let written = self.written.get(&Self::key(claimed)).copied().unwrap_or_default();
        let may_know = !claimed.history.records.is_empty() || claimed.history.unknown_tries.is_some();
        assert!(written == 0 || may_know, "{claimed:?} does not know that it may have been written");
        let may_send = |other: &&Claimed| claimed.history.now < other.history.now + other.time;
        let alive = self.claims.iter().filter(|other| other.id == claimed.id).filter(may_send).count();
        assert_eq!(alive, 0, "{claimed:?} is another worker's");
    }

    async fn end(&mut self, bed: &dyn Bed, claimed: Claimed, how: How) {
        let ledger = bed.ledger();
        let now = ledger.now().await.unwrap();
        let key = Self::key(&claimed);
        // A worker sends nothing after its time [`Claimed::time`].
        let may_send = now < claimed.history.now + claimed.time;
        let exists = self.written.contains_key(&key);
        let must_look = claimed.history.unknown_tries.is_some() || !claimed.history.records.is_empty();
        let creates = may_send && !(must_look && exists);
        let writes = matches!(how, How::Writes | How::WritesUnheard | How::Dies(true)) && creates;
        if writes {
            *self.written.entry(key.clone()).or_default() += 1;
        }
        let unknown = Problem {
            effect: Effect::Unknown,
            retry_after: Some(30),
            ..Problem::new("lost", Reaction::CheckFirst, "")
        };
        let ended = match how {
            _ if !may_send => Ended::NotCalled,
            How::Writes => created(&format!("{}-{}", key.0, key.1)),
            How::WritesUnheard | How::IsLost => Ended::Refused(unknown),
            // A plugin that looks and finds the record is done; a refusal settles earlier tries.
            How::IsRefused(_) if must_look && exists => created(&format!("{}-{}", key.0, key.1)),
            How::IsRefused(true) => Ended::Refused(Problem::new("busy", Reaction::Retry, "")),
            How::IsRefused(false) => Ended::Refused(Problem::new("rule", Reaction::FixMapping, "")),
            How::Dies(_) => return,
        };
        let finished = ledger.finish(tried(&claimed, ended)).await;
        assert!(finished.is_ok() || is_stale(&finished), "{finished:?}");
    }

    /// Lets everything end, and counts.
    async fn settle(&mut self, bed: &dyn Bed) {
        let ledger = bed.ledger();
        for _ in 0..2_000 {
            bed.advance(ledger.settings().lease);
            ledger.rescue(0.0).await.unwrap();
            for team in ["t-0", "t-1", "t-2"] {
                let needs = Filter { state: Some(State::NeedsAttention), ..of_team(team) };
                ledger.resend(&needs, None, 1_000).await.unwrap();
            }
            let claimed = ledger.claim(100).await.unwrap();
            if claimed.is_empty() && ledger.next_due().await.unwrap().is_none() {
                break;
            }
            for claimed in claimed {
                self.check(&claimed);
                self.end(bed, claimed, How::Writes).await;
            }
        }
        for id in &self.entries {
            let summary = ledger.show(None, *id).await.unwrap().summary;
            assert!(summary.progress.state.is_final(), "{summary:?}");
            let key = (summary.team, summary.booking);
            let written = self.written.get(&key).copied().unwrap_or_default();
            if !self.given_up.contains(&key) {
                assert_eq!(written, 1, "{key:?}: lost or doubled");
                let expected = lead(&format!("{}-{}", key.0, key.1));
                let delivered = summary.progress.state == State::Delivered;
                assert!(!delivered || summary.progress.records == [expected], "{:?}", summary.progress);
            }
            assert!(written <= 1, "{key:?} has {written} records");
        }
    }
}
