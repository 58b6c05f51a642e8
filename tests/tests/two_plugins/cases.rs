//! The cases, each written once. A case returns in a few words what it saw.

use acceptance::{
    invented_crm::Lost,
    samples,
    system::{self, unexpected},
};
use anyhow::{Context as _, Result, bail, ensure};
use crm_booking::{Booking, Event, Kind, Mapping, expectations};
use crm_host::types::{BookingKind, Consequence, Delivery, Effect, Outcome, PlannedAction, Problem, Reaction};
use serde_json::Value;

use crate::{
    bed::{Bed, bed},
    ledger::Ledger,
};

fn moved(booking: &Booking) -> Booking {
    Booking {
        kind: Kind::Rescheduled,
        id: "bk_moved".to_owned(),
        previous_id: Some(booking.id.clone()),
        start: "2026-12-03T10:00:00+09:00".to_owned(),
        end: "2026-12-03T10:30:00+09:00".to_owned(),
        ..booking.clone()
    }
}

fn cancelled(booking: &Booking) -> Booking {
    Booking { kind: Kind::Cancelled, ..booking.clone() }
}

/// Whether a booking has become one record of each object.
fn once(bed: &dyn Bed) -> Result<()> {
    for object in bed.objects() {
        let records = bed.records(object);
        ensure!(records.len() == 1, "{} records of `{object}`: {records:?}", records.len());
    }
    Ok(())
}

fn delivered(outcome: Result<Delivery, Problem>) -> Result<Delivery> {
    outcome.map_err(unexpected)
}

fn names(delivery: &Delivery) -> Vec<&str> {
    delivery.records.iter().map(|record| record.object.as_str()).collect()
}

pub async fn connect(plugin: &str) -> Result<String> {
    let bed = bed(plugin).await?;
    let mapped = bed.mapped().await?;
    let account = bed.plugin().check_connection(bed.connection(), "ja").await?.answer;
    let account = account.map_err(|problems| anyhow::anyhow!("{problems:?}"))?;

    bed.end_credential();
    let mut ledger = Ledger::default();
    let booking = samples::booking()?;
    let problem = ledger.attempt(&*bed, &booking, &mapped).await?.err().context("a problem")?;
    ensure!((&problem.reaction, problem.effect) == (&Reaction::Reconnect, Effect::None), "{problem:?}");
    let problems = bed.plugin().check_connection(bed.connection(), "ja").await?.answer.err().context("problems")?;
    ensure!(problems.first().is_some_and(|problem| problem.reaction == Reaction::Reconnect), "{problems:?}");

    bed.reconnect().await?;
    let (tries, outcome) = ledger.deliver(&*bed, &booking, &mapped).await?;
    ensure!((tries, outcome) == (1, Outcome::Created));
    once(&*bed)?;
    Ok(format!("{} facts about the account; ended, connected again, delivered", account.facts.len()))
}

pub async fn deliver(plugin: &str) -> Result<String> {
    let bed = bed(plugin).await?;
    let mapped = bed.mapped().await?;
    let delivery = delivered(Ledger::default().attempt(&*bed, &samples::booking()?, &mapped).await?)?;
    ensure!(delivery.outcome == Outcome::Created && delivery.findings.is_empty(), "{delivery:?}");
    let mut objects = bed.objects().to_vec();
    objects.reverse();
    ensure!(names(&delivery) == objects, "the record of the mapping comes first: {delivery:?}");
    once(&*bed)?;
    Ok(format!("created {}; {} write(s)", objects.join(", "), bed.take_writes()))
}

pub async fn repeat(plugin: &str) -> Result<String> {
    let bed = bed(plugin).await?;
    let mapped = bed.mapped().await?;
    let booking = samples::booking()?;
    let mut ledger = Ledger::default();
    let first = delivered(ledger.attempt(&*bed, &booking, &mapped).await?)?;
    bed.take_writes();
    let again = delivered(ledger.attempt(&*bed, &booking, &mapped).await?)?;
    ensure!(again.outcome == Outcome::AlreadyDelivered && again.records == first.records, "{again:?}");
    ensure!(bed.take_writes() == 0);
    once(&*bed)?;
    Ok("already delivered, nothing written".to_owned())
}

