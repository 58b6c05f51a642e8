//! Why a check or one of its steps fails.

use crm_host::{
    CallError, HostError, InspectError, LoadError,
    credentials::{ConnectError, DisconnectError, OpenError, RefreshError, StoreError},
    policy::PolicyError,
    transport::TransportError,
};

/// Why a check cannot start, or a transcript cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LiveCheckError {
    /// The org is named, but not its client.
    #[error("{0} is not set; the org needs the consumer key and secret of an app with the client-credentials flow")]
    Incomplete(&'static str),
    /// The plugin cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The component is not a plugin.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// The policy does not fit.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The machine cannot run WebAssembly.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The org refused the client.
    #[error("the org could not be connected")]
    Connect(#[from] ConnectError),
    /// A line of a transcript is invalid.
    #[error("line {line} is not a line of a transcript; use a file that `live-check` wrote")]
    Transcript {
        /// Number of the line, from 1.
        line: usize,
        /// The cause.
        source: serde_json::Error,
    },
    /// The transcript has no describe result.
    #[error(
        "the transcript has no describe result, so no org can be made from it; its steps `doctor` and `describe` must have succeeded"
    )]
    NoDescribe,
    /// The describe result cannot become an org.
    #[error(transparent)]
    Org(#[from] salesforce_local_org::FileError),
    /// The org file cannot be written as TOML.
    #[error("the org file cannot be written")]
    OrgFile(#[from] toml::ser::Error),
    /// The cases file cannot be parsed.
    #[error("the cases cannot be parsed; use the file that `live-check --from-transcript` wrote")]
    UnreadableCases(#[source] serde_json::Error),
    /// Cases or transcript have no JSON form.
    #[error("the result cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl LiveCheckError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Incomplete(_) => "live-check-incomplete",
            Self::Load(error) => error.code(),
            Self::Inspect(error) => error.code(),
            Self::Policy(error) => error.code(),
            Self::Host(error) => error.code(),
            Self::Connect(error) => error.code(),
            Self::Transcript { .. } => "transcript-invalid",
            Self::NoDescribe => "transcript-without-describe",
            Self::Org(error) => error.code(),
            Self::UnreadableCases(_) => "cases-invalid",
            Self::OrgFile(_) | Self::Json(_) => "import-not-written",
        }
    }

    /// Whether the operator's input is at fault.
    pub fn is_input(&self) -> bool {
        !matches!(self, Self::Host(_) | Self::Connect(_) | Self::OrgFile(_) | Self::Json(_))
    }
}

/// Why a step reached no verdict.
#[derive(Debug, thiserror::Error)]
pub enum Obstacle {
    /// An earlier step did not deliver what this one needs.
    #[error("needs the step `{0}`")]
    Needs(&'static str),
    /// The org could not be connected.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The call failed.
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
    /// The org did not respond.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The response lacks what was requested.
    #[error("the org's response with status {0} lacks what was requested")]
    Unreadable(u16),
    /// The plugin lists a field twice.
    #[error("the fields that the plugin lists cannot be mapped")]
    Mapping(#[from] crm_booking::MappingFault),
    /// A request cannot be built.
    #[error("the request cannot be built: {0}")]
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
            Self::Mapping(_) => "fields-unmappable",
            Self::Request(_) => "request-invalid",
        }
    }
}
