//! A cluster, and what ends it.

use std::{
    fmt, fs, io,
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use anyhow::{Context as _, Result};
use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal},
};

use crate::{
    NotRun, or_not_run,
    server::{Server, finish},
};

/// Database user that owns everything. No password: only this user and root can enter the folder with the socket.
const USER: &str = "postgres";

/// Reads until its input ends, which is when the test's process drops the cluster or ends, even by SIGKILL.
const GUARDIAN: &str = r#"read -r _; "$1" -D "$2/data" -m immediate stop; rm -rf "$2""#;

/// The port in the name of the socket, where nothing listens on a port.
const NO_PORT: u16 = 5432;

/// A PostgreSQL cluster in a temporary folder. It is stopped and removed when dropped, and when the process ends.
pub struct Cluster {
    server: Server,
    folder: PathBuf,
    /// Ends the cluster as soon as its input closes.
    guardian: Child,
    port: u16,
    /// Settings of the server, as `postgres` takes them.
    settings: String,
    databases: AtomicU32,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Starts a cluster for a test that stops or kills it. `None`, after saying so, where PostgreSQL is missing.
    ///
    /// # Panics
    /// When PostgreSQL fails, or is missing in CI.
    pub fn start() -> Option<Self> {
        or_not_run(Self::create().and_then(|cluster| {
            cluster.begin()?;
            Ok(cluster)
        }))
    }

    /// The same with TLS on a loopback port. Returns the port and the file of its certificate, which is for `localhost` and signed by
    /// nobody else.
    ///
    /// # Panics
    /// When PostgreSQL fails, or is missing in CI.
    pub fn start_with_tls() -> Option<(Self, u16, PathBuf)> {
        or_not_run(Self::create().and_then(|mut cluster| {
            let [certificate, key] = ["tls.crt", "tls.key"].map(|name| cluster.folder.join(name));
            let mut openssl = cluster.server.command(Path::new("openssl"));
            openssl.args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split(' '));
            openssl.args("-subj /CN=localhost -addext subjectAltName=DNS:localhost".split(' '));
            openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
            finish(openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate))?;
            // Another process could take the port before the server does, which then does not start.
            let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
            cluster.port = free.context("a free port")?.port();
            cluster.settings = format!(
                "-c listen_addresses=127.0.0.1 -c ssl=on -c ssl_cert_file={} -c ssl_key_file={}",
                certificate.display(),
                key.display()
            );
            cluster.begin()?;
            let port = cluster.port;
            Ok((cluster, port, certificate))
        }))
    }

    /// The cluster that all tests of this process share, each with databases of its own.
    ///
    /// # Panics
    /// When PostgreSQL fails, or is missing in CI.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// A cluster that does not run yet.
    fn create() -> Result<Self, NotRun> {
        let server = Server::find_or_install()?;
        // Short, because the path of a socket has at most 107 bytes.
        let folder = finish(server.command(Path::new("mktemp")).args(["-d", "-t", "pg-XXXXXX"]))?;
        let folder = PathBuf::from(folder.trim());
        let guardian = server
            .command(Path::new("sh"))
            .args(["-c", GUARDIAN, "guardian"])
            .args([server.path_of("pg_ctl"), folder.clone()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A Ctrl-C at the terminal must not end it before it has cleaned up.
            .process_group(0)
            .spawn()
            .context("the process that removes the cluster")?;
        let settings = "-c listen_addresses=".to_owned();
        let cluster = Self { server, folder, guardian, port: NO_PORT, settings, databases: AtomicU32::new(0) };
        // Not synced: the machine is not going to crash between here and the first checkpoint.
        let options = ["--no-sync", "--encoding=UTF8", "--locale=C", "--auth=trust", "--username", USER];
        finish(cluster.server.program("initdb").args(options).arg("--pgdata").arg(cluster.data()))?;
        Ok(cluster)
    }

    /// Creates an empty database and returns its URL. The name may be used again; each database has a number too.
    ///
    /// # Panics
    /// When the cluster is not running.
    pub fn database(&self, name: &str) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("{name}_{number}");
        let mut create = self.server.program("createdb");
        create.arg("--host").arg(&self.folder).args(["--port", &self.port.to_string(), "--username", USER, &name]);
        expect(finish(&mut create));
        self.url(&name)
    }

    /// The URL of a database, by its socket.
    pub fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&port={}&user={USER}", self.folder.display(), self.port)
    }

    /// Kills the postmaster and all its children at once, as a crash of the machine would, except that the kernel's cache
    /// survives.
    ///
    /// # Panics
    /// When the cluster is not running.
    pub fn kill9(&self) {
        expect(self.kill());
    }

    /// Stops the cluster if it is running, and starts it again.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&self) {
        self.stop();
        expect(self.begin());
    }

    /// Stops the cluster if it is running: connections are closed, and what was written is on disk.
    ///
    /// # Panics
    /// When it does not stop.
    pub fn stop(&self) {
        if self.control().arg("status").output().is_ok_and(|status| status.status.success()) {
            expect(finish(self.control().args(["-m", "fast", "stop"])));
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn control(&self) -> std::process::Command {
        let mut control = self.server.program("pg_ctl");
        control.arg("-D").arg(self.data());
        control
    }

    /// Starts the server and waits until it takes connections.
    fn begin(&self) -> Result<()> {
        let log = self.folder.join("log");
        // Many tests have many connections each.
        let options = format!(
            "-k {} -p {} -c fsync=on -c max_connections=500 {}",
            self.folder.display(),
            self.port,
            self.settings
        );
        let started = finish(self.control().args(["-w", "-o", &options, "-l"]).arg(&log).arg("start"));
        started.with_context(|| fs::read_to_string(log).unwrap_or_default())?;
        Ok(())
    }

    fn kill(&self) -> Result<()> {
        let postmaster =
            fs::read_to_string(self.data().join("postmaster.pid")).context("the cluster is not running")?;
        let postmaster = postmaster.lines().next().and_then(pid).context("the postmaster's id")?;
        // Stopped, it starts no further children.
        kill_process(postmaster, Signal::STOP)?;
        let children = format!("/proc/{0}/task/{0}/children", postmaster.as_raw_nonzero());
        let children = fs::read_to_string(children)?;
        let processes = children.split_whitespace().filter_map(pid).chain([postmaster]);
        // One that has ended meanwhile has no handle.
        let processes: Vec<_> = processes.filter_map(|id| pidfd_open(id, PidfdFlags::empty()).ok()).collect();
        for process in &processes {
            let _ = pidfd_send_signal(process, Signal::KILL);
        }
        for process in &processes {
            // Readable when the process has ended. The next start needs them gone.
            while let Err(error) = poll(&mut [PollFd::new(process, PollFlags::IN)], None) {
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error.into());
                }
            }
        }
        // Where nobody collects orphans, as in many containers, the ids in these files still exist.
        fs::remove_file(self.data().join("postmaster.pid"))?;
        fs::remove_file(self.folder.join(format!(".s.PGSQL.{}.lock", self.port)))?;
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        let _ = self.guardian.wait();
    }
}

