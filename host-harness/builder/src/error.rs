//! Why a build failed.

use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
};

use crm_host::{InspectError, manifest::ManifestError};
use crm_installer::NotInstalled;

/// Why a component could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// No workspace to build from.
    #[error("no cargo workspace at or above {}; run this inside the project's folder", folder.display())]
    NoWorkspace {
        /// Where the search began.
        folder: PathBuf,
    },
    /// The workspace's `Cargo.toml` cannot be read.
    #[error("{} cannot be read as a Cargo.toml", file.display())]
    RootManifest {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: toml::de::Error,
    },
    /// The workspace does not name the Rust version it needs.
    #[error("{}: [workspace.package] has no rust-version such as \"1.95\"", file.display())]
    NoRustVersion {
        /// The file.
        file: PathBuf,
    },
    /// A tool is missing and was not installed.
    #[error(transparent)]
    NotInstalled(#[from] NotInstalled),
    /// A tool is missing even after its packages were installed.
    #[error("{} were installed, yet {purpose} is still missing. {otherwise}", packages.join(" "))]
    StillMissing {
        /// What is missing.
        purpose: &'static str,
        /// What was installed.
        packages: Vec<String>,
        /// What a person can do instead.
        otherwise: &'static str,
    },
    /// Cargo could not be run.
    #[error("{} could not be run", cargo.display())]
    CargoNotRun {
        /// The program.
        cargo: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The package does not compile.
    #[error("cargo could not build {package} for wasm32-unknown-unknown:\n{log}")]
    Compile {
        /// The package.
        package: String,
        /// What cargo printed.
        log: String,
    },
    /// The package does not build a WebAssembly module.
    #[error("{package} builds no WebAssembly module; its Cargo.toml needs `[lib] crate-type = [\"cdylib\", \"rlib\"]`")]
    NoModule {
        /// The package.
        package: String,
    },
    /// The module cannot be encoded as a component.
    #[error("{package} cannot be encoded as a component")]
    Encode {
        /// The package.
        package: String,
        /// The error of the encoder.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The plugin's manifest is invalid.
    #[error("{} is not a valid manifest", file.display())]
    Manifest {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: ManifestError,
    },
    /// No host would load the component.
    #[error("{package} does not match the contract")]
    Refused {
        /// The package.
        package: String,
        /// The cause.
        source: InspectError,
    },
    /// A file could not be read or written.
    #[error("{} could not be read or written", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl BuildError {
    pub(crate) fn file(file: &Path, source: io::Error) -> Self {
        Self::File { file: file.to_owned(), source }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoWorkspace { .. } => "no-workspace",
            Self::RootManifest { .. } | Self::NoRustVersion { .. } => "faulty-workspace",
            Self::NotInstalled(not_installed) => not_installed.code(),
            Self::StillMissing { .. } => "install-failed",
            Self::CargoNotRun { .. } => "cargo-not-run",
            Self::Compile { .. } => "compile-failed",
            Self::NoModule { .. } | Self::Encode { .. } => "no-plugin",
            Self::Manifest { source, .. } => source.code(),
            Self::Refused { source, .. } => source.code(),
            Self::File { .. } => "file-error",
        }
    }
}
