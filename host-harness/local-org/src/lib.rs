//! A Salesforce org that runs on this machine.
//!
//! It speaks Salesforce's HTTP API on loopback, as far as a Lead connector uses it: the OAuth pages and endpoints,
//! versions, limits, describe, create, read, update, delete and upsert of Leads, the composite resources, and a subset
//! of SOQL. It is a test server, and a tool for people who have no org at hand.
//!
//! An [`OrgFile`] (TOML) configures an org. Every key is optional; unknown keys and rules that can never match are errors.
//! The crate includes 14 orgs ([`OrgFile::built_in`]), and [`OrgFile::from_describe`] makes one from the describe result
//! of a real org. `docs/local-org.md` lists all keys.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let running = salesforce_local_org::serve(salesforce_local_org::OrgFile::enterprise()?, salesforce_local_org::Options::default()).await?;
//! println!("{} with client id {}", running.base_url(), running.app().client_id);
//! assert!(running.org().leads().is_empty());
//! running.stop().await;
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
//! ```
//!
//! # The admin API
//!
//! A separate port ([`RunningOrg::admin_url`]) controls the org in ways that no real org offers. Bodies are JSON.
//!
//! | request | effect |
//! | --- | --- |
//! | `GET /leads` | lists the Leads |
//! | `GET /requests`, `DELETE /requests` | reads or clears the request log, which never contains a secret |
//! | `GET /faults`, `POST /faults`, `DELETE /faults` | lists, adds or removes faults; see [`Fault`] and `docs/local-org.md` |
//! | `POST /clock` `{"seconds": 86400}` | advances the clock |
//! | `POST /callbacks` `{"url": "..."}` | registers a callback URL |
//! | `POST /tokens/expire`, `POST /tokens/revoke` | ends all sessions or all grants |
//!
//! `GET /` of the org itself shows its Leads and requests as a page.
//!
//! # Where it differs from Salesforce
//!
//! - Only Lead can be written and described. Organization, User, RecordType and queues (Group) can be read. Search, the
//!   Bulk API, SOAP, `composite/graph` and child records in `composite/tree` are not supported.
//! - Duplicate rules compare fields for equality, not fuzzily. A matched Contact cannot be read.
//! - References must be ids: a nested `{"Owner": {"Username": "..."}}` is rejected as an unknown field.
//! - Picklist labels, layouts and messages are not translated into the user's language.
//! - The allow page is shown at every authorization, even to a user who has approved the app before.
//! - No `id_token` is issued, and client assertions are rejected.
//! - Fiscal years are calendar years.

// A describe result is one long `json!`.
#![recursion_limit = "256"]

mod admin;
mod clock;
mod fault;
mod file;
mod formula;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod html;
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
mod value;
pub mod visitor;

pub use clock::Clock;
pub use fault::{Effect, Fault};
pub use file::{
    Api, App, AppAccess, AssignmentRule, DuplicateAction, DuplicateRule, Encryption, Field, FieldType, FileError,
    Matched, OrgFile, PicklistValue, RecordType, RefreshPolicy, Trigger, User, ValidationRule,
};
pub use log::LogEntry;
pub use org::{AppCredentials, Org};
pub use running::{Options, RunningOrg, ServeError, serve};
