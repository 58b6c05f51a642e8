//! Encodes a core module as a component and embeds the manifest.

use anyhow::Context as _;
use crm_host::MANIFEST_SECTION;
use wasm_encoder::{ComponentSection as _, CustomSection, RawSection};
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

/// The section with the encoder's names for parts of the component: 1% of the file, useful to debuggers only.
const NAMES: &str = "component-name";

/// Encodes a core module that carries its world, as `wit-bindgen` embeds it.
pub(crate) fn encode(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    without_names(&ComponentEncoder::default().module(module)?.validate(true).encode()?)
}

fn without_names(component: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut kept = wasm_encoder::Component::HEADER.to_vec();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        if let Some((id, range)) = payload.as_section().filter(|_| depth == 1)
            && !matches!(&payload, Payload::CustomSection(section) if section.name() == NAMES)
        {
            let data = component.get(range).context("a section ends outside the component")?;
            RawSection { id, data }.append_to_component(&mut kept);
        }
        match payload {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            _ => {}
        }
    }
    Ok(kept)
}

/// Appends a manifest to a component as the custom section that hosts read.
pub fn embed_manifest(component: &mut Vec<u8>, manifest: &str) {
    CustomSection { name: MANIFEST_SECTION.into(), data: manifest.as_bytes().into() }.append_to_component(component);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crm_host::Inspection;

    /// `(component)`: magic number, version, layer.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn an_embedded_manifest_is_read_back_unchanged() {
        let mut component = EMPTY.to_vec();
        embed_manifest(&mut component, "name = \"予約\"");
        let read = Inspection::read(&component).expect("a component");
        assert_eq!(read.manifest_toml.as_deref(), Some("name = \"予約\""));
    }

    #[test]
    fn only_the_names_for_debuggers_are_removed() {
        let section = |name: &'static str| CustomSection { name: name.into(), data: name.as_bytes().into() };
        let (mut component, mut expected) = (EMPTY.to_vec(), EMPTY.to_vec());
        for name in ["before", NAMES, "after"] {
            section(name).append_to_component(&mut component);
            if name != NAMES {
                section(name).append_to_component(&mut expected);
            }
        }
        assert_eq!(without_names(&component).expect("a component"), expected);
    }

    #[test]
    fn only_a_core_module_is_encoded() {
        for bytes in [&b"no module at all"[..], EMPTY] {
            assert!(encode(bytes).is_err());
        }
    }
}
