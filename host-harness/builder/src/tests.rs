use std::{
    cell::Cell,
    fs,
    process::Command,
    time::{Duration, SystemTime},
};

use super::*;

/// A workspace with a plugin, a crate it depends on, and a contract; a counter stands in for cargo.
struct Tree {
    folder: tempfile::TempDir,
    workspace: Workspace,
    compiled: Cell<u32>,
}

const SOURCES: [&str; 4] = ["plugin/src/lib.rs", "plugin/src/deep/mod.rs", "shared/src/lib.rs", "wit/types.wit"];

impl Tree {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let file = folder.path().join(path);
            fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
            fs::write(&file, text).expect("a file");
            age(&file);
        };
        write("Cargo.toml", "[workspace]\n[workspace.package]\nrust-version = \"1.95\"\n");
        for file in
            ["Cargo.lock", "rust-toolchain.toml", "plugin/Cargo.toml", "shared/Cargo.toml", "plugin/plugin.toml"]
        {
            write(file, "");
        }
        for file in SOURCES {
            write(file, "// one");
        }
        for program in ["bin/cargo", "bin/rustc", "bin/wasm-ld"] {
            write(program, "");
        }
        let workspace = Workspace::containing(folder.path()).expect("a workspace");
        write("target/wasm/plugin.wasm", "module");
        Self { folder, workspace, compiled: Cell::new(0) }
    }

    /// A copy of everything, also of times and of the target folder.
    fn copy(&self) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(self.path(".")).arg(folder.path());
        assert!(copy.status().expect("cp runs").success());
        let workspace = Workspace::containing(folder.path()).expect("a workspace");
        Self { folder, workspace, compiled: Cell::new(0) }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn change(&self, path: &str, text: &str) {
        let file = self.path(path);
        fs::write(&file, text).expect("a file");
        age(&file);
    }

    /// Builds, and returns whether cargo ran.
    fn build(&self) -> (bool, Built) {
        let before = self.compiled.get();
        let built = build_with(&self.workspace, "a-plugin", &self.workspace.component("a-plugin"), || {
            self.compiled.set(before + 1);
            let root = self.workspace.root();
            // Cargo writes its list at every run.
            let listed = SOURCES.map(|file| root.join(file).display().to_string()).join(" ");
            let list = format!("/t/plugin.wasm: {listed} target/wasm/out/generated.rs\n");
            fs::write(root.join("target/wasm/plugin.d"), list).expect("a file");
            let module = Module { file: root.join("target/wasm/plugin.wasm"), package: root.join("plugin") };
            let toolchain = Toolchain {
                standard: StandardLibrary::FromSource,
                cargo: root.join("bin/cargo"),
                rustc: root.join("bin/rustc"),
                linker: root.join("bin/wasm-ld"),
                standard_sources: Vec::new(),
                precompiled: Some(root.join("bin/wasm32")),
            };
            Ok(Fresh {
                component: fs::read(self.path("plugin/src/lib.rs")).expect("a source"),
                standard_library: toolchain.standard,
                inputs: stamp::inputs(&self.workspace, &toolchain, &module),
            })
        });
        (self.compiled.get() > before, built.expect("built"))
    }
}

/// Makes a file older than any build of the test: what changes while a build runs leaves no stamp.
fn age(file: &Path) {
    let time = SystemTime::now() - Duration::from_secs(3_600);
    File::options().write(true).open(file).and_then(|file| file.set_modified(time)).expect("a time");
}

#[test]
fn an_untouched_tree_does_not_start_cargo() {
    let tree = Tree::new();
    let (ran, first) = tree.build();
    assert!(ran && !first.unchanged);
    let (ran, second) = tree.build();
    assert!(!ran, "nothing has changed");
    assert_eq!(second, Built { unchanged: true, ..first });
}

#[test]
fn every_change_of_an_input_starts_cargo_once() {
    let changed = [
        "plugin/src/lib.rs",
        "plugin/src/deep/mod.rs",
        "shared/src/lib.rs",
        "wit/types.wit",
        "plugin/Cargo.toml",
        "shared/Cargo.toml",
        "Cargo.lock",
        "rust-toolchain.toml",
        "plugin/plugin.toml",
        "bin/rustc",
        "bin/wasm-ld",
        // Added files.
        ".cargo/config.toml",
        "plugin/build.rs",
        "plugin/src/deep/new.rs",
        "wit/new.wit",
        // The target that was missing when the standard library was compiled from source.
        "bin/wasm32",
    ];
    let removed = ["plugin/src/deep/mod.rs", "wit/types.wit"];
    for (path, text) in
        changed.map(|path| (path, Some("// two, longer"))).into_iter().chain(removed.map(|path| (path, None)))
    {
        let tree = Tree::new();
        fs::create_dir_all(tree.path(".cargo")).expect("a folder");
        tree.build();
        match text {
            Some(text) => tree.change(path, text),
            None => fs::remove_file(tree.path(path)).expect("removed"),
        }
        assert!(tree.build().0, "{path}");
        assert!(!tree.build().0, "{path} is recorded again");
    }
}

#[test]
fn a_changed_root_manifest_starts_cargo() {
    let tree = Tree::new();
    tree.build();
    tree.change("Cargo.toml", "[workspace]\n[workspace.package]\nrust-version = \"1.95\"\n[profile.plugin]\n");
    assert!(tree.build().0);
}

#[test]
fn a_change_of_the_same_length_shows_by_its_time() {
    let tree = Tree::new();
    tree.build();
    let file = tree.path("plugin/src/lib.rs");
    fs::write(&file, "// two").expect("a file");
    assert!(tree.build().0);
}

#[test]
fn a_damaged_or_missing_component_is_built_again() {
    let tree = Tree::new();
    let (_, first) = tree.build();
    fs::write(&first.path, "damaged").expect("a file");
    let (ran, built) = tree.build();
    assert!(ran && !built.unchanged);
    assert_eq!(fs::read_to_string(&first.path).expect("a file"), "// one");
    fs::remove_file(&first.path).expect("removed");
    assert!(tree.build().0);
    fs::write(stamp::path(&first.path), "{}").expect("a file");
    assert!(tree.build().0, "a stamp of another form counts as none");
}

#[test]
fn a_copied_workspace_builds_its_own_component() {
    let original = Tree::new();
    original.build();
    let copy = original.copy();
    copy.change("plugin/src/lib.rs", "// edited in the copy");
    let (ran, built) = copy.build();
    assert!(ran, "the original's stamp says nothing about the copy");
    assert_eq!(fs::read_to_string(&built.path).expect("a component"), "// edited in the copy");
    assert!(!copy.build().0, "the copy has its own stamp");
    copy.change("shared/src/lib.rs", "// edited in the copy");
    assert!(copy.build().0, "the copy's stamp watches the copy's sources");
    assert!(!original.build().0, "the original is untouched");
}

#[test]
fn a_component_for_another_place_is_copied_from_the_current_one() {
    let tree = Tree::new();
    let (_, first) = tree.build();
    let out = tree.path("elsewhere/out.wasm");
    let build = || build_with(&tree.workspace, "a-plugin", &out, || panic!("cargo is not needed")).expect("built");
    assert_eq!(build(), Built { path: out.clone(), unchanged: false, ..first.clone() });
    assert_eq!(build(), Built { path: out.clone(), unchanged: true, ..first });
    assert_eq!(fs::read_dir(tree.path("elsewhere")).expect("the folder").count(), 1, "no stamp beside it");
}
