//! Attempts to exhaust the host's resources.

use super::problem;
use crate::bindings::scheduling::crm::types::Problem;
use std::hint::black_box;

const MEBIBYTE: usize = 1 << 20;

/// Loops forever.
pub(crate) fn time() -> Problem {
    let mut count = 0_u64;
    loop {
        count = black_box(count.wrapping_add(1));
    }
}

/// Allocates until stopped; reports how much it got if it was not.
pub(crate) fn memory() -> Problem {
    let mut taken = Vec::new();
    while taken.len() < 4_096 {
        taken.push(black_box(vec![1_u8; MEBIBYTE]));
    }
    problem("ended", format!("{} MiB", taken.len()))
}

/// Recurses without end, with data on the stack at each level.
pub(crate) fn stack() -> Problem {
    problem("ended", deeper(0).to_string())
}

#[expect(unconditional_recursion, reason = "tests a stack overflow")]
fn deeper(level: u64) -> u64 {
    let kept = black_box([level; 64]);
    deeper(level.wrapping_add(1)).wrapping_add(black_box(kept).iter().sum())
}

/// Returns 100,000 strings that share the same mebibyte: little memory here, 100 GB for a host that copies them.
#[expect(unsafe_code, reason = "safe strings cannot overlap; a hostile guest is not bound by Rust's rules")]
pub(crate) fn host_memory() -> Problem {
    let text = "a".repeat(MEBIBYTE).leak();
    // SAFETY: deliberately unsound: the instance ends with this call, before any string is freed.
    let mut overlapping = || unsafe { String::from_raw_parts(text.as_mut_ptr(), MEBIBYTE, MEBIBYTE) };
    Problem { fields: (0..100_000).map(|_| overlapping()).collect(), ..problem("ended", String::new()) }
}
