//! Help for people: what a code means and what to do about it. The words are in `locales/`.

mod causes;
#[cfg(test)]
mod tests;

use crate::{
    bindings::guidance::{Actor, AdviceStep, AdviceText},
    texts::Language,
};
use causes::{CAUSES, Step};

/// Explains a code in the closest language to a BCP 47 tag; `None` for a code that is not among [`codes`].
pub fn advice(code: &str, locale: &str) -> Option<AdviceText> {
    let cause = CAUSES.iter().find(|cause| cause.codes.contains(&code))?;
    let language = Language::closest(locale);
    let steps = cause.steps.iter().zip(cause.actions).map(|(step, action)| {
        let (who, place) = match step {
            Step::TeamAdmin => (Actor::TeamAdmin, None),
            Step::CalendarOwner => (Actor::CalendarOwner, None),
            Step::CrmAdmin(place) => (Actor::CrmAdmin, Some(place.to(language).to_owned())),
            Step::Operator => (Actor::Operator, None),
        };
        AdviceStep { who, action: action.to(language).to_owned(), place }
    });
    Some(AdviceText {
        locale: language.tag().to_owned(),
        what: cause.what.to(language).to_owned(),
        why: cause.why.to(language).to_owned(),
        steps: steps.collect(),
    })
}

/// All codes that have advice.
pub fn codes() -> Vec<String> {
    CAUSES.iter().flat_map(|cause| cause.codes).map(|code| (*code).to_owned()).collect()
}
