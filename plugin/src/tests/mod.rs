//! Tests of what settings pages ask.

mod checking;
mod listing;
mod previewing;
