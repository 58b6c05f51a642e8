//! A host that keeps to the contract, over random histories: replies are lost, requests take effect late, hosts crash, clocks
//! disagree. Counts what each booking ends in, and how many Leads there are of it.
//!
//! `SIMULATOR_HISTORIES` and `SIMULATOR_SEED` choose the histories, `SIMULATOR_COMPONENT` another component file.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use acceptance::samples::{self, Mapped};
use acceptance::system::{self, System};
use anyhow::{Context as _, Result};
use crm_booking::{Booking, Kind};
use crm_contract::{Effect, History, Outcome, Reaction, RecordRef, UnknownTries};
use jiff::{SignedDuration, Timestamp};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use salesforce_local_org::{Clock, Fault, Options, OrgFile};
use serde_json::{Value, json};

const HISTORIES: u32 = 300;
const SEED: u32 = 1;

/// Tries after which a booking counts as never ending.
const MOST_TRIES: u32 = 40;
/// How late a request may take effect after its connection died.
const LATEST_COMMIT: u32 = 600;
/// The org has carried out a request, or never will, this many seconds after it began.
const WAIT: i64 = 12 * 60;
/// Undisturbed tries after the wait within which a booking must end.
const MOST_TRIES_AFTER_WAIT: u32 = 2;
/// How far the host's clock may be from the org's.
const LARGEST_SKEW: i64 = 600;

/// When the same guest's other meeting is, as the org writes it.
const OTHER_DAY: &str = "2026-12-09";

/// What goes wrong in one try.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mishap {
    None,
    /// The write never arrives.
    DropBefore,
    /// The write takes effect and its reply is lost.
    DropAfter,
    /// The write takes effect later.
    CommitLate(u32),
    /// The look-up gets no answer.
    DropQuery,
    /// The host dies after the try, before it has written down how it ended.
    Crash,
}

/// One random life of a booking.
#[derive(Debug)]
struct Life {
    keyed: bool,
    /// Host's clock minus org's clock, in seconds.
    skew: i64,
    /// What happens in the first tries; later ones go well.
    mishaps: Vec<Mishap>,
    /// After how many tries the same guest books another meeting.
    second_booking_after: Option<u32>,
    /// The guest moves the meeting at the end.
    moves: bool,
    /// The guest cancels the meeting after that.
    cancels: bool,
}

impl Life {
    /// `further` decides what was added later, so that the earlier lives stay as they were.
    fn random(random: &mut StdRng, further: &mut StdRng) -> Self {
        let mishaps = (0..random.random_range(1..=3))
            .map(|_| match random.random_range(0..6) {
                0 => Mishap::None,
                1 => Mishap::DropBefore,
                2 => Mishap::DropAfter,
                3 => Mishap::CommitLate(random.random_range(1..=LATEST_COMMIT)),
                4 => Mishap::DropQuery,
                _ => Mishap::Crash,
            })
            .collect();
        Self {
            keyed: random.random_bool(0.5),
            skew: if random.random_bool(0.3) { 0 } else { random.random_range(-LARGEST_SKEW..=LARGEST_SKEW) },
            mishaps,
            second_booking_after: random.random_bool(0.2).then(|| random.random_range(1..=2)),
            moves: random.random_bool(0.25),
            cancels: further.random_bool(0.25),
        }
    }
}

/// What a booking ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Delivered,
    /// A person must look or act.
    Person,
    /// It would be tried for ever.
    Never,
}

/// How often what happened.
#[derive(Default)]
struct Counts {
    /// By key field, end, and Leads of the booking in the org.
    ends: BTreeMap<(bool, End, usize), u32>,
    tries: BTreeMap<bool, u32>,
    /// The most undisturbed tries that any booking took after the wait.
    tries_after_wait: u32,
    /// Histories that ended with several Leads.
    several: Vec<String>,
}

impl Counts {
    fn of(&self, counted: impl Fn(bool, End, usize) -> bool) -> u32 {
        self.ends.iter().filter(|((keyed, end, leads), _)| counted(*keyed, *end, *leads)).map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((keyed, end, leads), count) in &self.ends {
            let field = if *keyed { "with a booking-id field" } else { "without" };
            writeln!(f, "{field:24} {end:?}, {leads} Leads: {count}")?;
        }
        let tries = |keyed| self.tries.get(&keyed).copied().unwrap_or_default();
        writeln!(f, "tries: {} with, {} without", tries(true), tries(false))?;
        write!(f, "most undisturbed tries after the wait: {}", self.tries_after_wait)?;
        self.several.iter().try_for_each(|history| write!(f, "\nseveral Leads: {history}"))
    }
}

/// A host's ledger: what it knows of one booking.
#[derive(Default)]
struct Ledger {
    records: Vec<RecordRef>,
    first_try: Option<u64>,
    unknown: Vec<u64>,
}

impl Ledger {
    fn history(&self, now: u64) -> History {
        let unknown_tries = self.unknown.iter().min().zip(self.unknown.iter().max());
        History {
            now,
            records: self.records.clone(),
            first_try: self.first_try,
            unknown_tries: unknown_tries.map(|(oldest, newest)| UnknownTries { oldest: *oldest, newest: *newest }),
            ..History::default()
        }
    }

