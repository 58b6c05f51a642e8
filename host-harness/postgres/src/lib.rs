//! From a URL to a pool of connections to PostgreSQL, and what all that write to it ask of the server.
//!
//! TLS: as `sslmode` says, `disable`, `prefer` (the default) or `require`. Where TLS is used, the server's certificate and its name
//! are verified against the system's authorities, or those in the PEM file that `sslrootcert` names; `prefer` too never accepts a
//! certificate that does not verify. libpq's `verify-full` is therefore the same as `require`. A Unix socket has no TLS.
//!
//! No setting outlives a transaction, so a pooler between may pool by transaction, as far as what runs on the connections allows.

use std::{error::Error, path::PathBuf, sync::Arc, time::Duration};

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use percent_encoding::percent_decode_str;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres::{
    Config, NoTls,
    config::{Host, SslMode},
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long to wait for a connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// A server that no longer acknowledges what was sent is given up, so that nobody waits for a dead one for minutes.
const UNACKNOWLEDGED: Duration = Duration::from_secs(15);

type Cause = Box<dyn Error + Send + Sync>;

/// Why there is no pool. No text contains the URL, which may have a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL cannot be used.
    #[error(
        "the URL of PostgreSQL cannot be used; it has the form `postgres://user:password@host/database?sslmode=require`"
    )]
    Url(#[source] Cause),
    /// The certificates that `sslrootcert` names cannot be read, or those of the system.
    #[error("the certificates that PostgreSQL's server is verified with cannot be used{}", file.as_ref().map(|file| format!(" (`sslrootcert={}`)", file.display())).unwrap_or_default())]
    Certificates {
        /// What `sslrootcert` names.
        file: Option<PathBuf>,
        /// The cause.
        source: Cause,
    },
    /// The pool cannot be made.
    #[error("the pool of connections to PostgreSQL cannot be made")]
    Pool(#[source] Cause),
}

impl ConnectError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Url(_) => "postgres-url",
            Self::Certificates { .. } => "postgres-certificates",
            Self::Pool(_) => "postgres-pool",
        }
    }
}

/// A pool of at most `size` connections. It connects when it is first used.
///
/// `name` is what the server calls them (`application_name`), unless the URL says otherwise.
///
/// # Errors
/// If the URL or the certificates that it names cannot be used.
pub fn pool(url: &str, name: &str, size: usize) -> Result<Pool, ConnectError> {
    let (mut config, certificates) = read(url)?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(PATIENCE);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(UNACKNOWLEDGED);
    }
    if config.get_application_name().is_none() {
        config.application_name(name);
    }
    let has_tls =
        config.get_ssl_mode() != SslMode::Disable && config.get_hosts().iter().any(|host| matches!(host, Host::Tcp(_)));
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = if has_tls {
        Manager::from_config(config, MakeRustlsConnect::new(tls(certificates)?), recycling)
    } else {
        Manager::from_config(config, NoTls, recycling)
    };
    let pool = Pool::builder(manager)
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(PATIENCE))
        .create_timeout(Some(PATIENCE));
    pool.build().map_err(|error| ConnectError::Pool(error.into()))
}

/// The configuration in a URL, and what its `sslrootcert` names, which the client does not know.
fn read(url: &str) -> Result<(Config, Option<PathBuf>), ConnectError> {
    let mut certificates = None;
    let mut left = Vec::new();
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=') {
            Some(("sslrootcert", file)) => {
                let file = percent_decode_str(file).decode_utf8().map_err(|error| ConnectError::Url(error.into()))?;
                certificates = Some(PathBuf::from(file.into_owned()));
            }
            Some(("sslmode", "verify-full")) => left.push("sslmode=require"),
            _ => left.push(parameter),
        }
    }
    let config = format!("{address}?{}", left.join("&")).parse::<Config>();
    Ok((config.map_err(|error| ConnectError::Url(error.into()))?, certificates))
}

fn tls(file: Option<PathBuf>) -> Result<ClientConfig, ConnectError> {
    let failed = |source| ConnectError::Certificates { file: file.clone(), source };
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.into()))?;
    let builder = match &file {
        None => builder.with_platform_verifier().map_err(|error| failed(error.into()))?,
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_file_iter(file).map_err(|error| failed(error.into()))? {
                let certificate = certificate.map_err(|error| failed(error.into()))?;
                roots.add(certificate).map_err(|error| failed(error.into()))?;
            }
            builder.with_root_certificates(roots)
        }
    };
    Ok(builder.with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_a_url_that_providers_hand_out_are_read() {
        let table = [
            ("postgres://u:p@one.example:6432,two.example/crm", 2, SslMode::Prefer, None),
            ("postgresql://u:p@db.example/crm?sslmode=require&channel_binding=prefer", 1, SslMode::Require, None),
            (
                "postgres://db.example/crm?sslmode=verify-full&sslrootcert=%2Fetc%2Fa%20b.pem",
                1,
                SslMode::Require,
                Some("/etc/a b.pem"),
            ),
            ("postgres:///crm?host=/run/postgresql&user=u", 1, SslMode::Prefer, None),
            ("postgres://db.example/crm?sslmode=disable", 1, SslMode::Disable, None),
        ];
        for (url, hosts, mode, certificates) in table {
            let (config, file) = read(url).unwrap();
            assert_eq!((config.get_hosts().len(), config.get_ssl_mode()), (hosts, mode), "{url}");
            assert_eq!(file.as_deref(), certificates.map(std::path::Path::new), "{url}");
        }
    }

    #[test]
    fn a_url_that_cannot_be_used_is_refused_without_its_password() {
        for url in [
            "canary",
            "https://canary@db.example",
            "postgres://u:canary@db.example/crm?sslmode=verify-ca",
            "postgres://u:canary@db.example:port/crm",
        ] {
            let error = read(url).unwrap_err();
            assert_eq!(error.code(), "postgres-url", "{url}");
            let source = error.source().map(ToString::to_string);
            assert!(!format!("{error} {source:?} {error:?}").contains("canary"), "{error:?}");
        }
        let missing = pool("postgres://db.example/crm?sslrootcert=/missing.pem", "test", 1).unwrap_err();
        assert_eq!(missing.code(), "postgres-certificates");
        assert!(missing.to_string().contains("/missing.pem"));
    }
}
