//! The crates that a platform embeds know neither CRM.
//!
//! The rule: no code in the crates of `CRATES` has a name of either CRM, as an identifier or in a
//! text. The names are those of the two manifests (id, credential, hosts, paths, slot, members, attributes) and fields of the two
//! mappings. Comments, examples in documentation, and tests may name a CRM.

use std::{
    fs,
    path::{Path, PathBuf},
};

use acceptance::guests;
use anyhow::Result;
use crm_host::manifest::{CredentialSpec, Manifest};

const CRATES: [&str; 10] = [
    "contract",
    "booking",
    "delivery",
    "delivery/sqlite",
    "delivery/postgres",
    "intake",
    "runtime",
    "seal",
    "server",
    "store",
];
/// A scheduling service's word for a part of a name.
const OF_A_SERVICE: [(&str, &str); 1] = [("calcom.rs", "lastname")];
const MANIFESTS: [&str; 2] = ["plugin/plugin.toml", "tests/guests/tiny-crm/plugin.toml"];
/// Objects and fields, in lower case.
const NAMES: [&str; 8] = ["salesforce", "tiny", "sobject", "__c", "lastname", "pipeline", "なまえ", "にちじ"];

#[test]
fn no_code_of_the_host_names_a_crm() -> Result<()> {
    let root = guests::workspace()?.root().to_owned();
    let mut names: Vec<String> = NAMES.map(str::to_owned).to_vec();
    for manifest in MANIFESTS {
        names.extend(names_of(&Manifest::from_toml(&fs::read_to_string(root.join(manifest))?)?));
    }
    assert!(names.len() > 20, "{names:?}");
    let mut found = Vec::new();
    let mut lines = 0;
    for file in CRATES.iter().flat_map(|one| sources(&root.join("host-harness").join(one).join("src"))) {
        for line in code(&fs::read_to_string(&file)?) {
            lines += 1;
            let line = line.to_lowercase();
            let is_of_service = |name: &str| OF_A_SERVICE.iter().any(|(of, word)| file.ends_with(of) && *word == name);
            let hits = names.iter().filter(|name| line.contains(name.as_str()) && !is_of_service(name));
            found.extend(hits.map(|name| format!("{}: `{name}` in {line}", file.display())));
        }
    }
    assert!(lines > 5_000, "only {lines} lines were read");
    assert_eq!(found, Vec::<String>::new());
    Ok(())
}

/// What is special in a manifest, in lower case.
fn names_of(manifest: &Manifest) -> Vec<String> {
    let host = |origin: String| origin.trim_start_matches("https://").trim_start_matches("*.").to_owned();
    let mut names = vec![manifest.plugin.id.to_string()];
    for rule in &manifest.egress {
        names.push(host(rule.origin.to_string()));
        names.extend(rule.routes.iter().map(|route| route.path.to_string()));
    }
    for (name, credential) in &manifest.credentials {
        names.push(name.to_string());
        names.push(credential.slot().header.name().to_string());
        if let CredentialSpec::OAuth2(spec) = credential {
            names.extend(spec.login_hosts.iter().map(|origin| host(origin.to_string())));
            names.extend([&spec.authorization_path, &spec.token_path].map(|path| path.as_str().to_owned()));
            names.extend(spec.origin_member.clone());
            names.extend(spec.attributes.keys().map(ToString::to_string));
        }
    }
    // The standard's own name of a header is nobody's.
    names.retain(|name| name != "authorization");
    names
}

/// The source files of a crate, without its tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries
        .flat_map(|path| match path.file_name().and_then(|name| name.to_str()).unwrap_or_default() {
            "tests" | "tests.rs" | "fixture.rs" => Vec::new(),
            _ if path.is_dir() => sources(&path),
            name if name.ends_with(".rs") => vec![path],
            _ => Vec::new(),
        })
        .collect()
}

/// The lines of code in a file: without comments, and up to its tests.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let before_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = before_tests.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| line.split(" // ").next().unwrap_or_default())
}
