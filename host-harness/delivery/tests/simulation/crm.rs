//! The CRMs of the world, and a plugin that keeps the contract.

use std::collections::BTreeMap;

use crm_booking::Kind;
use crm_contract::{Consequence, Delivery, Effect, Finding, History, Instant, Outcome, Problem, Reaction, RecordRef};
use crm_delivery::{Ended, EntryId};
use rand::{Rng as _, rngs::Xoshiro256PlusPlus};

/// The random choices of the world.
pub struct Dice(pub Xoshiro256PlusPlus);

impl Dice {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0.next_u64() % limit
    }

    pub fn index(&mut self, limit: usize) -> usize {
        usize::try_from(self.below(u64::try_from(limit).unwrap())).unwrap()
    }

    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// From 0 to 1.
    pub fn share(&mut self) -> f64 {
        f64::from(u32::try_from(self.below(1_001)).unwrap()) / 1_000.0
    }
}

/// How long a request may take.
const REQUEST: u64 = 10_000;
/// How long after its answer was lost a request may still be carried out.
const LATE: u64 = 120_000;
/// After this time since a try began, nothing of it can be carried out any more: calls last a minute.
pub const SETTLED: u64 = 60_000 + LATE;

/// What the CRM has of a booking.
pub struct Stored {
    pub record: RecordRef,
    /// The mapping by whose rows it can be recognized.
    mapping: u64,
    /// The change that was written last.
    pub written: Instant,
}

struct Write {
    account: usize,
    booking: usize,
    mapping: u64,
    written: Instant,
    /// Whether it makes a record, whatever there is.
    creates: bool,
}

/// All accounts.
#[derive(Default)]
pub struct Crm {
    pub stored: BTreeMap<(usize, usize), Stored>,
    /// Requests that are carried out later.
    late: Vec<(Instant, Write)>,
    made: u64,
    /// Records of bookings that had one.
    pub doubled: u64,
}

impl Crm {
    /// Carries out what is late until now.
    pub fn advance(&mut self, now: Instant) {
        let mut index = 0;
        while index < self.late.len() {
            if self.late[index].0 <= now {
                let (_, write) = self.late.swap_remove(index);
                self.commit(&write);
            } else {
                index += 1;
            }
        }
    }

    fn commit(&mut self, write: &Write) -> RecordRef {
        let Write { account, booking, mapping, written, creates } = *write;
        self.doubled += u64::from(creates && self.stored.contains_key(&(account, booking)));
        if let Some(stored) = self.stored.get_mut(&(account, booking)) {
            assert!(stored.written <= written, "an earlier change of booking {booking} overwrites a later one [H12]");
            stored.written = written;
            return stored.record.clone();
        }
        self.made += 1;
        let record = RecordRef { object: "Lead".into(), id: format!("{account}-{}", self.made), url: None };
        self.stored.insert((account, booking), Stored { record: record.clone(), mapping, written });
        record
    }

    pub fn find(&self, account: usize, booking: usize) -> Option<RecordRef> {
        self.stored.get(&(account, booking)).map(|stored| stored.record.clone())
    }
}

/// A call that a worker has begun.
pub struct Call {
    pub id: EntryId,
    pub fence: u64,
    pub team: usize,
    pub account: usize,
    pub booking: usize,
    pub mapping: u64,
    pub history: History,
    pub kind: Kind,
    pub changed_at: Instant,
    /// No request begins later than its own time before this.
    pub deadline: Instant,
    /// The worker does nothing before: it is slow, or its machine was stopped.
    pub next: Instant,
    /// The look is over.
    pub has_looked: bool,
}

/// What a step of a call leads to.
pub enum Next {
    GoesOn,
    Ends(Box<Ended>),
    /// The worker is gone, and nobody hears of the call.
    Dies,
}

fn ends(ended: Ended) -> Next {
    Next::Ends(Box::new(ended))
}

fn problem(reaction: Reaction, effect: Effect, retry_after: Option<u32>) -> Next {
    let code = reaction.name().to_owned();
    ends(Ended::Refused(Problem { effect, retry_after, ..Problem::new(code, reaction, "") }))
}

fn delivered(outcome: Outcome, record: Option<RecordRef>, consequence: Option<Consequence>) -> Next {
    let finding = |consequence| Finding {
        code: "value-too-long".into(),
        consequence,
        fields: Vec::new(),
        rows: Vec::new(),
        message: String::new(),
        particulars: Vec::new(),
        more: Vec::new(),
    };
    let findings = consequence.map(finding).into_iter().collect();
    ends(Ended::Delivered(Delivery { records: record.into_iter().collect(), outcome, findings, more: Vec::new() }))
}

