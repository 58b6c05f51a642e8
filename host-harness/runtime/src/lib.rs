//! Loads CRM plugins and calls them: the library that a scheduling platform embeds.
//!
//! A plugin is a WebAssembly component of the contract in `wit/`. This library makes sure that it never holds a credential
//! and reaches nothing but the connected org. A plugin's permissions are its manifest, narrowed by the operator's [`policy`].
//!
//! ```no_run
//! use std::{path::Path, sync::Arc};
//! use crm_host::{Host, manifest::GrantType, secret::Secret};
//! use crm_host::credentials::{Builds, ClientRegistration, ConnectionId, MemoryStore, Registration};
//! # use crm_host::types::{Booking, History, Mapping};
//! # async fn embed(booking: Booking, mapping: Mapping, history: History) -> Result<(), Box<dyn std::error::Error>> {
//! // Once per process.
//! let host = Host::builder()
//!     .secrets(Arc::new(MemoryStore::default())) // or `crm_store::SqliteStore`, or your own
//!     .plugin("salesforce-leads".parse()?, Builds::Sha256(["the digest that `inspect` prints".to_owned()].into()))
//!     .registration("salesforce-leads".parse()?, "salesforce".parse()?, Registration {
//!         client: ClientRegistration {
//!             client_id: std::env::var("SALESFORCE_CLIENT_ID")?,
//!             client_secret: Some(Secret::new(std::env::var("SALESFORCE_CLIENT_SECRET")?)),
//!         },
//!         login_hosts: vec!["https://login.salesforce.com".parse()?, "https://*.my.salesforce.com".parse()?],
//!         grant_types: [GrantType::AuthorizationCode].into(),
//!     })
//!     .build()?;
//! let plugin = host.load(&std::fs::read(Path::new("salesforce_leads.wasm"))?).await?;
//!
//! // For each try to deliver a booking of a team that `plugin.broker()` has connected. `booking` and `mapping` come from
//! // `crm_booking::resolve`, `history` from your ledger, which noted durably that this try begins.
//! let team = ConnectionId::new("team-42");
//! match plugin.on_booking_completed(&team, &booking, &mapping, &history).await {
//!     Ok(called) => match called.answer {
//!         Ok(delivery) => println!("done: {:?}", delivery.records), // keep them: `history.records` of later changes
//!         // `effect` unknown: name this try in `history.unknown_tries`. Then do what `reaction` says.
//!         Err(problem) => println!("{}: {:?}, effect {:?}", problem.code, problem.reaction, problem.effect),
//!     },
//!     // The call failed. It may have written all the same: then handle it like `check-first`.
//!     Err(error) => println!("{}: effect {:?}", error.code(), error.effect()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Each file has one concern: [`inspect`](Inspection) reads a file before anything is compiled, `caps` validates it and limits
//! its complexity, `engine` configures WebAssembly, `compile` compiles under limits, `cache` keeps the result, [`Host`] loads,
//! [`Plugin`] calls, `turns` shares calls out, `session` is the state of one call, `imports` implements what a plugin may call,
//! `egress` checks its requests, `echo` finds secrets in responses, `quarantine` stops a plugin that looks for them, `observe`
//! reports, [`credentials`] is OAuth, [`transport`] is HTTP.

mod cache;
mod call;
mod caps;
pub mod clock;
mod compile;
pub mod credentials;
mod deadline;
mod echo;
mod egress;
mod engine;
mod exports;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod host;
mod imports;
mod inspect;
#[cfg(feature = "inspect-memory")]
mod inspected;
pub mod manifest;
mod memory;
mod observe;
pub mod origin;
mod plugin;
pub mod policy;
mod quarantine;
mod report;
pub mod secret;
mod session;
pub mod transport;
mod turns;

/// The contract's records.
pub use crm_contract as types;

pub use cache::CacheError;
pub use call::{CallError, CallErrorKind, Called, RequestNote, TrapReason, Usage};
pub use caps::Capped;
pub use compile::run_as_compiler;
pub use deadline::{Asked, Deadline};
pub use egress::{Denial, DenialKind};
pub use exports::OptionalExports;
pub use host::{Host, HostBuilder, HostError, LoadError};
pub use inspect::{CONTRACT, InspectError, Inspection, MANIFEST_SECTION, MAX_COMPONENT_BYTES};
pub use observe::{Event, Observed, Outcome as RequestOutcome};
pub use plugin::Plugin;
pub use report::full_message;
