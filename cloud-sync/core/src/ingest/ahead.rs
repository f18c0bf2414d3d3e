//! What a site sends ahead of the journal that still waits there is put by: it is on disk, and says
//! nothing. When the journal has arrived at it, it is taken in, in the journal's order, as if it had
//! come then. So there is one order in which this cloud applies, however things arrive.

use domain::envelope::Refusal;

use super::{
    IngestError, apply,
    chain::{Chain, Content, Link},
    keep::{End, forked, parse_hash},
};
use crate::store::{Row, Transaction, first, number, params};

/// Events of one site that are put by at most.
const MOST_AHEAD: i64 = 100_000;
/// How far beyond what is here they may be: more than any card holds.
const FARTHEST: u64 = 1 << 31;
/// Events that are taken in with one batch at most, so that no transaction grows with the drain.
const MOST_TAKEN_IN: usize = 1000;

/// Puts a chain by and returns its last sequence. Twice changes nothing.
pub(super) fn put_by(
    tx: &mut dyn Transaction,
    chain: &Chain,
    acked: u64,
    now_ms: i64,
) -> Result<u64, IngestError> {
    let count = "SELECT COUNT(*) FROM events_ahead WHERE site_id = $1";
    let last = chain.first_sequence + chain.links.len() as u64 - 1;
    if last - acked > FARTHEST || number(tx, count, params![&chain.site])? > MOST_AHEAD {
        return Err(Refusal::NoRoomAhead.into());
    }
    for link in &chain.links {
        put(tx, &chain.site, link, now_ms)?;
    }
    Ok(last)
}

fn put(tx: &mut dyn Transaction, site: &str, link: &Link, now_ms: i64) -> Result<(), IngestError> {
    let sequence = link.sequence;
    let body = match &link.content {
        Content::Event { body, event: Ok(_), resumes: false } => body,
        Content::Event { event: Err(reason), .. } => {
            return Err(Refusal::Unacceptable { sequence, reason: reason.clone() }.into());
        }
        _ => {
            let reason = "only whole events are sent ahead".to_owned();
            return Err(Refusal::Malformed { reason }.into());
        }
    };
    let query = "SELECT hash FROM events_ahead WHERE site_id = $1 AND sequence = $2";
    let known = first(tx, query, params![site, sequence as i64])?;
    if let Some(known) = known {
        let same = parse_hash(known.get(0)?)? == link.hash;
        return if same { Ok(()) } else { Err(forked(tx, site, sequence)?) };
    }
    tx.execute(
        "INSERT INTO events_ahead (site_id, sequence, hash, body, received_at_ms)
         VALUES ($1, $2, $3, $4, $5)",
        params![site, sequence as i64, link.hash.to_string(), body, now_ms],
    )?;
    Ok(())
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

/// Whether anything of the site `$1` is put by.
pub(super) const IS_ANY: &str = "EXISTS (SELECT 1 FROM events_ahead WHERE site_id = $1)";

/// What is in the journal is put by no longer.
pub(super) fn forget(tx: &mut dyn Transaction, site: &str, end: End) -> Result<(), IngestError> {
    let done = "DELETE FROM events_ahead WHERE site_id = $1 AND sequence <= $2";
    tx.execute(done, params![site, end.sequence as i64])?;
    Ok(())
}

fn link(row: &Row) -> Result<Link, IngestError> {
    let (sequence, body) = (row.get::<i64>(0)?.unsigned_abs(), row.get::<String>(2)?);
    let event = serde_json::from_str(&body).map(Box::new).map_err(|e| e.to_string());
    let content = Content::Event { body, event, resumes: false };
    Ok(Link { sequence, hash: parse_hash(row.get(1)?)?, content })
}
