//! Tests the Salesforce plugin against a real org step by step, and records the org's responses.
//!
//! The steps ([`STEPS`]) use the plugin in the real host, as a platform does. Requests that the plugin does not make use the
//! same grant ([`Subject::send`]): reading the raw describe result, posting invalid Leads, and deleting the test Leads. All
//! requests pass one [`Recorder`], which keeps a [`Transcript`] without tokens, ids, names or values. [`Imported`] makes an
//! org file and cases from a transcript, and [`replay`] sends the cases to such an org, to compare the local org with the
//! real one.
//!
//! This crate knows Salesforce, so that neither `runtime` nor the command has to.

mod error;
mod import;
mod recorder;
mod redaction;
mod replay;
mod samples;
mod steps;
mod subject;
mod transcript;

pub use error::{LiveCheckError, Obstacle};
pub use import::Imported;
pub use recorder::Recorder;
pub use replay::{Replayed, replay};
pub use samples::TEST_COMPANY;
pub use steps::{Ending, Outcome, STEPS, Step, StepReport, Summary, run};
pub use subject::{Answer, Operation, Subject};
pub use transcript::{Case, Exchange, Line, ReportedError, Transcript};
