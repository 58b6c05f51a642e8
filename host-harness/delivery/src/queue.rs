//! What a ledger keeps about a team's connection to a plugin's CRM.

use crm_contract::{Instant, Problem, Reaction};
use serde::{Deserialize, Serialize};

use crate::{Circuit, Ended, Settings, progress::reaction};

/// Why no booking of a queue is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Hold {
    /// The team is not connected.
    NotConnected,
    /// The team connected to another account than before. A person decides whether the waiting bookings go there.
    OtherAccount,
    /// An operator holds it.
    Operator,
}

impl Hold {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::NotConnected, Self::OtherAccount, Self::Operator];

    /// The name in JSON and in databases.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotConnected => "not-connected",
            Self::OtherAccount => "other-account",
            Self::Operator => "operator",
        }
    }

    /// The hold of a [`Self::name`].
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hold| hold.name() == name)
    }
}

/// A team's bookings for one plugin. A hold of 100,000 bookings is one write here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Whose turn it is: see [`crate::fairness`].
    pub virtual_time: u64,
    /// Bookings that workers have.
    pub in_flight: u32,
    /// Why none is tried, if so. Changed by [`Self::hold_by_hand`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// What else holds it while an operator does: it holds on when the operator lets go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beneath: Option<Hold>,
    /// Whether the CRM asks for a pause.
    #[serde(default)]
    pub circuit: Circuit,
    /// The account that the bookings are for, in a form that only the host compares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The day that `calls` counts, as days since 1970 in UTC.
    #[serde(default)]
    pub day: u64,
    /// Requests to the CRM on that day.
    #[serde(default)]
    pub calls: u32,
    /// The most requests a day; unlimited if `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_calls: Option<u32>,
}

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

impl Queue {
    /// How many more bookings may be tried at the same time.
    pub fn free_slots(&self, now: Instant, settings: &Settings) -> u32 {
        let is_open = self.hold.is_none() && self.circuit.is_closed(now) && !self.has_spent_its_calls(now);
        if is_open { settings.in_flight.saturating_sub(self.in_flight) } else { 0 }
    }

    /// When a queue that has no slot because of its circuit or its budget has one again.
    pub fn opens_at(&self, now: Instant) -> Instant {
        let tomorrow =
            if self.has_spent_its_calls(now) { (now / DAY).saturating_add(1).saturating_mul(DAY) } else { 0 };
        self.circuit.open_until.unwrap_or_default().max(tomorrow)
    }

    fn has_spent_its_calls(&self, now: Instant) -> bool {
        self.day == now / DAY && self.most_calls.is_some_and(|most| self.calls >= most)
    }

    /// Notes the requests of a try.
    pub fn spend(&mut self, calls: u32, now: Instant) {
        let today = now / DAY;
        if self.day != today {
            self.day = today;
            self.calls = 0;
        }
        self.calls = self.calls.saturating_add(calls);
    }

    /// Notes how a try ended. Returns until when the queue is paused, if this try paused it.
    pub fn tried(&mut self, ended: &Ended, now: Instant, settings: &Settings) -> Option<Instant> {
        self.in_flight = self.in_flight.saturating_sub(1);
        match ended {
            Ended::Delivered(_) => {
                self.circuit.succeeded();
                None
            }
            Ended::Refused(problem) => self.refused(problem, now, settings),
            Ended::Stopped { .. } | Ended::NotCalled => None,
        }
    }

    fn refused(&mut self, problem: &Problem, now: Instant, settings: &Settings) -> Option<Instant> {
        if is_disconnected(problem) {
            self.of_connection().get_or_insert(Hold::NotConnected);
        }
        if self.circuit.refused(problem, now, settings) { self.circuit.open_until } else { None }
    }

    /// The hold that follows the connection, be it covered by an operator's or not.
    fn of_connection(&mut self) -> &mut Option<Hold> {
        if self.hold == Some(Hold::Operator) { &mut self.beneath } else { &mut self.hold }
    }

    /// An operator holds the queue for a reason, or lets go. Letting go of their own hold leaves what else holds it; letting go of
    /// another one decides about it.
    pub fn hold_by_hand(&mut self, hold: Option<Hold>) {
        match (self.hold, hold) {
            (Some(Hold::Operator), Some(Hold::Operator)) => {}
            (before, Some(Hold::Operator)) => (self.hold, self.beneath) = (hold, before),
            (Some(Hold::Operator), None) => self.hold = self.beneath.take(),
            _ => *self.of_connection() = hold,
        }
    }

