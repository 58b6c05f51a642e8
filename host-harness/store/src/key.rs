//! The sealing key.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand::{TryRng, rngs::SysRng};
use zeroize::Zeroizing;

use crate::OpenError;

/// The environment variable in which the command takes the key: 32 bytes in base64.
pub const KEY_VARIABLE: &str = "HARNESS_STORE_KEY";

/// A key of 256 bits, wiped when dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Key {
    /// Parses a key: 32 bytes in base64, blanks around it ignored.
    ///
    /// # Errors
    /// When the text is not such a key.
    pub fn from_base64(text: &str) -> Result<Self, OpenError> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| OpenError::KeyFormat)?);
        let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| OpenError::KeyFormat)?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    pub(crate) fn random() -> Result<Self, OpenError> {
        let mut bytes = Zeroizing::new([0; 32]);
        SysRng.try_fill_bytes(&mut *bytes).map_err(|error| OpenError::NoRandom(error.to_string()))?;
        Ok(Self(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(STANDARD.encode(self.0.as_slice()));
        text.push('\n');
        text
    }
}
