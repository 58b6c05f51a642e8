//! A built component is small, reproducible, and imports only what it declares.

use acceptance::guests;
use anyhow::{Context as _, Result, ensure};
use crm_builder::{BuildError, Built, Progress, StandardLibrary};
use crm_host::Inspection;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{env, fs, thread};

const PLUGIN: &str = "salesforce-leads";
const PACKAGES: [&str; 3] = [PLUGIN, "tiny-crm", "hostile"];

/// Serializes builds: they share a target folder, which one test copies.
fn alone() -> MutexGuard<'static, ()> {
    static TARGET: Mutex<()> = Mutex::new(());
    TARGET.lock().unwrap_or_else(PoisonError::into_inner)
}

fn built(package: &str) -> Built {
    let _alone = alone();
    guests::build(package).expect("built")
}

fn file(built: &Built) -> Vec<u8> {
    fs::read(&built.path).expect("the component")
}

#[test]
fn a_component_imports_only_the_three_interfaces_of_its_world() {
    for package in PACKAGES {
        let bytes = file(&built(package));
        let inspection = Inspection::read(&bytes).expect("readable");
        let mut imports = inspection.imports.clone();
        imports.sort();
        let expected = ["http", "secrets", "types"].map(|name| format!("scheduling:crm/{name}@0.1.0"));
        assert_eq!(imports, expected, "{package}");
        inspection.check(&bytes).expect("conforms to the contract");
    }
}

/// A host in another language runs the resolver as WebAssembly, so it must need nothing of the machine.
#[test]
fn the_booking_crate_compiles_to_webassembly_that_imports_nothing() -> Result<()> {
    let _alone = alone();
    let module = fs::read(crm_builder::core_module(&guests::workspace()?, "crm-booking", &mut |_| {})?)?;
    let imports = wasmparser::Parser::new(0).parse_all(&module).filter_map(|payload| match payload {
        Ok(wasmparser::Payload::ImportSection(section)) => Some(section.count()),
        _ => None,
    });
    assert_eq!(imports.sum::<u32>(), 0);
    Ok(())
}

/// Maximum size of the plugin's file in bytes.
const BUDGET: usize = 480 << 10;

#[test]
fn the_plugin_stays_within_its_size_budget() {
    let built = built(PLUGIN);
    println!("{} bytes of {BUDGET}", built.bytes);
    assert!(built.bytes <= BUDGET, "{} bytes", built.bytes);
    assert_eq!(file(&built).len(), built.bytes);
}

#[test]
fn a_component_contains_no_path_of_the_build_machine() {
    let home = env::home_dir().expect("a home");
    let cargo_home = env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    let root = guests::workspace().expect("a workspace").root().to_owned();
    // A very short home, such as `/`, would be found in any path.
    let homes = [home].into_iter().filter(|home| home.as_os_str().len() > 4);
    let private =
        homes.chain([cargo_home, root, "/usr/src/".into(), "/usr/lib/rustlib".into(), "/registry/src/index".into()]);
    let private = private.collect::<Vec<_>>();
    for package in PACKAGES {
        let bytes = file(&built(package));
        for path in &private {
            let name = path.to_str().expect("Unicode").as_bytes();
            let found = bytes.windows(name.len()).position(|window| window == name);
            let around = found.map(|at| String::from_utf8_lossy(&bytes[at..bytes.len().min(at + 120)]).into_owned());
            assert_eq!(around, None, "{package} names {}", path.display());
        }
    }
}

#[test]
fn an_up_to_date_component_is_not_rebuilt() {
    let first = built(PLUGIN);
    let modified = |built: &Built| fs::metadata(&built.path).and_then(|file| file.modified()).expect("a time");
    let time = modified(&first);
    let second = built(PLUGIN);
    assert!(second.unchanged);
    assert_eq!(second.sha256, first.sha256);
    assert_eq!(modified(&second), time);
}

