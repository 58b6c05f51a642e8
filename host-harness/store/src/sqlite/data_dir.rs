//! The data folder: it and its files belong to this user and nobody else can change them.
//!
//! Files are opened first and then checked through their handle, without following links, so that what was checked is what is
//! used. The folder's parents are not checked: who can rename the folder can put another one in its place.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use zeroize::Zeroizing;

/// Locked by whoever changes which files there are. Other users can open the folder, and so lock it, but not this file.
#[cfg(unix)]
const LOCK_FILE: &str = "lock";
const IGNORE_FILE: &str = ".gitignore";
/// Opening a store and rotating its key take less than a second.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);
#[cfg(unix)]
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Why a file or directory is not private.
#[derive(Debug, thiserror::Error)]
pub enum PrivacyError {
    /// It cannot be created or read.
    #[error("`{}` cannot be created or read", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Other users have access.
    #[error("other users have access to `{}` (mode {mode:o}); run `chmod {wanted:o} '{}'`, and treat its contents as compromised", path.display(), path.display())]
    Open {
        /// The path.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The required mode.
        wanted: u32,
    },
    /// Another user owns it, and could have prepared it.
    #[error("`{}` belongs to another user (id {owner}); use a folder of your own", path.display())]
    Foreign {
        /// The path.
        path: PathBuf,
        /// Id of its owner.
        owner: u32,
    },
    /// It is a link, or neither a file nor a folder.
    #[error("`{}` is a link or a special file; name the real folder, and put a regular file there", path.display())]
    Special {
        /// The path.
        path: PathBuf,
    },
    /// Another process of this user holds the lock.
    #[error("another process of yours has locked `{}` for too long; end it (`fuser '{}'` finds it), and try again", path.display(), path.display())]
    Locked {
        /// The path.
        path: PathBuf,
    },
}

impl PrivacyError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

/// What others must not have.
#[derive(Clone, Copy)]
struct Access {
    forbidden: u32,
    wanted: u32,
}

/// Others may list a folder, because its files are private; they must not replace them.
const OF_FOLDER: Access = Access { forbidden: 0o022, wanted: 0o700 };
const OF_FILE: Access = Access { forbidden: 0o077, wanted: 0o600 };

/// A data folder that is open.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    #[cfg(unix)]
    handle: File,
}

/// The right to change which files a data folder has. Ends when dropped.
pub(crate) struct Turn {
    #[cfg(unix)]
    _locked: File,
}

impl Folder {
    /// Opens a data folder, and creates it with mode 0700 if it is missing.
    pub(crate) fn open_or_create(path: &Path) -> Result<Self, PrivacyError> {
        let is_new = !path.exists();
        create(path).map_err(PrivacyError::io(path))?;
        let folder = Self::open(path)?;
        if is_new {
            folder.ignore();
        }
        Ok(folder)
    }

