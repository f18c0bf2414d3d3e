//! Pickup codes as a site keeps them: salted and stretched, so that what a site has on its disk
//! shows no code. Six digits can be tried out by whoever has the file and some minutes; what keeps
//! a code is that it opens one cabinet for a few hours, and that five wrong ones lock that.

use std::{fmt, num::NonZeroU32};

use ring::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use serde::{Deserialize, Serialize};

use crate::envelope::to_hex;

/// Rounds for new hashes: a fraction of a millisecond, so that a bank with 32 doors and one keypad
/// answers at once on a small computer too.
const ROUNDS: NonZeroU32 = NonZeroU32::new(2_000).expect("it is not zero");
/// More than this is nobody's hash and is not worked out.
const MOST_ROUNDS: u32 = 200_000;
const HASH_BYTES: usize = 32;
/// Bytes of a salt.
pub const SALT_BYTES: usize = 16;

/// The hash of a pickup code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeHash {
    /// In hex.
    salt: String,
    rounds: NonZeroU32,
    /// PBKDF2-HMAC-SHA-256 of the code, in hex.
    hash: String,
}

/// Says nothing that could be tried out.
impl fmt::Debug for CodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeHash(…)")
    }
}

impl CodeHash {
    /// The hash of `code`.
    pub fn new(code: &str, salt: [u8; SALT_BYTES]) -> Self {
        let salt = to_hex(&salt);
        let mut hash = [0; HASH_BYTES];
        pbkdf2::derive(PBKDF2_HMAC_SHA256, ROUNDS, salt.as_bytes(), code.as_bytes(), &mut hash);
        Self { salt, rounds: ROUNDS, hash: to_hex(&hash) }
    }

    /// Whether it is the hash of `code`.
    pub fn is_of(&self, code: &str) -> bool {
        if self.rounds.get() > MOST_ROUNDS {
            return false;
        }
        let mut hash = [0; HASH_BYTES];
        let salt = self.salt.as_bytes();
        pbkdf2::derive(PBKDF2_HMAC_SHA256, self.rounds, salt, code.as_bytes(), &mut hash);
        let (own, given) = (self.hash.as_bytes(), to_hex(&hash).into_bytes());
        own.len() == given.len() && own.iter().zip(&given).fold(0, |d, (a, b)| d | (a ^ b)) == 0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_hash_knows_its_code_alone_also_after_a_journey() {
        let hash = CodeHash::new("578674", [7; SALT_BYTES]);
        let text = serde_json::to_string(&hash).unwrap();
        assert!(!text.contains("578674") && !format!("{hash:?}").contains(&hash.hash));
        let read: CodeHash = serde_json::from_str(&text).unwrap();
        assert!(read.is_of("578674"));
        assert!(!read.is_of("578675") && !read.is_of("") && !read.is_of("5786740"));
        assert_ne!(CodeHash::new("578674", [8; SALT_BYTES]), hash);
    }

    #[test]
    fn a_hash_that_would_take_for_ever_is_nobodys() {
        let text = serde_json::to_string(&CodeHash::new("1", [0; SALT_BYTES])).unwrap();
        let long = text.replace("2000", "4000000000");
        assert!(!serde_json::from_str::<CodeHash>(&long).unwrap().is_of("1"));
    }
}
