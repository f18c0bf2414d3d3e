//! How events travel: in order, chained by hash, signed by the site.
//!
//! Each event's hash covers the hash before it and the event's exact bytes, so that a batch can be
//! checked against what was received before it. The body of a request is signed whole with the
//! site's Ed25519 key; sending it twice changes nothing, because the cloud applies by sequence.

use std::fmt;

use ring::{
    digest::{Context, SHA256},
    signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ids::SiteId;

/// Header that carries the hex signature of the body.
pub const SIGNATURE_HEADER: &str = "gatehouse-signature";
/// Most events in one batch.
pub const MAX_BATCH_EVENTS: usize = 500;
/// Most bytes in the body of one batch.
pub const MAX_BATCH_BYTES: usize = 1 << 20;

/// Hash of an event and of all before it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChainHash(pub [u8; 32]);

impl ChainHash {
    /// What comes before the first event.
    pub const GENESIS: Self = Self([0; 32]);

    /// The hash of the event whose exact bytes are `event` and which follows `self`.
    pub fn follow(&self, event: &[u8]) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(&self.0);
        context.update(event);
        Self(context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for ChainHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ChainHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        from_hex(&text)
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("a chain hash is 64 hex digits"))
    }
}

/// Events of one site that follow one another, `POST /edge/v1/events`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The site.
    pub site: SiteId,
    /// Sequence of the first item.
    pub first_sequence: u64,
    /// Hash of what comes before the first item.
    pub previous_hash: ChainHash,
    /// The items, one for each sequence from `first_sequence` on.
    pub items: Vec<Item>,
}

/// One place in the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// The event's exact bytes as they were journaled and hashed.
    Event(Box<RawValue>),
    /// An event that the cloud refused before; its place is kept so that the rest goes on.
    Quarantined {
        /// The event's hash, which the next one follows.
        hash: ChainHash,
        /// What the cloud said.
        reason: String,
    },
}

/// The answer to a batch that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Everything up to this sequence is on the cloud's disk.
    pub acked_through: u64,
}

/// The answer to a batch that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum Refusal {
    /// The batch does not follow what the cloud has: send from here (409).
    OutOfOrder {
        /// The sequence that the cloud wants next.
        expected: u64,
    },
    /// The chain does not match what the cloud has: two journals claim one site (409).
    Forked {
        /// Where they part.
        sequence: u64,
    },
    /// One event cannot be taken, whatever is tried (422).
    Unacceptable {
        /// Its sequence.
        sequence: u64,
        /// Why.
        reason: String,
    },
    /// The site is not known, or the signature is not its own (401).
    Unauthorised,
    /// The request is no batch (400).
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
}

/// Enrolment of a site, `POST /edge/v1/enrol`: the one-time code against the site's key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// The one-time code that `cloud-sync site add` printed.
    pub code: String,
    /// The site's Ed25519 public key in hex.
    pub public_key: String,
}

/// The answer to an enrolment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Enrolled {
    /// The site that the code was for.
    pub site: SiteId,
}

/// Signs a body; the result goes into [`SIGNATURE_HEADER`].
pub fn sign(key: &Ed25519KeyPair, body: &[u8]) -> String {
    to_hex(key.sign(body).as_ref())
}

/// Whether `signature` (hex) is that of `body` by the key whose public half (hex) is given.
pub fn verify(public_key: &str, body: &[u8], signature: &str) -> bool {
    let (Some(key), Some(signature)) = (from_hex(public_key), from_hex(signature)) else {
        return false;
    };
    UnparsedPublicKey::new(&ED25519, key).verify(body, &signature).is_ok()
}

/// Lower-case hex.
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// Bytes of an even number of hex digits.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok()).collect()
}
