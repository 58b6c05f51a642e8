//! What characters are to people: which nobody sees, and which look alike.
//!
//! [`class`] is the one table. What follows from it: [`is_blank`] says whether a text has anything to see, [`visible`] removes
//! what nobody sees, and [`is_alike`] compares texts that may be typed differently. Hosts and plugins share it, so that both
//! agree on what is blank.

mod class;
mod digit;
mod fold;
mod visible;

pub use class::{Class, class};
pub use digit::digit;
pub use fold::{comparable, fold, is_alike};
pub use visible::{Visible, has_invisible, is_blank, is_invisible, trimmed, visible};
