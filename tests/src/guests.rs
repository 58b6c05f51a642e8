//! Invalid and hostile components, made from the contract's WIT.
//!
//! Guests that run are crates in `guests/`, built by [`build`] as the command builds a plugin. Guests that must be rejected
//! before they run need no code: each of their functions only traps.

use anyhow::{Context as _, Result};
use crm_builder::{Built, Workspace, embed_manifest};
use crm_host::MANIFEST_SECTION;
use std::fs;
use std::path::{Path, PathBuf};
use wasm_encoder::{
    CodeSection, Component, ComponentSection as _, Function, FunctionSection, InstanceSection, Instruction, Module,
    ModuleArg, ModuleSection, NestedComponentSection, StartSection, TypeSection,
};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, PackageId, Resolve};

/// This workspace.
pub fn workspace() -> Result<Workspace> {
    Ok(Workspace::containing(Path::new(env!("CARGO_MANIFEST_DIR")))?)
}

/// Builds a package of the workspace, as `host-harness build` does: `salesforce-leads`, `tiny-crm`, `hostile`.
pub fn build(package: &str) -> Result<Built> {
    let workspace = workspace()?;
    let out = workspace.component(package);
    Ok(crm_builder::build(&workspace, package, &out, &mut |_| {})?)
}

/// A guest of the workspace whose manifest needs this version of the contract.
pub fn with_contract(package: &str, contract: &str) -> Result<Vec<u8>> {
    let component = fs::read(build(package)?.path)?;
    let manifest = workspace()?.root().join("tests/guests").join(package).join("plugin.toml");
    let manifest = fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
    let mut renamed = without_section(&component, MANIFEST_SECTION)?;
    embed_manifest(&mut renamed, &manifest.replace("scheduling:crm@0.1.0", contract));
    Ok(renamed)
}

/// A component without a custom section. The section must be at its outermost level, after which nothing else comes.
fn without_section(component: &[u8], name: &str) -> Result<Vec<u8>> {
    for payload in wasmparser::Parser::new(0).parse_all(component) {
        if let wasmparser::Payload::CustomSection(section) = payload?
            && section.name() == name
        {
            // The id, and the length in LEB128, precede the contents.
            let contents = section.range();
            let size = u32::try_from(contents.len())?;
            let header = 1 + (1..5).find(|bytes| size >> (7 * bytes) == 0).unwrap_or(5);
            let before = component.get(..contents.start - header).context("the section's start")?;
            return Ok([before, component.get(contents.end..).context("the section's end")?].concat());
        }
    }
    anyhow::bail!("no section `{name}`")
}

/// A plugin that also imports WASI's clock and environment.
pub fn greedy() -> Result<Vec<u8>> {
    let world = "
        package intruder:greedy;

        package wasi:clocks@0.2.0 { interface wall-clock { now: func() -> u64; } }
        package wasi:cli@0.2.0 { interface environment { get-environment: func() -> list<tuple<string, string>>; } }

        world wanted {
            include scheduling:crm/plugin@0.1.0;
            import wasi:clocks/wall-clock@0.2.0;
            import wasi:cli/environment@0.2.0;
        }";
    let mut resolve = Resolve::default();
    resolve.push_dir(contract()?)?;
    let package = resolve.push_str("greedy.wit", world)?;
    with_manifest(encode(&resolve, package, "wanted")?)
}

/// A plugin that imports only from the contract but exports nothing.
pub fn without_leads() -> Result<Vec<u8>> {
    let world = "package intruder:idle; world idle { import scheduling:crm/http@0.1.0; }";
    let mut resolve = Resolve::default();
    resolve.push_dir(contract()?)?;
    let package = resolve.push_str("idle.wit", world)?;
    with_manifest(encode(&resolve, package, "idle")?)
}

/// A plugin one of whose modules loops as soon as it is instantiated.
pub fn that_never_starts() -> Result<Vec<u8>> {
    let body =
        [Instruction::Loop(wasm_encoder::BlockType::Empty), Instruction::Br(0), Instruction::End, Instruction::End];
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut code = CodeSection::new();
    let mut function = Function::new([]);
    for instruction in body {
        function.instruction(&instruction);
    }
    code.function(&function);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&StartSection { function_index: 0 }).section(&code);
    with_modules(&[&module], 1)
}

/// A plugin with further core modules, and this number of instances of the last one.
pub fn with_modules(modules: &[&Module], instances: usize) -> Result<Vec<u8>> {
    let mut component = without_manifest()?;
    let own = wasmparser::Parser::new(0)
        .parse_all(&component)
        .filter(|payload| matches!(payload, Ok(wasmparser::Payload::ModuleSection { .. })))
        .count();
    for module in modules {
        ModuleSection(module).append_to_component(&mut component);
    }
    let last = u32::try_from(own + modules.len() - 1)?;
    if instances > 0 {
        let mut section = InstanceSection::new();
        for _ in 0..instances {
            section.instantiate(last, std::iter::empty::<(&str, ModuleArg)>());
        }
        section.append_to_component(&mut component);
    }
    with_manifest(component)
}

