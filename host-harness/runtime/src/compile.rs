//! Compiles a component: in a process of its own under limits, or on a thread.

use std::{
    env,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
};
use wasmtime::component::Component;

use crate::{engine, host::LoadError, inspect::MAX_COMPONENT_BYTES};

/// The argument that makes a program compile.
const ARGUMENT: &str = "compile-component";
/// The argument for code that counts instructions.
const COUNTS_FUEL: &str = "fuel";
/// How long the process may take, waiting for a busy machine included.
const WALL: Duration = Duration::from_secs(15);
/// Computing time of the process. The largest known plugin takes half a second.
#[cfg(unix)]
const CPU: Duration = Duration::from_secs(5);
/// Address space of the process. It touches only a part.
#[cfg(unix)]
const ADDRESS_SPACE: u64 = 512 << 20;
/// The most native code that is accepted, with its metadata. The largest known plugin has 2 MB.
pub(crate) const MAX_COMPILED_BYTES: usize = 64 << 20;
/// How much the process gives way to the calls of plugins, from 0 to 19. On an idle machine it is as fast as without.
#[cfg(unix)]
const NICENESS: i32 = 10;
/// As much of what the process says is kept.
const MAX_MESSAGE_BYTES: u64 = 1 << 10;

/// Native code that this library made of a component: in this process, in one that it started, or earlier.
///
/// Whoever makes one vouches for that, because running it is not checked any more.
pub(crate) struct Compiled(pub(crate) Vec<u8>);

impl Compiled {
    #[expect(unsafe_code, reason = "wasmtime cannot check native code, and compiling it elsewhere needs this function")]
    pub(crate) fn load(&self, engine: &wasmtime::Engine) -> wasmtime::Result<Component> {
        // SAFETY: the bytes come from `Engine::precompile_component`, over a pipe from a process that this one started or from a
        // file that only this user can write. That is as much trust as compiling in this process needs. wasmtime itself refuses
        // code of another version or configuration.
        unsafe { Component::deserialize(engine, &self.0) }
    }
}

/// Where components are compiled.
#[derive(Debug)]
pub(crate) enum Compiler {
    /// On a thread of this process.
    Thread,
    /// By a program that calls [`run_as_compiler`].
    Process(PathBuf),
}

impl Compiler {
    /// Compiles a component that was validated.
    pub(crate) async fn compile(&self, engine: &engine::Engine, component: Arc<[u8]>) -> Result<Compiled, LoadError> {
        match self {
            Self::Process(program) => in_process(program, engine.counts_fuel, &component).await,
            Self::Thread => {
                let engine = engine.wasm.clone();
                on_a_thread(move || match engine.precompile_component(&component) {
                    Ok(code) => Ok(Compiled(code)),
                    Err(error) => Err(LoadError::Compile(format!("{error:#}"))),
                })
                .await
            }
        }
    }
}

/// Does what takes more than a moment where it holds up no other task.
pub(crate) async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LoadError> + Send + 'static,
) -> Result<T, LoadError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(stopped) => Err(LoadError::Compile(format!("the compiler failed: {stopped}"))),
    }
}

async fn in_process(program: &Path, counts_fuel: bool, component: &[u8]) -> Result<Compiled, LoadError> {
    let failed = |source| LoadError::Compiler { program: program.to_owned(), source };
    let mut command = Command::new(program);
    command
        .arg(ARGUMENT)
        .args(counts_fuel.then_some(COUNTS_FUEL))
        // Secrets of this process are in its environment, and its files in its folder.
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(failed)?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A process that ended early says why itself.
            let _ = stdin.write_all(component).await;
        }
    };
    let limit = u64::try_from(MAX_COMPILED_BYTES).unwrap_or(u64::MAX);
    let ended = tokio::time::timeout(WALL, async {
        let ((), code, message) = tokio::join!(feed, read(stdout, limit + 1), read(stderr, MAX_MESSAGE_BYTES));
        Ok((code?, message?, child.wait().await?))
    });
    let Ok(ended) = ended.await else {
        return Err(LoadError::TooCostly(format!("it did not end within {} s", WALL.as_secs())));
    };
    let (code, message, status) = ended.map_err(failed)?;
    if code.len() > MAX_COMPILED_BYTES {
        return Err(LoadError::TooCostly(format!("it makes more than {MAX_COMPILED_BYTES} bytes of code")));
    }
    match status.code() {
        Some(0) => Ok(Compiled(code)),
        Some(_) => Err(LoadError::Compile(String::from_utf8_lossy(&message).trim().to_owned())),
        // The system ends a process that exceeds its time, and the allocator one that gets no memory.
        None => Err(LoadError::TooCostly(format!("it exceeded its time or its memory ({status})"))),
    }
}

async fn read(pipe: Option<impl tokio::io::AsyncRead + Unpin>, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(limit).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// Compiles a component, if a host started this process to do that. A program that gives its own path to
/// [`HostBuilder::compiler`](crate::HostBuilder::compiler) calls this first in `main`, and returns the exit code if there is one.
///
/// The process limits its own computing time, address space and files before it reads the component from standard input. It
/// writes native code to standard output.
pub fn run_as_compiler() -> Option<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    if arguments.next()? != ARGUMENT {
        return None;
    }
    let counts_fuel = arguments.next().is_some_and(|argument| argument == COUNTS_FUEL);
    match compile_input(counts_fuel) {
        Ok(()) => Some(ExitCode::SUCCESS),
        Err(message) => {
            // Nobody else reads this.
            let _ = io::stderr().write_all(message.as_bytes());
            Some(ExitCode::FAILURE)
        }
    }
}

fn compile_input(counts_fuel: bool) -> Result<(), String> {
    limit_resources().map_err(|error| format!("the compiler cannot limit itself: {error}"))?;
    let mut component = Vec::new();
    let limit = u64::try_from(MAX_COMPONENT_BYTES).unwrap_or(u64::MAX);
    io::stdin().take(limit).read_to_end(&mut component).map_err(|error| error.to_string())?;
    let code = engine::compiling(counts_fuel)
        .and_then(|engine| engine.precompile_component(&component))
        .map_err(|error| format!("{error:#}"))?;
    io::stdout().write_all(&code).map_err(|error| error.to_string())
}

/// Limits this process for good.
#[cfg(unix)]
fn limit_resources() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, nice, setrlimit};
    nice(NICENESS)?;
    for (resource, most) in [
        (Resource::Cpu, CPU.as_secs()),
        (Resource::As, ADDRESS_SPACE),
        // It writes to pipes only, and its memory is in no core dump.
        (Resource::Fsize, 0),
        (Resource::Core, 0),
    ] {
        let most = getrlimit(resource).maximum.map_or(most, |maximum| maximum.min(most));
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    Ok(())
}

/// Elsewhere, only the clock of the process that started this one limits it.
#[cfg(not(unix))]
fn limit_resources() -> io::Result<()> {
    Ok(())
}
