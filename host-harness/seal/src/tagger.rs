//! Tags that stand for texts.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::Key;

/// Bytes of a tag: two texts of a billion get the same one with a probability of 1 in 10^20.
pub const TAG_BYTES: usize = 16;

/// Stands for a text: equal texts have equal tags, and only the holder of the key can tell which text it is.
pub type Tag = [u8; TAG_BYTES];

/// Makes tags: HMAC-SHA256, cut to 16 bytes.
#[derive(Clone)]
pub struct Tagger(Hmac<Sha256>);

impl std::fmt::Debug for Tagger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tagger")
    }
}

impl Tagger {
    /// A tagger with this key.
    pub fn new(key: &Key) -> Self {
        // A key that is shorter than a block ends in zeros (RFC 2104, section 2).
        let mut block = Zeroizing::new([0; 64]);
        key.bytes().iter().zip(block.iter_mut()).for_each(|(byte, place)| *place = *byte);
        Self(Hmac::new((&*block).into()))
    }

    /// The tag of a text. Tags of different kinds are never equal.
    pub fn tag(&self, kind: &str, text: &str) -> Tag {
        let mut mac = self.0.clone();
        mac.update(&(kind.len() as u64).to_be_bytes());
        mac.update(kind.as_bytes());
        mac.update(text.as_bytes());
        let mut tag = Tag::default();
        mac.finalize().into_bytes().iter().zip(&mut tag).for_each(|(byte, place)| *place = *byte);
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_of_a_kind_have_equal_tags() {
        let tagger = Tagger::new(&Key::from_base64("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap());
        assert_eq!(tagger.tag("guest", "a@example.com"), tagger.tag("guest", "a@example.com"));
        assert_ne!(tagger.tag("guest", "a@example.com"), tagger.tag("guest", "b@example.com"));
        assert_ne!(tagger.tag("guest", "a"), tagger.tag("guesta", ""));
    }
}