    /// The team connected to an account. Whether the bookings that waited may be tried: not if they were for another account.
    pub fn connected(&mut self, account: &str) -> bool {
        let is_same = self.account.as_deref().is_none_or(|known| known == account);
        if is_same {
            self.account = Some(account.to_owned());
        }
        *self.of_connection() = if is_same { None } else { Some(Hold::OtherAccount) };
        self.hold.is_none()
    }
}

/// Whether a problem means that the connection has ended.
fn is_disconnected(problem: &Problem) -> bool {
    *reaction(problem) == Reaction::Reconnect
}

#[cfg(test)]
mod tests {
    use super::*;
    use crm_contract::Effect;

    #[test]
    fn a_queue_has_slots_unless_held_paused_full_or_out_of_calls() {
        let settings = Settings::default();
        let open = Queue { day: 1, calls: 10, ..Queue::default() };
        let now = DAY + 5;
        assert_eq!(open.free_slots(now, &settings), settings.in_flight);
        let with = |change: fn(&mut Queue)| {
            let mut queue = open.clone();
            change(&mut queue);
            queue.free_slots(now, &settings)
        };
        assert_eq!(with(|queue| queue.in_flight = 4), settings.in_flight - 4);
        assert_eq!(with(|queue| queue.in_flight = 9), 0);
        assert_eq!(with(|queue| queue.hold = Some(Hold::Operator)), 0);
        assert_eq!(with(|queue| queue.circuit.open_until = Some(DAY + 6)), 0);
        assert_eq!(with(|queue| queue.most_calls = Some(10)), 0);
        let spent = Queue { most_calls: Some(10), ..open.clone() };
        assert_eq!(spent.opens_at(now), 2 * DAY);
        assert_eq!(spent.free_slots(2 * DAY, &settings), settings.in_flight, "another day");
    }

    #[test]
    fn a_team_that_connects_to_another_account_does_not_get_its_old_bookings_there() {
        let mut queue = Queue::default();
        assert!(queue.connected("org-1"));
        let ended = Ended::Refused(Problem::new("revoked", Reaction::Reconnect, ""));
        queue.in_flight = 1;
        assert_eq!(queue.tried(&ended, 0, &Settings::default()), None);
        assert_eq!((queue.hold, queue.in_flight), (Some(Hold::NotConnected), 0));
        assert!(!queue.connected("org-2"));
        assert_eq!(queue.hold, Some(Hold::OtherAccount));
        assert!(queue.connected("org-1"));
        assert_eq!(queue.hold, None);
        queue.hold = Some(Hold::Operator);
        assert!(!queue.connected("org-1"), "the operator decides");
    }

    #[test]
    fn an_operator_who_lets_go_leaves_what_else_holds_the_queue() {
        let lost = || Ended::Refused(Problem::new("revoked", Reaction::Reconnect, ""));
        type Step = fn(&mut Queue);
        let same: Step = |queue| assert_eq!(queue.connected("org-1"), queue.hold.is_none());
        let other: Step = |queue| assert!(!queue.connected("org-2"));
        let disconnect: Step = |queue| {
            assert_eq!(
                queue.tried(&Ended::Refused(Problem::new("revoked", Reaction::Reconnect, "")), 0, &Settings::default()),
                None
            );
        };
        // What happens before the operator holds the queue, what meanwhile, and what holds it afterwards.
        let cases: [(&[Step], &[Step], Option<Hold>); 9] = [
            (&[], &[], None),
            (&[], &[same], None),
            (&[], &[other], Some(Hold::OtherAccount)),
            (&[], &[disconnect], Some(Hold::NotConnected)),
            (&[disconnect], &[], Some(Hold::NotConnected)),
            (&[disconnect], &[same], None),
            (&[disconnect], &[other], Some(Hold::OtherAccount)),
            (&[disconnect, other], &[], Some(Hold::OtherAccount)),
            (&[disconnect, other], &[disconnect, same], None),
        ];
        for (index, (before, meanwhile, expected)) in cases.into_iter().enumerate() {
            let mut queue = Queue::default();
            same(&mut queue);
            before.iter().for_each(|step| step(&mut queue));
            queue.hold_by_hand(Some(Hold::Operator));
            queue.hold_by_hand(Some(Hold::Operator));
            for step in meanwhile {
                step(&mut queue);
                assert_eq!(queue.hold, Some(Hold::Operator), "case {index}");
            }
            queue.hold_by_hand(None);
            assert_eq!(queue.hold, expected, "case {index}");
            queue.hold_by_hand(None);
            assert_eq!(queue.hold, None, "a person decides about it, case {index}");
            assert_eq!(queue.tried(&lost(), 0, &Settings::default()), None);
            assert_eq!(queue.hold, Some(Hold::NotConnected), "case {index}");
        }
    }

