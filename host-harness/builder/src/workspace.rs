//! The cargo workspace that holds the plugins.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::BuildError;

/// A cargo workspace on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
    rust_version: Version,
}

/// A Rust version such as `1.95`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    major: u32,
    minor: u32,
}

impl Version {
    /// Parses `1.95`, `1.95.0` or `1.95.0-nightly`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?.parse().ok()?;
        Some(Self { major, minor })
    }
}

#[derive(Deserialize)]
struct RootManifest {
    workspace: Option<WorkspaceTable>,
}

#[derive(Deserialize)]
struct WorkspaceTable {
    package: Option<SharedPackage>,
}

#[derive(Deserialize)]
struct SharedPackage {
    #[serde(rename = "rust-version")]
    rust_version: Option<String>,
}

impl Workspace {
    /// Finds the workspace of a folder: the nearest one upwards whose `Cargo.toml` has a `[workspace]`.
    ///
    /// # Errors
    /// When there is none, or its `Cargo.toml` cannot be read or names no Rust version.
    pub fn containing(folder: &Path) -> Result<Self, BuildError> {
        let none = || BuildError::NoWorkspace { folder: folder.to_owned() };
        let start = folder.canonicalize().map_err(|_| none())?;
        for folder in start.ancestors() {
            let file = folder.join("Cargo.toml");
            if !file.is_file() {
                continue;
            }
            let text = fs::read_to_string(&file).map_err(|source| BuildError::file(&file, source))?;
            let manifest: RootManifest =
                toml::from_str(&text).map_err(|source| BuildError::RootManifest { file: file.clone(), source })?;
            let Some(table) = manifest.workspace else { continue };
            let rust_version = table.package.and_then(|package| package.rust_version);
            let rust_version = rust_version.as_deref().and_then(Version::parse);
            let rust_version = rust_version.ok_or(BuildError::NoRustVersion { file })?;
            return Ok(Self { root: folder.to_owned(), target: folder.join("target"), rust_version });
        }
        Err(none())
    }

    /// The root folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where builds keep their files: `target` in the root folder.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The same workspace with another target folder.
    pub fn building_in(self, target: &Path) -> Self {
        Self { target: target.to_owned(), ..self }
    }

    /// The component of a package: `target/component/salesforce_leads.wasm` for `salesforce-leads`.
    pub fn component(&self, package: &str) -> PathBuf {
        self.target.join("component").join(package.replace('-', "_")).with_extension("wasm")
    }

    /// The oldest Rust that compiles the workspace.
    pub(crate) fn rust_version(&self) -> Version {
        self.rust_version
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_is_found_from_any_folder_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("its path");
        let inside = root.join("a/b");
        fs::create_dir_all(&inside).expect("folders");
        fs::write(root.join("Cargo.toml"), "[workspace]\n[workspace.package]\nrust-version = \"1.95\"\n")
            .expect("file");
        fs::write(root.join("a/Cargo.toml"), "[package]\nname = \"a\"\n").expect("file");
        let found = Workspace::containing(&inside).expect("found");
        assert_eq!(found.root(), root);
        assert_eq!(found.component("a-b"), root.join("target/component/a_b.wasm"));
        assert_eq!(found.rust_version(), Version { major: 1, minor: 95 });
    }

    #[test]
    fn a_folder_outside_of_any_workspace_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let refused = Workspace::containing(folder.path()).expect_err("no workspace");
        assert_eq!(refused.code(), "no-workspace");
        assert!(refused.to_string().contains(&folder.path().display().to_string()), "{refused}");
    }

    #[test]
    fn versions_compare_by_number() {
        let version = |text| Version::parse(text).expect("a version");
        assert!(version("1.100.0") > version("1.95"));
        assert_eq!(version("1.95.0-nightly"), version("1.95"));
        assert_eq!(Version::parse("nonsense"), None);
    }
}
