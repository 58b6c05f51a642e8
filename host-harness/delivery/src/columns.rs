//! What a ledger in SQL keeps in columns of their own, so that queries can read it.

use crm_booking::Kind;
use crm_contract::Effect;

use crate::{Ended, Progress, State};

/// The name of what happened to a booking.
pub fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Confirmed => "confirmed",
        Kind::Rescheduled => "rescheduled",
        Kind::Cancelled => "cancelled",
    }
}

/// What a [`kind_name`] names.
pub fn kind_named(name: &str) -> Option<Kind> {
    [Kind::Confirmed, Kind::Rescheduled, Kind::Cancelled].into_iter().find(|kind| kind_name(*kind) == name)
}

/// The code under which an entry is listed and counted: why it waits.
pub fn code(progress: &Progress) -> Option<&str> {
    let is_shown = !progress.state.is_final() && progress.state != State::Delivering;
    progress.cause.as_ref().filter(|_| is_shown).map(|cause| cause.code.as_str())
}

/// What the list of tries says of one that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// `delivered`, `not-called`, or the code of the problem.
    pub code: String,
    /// What the plugin said to do next.
    pub reaction: Option<String>,
    /// Whether the try may have written something: `none` or `unknown`.
    pub effect: &'static str,
}

impl Outcome {
    /// That of a try.
    pub fn of(ended: &Ended) -> Self {
        let effect_name = |effect: Effect| if effect == Effect::Unknown { "unknown" } else { "none" };
        match ended {
            Ended::Delivered(_) => Self { code: "delivered".to_owned(), reaction: None, effect: "none" },
            Ended::Refused(problem) => Self {
                code: problem.code.clone(),
                reaction: Some(problem.reaction.name().to_owned()),
                effect: effect_name(problem.effect),
            },
            Ended::Stopped { code, effect } => {
                Self { code: code.clone(), reaction: None, effect: effect_name(*effect) }
            }
            Ended::NotCalled => Self { code: "not-called".to_owned(), reaction: None, effect: "none" },
        }
    }
}
