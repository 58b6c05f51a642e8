//! Components that are costly to load, by a host that compiles in another process.

use crate::Family;
use crate::guest::{hostile, hostile_with, run};
use acceptance::bombs::{self, Bomb};
use acceptance::command::Children;
use acceptance::scripted::Scripted;
use acceptance::{command, guests, memory};
use anyhow::{Context as _, Result};
use crm_host::credentials::Builds;
use crm_host::{Capped, HostBuilder, Inspection, LoadError};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wasm_encoder::Component;

/// Settings of a host that loads what claims to be the hostile plugin.
fn builder() -> Result<HostBuilder> {
    Ok(memory::host().plugin("hostile".parse()?, Builds::Any))
}

/// Loads a bomb while another plugin of the host is called. How the load ended, and whether all calls succeeded.
async fn load(guest: &Scripted, Bomb { name, component }: &Bomb) -> (Result<(), LoadError>, bool) {
    let watched = Children::watch();
    let began = Instant::now();
    let calls = async {
        let mut served = 0;
        for _ in 0..3 {
            served +=
                usize::from(run(guest, &guest.connection, "request", &[("url", "{origin}/open/x")]).await.is_ok());
        }
        served == 3
    };
    let loading = async {
        let loaded = guest.host.load(component).await;
        (loaded.map(|_| ()), began.elapsed())
    };
    let ((loaded, took), is_served) = tokio::join!(loading, calls);
    let said = loaded.as_ref().map_or_else(|error| format!("{}: {error}", error.code()), |()| "loaded".to_owned());
    let (size, peak) = (component.len(), watched.peak() >> 20);
    println!("  {name}: {size} bytes, {took:.2?}, {peak} MB in the compiler; {said}");
    (loaded, is_served)
}

pub async fn bombs() -> Result<Family> {
    let mut family = Family::new("components that are costly to load");
    let compiler = command::binary()?;
    let guest = hostile_with(|host| host.compiler(compiler).pool_memory()).await?;
    for (bomb, what) in bombs::refused()? {
        let (loaded, is_served) = load(&guest, &bomb).await;
        let is_refused = loaded
            .as_ref()
            .is_err_and(|error| error.code() == "component-too-complex" && error.to_string().contains(what));
        family.attack(format!("{}: {loaded:?}, expected {what}", bomb.name), is_refused && is_served);
    }
    for bomb in bombs::accepted()? {
        let (loaded, is_served) = load(&guest, &bomb).await;
        // It ended, by its own or by a limit.
        let is_held = loaded.as_ref().err().is_none_or(|error| {
            matches!(error.code(), "component-too-costly" | "component-start" | "component-shape" | "component-invalid")
        });
        family.attack(format!("{}: {loaded:?}", bomb.name), is_held && is_served);
    }
    Ok(family)
}

/// A program that is run as the compiler: a shell script.
fn script(folder: &Path, lines: &str) -> Result<PathBuf> {
    let path = folder.join(format!("compiler-{}.sh", files(folder)?.len()));
    fs::write(&path, format!("#!/bin/sh\n{lines}\n"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700))?;
    Ok(path)
}

