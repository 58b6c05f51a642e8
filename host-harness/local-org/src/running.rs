//! Starting and stopping an org.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use thiserror::Error;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    admin,
    clock::Clock,
    file::{FileError, OrgFile},
    org::{AppCredentials, Org, Place},
    server,
    state::{Kept, State},
    store::{Store, Tracked},
};

/// Options for [`serve`].
#[derive(Clone, Debug)]
pub struct Options {
    /// Loopback address of the org; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Loopback address of the admin API; port 0 picks a free one.
    pub admin: SocketAddr,
    /// The clock that the org reads.
    pub clock: Clock,
    /// `instance_url` of token responses; the org's own address if absent.
    pub instance_url: Option<String>,
    /// File that keeps Leads and grants across restarts; created if missing.
    pub store: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { listen: any, admin: any, clock: Clock::system(), instance_url: None, store: None }
    }
}

/// Why an org cannot start.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The org file is inconsistent.
    #[error(transparent)]
    File(#[from] FileError),
    /// An address is in use or not available.
    #[error("cannot listen on {address}; choose another address, or stop the process that uses it")]
    Listen {
        /// The address that was requested.
        address: SocketAddr,
        /// The operating system's error.
        source: io::Error,
    },
    /// The address would expose the org to other machines.
    #[error(
        "{address} is not a loopback address; a local org has no TLS and well-known passwords, so it listens on this machine only"
    )]
    NotLoopback {
        /// The address that was requested.
        address: SocketAddr,
    },
    /// The store exists but cannot be read or parsed.
    #[error("cannot read the org's store {}; delete the file to start with an empty org", path.display())]
    Store {
        /// Path of the store.
        path: PathBuf,
        /// The I/O or JSON error.
        source: io::Error,
    },
    /// The store's file or folder is not writable.
    #[error("cannot write the org's store {}; choose a file in a writable folder", path.display())]
    StoreUnwritable {
        /// Path of the store.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
}

impl ServeError {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::Listen { .. } => "org-listen",
            Self::NotLoopback { .. } => "org-not-loopback",
            Self::Store { .. } => "org-store",
            Self::StoreUnwritable { .. } => "org-store-unwritable",
        }
    }
}

/// An org that serves requests until it is stopped or dropped.
#[derive(Debug)]
pub struct RunningOrg {
    org: Org,
    admin_url: String,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts an org and its admin API.
///
/// # Errors
/// [`ServeError`] if the file is inconsistent, an address cannot be used, or the store cannot be read or written.
pub async fn serve(file: OrgFile, options: Options) -> Result<RunningOrg, ServeError> {
    let listener = listen(options.listen).await?;
    let admin_listener = listen(options.admin).await?;
    let url = |listener: &TcpListener| listener.local_addr().map(|address| format!("http://{address}"));
    let base_url = url(&listener).map_err(|source| ServeError::Listen { address: options.listen, source })?;
    let admin_url = url(&admin_listener).map_err(|source| ServeError::Listen { address: options.admin, source })?;
    let kept = match &options.store {
        Some(path) => Store::load(path).map_err(|source| ServeError::Store { path: path.clone(), source })?,
        None => Kept::default(),
    };
    let state = State { kept: Tracked::new(kept), ..State::default() };
    let place = Place { base_url, instance_url: options.instance_url, store: options.store.clone().map(Store::new) };
    let org = Org::new(file, options.clock, place, state)?;
    // Saved before the first request: the generated key and secret must be the same after a restart.
    org.save()
        .await
        .map_err(|source| ServeError::StoreUnwritable { path: options.store.unwrap_or_default(), source })?;
    let (stop, stopped) = watch::channel(false);
    let tasks = vec![
        tokio::spawn(server::serve(org.clone(), listener, stopped.clone())),
        tokio::spawn(admin::serve(org.clone(), admin_listener, stopped)),
    ];
    Ok(RunningOrg { org, admin_url, stop, tasks })
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    if !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback { address });
    }
    TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })
}

impl RunningOrg {
    /// The org's address, such as `http://127.0.0.1:40123`.
    pub fn base_url(&self) -> &str {
        self.org.base_url()
    }

    /// The admin API's address, such as `http://127.0.0.1:40124`.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// Credentials of the app that clients present.
    pub fn app(&self) -> AppCredentials {
        self.org.app()
    }

    /// A handle to the org, which remains valid after it stops.
    pub fn org(&self) -> &Org {
        &self.org
    }

    /// Stops the org; open connections get 2 seconds to finish.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for task in self.tasks.drain(..) {
            // A task that panicked has stopped too.
            let _ = task.await;
        }
    }
}

impl Drop for RunningOrg {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.tasks.iter().for_each(JoinHandle::abort);
        // Only counts and times of last use are unsaved here. A request whose changes could not be saved got an error.
        let _ = self.org.save_all();
    }
}
