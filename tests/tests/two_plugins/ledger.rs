//! A host's ledger for one booking, by the contract's words: what it tells a plugin before a try, and what it learns.

use acceptance::samples::Mapped;
use anyhow::{Result, bail};
use crm_booking::Booking;
use crm_host::types::{Delivery, Effect, History, Outcome, Problem, Reaction, RecordRef, UnknownTries};

use crate::bed::Bed;

/// What is durably known of a booking.
#[derive(Debug, Default)]
pub struct Ledger {
    pub records: Vec<RecordRef>,
    first_try: Option<u64>,
    unknown_tries: Option<UnknownTries>,
}

impl Ledger {
    /// One try.
    pub async fn attempt(
        &mut self,
        bed: &dyn Bed,
        booking: &Booking,
        mapped: &Mapped,
    ) -> Result<Result<Delivery, Problem>> {
        let now = bed.now();
        let history = History {
            now,
            records: self.records.clone(),
            first_try: self.first_try,
            unknown_tries: self.unknown_tries,
            ..History::default()
        };
        let resolved = mapped.resolve(booking);
        let called =
            bed.plugin().on_booking_completed(bed.connection(), &resolved.booking, &resolved.mapping, &history).await?;
        self.first_try.get_or_insert(now);
        match &called.answer {
            Ok(delivery) => {
                self.learn(&delivery.records);
                self.unknown_tries = None;
            }
            Err(problem) => {
                self.learn(&problem.made);
                match (problem.effect, &problem.reaction) {
                    (Effect::Unknown, _) => {
                        let oldest = self.unknown_tries.map_or(now, |tries| tries.oldest);
                        self.unknown_tries = Some(UnknownTries { oldest, newest: now });
                    }
                    // These settle nothing.
                    (_, Reaction::CheckFirst | Reaction::Reconnect | Reaction::Other(_)) => {}
                    _ => self.unknown_tries = None,
                }
            }
        }
        Ok(called.answer)
    }

    /// Tries for as long as the plugin asks for another try. Returns how many tries that took, and what the last one did.
    pub async fn deliver(&mut self, bed: &dyn Bed, booking: &Booking, mapped: &Mapped) -> Result<(usize, Outcome)> {
        for tries in 1..=10 {
            match self.attempt(bed, booking, mapped).await? {
                Ok(delivery) => return Ok((tries, delivery.outcome)),
                Err(Problem {
                    reaction: Reaction::Retry | Reaction::CheckFirst, retry_after: Some(seconds), ..
                }) => bed.advance(seconds),
                Err(problem) => bail!("{problem:?}"),
            }
        }
        bail!("it does not end")
    }

    fn learn(&mut self, records: &[RecordRef]) {
        for record in records {
            if !self.records.iter().any(|known| (&known.object, &known.id) == (&record.object, &record.id)) {
                self.records.push(record.clone());
            }
        }
    }
}
