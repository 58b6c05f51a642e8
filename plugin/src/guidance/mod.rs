//! Help for people: what a code means and what to do about it, in Japanese and English.
//!
//! Texts are written per cause: a cause has several codes where the same thing must be done.

mod cause;
mod places;
#[cfg(test)]
mod tests;
mod texts;

use crate::bindings::guidance::AdviceText;

/// Explains a code; `None` for one that is not among [`codes`].
///
/// `locale` is a BCP 47 tag. Any kind of Japanese gets Japanese, everything else English.
pub fn advice(code: &str, locale: &str) -> Option<AdviceText> {
    let cause = causes().find(|cause| cause.codes.contains(&code))?;
    Some(cause.in_language(cause::Language::of(locale)))
}

/// All codes that have advice.
pub fn codes() -> Vec<String> {
    causes().flat_map(|cause| cause.codes).map(|code| (*code).to_owned()).collect()
}

fn causes() -> impl Iterator<Item = &'static cause::Cause> {
    texts::ALL.iter().copied().flatten()
}
