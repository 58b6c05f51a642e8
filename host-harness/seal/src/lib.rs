//! Seals what a database keeps, so that only the holder of the key can read or write it.
//!
//! [`Sealer`] seals with XChaCha20-Poly1305 for a context, such as the table and the id of a row: a text opens nowhere else. [`Tagger`]
//! gives the same text the same tag without revealing it. [`wrap`] and [`unwrap`] seal one key with another, so that the outer one can
//! be replaced without touching what the inner one sealed. [`LedgerKeys`] are the two that a ledger of bookings has.

mod key;
mod ledger;
mod sealer;
mod tagger;

pub use key::{Key, KeyError};
pub use ledger::{LedgerKeys, WrappedKey};
pub use sealer::{SealError, Sealer, unwrap, wrap};
pub use tagger::{TAG_BYTES, Tag, Tagger};
