//! Help for people: what a code means and what to do about it. The words are in `locales/`.

mod causes;
#[cfg(test)]
mod tests;

use crate::{
    bindings::{
        guidance::{Actor, AdviceStep, AdviceText},
        types::Parameter,
    },
    salesforce::errors::{explained_alike, explained_like},
    texts::Language,
};
use causes::{CAUSES, Cause, Step};

/// Explains a code in the closest language to a BCP 47 tag; `None` for a code that is not among [`codes`].
pub fn advice(code: &str, particulars: &[Parameter], locale: &str) -> Option<AdviceText> {
    let cause = cause_of(code)?;
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
    let exact = cause.exact.and_then(|text| filled(text.to(language), particulars));
    Some(AdviceText {
        locale: language.tag().to_owned(),
        what: exact.unwrap_or_else(|| cause.what.to(language).to_owned()),
        why: cause.why.to(language).to_owned(),
        steps: steps.collect(),
    })
}

/// All codes that have advice.
pub fn codes() -> Vec<String> {
    let own = CAUSES.iter().flat_map(|cause| cause.codes).copied();
    own.chain(explained_alike().map(|(code, _)| code)).map(str::to_owned).collect()
}

/// Whether a code has advice.
pub fn explains(code: &str) -> bool {
    cause_of(code).is_some()
}

fn cause_of(code: &str) -> Option<&'static Cause> {
    let by_name = |code: &str| CAUSES.iter().find(|cause| cause.codes.contains(&code));
    by_name(code).or_else(|| by_name(explained_like(code)?))
}

/// A text with its variables, `{$name}`, replaced; `None` if one of them is not given.
fn filled(text: &str, particulars: &[Parameter]) -> Option<String> {
    let mut parts = text.split("{$");
    let mut filled = parts.next()?.to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}')?;
        let particular = particulars.iter().find(|particular| particular.name == name)?;
        filled.push_str(&particular.value);
        filled.push_str(rest);
    }
    Some(filled)
}
