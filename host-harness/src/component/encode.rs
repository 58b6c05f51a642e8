//! Makes a component of a core module, and puts the manifest into it.

use wasm_encoder::{ComponentSection as _, CustomSection};
use wit_component::ComponentEncoder;

/// Name of the custom section that holds the text of a plugin's `plugin.toml`.
pub const MANIFEST_SECTION: &str = "scheduling-crm-manifest";

/// Encodes a core module that carries its world, as `wit-bindgen` leaves it.
pub(super) fn encode(module: &[u8], manifest: &str) -> Result<Vec<u8>, anyhow::Error> {
    let mut component = ComponentEncoder::default().module(module)?.validate(true).encode()?;
    embed_manifest(&mut component, manifest);
    Ok(component)
}

/// Appends a manifest to a component.
pub fn embed_manifest(component: &mut Vec<u8>, manifest: &str) {
    CustomSection { name: MANIFEST_SECTION.into(), data: manifest.as_bytes().into() }.append_to_component(component);
}
