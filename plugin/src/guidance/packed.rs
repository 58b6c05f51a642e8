//! The texts as lines (`build.rs`). A cause is a line with its codes, one with a letter for each step's actor, and then for each
//! language what, why, and each step's action and place (an empty line where there is none).

use super::language::Language;
use crate::bindings::guidance::{Actor, AdviceStep, AdviceText};
use alloc::{borrow::ToOwned, vec::Vec};

/// One cause among the texts.
pub struct PackedCause<'a> {
    codes: &'a str,
    actors: &'a str,
    rest: Lines<'a>,
}

impl<'a> PackedCause<'a> {
    /// The first cause, and what follows it.
    pub fn next(lines: &mut Lines<'a>) -> Option<Self> {
        let cause = Self { codes: lines.next()?, actors: lines.next()?, rest: Lines(lines.0) };
        for _ in 0..2 * cause.lines_of_a_language() {
            lines.next();
        }
        Some(cause)
    }

    /// Its codes.
    pub fn codes(&self) -> impl Iterator<Item = &'a str> {
        self.codes.split(' ')
    }

    /// Its text in that language.
    pub fn in_language(mut self, language: Language) -> Option<AdviceText> {
        if language == Language::Japanese {
            for _ in 0..self.lines_of_a_language() {
                self.rest.next();
            }
        }
        let mut advice = AdviceText {
            locale: language.tag().to_owned(),
            what: self.rest.next()?.to_owned(),
            why: self.rest.next()?.to_owned(),
            steps: Vec::new(),
        };
        for letter in self.actors.bytes() {
            let who = match letter {
                b'o' => Actor::Operator,
                b't' => Actor::TeamAdmin,
                b'c' => Actor::CalendarOwner,
                _ => Actor::CrmAdmin,
            };
            let (action, place) = (self.rest.next()?.to_owned(), self.rest.next()?);
            advice.steps.push(AdviceStep { who, action, place: (!place.is_empty()).then(|| place.to_owned()) });
        }
        Some(advice)
    }

    fn lines_of_a_language(&self) -> usize {
        2 + 2 * self.actors.len()
    }
}

/// Lines that were not read yet.
pub struct Lines<'a>(pub &'a str);

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (line, rest) = self.0.split_once('\n')?;
        self.0 = rest;
        Some(line)
    }
}