/// A plugin with a component in it.
pub fn with_component(nested: &Component) -> Result<Vec<u8>> {
    let mut component = without_manifest()?;
    NestedComponentSection(nested).append_to_component(&mut component);
    with_manifest(component)
}

/// The hostile guest with the manifest of another plugin, given by its path in the workspace.
pub fn with_manifest_of(manifest: &str) -> Result<Vec<u8>> {
    with_manifest_text(&fs::read_to_string(workspace()?.root().join(manifest))?)
}

/// The hostile guest with another manifest.
pub fn with_manifest_text(manifest: &str) -> Result<Vec<u8>> {
    let mut component = without_section(&fs::read(build("hostile")?.path)?, MANIFEST_SECTION)?;
    embed_manifest(&mut component, manifest);
    Ok(component)
}

/// The hostile guest as another plugin: its manifest has this id and is otherwise the same.
pub fn as_another_plugin(id: &str) -> Result<Vec<u8>> {
    let manifest = fs::read_to_string(workspace()?.root().join("tests/guests/hostile/plugin.toml"))?;
    let mut component = without_section(&fs::read(build("hostile")?.path)?, MANIFEST_SECTION)?;
    embed_manifest(&mut component, &manifest.replacen("id = \"hostile\"", &format!("id = \"{id}\""), 1));
    Ok(component)
}

/// The Salesforce plugin, in a build that gives its credential another name.
pub fn with_credential(name: &str) -> Result<Vec<u8>> {
    let manifest = fs::read_to_string(workspace()?.root().join("plugin/plugin.toml"))?;
    let mut component = without_section(&fs::read(build("salesforce-leads")?.path)?, MANIFEST_SECTION)?;
    embed_manifest(&mut component, &manifest.replace("[credentials.salesforce", &format!("[credentials.{name}")));
    Ok(component)
}

/// A plugin whose manifest asks for these limits.
pub fn with_limits(limits: &str) -> Result<Vec<u8>> {
    let manifest = fs::read_to_string(workspace()?.root().join("tests/guests/hostile/plugin.toml"))?;
    let (before, rest) = manifest.split_once("[limits]").context("limits")?;
    let (_, after) = rest.split_once("[credentials").context("credentials")?;
    let mut component = without_manifest()?;
    embed_manifest(&mut component, &format!("{before}[limits]\n{limits}\n[credentials{after}"));
    Ok(component)
}

/// A plugin for a contract that differs only in its version.
pub fn of_another_contract() -> Result<Vec<u8>> {
    let folder = tempfile::tempdir()?;
    for entry in fs::read_dir(contract()?)? {
        let entry = entry?;
        let text = fs::read_to_string(entry.path())?.replace("scheduling:crm@0.1.0", "scheduling:crm@0.2.0");
        fs::write(folder.path().join(entry.file_name()), text)?;
    }
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(folder.path())?;
    with_manifest(encode(&resolve, package, "plugin")?)
}

/// A plugin that conforms to its world but has no manifest.
pub fn without_manifest() -> Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(contract()?)?;
    encode(&resolve, package, "plugin")
}

/// A valid plugin, each of whose functions traps.
pub fn that_traps() -> Result<Vec<u8>> {
    with_manifest(without_manifest()?)
}

/// A plugin with two manifests, so that a careless host could read the wrong one.
pub fn with_two_manifests() -> Result<Vec<u8>> {
    with_manifest(with_manifest(without_manifest()?)?)
}

/// A core module with the world's metadata, not encoded as a component.
pub fn core_module() -> Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(contract()?)?;
    module(&resolve, package, "plugin")
}

fn contract() -> Result<PathBuf> {
    Ok(workspace()?.root().join("wit"))
}

fn with_manifest(mut component: Vec<u8>) -> Result<Vec<u8>> {
    let manifest = workspace()?.root().join("tests/guests/hostile/plugin.toml");
    embed_manifest(&mut component, &fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?);
    Ok(component)
}

fn encode(resolve: &Resolve, package: PackageId, world: &str) -> Result<Vec<u8>> {
    ComponentEncoder::default().module(&module(resolve, package, world)?)?.validate(true).encode()
}

/// A core module with a world's imports and exports, whose functions all trap.
fn module(resolve: &Resolve, package: PackageId, world: &str) -> Result<Vec<u8>> {
    let world = resolve.select_world(&[package], Some(world))?;
    let mut module = dummy_module(resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8)?;
    Ok(module)
}
