//! What a site sends ahead of the journal that still waits there is put by: it is on disk, and says
//! nothing. When the journal has arrived at it, it is taken in, in the journal's order, as if it had
//! come then. So there is one order in which this cloud applies, however things arrive.

use std::collections::HashMap;

use domain::envelope::{ChainHash, Refusal};

use super::{
    IngestError, apply,
    chain::{Chain, Content, Link},
    keep::{End, forked, parse_hash},
};
use crate::store::{Row, Transaction, Value, insert_all, number, params};

/// Events of one site that are put by at most: as far as the last of them is behind the first.
const MOST_AHEAD: u64 = 100_000;
/// How far beyond what is here they may be: more than any card holds.
const FARTHEST: u64 = 1 << 31;
/// Columns of the row of an event.
const COLUMNS: usize = 5;
/// Events that are taken in with one batch at most, so that no transaction grows with the drain.
const MOST_TAKEN_IN: usize = 1000;

/// Puts a chain by and returns its last sequence. Twice changes nothing.
pub(super) fn put_by(
    tx: &mut dyn Transaction,
    chain: &Chain,
    acked: u64,
    now_ms: i64,
) -> Result<u64, IngestError> {
    let first = "SELECT COALESCE(MIN(sequence), $2) FROM events_ahead WHERE site_id = $1";
    let first = number(tx, first, params![&chain.site, chain.first_sequence as i64])?;
    let last = chain.first_sequence + chain.links.len() as u64 - 1;
    if last - acked > FARTHEST || last.saturating_sub(first.unsigned_abs()) > MOST_AHEAD {
        return Err(Refusal::NoRoomAhead.into());
    }
    let known = known(tx, &chain.site, chain.first_sequence, last)?;
    let mut rows = Vec::new();
    for link in &chain.links {
        let row = row(&chain.site, link, now_ms)?;
        match known.get(&link.sequence) {
            None => rows.extend(row),
            Some(hash) if *hash == link.hash => {}
            Some(_) => return Err(forked(tx, &chain.site, link.sequence)?),
        }
    }
    let head = "INSERT INTO events_ahead (site_id, sequence, hash, body, received_at_ms) VALUES ";
    insert_all(tx, (head, ""), COLUMNS, &rows)?;
    Ok(last)
}

/// What is put by already of a range: the hash by the sequence.
fn known(
    tx: &mut dyn Transaction,
    site: &str,
    first: u64,
    last: u64,
) -> Result<HashMap<u64, ChainHash>, IngestError> {
    let query = "SELECT sequence, hash FROM events_ahead
                 WHERE site_id = $1 AND sequence BETWEEN $2 AND $3";
    let rows = tx.query(query, params![site, first as i64, last as i64])?;
    let hash = |row: &Row| Ok((row.get::<i64>(0)?.unsigned_abs(), parse_hash(row.get(1)?)?));
    rows.iter().map(hash).collect()
}

/// The row of an event, where it can be put by.
fn row(site: &str, link: &Link, now_ms: i64) -> Result<[Value; COLUMNS], Refusal> {
    let sequence = link.sequence;
    let body = match &link.content {
        Content::Event { body, event: Ok(_), resumes: false } => body,
        Content::Event { event: Err(reason), .. } => {
            return Err(Refusal::Unacceptable { sequence, reason: reason.clone() });
        }
        _ => {
            let reason = "only whole events are sent ahead".to_owned();
            return Err(Refusal::Malformed { reason });
        }
    };
    let hash = link.hash.to_string();
    Ok([site.into(), (sequence as i64).into(), hash.into(), body.into(), now_ms.into()])
}

/// What was put by and follows `end` without a gap. Where the transaction has one site for itself
/// alone, up to the first event that changes what is not of its site: that waits for one that has
/// all for itself.
pub(super) fn that_follow(
    tx: &mut dyn Transaction,
    site: &str,
    mut end: End,
    crosses_sites: bool,
) -> Result<Vec<Link>, IngestError> {
    let mut links = Vec::new();
    for link in all(tx, site, end, MOST_TAKEN_IN)? {
        let Content::Event { body, .. } = &link.content else { break };
        // A gap, which the journal will fill; or not what the journal says, which then stands.
        if link.sequence != end.sequence + 1 || end.hash.follow(body.as_bytes()) != link.hash {
            break;
        }
        if !crosses_sites && link.event().is_some_and(|event| apply::may_cross_sites(&event.fact)) {
            break;
        }
        end = End { sequence: link.sequence, hash: link.hash };
        links.push(link);
    }
    Ok(links)
}

/// What is put by behind `end`, at most so much.
pub(super) fn all(
    tx: &mut dyn Transaction,
    site: &str,
    end: End,
    most: usize,
) -> Result<Vec<Link>, IngestError> {
    let query = "SELECT sequence, hash, body FROM events_ahead
                 WHERE site_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";
    let rows = tx.query(query, params![site, end.sequence as i64, most as i64])?;
    rows.iter().map(link).collect()
}

/// Whether anything of the site `$1` is put by. In the order of the key, which else is passed over
/// where most of the table is of one site: then all of it is read for every other.
pub(super) const IS_ANY: &str = "(SELECT sequence FROM events_ahead WHERE site_id = $1
     ORDER BY sequence LIMIT 1) IS NOT NULL";

/// What is in the journal is put by no longer.
pub(super) fn forget(tx: &mut dyn Transaction, site: &str, end: End) -> Result<(), IngestError> {
    let done = "DELETE FROM events_ahead WHERE site_id = $1 AND sequence <= $2";
    Ok(tx.defer(done, params![site, end.sequence as i64])?)
}

fn link(row: &Row) -> Result<Link, IngestError> {
    let (sequence, body) = (row.get::<i64>(0)?.unsigned_abs(), row.get::<String>(2)?);
    let event = serde_json::from_str(&body).map(Box::new).map_err(|e| e.to_string());
    let content = Content::Event { body, event, resumes: false };
    Ok(Link { sequence, hash: parse_hash(row.get(1)?)?, content })
}