    /// The newest try that may still take effect began so recently.
    fn must_wait(&self, now: u64) -> bool {
        let wait = u64::try_from(WAIT * 1_000).unwrap_or_default();
        self.unknown.iter().any(|began| now.saturating_sub(*began) < wait)
    }
}

fn instant(time: Timestamp) -> u64 {
    u64::try_from(time.as_millisecond()).unwrap_or_default()
}

struct World<'a> {
    system: &'a System,
    random: StdRng,
    plain: &'a Mapped,
    with_key: &'a Mapped,
    counts: &'a mut Counts,
}

impl World<'_> {
    /// Lets time pass, at random within a range of seconds.
    fn pass(&mut self, seconds: RangeInclusive<i64>) {
        let seconds = self.random.random_range(seconds);
        self.system.org().advance_clock(SignedDuration::from_secs(seconds));
    }

    /// The host's clock.
    fn now(&self, life: &Life) -> Result<u64> {
        Ok(instant(self.system.org().now().saturating_add(SignedDuration::from_secs(life.skew))?))
    }

    /// Tries a booking until it ends.
    async fn deliver(
        &mut self,
        life: &Life,
        booking: &Booking,
        ledger: &mut Ledger,
        mishaps: &[Mishap],
    ) -> Result<End> {
        let mapping = if life.keyed { self.with_key } else { self.plain };
        let mut tries_after_wait = 0;
        for number in 0..MOST_TRIES {
            self.system.org().clear_faults();
            if Some(number) == life.second_booking_after && booking.kind == Kind::Confirmed {
                self.second_booking(life, booking).await?;
            }
            let mishap = usize::try_from(number).ok().and_then(|number| mishaps.get(number));
            let mishap = mishap.copied().unwrap_or(Mishap::None);
            let method = if booking.kind == Kind::Confirmed { "POST" } else { "PATCH" };
            let (write, query) = ((method, "/services/data/*/sobjects/Lead*"), ("GET", "/services/data/*/query*"));
            let fault = match mishap {
                Mishap::None | Mishap::Crash => None,
                Mishap::DropBefore => Some((Fault::drop_before_commit(), write)),
                Mishap::DropAfter => Some((Fault::drop_after_commit(), write)),
                Mishap::CommitLate(seconds) => Some((Fault::commit_late(seconds), write)),
                Mishap::DropQuery => Some((Fault::drop_before_commit(), query)),
            };
            if let Some((fault, (method, path))) = fault {
                self.system.org().add_fault(fault.on(method, path));
            }
            let now = self.now(life)?;
            if mishap == Mishap::None && !ledger.must_wait(now) {
                tries_after_wait += 1;
                self.counts.tries_after_wait = self.counts.tries_after_wait.max(tries_after_wait);
            }
            let history = ledger.history(now);
            ledger.first_try.get_or_insert(now);
            *self.counts.tries.entry(life.keyed).or_default() += 1;
            let called = self.system.deliver(booking, mapping, &history).await?;
            self.pass(1..=5);
            if mishap == Mishap::Crash {
                ledger.unknown.push(now);
                self.pass(60..=300);
                continue;
            }
            match called.answer {
                Ok(delivery) => {
                    ledger.unknown.clear();
                    ledger.records = delivery.records;
                    return Ok(End::Delivered);
                }
                Err(problem) => {
                    if problem.settles_earlier_tries() {
                        ledger.unknown.clear();
                    }
                    if problem.effect == Effect::Unknown {
                        ledger.unknown.push(now);
                    }
                    let wait = match (&problem.reaction, problem.retry_after) {
                        (Reaction::CheckFirst, None) => return Ok(End::Person),
                        (Reaction::CheckFirst | Reaction::Retry, wait) => i64::from(wait.unwrap_or(60)),
                        _ => return Ok(End::Person),
                    };
                    self.pass(wait..=wait + 120);
                }
            }
        }
        Ok(End::Never)
    }

    /// Another meeting of the same guest, delivered without a mishap.
    async fn second_booking(&mut self, life: &Life, booking: &Booking) -> Result<()> {
        let mapping = if life.keyed { self.with_key } else { self.plain };
        let other = Booking {
            id: format!("{}-other", booking.id),
            start: format!("{OTHER_DAY}T10:00:00+09:00"),
            ..booking.clone()
        };
        let history = Ledger::default().history(self.now(life)?);
        let delivery = self.system.deliver(&other, mapping, &history).await?.answer;
        assert_eq!(delivery.map(|delivery| delivery.outcome), Ok(Outcome::Created));
        Ok(())
    }

    /// Lives a booking to its end, and counts.
    async fn live(&mut self, life: &Life, number: u32, seed: u32) -> Result<()> {
        let mut booking = samples::booking()?;
        booking.id = format!("b-{number}");
        let address = format!("guest-{number}@example.com");
        booking.guest.email = Some(address.clone());
        let mut ledger = Ledger::default();
        let mut end = self.deliver(life, &booking, &mut ledger, &life.mishaps).await?;
        if life.moves && end == End::Delivered {
            booking = Booking {
                kind: Kind::Rescheduled,
                previous_id: Some(booking.id.clone()),
                id: format!("b-{number}-moved"),
                start: "2026-12-03T11:00:00+09:00".into(),
                end: "2026-12-03T11:30:00+09:00".into(),
                ..booking
            };
            ledger = Ledger { records: ledger.records, ..Ledger::default() };
            end = self.deliver(life, &booking, &mut ledger, &life.mishaps).await?;
        }
        if life.cancels && end == End::Delivered {
            booking.kind = Kind::Cancelled;
            ledger = Ledger { records: ledger.records, ..Ledger::default() };
            end = self.deliver(life, &booking, &mut ledger, &life.mishaps).await?;
        }
        // Whatever is still under way takes effect.
        let latest = i64::from(LATEST_COMMIT) * 2;
        self.pass(latest..=latest);
        let leads = self.leads_of(&address);
        if leads > 1 {
            self.counts.several.push(format!("number {number} of seed {seed}, {end:?}: {life:?}"));
        }
        *self.counts.ends.entry((life.keyed, end, leads)).or_default() += 1;
        Ok(())
    }

    /// Leads of the booking that is lived, however often it was moved.
    fn leads_of(&self, address: &str) -> usize {
        let has =
            |lead: &Value, name: &str, start: &str| lead[name].as_str().is_some_and(|text| text.starts_with(start));
        let leads = self.system.org().leads();
        leads.iter().filter(|lead| has(lead, "Email", address) && !has(lead, "MeetingAt__c", OTHER_DAY)).count()
    }
}

