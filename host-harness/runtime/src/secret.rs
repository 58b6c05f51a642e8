//! Secret texts.

use std::fmt;

#[cfg(feature = "inspect-memory")]
pub use memory::{remember, remembered};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A secret text: a token, a client secret, a code verifier.
///
/// It is wiped when dropped, its `Debug` form is `[redacted]`, and it can be neither displayed nor serialized. Only
/// [`Secret::expose`] reveals it.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        let secret = Self::undecided(text);
        #[cfg(feature = "inspect-memory")]
        memory::note(&secret);
        secret
    }

    /// Wraps a text that may turn out to be public, so that tests do not look for it.
    pub(crate) fn undecided(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text. The caller is responsible for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares a text with the secret in constant time.
    pub fn matches(&self, text: &str) -> bool {
        // The time to compare digests reveals nothing about the texts.
        Sha256::digest(self.0.as_bytes()) == Sha256::digest(text.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// Every secret of this process, for tests that look for them where they must not be.
#[cfg(feature = "inspect-memory")]
mod memory {
    use std::sync::{Mutex, PoisonError};

    use super::Secret;

    /// `None` until a test wants them: a program that is built together with tests keeps nothing.
    static SECRETS: Mutex<Option<Vec<Secret>>> = Mutex::new(None);

    /// Remembers each secret that is made from now on.
    pub fn remember() {
        SECRETS.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
    }

    pub(super) fn note(secret: &Secret) {
        let mut secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(secrets) = &mut *secrets
            && secrets.iter().all(|known| known.expose() != secret.expose())
        {
            secrets.push(secret.clone());
        }
    }

    /// The secrets that were made since [`remember`], except the first ones that the caller knows, in order.
    pub fn remembered(known: usize) -> Vec<Secret> {
        let secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.iter().flatten().skip(known).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secrets_debug_form_is_redacted() {
        let secret = Secret::new("canary");
        assert_eq!(format!("{secret:?} {:#?}", Some(&secret)), "[redacted] Some(\n    [redacted],\n)");
        assert_eq!(secret.expose(), "canary");
    }

    #[test]
    fn only_the_whole_secret_matches() {
        let secret = Secret::new("canary");
        assert!(secret.matches("canary"));
        for text in ["", "canar", "canary ", "Canary"] {
            assert!(!secret.matches(text), "{text:?}");
        }
    }
}
