//! The command's settings in the environment.
//!
//! They are read once, when the command starts. All their names begin with `HARNESS_`, which no other tool sets, and no program that
//! the command starts inherits them: some are secrets.

use std::{env, process::Command, sync::LazyLock};

use crm_host::secret::Secret;
use crm_store::KEY_VARIABLE;

pub(crate) const LOGIN_HOST: &str = "HARNESS_LOGIN_HOST";
pub(crate) const CLIENT_ID: &str = "HARNESS_CLIENT_ID";
pub(crate) const CLIENT_SECRET: &str = "HARNESS_CLIENT_SECRET";
pub(crate) const REDIRECT_URI: &str = "HARNESS_REDIRECT_URI";
/// Variables that name the org of `live-check`.
pub(crate) const LIVE_LOGIN_HOST: &str = "HARNESS_LIVE_LOGIN_HOST";
pub(crate) const LIVE_CLIENT_ID: &str = "HARNESS_LIVE_CLIENT_ID";
pub(crate) const LIVE_CLIENT_SECRET: &str = "HARNESS_LIVE_CLIENT_SECRET";

/// What the environment says. A blank variable counts as not set, except the store's key: a new store would then put its key beside
/// the database.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) login_host: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) redirect_uri: Option<String>,
    pub(crate) live_login_host: Option<String>,
    pub(crate) live_client_id: Option<String>,
    pub(crate) live_client_secret: Option<Secret>,
    pub(crate) store_key: Option<Secret>,
}

static READ: LazyLock<Environment> = LazyLock::new(|| Environment {
    login_host: variable(LOGIN_HOST),
    client_id: variable(CLIENT_ID),
    client_secret: variable(CLIENT_SECRET).map(Secret::new),
    redirect_uri: variable(REDIRECT_URI),
    live_login_host: variable(LIVE_LOGIN_HOST),
    live_client_id: variable(LIVE_CLIENT_ID),
    live_client_secret: variable(LIVE_CLIENT_SECRET).map(Secret::new),
    store_key: given(KEY_VARIABLE).map(Secret::new),
});

/// The settings as they were when the command started.
pub(crate) fn environment() -> &'static Environment {
    &READ
}

/// Reads the settings. To be called before anything else happens.
pub fn read() {
    LazyLock::force(&READ);
}

fn variable(name: &str) -> Option<String> {
    given(name).filter(|value| !value.trim().is_empty())
}

/// A variable, even if it is blank.
fn given(name: &str) -> Option<String> {
    // A text that is not Unicode is kept, so that it is refused where it is used.
    env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Shows an address in the person's browser.
pub(crate) fn open_browser(address: &str) -> std::io::Result<()> {
    let mut tried = Err(std::io::ErrorKind::NotFound.into());
    for mut browser in open::commands(address) {
        tried = show(&mut browser);
        if tried.is_ok() {
            break;
        }
    }
    tried
}

fn show(browser: &mut Command) -> std::io::Result<()> {
    use std::process::Stdio;

    crm_installer::withhold_settings(browser).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let ended = browser.status()?;
    if ended.success() { Ok(()) } else { Err(std::io::Error::other(format!("{ended}"))) }
}
