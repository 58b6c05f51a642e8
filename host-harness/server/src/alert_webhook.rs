//! Alerts as webhooks, signed as [Standard Webhooks](https://www.standardwebhooks.com) says.

use std::{error::Error, fmt, time::Duration};

use async_trait::async_trait;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use crm_delivery::{alerts::Alert, upkeep::Alarm};
use crm_host::secret::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use reqwest::{Client, StatusCode, header, redirect};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use url::{Host, Url};
use zeroize::Zeroizing;

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// What secrets begin with.
const PREFIX: &str = "whsec_";

/// POSTs alerts to an address.
///
/// The body is `{"type": "booking-alert.began", "timestamp": "2026-12-02T08:30:00Z", "data": {...}}`, and `data` is the [`Alert`] as
/// JSON: ids of teams and calendars, codes, counts, and moments in milliseconds since 1970. It has nothing of a guest.
pub struct AlertWebhook {
    client: Client,
    address: Url,
    key: Zeroizing<Vec<u8>>,
    clock: fn() -> Timestamp,
}

impl fmt::Debug for AlertWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The path may have a token.
        f.debug_struct("AlertWebhook").field("host", &self.address.host_str()).finish_non_exhaustive()
    }
}

/// Why alerts cannot be sent to an address. Whoever configures it must correct it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AlertWebhookError {
    /// It is not a URL.
    #[error("the address for alerts is not a URL; set one that begins with https://")]
    Address(#[from] url::ParseError),
    /// The alerts would travel unencrypted.
    #[error("the address for alerts must begin with https://; http:// is for this machine only")]
    NotEncrypted,
    /// The secret does not have the form that Standard Webhooks gives it.
    #[error(
        "the secret for alerts must be `whsec_` and 24 to 64 random bytes in Base64; `openssl rand -base64 32` makes some"
    )]
    Secret,
    /// The HTTP client could not be made.
    #[error("alerts cannot be sent: the HTTP client could not be made")]
    Client(#[source] reqwest::Error),
}

impl AlertWebhookError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Address(_) => "alert-address-invalid",
            Self::NotEncrypted => "alert-address-not-encrypted",
            Self::Secret => "alert-secret-invalid",
            Self::Client(_) => "alert-client",
        }
    }
}

/// Why an alert did not arrive.
#[derive(Debug, thiserror::Error)]
enum NotSent {
    #[error("the receiver of alerts cannot be reached; check its address and its certificate")]
    Unreachable(#[source] reqwest::Error),
    #[error("the receiver of alerts replied with status {0}, and 200 to 299 was expected")]
    Refused(StatusCode),
}

/// The body, as Standard Webhooks recommends it.
#[derive(Serialize)]
struct Message<'a> {
    r#type: String,
    timestamp: Timestamp,
    data: &'a Alert,
}

impl AlertWebhook {
    /// Alerts for an address, signed with a secret: `whsec_` and 24 to 64 bytes in Base64.
    ///
    /// # Errors
    /// If the address is not one of `https`, or of `http` on this machine, or the secret does not have its form.
    pub fn new(address: &str, secret: &Secret) -> Result<Self, AlertWebhookError> {
        let address = Url::parse(address)?;
        if address.scheme() != "https" && !(address.scheme() == "http" && is_loopback(&address)) {
            return Err(AlertWebhookError::NotEncrypted);
        }
        let text = secret.expose().trim();
        let key = BASE64_STANDARD.decode(text.strip_prefix(PREFIX).unwrap_or_default());
        let key = key.map(Zeroizing::new).ok().filter(|key| (24..=64).contains(&key.len()));
        let key = key.ok_or(AlertWebhookError::Secret)?;
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Another thread may have installed one first; either is fine.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let client = Client::builder()
            .timeout(PATIENCE)
            // The signature is for this address.
            .redirect(redirect::Policy::none())
            .referer(false)
            // The environment's proxies may be anywhere.
            .no_proxy()
            .build()
            .map_err(AlertWebhookError::Client)?;
        Ok(Self { client, address, key, clock: Timestamp::now })
    }

