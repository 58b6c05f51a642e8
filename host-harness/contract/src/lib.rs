//! The records of the contract `scheduling:crm` as Rust types.
//!
//! They mirror `types`, `settings`, `connection` and `guidance` in `wit/`, which documents units, limits and who validates
//! what. In JSON, names are those of the WIT with `_` for `-`; absent options may be left out, and unknown names are errors.
//!
//! With feature `component` they cross a component's boundary in wasmtime. A host checks a plugin's types when it loads it,
//! so a difference from the WIT is a load error and never a wrong value. With feature `guest` they serve as a plugin's own
//! types: `wit_bindgen::generate!({ with: { "scheduling:crm/types@0.1.0": crm_contract }, .. })`.

mod answer_json;
mod booking;
mod delivery;
mod enumeration;
mod field;
mod guidance;
mod mapping;
mod settings;

/// The name that `wit-bindgen` gives the record `guest`: its own trait is called `Guest`.
#[cfg(feature = "guest")]
#[doc(hidden)]
pub use booking::Guest as Guest_;
pub use booking::{
    Answer, AnswerValue, Booking, BookingKind, Calendar, Guest, Parameter, Payment, Person, Place, PlaceKind, Question,
    QuestionKind, Team,
};
pub use delivery::{Consequence, Delivery, Finding, FurtherError, History, Outcome, Problem, Reaction, UnknownTries};
pub use field::{FieldType, LeadField, LeadFields, PicklistValue, RecordType, WithheldField, WithheldReason};
pub use guidance::{Account, Actor, AdviceStep, AdviceText, CallUsage, OauthError, OauthStage};
pub use mapping::{ChosenOption, Mapping, MappingRow, Source};
pub use settings::{
    LocalizedText, OptionChoice, OptionGroup, OptionSource, PlannedAction, PreviewResult, PreviewValue,
};
