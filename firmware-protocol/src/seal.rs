//! How a message on MQTT shows that it comes from who holds the device's key, whoever else may
//! publish.
//!
//! A sealed payload is a JSON object that ends in `,"mac":"<64 hex digits>"}`. The digits are
//! HMAC-SHA-256, with the device's key, over the topic, a zero byte, and every byte of the payload
//! before that ending. So the seal covers site, kind, device and verb as well as every field, needs
//! no canonical form, and is checked before anything is parsed. It says who speaks, not when: that
//! is what [`crate::session`] and the counters are for.

use core::fmt::{self, Write};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::topic::Topic;

/// Bytes in a device's key.
pub const KEY_BYTES: usize = 32;
/// Bytes in the ending of a sealed payload.
pub const ENDING_BYTES: usize = START.len() + 2 * MAC_BYTES + END.len();

const MAC_BYTES: usize = 32;
const START: &[u8] = b",\"mac\":\"";
const END: &[u8] = b"\"}";

/// The secret that a device and its site share.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; KEY_BYTES]);

/// Never shows the secret.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// A key of these bytes.
    pub const fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// The key that 64 hex digits write, in lower case.
    pub fn from_hex(digits: &str) -> Option<Self> {
        bytes(digits.as_bytes()).map(Self)
    }

    /// What to put in the place of the closing brace of `object`, a JSON object with at least one
    /// field that is published to `topic`. `object` is given without that brace.
    pub fn ending(&self, topic: &Topic<'_>, object: &[u8]) -> [u8; ENDING_BYTES] {
        let mac = self.digest(topic, object).finalize().into_bytes();
        let mut ending = [0; ENDING_BYTES];
        let (start, rest) = ending.split_at_mut(START.len());
        let (digits, end) = rest.split_at_mut(2 * MAC_BYTES);
        start.copy_from_slice(START);
        end.copy_from_slice(END);
        for (pair, byte) in digits.chunks_exact_mut(2).zip(mac) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        ending
    }

    /// Whether a payload that came on `topic` bears the seal of this key.
    pub fn sealed(&self, topic: &Topic<'_>, payload: &[u8]) -> bool {
        let Some((object, ending)) = payload.split_last_chunk::<ENDING_BYTES>() else {
            return false;
        };
        let Some(digits) = ending.strip_prefix(START).and_then(|rest| rest.strip_suffix(END))
        else {
            return false;
        };
        let Some(mac) = bytes::<MAC_BYTES>(digits) else { return false };
        self.digest(topic, object).verify_slice(&mac).is_ok()
    }

    fn digest(&self, topic: &Topic<'_>, object: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length is one");
        write!(Text(&mut mac), "{topic}").expect("a digest takes any text");
        mac.update(&[0]);
        mac.update(object);
        mac
    }
}

/// Text that goes into a digest.
struct Text<'a>(&'a mut Hmac<Sha256>);

impl Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

/// What hex digits write; none where they are not twice as many.
fn bytes<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if digits.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}

const fn digit(value: u8) -> u8 {
    b"0123456789abcdef"[value as usize]
}

/// Lower case alone, so that a payload has one seal.
const fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