impl Call {
    /// Sends one request, or ends. There is no `account` if the connection has ended. Nothing goes wrong if the world is calm.
    pub fn step(
        &mut self,
        crm: &mut Crm,
        account: Option<usize>,
        dice: &mut Dice,
        is_calm: bool,
        now: Instant,
    ) -> Next {
        let chance = if is_calm { 50 } else { dice.below(100) };
        let wait = || Some([5, 30, 60, 200][usize::try_from(now % 4).unwrap()]);
        if now + REQUEST > self.deadline {
            return ends(Ended::Stopped { code: "deadline".into(), effect: Effect::None });
        }
        // The host is busy, before the plugin is called.
        if chance == 99 && !self.has_looked {
            return ends(Ended::NotCalled);
        }
        let Some(account) = account else { return problem(Reaction::Reconnect, Effect::None, None) };
        let known = self.history.records.iter().find(|known| crm.find(account, self.booking).as_ref() == Some(*known));
        let mut known = known.cloned();
        if let Some(tries) = self.history.unknown_tries {
            // What unknown tries wrote is recognized by the rows of their mapping [H33].
            let stored = crm.stored.get(&(account, self.booking));
            let found = stored.filter(|stored| known.is_some() || stored.mapping == self.mapping);
            if !self.has_looked {
                self.has_looked = true;
                // A record that one of them created proves that it was carried out. A value does not: another try may have written
                // the same before.
                let is_over = now >= tries.newest + SETTLED;
                let is_written =
                    found.is_some_and(|found| found.written == self.changed_at && (known.is_none() || is_over));
                return match chance {
                    0..4 => problem(Reaction::CheckFirst, Effect::None, wait()),
                    4 => problem(Reaction::CheckFirst, Effect::None, None),
                    5 => problem(Reaction::Other("later".into()), Effect::None, wait()),
                    6 => Next::Dies,
                    7 => ends(Ended::Stopped { code: "trap".into(), effect: Effect::None }),
                    _ if is_written => {
                        delivered(Outcome::AlreadyDelivered, found.map(|found| found.record.clone()), None)
                    }
                    _ if !is_over => problem(Reaction::CheckFirst, Effect::None, wait()),
                    _ => Next::GoesOn,
                };
            }
            known = found.map(|found| found.record.clone());
        }
        if let (Some(known), Kind::Confirmed) = (&known, self.kind) {
            return delivered(Outcome::AlreadyDelivered, Some(known.clone()), None);
        }
        if known.is_none() && self.kind == Kind::Cancelled {
            return delivered(Outcome::Ignored, None, None);
        }
        self.write(crm, account, known.is_none(), dice, chance, now)
    }

    fn write(&self, crm: &mut Crm, account: usize, creates: bool, dice: &mut Dice, chance: u64, now: Instant) -> Next {
        let wait = [None, Some(5), Some(60), Some(400)][dice.index(4)];
        let refused = |reaction| problem(reaction, Effect::None, wait);
        let write = Write { account, booking: self.booking, mapping: self.mapping, written: self.changed_at, creates };
        // From 0 on: a refusal writes nothing. From 20 on: the request is carried out now, later, or never.
        match chance {
            0..4 => return refused(Reaction::Retry),
            4 => return problem(Reaction::Retry, Effect::None, Some(5_000)),
            5 => return refused(Reaction::FixBooking),
            6 => return refused(Reaction::FixMapping),
            7 => return refused(Reaction::AskAdmin),
            8 => return refused(Reaction::CheckFirst),
            9 => return refused(Reaction::Other("later".into())),
            10 => return ends(Ended::Stopped { code: "trap".into(), effect: Effect::None }),
            _ => {}
        }
        let is_never = matches!(chance, 20..23);
        if matches!(chance, 23..28) {
            crm.late.push((now + dice.below(LATE), write));
        } else if !is_never {
            let record = crm.commit(&write);
            let outcome = if creates { Outcome::Created } else { Outcome::Updated };
            match chance {
                28..34 => {}
                34 => {
                    let made = Problem { made: vec![record], ..Problem::new("half", Reaction::FixMapping, "") };
                    return ends(Ended::Refused(made));
                }
                35 => {
                    let made = Problem { made: vec![record], ..Problem::new("half", Reaction::Retry, "") };
                    return ends(Ended::Refused(made));
                }
                36 => return delivered(outcome, Some(record), Some(Consequence::LeftOut)),
                _ => return delivered(outcome, Some(record), None),
            }
        }
        // Nobody knows whether it was carried out.
        match dice.below(12) {
            0..3 => Next::Dies,
            3 => ends(Ended::Stopped { code: "trap".into(), effect: Effect::Unknown }),
            // A plugin that breaks the contract [P6].
            4 => problem(Reaction::Retry, Effect::Unknown, wait),
            5 => problem(Reaction::FixMapping, Effect::Unknown, wait),
            6 => problem(Reaction::Reconnect, Effect::Unknown, wait),
            7 => problem(Reaction::CheckFirst, Effect::Unknown, None),
            _ => problem(Reaction::CheckFirst, Effect::Unknown, Some(30)),
        }
    }
}
