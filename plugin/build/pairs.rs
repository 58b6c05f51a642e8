//! Byte pair encoding, of characters: the pair that is met most often becomes a code of its own, again and again (P. Gage, "A New
//! Algorithm for Data Compression", The C Users Journal, February 1994).
//!
//! Inflating gives texts of two thirds the size, but its code weighs as much as they do; undoing pairs takes a few lines
//! (`src/guidance/pairs.rs`). Codes of whole bytes are packed further where the component is sent compressed.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// More pairs make the text shorter, but the component, packed as it is sent, larger.
const PAIRS: u32 = 80;
/// No character.
const FIRST_PAIR: u32 = 0x11_0000;

/// Packs a text, as Rust source of a `Packed`.
pub fn pack(text: &str) -> String {
    let mut codes: Vec<u32> = text.chars().map(u32::from).collect();
    let mut pairs = BTreeMap::new();
    for pair in FIRST_PAIR..FIRST_PAIR + PAIRS {
        let parts = most_frequent(&codes);
        codes = replaced(&codes, parts, pair);
        pairs.insert(pair, parts);
    }
    let order = by_frequency(&codes, &pairs);
    // The most frequent take one byte. The others take two, and the first of these tells how many times 256 they are behind.
    let single = (0..=256).rev().find(|single| single + (256 - single) * 256 >= order.len()).unwrap_or_default();
    let places: BTreeMap<u32, usize> = order.iter().enumerate().map(|(place, code)| (*code, place)).collect();
    // Every code has its place.
    let place = |code: &u32| places.get(code).copied().unwrap_or_default();
    let pairs: BTreeSet<[usize; 3]> =
        pairs.iter().map(|(pair, [first, second])| [pair, first, second].map(place)).collect();
    let characters: String = order.iter().filter_map(|code| char::from_u32(*code)).collect();
    let mut packed = Vec::new();
    for code in codes {
        let code = place(&code);
        match code.checked_sub(single) {
            None => packed.push(code),
            Some(behind) => packed.extend([single + behind / 256, behind % 256]),
        }
    }
    let mut source = String::new();
    let _ = write!(
        source,
        "Packed {{ single: {single}, characters: {characters:?}, pairs: &{pairs:?}, codes: &{packed:?} }}"
    );
    source.replace("&{", "&[").replace("}, codes", "], codes")
}

fn most_frequent(codes: &[u32]) -> [u32; 2] {
    let mut counts: BTreeMap<[u32; 2], u32> = BTreeMap::new();
    for pair in codes.array_windows() {
        *counts.entry(*pair).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(pair, _)| pair).unwrap_or_default()
}

fn replaced(codes: &[u32], pair: [u32; 2], by: u32) -> Vec<u32> {
    let mut replaced = Vec::with_capacity(codes.len());
    let mut rest = codes;
    while let [first, after @ ..] = rest {
        (rest, _) = match after {
            [second, after @ ..] if [*first, *second] == pair => (after, replaced.push(by)),
            _ => (after, replaced.push(*first)),
        };
    }
    replaced
}

/// All codes that are in use, the most frequent first.
fn by_frequency(codes: &[u32], pairs: &BTreeMap<u32, [u32; 2]>) -> Vec<u32> {
    let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
    for code in codes.iter().chain(pairs.values().flatten()) {
        *counts.entry(*code).or_default() += 1;
    }
    let mut order: Vec<u32> = counts.keys().copied().collect();
    order.sort_by_key(|code| Reverse(counts.get(code)));
    order
}
