//! The keys of a ledger of bookings, and what is sealed and tagged with them.
//!
//! One key seals payloads, one makes tags. Both are random and sealed with the key of the data folder or of the processes, so that
//! replacing that one neither touches a million payloads nor splits the lanes. While it is replaced, there is a row for each of the two.

use crate::{Key, KeyError, SealError, Sealer, Tag, Tagger, unwrap, wrap};

const PAYLOADS: &str = "payloads";
const TAGS: &str = "tags";

/// One of a ledger's keys, as its database keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// Which one.
    pub name: String,
    /// The [`Key::fingerprint`] of the key that it is sealed with.
    pub sealed_with: Vec<u8>,
    /// See [`wrap`].
    pub sealed: Vec<u8>,
}

/// What a ledger seals and tags with.
#[derive(Debug)]
pub struct LedgerKeys {
    sealer: Sealer,
    tagger: Tagger,
}

fn find(rows: &[WrappedKey], outer: &[Key], name: &str) -> Result<Key, SealError> {
    let opened_by = |key: &Key| {
        let row = rows.iter().find(|row| row.name == name && row.sealed_with == key.fingerprint())?;
        Some(unwrap(&row.sealed, key, name))
    };
    outer.iter().find_map(opened_by).unwrap_or(Err(SealError))
}

fn wrapped(key: &Key, outer: &Key, name: &str) -> Result<WrappedKey, SealError> {
    let sealed = wrap(key, outer, name)?;
    Ok(WrappedKey { name: name.to_owned(), sealed_with: outer.fingerprint().to_vec(), sealed })
}

impl LedgerKeys {
    /// The keys of a new ledger, to be kept before they are opened.
    ///
    /// # Errors
    /// If the operating system provides no random numbers.
    pub fn make(outer: &Key) -> Result<Vec<WrappedKey>, KeyError> {
        let make = |name| wrapped(&Key::random()?, outer, name).map_err(|error| KeyError::NoRandom(error.to_string()));
        [PAYLOADS, TAGS].into_iter().map(make).collect()
    }

    /// Opens the keys with the first of `outer` that they were sealed with.
    ///
    /// # Errors
    /// If they were sealed with none of these.
    pub fn open(rows: &[WrappedKey], outer: &[Key]) -> Result<Self, SealError> {
        Ok(Self { sealer: Sealer::new(&find(rows, outer, PAYLOADS)?), tagger: Tagger::new(&find(rows, outer, TAGS)?) })
    }

    /// Seals the keys with a further one.
    ///
    /// # Errors
    /// If they were sealed with none of `present`.
    pub fn rewrap(rows: &[WrappedKey], present: &[Key], next: &Key) -> Result<Vec<WrappedKey>, SealError> {
        [PAYLOADS, TAGS].into_iter().map(|name| wrapped(&find(rows, present, name)?, next, name)).collect()
    }

    /// Seals what a worker needs of a change of a booking. Its context names the change and not the entry, whose id is not known yet.
    ///
    /// # Errors
    /// If the operating system provides no random numbers.
    pub fn seal_payload(&self, [team, booking, change]: [&str; 3], payload: &[u8]) -> Result<Vec<u8>, SealError> {
        self.sealer.seal(payload, &[b"payload", team.as_bytes(), booking.as_bytes(), change.as_bytes()])
    }

    /// Opens what [`Self::seal_payload`] sealed.
    ///
    /// # Errors
    /// If it is another change's, or was changed.
    pub fn open_payload(&self, [team, booking, change]: [&str; 3], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let context: [&[u8]; 4] = [b"payload", team.as_bytes(), booking.as_bytes(), change.as_bytes()];
        self.sealer.open(sealed, &context).map(|plain| plain.to_vec())
    }

    /// Seals what the last try of an entry left for people.
    ///
    /// # Errors
    /// If the operating system provides no random numbers.
    pub fn seal_detail(&self, entry: u64, detail: &[u8]) -> Result<Vec<u8>, SealError> {
        self.sealer.seal(detail, &[b"detail", &entry.to_be_bytes()])
    }

    /// Opens what [`Self::seal_detail`] sealed.
    ///
    /// # Errors
    /// If it is another entry's, or was changed.
    pub fn open_detail(&self, entry: u64, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        self.sealer.open(sealed, &[b"detail", &entry.to_be_bytes()]).map(|plain| plain.to_vec())
    }

    /// Stands for a guest. Email addresses are compared without their case: nobody has two that differ in it.
    pub fn guest_tag(&self, address: &str) -> Tag {
        self.tagger.tag("guest", &address.trim().to_lowercase())
    }

    /// Stands for a booking whose guest is not known.
    pub fn chain_tag(&self, team: &str, chain: &str) -> Tag {
        self.tagger.tag("chain", &format!("{team}\n{chain}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_before_the_outer_key_was_replaced_opens_after_it() {
        let [old, new] = [(); 2].map(|()| Key::random().unwrap());
        let mut rows = LedgerKeys::make(&old).unwrap();
        let before = LedgerKeys::open(&rows, &[new.clone(), old.clone()]).unwrap();
        let sealed = before.seal_payload(["t", "b", "c"], b"canary").unwrap();
        assert!(LedgerKeys::open(&rows, std::slice::from_ref(&new)).is_err());
        rows.extend(LedgerKeys::rewrap(&rows, &[old], &new).unwrap());
        let after = LedgerKeys::open(&rows, &[new]).unwrap();
        assert_eq!(after.open_payload(["t", "b", "c"], &sealed).unwrap(), b"canary");
        assert!(after.open_payload(["t", "b", "d"], &sealed).is_err());
        assert_eq!(before.guest_tag(" A@example.com"), after.guest_tag("a@example.com"));
        assert_ne!(before.guest_tag("a"), before.chain_tag("", "a"));
    }
}