    async fn send(&self, id: &str, body: String) -> Result<(), NotSent> {
        let seconds = (self.clock)().as_second();
        let signature = signature(&self.key, id, seconds, body.as_bytes());
        let request = self.client.post(self.address.clone());
        let request = request.header("webhook-id", id).header("webhook-timestamp", seconds);
        let request = request.header("webhook-signature", signature).header(header::CONTENT_TYPE, "application/json");
        // The address may have a token.
        let response = request.body(body).send().await.map_err(|error| NotSent::Unreachable(error.without_url()))?;
        if response.status().is_success() { Ok(()) } else { Err(NotSent::Refused(response.status())) }
    }
}

#[async_trait]
impl Alarm for AlertWebhook {
    async fn raise(&self, alert: &Alert) -> Result<(), Box<dyn Error + Send + Sync>> {
        let now = (self.clock)();
        let message = Message { r#type: format!("booking-alert.{}", alert.name()), timestamp: now, data: alert };
        let (id, body) = (id(alert, now)?, serde_json::to_string(&message)?);
        Ok(self.send(&id, body).await?)
    }
}

fn is_loopback(address: &Url) -> bool {
    match address.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// The same for the same alert within an hour: digests are at least an hour apart, and a repeat comes within seconds.
fn id(alert: &Alert, now: Timestamp) -> Result<String, serde_json::Error> {
    let hour = now.as_second().div_euclid(3_600);
    let digest = Sha256::digest(serde_json::to_vec(&(hour, alert))?);
    Ok(digest.iter().take(16).fold("alert_".to_owned(), |id, byte| format!("{id}{byte:02x}")))
}

/// `v1,` and the HMAC-SHA256 of id, time and body in Base64.
fn signature(key: &[u8], id: &str, seconds: i64, body: &[u8]) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_specifications_own_libraries() {
        let key = BASE64_STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn an_address_is_https_or_on_this_machine_and_a_secret_has_24_to_64_bytes() {
        let good = format!("whsec_{}", BASE64_STANDARD.encode([7; 24]));
        let secret = |bytes: usize| format!("whsec_{}", BASE64_STANDARD.encode(vec![7; bytes]));
        for (address, secret, expected) in [
            ("https://ops.example/alerts", good.clone(), None),
            ("https://ops.example/alerts", secret(64), None),
            ("http://127.0.0.1:9/", good.clone(), None),
            ("http://[::1]:9/", good.clone(), None),
            ("http://localhost:9/", good.clone(), None),
            ("http://ops.example/", good.clone(), Some("alert-address-not-encrypted")),
            ("http://localhost.example/", good.clone(), Some("alert-address-not-encrypted")),
            ("ftp://127.0.0.1/", good.clone(), Some("alert-address-not-encrypted")),
            ("ops.example", good.clone(), Some("alert-address-invalid")),
            ("https://ops.example/", secret(23), Some("alert-secret-invalid")),
            ("https://ops.example/", secret(65), Some("alert-secret-invalid")),
            ("https://ops.example/", good.replace("whsec_", ""), Some("alert-secret-invalid")),
            ("https://ops.example/", "whsec_*".to_owned(), Some("alert-secret-invalid")),
        ] {
            let made = AlertWebhook::new(address, &Secret::new(secret));
            assert_eq!(made.as_ref().err().map(AlertWebhookError::code), expected, "{address}");
        }
    }

    #[test]
    fn an_id_is_the_same_for_the_same_alert_within_an_hour() {
        let alert = |count| Alert::Connection { team: "t".into(), plugin: "p".into(), codes: vec!["c".into(); count] };
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let first = id(&alert(1), at(3_600)).unwrap();
        assert_eq!(first, id(&alert(1), at(7_199)).unwrap());
        assert_ne!(first, id(&alert(1), at(7_200)).unwrap());
        assert_ne!(first, id(&alert(2), at(3_600)).unwrap());
        assert!(!first.contains('.'), "a full stop separates the id in what is signed");
    }
}
