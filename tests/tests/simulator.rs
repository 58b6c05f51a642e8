//! A host that keeps to the contract, over random histories: replies are lost, requests take effect late, hosts crash, clocks
//! disagree. Counts what each booking ends in, and how many Leads there are of it.
//!
//! `SIMULATOR_HISTORIES` and `SIMULATOR_SEED` choose the histories, `SIMULATOR_COMPONENT` another
//! component file.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use acceptance::samples;
use acceptance::system::{self, System};
use anyhow::{Context as _, Result};
use crm_contract::{Booking, BookingKind, History, Mapping, Outcome, Reaction, UnknownTries};
use jiff::{SignedDuration, Timestamp};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use salesforce_local_org::{Clock, Fault, Options, OrgFile};
use serde_json::{Value, json};

const HISTORIES: u32 = 300;
const SEED: u32 = 1;
/// Of these histories, all without a booking-id field.
const KNOWN_SECOND_LEADS: u32 = 10;
const KNOWN_NEVER_ENDING: u32 = 16;

/// Tries after which a booking counts as never ending.
const MOST_TRIES: u32 = 40;
/// How late a request may take effect after its connection died.
const LATEST_COMMIT: u32 = 600;
/// How far the host's clock may be from the org's.
const LARGEST_SKEW: i64 = 600;

/// When the same guest's other meeting is, as the org writes it.
const OTHER_DAY: &str = "2026-12-09";

/// What goes wrong in one try.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mishap {
    None,
    /// The create never arrives.
    DropBefore,
    /// The create takes effect and its reply is lost.
    DropAfter,
    /// The create takes effect later.
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
}

impl Life {
    fn random(random: &mut StdRng) -> Self {
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
        write!(f, "tries: {} with, {} without", tries(true), tries(false))
    }
}

/// A host's ledger: what it knows of one booking.
#[derive(Default)]
struct Ledger {
    lead_id: Option<String>,
    first_try: Option<Timestamp>,
    unknown: Vec<Timestamp>,
}

impl Ledger {
    fn history(&self, now: Timestamp) -> History {
        let unknown_tries = self.unknown.first().zip(self.unknown.last());
        History {
            now: text(now),
            lead_id: self.lead_id.clone(),
            first_try: self.first_try.map(text),
            unknown_tries: unknown_tries
                .map(|(oldest, newest)| UnknownTries { oldest: text(*oldest), newest: text(*newest) }),
        }
    }
}

fn text(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

struct World<'a> {
    system: &'a System,
    random: StdRng,
    plain: &'a Mapping,
    with_key: &'a Mapping,
    counts: &'a mut Counts,
}

