//! Tries whose outcome nobody will know if the command ends now.
//!
//! The command has no ledger, so the person who runs it must remember what a ledger would. Every way to end says how: a result, an
//! error, an interrupt, a panic. Only a process that is killed cannot; the help of `run` says what to do then.

use std::sync::{Arc, Mutex, PoisonError};

use crm_contract::UnknownTries;
use jiff::Timestamp;

/// The tries of the running command that may have written something.
#[derive(Clone, Default)]
pub(crate) struct Doubt(Arc<Mutex<Option<UnknownTries>>>);

impl Doubt {
    /// Notes the tries whose outcome is unknown from now on.
    pub(crate) fn raise(&self, tries: UnknownTries) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(tries);
    }

    /// The outcome is known.
    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The tries whose outcome is unknown.
    pub(crate) fn tries(&self) -> Option<UnknownTries> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a panic say how to look for what was written.
    pub(crate) fn explain_panics(&self) {
        let doubt = self.clone();
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            report(panic);
            if let Some(tries) = doubt.tries() {
                eprintln!("{}", how_to_look(tries));
            }
        }));
    }
}

/// What to do before the booking is tried again.
pub(crate) fn how_to_look(tries: UnknownTries) -> String {
    format!(
        "A record may have been written. To look for it before creating another, run again with {}",
        arguments(tries).join(" ")
    )
}

/// The arguments of the next run of the same booking and mapping.
pub(crate) fn arguments(tries: UnknownTries) -> [String; 4] {
    let text = |instant| text_of(instant).unwrap_or_else(|| instant.to_string());
    ["--unknown-since".to_owned(), text(tries.oldest), "--unknown-until".to_owned(), text(tries.newest)]
}

/// An instant of the contract.
pub(crate) fn instant(time: Timestamp) -> u64 {
    // Times before 1970 are mistakes of the clock or the arguments; the earliest instant makes a plugin look far enough back.
    u64::try_from(time.as_millisecond()).unwrap_or(0)
}

fn text_of(instant: u64) -> Option<String> {
    let time = Timestamp::from_millisecond(i64::try_from(instant).ok()?).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_named_to_the_millisecond() {
        let time = |text: &str| instant(text.parse().unwrap());
        let tries = UnknownTries { oldest: time("2026-12-02T08:30:00.001Z"), newest: time("2026-12-02T08:31:00Z") };
        assert!(
            how_to_look(tries)
                .ends_with("--unknown-since 2026-12-02T08:30:00.001Z --unknown-until 2026-12-02T08:31:00.000Z")
        );
    }
}