    #[test]
    fn each_end_of_a_try_gives_its_place_back_and_few_hold_or_pause_the_queue() {
        let refused = |reaction, effect, retry_after| {
            Ended::Refused(Problem { effect, retry_after, ..Problem::new("code", reaction, "") })
        };
        let stopped = |effect| Ended::Stopped { code: "trap".into(), effect };
        for (ended, hold, paused) in [
            (Ended::NotCalled, None, None),
            (stopped(Effect::None), None, None),
            (stopped(Effect::Unknown), None, None),
            (refused(Reaction::FixBooking, Effect::None, Some(900)), None, None),
            (refused(Reaction::Reconnect, Effect::None, Some(900)), Some(Hold::NotConnected), None),
            (refused(Reaction::Reconnect, Effect::Unknown, Some(900)), None, None),
            (refused(Reaction::Retry, Effect::None, Some(299)), None, None),
            (refused(Reaction::Retry, Effect::None, Some(300)), None, Some(300_001)),
            (refused(Reaction::Retry, Effect::Unknown, Some(300)), None, None),
            (refused(Reaction::CheckFirst, Effect::None, Some(900)), None, None),
        ] {
            let mut queue = Queue { in_flight: 3, ..Queue::default() };
            assert_eq!(queue.tried(&ended, 1, &Settings::default()), paused, "{ended:?}");
            assert_eq!((queue.in_flight, queue.hold), (2, hold), "{ended:?}");
            assert_eq!(queue.opens_at(1), paused.unwrap_or_default());
        }
    }

    #[test]
    fn a_success_ends_the_pause_and_calls_are_counted_by_the_day() {
        let mut queue = Queue { most_calls: Some(3), ..Queue::default() };
        for now in 0..10 {
            queue.tried(&Ended::Refused(Problem::new("busy", Reaction::Retry, "")), now, &Settings::default());
        }
        assert!(queue.circuit.open_until.is_some());
        let delivery = crm_contract::Delivery {
            records: Vec::new(),
            outcome: crm_contract::Outcome::Created,
            findings: Vec::new(),
            more: Vec::new(),
        };
        assert_eq!(queue.tried(&Ended::Delivered(delivery), 10, &Settings::default()), None);
        assert_eq!(queue.opens_at(10), 0);
        let settings = Settings::default();
        queue.spend(2, DAY - 1);
        assert_eq!((queue.calls, queue.free_slots(DAY - 1, &settings)), (2, settings.in_flight));
        queue.spend(1, DAY - 1);
        assert_eq!((queue.calls, queue.free_slots(DAY - 1, &settings), queue.opens_at(DAY - 1)), (3, 0, DAY));
        queue.spend(1, DAY);
        assert_eq!((queue.day, queue.calls, queue.free_slots(DAY, &settings)), (1, 1, settings.in_flight));
    }

    #[test]
    fn a_queue_of_an_earlier_version_is_read() {
        let json = r#"{"virtual_time":3,"in_flight":1}"#;
        let queue: Queue = serde_json::from_str(json).unwrap();
        assert_eq!(queue, Queue { virtual_time: 3, in_flight: 1, ..Queue::default() });
        let mut held = queue;
        held.connected("org-1");
        held.hold_by_hand(Some(Hold::Operator));
        held.connected("org-2");
        held.tried(
            &Ended::Refused(Problem { retry_after: Some(900), ..Problem::new("busy", Reaction::Retry, "") }),
            0,
            &Settings::default(),
        );
        assert_eq!(serde_json::from_str::<Queue>(&serde_json::to_string(&held).unwrap()).unwrap(), held);
    }

    #[test]
    fn names_are_those_of_json() {
        for hold in Hold::ALL {
            assert_eq!(serde_json::to_value(hold).unwrap(), hold.name());
            assert_eq!(Hold::named(hold.name()), Some(hold));
        }
    }
}