    /// Keeps the folder out of a repository around it, as cargo does for its target folder. The store works without.
    fn ignore(&self) {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, OF_FILE.wanted);
        let _ = options.open(self.file(IGNORE_FILE)).and_then(|mut file| file.write_all(b"*\n"));
    }

    fn open(path: &Path) -> Result<Self, PrivacyError> {
        #[cfg(unix)]
        {
            let handle = open(path, rustix::fs::OFlags::DIRECTORY, OF_FOLDER)?;
            // SQLite refuses every link in a path; those above the folder are the user's own.
            let path = path.canonicalize().map_err(PrivacyError::io(path))?;
            Ok(Self { path, handle })
        }
        // On other systems, folders of a user are private by default.
        #[cfg(not(unix))]
        Ok(Self { path: path.to_owned() })
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Waits until no other process or thread creates or replaces files here.
    pub(crate) fn lock(&self) -> Result<Turn, PrivacyError> {
        self.lock_within(LOCK_PATIENCE)
    }

    #[cfg(unix)]
    pub(crate) fn lock_within(&self, patience: Duration) -> Result<Turn, PrivacyError> {
        use std::{fs::TryLockError, time::Instant};

        let path = self.file(LOCK_FILE);
        // A handle of its own: a lock belongs to the handle, and threads must wait for each other too.
        let file = open(&path, rustix::fs::OFlags::CREATE, OF_FILE)?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Turn { _locked: file }),
                Err(TryLockError::WouldBlock) if begun.elapsed() < patience => std::thread::sleep(LOCK_PAUSE),
                Err(TryLockError::WouldBlock) => return Err(PrivacyError::Locked { path }),
                Err(TryLockError::Error(source)) => return Err(PrivacyError::Io { path, source }),
            }
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn lock_within(&self, _patience: Duration) -> Result<Turn, PrivacyError> {
        Ok(Turn {})
    }

    /// Makes created, renamed and removed files last through a power cut.
    pub(crate) fn sync(&self) -> Result<(), PrivacyError> {
        #[cfg(unix)]
        self.handle.sync_all().map_err(PrivacyError::io(&self.path))?;
        Ok(())
    }

    /// Creates a private file with this content, complete or not at all, and returns whether it was missing.
    pub(crate) fn create_file(&self, name: &str, content: &[u8]) -> Result<bool, PrivacyError> {
        let (path, draft) = (self.file(name), self.file(&format!("{name}.draft")));
        remove(&draft)?;
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, OF_FILE.wanted);
        let written = options.open(&draft).and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()?;
            // Unlike a rename, a link does not replace a file.
            match fs::hard_link(&draft, &path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                linked => linked.map(|()| true),
            }
        });
        // The draft can hold a key, so it must not stay in any case.
        let removed = remove(&draft);
        let is_new = written.map_err(PrivacyError::io(&path))?;
        removed?;
        self.sync()?;
        Ok(is_new)
    }

    /// Reads a private file; `None` if it is missing.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Zeroizing<String>>, PrivacyError> {
        let path = self.file(name);
        let Some(mut file) = self.open_file(&path)? else { return Ok(None) };
        let mut text = Zeroizing::new(String::new());
        file.read_to_string(&mut text).map_err(PrivacyError::io(&path))?;
        Ok(Some(text))
    }

    /// Refuses a file that is not private. A missing one is fine.
    pub(crate) fn check(&self, name: &str) -> Result<(), PrivacyError> {
        self.open_file(&self.file(name)).map(drop)
    }

    /// Puts a file in the place of another one.
    pub(crate) fn replace(&self, from: &str, to: &str) -> Result<(), PrivacyError> {
        let to = self.file(to);
        fs::rename(self.file(from), &to).map_err(PrivacyError::io(&to))?;
        self.sync()
    }

    pub(crate) fn remove(&self, name: &str) -> Result<(), PrivacyError> {
        remove(&self.file(name))?;
        self.sync()
    }

    fn open_file(&self, path: &Path) -> Result<Option<File>, PrivacyError> {
        #[cfg(unix)]
        let opened = open(path, rustix::fs::OFlags::empty(), OF_FILE);
        #[cfg(not(unix))]
        let opened = File::open(path).map_err(PrivacyError::io(path));
        match opened {
            Ok(file) => Ok(Some(file)),
            Err(PrivacyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Opens or creates a file or folder if it is not a link, belongs to this user, and others have no access.
#[cfg(unix)]
fn open(path: &Path, flags: rustix::fs::OFlags, access: Access) -> Result<File, PrivacyError> {
    use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};

    use rustix::fs::OFlags;

    let special = || PrivacyError::Special { path: path.to_owned() };
    // Without NONBLOCK, opening a pipe would wait for a writer.
    let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = fs::OpenOptions::new();
    let opened = options.read(true).custom_flags(flags.bits().cast_signed()).mode(access.wanted).open(path);
    let file = opened.map_err(|source| match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => special(),
        _ => PrivacyError::Io { path: path.to_owned(), source },
    })?;
    let metadata = file.metadata().map_err(PrivacyError::io(path))?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(special());
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(PrivacyError::Foreign { path: path.to_owned(), owner: metadata.uid() });
    }
    let mode = metadata.mode() & 0o777;
    if mode & access.forbidden != 0 {
        return Err(PrivacyError::Open { path: path.to_owned(), mode, wanted: access.wanted });
    }
    Ok(file)
}

/// Creates a folder and those above it, durably.
fn create(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, OF_FOLDER.wanted);
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match builder.create(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && parent != path => {
            create(parent)?;
            builder.create(path)?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        created => created?,
    }
    #[cfg(unix)]
    File::open(parent)?.sync_all()?;
    Ok(())
}

fn remove(path: &Path) -> Result<(), PrivacyError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(PrivacyError::io(path)(error)),
        _ => Ok(()),
    }
}
