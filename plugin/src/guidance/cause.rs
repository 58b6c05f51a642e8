//! The form in which the texts of advice are written. The build packs them; the component has only what is packed.

/// Why something went wrong, for all the codes that say so.
pub struct Cause {
    /// The codes.
    pub codes: &'static [&'static str],
    /// What happened, in a sentence.
    pub what: Words,
    /// Why.
    pub why: Words,
    /// What to do, in order.
    pub steps: &'static [Step],
}

/// One thing to do.
pub struct Step {
    /// Who does it.
    pub who: Who,
    /// What.
    pub action: Words,
    /// Where: a path of menu labels.
    pub place: Option<Words>,
}

/// Who does a step. The letter stands for it where texts are packed.
#[derive(Clone, Copy)]
pub enum Who {
    /// Whoever runs the scheduling platform.
    Operator = b'o' as isize,
    /// An owner or admin of the team.
    TeamAdmin = b't' as isize,
    /// The calendar's owner.
    CalendarOwner = b'c' as isize,
    /// An admin of the CRM.
    CrmAdmin = b's' as isize,
}

/// A text in both languages.
#[derive(Clone, Copy)]
pub struct Words {
    /// English.
    pub en: &'static str,
    /// Japanese.
    pub ja: &'static str,
}

/// Both languages of a text.
pub const fn words(en: &'static str, ja: &'static str) -> Words {
    Words { en, ja }
}

/// A step of whoever runs the scheduling platform.
pub const fn operator(action: Words) -> Step {
    Step { who: Who::Operator, action, place: None }
}

/// A step of an owner or admin of the team.
pub const fn team_admin(action: Words) -> Step {
    Step { who: Who::TeamAdmin, action, place: None }
}

/// A step of the calendar's owner.
pub const fn calendar_owner(action: Words) -> Step {
    Step { who: Who::CalendarOwner, action, place: None }
}

/// A step of an admin of the CRM.
pub const fn crm_admin(action: Words, place: Words) -> Step {
    Step { who: Who::CrmAdmin, action, place: Some(place) }
}