impl World<'_> {
    /// Lets time pass, at random within a range of seconds.
    fn pass(&mut self, seconds: RangeInclusive<i64>) {
        let seconds = self.random.random_range(seconds);
        self.system.org().advance_clock(SignedDuration::from_secs(seconds));
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
        for number in 0..MOST_TRIES {
            self.system.org().clear_faults();
            if Some(number) == life.second_booking_after && booking.kind == BookingKind::New {
                self.second_booking(life, booking).await?;
            }
            let mishap = usize::try_from(number).ok().and_then(|number| mishaps.get(number));
            let mishap = mishap.copied().unwrap_or(Mishap::None);
            let (create, query) = (("POST", "/services/data/*/sobjects/Lead*"), ("GET", "/services/data/*/query*"));
            let fault = match mishap {
                Mishap::None | Mishap::Crash => None,
                Mishap::DropBefore => Some((Fault::drop_before_commit(), create)),
                Mishap::DropAfter => Some((Fault::drop_after_commit(), create)),
                Mishap::CommitLate(seconds) => Some((Fault::commit_late(seconds), create)),
                Mishap::DropQuery => Some((Fault::drop_before_commit(), query)),
            };
            if let Some((fault, (method, path))) = fault {
                self.system.org().add_fault(fault.on(method, path));
            }
            let now = self.system.org().now().saturating_add(SignedDuration::from_secs(life.skew))?;
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
                    ledger.lead_id = Some(delivery.lead_id);
                    return Ok(End::Delivered);
                }
                Err(problem) => {
                    match problem.reaction {
                        Reaction::CheckFirst => ledger.unknown.push(now),
                        Reaction::Reconnect => {}
                        _ => ledger.unknown.clear(),
                    }
                    let wait = match (problem.reaction, problem.retry_after) {
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
        let history =
            Ledger::default().history(self.system.org().now().saturating_add(SignedDuration::from_secs(life.skew))?);
        let delivery = self.system.deliver(&other, mapping, &history).await?.answer;
        assert_eq!(delivery.map(|delivery| delivery.outcome), Ok(Outcome::Created));
        Ok(())
    }

    /// Lives a booking to its end, and counts.
    async fn live(&mut self, life: &Life, number: u32) -> Result<()> {
        let mut booking = samples::booking()?;
        booking.id = format!("b-{number}");
        let address = format!("guest-{number}@example.com");
        booking.guest.email = Some(address.clone());
        let mut ledger = Ledger::default();
        let mut end = self.deliver(life, &booking, &mut ledger, &life.mishaps).await?;
        if life.moves && end == End::Delivered {
            let moved = Booking {
                kind: BookingKind::Rescheduled(booking.id.clone()),
                id: format!("b-{number}-moved"),
                start: "2026-12-03T11:00:00+09:00".into(),
                end: "2026-12-03T11:30:00+09:00".into(),
                ..booking
            };
            let mut ledger = Ledger { lead_id: ledger.lead_id, ..Ledger::default() };
            end = self.deliver(life, &moved, &mut ledger, &life.mishaps).await?;
        }
        // Whatever is still under way takes effect.
        let latest = i64::from(LATEST_COMMIT) * 2;
        self.pass(latest..=latest);
        let leads = self.leads_of(&address);
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
        let fields = system.fields().await?.fields;
        let rows = json!([
            { "field": "LastName", "source": { "booking": "guest.family-name" } },
            { "field": "Company", "source": { "booking": "guest.company" } },
            { "field": "Email", "source": { "booking": "guest.email" } },
            { "field": "MeetingAt__c", "source": { "booking": "start" } }
        ]);
        let mapping = |options| samples::mapping_of(json!({ "rows": rows.clone(), "options": options }), &fields);
        let (plain, with_key) = (mapping(json!({}))?, mapping(json!({ "booking-id-field": "BookingId__c" }))?);
        for _ in 0..50.min(histories - number) {
            // Each history has its own numbers, so that none depends on how many tries the others took.
            let mut random = StdRng::seed_from_u64(u64::from(seed) << 32 | u64::from(number));
            let life = Life::random(&mut random);
            let mut world = World { system: &system, random, plain: &plain, with_key: &with_key, counts: &mut counts };
            world.live(&life, number).await.with_context(|| format!("history {number} of seed {seed}: {life:?}"))?;
            number += 1;
        }
    }
    Ok(counts)
}

/// With a booking-id field no booking ever becomes two Leads. Without one, the contract's known weaknesses show, and must not
/// become more frequent: a host that names every `check-first` try as unknown never ends, and a host's clock ahead of the
/// org's hides the lost Lead.
#[tokio::test]
async fn random_histories_end_no_worse_than_they_are_known_to() -> Result<()> {
    let (histories, seed) = (setting("SIMULATOR_HISTORIES", HISTORIES)?, setting("SIMULATOR_SEED", SEED)?);
    let counts = simulate(histories, seed).await?;
    println!("{histories} histories, seed {seed}\n{counts}");
    assert_eq!(counts.of(|keyed, _, leads| keyed && leads > 1), 0, "second Leads with a booking-id field");
    assert_eq!(counts.of(|_, end, leads| end == End::Delivered && leads == 0), 0, "delivered without a Lead");
    if (histories, seed) == (HISTORIES, SEED) {
        let (second, never) = (counts.of(|_, _, leads| leads > 1), counts.of(|_, end, _| end == End::Never));
        assert!(second <= KNOWN_SECOND_LEADS, "{second} second Leads");
        assert!(never <= KNOWN_NEVER_ENDING, "{never} bookings that never end");
    }
    Ok(())
}
