//! Under construction.

pub mod component;
pub mod install;
