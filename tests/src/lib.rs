//! Under construction.

pub mod guests;
pub mod node_host;
