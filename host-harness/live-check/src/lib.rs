//! Tries the Salesforce plugin against a real org, step by step, and keeps what the org answered.
//!
//! The steps ([`STEPS`]) use the plugin in the real host, as a platform does. What a plugin may not do is done beside it with
//! the same grant ([`Subject::send`]): reading the raw describe result, posting what the plugin would never send, and deleting
//! the test Leads. All of it passes one [`Recorder`], which keeps a [`Transcript`] without tokens, ids, names or values.
//! [`Imported`] makes an org file and cases of a transcript, and [`hold`] sends the cases to such an org, so that the local
//! org is held against the real one.
//!
//! This room knows Salesforce, so that neither `runtime` nor the command has to.

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
pub use replay::{Held, hold};
pub use steps::{Ending, Outcome, STEPS, Step, StepReport, Summary, run};
pub use subject::{Answer, Operation, Subject};
pub use transcript::{Case, Exchange, Line, ReportedError, Transcript};
