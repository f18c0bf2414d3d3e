//! Keys, codes and passwords: made from the system's randomness, kept as hashes only.

use argon2::{
    Algorithm, Argon2, Block, Params, PasswordHash, Version,
    password_hash::{
        self,
        phc::{Output, ParamsString, Salt},
    },
};
use domain::envelope::to_hex;
use rand::Rng;
use ring::digest::{SHA256, digest};

use crate::{error::Result, store::StoreError};

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

/// Hashes passwords with argon2id, which takes tens of milliseconds and 19 MB on purpose. The memory
/// is asked for once and used again: given back each time, it would come back in pieces.
pub(crate) struct PasswordHasher {
    memory: Vec<Block>,
}

impl PasswordHasher {
    pub(crate) fn new() -> Self {
        Self { memory: vec![Block::default(); Params::DEFAULT.block_count()] }
    }

    /// What is kept of a password: its hash with a salt of its own, as a PHC string.
    pub(crate) fn hash(&mut self, password: &str) -> Result<String> {
        let salt: [u8; 16] = rand::rng().random();
        let hash = self.derive(password, &salt, Params::DEFAULT);
        Ok(hash.map_err(|e| StoreError::new("hash the password", e))?.to_string())
    }

    /// Whether a password is the one that a PHC string was made of.
    pub(crate) fn matches(&mut self, password: &str, hash: &str) -> Result<bool> {
        let mut compare = || {
            let kept = PasswordHash::new(hash)?;
            let salt = kept.salt.as_ref().ok_or(password_hash::Error::PasswordInvalid)?;
            let tried = self.derive(password, salt, Params::try_from(&kept)?)?;
            // Outputs are compared in constant time.
            Ok(tried.hash == kept.hash)
        };
        compare().map_err(|e: password_hash::Error| StoreError::new("compare a password", e).into())
    }

    fn derive(
        &mut self,
        password: &str,
        salt: &[u8],
        params: Params,
    ) -> password_hash::Result<PasswordHash> {
        let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
        let described = ParamsString::try_from(&params)?;
        let blocks = params.block_count();
        if self.memory.len() < blocks {
            self.memory.resize(blocks, Block::default());
        }
        let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
        Argon2::new(algorithm, version, params).hash_password_into_with_memory(
            password.as_bytes(),
            salt,
            &mut output,
            &mut self.memory[..blocks],
        )?;
        Ok(PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: described,
            salt: Some(Salt::new(salt)?),
            hash: Some(Output::new(&output)?),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_password_is_kept_as_argon2id_with_a_salt_of_its_own() {
        let mut hasher = PasswordHasher::new();
        let hashes = [(); 2].map(|()| hasher.hash("correct horse").unwrap());
        assert!(hashes.iter().all(|hash| hash.starts_with("$argon2id$v=19$")), "{hashes:?}");
        assert_ne!(hashes[0], hashes[1]);
    }

    #[test]
    fn hashes_are_those_of_the_standard() {
        use argon2::password_hash::PasswordVerifier;
        let hash = PasswordHasher::new().hash("correct horse").unwrap();
        let argon2 = Argon2::default();
        assert!(argon2.verify_password(b"correct horse", hash.as_str()).is_ok());
        assert!(argon2.verify_password(b"wrong horse", hash.as_str()).is_err());
    }
}
