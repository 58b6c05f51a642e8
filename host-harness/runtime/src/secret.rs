//! Secret texts.

use std::fmt;

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
