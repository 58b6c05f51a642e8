//! The records of the contract `scheduling:crm` as Rust types.
//!
//! They mirror `types`, `settings`, `connection` and `guidance` in `wit/`, which documents units, limits and who validates
//! what. In JSON, names are those of the WIT with `_` for `-`; absent options and empty lists may be left out, and unknown names
//! are errors.
//!
//! With feature `component` they cross a component's boundary in wasmtime. A host checks a plugin's types when it loads it,
//! so a difference from the WIT is a load error and never a wrong value. With feature `guest` they serve as a plugin's own
//! types: `wit_bindgen::generate!({ with: { "scheduling:crm/types@0.1.0": crm_contract }, .. })`.

mod booking;
mod connection;
mod delivery;
mod enumeration;
mod field;
mod guidance;
mod mapping;
mod settings;
mod size;

pub use booking::{Booking, BookingKind, Instant, More, Parameter, RecordRef};
pub use connection::{Account, Fact, OauthError, OauthStage};
pub use delivery::{
    Consequence, Delivery, Effect, Finding, FurtherError, History, Outcome, Problem, Reaction, UnknownTries,
};
pub use field::{Choice, Field, FieldList, FieldType, WithheldField};
pub use guidance::{Actor, AdviceStep, AdviceText};
pub use mapping::{Mapping, Row, SourceKind, Value};
pub use settings::{
    Checked, Expectation, OptionChoice, OptionGroup, PlannedAction, PlannedStep, PreviewResult, PreviewValue,
};
pub use size::{ARGUMENTS, RESULT, SizeLimits, TooLarge};
