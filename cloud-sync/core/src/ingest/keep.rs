//! Keeps a chain: compares what overlaps, appends what is new, applies it.

use domain::{
    envelope::{Acknowledgement, ChainHash, Refusal},
    event::Event,
};

use super::{
    IngestError, apply,
    chain::{Chain, Content, Link},
};
use crate::{
    charging::Moment,
    plates::Tally,
    store::{StoreError, Transaction, Value, first, insert_all, params},
};

/// Kind under which an event is kept that its site has set aside.
const SET_ASIDE: &str = "set_aside";
/// Columns of an event's row.
const COLUMNS: usize = 6;
/// Most characters of a reason that are kept or answered.
const REASON_LENGTH: usize = 300;

/// Keeps what is new of a chain; an error keeps nothing of it. New plates are counted with the tally.
pub(super) fn keep(
    tx: &mut dyn Transaction,
    chain: &Chain,
    backlog: Option<i64>,
    tally: Tally,
    moment: Moment,
) -> Result<Acknowledgement, IngestError> {
    let (acked, head) = head(tx, &chain.site)?;
    check_start(tx, chain, acked, head)?;
    let (known, new) = chain.links.split_at(chain.links.partition_point(|l| l.sequence <= acked));
    compare(tx, &chain.site, known)?;
    append(tx, &chain.site, new, tally, moment)?;
    let end = new.last().map_or((acked, head), |last| (last.sequence, last.hash));
    tx.defer(
        "UPDATE sites SET acked_through = $1, chain_hash = $2, last_seen_at_ms = $3,
                backlog = COALESCE($4, backlog) WHERE site_id = $5",
        params![end.0 as i64, end.1.to_string(), moment.now_ms, backlog, &chain.site],
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

/// What is here already must be the same.
fn compare(tx: &mut dyn Transaction, site: &str, known: &[Link]) -> Result<(), IngestError> {
    let [first, .., last] = known else {
        return known.iter().try_for_each(|link| same(link, stored_hash(tx, site, link.sequence)?));
    };
    let query = "SELECT hash FROM events WHERE site_id = $1 AND sequence BETWEEN $2 AND $3
                 ORDER BY sequence";
    let rows = tx.query(query, params![site, first.sequence as i64, last.sequence as i64])?;
    if rows.len() != known.len() {
        return Err(missing().into());
    }
    known.iter().zip(rows).try_for_each(|(link, row)| same(link, parse_hash(row.get(0)?)?))
}

fn same(link: &Link, stored: ChainHash) -> Result<(), IngestError> {
    if stored == link.hash {
        Ok(())
    } else {
        Err(Refusal::Forked { sequence: link.sequence }.into())
    }
}

fn missing() -> StoreError {
    StoreError::new("compare with an event", "an acknowledged one is missing")
}

fn stored_hash(
    tx: &mut dyn Transaction,
    site: &str,
    sequence: u64,
) -> Result<ChainHash, IngestError> {
    let query = "SELECT hash FROM events WHERE site_id = $1 AND sequence = $2";
    let row = first(tx, query, params![site, sequence as i64])?.ok_or_else(missing)?;
    parse_hash(row.get(0)?)
}

fn parse_hash(text: String) -> Result<ChainHash, IngestError> {
    serde_json::from_value(text.into()).map_err(|e| StoreError::new("read a hash", e).into())
}

/// Keeps what is new, and then what it changes. One that cannot be taken lets none be taken.
fn append(
    tx: &mut dyn Transaction,
    site: &str,
    new: &[Link],
    mut tally: Tally,
    moment: Moment,
) -> Result<(), IngestError> {
    let rows =
        new.iter().map(|link| row(site, link, moment.now_ms)).collect::<Result<Vec<_>, _>>()?;
    let head = "INSERT INTO events (site_id, sequence, hash, kind, body, received_at_ms) VALUES ";
    insert_all(tx, (head, ""), COLUMNS, rows.as_flattened())?;
    let events = || new.iter().filter_map(Link::event);
    apply::prepare(tx, events())?;
    for event in events() {
        apply::apply(tx, event, moment, &mut tally)?;
    }
    Ok(tally.write(tx, site)?)
}

/// The row of an event, where it can be taken.
fn row(site: &str, link: &Link, now_ms: i64) -> Result<[Value; COLUMNS], Refusal> {
    let (kind, body) = match &link.content {
        Content::Event { body, event: Ok(event) } => (kind(event), body.clone()),
        Content::Event { event: Err(reason), .. } => {
            let (sequence, reason) = (link.sequence, shortened(reason));
            return Err(Refusal::Unacceptable { sequence, reason });
        }
        Content::SetAside { reason } => (SET_ASIDE.to_owned(), shortened(reason)),
    };
    let (sequence, hash) = (link.sequence as i64, link.hash.to_string());
    Ok([site.into(), sequence.into(), hash.into(), kind.into(), body.into(), now_ms.into()])
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
