//! Keys, codes and passwords: made from the system's randomness, kept as hashes only.

use argon2::{
    Argon2,
    password_hash::{self, PasswordHasher, PasswordVerifier},
};
use domain::envelope::to_hex;
use rand::Rng;
use ring::digest::{SHA256, digest};

use crate::{
    error::{Error, Result},
    store::StoreError,
};

/// Letters and digits that nobody confuses when reading them out (Crockford's base 32).
const READABLE: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A key of 160 random bits in 40 hex digits.
pub(crate) fn new_key() -> String {
    to_hex(&rand::rng().random::<[u8; 20]>())
}

/// A key of 256 random bits for signing, in 64 hex digits.
pub(crate) fn new_signing_key() -> String {
    to_hex(&rand::rng().random::<[u8; 32]>())
}

/// Random letters and digits for a person to copy, 5 bits each.
pub(crate) fn readable(length: usize) -> String {
    let mut random = rand::rng();
    (0..length).map(|_| char::from(READABLE[random.random_range(0..READABLE.len())])).collect()
}

/// What is kept of a key that is random itself, so that a copy of the database opens nothing.
pub(crate) fn hash_key(key: &str) -> String {
    to_hex(digest(&SHA256, key.as_bytes()).as_ref())
}

/// What is kept of a password: argon2id with a salt of its own, as a PHC string. Takes tens of
/// milliseconds on purpose.
pub(crate) fn hash_password(password: &str) -> Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|e| Error::from(StoreError::new("hash the password", e)))?.to_string())
}

/// Whether a password is the one that a PHC string was made of.
pub(crate) fn is_password(password: &str, hash: &str) -> Result<bool> {
    match Argon2::default().verify_password(password.as_bytes(), hash) {
        Ok(()) => Ok(true),
        Err(password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(StoreError::new("compare a password", error).into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_password_is_kept_as_argon2id_with_a_salt_of_its_own() {
        let hashes =
            [hash_password("correct horse").unwrap(), hash_password("correct horse").unwrap()];
        assert!(hashes.iter().all(|hash| hash.starts_with("$argon2id$v=19$")), "{hashes:?}");
        assert_ne!(hashes[0], hashes[1]);
    }
}
