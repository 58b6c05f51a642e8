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

/// How an org is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address of the org; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Address of the admin API; port 0 takes a free one.
    pub admin: SocketAddr,
    /// The org's clock.
    pub clock: Clock,
    /// What token responses name as `instance_url`, if not the org's own address.
    pub instance_url: Option<String>,
    /// File in which Leads and grants outlive the process.
    pub store: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { listen: any, admin: any, clock: Clock::system(), instance_url: None, store: None }
    }
}

/// Why an org does not start.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The org file makes no org.
    #[error(transparent)]
    File(#[from] FileError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}; choose another address, or stop what listens there")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The org would be open to other machines.
    #[error(
        "{address} is not a loopback address; a local org has no TLS and known passwords, and stays on this machine"
    )]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// The store cannot be read.
    #[error("the org's store {} cannot be read; delete the file to start afresh", path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// The store cannot be written.
    #[error("the org's store {} cannot be written; name a file in a writable folder", path.display())]
    StoreUnwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
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

/// An org that answers requests until it is stopped or dropped.
#[derive(Debug)]
pub struct RunningOrg {
    org: Org,
    admin_url: String,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts an org.
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
    // Now rather than after the first request: whoever reads key and secret must find the same ones after a restart.
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
    /// Where the org answers, such as `http://127.0.0.1:40123`.
    pub fn base_url(&self) -> &str {
        self.org.base_url()
    }

    /// Where the admin API answers.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// The app that clients present.
    pub fn app(&self) -> AppCredentials {
        self.org.app()
    }

    /// A handle to the org.
    pub fn org(&self) -> &Org {
        &self.org
    }

    /// Stops the org once open requests are answered.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for task in self.tasks.drain(..) {
            // A task that panicked has stopped as well.
            let _ = task.await;
        }
    }
}

impl Drop for RunningOrg {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.tasks.iter().for_each(JoinHandle::abort);
        // Left are counts and times of last use. That what mattered could not be saved was said when it happened.
        let _ = self.org.save_all();
    }
}
