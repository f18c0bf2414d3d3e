//! From the bytes of a request to places in a journal: each with its sequence, its hash, and what
//! it tells. Pure.

use domain::{
    envelope::{Batch, ChainHash, Item, MAX_BATCH_EVENTS, Refusal},
    event::Event,
};

/// A batch whose hashes are worked out.
pub(super) struct Chain {
    pub(super) site: String,
    pub(super) first_sequence: u64,
    pub(super) previous_hash: ChainHash,
    pub(super) links: Vec<Link>,
}

/// One place in the journal.
pub(super) struct Link {
    pub(super) sequence: u64,
    pub(super) hash: ChainHash,
    pub(super) content: Content,
}

impl Link {
    /// The event, where one stands there that can be read.
    pub(super) fn event(&self) -> Option<&Event> {
        match &self.content {
            Content::Event { event, .. } => event.as_deref().ok(),
            Content::SetAside { .. } => None,
        }
    }
}

/// What stands in a place.
pub(super) enum Content {
    /// An event: its exact bytes, and what they say or why they say nothing.
    Event { body: String, event: Result<Box<Event>, String> },
    /// An event that the site has set aside, and why.
    SetAside { reason: String },
}

/// Reads the body of a request that `site` has signed.
pub(super) fn parse(site: &str, body: &[u8]) -> Result<Chain, Refusal> {
    let batch: Batch = serde_json::from_slice(body).map_err(|e| malformed(e.to_string()))?;
    if batch.site.as_str() != site {
        return Err(malformed(format!(
            "the batch is of site `{}`, signed by `{site}`",
            batch.site
        )));
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

fn malformed(reason: String) -> Refusal {
    Refusal::Malformed { reason }
}

fn link(batch: Batch) -> Chain {
    let mut hash = batch.previous_hash;
    let site = batch.site.to_string();
    let links = (batch.first_sequence..).zip(batch.items).map(|(sequence, item)| {
        let content = match item {
            Item::Event(raw) => {
                hash = hash.follow(raw.get().as_bytes());
                let event = read_event(&site, sequence, raw.get());
                Content::Event { body: raw.get().to_owned(), event }
            }
            Item::Quarantined { hash: given, reason } => {
                hash = given;
                Content::SetAside { reason }
            }
        };
        Link { sequence, hash, content }
    });
    let links = links.collect();
    Chain { site, first_sequence: batch.first_sequence, previous_hash: batch.previous_hash, links }
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
