//! Builds a plugin's component: the command and the tests use the same way.
//!
//! A plugin is a package of the workspace with a `plugin.toml` beside its `Cargo.toml`. Cargo makes a core module of it,
//! `wit-component` makes a component of that, and the manifest becomes a custom section of the component.

mod compile;
mod encode;
mod environment;
mod toolchain;
mod workspace;

pub use encode::embed_manifest;
pub use workspace::Workspace;

use crate::install::{self, NotInstalled};
use compile::Module;
use flate2::{Compression, write::GzEncoder};
use runtime::{
    InspectError, Inspection,
    manifest::{Manifest, ManifestError},
};
use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use toolchain::{Places, Toolchain};

/// How far a build is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Something that a person should know, in a line.
    Announcement(String),
    /// Crates are being compiled.
    Compiling {
        /// Units done.
        done: u32,
        /// Units in all.
        total: u32,
        /// Names of those under way.
        crates: String,
    },
}

/// Where a component's standard library came from. Each gives a component of its own digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandardLibrary {
    /// The toolchain's target brought it.
    Precompiled,
    /// It was built from Debian's source package, by Debian's compiler.
    FromSource,
}

/// A component that was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: usize,
    /// Its size, compressed as gzip does it at best.
    pub gzip_bytes: usize,
    /// Its SHA-256 digest, in hexadecimal digits.
    pub sha256: String,
    /// The file was there already, with the same content.
    pub unchanged: bool,
    /// Where its standard library came from.
    pub standard_library: StandardLibrary,
}

/// Why a component could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no workspace to build from.
    #[error("no cargo workspace at or above {}; run this inside the project's folder", folder.display())]
    NoWorkspace {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// The workspace's manifest is not readable as one.
    #[error("{}: {source}", file.display())]
    RootManifest {
        /// The file.
        file: PathBuf,
        /// Why.
        source: toml::de::Error,
    },
    /// The workspace does not say which Rust it needs.
    #[error("{}: [workspace.package] has no rust-version such as \"1.95\"", file.display())]
    NoRustVersion {
        /// The file.
        file: PathBuf,
    },
    /// What a build needs is not there.
    #[error(transparent)]
    NotInstalled(#[from] NotInstalled),
    /// What a build needs is not there even after its packages were installed.
    #[error("{} were installed, yet {purpose} is still missing. {otherwise}", packages.join(" "))]
    StillMissing {
        /// What is missing.
        purpose: &'static str,
        /// What was installed.
        packages: Vec<String>,
        /// What a person may do instead.
        otherwise: &'static str,
    },
    /// Cargo could not be run.
    #[error("{} could not be run: {source}", cargo.display())]
    CargoNotRun {
        /// Which cargo.
        cargo: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The package does not compile.
    #[error("cargo could not build {package} for wasm32-unknown-unknown:\n{log}")]
    Compile {
        /// The package.
        package: String,
        /// What cargo said.
        log: String,
    },
    /// The package is no plugin.
    #[error("{package} gives no WebAssembly module; its Cargo.toml needs `[lib] crate-type = [\"cdylib\", \"rlib\"]`")]
    NoModule {
        /// The package.
        package: String,
    },
    /// The module is no plugin.
    #[error("{package} cannot become a component: {reason}")]
    Encode {
        /// The package.
        package: String,
        /// Why, from the encoder.
        reason: String,
    },
    /// The plugin's manifest is not accepted.
    #[error("{}: {source}", file.display())]
    Manifest {
        /// The file.
        file: PathBuf,
        /// Why.
        source: ManifestError,
    },
    /// The component would not be loaded by any host.
    #[error("{package} does not keep the contract: {source}")]
    Refused {
        /// The package.
        package: String,
        /// Why.
        source: InspectError,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl BuildError {
    fn file(file: &Path, source: io::Error) -> Self {
        Self::File { file: file.to_owned(), source }
    }

    /// A stable name of the error, for machines.
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

/// Builds the component of a package into a file, and says meanwhile how far it is.
///
/// Several processes may do it at once. What is up to date is not built again.
pub fn build(
    workspace: &Workspace,
    package: &str,
    out: &Path,
    report: &mut dyn FnMut(Progress),
) -> Result<Built, BuildError> {
    let toolchain = toolchain(workspace, report)?;
    let module = compile::compile(workspace, &toolchain, package, report)?;
    let (component, inspection) = assemble(package, &module)?;
    let unchanged = fs::read(out).is_ok_and(|before| before == component);
    if !unchanged {
        replace(out, &component).map_err(|source| BuildError::file(out, source))?;
    }
    Ok(Built {
        path: out.to_owned(),
        bytes: component.len(),
        gzip_bytes: gzip_bytes(&component).map_err(|source| BuildError::file(out, source))?,
        sha256: inspection.sha256,
        unchanged,
        standard_library: toolchain.standard,
    })
}

/// Makes the component, and holds it against what a host accepts: what was built can be loaded.
fn assemble(package: &str, module: &Module) -> Result<(Vec<u8>, Inspection), BuildError> {
    let file = module.package.join("plugin.toml");
    let manifest = fs::read_to_string(&file).map_err(|source| BuildError::file(&file, source))?;
    Manifest::from_toml(&manifest).map_err(|source| BuildError::Manifest { file, source })?;
    let core = fs::read(&module.file).map_err(|source| BuildError::file(&module.file, source))?;
    let mut component = encode::encode(&core)
        .map_err(|error| BuildError::Encode { package: package.to_owned(), reason: format!("{error:#}") })?;
    encode::embed_manifest(&mut component, &manifest);
    let refused = |source| BuildError::Refused { package: package.to_owned(), source };
    let inspection = Inspection::read(&component).map_err(refused)?;
    inspection.check(&component).map_err(refused)?;
    Ok((component, inspection))
}

/// Finds the toolchain, and installs one where it must and may.
fn toolchain(workspace: &Workspace, report: &mut dyn FnMut(Progress)) -> Result<Toolchain, BuildError> {
    let find = || toolchain::find(&Places::of(workspace), workspace.rust_version());
    let found = match find() {
        Ok(found) => found,
        Err(_) => {
            // One process installs; those that waited for it find what they need.
            let file = workspace.target().join("install.lock");
            let _lock = lock(&file).map_err(|source| BuildError::file(&file, source))?;
            if let Err(needed) = find() {
                install::install(&needed, &mut |line| report(Progress::Announcement(line)))?;
            }
            find().map_err(|needed| BuildError::StillMissing {
                purpose: needed.purpose,
                packages: needed.packages,
                otherwise: needed.otherwise,
            })?
        }
    };
    if found.standard == StandardLibrary::FromSource {
        report(Progress::Announcement(
            "The toolchain has no target wasm32-unknown-unknown: Debian's Rust builds the standard library from source."
                .to_owned(),
        ));
    }
    Ok(found)
}

/// Waits for a lock that ends with the file that is returned.
fn lock(path: &Path) -> io::Result<File> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    let file = File::create(path)?;
    file.lock()?;
    Ok(file)
}

/// Replaces a file as a whole, so that nobody ever reads half a component.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().permissions(Permissions::from_mode(0o644)).tempfile_in(folder)?;
    file.write_all(content)?;
    file.persist(path)?;
    Ok(())
}

fn gzip_bytes(content: &[u8]) -> io::Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?.len())
}