#[tokio::test]
async fn the_compiler_gets_neither_the_environment_nor_the_folder_of_the_host() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let compiler = script(folder.path(), "cat >/dev/null; pwd >&2; cat /proc/self/environ >&2; exit 1")?;
    let host = builder()?.compiler(compiler).build()?;
    let error = host.load(&guests::that_traps()?).await.err().context("not compiled")?;
    let said = error.to_string();
    assert_eq!(error.code(), "component-invalid");
    assert!(said.contains(": /\n") || said.ends_with(": /"), "{said:?}");
    for (name, _) in std::env::vars().filter(|(name, _)| name != "PWD") {
        assert!(!said.contains(&format!("{name}=")), "{name} in {said:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_load_that_is_given_up_ends_the_compiler() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let started = folder.path().join("started");
    let compiler =
        script(folder.path(), &format!("echo $$ > {}.new; mv {0}.new {0}; exec sleep 600", started.display()))?;
    let host = builder()?.compiler(compiler).build()?;
    let component = guests::that_traps()?;
    let pid = async {
        loop {
            match fs::read_to_string(&started) {
                Ok(pid) => break pid.trim().to_owned(),
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    let pid = tokio::select! {
        loaded = host.load(&component) => panic!("{:?}", loaded.err()),
        pid = pid => pid,
    };
    // A process that has ended and was not waited for yet is a zombie.
    let is_running = || fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z"));
    while is_running() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// On a runtime with one worker, a load that held it up would end before all else.
#[tokio::test]
async fn a_load_without_a_compiler_holds_up_no_other_call() -> Result<()> {
    let guest = hostile().await?;
    let mut slow = bombs::accepted()?.into_iter().filter(|bomb| bomb.name == "440 loops and locals");
    let Bomb { component, .. } = slow.next().context("a bomb")?;
    let calls = async {
        for _ in 0..3 {
            run(&guest, &guest.connection, "request", &[("url", "{origin}/open/x")]).await?;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        biased;
        served = calls => served,
        loaded = guest.host.load(&component) => panic!("the load ended first: {:?}", loaded.err()),
    }
}

#[test]
fn the_compiler_limits_its_own_time_and_memory() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for (bomb, _) in bombs::refused()? {
        if !["+72 KB of loops and locals", "calls with 99 values"].contains(&bomb.name.as_str()) {
            continue;
        }
        let file = folder.path().join("bomb");
        fs::write(&file, bomb.component)?;
        let mut compiler = Command::new(command::binary()?);
        compiler.arg("compile-component").stdin(fs::File::open(&file)?).stdout(Stdio::null()).stderr(Stdio::null());
        let status = compiler.status()?;
        assert!(status.signal().is_some(), "{}: {status}", bomb.name);
    }
    Ok(())
}

#[tokio::test]
async fn a_compiler_that_cannot_be_run_or_fails_is_an_error_of_its_own() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let component = guests::that_traps()?;
    for (compiler, code) in [
        (folder.path().join("missing"), "compiler"),
        (script(folder.path(), "exit 3")?, "component-invalid"),
        (script(folder.path(), "cat >/dev/null; echo nonsense")?, "component-invalid"),
        (script(folder.path(), "kill -9 $$")?, "component-too-costly"),
        (script(folder.path(), "cat >/dev/null; exec cat /dev/zero")?, "component-too-costly"),
    ] {
        let host = builder()?.compiler(&compiler).build()?;
        assert_eq!(host.load(&component).await.err().map(|error| error.code()), Some(code), "{}", compiler.display());
    }
    Ok(())
}

/// How a component loads by a host that finds it in the cache or fails, because its compiler is missing.
async fn cached(folder: &Path, component: &[u8]) -> Result<Result<(), &'static str>> {
    let host = builder()?.compiler("/missing/compiler").compiled_cache(folder).build()?;
    Ok(host.load(component).await.map(|_| ()).map_err(|error| error.code()))
}

/// Compiles a component into the cache.
async fn fill(folder: &Path, component: &[u8]) -> Result<PathBuf> {
    let before = files(folder).unwrap_or_default();
    builder()?.compiled_cache(folder).build()?.load(component).await?;
    files(folder)?.into_iter().find(|file| !before.contains(file)).context("a file")
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    Ok(fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?)
}

#[tokio::test]
async fn a_second_load_needs_no_compiler_unless_the_file_is_damaged_or_could_be_anothers() -> Result<()> {
    let outer = tempfile::tempdir()?;
    let folder = outer.path().join("data/compiled");
    let (one, two) = (guests::that_traps()?, guests::with_component(&Component::new())?);
    let file = fill(&folder, &one).await?;
    assert_eq!(fs::metadata(&folder)?.permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);
    assert_eq!(cached(&folder, &one).await?, Ok(()));
    assert_eq!(cached(&folder, &two).await?, Err("compiler"), "another component");
    let fuel = builder()?.compiler("/missing/compiler").compiled_cache(&folder).count_fuel().build()?;
    assert_eq!(fuel.load(&one).await.err().map(|error| error.code()), Some("compiler"), "another engine");

    let good = fs::read(&file)?;
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let damaged = [
        ("empty", Vec::new()),
        ("cut within its digest", good[..20].to_vec()),
        ("cut after its digest", good[..32].to_vec()),
        ("cut in the middle", good[..good.len() / 2].to_vec()),
        ("cut at its end", good[..good.len() - 1].to_vec()),
        ("longer", [&good[..], b"x"].concat()),
        ("digest", flipped(0)),
        ("start of the code", flipped(32)),
        ("middle of the code", flipped(good.len() / 2)),
        ("end of the code", flipped(good.len() - 1)),
    ];
    for (what, bytes) in damaged {
        fs::write(&file, bytes)?;
        assert_eq!(cached(&folder, &one).await?, Err("compiler"), "{what}");
        builder()?.compiled_cache(&folder).build()?.load(&one).await?;
        assert_eq!(cached(&folder, &one).await?, Ok(()), "{what}: compiled again");
    }

    let other = fill(&folder, &two).await?;
    fs::copy(&other, &file)?;
    assert_eq!(cached(&folder, &one).await?, Err("compiler"), "the code of another component");
    fs::write(&file, &good)?;
    for mode in [0o620, 0o602, 0o666] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode))?;
        assert_eq!(cached(&folder, &one).await?, Err("compiler"), "mode {mode:o}");
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
    assert_eq!(cached(&folder, &one).await?, Ok(()));
    let elsewhere = outer.path().join("elsewhere");
    fs::rename(&file, &elsewhere)?;
    symlink(&elsewhere, &file)?;
    assert_eq!(cached(&folder, &one).await?, Err("compiler"), "a link");
    fs::remove_file(&file)?;
    fs::create_dir(&file)?;
    assert_eq!(cached(&folder, &one).await?, Err("compiler"), "a directory");
    builder()?.compiled_cache(&folder).build()?.load(&one).await?;
    assert!(files(&folder)?.iter().all(|file| file.file_name().is_none_or(|name| name.as_bytes()[0] != b'.')));
    Ok(())
}

#[test]
fn a_folder_that_others_can_write_to_is_not_a_cache() -> Result<()> {
    let outer = tempfile::tempdir()?;
    let code = |folder: &Path| memory::host().compiled_cache(folder).build().err().map(|error| error.code());
    for (mode, expected) in [
        (0o777, Some("cache-not-private")),
        (0o770, Some("cache-not-private")),
        (0o702, Some("cache-not-private")),
        (0o1777, Some("cache-not-private")),
        (0o755, None),
        (0o700, None),
    ] {
        let folder = outer.path().join(format!("{mode:o}"));
        fs::create_dir(&folder)?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode))?;
        assert_eq!(code(&folder), expected, "{mode:o}");
    }
    let link = outer.path().join("link");
    symlink(outer.path().join("700"), &link)?;
    for link in [link.clone(), link.join(""), link.join(".")] {
        assert_eq!(code(&link), Some("cache-folder"), "{}", link.display());
    }
    fs::write(outer.path().join("file"), "")?;
    assert_eq!(code(&outer.path().join("file")), Some("cache-folder"), "a file");
    // Only root can give a folder away.
    let given = outer.path().join("700");
    if chown(&given, Some(65_534), None).is_ok() {
        assert_eq!(code(&given), Some("cache-not-private"), "another owner");
    }
    Ok(())
}

#[test]
fn the_limits_on_complexity_leave_room_for_plugins() -> Result<()> {
    for package in ["salesforce-leads", "tiny-crm", "hostile"] {
        let component = fs::read(guests::build(package)?.path)?;
        let began = Instant::now();
        let complexity = Inspection::complexity(&component)?;
        println!("{package}: {} bytes, {:.2?}", component.len(), began.elapsed());
        for Capped { what, count, limit } in complexity {
            println!("  {what:<50} {count:>9} of {limit:>9}");
            // Nesting comes from the encoder, not from the size of a plugin.
            let room = if limit < 10 { 1 } else { 3 };
            assert!(count * room <= limit, "{package}: {count} {what}, and the limit is {limit}");
        }
    }
    Ok(())
}
