//! The form of a text of advice.

use crate::bindings::guidance::{Actor, AdviceStep, AdviceText};

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
    pub who: Actor,
    /// What.
    pub action: Words,
    /// Where: a path of menu labels.
    pub place: Option<Words>,
}

/// A text in both languages.
#[derive(Clone, Copy)]
pub struct Words {
    /// English.
    pub en: &'static str,
    /// Japanese.
    pub ja: &'static str,
}

/// Languages that there are texts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Japanese.
    Japanese,
}

impl Language {
    /// The closest one to a BCP 47 tag.
    pub fn of(locale: &str) -> Self {
        let primary = locale.split(['-', '_']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("ja") { Self::Japanese } else { Self::English }
    }

    /// Its tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Japanese => "ja",
        }
    }
}

impl Words {
    /// The text in that language.
    pub fn in_language(self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::Japanese => self.ja,
        }
    }
}

impl Cause {
    /// The text in that language.
    pub fn in_language(&self, language: Language) -> AdviceText {
        let text = |words: Words| words.in_language(language).to_owned();
        AdviceText {
            locale: language.tag().to_owned(),
            what: text(self.what),
            why: text(self.why),
            steps: self
                .steps
                .iter()
                .map(|step| AdviceStep { who: step.who, action: text(step.action), place: step.place.map(text) })
                .collect(),
        }
    }
}

/// Both languages of a text.
pub const fn words(en: &'static str, ja: &'static str) -> Words {
    Words { en, ja }
}

/// A step of whoever runs the scheduling platform.
pub const fn operator(action: Words) -> Step {
    Step { who: Actor::Operator, action, place: None }
}

/// A step of an owner or admin of the team.
pub const fn team_admin(action: Words) -> Step {
    Step { who: Actor::TeamAdmin, action, place: None }
}

/// A step of the calendar's owner.
pub const fn calendar_owner(action: Words) -> Step {
    Step { who: Actor::CalendarOwner, action, place: None }
}

/// A step of an admin of the CRM.
pub const fn crm_admin(action: Words, place: Words) -> Step {
    Step { who: Actor::CrmAdmin, action, place: Some(place) }
}