fn setting(name: &str, default: u32) -> Result<u32> {
    std::env::var(name).map_or(Ok(default), |text| text.parse().with_context(|| name.to_owned()))
}

async fn simulate(histories: u32, seed: u32) -> Result<Counts> {
    let component = match std::env::var_os("SIMULATOR_COMPONENT") {
        Some(path) => std::fs::read(&path).with_context(|| path.display().to_string())?,
        None => system::component()?.to_vec(),
    };
    let mut counts = Counts::default();
    let mut number = 0;
    while number < histories {
        // A new org now and then: a query reads all of its Leads.
        let clock = Clock::fixed("2026-11-24T09:00:00Z".parse()?);
        let mut file = OrgFile::enterprise()?;
        // Its duplicate rule would refuse most second Leads and hide that they were tried.
        file.duplicate_rules.clear();
        let system = System::of(&component, file, Options { clock, ..Options::default() }).await?;
        system.connect().await?;
        let fields = system.fields().await?;
        let rows = json!([
            { "field": "LastName", "source": { "booking": "guest.family-name" } },
            { "field": "Company", "source": { "booking": "guest.company" } },
            { "field": "Email", "source": { "booking": "guest.email" } },
            { "field": "MeetingAt__c", "source": { "booking": "start" } },
            { "field": "Status", "source": { "fixed": "Closed - Not Converted" }, "on": ["cancelled"] },
        ]);
        let mapping = |options| samples::mapping_of(json!({ "rows": rows.clone(), "options": options }), &fields);
        let (plain, with_key) = (mapping(json!({}))?, mapping(json!({ "booking-id-field": "BookingId__c" }))?);
        for _ in 0..50.min(histories - number) {
            // Each history has its own numbers, so that none depends on how many tries the others took.
            let own = u64::from(seed) << 32 | u64::from(number);
            let (mut random, mut further) = (StdRng::seed_from_u64(own), StdRng::seed_from_u64(!own));
            let life = Life::random(&mut random, &mut further);
            let mut world = World { system: &system, random, plain: &plain, with_key: &with_key, counts: &mut counts };
            let lived = world.live(&life, number, seed).await;
            lived.with_context(|| format!("history {number} of seed {seed}: {life:?}"))?;
            number += 1;
        }
    }
    Ok(counts)
}

/// Every booking ends in a record or a person's task, within two tries after the org can no longer carry out an unknown one.
/// Never are there two Leads of one booking.
#[tokio::test]
async fn every_random_history_ends_in_one_record_or_a_persons_task() -> Result<()> {
    let (histories, seed) = (setting("SIMULATOR_HISTORIES", HISTORIES)?, setting("SIMULATOR_SEED", SEED)?);
    let counts = simulate(histories, seed).await?;
    println!("{histories} histories, seed {seed}\n{counts}");
    assert_eq!(counts.of(|_, end, leads| end == End::Delivered && leads == 0), 0, "delivered without a Lead");
    assert_eq!(counts.of(|_, end, _| end == End::Never), 0, "bookings that never end");
    assert_eq!(counts.of(|_, _, leads| leads > 1), 0, "second Leads");
    assert!(counts.tries_after_wait <= MOST_TRIES_AFTER_WAIT, "{} tries after the wait", counts.tries_after_wait);
    Ok(())
}
