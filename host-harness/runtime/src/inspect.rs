//! Reads a component file's imports, exports and manifest without compiling it.

use serde::Serialize;
use sha2::{Digest, Sha256};
use wasmparser::{ComponentExternalKind, Encoding, Parser, Payload, WasmFeatures};

use crate::{
    caps::{self, Capped},
    manifest::{ContractVersion, Manifest, ManifestError},
};

/// The largest component file that is accepted.
pub const MAX_COMPONENT_BYTES: usize = 4 << 20;
/// The custom section with the plugin's manifest as TOML.
pub const MANIFEST_SECTION: &str = "scheduling-crm-manifest";
/// The package and version of the contract that this library supports.
pub const CONTRACT: &str = "scheduling:crm@0.1.0";

/// The interfaces of the contract that a plugin can import.
const IMPORTS: [&str; 3] = ["types", "http", "secrets"];
/// The interface that a plugin must export.
const REQUIRED_EXPORT: &str = "leads";

/// The imports, exports and manifest of a component file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// Full names of the imported interfaces.
    pub imports: Vec<String>,
    /// Full names of the exported interfaces.
    pub exports: Vec<String>,
    /// Size of the file in bytes.
    pub bytes: usize,
    /// SHA-256 of the file, in lower-case hex.
    pub sha256: String,
    /// Text of the embedded manifest.
    #[serde(skip)]
    pub manifest_toml: Option<String>,
}

/// Why a file is not a plugin of this contract.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The file is larger than [`MAX_COMPONENT_BYTES`].
    #[error("the component has {bytes} bytes, and at most {limit} are accepted; build it with the profile for size")]
    TooLarge {
        /// Size of the file.
        bytes: usize,
        /// The largest accepted size.
        limit: usize,
    },
    /// The file is not WebAssembly.
    #[error("not a WebAssembly file: it does not begin with `\\0asm`")]
    NotWasm,
    /// The file is a core module.
    #[error("a core WebAssembly module, not a component; `host-harness build` makes a component of it")]
    CoreModule,
    /// The file is damaged, or uses a WebAssembly feature that plugins do not need.
    #[error("not a valid component: {0}")]
    Invalid(String),
    /// The component has more of something than a plugin needs, which would take too long to compile.
    #[error("the component has {count} {what}, and at most {limit} are accepted")]
    TooComplex {
        /// What there is too much of.
        what: &'static str,
        /// How much was found before the check ended.
        count: u64,
        /// The most that is accepted.
        limit: u64,
    },
    /// The component imports more than its world declares.
    #[error(
        "the component imports {}, which the world `plugin` of {CONTRACT} does not declare; it can import types, http and secrets only",
        quoted(.0)
    )]
    ForbiddenImports(Vec<String>),
    /// The component was built for a version of the contract that is not compatible with the host's.
    #[error("the component was built for {found}, and this host supports {CONTRACT}; rebuild it against that version")]
    OtherContract {
        /// An interface of that version.
        found: String,
    },
    /// The manifest needs a newer version of the contract.
    #[error(
        "the plugin needs a host of {needed}, and this one supports {CONTRACT}; upgrade the host or use an older plugin"
    )]
    NewerContract {
        /// The oldest version that suffices.
        needed: ContractVersion,
    },
    /// The component does not export `leads`.
    #[error("the component does not export `scheduling:crm/{REQUIRED_EXPORT}`, which every plugin must; it exports {}", quoted(.0))]
    MissingExport(Vec<String>),
    /// The component has no manifest.
    #[error("the component has no custom section `{MANIFEST_SECTION}`; `host-harness build` embeds plugin.toml as one")]
    NoManifest,
    /// The component has more than one manifest.
    #[error("the component has several custom sections `{MANIFEST_SECTION}`; exactly one is accepted")]
    SeveralManifests,
    /// The embedded manifest is invalid.
    #[error("the embedded manifest is invalid")]
    Manifest(#[from] ManifestError),
}

impl InspectError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "component-too-large",
            Self::NotWasm => "not-wasm",
            Self::CoreModule => "core-module",
            Self::Invalid(_) => "component-invalid",
            Self::TooComplex { .. } => "component-too-complex",
            Self::ForbiddenImports(_) => "forbidden-imports",
            Self::OtherContract { .. } => "other-contract",
            Self::NewerContract { .. } => "newer-contract",
            Self::MissingExport(_) => "missing-export",
            Self::NoManifest => "no-manifest",
            Self::SeveralManifests => "several-manifests",
            Self::Manifest(error) => error.code(),
        }
    }
}

/// Name and version of an interface of the contract; `None` for any other.
fn interface(name: &str) -> Option<(&str, ContractVersion)> {
    let (interface, version) = name.strip_prefix("scheduling:crm/")?.split_once('@')?;
    Some((interface, ContractVersion::of_numbers(version)?))
}