/// The reply to each write is lost in each way.
pub async fn lost_reply(plugin: &str) -> Result<String> {
    let mut seen = Vec::new();
    for lost in [Lost::Before, Lost::After, Lost::Late(45)] {
        for object in bed(plugin).await?.objects() {
            let bed = bed(plugin).await?;
            let mapped = bed.mapped().await?;
            let booking = samples::booking()?;
            bed.lose(object, lost);
            let mut ledger = Ledger::default();
            let problem = ledger.attempt(&*bed, &booking, &mapped).await?.err().context("a problem")?;
            ensure!((&problem.reaction, problem.effect) == (&Reaction::CheckFirst, Effect::Unknown), "{problem:?}");
            let before = bed.objects().iter().position(|one| one == object).unwrap_or_default();
            ensure!(problem.made.len() == before, "what was written before the lost request: {problem:?}");
            bed.advance(1);
            let (tries, outcome) = ledger.deliver(&*bed, &booking, &mapped).await?;
            once(&*bed).with_context(|| format!("{object}, {lost:?}"))?;
            ensure!(ledger.records.len() == bed.objects().len(), "{ledger:?}");
            seen.push(format!("{object} {lost:?}: {outcome:?} after {tries}"));
        }
    }
    Ok(seen.join("; "))
}

/// The last write is refused after the others succeeded.
pub async fn refusal(plugin: &str) -> Result<String> {
    let bed = bed(plugin).await?;
    let mapped = bed.mapped().await?;
    let booking = samples::booking()?;
    bed.refuse();
    let mut ledger = Ledger::default();
    let problem = ledger.attempt(&*bed, &booking, &mapped).await?.err().context("a problem")?;
    ensure!(problem.effect == Effect::None, "{problem:?}");
    ensure!(
        matches!(problem.reaction, Reaction::FixBooking | Reaction::FixMapping | Reaction::AskAdmin),
        "{problem:?}"
    );
    let made: Vec<_> = problem.made.iter().map(|record| record.object.as_str()).collect();
    let all_but_the_last = bed.objects().split_last().map_or(&[][..], |(_, others)| others);
    ensure!(made == all_but_the_last, "{problem:?}");
    bed.allow();
    let (tries, outcome) = ledger.deliver(&*bed, &booking, &mapped).await?;
    ensure!((tries, &outcome) == (1, &Outcome::Created), "{outcome:?}");
    once(&*bed)?;
    Ok(format!("`{}`, made {made:?}; then created", problem.code))
}

pub async fn moving(plugin: &str) -> Result<String> {
    let bed = bed(plugin).await?;
    let mapped = bed.mapped().await?;
    let booking = samples::booking()?;
    let mut ledger = Ledger::default();
    let first = delivered(ledger.attempt(&*bed, &booking, &mapped).await?)?;
    let (start, _) = bed.fields();
    let value = |bed: &dyn Bed| {
        let record = bed.objects().last().and_then(|object| bed.records(object).pop());
        record.and_then(|record| record.get(start).cloned())
    };
    let before = value(&*bed);
    let after = delivered(ledger.attempt(&*bed, &moved(&booking), &mapped).await?)?;
    ensure!(after.outcome == Outcome::Updated && after.records == first.records, "{after:?}");
    once(&*bed)?;
    ensure!(value(&*bed) != before, "{before:?}");

    // A host without the record's id gets one record all the same.
    let bed = crate::bed::bed(plugin).await?;
    let delivery = delivered(Ledger::default().attempt(&*bed, &moved(&booking), &mapped).await?)?;
    ensure!(delivery.outcome == Outcome::Created, "{delivery:?}");
    once(&*bed)?;
    Ok("updated the same record; created where none was known".to_owned())
}

pub async fn cancelling(plugin: &str) -> Result<String> {
    let bed = bed(plugin).await?;
    let mapped = bed.mapped().await?;
    let booking = samples::booking()?;
    let unknown = delivered(Ledger::default().attempt(&*bed, &cancelled(&booking), &mapped).await?)?;
    ensure!(unknown.outcome == Outcome::Ignored && unknown.records.is_empty(), "{unknown:?}");
    ensure!(unknown.findings.iter().any(|finding| finding.code == "record-unknown"), "{unknown:?}");
    ensure!(bed.take_writes() == 0);

    let mut ledger = Ledger::default();
    delivered(ledger.attempt(&*bed, &booking, &mapped).await?)?;
    let gone = delivered(ledger.attempt(&*bed, &cancelled(&booking), &mapped).await?)?;
    ensure!(gone.outcome == Outcome::Updated, "{gone:?}");
    once(&*bed)?;
    let (_, (field, expected)) = bed.fields();
    let record = bed.objects().last().and_then(|object| bed.records(object).pop()).context("a record")?;
    ensure!(record.get(field).and_then(Value::as_str) == Some(expected), "{record}");

    let rows = mapped.mapping.rows().iter().filter(|row| row.field != field).cloned().collect();
    let target = mapped.mapping.target().map(str::to_owned);
    let mapping = Mapping::new(target, rows, mapped.mapping.options().clone())?;
    let silent = samples::Mapped { mapping, memos: mapped.memos };
    bed.take_writes();
    let nothing = delivered(ledger.attempt(&*bed, &cancelled(&booking), &silent).await?)?;
    ensure!(nothing.outcome == Outcome::Ignored && bed.take_writes() == 0, "{nothing:?}");
    Ok("updated its record; ignored without a record or a row".to_owned())
}

