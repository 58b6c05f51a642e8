//! Texts as the build packs them (`build/pairs.rs`): half their size, for what is asked for once in a while.

use alloc::{string::String, vec::Vec};

/// A packed text.
pub struct Packed {
    /// How many codes take one byte. The others take two, the first of which is this number at least.
    single: usize,
    /// What each code stands for: two codes, or, behind the code itself, a byte.
    meanings: &'static [[u16; 2]],
    /// The text in codes.
    codes: &'static [u8],
}

/// The texts of advice.
pub static ADVICE: Packed = include!(concat!(env!("OUT_DIR"), "/advice"));

impl Packed {
    /// The text.
    pub fn unpack(&self) -> String {
        let mut text = Vec::new();
        let mut bytes = self.codes.iter().map(|byte| usize::from(*byte));
        while let Some(first) = bytes.next() {
            let code = match first.checked_sub(self.single) {
                None => first,
                Some(pages) => self.single + pages * 256 + bytes.next().unwrap_or_default(),
            };
            self.push(code, &mut text);
        }
        String::from_utf8(text).unwrap_or_default()
    }

    fn push(&self, code: usize, text: &mut Vec<u8>) {
        let Some([first, second]) = self.meanings.get(code) else { return };
        if usize::from(*first) == code {
            text.push(*second as u8);
        } else {
            self.push(usize::from(*first), text);
            self.push(usize::from(*second), text);
        }
    }
}
