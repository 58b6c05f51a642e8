//! Builds a plugin's component; the command and the acceptance tests share it.
//!
//! A plugin is a package of the workspace with a `plugin.toml` beside its `Cargo.toml`. Cargo compiles it to a core module,
//! `wit-component` turns that into a component, and the manifest is embedded as a custom section. A stamp beside the
//! component records what it was made from, so that an unchanged tree does not run cargo.

mod cargo_home;
mod compile;
mod encode;
mod error;
mod stamp;
mod toolchain;
mod workspace;

use std::{
    fs::{self, File, Permissions},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crm_host::{Inspection, manifest::Manifest};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use encode::embed_manifest;
pub use error::BuildError;
pub use workspace::Workspace;

use compile::Module;
use stamp::Stamp;
use toolchain::{Search, Toolchain};

/// The manifest of a plugin, beside its `Cargo.toml`.
const MANIFEST: &str = "plugin.toml";

/// Progress of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// One line that a person should read.
    Announcement(String),
    /// The toolchain has no wasm32-unknown-unknown target, so that Debian's Rust compiles the standard library from source.
    StandardLibraryFromSource,
    /// Another process holds a lock of cargo's: what it is for, in cargo's words.
    Waiting(String),
    /// Crates are being compiled.
    Compiling {
        /// Finished units.
        done: u32,
        /// All units.
        total: u32,
        /// Names of the crates under way.
        crates: String,
    },
}

/// Where a component's standard library came from. Each source gives a component with its own digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StandardLibrary {
    /// The toolchain's own wasm32 target.
    Precompiled,
    /// Compiled from Debian's source package with Debian's compiler.
    FromSource,
}

/// A built component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The component file.
    pub path: PathBuf,
    /// Size of the file.
    pub bytes: usize,
    /// SHA-256 of the file, in lower-case hex.
    pub sha256: String,
    /// The file already had this content.
    pub unchanged: bool,
    /// Where its standard library came from.
    pub standard_library: StandardLibrary,
}

/// What a compilation made, and the files it depends on.
struct Fresh {
    component: Vec<u8>,
    standard_library: StandardLibrary,
    /// `None` where cargo did not list its inputs: such a component gets no stamp.
    inputs: Option<Vec<PathBuf>>,
}

/// Makes sure that `out` holds the current component of a package.
///
/// Cargo runs only where the component in `target/component` is missing, damaged or older than one of its inputs. Several
/// processes may build at once.
///
/// # Errors
/// When the toolchain is incomplete, the package does not compile, or the result is not a plugin that a host would load.
pub fn build(
    workspace: &Workspace,
    package: &str,
    out: &Path,
    report: &mut dyn FnMut(Progress),
) -> Result<Built, BuildError> {
    build_with(workspace, package, out, || {
        let toolchain = toolchain(workspace, report)?;
        let module = compile::compile(workspace, &toolchain, package, report)?;
        let component = assemble(package, &module)?;
        let inputs = stamp::inputs(workspace, &toolchain, &module);
        Ok(Fresh { component, standard_library: toolchain.standard, inputs })
    })
}

/// Compiles any library of the workspace to a core WebAssembly module, the way a plugin is compiled, and returns the file.
///
/// # Errors
/// When the toolchain is incomplete, or the package does not compile for WebAssembly.
pub fn core_module(
    workspace: &Workspace,
    package: &str,
    report: &mut dyn FnMut(Progress),
) -> Result<PathBuf, BuildError> {
    let toolchain = toolchain(workspace, report)?;
    Ok(compile::compile(workspace, &toolchain, package, report)?.file)
}

fn build_with(
    workspace: &Workspace,
    package: &str,
    out: &Path,
    compile: impl FnOnce() -> Result<Fresh, BuildError>,
) -> Result<Built, BuildError> {
    let file = workspace.component(package);
    let settings = stamp::settings(workspace, package);
    let kept = match Kept::current(&file, &settings) {
        Some(kept) => kept,
        None => Kept::make(&file, settings, compile)?,
    };
    let unchanged = if out == file { kept.unchanged } else { place(out, &kept.component)? };
    Ok(Built {
        path: out.to_owned(),
        bytes: kept.component.len(),
        sha256: kept.sha256,
        unchanged,
        standard_library: kept.standard_library,
    })
}