fn pid(text: &str) -> Option<Pid> {
    Pid::from_raw(text.trim().parse().ok()?)
}

fn expect<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{error:?}"))
}

#[cfg(test)]
mod tests {
    use std::{panic, process::Command};

    use super::*;

    fn query(cluster: &Cluster, url: &str, sql: &str) -> Result<String> {
        finish(cluster.server.program("psql").args(["-XAt", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql]))
    }

    #[test]
    fn what_was_committed_survives_the_death_of_every_process() {
        let Some(cluster) = Cluster::start() else { return };
        let (one, other) = (cluster.database("same"), cluster.database("same"));
        query(&cluster, &one, "CREATE TABLE kept AS SELECT 7 AS number").unwrap();
        query(&cluster, &other, "SELECT * FROM kept").expect_err("each database is empty");
        cluster.kill9();
        query(&cluster, &one, "SELECT 1").expect_err("nothing runs");
        cluster.restart();
        assert_eq!(query(&cluster, &one, "SELECT number FROM kept").unwrap().trim(), "7");
        assert_eq!(query(&cluster, &one, "SHOW fsync").unwrap().trim(), "on");
        cluster.stop();
        cluster.stop();
        query(&cluster, &one, "SELECT 1").expect_err("it is stopped");
        cluster.restart();
        cluster.restart();
        assert_eq!(query(&cluster, &one, "SELECT number FROM kept").unwrap().trim(), "7");
    }

    #[test]
    fn a_cluster_is_removed_even_when_its_test_panics() {
        let Some(cluster) = Cluster::start() else { return };
        let folder = cluster.folder.clone();
        let panicked = panic::catch_unwind(panic::AssertUnwindSafe(|| {
            let _cluster = cluster;
            panic!("a test that fails");
        }));
        assert!(panicked.is_err());
        assert!(!folder.exists());
        let running = Command::new("pgrep").arg("-f").arg(&folder).output();
        assert!(running.is_ok_and(|found| found.stdout.is_empty()));
    }
}
