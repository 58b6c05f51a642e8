//! A Salesforce org that runs on this machine.
//!
//! It answers over HTTP on loopback as Salesforce does, for the parts that a connector of Leads uses: the OAuth pages
//! and endpoints, versions, limits, describe, create, read, update, delete and upsert of Leads, the composite family,
//! and a subset of SOQL. It is a test server, and a tool for people who have no org at hand.
//!
//! What makes one org differ from another is an [`OrgFile`]: TOML in which every key may be left out, and unknown keys and
//! rules that can never hold are errors. Fourteen come with the crate ([`OrgFile::built_in`]), and
//! [`OrgFile::from_describe`] makes one from the describe result of a real org. `docs/local-org.md` has all keys.
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
//!
//! # The admin API
//!
//! On a port of its own ([`RunningOrg::admin_url`]) the org takes orders that no real org takes. Bodies are JSON.
//!
//! | request | effect |
//! | --- | --- |
//! | `GET /leads` | the Leads |
//! | `GET /requests`, `DELETE /requests` | reads, empties the request log, which never shows a secret |
//! | `GET /faults`, `POST /faults`, `DELETE /faults` | reads, sets, takes back faults; see [`Fault`] and `docs/local-org.md` |
//! | `POST /clock` `{"seconds": 86400}` | lets time pass |
//! | `POST /callbacks` `{"url": "..."}` | registers a callback URL |
//! | `POST /tokens/expire`, `POST /tokens/revoke` | ends all sessions, all grants |
//!
//! `GET /` of the org itself shows its Leads and requests as a page.
//!
//! # Where it differs from Salesforce
//!
//! - Only Lead can be written and described. Organization, User, RecordType and queues (Group) can be read. There is no
//!   search, no bulk API, no SOAP, no `composite/graph`, and in `composite/tree` nothing that belongs to a Lead.
//! - Duplicate rules compare fields for equality, not fuzzily. A Contact that one matches cannot be read.
//! - References are ids: a nested `{"Owner": {"Username": "..."}}` is refused as an unknown field.
//! - Picklist labels, layouts and messages are not translated by the user's language.
//! - The allow page is shown at every authorisation, also to a user who has approved the app before.
//! - No `id_token` is issued, and client assertions are refused.
//! - Fiscal years are the calendar's.

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
mod value;
pub mod visitor;

pub use clock::Clock;
pub use fault::{Effect, Fault};
pub use file::{
    Api, App, AppAccess, AssignmentRule, DuplicateAction, DuplicateRule, Field, FieldType, FileError, Matched, OrgFile,
    PicklistValue, RecordType, RefreshPolicy, Trigger, User, ValidationRule,
};
pub use log::LogEntry;
pub use org::{AppCredentials, Org};
pub use running::{Options, RunningOrg, ServeError, serve};
