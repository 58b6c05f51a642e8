//! Sealing with XChaCha20-Poly1305: only the holder of the key could have written the text, for this context, unchanged.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use rand::{TryRng, rngs::SysRng};
use zeroize::Zeroizing;

use crate::Key;

const NONCE_BYTES: usize = 24;

/// Seals and opens texts with one key.
pub struct Sealer(XChaCha20Poly1305);

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

/// A text could not be sealed, because there are no random numbers, or not be opened, because it was not sealed with this key for this
/// context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sealed text cannot be sealed or opened")]
pub struct SealError;

impl Sealer {
    /// A sealer with this key.
    pub fn new(key: &Key) -> Self {
        Self(XChaCha20Poly1305::new(key.bytes().into()))
    }

    /// Seals a text for a context. The nonce is random; at 192 bits, a repeat is negligible.
    ///
    /// # Errors
    /// If the operating system provides no random numbers.
    pub fn seal(&self, text: &[u8], context: &[&[u8]]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_BYTES];
        SysRng.try_fill_bytes(&mut nonce).map_err(|_| SealError)?;
        let payload = Payload { msg: text, aad: &associated_data(context) };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens a text that was sealed for the same context.
    ///
    /// # Errors
    /// If it was sealed with another key or for another context, or was changed.
    pub fn open(&self, sealed: &[u8], context: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(SealError)?;
        let payload = Payload { msg: sealed, aad: &associated_data(context) };
        self.0.decrypt(&XNonce::from(*nonce), payload).map(Zeroizing::new).map_err(|_| SealError)
    }
}

/// Seals a key with another one.
///
/// # Errors
/// If the operating system provides no random numbers.
pub fn wrap(key: &Key, outer: &Key, name: &str) -> Result<Vec<u8>, SealError> {
    Sealer::new(outer).seal(key.bytes(), &[b"key", name.as_bytes()])
}

/// Opens a key that [`wrap`] sealed under the same name.
///
/// # Errors
/// If it was sealed with another key or under another name.
pub fn unwrap(sealed: &[u8], outer: &Key, name: &str) -> Result<Key, SealError> {
    let bytes = Sealer::new(outer).open(sealed, &[b"key", name.as_bytes()])?;
    Key::from_bytes(&bytes).ok_or(SealError)
}

/// The parts of a context, each with its length, so that no two contexts give the same bytes.
fn associated_data(context: &[&[u8]]) -> Vec<u8> {
    context.iter().flat_map(|part| [&(part.len() as u64).to_be_bytes(), *part].concat()).collect()
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&Key::from_base64(&STANDARD.encode([byte; 32])).unwrap())
    }

    #[test]
    fn only_the_same_key_and_context_open_a_sealed_text() {
        let sealed = sealer(1).seal(b"canary", &[b"a", b"bc"]).unwrap();
        assert!(!sealed.windows(6).any(|six| six == b"canary"));
        assert_eq!(sealer(1).open(&sealed, &[b"a", b"bc"]).unwrap().as_slice(), b"canary");
        assert!(sealer(2).open(&sealed, &[b"a", b"bc"]).is_err());
        for context in [&[b"ab".as_slice(), b"c"][..], &[b"abc"], &[b"a", b"bc", b""], &[]] {
            assert!(sealer(1).open(&sealed, context).is_err(), "{context:?}");
        }
        assert_ne!(sealer(1).seal(b"canary", &[b"a", b"bc"]).unwrap(), sealed, "every seal differs");
    }

    #[test]
    fn a_key_opens_under_its_name_with_the_key_that_sealed_it() {
        let [inner, outer, other] = [1, 2, 3].map(|byte| Key::from_base64(&STANDARD.encode([byte; 32])).unwrap());
        let sealed = wrap(&inner, &outer, "lanes").unwrap();
        assert_eq!(unwrap(&sealed, &outer, "lanes").unwrap().bytes(), inner.bytes());
        assert!(unwrap(&sealed, &outer, "payloads").is_err() && unwrap(&sealed, &other, "lanes").is_err());
        assert_ne!(inner.fingerprint(), outer.fingerprint());
    }

    #[test]
    fn a_changed_or_cut_text_does_not_open() {
        let sealed = sealer(1).seal(b"canary", &[]).unwrap();
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(sealer(1).open(&changed, &[]).is_err(), "byte {index}");
            assert!(sealer(1).open(&sealed[..index], &[]).is_err(), "cut at {index}");
        }
    }
}
