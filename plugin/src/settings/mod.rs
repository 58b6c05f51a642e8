//! What a settings page asks: the plugin's options, and whether a mapping fits the org and the form.

pub mod check;
pub mod options;
