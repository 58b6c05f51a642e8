//! What the plugin does to texts character by character, beside what `crm-characters` does for every host and plugin. The workspace's
//! profile `plugin` compiles both crates for speed and the rest for size: a function belongs here if it has a loop over the
//! characters of values, names or memos.

pub mod charset;
pub mod json;
mod scan;

pub use scan::split;
