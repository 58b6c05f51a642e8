//! The file in which an org's Leads and grants outlive the process.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    ops::Deref,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::state::{Kept, State};

/// A value that knows whether it has been changed since it was saved.
#[derive(Debug)]
pub(crate) struct Tracked<T> {
    value: T,
    changed: bool,
}

impl<T> Tracked<T> {
    /// A value that was never saved.
    pub fn new(value: T) -> Self {
        Self { value, changed: true }
    }

    /// The value, for a change that the next save must write.
    pub fn change(&mut self) -> &mut T {
        self.changed = true;
        &mut self.value
    }

    /// The value, for changes that need no write of their own; the next save includes them.
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

/// Where the state goes.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    /// Held over a whole write, so that an older state never overwrites a newer one.
    writing: Mutex<()>,
}

impl Store {
    pub fn new(path: PathBuf) -> Self {
        Self { path, writing: Mutex::new(()) }
    }

    /// Reads what an earlier run kept; nothing if there was none.
    pub fn load(path: &Path) -> io::Result<Kept> {
        match fs::read(path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::default()),
            Err(error) => Err(error),
        }
    }

    /// Writes the state if it has changed. Once this returns, so has every write of a change that came before.
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

    /// Writes the state with all that was changed in passing.
    pub fn save_all(&self, state: &Mutex<State>) -> io::Result<()> {
        lock(state).kept.changed = true;
        self.save(state)
    }

    /// Puts a state in the place of the former one, so that a crash leaves one or the other.
    fn replace(&self, state: &[u8]) -> io::Result<()> {
        let mut fresh = self.path.as_os_str().to_owned();
        fresh.push(".new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        // The app's secret is in it.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&fresh)?;
        file.write_all(state)?;
        file.sync_all()?;
        fs::rename(&fresh, &self.path)
    }
}

/// Locks a state. A panic of another thread leaves one that is no worse than a crash would have left.
pub(crate) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
