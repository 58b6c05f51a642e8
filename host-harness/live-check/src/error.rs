//! Why a check, or a step of it, does not come about.

use runtime::{
    CallError, HostError, LoadError,
    credentials::{ConnectError, DisconnectError, OpenError, RefreshError, StoreError},
    manifest::ManifestError,
    policy::PolicyError,
    transport::TransportError,
};

/// Why a check cannot begin, or a transcript cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LiveCheckError {
    /// An org is named, but not how to get in.
    #[error("{0} is not set; the org needs the consumer key and secret of an app that has the client-credentials flow")]
    Incomplete(&'static str),
    /// The plugin cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The manifest is faulty.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The policy does not fit.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// No sandbox on this machine.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The org refused the client.
    #[error("the org could not be connected: {0}")]
    Connect(#[from] ConnectError),
    /// A line of a transcript is not one.
    #[error("line {line} of the transcript: {reason}; give a file that `live-check` has written")]
    Transcript {
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong.
        reason: serde_json::Error,
    },
    /// The transcript has no describe result.
    #[error(
        "the transcript has no describe result, so no org can be made of it; its steps `doctor` and `describe` must have succeeded"
    )]
    NoDescribe,
    /// The describe result makes no org.
    #[error(transparent)]
    Org(#[from] local_org::FileError),
    /// The org file cannot be written as TOML.
    #[error("the org file cannot be written: {0}")]
    OrgFile(#[from] toml::ser::Error),
    /// A file of cases is none.
    #[error("the cases cannot be read: {0}; give the file that `live-check --from-transcript` has written")]
    UnreadableCases(serde_json::Error),
    /// The cases cannot be written as JSON.
    #[error("the cases cannot be written: {0}")]
    Cases(serde_json::Error),
}

impl LiveCheckError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Incomplete(_) => "live-check-incomplete",
            Self::Load(error) => error.code(),
            Self::Manifest(error) => error.code(),
            Self::Policy(error) => error.code(),
            Self::Host(error) => error.code(),
            Self::Connect(error) => error.code(),
            Self::Transcript { .. } => "transcript-invalid",
            Self::NoDescribe => "transcript-without-describe",
            Self::Org(error) => error.code(),
            Self::UnreadableCases(_) => "cases-invalid",
            Self::OrgFile(_) | Self::Cases(_) => "import-not-written",
        }
    }

    /// Whether what the operator gave is at fault.
    pub fn is_input(&self) -> bool {
        !matches!(self, Self::Host(_) | Self::Connect(_) | Self::OrgFile(_) | Self::Cases(_))
    }
}

/// Why a step came to no verdict of its own.
#[derive(Debug, thiserror::Error)]
pub enum Obstacle {
    /// An earlier step did not give what this one works on.
    #[error("needs the step `{0}`")]
    Needs(&'static str),
    /// The org could not be connected.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The plugin came to no answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The credential cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The credential cannot be refreshed.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    /// The credential cannot be removed.
    #[error(transparent)]
    Disconnect(#[from] DisconnectError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The org gave no answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The org answered, but not what was asked for.
    #[error("the org answered {0} without what was asked for")]
    Unreadable(u16),
    /// A request cannot be written.
    #[error("the request cannot be written: {0}")]
    Request(String),
}

impl Obstacle {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Needs(_) => "needs-step",
            Self::Connect(error) => error.code(),
            Self::Call(error) => error.code(),
            Self::Open(error) => error.code(),
            Self::Refresh(error) => error.code(),
            Self::Disconnect(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Transport(error) => error.code(),
            Self::Unreadable(_) => "answer-unreadable",
            Self::Request(_) => "request-invalid",
        }
    }
}
