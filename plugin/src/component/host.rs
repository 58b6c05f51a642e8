//! The host's imports as an [`Org`].

use crate::{
    bindings::{
        http::{self, Failure, Request, Response},
        secrets::{self, Credential, SecretError},
    },
    salesforce::org::{Connect, Org},
};

/// The credential's name in the manifest.
const CREDENTIAL: &str = "salesforce";

/// The connection that the host makes a call for.
pub struct Host;

impl Connect for Host {
    type Org = Connected;

    fn connect(&mut self) -> Result<Connected, SecretError> {
        secrets::open(CREDENTIAL).map(Connected)
    }
}

/// The connected org.
pub struct Connected(Credential);

impl Org for Connected {
    fn origin(&self) -> String {
        self.0.origin()
    }

    fn attribute(&self, name: &str) -> Option<String> {
        self.0.attribute(name)
    }

    fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        http::send(request, &self.0)
    }
}
