//! What the fuzzers run. Each target takes any bytes, and panics if a promise does not hold for them.
//!
//! They are plain functions, so that a test on the stable toolchain runs them over the saved inputs in `tests/fuzz/`; the
//! fuzzers there call them. The inputs are texts where possible, in the form that [`message`] reads.

mod component;
mod credential_echo;
mod manifest;
mod message;
mod oauth_answers;
mod routes;
mod salesforce_answers;
mod soql;
mod spelling;
mod webhooks;

pub use component::component;
pub use credential_echo::credential_echo;
pub use manifest::manifest;
pub use oauth_answers::oauth_answers;
pub use routes::routes;
pub use salesforce_answers::salesforce_answers;
pub use soql::soql;
pub use webhooks::webhooks;

/// A target, by the name of its folder and of its fuzzer.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name.
    pub name: &'static str,
    /// Runs it over an input.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: [Target; 8] = [
    Target { name: "component", run: component },
    Target { name: "credential_echo", run: credential_echo },
    Target { name: "manifest", run: manifest },
    Target { name: "oauth_answers", run: oauth_answers },
    Target { name: "routes", run: routes },
    Target { name: "salesforce_answers", run: salesforce_answers },
    Target { name: "soql", run: soql },
    Target { name: "webhooks", run: webhooks },
];