/// A kind of booking that a later version names.
pub async fn unknown_kind(plugin: &str) -> Result<String> {
    let bed = bed(plugin).await?;
    let mapped = bed.mapped().await?;
    let mut resolved = mapped.resolve(&samples::booking()?);
    resolved.booking.kind = BookingKind::Other("no-show".to_owned());
    let history = samples::first_try(bed.now());
    let called =
        bed.plugin().on_booking_completed(bed.connection(), &resolved.booking, &resolved.mapping, &history).await?;
    let delivery = delivered(called.answer)?;
    ensure!(delivery.outcome == Outcome::Ignored && bed.take_writes() == 0, "{delivery:?}");
    Ok("ignored".to_owned())
}

pub async fn preview(plugin: &str) -> Result<String> {
    let bed = bed(plugin).await?;
    let mapped = bed.mapped().await?;
    let booking = samples::booking()?;
    let resolved = mapped.resolve(&booking);
    let show = |records| {
        let (booking, mapping) = (resolved.booking.clone(), resolved.mapping.clone());
        let bed = &bed;
        async move {
            let called = bed.plugin().preview(bed.connection(), &booking, &mapping, records).await?;
            called.answer.map_err(unexpected)
        }
    };
    let planned = show(&[]).await?;
    let objects: Vec<_> = planned.steps.iter().map(|step| step.object.as_str()).collect();
    ensure!(objects == bed.objects(), "{planned:?}");
    ensure!(planned.steps.iter().all(|step| step.action == PlannedAction::Create), "{planned:?}");
    ensure!(
        bed.take_writes() == 0 && bed.objects().iter().all(|object| bed.records(object).is_empty()),
        "a preview writes nothing"
    );

    let mut ledger = Ledger::default();
    delivered(ledger.attempt(&*bed, &booking, &mapped).await?)?;
    // What was announced was written.
    for step in &planned.steps {
        let record = bed.records(&step.object).pop().context("a record")?;
        for value in step.values.iter().filter(|value| value.row.is_some()) {
            let sent: Value = serde_json::from_str(&value.json)?;
            let is_time = value.field == bed.fields().0;
            ensure!(record.get(&value.field) == Some(&sent) || is_time, "`{}` is not {sent} in {record}", value.field);
        }
    }
    let kept = show(&ledger.records).await?;
    ensure!(kept.steps.iter().all(|step| matches!(step.action, PlannedAction::Keep(_))), "{kept:?}");
    Ok(format!("create {}; then keep", objects.join(", ")))
}

pub async fn check(plugin: &str) -> Result<String> {
    let bed = bed(plugin).await?;
    let mut mapped = bed.mapped().await?;
    let found = system::check(bed.plugin(), bed.connection(), &mapped, &[]).await?.map_err(unexpected)?;
    let refused = |found: &[crm_booking::Explained]| {
        let refused = found.iter().filter(|one| one.finding.consequence == Consequence::Refused);
        refused.flat_map(|one| one.finding.fields.clone()).collect::<Vec<_>>()
    };
    let (first, rows) = mapped.mapping.rows().split_first().context("rows")?;
    let (required, rows) = (first.field.clone(), rows.to_vec());
    ensure!(!refused(&found).contains(&required), "{found:?}");
    let mapping = Mapping::new(mapped.mapping.target().map(str::to_owned), rows, mapped.mapping.options().clone())?;
    let without = samples::Mapped { mapping, memos: mapped.memos.clone() };
    let found = system::check(bed.plugin(), bed.connection(), &without, &[]).await?.map_err(unexpected)?;
    ensure!(refused(&found).contains(&required), "{found:?}");

    // New memos are used in place of the old ones.
    let expected = expectations(&[], &mapped.mapping, Event::Confirmed, &mapped.memos, None);
    let kind = Event::Confirmed.to_contract();
    let target = mapped.mapping.target();
    let checked =
        bed.plugin().check_mapping(bed.connection(), &kind, target, &expected.rows, &expected.options).await?.answer;
    let memos = checked.map_err(unexpected)?.memos;
    for (position, memo) in &memos {
        let Some(row) = expected.rows.get(usize::try_from(*position)?) else { bail!("no row {position}") };
        mapped.memos.replace(&row.field, memo.clone());
    }
    ensure!(bed.take_writes() == 0);
    let (tries, outcome) = Ledger::default().deliver(&*bed, &samples::booking()?, &mapped).await?;
    ensure!((tries, outcome) == (1, Outcome::Created));
    Ok(format!("refuses a mapping without `{required}`; {} new memo(s)", memos.len()))
}
