//! A Salesforce org that runs on this machine.
//!
//! It answers over HTTP on loopback as Salesforce does, for the parts that a connector of Leads uses: the OAuth pages and
//! endpoints, versions, describe, create, read, update, delete and upsert of Leads, and a subset of SOQL. What makes one
//! org differ from another is an [`OrgFile`].
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let running = local_org::serve(local_org::OrgFile::enterprise()?, local_org::Options::default()).await?;
//! println!("{} with client id {}", running.base_url(), running.app().client_id);
//! assert!(running.org().leads().is_empty());
//! running.stop().await;
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
//! ```

// A describe result is one long `json!`.
#![recursion_limit = "256"]

mod admin;
mod clock;
mod fault;
mod file;
mod formula;
mod id;
mod log;
mod message;
mod oauth;
mod org;
mod overview;
mod payload;
mod rest;
mod route;
mod running;
mod schema;
mod server;
mod soql;
mod state;
mod store;
mod token;
pub mod visitor;

pub use clock::Clock;
pub use fault::{Effect, Fault};
pub use file::{
    Api, App, AppAccess, AssignmentRule, DuplicateAction, DuplicateRule, Field, FieldType, FileError, OrgFile,
    PicklistValue, RecordType, RefreshPolicy, Trigger, User, ValidationRule,
};
pub use log::LogEntry;
pub use org::{AppCredentials, Org};
pub use running::{Options, RunningOrg, ServeError, serve};
