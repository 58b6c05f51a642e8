//! The texts, one file per kind of cause.

mod values;

use super::cause::Cause;

/// All causes.
pub static ALL: &[&[Cause]] = &[values::CAUSES];
