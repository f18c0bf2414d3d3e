//! From the bytes of a request to places in a journal: each with its sequence, its hash, and what
//! it tells. Pure.

use std::{borrow::Cow, io::Read};

use domain::{
    envelope::{Batch, ChainHash, Item, MAX_BATCH_BYTES, MAX_BATCH_EVENTS, Refusal},
    event::Event,
};
use ruzstd::decoding::StreamingDecoder;

/// The first bytes of everything that zstd has compressed.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// A batch whose hashes are worked out.
#[derive(Clone)]
pub(super) struct Chain {
    pub(super) site: String,
    pub(super) first_sequence: u64,
    pub(super) previous_hash: ChainHash,
    pub(super) backlog: u64,
    pub(super) room_days: Option<u32>,
    pub(super) ahead: bool,
    pub(super) links: Vec<Link>,
}

/// One place in the journal.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) sequence: u64,
    /// Zeroes where it is not known.
    pub(super) hash: ChainHash,
    pub(super) content: Content,
}

impl Link {
    /// The event, where one stands there that can be read.
    pub(super) fn event(&self) -> Option<&Event> {
        match &self.content {
            Content::Event { event, .. } => event.as_deref().ok(),
            Content::SetAside { .. } | Content::Lost { .. } => None,
        }
    }
}

/// What stands in a place.
#[derive(Clone)]
pub(super) enum Content {
    /// An event: its exact bytes, what they say or why they say nothing, and whether it claims to
    /// be the first after lost places.
    Event { body: String, event: Result<Box<Event>, String>, resumes: bool },
    /// An event that the site has set aside, and why.
    SetAside { reason: String },
    /// Nothing, and why.
    Lost { reason: String },
}

/// Whether nothing is known of what stands under this hash.
pub(super) fn is_unknown(hash: ChainHash) -> bool {
    hash == ChainHash::GENESIS
}

/// Reads the body of a request that `site` has signed.
pub(super) fn parse(site: &str, body: &[u8]) -> Result<Chain, Refusal> {
    let batch: Batch =
        serde_json::from_slice(&unpack(body)?).map_err(|e| malformed(e.to_string()))?;
    if batch.site.as_str() != site {
        return Err(foreign(batch.site.as_str(), site));
    }
    if batch.items.is_empty() || batch.items.len() > MAX_BATCH_EVENTS {
        let found = batch.items.len();
        return Err(malformed(format!("a batch has 1 to {MAX_BATCH_EVENTS} items, not {found}")));
    }
    let last = batch.first_sequence.checked_add(batch.items.len() as u64);
    if batch.first_sequence == 0 || last.is_none_or(|last| i64::try_from(last).is_err()) {
        return Err(malformed("sequences count from 1 and fit 63 bits".to_owned()));
    }
    Ok(link(batch))
}

/// The JSON of a batch. What is compressed unfolds to no more than a batch may have.
fn unpack(body: &[u8]) -> Result<Cow<'_, [u8]>, Refusal> {
    if !body.starts_with(&ZSTD_MAGIC) {
        return Ok(body.into());
    }
    let unfold = || {
        let decoder = StreamingDecoder::new(body).map_err(|e| e.to_string())?;
        let mut json = Vec::new();
        let mut bounded = decoder.take(MAX_BATCH_BYTES as u64 + 1);
        bounded.read_to_end(&mut json).map_err(|e| e.to_string())?;
        Ok::<_, String>(json)
    };
    let json = unfold().map_err(|e| malformed(format!("it cannot be decompressed: {e}")))?;
    if json.len() > MAX_BATCH_BYTES {
        return Err(malformed(format!("it unfolds to more than {MAX_BATCH_BYTES} bytes")));
    }
    Ok(json.into())
}

fn malformed(reason: String) -> Refusal {
    Refusal::Malformed { reason }
}

fn foreign(of: &str, by: &str) -> Refusal {
    malformed(format!("the batch is of site `{of}`, signed by `{by}`"))
}

/// Whether a batch was refused because it speaks for another site than the one that signed it.
pub(super) fn is_foreign(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Malformed { reason } if reason.starts_with("the batch is of site"))
}

fn link(batch: Batch) -> Chain {
    let mut hash = batch.previous_hash;
    let site = batch.site.to_string();
    let links = (batch.first_sequence..).zip(batch.items).map(|(sequence, item)| {
        let event = |raw: &str, resumes| {
            let event = read_event(&site, sequence, raw);
            Content::Event { body: raw.to_owned(), event, resumes }
        };
        let content;
        (hash, content) = match item {
            Item::Event(raw) => (hash.follow(raw.get().as_bytes()), event(raw.get(), false)),
            Item::Resumed { hash: given, event: raw } => {
                let follows = hash.follow(raw.get().as_bytes()) == given;
                (given, event(raw.get(), !follows))
            }
            Item::Quarantined { hash: given, reason } => (given, Content::SetAside { reason }),
            Item::Lost { reason } => (ChainHash::GENESIS, Content::Lost { reason }),
        };
        Link { sequence, hash, content }
    });
    let links = links.collect();
    let Batch { first_sequence, previous_hash, backlog, room_days, ahead, .. } = batch;
    Chain { site, first_sequence, previous_hash, backlog, room_days, ahead, links }
}

fn read_event(site: &str, sequence: u64, body: &str) -> Result<Box<Event>, String> {
    let event: Event = serde_json::from_str(body).map_err(|e| e.to_string())?;
    if event.sequence != sequence {
        return Err(format!("it says that its sequence is {}", event.sequence));
    }
    if event.site.as_str() != site {
        return Err(format!("it says that its site is `{}`", event.site));
    }
    Ok(Box::new(event))
}
