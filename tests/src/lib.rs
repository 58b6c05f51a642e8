//! What the acceptance tests share: the system under test, in three shapes.
//!
//! - [`system`] is the real plugin in the real host, connected over real sockets to an org on this machine;
//! - [`scripted`] is any plugin in the real host, whose requests a script answers: nothing leaves the process;
//! - [`command`] is the command as a person runs it;
//! - [`guests`] are components that no honest author would ship, and [`node_host`] is another host for the honest ones;
//! - [`judges`] are clients of Salesforce that others wrote, and [`recorded`] are answers of real orgs.

pub mod command;
pub mod guests;
pub mod judges;
pub mod node_host;
pub mod recorded;
pub mod samples;
pub mod scripted;
pub mod system;
