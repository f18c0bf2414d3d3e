//! What two lists have in common when they have the same entries, however they came about.

use std::fmt;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::envelope::{from_hex, to_hex};

/// The sum of the SHA-256 of a list's entries as they travel, in four parts of 64 bits each. The
/// order of the entries does not matter, and one that changes is taken out and put in. It tells a
/// list that was put together wrongly; that nobody else speaks in the cloud's name is TLS's to hold.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Digest([u64; 4]);

impl Digest {
    /// Puts an entry in.
    pub fn add(&mut self, entry: &str) {
        self.each(entry, u64::wrapping_add);
    }

    /// Takes an entry out.
    pub fn remove(&mut self, entry: &str) {
        self.each(entry, u64::wrapping_sub);
    }

    fn each(&mut self, entry: &str, change: fn(u64, u64) -> u64) {
        let hash = digest(&SHA256, entry.as_bytes());
        for (sum, part) in self.0.iter_mut().zip(hash.as_ref().chunks_exact(8)) {
            let part = u64::from_be_bytes(part.try_into().expect("chunks of 8 bytes"));
            *sum = change(*sum, part);
        }
    }

    /// The digest that is written in 64 hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = from_hex(text).filter(|bytes| bytes.len() == 32)?;
        let mut parts = bytes.chunks_exact(8).filter_map(|part| part.try_into().ok());
        let mut next = || parts.next().map(u64::from_be_bytes);
        Some(Self([next()?, next()?, next()?, next()?]))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0.map(u64::to_be_bytes).concat()))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wanted = "the digest of a list is 64 hex digits";
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(wanted))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn of<'a>(entries: impl IntoIterator<Item = &'a String>) -> Digest {
        let mut digest = Digest::default();
        entries.into_iter().for_each(|entry| digest.add(entry));
        digest
    }

    proptest! {
        #[test]
        fn only_the_entries_count(entries in proptest::collection::vec("[a-z]{1,3}", 0..20), other in "[A-Z]{1,3}") {
            let mut digest = of(entries.iter().rev());
            prop_assert_eq!(digest, of(&entries));
            digest.add(&other);
            prop_assert_ne!(digest, of(&entries));
            digest.remove(&other);
            prop_assert_eq!(digest, of(&entries));
            prop_assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        }
    }

    #[test]
    fn it_is_written_in_hex() {
        let text = "\"2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\"";
        assert_eq!(serde_json::to_string(&of(&["foo".to_owned()])).unwrap(), text);
        assert!(serde_json::from_str::<Digest>("\"2c\"").is_err());
    }
}
