//! Text that must not be seen.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A secret text: a token, a client secret, a code verifier.
///
/// It is wiped when dropped, shows itself as `[redacted]`, and can be neither displayed nor serialised. Who needs its
/// characters says so with [`Secret::expose`].
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The characters. Whoever calls this answers for where they go.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `text` is the secret; takes no less time for a text that is nearly right.
    pub fn matches(&self, text: &str) -> bool {
        // How long a comparison of digests takes tells nothing about what was digested.
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
    fn a_secret_does_not_show_itself() {
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
