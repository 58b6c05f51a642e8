//! How like a Lead is to what a booking writes.

use crate::{
    bindings::types::{Mapping, SourceKind},
    deliver::plan::Entry,
    field::is_same_field,
    mapping,
    salesforce::{lead::Lead, soql::is_field_name},
    settings::options::EMAIL_FIELD,
};

/// How a Lead compares with what a try of unknown outcome may have made of a booking.
///
/// That try may have left out what Salesforce would not take, so that a blank is as good as the value. Two kinds of values
/// must be there, though: those of required fields, which are never left out (at most they are cut, or their fallback stands there),
/// and those that come from the meeting, which tell one booking of a guest from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// It is what that try makes.
    Same,
    /// It may be what somebody or something made of that since: it has the guest's address, or no other value where
    /// there must be this one.
    Near,
    /// Another one.
    Other,
}

/// Whether a Lead has everything that a booking writes.
pub fn has_all(lead: &Lead, entries: &[Entry<'_>]) -> bool {
    entries.iter().all(|entry| lead.has(entry.field, &entry.value))
}

impl Likeness {
    /// Compares a Lead with what a try of unknown outcome may have made.
    pub fn of(lead: &Lead, entries: &[Entry<'_>], mapping: &Mapping) -> Self {
        let (mut is_same, mut is_near, mut is_any) = (true, true, false);
        let mut has_address = false;
        for entry in entries.iter().filter(|entry| is_field_name(&entry.field.name)) {
            let (field, name) = (entry.field, &*entry.field.name);
            let holds = lead.has(field, &entry.value)
                || lead.has_cut(field, &entry.value)
                || entry.fallback(mapping).is_some_and(|value| lead.has(field, &value));
            if holds {
                is_any = true;
                has_address |= is_same_field(name, EMAIL_FIELD);
            } else if field.required
                || is_same_field(name, "LastName")
                || mapping::row(mapping, entry.row).is_some_and(|row| row.source == SourceKind::Meeting)
            {
                is_same = false;
                is_near &= lead.is_blank(name);
            } else {
                is_same &= lead.is_left_out(field);
            }
        }
        if is_same && is_any {
            Self::Same
        } else if is_near || has_address {
            Self::Near
        } else {
            Self::Other
        }
    }
}
