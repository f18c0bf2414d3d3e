//! How events travel: in order, chained by hash, signed by the site.
//!
//! Each event's hash covers the hash before it and the event's exact bytes, so that a batch can be
//! checked against what was received before it. Every request is signed with the site's Ed25519 key
//! ([`Head`]) and answered once; an event that comes in two requests changes nothing the second
//! time, because the cloud applies by sequence.
//!
//! Three rules hold where not all is well:
//! - A place whose event is not there any more travels as [`Item::Quarantined`] while its hash is
//!   known, and as [`Item::Lost`] where that went with it. What follows a lost place travels as
//!   [`Item::Resumed`] with the hash that it was journaled under. The cloud takes that hash without
//!   the one before only there, and keeps and tells that something is missing.
//! - While much waits at a site, what happens now is sent [`Batch::ahead`] of it. The cloud puts it
//!   by and applies it when the journal has arrived there, in the journal's order.
//! - A [`Rotation`] is signed by the old key and by the new one.

mod request;

use std::fmt;

use ring::{
    digest::{Context, SHA256},
    signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use self::request::{COUNT_HEADER, Channel, Head, LATEST, SIGNATURE_HEADER, SITE_HEADER};
use crate::ids::{BootId, SiteId};

/// Where batches are sent.
pub const EVENTS_PATH: &str = "/edge/v1/events";
/// Where a key is changed.
pub const KEYS_PATH: &str = "/edge/v1/keys";
/// Most events in one batch.
pub const MAX_BATCH_EVENTS: usize = 500;
/// Most bytes of one batch as JSON, whether it travels compressed or not.
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

/// Where the picture of this SHA-256 (hex) is put, in parts: this one begins at byte `offset` of
/// `length`.
pub fn picture_target(sha256: &str, offset: usize, length: usize) -> String {
    format!("/edge/v1/pictures/{sha256}?offset={offset}&length={length}")
}

/// The answer to a part of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureReceipt {
    /// Whether the picture is whole and on the cloud's disk.
    pub kept: bool,
    /// Bytes of it that are there: where the next part begins.
    #[serde(default)]
    pub has: usize,
}

/// Events of one site that follow one another, `POST /edge/v1/events`: JSON, plain or compressed
/// with zstd, which its first bytes tell. What a later site adds beside these fields is no obstacle.
#[derive(Debug, Serialize, Deserialize)]
pub struct Batch {
    /// The site.
    pub site: SiteId,
    /// Sequence of the first item.
    pub first_sequence: u64,
    /// Hash of what comes before the first item.
    pub previous_hash: ChainHash,
    /// Events that wait at the site behind these.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub backlog: u64,
    /// Days for which the site has room where the cloud cannot be reached, as it last looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_days: Option<u32>,
    /// Whether these are sent while others before them still wait.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ahead: bool,
    /// The items, one for each sequence from `first_sequence` on.
    pub items: Vec<Item>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_false(flag: &bool) -> bool {
    !flag
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
        /// What the cloud said, or why the site no longer has it.
        reason: String,
    },
    /// A place of which nothing is left, not even its hash.
    Lost {
        /// What became of it.
        reason: String,
    },
    /// The first event after lost places: what it follows is not known.
    Resumed {
        /// Its hash as it was journaled.
        hash: ChainHash,
        /// Its exact bytes.
        event: Box<RawValue>,
    },
}

/// The answer to a batch that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Everything up to this sequence is on the cloud's disk, in order.
    pub acked_through: u64,
    /// Of a batch that was sent ahead: everything in it up to this sequence is on the cloud's disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead_through: Option<u64>,
}

/// The answer to a request that was not granted.
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
        /// The run that journaled the event which the cloud has there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        boot: Option<BootId>,
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
    /// Somebody at the cloud has taken this site's rights away (403).
    Revoked,
    /// A request of this number was answered before, or of far later ones (409).
    Repeated {
        /// A number that will be answered.
        expected: u64,
    },
    /// The site has carried out more than the cloud has ever told it (409): the cloud was restored
    /// from a copy, or it is another.
    Ahead {
        /// The last directive that the cloud knows of.
        last: u64,
    },
    /// More waits ahead of the site's journal than is put by: send in order (409).
    NoRoomAhead,
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

/// A site's change to a new key, `POST /edge/v1/keys`; the request itself is signed by the old one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// The new Ed25519 public key in hex.
    pub public_key: String,
    /// The new key's signature of [`Rotation::proof`], in hex.
    pub proof: String,
}

impl Rotation {
    /// What the new key signs, so that nobody enters a key that he has not.
    pub fn proof(site: &str, public_key: &str) -> Vec<u8> {
        format!("gatehouse 1 key\n{site}\n{public_key}").into_bytes()
    }
}

/// The answer to a [`Rotation`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rotated {
    /// The key that the site signs with from now on.
    pub public_key: String,
}

/// Signs bytes, in hex.
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
