//! Makes the contract's version 0.1.1, and the bindings to it.

include!("../../growth/contract.rs");

fn main() -> io::Result<()> {
    let variable = |name: &str| std::env::var(name).map_err(io::Error::other);
    let repository = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("../../..");
    let out = variable("OUT_DIR")?;
    let out = Path::new(&out);
    write_newer_contract(&repository, &out.join("wit"))?;
    // The macro takes a path as a literal only.
    let bindings = format!(
        "wit_bindgen::generate!({{ path: {:?}, world: \"plugin-with-forecast\", inline: \"\
            package newer:plugin;\\n\
            world plugin-with-forecast {{\\n\
                include scheduling:crm/plugin@0.1.1;\\n\
                export scheduling:crm/forecast@0.1.1;\\n\
            }}\", generate_all }});",
        out.join("wit").display().to_string()
    );
    fs::write(out.join("bindings.rs"), bindings)
}
