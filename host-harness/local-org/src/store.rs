//! The file that keeps an org's Leads and grants across restarts.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    ops::Deref,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::state::{Kept, State};

/// A value with a flag for unsaved changes.
#[derive(Debug)]
pub(crate) struct Tracked<T> {
    value: T,
    changed: bool,
}

impl<T> Tracked<T> {
    pub fn new(value: T) -> Self {
        Self { value, changed: true }
    }

    /// Mutable access for a change that the next save must write.
    pub fn change(&mut self) -> &mut T {
        self.changed = true;
        &mut self.value
    }

    /// Mutable access that does not trigger a write: such changes are saved with the next one that does.
    pub fn in_passing(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: Default> Default for Tracked<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Deref for Tracked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    /// Held during a whole write, so that an older state never overwrites a newer one.
    writing: Mutex<()>,
}

impl Store {
    pub fn new(path: PathBuf) -> Self {
        Self { path, writing: Mutex::new(()) }
    }

    /// Reads the state of an earlier run; empty if the file does not exist.
    pub fn load(path: &Path) -> io::Result<Kept> {
        match fs::read(path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::default()),
            Err(error) => Err(error),
        }
    }

    /// Writes the state if it has changed. When this returns, all earlier changes are on disk.
    pub fn save(&self, state: &Mutex<State>) -> io::Result<()> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = {
            let mut state = lock(state);
            if !state.kept.changed {
                return Ok(());
            }
            let bytes = serde_json::to_vec(&*state.kept)?;
            state.kept.changed = false;
            bytes
        };
        self.replace(&bytes).inspect_err(|_| lock(state).kept.changed = true)
    }

    /// Writes the state, including changes made through [`Tracked::in_passing`].
    pub fn save_all(&self, state: &Mutex<State>) -> io::Result<()> {
        lock(state).kept.changed = true;
        self.save(state)
    }

    /// Replaces the file atomically, so that a crash leaves either the old or the new state.
    fn replace(&self, state: &[u8]) -> io::Result<()> {
        let mut fresh = self.path.as_os_str().to_owned();
        fresh.push(".new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        // The file contains the app's secret.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&fresh)?;
        file.write_all(state)?;
        file.sync_all()?;
        fs::rename(&fresh, &self.path)
    }
}

/// Locks the state, ignoring poisoning: a panic leaves it no worse than a crash would.
pub(crate) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
