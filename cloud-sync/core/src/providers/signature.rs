//! HMAC-SHA256 as both sides of a payment sign with it.

use domain::envelope::to_hex;
use ring::hmac::{HMAC_SHA256, Key, sign as hmac, verify as hmac_verify};

/// The signature in hex.
pub(super) fn sign(secret: &str, message: &[u8]) -> String {
    to_hex(hmac(&Key::new(HMAC_SHA256, secret.as_bytes()), message).as_ref())
}

/// Whether a signature in hex, of either case, is that of a message; takes the same time whatever
/// is wrong with it.
pub(super) fn is_signed(secret: &str, message: &[u8], signature: &str) -> bool {
    let Some(signature) = from_hex(signature) else { return false };
    hmac_verify(&Key::new(HMAC_SHA256, secret.as_bytes()), message, &signature).is_ok()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_one_secret_and_one_message() {
        let signature = sign("secret", b"1700000000{}");
        assert!(is_signed("secret", b"1700000000{}", &signature));
        assert!(is_signed("secret", b"1700000000{}", &signature.to_uppercase()));
        for (secret, message) in [("other", "1700000000{}"), ("secret", "1700000001{}")] {
            assert!(!is_signed(secret, message.as_bytes(), &signature));
        }
        for bad in ["", "0", "zz", "é", &signature[2..]] {
            assert!(!is_signed("secret", b"1700000000{}", bad), "{bad}");
        }
    }
}