#[test]
fn concurrent_builds_produce_the_same_complete_component() {
    let _alone = alone();
    let workspace = guests::workspace().expect("a workspace");
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("component.wasm");
    // Without its stamp each build runs cargo.
    let stamp = workspace.component("tiny-crm").with_extension("stamp");
    let build = || {
        let _ = fs::remove_file(&stamp);
        crm_builder::build(&workspace, "tiny-crm", &out, &mut |_| {}).expect("built").sha256
    };
    let digests = thread::scope(|scope| {
        let builds = [(); 3].map(|()| scope.spawn(build));
        builds.map(|build| build.join().expect("no panic"))
    });
    let whole = Inspection::read(&fs::read(&out).expect("the component")).expect("readable");
    assert_eq!(digests, [(); 3].map(|()| whole.sha256.clone()));
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1, "no partial files are left");
}

/// Copies the standard library and all dependencies into a second target folder, which takes a second instead of a minute;
/// only the plugin itself is compiled, linked and encoded again.
#[test]
fn the_same_toolchain_gives_the_same_digest_in_another_folder() -> Result<()> {
    let _alone = alone();
    let first = guests::build(PLUGIN)?;
    let workspace = guests::workspace()?;
    let second = workspace.target().join("second");
    if second.exists() {
        fs::remove_dir_all(&second)?;
    }
    fs::create_dir_all(&second)?;
    let folder = match first.standard_library {
        StandardLibrary::Precompiled => "wasm",
        StandardLibrary::FromSource => "wasm-std",
    };
    let copied = Command::new("cp").arg("-pR").arg(workspace.target().join(folder)).arg(&second).status()?;
    ensure!(copied.success(), "cp: {copied}");
    let removed = remove_what_was_made_of(PLUGIN, &second)?;
    ensure!(removed > 0, "the copy contained no build of the plugin");

    let workspace = workspace.building_in(&second);
    let mut compiled = String::new();
    let built = crm_builder::build(&workspace, PLUGIN, &workspace.component(PLUGIN), &mut |progress| {
        if let Progress::Compiling { crates, .. } = progress {
            compiled.push_str(&crates);
        }
    })?;
    assert!(compiled.contains(PLUGIN), "the plugin was not recompiled, only {compiled}");
    assert_eq!(built.sha256, first.sha256);
    fs::remove_dir_all(&second).context("the copy")
}

fn remove_what_was_made_of(package: &str, folder: &Path) -> Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().replace('_', "-");
        match name.strip_prefix("lib").unwrap_or(&name).starts_with(package) {
            true if path.is_dir() => fs::remove_dir_all(&path)?,
            true => fs::remove_file(&path)?,
            false if path.is_dir() => {
                removed += remove_what_was_made_of(package, &path)?;
                continue;
            }
            false => continue,
        }
        removed += 1;
    }
    Ok(removed)
}

#[test]
fn a_build_error_names_the_package_and_includes_cargos_message() {
    let workspace = guests::workspace().expect("a workspace");
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("none.wasm");
    let error = crm_builder::build(&workspace, "no-such-plugin", &out, &mut |_| {}).expect_err("no such package");
    assert!(matches!(error, BuildError::Compile { .. }), "{error:?}");
    assert!(error.to_string().contains("no-such-plugin"), "{error}");
    assert!(!out.exists());
}

#[test]
fn every_invalid_plugin_is_rejected_with_its_own_code() -> Result<()> {
    let table = [
        (guests::greedy()?, "forbidden-imports", "wasi:clocks/wall-clock@0.2.0"),
        (guests::greedy()?, "forbidden-imports", "wasi:cli/environment@0.2.0"),
        (guests::of_another_contract()?, "other-contract", "@0.2.0"),
        (guests::without_leads()?, "missing-export", "scheduling:crm/leads"),
        (guests::without_manifest()?, "no-manifest", "scheduling-crm-manifest"),
        (guests::with_two_manifests()?, "several-manifests", "scheduling-crm-manifest"),
        (guests::core_module()?, "core-module", "component"),
        (b"{\"not\": \"wasm\"}".to_vec(), "not-wasm", "WebAssembly"),
    ];
    for (bytes, code, named) in table {
        let refused = Inspection::read(&bytes).and_then(|inspection| inspection.check(&bytes)).expect_err(code);
        assert_eq!(refused.code(), code, "{refused}");
        assert!(refused.to_string().contains(named), "{refused}");
    }
    Ok(())
}
