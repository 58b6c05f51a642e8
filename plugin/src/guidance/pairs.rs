//! Texts as the build packs them (`build/pairs.rs`): half their size, for what is asked for once in a while.

use alloc::{string::String, vec::Vec};

/// A packed text.
pub struct Packed {
    /// How many codes take one byte. The others take two, the first of which is this number at least.
    single: usize,
    /// What the codes that are no pairs stand for, in the order of the codes.
    characters: &'static str,
    /// The codes that stand for two others, in their order, each with those two.
    pairs: &'static [[u16; 3]],
    /// The text in codes.
    codes: &'static [u8],
}

/// The texts of advice.
pub static ADVICE: Packed = include!(concat!(env!("OUT_DIR"), "/advice"));

/// What a code stands for.
#[derive(Clone, Copy)]
enum Meaning {
    Character(char),
    Pair(u16, u16),
}

impl Packed {
    /// The text.
    pub fn unpack(&self) -> String {
        let meanings = self.meanings();
        let mut text = String::new();
        let mut behind = 0;
        for byte in self.codes {
            let byte = usize::from(*byte);
            if behind == 0 && byte >= self.single {
                behind = self.single + (byte - self.single) * 256;
            } else {
                push(behind + byte, &meanings, &mut text);
                behind = 0;
            }
        }
        text
    }

    fn meanings(&self) -> Vec<Meaning> {
        let mut meanings = Vec::new();
        let mut characters = self.characters.chars();
        let mut pairs = self.pairs;
        loop {
            meanings.push(match pairs {
                [[code, first, second], rest @ ..] if usize::from(*code) == meanings.len() => {
                    pairs = rest;
                    Meaning::Pair(*first, *second)
                }
                _ => match characters.next() {
                    Some(character) => Meaning::Character(character),
                    None => return meanings,
                },
            });
        }
    }
}

fn push(code: usize, meanings: &[Meaning], text: &mut String) {
    match meanings.get(code) {
        Some(Meaning::Pair(first, second)) => {
            push((*first).into(), meanings, text);
            push((*second).into(), meanings, text);
        }
        Some(Meaning::Character(character)) => text.push(*character),
        None => {}
    }
}
