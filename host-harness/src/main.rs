//! The `host-harness` command.
fn main() {}
