//! A sealing key.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand::{TryRng, rngs::SysRng};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A key of 256 bits, wiped when dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Why there is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is not 32 bytes in base64.
    #[error("a key must be 32 bytes in base64, as `openssl rand -base64 32` prints")]
    Format,
    /// The operating system provides no random numbers.
    #[error("the operating system provides no random numbers: {0}")]
    NoRandom(String),
}

impl Key {
    /// Parses a key: 32 bytes in base64, blanks around it ignored.
    ///
    /// # Errors
    /// If the text is not such a key.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| KeyError::Format)?);
        Self::from_bytes(&bytes).ok_or(KeyError::Format)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// A new key.
    ///
    /// # Errors
    /// If the operating system provides no random numbers.
    pub fn random() -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        SysRng.try_fill_bytes(&mut *bytes).map_err(|error| KeyError::NoRandom(error.to_string()))?;
        Ok(Self(bytes))
    }

    /// The key itself.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key as [`Self::from_base64`] reads it, with a line end.
    pub fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(STANDARD.encode(self.0.as_slice()));
        text.push('\n');
        text
    }

    /// Tells keys apart without revealing them: the first 8 bytes of a SHA-256.
    pub fn fingerprint(&self) -> [u8; 8] {
        let digest = Sha256::new().chain_update(b"crm-seal fingerprint").chain_update(self.0.as_slice()).finalize();
        digest.first_chunk().copied().unwrap_or_default()
    }
}
