//! Shared parts of the acceptance tests.
//!
//! - [`system`]: the real plugin in the real host, connected over real sockets to a local org;
//! - [`scripted`]: any plugin in the real host, with scripted responses: nothing leaves the process;
//! - [`invented_crm`]: the server that `tiny-crm` talks to;
//! - [`chaos`]: real processes that are killed while they deliver;
//! - [`command`]: the command as a person runs it;
//! - [`guests`]: invalid and hostile components; [`bombs`]: those that are costly to load; [`node_host`]: another host for valid ones;
//! - [`memory`]: where each host of these tests begins, so that the memory of its plugins is searched for credentials;
//! - [`judges`]: third-party Salesforce clients; [`recorded`]: responses of real orgs.

pub mod bombs;
pub mod chaos;
pub mod command;
pub mod guests;
pub mod invented_crm;
pub mod judges;
pub mod memory;
pub mod node_host;
pub mod recorded;
pub mod samples;
pub mod scripted;
pub mod system;
