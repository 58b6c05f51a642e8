//! Loads CRM plugins and calls them: the library that a scheduling platform embeds.
//!
//! A plugin is a WebAssembly component of the contract in `wit/`. It never holds a credential and reaches nothing but the
//! connected org; this library keeps it so. What a plugin may do is its manifest, narrowed by the operator's [`policy`].
//!
//! ```no_run
//! use std::{path::Path, sync::Arc};
//! use runtime::{Host, credentials::{ClientRegistration, ConnectionId, MemoryStore}, secret::Secret};
//! # use runtime::types::{Booking, History, Mapping};
//! # async fn embed(booking: Booking, mapping: Mapping, history: History) -> Result<(), Box<dyn std::error::Error>> {
//! // Once per process.
//! let host = Host::builder()
//!     .secrets(Arc::new(MemoryStore::default())) // or `store::SqliteStore`, or your own
//!     .registration("salesforce".parse()?, ClientRegistration {
//!         client_id: std::env::var("CLIENT_ID")?,
//!         client_secret: Some(Secret::new(std::env::var("CLIENT_SECRET")?)),
//!     })
//!     .build()?;
//! let plugin = host.load(&std::fs::read(Path::new("salesforce_leads.wasm"))?).await?;
//!
//! // For each confirmed booking; `plugin.broker()` connected the team before.
//! let team = ConnectionId::new("team-42");
//! let called = plugin.on_booking_completed(&team, &booking, &mapping, &history).await?;
//! match called.answer {
//!     Ok(delivery) => println!("Lead {}", delivery.lead_id),
//!     Err(problem) => println!("{}: {:?}", problem.code, problem.reaction),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! One file, one concern: [`inspect`](Inspection) reads a file before anything is compiled, `engine` sets WebAssembly up,
//! [`Host`] loads, [`Plugin`] calls, `session` is one call's state, `imports` is what a plugin may call, `egress` judges its
//! requests, `echo` withholds answers that contain a secret, [`credentials`] speaks OAuth, [`transport`] speaks HTTP.

mod call;
pub mod clock;
pub mod credentials;
mod echo;
mod egress;
mod engine;
mod exports;
mod host;
mod imports;
mod inspect;
pub mod manifest;
mod memory;
pub mod origin;
mod plugin;
pub mod policy;
pub mod secret;
mod session;
pub mod transport;
pub mod types;

pub use call::{CallError, CallErrorKind, Called, RequestNote, Usage};
pub use egress::Denial;
pub use exports::OptionalExports;
pub use host::{Host, HostBuilder, HostError, LoadError};
pub use inspect::{CONTRACT, InspectError, Inspection, MANIFEST_SECTION, MAX_COMPONENT_BYTES};
pub use plugin::Plugin;
