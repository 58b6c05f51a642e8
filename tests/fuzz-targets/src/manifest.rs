//! Manifests, which the author of a plugin writes.

use crm_host::{
    full_message,
    manifest::{CredentialSpec, Limits, Manifest},
    policy::{Permissions, Policy},
};

/// A manifest is refused with a reason, or it can be shown, narrowed and written again.
pub fn manifest(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let manifest = match Manifest::from_toml(text) {
        Ok(manifest) => manifest,
        Err(error) => {
            assert!(!error.code().is_empty() && !full_message(&error).is_empty());
            return;
        }
    };
    let written = toml::to_string(&manifest).expect("a manifest is TOML");
    assert_eq!(Manifest::from_toml(&written).as_ref(), Ok(&manifest), "{written}");
    serde_json::to_string(&manifest).expect("a manifest is JSON");
    for rule in &manifest.egress {
        for text in rule.routes.iter().map(|route| route.sentence()).chain([rule.origin.to_string()]) {
            assert!(!text.is_empty() && !text.contains(char::is_control), "{text:?}");
        }
    }
    for (name, credential) in &manifest.credentials {
        assert!(!name.to_string().is_empty() && !credential.slot().header.name().as_str().is_empty());
        if let CredentialSpec::OAuth2(spec) = credential {
            assert!(!spec.login_hosts.is_empty());
        }
    }
    let permissions = match Permissions::new(&manifest, &Policy::default()) {
        Ok(permissions) => permissions,
        Err(error) => {
            assert!(!full_message(&error).is_empty());
            return;
        }
    };
    let (limits, most) = (permissions.limits(), Limits::CEILING);
    assert!(limits.memory_bytes <= most.memory_bytes && limits.cpu_ms <= most.cpu_ms && limits.wall_ms <= most.wall_ms);
    assert!(limits.http_requests <= most.http_requests);
    assert!(limits.request_bytes <= most.request_bytes && limits.response_bytes <= most.response_bytes);
}
