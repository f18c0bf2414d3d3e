//! Keeps a chain: compares what overlaps, appends what is new, applies it.

use domain::{
    envelope::{Acknowledgement, ChainHash, Refusal},
    event::Event,
};

use super::{
    IngestError, apply,
    chain::{Chain, Content, Link},
};
use crate::store::{StoreError, Transaction, first, params};

/// Kind under which an event is kept that its site has set aside.
const SET_ASIDE: &str = "set_aside";
/// Most characters of a reason that are kept or answered.
const REASON_LENGTH: usize = 300;

/// Keeps what is new of a chain; an error keeps nothing of it.
pub(super) fn keep(
    tx: &mut dyn Transaction,
    chain: Chain,
    backlog: Option<i64>,
    now_ms: i64,
) -> Result<Acknowledgement, IngestError> {
    let (acked, head) = head(tx, &chain.site)?;
    check_start(tx, &chain, acked, head)?;
    let mut end = (acked, head);
    for link in &chain.links {
        if link.sequence <= acked {
            compare(tx, &chain.site, link)?;
        } else {
            append(tx, &chain.site, link, now_ms)?;
            end = (link.sequence, link.hash);
        }
    }
    tx.execute(
        "UPDATE sites SET acked_through = $1, chain_hash = $2, last_seen_at_ms = $3,
                backlog = COALESCE($4, backlog) WHERE site_id = $5",
        params![end.0 as i64, end.1.to_string(), now_ms, backlog, chain.site],
    )?;
    Ok(Acknowledgement { acked_through: end.0 })
}

/// The last sequence of a site that is here, and its hash.
fn head(tx: &mut dyn Transaction, site: &str) -> Result<(u64, ChainHash), IngestError> {
    let query = "SELECT acked_through, chain_hash FROM sites WHERE site_id = $1";
    let row = first(tx, query, params![site])?.ok_or(Refusal::Unauthorised)?;
    Ok((row.get::<i64>(0)?.unsigned_abs(), parse_hash(row.get(1)?)?))
}

/// The chain must begin at or before the next sequence, and continue what is here.
fn check_start(
    tx: &mut dyn Transaction,
    chain: &Chain,
    acked: u64,
    head: ChainHash,
) -> Result<(), IngestError> {
    let before = chain.first_sequence - 1;
    if before > acked {
        return Err(Refusal::OutOfOrder { expected: acked + 1 }.into());
    }
    let known = match before {
        0 => ChainHash::GENESIS,
        _ if before == acked => head,
        _ => stored_hash(tx, &chain.site, before)?,
    };
    if known == chain.previous_hash {
        Ok(())
    } else {
        Err(Refusal::Forked { sequence: before.max(1) }.into())
    }
}

fn compare(tx: &mut dyn Transaction, site: &str, link: &Link) -> Result<(), IngestError> {
    if stored_hash(tx, site, link.sequence)? == link.hash {
        Ok(())
    } else {
        Err(Refusal::Forked { sequence: link.sequence }.into())
    }
}

fn stored_hash(
    tx: &mut dyn Transaction,
    site: &str,
    sequence: u64,
) -> Result<ChainHash, IngestError> {
    let query = "SELECT hash FROM events WHERE site_id = $1 AND sequence = $2";
    let row = first(tx, query, params![site, sequence as i64])?.ok_or_else(|| {
        StoreError::new("compare with an event", "an acknowledged one is missing")
    })?;
    parse_hash(row.get(0)?)
}

fn parse_hash(text: String) -> Result<ChainHash, IngestError> {
    serde_json::from_value(text.into()).map_err(|e| StoreError::new("read a hash", e).into())
}

fn append(
    tx: &mut dyn Transaction,
    site: &str,
    link: &Link,
    now_ms: i64,
) -> Result<(), IngestError> {
    let (kind, body, event) = match &link.content {
        Content::Event { body, event: Ok(event) } => (kind(event), body.clone(), Some(event)),
        Content::Event { event: Err(reason), .. } => {
            let (sequence, reason) = (link.sequence, shortened(reason));
            return Err(Refusal::Unacceptable { sequence, reason }.into());
        }
        Content::SetAside { reason } => (SET_ASIDE.to_owned(), shortened(reason), None),
    };
    tx.execute(
        "INSERT INTO events (site_id, sequence, hash, kind, body, received_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![site, link.sequence as i64, link.hash.to_string(), kind, body, now_ms],
    )?;
    if let Some(event) = event {
        apply::apply(tx, event)?;
    }
    Ok(())
}

/// The name of the fact's kind on the wire.
fn kind(event: &Event) -> String {
    serde_json::to_value(&event.fact)
        .ok()
        .and_then(|fact| Some(fact.get("type")?.as_str()?.to_owned()))
        .unwrap_or_else(|| "unknown".to_owned())
}

fn shortened(reason: &str) -> String {
    reason.chars().take(REASON_LENGTH).collect()
}
