//! The texts as lines (`build.rs`), like with like, so that they pack well: for each cause a line with its codes and one with a
//! letter for each step's actor; an empty line; and in each language, for each cause what, why, and each step's action and place
//! (an empty line where there is none).

use super::language::Language;
use crate::bindings::guidance::{Actor, AdviceStep, AdviceText};
use alloc::{borrow::ToOwned, vec::Vec};

/// Lines that were not read yet.
#[derive(Clone, Copy)]
pub struct Lines<'a>(pub &'a str);

/// One cause among the texts.
#[derive(Clone, Copy)]
pub struct PackedCause<'a> {
    codes: &'a str,
    actors: &'a str,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (line, rest) = self.0.split_once('\n')?;
        self.0 = rest;
        Some(line)
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.next();
        }
    }

    /// All the causes, which come first. Their texts follow.
    pub fn causes(&mut self) -> Vec<PackedCause<'a>> {
        let mut causes = Vec::new();
        while let Some(codes) = self.next().filter(|codes| !codes.is_empty()) {
            causes.push(PackedCause { codes, actors: self.next().unwrap_or_default() });
        }
        causes
    }
}

impl<'a> PackedCause<'a> {
    /// Its codes.
    pub fn codes(self) -> impl Iterator<Item = &'a str> {
        self.codes.split(' ')
    }

    /// Its text in a language, where the texts begin with `texts` and those of all the causes are `causes`.
    pub fn text(self, mut texts: Lines<'_>, causes: &[Self], language: Language) -> Option<AdviceText> {
        for cause in causes {
            if language == Language::Japanese {
                texts.skip(cause.lines());
            }
        }
        for cause in causes.iter().take_while(|cause| cause.codes != self.codes) {
            texts.skip(cause.lines());
        }
        let mut advice = AdviceText {
            locale: language.tag().to_owned(),
            what: texts.next()?.to_owned(),
            why: texts.next()?.to_owned(),
            steps: Vec::new(),
        };
        for letter in self.actors.bytes() {
            let who = match letter {
                b'o' => Actor::Operator,
                b't' => Actor::TeamAdmin,
                b'c' => Actor::CalendarOwner,
                _ => Actor::CrmAdmin,
            };
            let (action, place) = (texts.next()?.to_owned(), texts.next()?);
            advice.steps.push(AdviceStep { who, action, place: (!place.is_empty()).then(|| place.to_owned()) });
        }
        Some(advice)
    }

    /// How many lines it has in each language.
    fn lines(self) -> usize {
        2 + 2 * self.actors.len()
    }
}
