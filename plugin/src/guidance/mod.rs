//! Help for people: what a code means and what to do about it, in Japanese and English.
//!
//! Texts are written per cause: a cause has several codes where the same thing must be done.

#[cfg(test)]
mod cause;
mod language;
mod packed;
mod pairs;
#[cfg(test)]
mod places;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod texts;

use crate::bindings::guidance::AdviceText;
use alloc::{borrow::ToOwned, string::String, vec::Vec};
use language::Language;
use packed::Lines;
use pairs::ADVICE;

/// Explains a code; `None` for one that is not among [`codes`].
///
/// `locale` is a BCP 47 tag. Any kind of Japanese gets Japanese, everything else English.
pub fn advice(code: &str, locale: &str) -> Option<AdviceText> {
    let texts = ADVICE.unpack();
    let mut texts = Lines(&texts);
    let causes = texts.causes();
    let cause = causes.iter().find(|cause| cause.codes().any(|own| own == code))?;
    cause.text(texts, &causes, Language::of(locale))
}

/// All codes that have advice.
pub fn codes() -> Vec<String> {
    let texts = ADVICE.unpack();
    let mut codes = Vec::new();
    for cause in Lines(&texts).causes() {
        codes.extend(cause.codes().map(str::to_owned));
    }
    codes
}
