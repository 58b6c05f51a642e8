//! The connected org as the core sees it: the only seam between the plugin and the world.

use crate::bindings::{
    http::{Failure, Request, Response},
    secrets::SecretError,
};

/// The connected org. In the component this is the opened credential and the host's HTTP; in tests it is a script.
pub trait Org {
    /// The origin of the org, without a slash at the end.
    fn origin(&self) -> String;

    /// A public fact about the connection, for example `org-id` or `user-id`.
    fn attribute(&self, name: &str) -> Option<String>;

    /// Sends a request with the credential attached, and waits for the whole response.
    fn send(&mut self, request: &Request) -> Result<Response, Failure>;
}

/// Opens the org for a call; fails if there is no live connection.
pub trait Connect {
    /// The opened org.
    type Org: Org;

    /// Opens the connection of this call.
    fn connect(&mut self) -> Result<Self::Org, SecretError>;
}
