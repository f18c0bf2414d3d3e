//! RSA keys as the providers' pages give them (PEM, or the bare base64 within), and RSA-SHA256 over
//! text, in base64, as both providers sign.

use std::{fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey},
};

/// What says that a public key is of RSA, before its bits (RFC 8017, A.1).
const RSA: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// The merchant's own key.
pub(super) struct SigningKey(RsaKeyPair);

impl SigningKey {
    /// Reads a key of 2048 to 4096 bits: PKCS#8 (`PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`).
    pub(super) fn read(key: &str, file: &Path) -> Result<Self, String> {
        let wrong = |why: String| format!("`{key}`: {}: {why}", file.display());
        let der = pem(&read(key, file)?).ok_or_else(|| wrong("is no PEM file".to_owned()))?;
        RsaKeyPair::from_pkcs8(&der)
            .or_else(|_| RsaKeyPair::from_der(&der))
            .map(Self)
            .map_err(|error| wrong(format!("is no private RSA key of 2048 bits or more ({error})")))
    }

    /// The signature over a text.
    pub(super) fn sign(&self, text: &str) -> String {
        let mut signature = vec![0; self.0.public().modulus_len()];
        let random = SystemRandom::new();
        self.0
            .sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature)
            .expect("a signature is as long as its key");
        BASE64_STANDARD.encode(signature)
    }
}

/// A provider's key.
pub(super) struct ProviderKey(Vec<u8>);

impl ProviderKey {
    /// Reads a `PUBLIC KEY` of RSA.
    pub(super) fn read(key: &str, file: &Path) -> Result<Self, String> {
        let bits = pem(&read(key, file)?).and_then(|der| rsa_key(&der));
        let wrong = || format!("`{key}`: {}: is no public RSA key in PEM", file.display());
        bits.map(Self).ok_or_else(wrong)
    }

    /// Whether a signature in base64 is that of a text.
    pub(super) fn has_signed(&self, text: &[u8], signature: &str) -> bool {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.0);
        BASE64_STANDARD.decode(signature).is_ok_and(|bytes| key.verify(text, &bytes).is_ok())
    }
}

/// The text of a file that a key of the configuration names.
pub(super) fn read(key: &str, file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("`{key}`: {}: {error}", file.display()))
}

/// The bytes within a PEM file, or of base64 alone.
fn pem(text: &str) -> Option<Vec<u8>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
    let base64: String = lines.collect();
    BASE64_STANDARD.decode(base64).ok().filter(|bytes| !bytes.is_empty())
}

/// The RSA key within a public key of any kind: the bits after the algorithm's name.
fn rsa_key(der: &[u8]) -> Option<Vec<u8>> {
    let content = element(der, 0x30)?;
    let bits = element(content.strip_prefix(&RSA[..])?, 0x03)?;
    bits.strip_prefix(&[0]).map(<[u8]>::to_vec)
}

/// The content of the first element of a DER text, which must be of a kind.
fn element(der: &[u8], kind: u8) -> Option<&[u8]> {
    let (&first, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let digits = usize::from(length & 0x7f);
    let (head, length) = match length {
        0..=0x7f => (2, usize::from(length)),
        _ if (1..=2).contains(&digits) => {
            let bytes = rest.get(..digits)?;
            (2 + digits, bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
        }
        _ => return None,
    };
    let content = der.get(head..head.checked_add(length)?)?;
    (first == kind).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_none() {
        for hostile in [&b""[..], &[0x30], &[0x30, 0x82], &[0x30, 0x82, 0xff, 0xff], &[0x30, 0xff]]
        {
            assert_eq!(rsa_key(hostile), None);
        }
        assert_eq!(rsa_key(&[&[0x30, 15][..], &RSA].concat()), None);
        assert!(pem("").is_none() && pem("-----BEGIN X-----\nno base64\n").is_none());
    }
}
