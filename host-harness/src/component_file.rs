//! The component that a command works with: a named file, or the one that is built from this workspace.

use std::{
    env,
    path::{Path, PathBuf},
};

use crm_builder::{Built, Workspace};
use crm_host::{
    Inspection,
    manifest::{Identifier, Manifest},
};

use crate::{
    commands::{INTERRUPTED, interrupt},
    error::CliError,
    files,
    ui::Ui,
};

/// The package that is built if no component is named.
const DEFAULT_PACKAGE: &str = "salesforce-leads";

/// A checked component file.
pub(crate) struct ComponentFile {
    pub(crate) path: PathBuf,
    pub(crate) content: Vec<u8>,
    pub(crate) inspection: Inspection,
    pub(crate) manifest: Manifest,
}

impl ComponentFile {
    /// Opens the named file, or builds the default package.
    pub(crate) fn find(ui: &mut Ui, named: Option<&Path>) -> Result<Self, CliError> {
        match named {
            Some(path) => Self::open(path),
            None => Self::open(&build(ui, DEFAULT_PACKAGE, None)?.path),
        }
    }

    pub(crate) fn open(path: &Path) -> Result<Self, CliError> {
        let content = files::read(path)?;
        let fault = |source| CliError::Component { file: path.to_owned(), source };
        let inspection = Inspection::read(&content).map_err(fault)?;
        inspection.check(&content).map_err(fault)?;
        let manifest = inspection.manifest().map_err(fault)?;
        Ok(Self { path: path.to_owned(), content, inspection, manifest })
    }

    /// The only credential of the manifest.
    pub(crate) fn credential(&self) -> Result<Identifier, CliError> {
        let mut names = self.manifest.credentials.keys();
        match (names.next(), names.next()) {
            (Some(name), None) => Ok(name.clone()),
            _ => Err(CliError::Credentials(self.manifest.credentials.len())),
        }
    }
}

/// Builds a package of this workspace.
pub(crate) fn build(ui: &mut Ui, package: &str, out: Option<&Path>) -> Result<Built, CliError> {
    let workspace = Workspace::containing(&env::current_dir().unwrap_or_default())?;
    let out = out.map_or_else(|| workspace.component(package), Path::to_owned);
    // A build blocks its task, which could not notice an interrupt. Nothing was sent yet.
    let message = ui.say.interrupted();
    let interrupted = tokio::spawn(async move {
        interrupt().await;
        eprintln!("\n{message}");
        std::process::exit(INTERRUPTED.into())
    });
    let built = crm_builder::build(&workspace, package, &out, &mut |progress| ui.build_progress(progress));
    interrupted.abort();
    Ok(built?)
}
