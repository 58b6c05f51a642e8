//! What may be left at an org if the command ends now.
//!
//! The command has no ledger, so the person who runs it must remember what a ledger would. Every way to end says how: a result, an
//! error, an interrupt, a panic, an output that nobody reads. Only a process that is killed cannot; the help of `run` says what to do
//! then.

use std::sync::{Arc, Mutex, PoisonError};

use crm_contract::UnknownTries;
use crm_texts::{Language, Texts};
use jiff::Timestamp;
use salesforce_live_check::TEST_COMPANY;

/// What may be left at an org.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Records of these tries.
    Tries(UnknownTries),
    /// Test Leads of a live check.
    TestLeads,
    /// Whatever it was, at an org that ends with the command.
    AtLocalOrg,
}

impl Left {
    /// The tries that may have written something.
    pub(crate) fn tries(self) -> Option<UnknownTries> {
        match self {
            Self::Tries(tries) => Some(tries),
            Self::TestLeads | Self::AtLocalOrg => None,
        }
    }

    /// What to do about it.
    pub(crate) fn advice(self, say: &Texts) -> String {
        match self {
            Self::Tries(tries) => say.look_first(arguments(tries).join(" ")),
            Self::TestLeads => say.test_leads_left(TEST_COMPANY),
            Self::AtLocalOrg => say.nothing_left(),
        }
    }
}

/// What the running command may leave.
#[derive(Clone, Default)]
pub(crate) struct Doubt(Arc<Mutex<Option<Left>>>);

impl Doubt {
    /// Notes what may be left from now on.
    pub(crate) fn raise(&self, left: Left) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(left);
    }

    /// Nothing is left that the person does not know of.
    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What may be left.
    pub(crate) fn left(&self) -> Option<Left> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a panic say what may be left.
    pub(crate) fn explain_panics(&self, language: Language) {
        let doubt = self.clone();
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            report(panic);
            if let Some(left) = doubt.left() {
                eprintln!("{}", left.advice(&Texts::new(language)));
            }
        }));
    }
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
        for language in [Language::English, Language::Japanese] {
            assert!(
                Left::Tries(tries)
                    .advice(&Texts::new(language))
                    .ends_with("--unknown-since 2026-12-02T08:30:00.001Z --unknown-until 2026-12-02T08:31:00.000Z")
            );
        }
    }
}
