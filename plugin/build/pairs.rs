//! Byte pair encoding: the pair that is met most often becomes a code of its own, again and again (P. Gage, "A New Algorithm for
//! Data Compression", The C Users Journal, February 1994).
//!
//! Inflating gives texts of two thirds the size, but its code weighs as much as they do; undoing pairs takes a few lines
//! (`src/guidance/pairs.rs`).

use std::{collections::BTreeMap, fmt::Write as _};

/// More pairs make the text shorter, but the component, packed as it is sent, larger.
const PAIRS: usize = 150;
/// No byte.
const FIRST_PAIR: u16 = 256;
const CODES: usize = 256 + PAIRS;

/// Packs a text as Rust source: how many codes take one byte, what each code stands for, and the text in codes.
pub fn pack(text: &str) -> String {
    let mut codes: Vec<u16> = text.bytes().map(u16::from).collect();
    let mut pairs = Vec::new();
    while pairs.len() < PAIRS
        && let Some(pair) = most_frequent(&codes)
    {
        codes = replaced(&codes, pair, FIRST_PAIR + pairs.len() as u16);
        pairs.push(pair);
    }
    let order = by_frequency(&codes, &pairs);
    // Those behind the ones of a single byte take two, and the first of these tells how many times 256 they are behind.
    let single = (0..=255).rev().find(|single| single + (256 - single) * 256 >= order.len()).unwrap_or_default();
    let places: BTreeMap<u16, usize> = order.iter().enumerate().map(|(place, code)| (*code, place)).collect();
    let meanings: Vec<[usize; 2]> = order
        .iter()
        .map(|code| match code.checked_sub(FIRST_PAIR) {
            Some(pair) => pairs[usize::from(pair)].map(|code| places[&code]),
            // A code never is a pair of itself, so that this says that it is a byte.
            None => [places[code], usize::from(*code)],
        })
        .collect();
    let mut packed = Vec::new();
    for code in codes {
        match places[&code].checked_sub(single) {
            None => packed.push(places[&code]),
            Some(behind) => packed.extend([single + behind / 256, behind % 256]),
        }
    }
    let mut source = String::new();
    let _ = write!(source, "Packed {{ single: {single}, meanings: &{meanings:?}, codes: &{packed:?} }}");
    source
}

fn most_frequent(codes: &[u16]) -> Option<[u16; 2]> {
    // A flat table, since this runs unoptimised.
    let mut counts = vec![0_u32; CODES * CODES];
    let mut most = (2, None);
    for pair in codes.array_windows() {
        let [first, second] = pair.map(usize::from);
        let count = &mut counts[first * CODES + second];
        *count += 1;
        if *count > most.0 {
            most = (*count, Some(*pair));
        }
    }
    most.1
}

fn replaced(codes: &[u16], pair: [u16; 2], by: u16) -> Vec<u16> {
    let mut replaced = Vec::with_capacity(codes.len());
    let mut rest = codes;
    while let [first, after @ ..] = rest {
        match after {
            [second, after @ ..] if [*first, *second] == pair => {
                replaced.push(by);
                rest = after;
            }
            _ => {
                replaced.push(*first);
                rest = after;
            }
        }
    }
    replaced
}

/// All codes that are in use, the most frequent first.
fn by_frequency(codes: &[u16], pairs: &[[u16; 2]]) -> Vec<u16> {
    let mut counts: BTreeMap<u16, u32> = BTreeMap::new();
    for code in codes.iter().chain(pairs.as_flattened()) {
        *counts.entry(*code).or_default() += 1;
    }
    let mut order: Vec<u16> = counts.keys().copied().collect();
    order.sort_by_key(|code| std::cmp::Reverse(counts[code]));
    order
}