/// The component in `target/component`.
struct Kept {
    component: Vec<u8>,
    sha256: String,
    standard_library: StandardLibrary,
    unchanged: bool,
}

impl Kept {
    /// The component on disk, if its stamp shows that a build would make the same one.
    fn current(file: &Path, settings: &str) -> Option<Self> {
        let stamp = Stamp::read(&stamp::path(file)).filter(|stamp| stamp.holds(settings))?;
        let component = fs::read(file).ok()?;
        let sha256 = hex(&Sha256::digest(&component));
        (sha256 == stamp.sha256).then_some(Self {
            component,
            sha256,
            standard_library: stamp.standard_library,
            unchanged: true,
        })
    }

    fn make(
        file: &Path,
        settings: String,
        compile: impl FnOnce() -> Result<Fresh, BuildError>,
    ) -> Result<Self, BuildError> {
        let began = SystemTime::now();
        let Fresh { component, standard_library, inputs } = compile()?;
        let sha256 = hex(&Sha256::digest(&component));
        let unchanged = place(file, &component)?;
        let stamp = inputs.and_then(|inputs| Stamp::new(settings, sha256.clone(), standard_library, inputs, began));
        if let Some(stamp) = stamp.and_then(|stamp| serde_json::to_vec(&stamp).ok()) {
            // Without a stamp the next build runs cargo, which costs time only.
            let _ = replace(&stamp::path(file), &stamp);
        }
        Ok(Self { component, sha256, standard_library, unchanged })
    }
}

/// Encodes the component and checks that a host would load it.
fn assemble(package: &str, module: &Module) -> Result<Vec<u8>, BuildError> {
    let file = module.package.join(MANIFEST);
    let manifest = fs::read_to_string(&file).map_err(|source| BuildError::file(&file, source))?;
    Manifest::from_toml(&manifest).map_err(|source| BuildError::Manifest { file, source })?;
    let core = fs::read(&module.file).map_err(|source| BuildError::file(&module.file, source))?;
    let mut component = encode::encode(&core)
        .map_err(|error| BuildError::Encode { package: package.to_owned(), source: error.into() })?;
    encode::embed_manifest(&mut component, &manifest);
    let refused = |source| BuildError::Refused { package: package.to_owned(), source };
    Inspection::read(&component).map_err(refused)?.check(&component).map_err(refused)?;
    Ok(component)
}

/// Finds the toolchain, and installs one where that is needed and allowed.
fn toolchain(workspace: &Workspace, report: &mut dyn FnMut(Progress)) -> Result<Toolchain, BuildError> {
    let find = || toolchain::find(&Search::of_this_machine(workspace), workspace.rust_version());
    let found = match find() {
        Ok(found) => found,
        Err(_) => {
            // One process installs; the others wait for the lock and then find the toolchain.
            let file = workspace.target().join("install.lock");
            let _lock = lock(&file).map_err(|source| BuildError::file(&file, source))?;
            if let Err(needed) = find() {
                crm_installer::install(&needed, &mut |line| report(Progress::Announcement(line)))?;
            }
            find().map_err(|needed| BuildError::StillMissing {
                purpose: needed.purpose,
                packages: needed.packages,
                otherwise: needed.otherwise,
            })?
        }
    };
    if found.standard == StandardLibrary::FromSource {
        report(Progress::StandardLibraryFromSource);
    }
    Ok(found)
}

/// Waits for a lock file. The lock ends when the returned file is dropped.
fn lock(path: &Path) -> io::Result<File> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    let file = File::create(path)?;
    file.lock()?;
    Ok(file)
}

/// Writes a component unless the file already has this content; returns whether it had.
fn place(path: &Path, component: &[u8]) -> Result<bool, BuildError> {
    if fs::read(path).is_ok_and(|before| before == component) {
        return Ok(true);
    }
    replace(path, component).map_err(|source| BuildError::file(path, source))?;
    Ok(false)
}

/// Replaces a file atomically, so that no reader sees half a component.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().permissions(Permissions::from_mode(0o644)).tempfile_in(folder)?;
    file.write_all(content)?;
    file.persist(path)?;
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
