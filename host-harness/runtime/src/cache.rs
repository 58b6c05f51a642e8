//! Compiled components on disk.
//!
//! Native code is trusted, so who can write the folder can run code as this user. The folder's owner and mode are the boundary, and
//! a key would not move it: it would be kept where this user can read it too. A file's digest finds damage.

use std::{io, path::PathBuf};

/// Why a folder cannot keep compiled components.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// It cannot be created or opened. A symbolic link is not opened.
    #[error("the folder `{}` for compiled components cannot be opened; it must be a directory, and not a link", path.display())]
    Open {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Someone else could put code into it.
    #[error(
        "other users can write to `{}`, or own it (owner {owner}, mode {mode:o}), so code in it cannot be trusted; delete it, or name another folder",
        path.display()
    )]
    NotPrivate {
        /// The folder.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// Its mode.
        mode: u32,
    },
    /// This system does not tell owners and modes.
    #[error("compiled components are kept on Unix only")]
    Unsupported,
}

impl CacheError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Open { .. } => "cache-folder",
            Self::NotPrivate { .. } => "cache-not-private",
            Self::Unsupported => "cache-unsupported",
        }
    }
}

#[cfg(unix)]
pub(crate) use unix::Cache;

#[cfg(unix)]
mod unix {
    use std::{
        fs::{self, File},
        hash::{Hash as _, Hasher},
        io::{self, Read as _, Write as _},
        os::{fd::OwnedFd, unix::fs::DirBuilderExt as _},
        path::{Path, PathBuf},
    };

    use rustix::{
        fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, open, openat, renameat, unlinkat},
        process::geteuid,
    };
    use sha2::{Digest as _, Sha256};

    use super::CacheError;
    use crate::{
        compile::{Compiled, MAX_COMPILED_BYTES},
        inspect::hex,
    };

    /// Bytes of the digest before the code.
    const DIGEST_BYTES: usize = 32;
    /// Write permission of others than the owner.
    const WRITABLE_BY_OTHERS: u32 = 0o022;

    /// Permissions and kind of a file. Some systems have 16 bits for them.
    #[allow(clippy::useless_conversion, reason = "of systems with 32 bits")]
    fn mode(stat: &Stat) -> u32 {
        stat.st_mode.into()
    }

    /// A private folder of compiled components. It stays the same folder, whatever happens to its path.
    #[derive(Debug)]
    pub(crate) struct Cache {
        folder: OwnedFd,
        /// Digest of what the code depends on besides its component.
        engine: String,
    }

    impl Cache {
        /// Opens a folder, and creates it with mode 0700 if it is missing.
        pub(crate) fn open(path: &Path, engine: &wasmtime::Engine) -> Result<Self, CacheError> {
            let failed = |source: io::Error| CacheError::Open { path: path.to_owned(), source };
            // With a slash at its end, a link would be followed.
            let path = &path.components().collect::<PathBuf>();
            fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let folder = open(path, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
            let stat = fstat(&folder).map_err(|error| failed(error.into()))?;
            if !is_private(&stat) {
                let mode = mode(&stat) & 0o7777;
                return Err(CacheError::NotPrivate { path: path.to_owned(), owner: stat.st_uid, mode });
            }
            let mut digest = HashedBytes(Sha256::new());
            // What was accepted and compiled by another version of this library is not used.
            env!("CARGO_PKG_VERSION").hash(&mut digest);
            engine.precompile_compatibility_hash().hash(&mut digest);
            Ok(Self { folder, engine: hex(&digest.0.finalize()) })
        }

        fn name(&self, component: &str) -> String {
            format!("{component}-{}", self.engine)
        }

        /// The code of a component, given by its digest. `None` if the file is missing, damaged, or could be another user's.
        pub(crate) fn read(&self, component: &str) -> Option<Compiled> {
            let name = self.name(component);
            // A pipe or device in its place must not block.
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let file = openat(&self.folder, &name, flags, Mode::empty()).ok()?;
            let stat = fstat(&file).ok()?;
            let size = usize::try_from(stat.st_size).ok()?;
            let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
            if !is_file || !is_private(&stat) || size > DIGEST_BYTES + MAX_COMPILED_BYTES {
                return None;
            }
            let (mut digest, mut code) = ([0; DIGEST_BYTES], Vec::with_capacity(size));
            let mut file = File::from(file);
            file.read_exact(&mut digest).ok()?;
            file.take(u64::try_from(size).ok()?).read_to_end(&mut code).ok()?;
            (checksum(&name, &code) == digest).then_some(Compiled(code))
        }

        /// Keeps the code of a component. Without it, the next load only takes longer.
        pub(crate) fn write(&self, component: &str, compiled: &Compiled) {
            let name = self.name(component);
            let temporary = format!(".{:016x}", rand::random::<u64>());
            if let Err(error) = self.replace(&temporary, &name, &compiled.0) {
                tracing::warn!(%error, "a compiled component could not be kept");
                let _ = unlinkat(&self.folder, &temporary, AtFlags::empty());
            }
        }

        fn replace(&self, temporary: &str, name: &str, code: &[u8]) -> io::Result<()> {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let mut file = File::from(openat(&self.folder, temporary, flags, Mode::RUSR | Mode::WUSR)?);
            file.write_all(&checksum(name, code))?;
            file.write_all(code)?;
            Ok(renameat(&self.folder, temporary, &self.folder, name)?)
        }
    }

    fn is_private(stat: &Stat) -> bool {
        stat.st_uid == geteuid().as_raw() && mode(stat) & WRITABLE_BY_OTHERS == 0
    }

    /// Includes the name, so that a file is good for its own component and engine only.
    fn checksum(name: &str, code: &[u8]) -> [u8; DIGEST_BYTES] {
        Sha256::new().chain_update(name).chain_update(code).finalize().into()
    }

    /// Takes the digest of what a value hashes. The standard library's hashers may change with its version.
    struct HashedBytes(Sha256);

    impl Hasher for HashedBytes {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        fn finish(&self) -> u64 {
            0
        }
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::path::Path;

    use super::CacheError;
    use crate::compile::Compiled;

    /// Never opened.
    #[derive(Debug)]
    pub(crate) enum Cache {}

    impl Cache {
        pub(crate) fn open(_: &Path, _: &wasmtime::Engine) -> Result<Self, CacheError> {
            Err(CacheError::Unsupported)
        }

        pub(crate) fn read(&self, _: &str) -> Option<Compiled> {
            match *self {}
        }

        pub(crate) fn write(&self, _: &str, _: &Compiled) {
            match *self {}
        }
    }
}

#[cfg(not(unix))]
pub(crate) use elsewhere::Cache;
