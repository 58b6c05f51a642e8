// The contract as its version 0.1.1 may be, made of `wit/` by what `world.wit` allows: one more interface, one more function of an
// imported interface, and nothing else. Included by build scripts.

use std::{fs, io, path::Path};

/// Writes the WIT of version 0.1.1 into a folder.
fn write_newer_contract(repository: &Path, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(repository.join("wit"))? {
        let path = entry?.path();
        println!("cargo::rerun-if-changed={}", path.display());
        let text = fs::read_to_string(&path)?;
        let text = match path.file_name().and_then(|name| name.to_str()) {
            Some("types.wit") => replace(&text, "package scheduling:crm@0.1.0;", "package scheduling:crm@0.1.1;"),
            Some("world.wit") => replace(&text, "  export settings;\n", "  export settings;\n  export forecast;\n"),
            Some("http.wit") => replace(
                &text,
                "  /// Sends a request with a credential,",
                "  /// Requests that this call may still send.\n  @since(version = 0.1.1)\n  remaining: func() -> u32;\n\n  /// Sends a request with a credential,",
            ),
            _ => Ok(text),
        };
        fs::write(folder.join(path.file_name().unwrap_or_default()), text?)?;
    }
    let added = repository.join("tests/growth/forecast.wit");
    println!("cargo::rerun-if-changed={}", added.display());
    fs::copy(added, folder.join("forecast.wit"))?;
    Ok(())
}

fn replace(text: &str, old: &str, new: &str) -> io::Result<String> {
    if text.contains(old) { Ok(text.replacen(old, new, 1)) } else { Err(io::Error::other(format!("no {old:?} in the contract"))) }
}
