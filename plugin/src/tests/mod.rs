//! Tests of what settings pages ask, and of what a call costs.

mod checking;
mod listing;
mod memory;
mod previewing;
