//! Makes a component of a core module, and puts the manifest into it.

use runtime::MANIFEST_SECTION;
use wasm_encoder::{ComponentSection as _, CustomSection};
use wit_component::ComponentEncoder;

/// Encodes a core module that carries its world, as `wit-bindgen` leaves it.
pub(super) fn encode(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    ComponentEncoder::default().module(module)?.validate(true).encode()
}

/// Appends a manifest to a component, as the custom section in which a host looks for it.
pub fn embed_manifest(component: &mut Vec<u8>, manifest: &str) {
    CustomSection { name: MANIFEST_SECTION.into(), data: manifest.as_bytes().into() }.append_to_component(component);
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::Inspection;

    /// `(component)`: magic number, version, layer.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn an_embedded_manifest_is_read_as_it_was_written() {
        let mut component = EMPTY.to_vec();
        embed_manifest(&mut component, "name = \"予約\"");
        let read = Inspection::read(&component).expect("a component");
        assert_eq!(read.manifest.as_deref(), Some("name = \"予約\""));
    }

    #[test]
    fn what_is_no_module_is_not_encoded() {
        for bytes in [&b"no module at all"[..], EMPTY] {
            assert!(encode(bytes).is_err());
        }
    }
}
