//! The expected result and number of calls of each case of [`super::paths`], stated independently of the code.

use super::paths::{Case, Earlier, Guest, Key, Kind, Known, Stale};
use super::world::DuplicateRule;
use crate::{
    bindings::types::{Effect, Outcome, Reaction},
    codes,
};

/// What becomes of a booking.
pub type End = Result<Outcome, (&'static str, Reaction, Effect)>;

/// What must become of a case.
#[derive(Debug, PartialEq, Eq)]
pub struct Expected {
    pub end: End,
    pub calls: usize,
    /// The code of the finding about the stale row, where one is due.
    pub finding: Option<&'static str>,
}

/// What becomes of a booking if no answer is lost. Then a problem says that nothing was written.
type Answer = Result<Outcome, (&'static str, Reaction)>;

/// How a case goes on.
struct Way<'c> {
    case: &'c Case,
    calls: usize,
    /// Whether the live fields were asked for.
    knows_fields: bool,
    finding: Option<&'static str>,
}

pub fn expected(case: &Case) -> Expected {
    let mut way = Way { case, calls: 0, knows_fields: false, finding: None };
    let end = way.end().map_err(|(code, reaction)| (code, reaction, Effect::None));
    let end = match end {
        // What was written is unknown if the answer to the write is lost, and else nothing was.
        Ok(Outcome::Created | Outcome::Updated) if case.loses => {
            Err((codes::OUTCOME_UNKNOWN, Reaction::CheckFirst, Effect::Unknown))
        }
        end => end,
    };
    Expected { end, calls: way.calls, finding: way.finding }
}

impl Way<'_> {
    fn end(&mut self) -> Answer {
        let case = self.case;
        if let Kind::Known(lead) | Kind::CancelledKnown(lead) = case.kind {
            // Only what a change writes is written, and nothing is looked for.
            self.calls += 1;
            return match lead {
                Known::There => Ok(Outcome::Updated),
                Known::Gone => Err((codes::LEAD_GONE, Reaction::FixBooking)),
                Known::Converted => Err((codes::LEAD_CONVERTED, Reaction::FixBooking)),
            };
        }
        let (minutes, same, near) = match case.earlier {
            Earlier::None => (None, 0, 0),
            Earlier::Unknown { minutes, same, near } => (Some(minutes), same, near),
        };
        let has_key = case.key != Key::None;
        if case.kind == Kind::Cancelled {
            return self.cancelled(minutes, same);
        }
        let by_address = case.policy != "create-another";

        if case.stale == Stale::OnlySeemsTooLong {
            self.ask_for_fields();
        }
        if by_address || minutes.is_some() || (has_key && case.kind != Kind::New) {
            self.calls += 1;
            if case.guest == Guest::LookUpFails {
                let reaction = if minutes.is_some() { Reaction::CheckFirst } else { Reaction::Retry };
                return Err((codes::ORG_UNREACHABLE, reaction));
            }
            self.look_again(minutes);
            // A look-up that reads a field which is gone is put again.
            let reads_values = minutes.is_some() || case.policy == "fill-empty";
            if reads_values && case.stale == Stale::Gone {
                self.ask_for_fields();
                self.calls += 1;
            }
        }
        if has_key && same > 0 {
            return if case.kind == Kind::KeepsId { self.moved() } else { Ok(Outcome::AlreadyDelivered) };
        }
        if case.kind == Kind::HasKeyOfEarlier {
            return self.moved();
        }
        if minutes.is_some() && has_key {
            self.ask_for_fields();
        }

        // The newest Lead with the guest's address that can be written to.
        let is_old_there = matches!(case.guest, Guest::One | Guest::Several);
        let is_new_there = same + near > 0;
        let existing = by_address && (is_old_there || is_new_there);
        if let Some(minutes) = minutes {
            let is_past = minutes > 10;
            // The key keeps out a second Lead, but not one beside a Lead of somebody else's that took the booking.
            if case.key == Key::Unique {
                if existing && is_new_there && !is_past {
                    return Err((codes::OUTCOME_PENDING, Reaction::CheckFirst));
                }
            } else {
                match (same, near) {
                    (1, _) => return Ok(Outcome::AlreadyDelivered),
                    (2, _) if existing => return Ok(Outcome::AlreadyDelivered),
                    (0, 0) if is_past || existing => {}
                    (0, 0) => return Err((codes::OUTCOME_PENDING, Reaction::CheckFirst)),
                    _ if is_past && existing => {}
                    _ => return Err((codes::OUTCOME_UNCLEAR, Reaction::CheckFirst)),
                }
            }
        }
        if existing {
            return self.used(case.policy, is_new_there);
        }
        self.created(is_new_there)
    }

    /// A cancellation whose Lead is not known: it is looked for by key.
    fn cancelled(&mut self, minutes: Option<u64>, same: usize) -> Answer {
        let has_key = self.case.key != Key::None;
        if has_key {
            self.calls += 1;
            if self.case.guest == Guest::LookUpFails {
                let reaction = if minutes.is_some() { Reaction::CheckFirst } else { Reaction::Retry };
                return Err((codes::ORG_UNREACHABLE, reaction));
            }
        }
        if has_key && same > 0 {
            return self.moved();
        }
        self.finding = Some(codes::RECORD_UNKNOWN);
        Ok(Outcome::Ignored)
    }

    /// An org whose clock is more than an hour behind is asked once more for what a lost try may have made.
    fn look_again(&mut self, minutes: Option<u64>) {
        self.calls += usize::from(minutes.is_some() && self.case.skew < -60);
    }

    /// A new Lead. `is_new_there` says whether there is a recent one like it.
    fn created(&mut self, is_new_there: bool) -> Answer {
        let case = self.case;
        if case.stale == Stale::NewlyRequired {
            // Where the fields are known, it is not even tried.
            if !self.knows_fields {
                self.calls += 1;
                self.ask_for_fields();
            }
            return Err((codes::REQUIRED_FIELD_BLANK, Reaction::FixBooking));
        }
        self.write();
        let matches = match case.guest {
            Guest::One => 1,
            Guest::Several => 2,
            Guest::Unknown | Guest::Converted | Guest::LookUpFails => 0,
        } + usize::from(is_new_there);
        let is_refused = match case.rule {
            DuplicateRule::Inactive => false,
            DuplicateRule::Alert => case.duplicates != "save-anyway",
            DuplicateRule::Block => true,
        };
        if matches == 0 || !is_refused {
            return Ok(Outcome::Created);
        }
        // The rule may hide that the booking has a Lead: its key is read, and with it the Lead that matched.
        let is_used = case.duplicates == "use-match" && matches == 1;
        if case.key != Key::None || is_used {
            self.calls += 1;
            if case.guest == Guest::LookUpFails {
                return Err((codes::ORG_UNREACHABLE, Reaction::Retry));
            }
        }
        if is_used {
            return self.used("fill-empty", is_new_there);
        }
        Err(("DUPLICATES_DETECTED", Reaction::FixBooking))
    }

    /// An existing Lead, by a policy. `is_new` says whether it is a recent one, which has every value that Salesforce accepts.
    fn used(&mut self, policy: &str, is_new: bool) -> Answer {
        let takes_key = self.case.key != Key::None;
        if policy == "keep" {
            return Ok(Outcome::Kept);
        }
        if policy == "fill-empty" && is_new {
            let is_tried = matches!(self.case.stale, Stale::Closed | Stale::TypeChanged) && !self.knows_fields;
            if is_tried {
                self.calls += 1;
                self.ask_for_fields();
            }
            self.finding = None;
            self.left_out();
            if !takes_key {
                return Ok(Outcome::Kept);
            }
            self.calls += 1;
            return Ok(Outcome::Updated);
        }
        self.write();
        Ok(Outcome::Updated)
    }

    /// The Lead of a booking that was moved: the stale row does not come from the meeting.
    fn moved(&mut self) -> Answer {
        self.calls += 1;
        Ok(Outcome::Updated)
    }

    /// A write of all values: a stale one is refused once, and the live fields say why.
    fn write(&mut self) {
        self.calls += 1;
        let is_refused = matches!(self.case.stale, Stale::Gone | Stale::Closed | Stale::TypeChanged | Stale::Shrunk);
        if is_refused && !self.knows_fields {
            self.ask_for_fields();
            self.calls += 1;
        }
        self.left_out();
        if self.case.stale == Stale::Shrunk {
            self.finding = Some(codes::VALUE_SHORTENED);
        }
    }

    fn left_out(&mut self) {
        self.finding = match self.case.stale {
            Stale::Gone => Some(codes::FIELD_GONE),
            Stale::Closed => Some(codes::FIELD_NOT_WRITABLE),
            Stale::TypeChanged => Some(codes::NUMBER_INVALID),
            _ => self.finding,
        };
    }

    fn ask_for_fields(&mut self) {
        self.calls += usize::from(!self.knows_fields);
        self.knows_fields = true;
    }
}
