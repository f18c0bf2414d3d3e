//! What a site signs of each of its requests: everything that decides what the request does, and a
//! number that no request of the site had before. Somebody who has recorded one can do nothing with
//! it, and neither end needs a clock for that.

use ring::digest::{SHA256, digest};
use ring::signature::Ed25519KeyPair;

use super::{sign, to_hex, verify};

/// Header that names the site, so that the cloud finds its key before it reads the body.
pub const SITE_HEADER: &str = "gatehouse-site";
/// Header with [`Head::count`].
pub const COUNT_HEADER: &str = "gatehouse-count";
/// Header with the hex signature of [`Head::signed`].
pub const SIGNATURE_HEADER: &str = "gatehouse-signature";

/// What becomes of a request. Each has numbers of its own, because requests of one are sent one
/// after the other, and those of several at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Batches of the journal.
    Events,
    /// Pictures.
    Pictures,
    /// Asking for directives.
    Directives,
    /// A new key.
    Keys,
    /// Parts of the list of who may enter.
    Lists,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Events, Self::Pictures, Self::Directives, Self::Keys, Self::Lists];

    /// The channel as one word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Pictures => "pictures",
            Self::Directives => "directives",
            Self::Keys => "keys",
            Self::Lists => "lists",
        }
    }
}

/// Everything of a request that is signed beside its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head<'a> {
    /// The site that sends.
    pub site: &'a str,
    /// `GET`, `POST` or `PUT`.
    pub method: &'a str,
    /// Path and query from `/edge/v1/` on, whatever stands before that on the way to the cloud.
    pub target: &'a str,
    /// Larger than in the site's requests of this [`Channel`] before. The cloud answers each number
    /// once; one that was overtaken on the way is answered as long as it is not [`LATEST`] behind.
    pub count: u64,
}

/// How many numbers a request may be late.
pub const LATEST: u64 = 63;

impl Head<'_> {
    /// The bytes that are signed: no body of another request can be taken for them.
    pub fn signed(&self, body: &[u8]) -> Vec<u8> {
        let Self { site, method, target, count } = self;
        let body = to_hex(digest(&SHA256, body).as_ref());
        format!("gatehouse 1\n{site}\n{method} {target}\n{count}\n{body}").into_bytes()
    }

    /// The signature, in hex.
    pub fn sign(&self, key: &Ed25519KeyPair, body: &[u8]) -> String {
        sign(key, &self.signed(body))
    }

    /// Whether `signature` is that of this request by the key whose public half (hex) is given.
    pub fn is_signed_by(&self, public_key: &str, body: &[u8], signature: &str) -> bool {
        verify(public_key, &self.signed(body), signature)
    }
}
