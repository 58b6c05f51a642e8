//! The contract's records as Rust types and as JSON.
//!
//! They mirror `wit/types.wit`, `settings.wit`, `connection.wit` and `guidance.wit`, which hold the documentation: units,
//! limits, and who validates what. A plugin is held against them when it is loaded, so a difference is a load error and
//! never a wrong value. In JSON the names are those of the WIT with `_` for `-`; absent options may be left out, and
//! unknown names are errors.

mod answer_json;
mod booking;
mod delivery;
mod field;
mod guidance;
mod mapping;
mod settings;

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