fn quoted(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

impl Inspection {
    /// Reads a component file.
    ///
    /// # Errors
    /// When the file is too large, damaged, or not a component.
    pub fn read(bytes: &[u8]) -> Result<Self, InspectError> {
        if bytes.len() > MAX_COMPONENT_BYTES {
            return Err(InspectError::TooLarge { bytes: bytes.len(), limit: MAX_COMPONENT_BYTES });
        }
        if !bytes.starts_with(b"\0asm") {
            return Err(InspectError::NotWasm);
        }
        if Parser::is_core_wasm(bytes) {
            return Err(InspectError::CoreModule);
        }
        let mut this = Self {
            imports: Vec::new(),
            exports: Vec::new(),
            bytes: bytes.len(),
            sha256: hex(&Sha256::digest(bytes)),
            manifest_toml: None,
        };
        this.read_sections(bytes)?;
        Ok(this)
    }

    fn read_sections(&mut self, bytes: &[u8]) -> Result<(), InspectError> {
        let invalid = |error: wasmparser::BinaryReaderError| InspectError::Invalid(error.to_string());
        let mut manifests = 0usize;
        // Modules and components nest; only the outermost level belongs to the component itself.
        let mut depth = 0usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(invalid)? {
                Payload::Version { encoding, .. } => {
                    if depth == 0 && encoding != Encoding::Component {
                        return Err(InspectError::CoreModule);
                    }
                    depth += 1;
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 1 => {
                    for import in section {
                        self.imports.push(import.map_err(invalid)?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    for export in section {
                        let export = export.map_err(invalid)?;
                        if export.kind == ComponentExternalKind::Instance {
                            self.exports.push(export.name.name.to_owned());
                        }
                    }
                }
                Payload::CustomSection(section) if depth == 1 && section.name() == MANIFEST_SECTION => {
                    manifests += 1;
                    let text = std::str::from_utf8(section.data())
                        .map_err(|_| InspectError::Invalid("the manifest is not UTF-8".into()))?;
                    self.manifest_toml = Some(text.to_owned());
                }
                _ => {}
            }
        }
        if manifests > 1 { Err(InspectError::SeveralManifests) } else { Ok(()) }
    }

    /// Parses the embedded manifest.
    ///
    /// # Errors
    /// When there is none, or it is invalid.
    pub fn manifest(&self) -> Result<Manifest, InspectError> {
        let text = self.manifest_toml.as_deref().ok_or(InspectError::NoManifest)?;
        Ok(Manifest::from_toml(text)?)
    }

    /// Checks the component against the world `plugin` by the names and versions of its interfaces, its manifest by the version
    /// that it needs, and its code by what compiling it would take. Types are checked when the component is loaded.
    ///
    /// # Errors
    /// When an interface is missing, forbidden or of an incompatible version, the manifest is missing, invalid or needs a newer
    /// host, or the file is not valid or too complex.
    pub fn check(&self, bytes: &[u8]) -> Result<(), InspectError> {
        self.check_contract()?;
        Self::complexity(bytes).map(|_| ())
    }

    /// What would make the component slow to compile, with the limits that [`Self::check`] applies to it.
    ///
    /// # Errors
    /// When the file is not valid or too complex.
    pub fn complexity(bytes: &[u8]) -> Result<Vec<Capped>, InspectError> {
        caps::validate(bytes)
    }

    /// The part of the check that does not depend on the component's code.
    pub(crate) fn check_contract(&self) -> Result<(), InspectError> {
        let names = self.imports.iter().chain(&self.exports);
        if let Some(other) =
            names.clone().find(|name| interface(name).is_some_and(|(_, version)| !version.is_compatible()))
        {
            return Err(InspectError::OtherContract { found: other.clone() });
        }
        let is_allowed = |name: &str| interface(name).is_some_and(|(interface, _)| IMPORTS.contains(&interface));
        let forbidden: Vec<_> = self.imports.iter().filter(|name| !is_allowed(name)).cloned().collect();
        if !forbidden.is_empty() {
            return Err(InspectError::ForbiddenImports(forbidden));
        }
        if !self.exports.iter().any(|name| interface(name).is_some_and(|(interface, _)| interface == REQUIRED_EXPORT)) {
            return Err(InspectError::MissingExport(self.exports.clone()));
        }
        let needed = self.manifest()?.plugin.contract;
        if !needed.is_compatible() {
            return Err(InspectError::OtherContract { found: needed.to_string() });
        }
        if needed > ContractVersion::SUPPORTED {
            return Err(InspectError::NewerContract { needed });
        }
        Ok(())
    }
}

/// The WebAssembly features that plugins may use: those that Rust's `wasm32-unknown-unknown` and the encoder emit. Threads,
/// GC, exceptions, 64-bit memories and the async ABI are off, to keep the attack surface small.
pub(crate) fn features() -> WasmFeatures {
    WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::FLOATS
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::SIMD
        | WasmFeatures::COMPONENT_MODEL
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        use std::fmt::Write;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_a_component_is_refused_by_its_first_fault() {
        let huge = vec![0; MAX_COMPONENT_BYTES + 1];
        let cases: [(&[u8], &str); 5] = [
            (b"", "not-wasm"),
            (b"{\"a\":1}", "not-wasm"),
            (b"\0asm\x01\0\0\0", "core-module"),
            (b"\0asm\x0d\0\x01\0\xff\xff", "component-invalid"),
            (&huge, "component-too-large"),
        ];
        for (bytes, code) in cases {
            assert_eq!(Inspection::read(bytes).unwrap_err().code(), code);
        }
    }
}
