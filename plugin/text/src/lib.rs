//! What the plugin does to texts character by character. The workspace's profile `plugin` compiles this crate for speed and
//! the rest for size: a function belongs here if it has a loop over the characters of values, names or memos.

pub mod blank;
pub mod json;
mod scan;
pub mod width;

pub use scan::split;
