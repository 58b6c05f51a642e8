//! Makes the contract's version 0.1.1, and the bindings of a host of it, for `tests/growth.rs`.

include!("growth/contract.rs");

fn main() -> io::Result<()> {
    let variable = |name: &str| std::env::var(name).map_err(io::Error::other);
    let repository = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("..");
    let out = variable("OUT_DIR")?;
    let out = Path::new(&out);
    write_newer_contract(&repository, &out.join("wit"))?;
    // The macro takes a path as a literal only.
    let bindings = format!(
        "wasmtime::component::bindgen!({{ path: {:?}, world: \"plugin\" }});",
        out.join("wit").display().to_string()
    );
    fs::write(out.join("newer_host.rs"), bindings)
}
