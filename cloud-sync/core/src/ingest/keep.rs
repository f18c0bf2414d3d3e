//! Keeps a chain: compares what overlaps, appends what is new, applies it.
//!
//! A chain that does not continue what is here is refused, but for one case: a site has lost places
//! and says so. Then the event behind them is taken under the hash that it was journaled under, the
//! lost places stay here as what they are, and people are told. A site cannot hide a loss that way:
//! a lost place never becomes an ordinary one, and what this cloud has it keeps.

use domain::{
    envelope::{Acknowledgement, ChainHash, Refusal},
    event::Event,
};

use super::{
    IngestError, ahead, apply,
    chain::{Chain, Content, Link, is_unknown},
    replaced,
};
use crate::{
    charging::Moment,
    parking::{self, AlertKind, NewAlert},
    plates::Tally,
    store::{StoreError, Transaction, Value, first, insert_all, params},
};

/// Kind under which an event is kept that its site has set aside.
pub(super) const SET_ASIDE: &str = "set_aside";
/// Kind under which a place is kept of which nothing is left.
pub(super) const LOST: &str = "lost";
/// Columns of an event's row.
const COLUMNS: usize = 6;
/// Most characters of a reason that are kept or answered.
const REASON_LENGTH: usize = 300;

/// The last place of a site that is here.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) sequence: u64,
    pub(super) hash: ChainHash,
}

impl End {
    fn of(link: &Link) -> Self {
        Self { sequence: link.sequence, hash: link.hash }
    }
}

/// Keeps what is new of a chain; an error keeps nothing of it. New plates are counted with the tally.
pub(super) fn keep(
    tx: &mut dyn Transaction,
    chain: &Chain,
    means: Means,
) -> Result<Acknowledgement, IngestError> {
    let Known { end, base, is_new, any_ahead } = known(tx, &chain.site)?;
    let means = Means { any_ahead, ..means };
    if is_new && chain.ahead {
        // Whether its journal goes on or begins anew shows in order.
        return Err(Refusal::NoRoomAhead.into());
    }
    let kept = keep_behind(tx, chain, base, end, means);
    let begins_anew = is_new
        && chain.first_sequence == 1
        && matches!(kept, Err(IngestError::Refused(Refusal::Forked { .. })));
    let kept = if begins_anew {
        let base = replaced::begin_anew(tx, &chain.site, end, means)?;
        let end = End { sequence: base, hash: ChainHash::GENESIS };
        keep_behind(tx, chain, base, end, means)
    } else {
        kept
    };
    if is_new && kept.is_ok() {
        tx.execute("UPDATE sites SET is_new = 0 WHERE site_id = $1", params![&chain.site])?;
    }
    kept
}

/// What keeping needs beside the chain.
#[derive(Clone, Copy)]
pub(super) struct Means {
    /// From which confidence on nobody needs to look at a plate.
    pub(super) doubtless: f64,
    pub(super) moment: Moment,
    /// Whether the transaction has more for itself than the site.
    pub(super) crosses_sites: bool,
    /// Whether something of the site is put by.
    pub(super) any_ahead: bool,
}

/// Keeps a chain whose journal stands behind the place `base`.
fn keep_behind(
    tx: &mut dyn Transaction,
    chain: &Chain,
    base: u64,
    end: End,
    means: Means,
) -> Result<Acknowledgement, IngestError> {
    if base == 0 {
        return keep_placed(tx, chain, end, means);
    }
    let kept = keep_placed(tx, &replaced::placed(chain, base), end, means);
    replaced::as_the_site_counts(kept, base)
}

fn keep_placed(
    tx: &mut dyn Transaction,
    chain: &Chain,
    end: End,
    means: Means,
) -> Result<Acknowledgement, IngestError> {
    let Means { doubtless, moment, crosses_sites, any_ahead } = means;
    if chain.ahead && chain.first_sequence > end.sequence + 1 {
        let ahead_through = Some(ahead::put_by(tx, chain, end.sequence, moment.now_ms)?);
        note(tx, chain, end, moment.now_ms)?;
        return Ok(Acknowledgement { acked_through: end.sequence, ahead_through });
    }
    check_start(tx, chain, end)?;
    let acked = chain.links.partition_point(|link| link.sequence <= end.sequence);
    let (known, new) = chain.links.split_at(acked);
    compare(tx, &chain.site, known)?;
    check_resumed(tx, &chain.site, end, new)?;
    tell_losses(tx, &chain.site, new, moment.now_ms)?;
    let reached = new.last().map_or(end, End::of);
    let taken_in = match any_ahead {
        true => ahead::that_follow(tx, &chain.site, reached, crosses_sites)?,
        false => Vec::new(),
    };
    let new: Vec<_> = new.iter().chain(&taken_in).collect();
    append(tx, &chain.site, &new, Tally::new(doubtless), moment)?;
    let end = new.last().map_or(end, |last| End::of(last));
    if any_ahead {
        ahead::forget(tx, &chain.site, end)?;
    }
    note(tx, chain, end, moment.now_ms)?;
    Ok(Acknowledgement { acked_through: end.sequence, ahead_through: None })
}

fn note(tx: &mut dyn Transaction, chain: &Chain, end: End, now_ms: i64) -> Result<(), StoreError> {
    let backlog = i64::try_from(chain.backlog).unwrap_or(i64::MAX);
    tx.defer(
        "UPDATE sites SET acked_through = $1, chain_hash = $2, last_seen_at_ms = $3, backlog = $4,
                room_days = COALESCE($5, room_days)
         WHERE site_id = $6",
        params![
            end.sequence as i64,
            end.hash.to_string(),
            now_ms,
            backlog,
            chain.room_days.map(i64::from),
            &chain.site
        ],
    )
}

/// What is here of a site.
struct Known {
    /// The last place.
    end: End,
    /// The place behind which its journal stands.
    base: u64,
    /// Whether nothing came since it enrolled anew.
    is_new: bool,
    /// Whether something is put by.
    any_ahead: bool,
}

fn known(tx: &mut dyn Transaction, site: &str) -> Result<Known, IngestError> {
    let query = format!(
        "SELECT acked_through, chain_hash, journal_base, is_new, revoked_at_ms IS NOT NULL, {}
         FROM sites WHERE site_id = $1",
        ahead::IS_ANY
    );
    let row = first(tx, &query, params![site])?.ok_or(Refusal::Unauthorised)?;
    // Since its request was let in, its rights may have been taken away.
    if row.get(4)? {
        return Err(Refusal::Revoked.into());
    }
    let place = |column| row.get::<i64>(column).map(i64::unsigned_abs);
    Ok(Known {
        end: End { sequence: place(0)?, hash: parse_hash(row.get(1)?)? },
        base: place(2)?,
        is_new: row.get(3)?,
        any_ahead: row.get(5)?,
    })
}

/// The chain must begin at or before the next sequence, and continue what is here.
fn check_start(tx: &mut dyn Transaction, chain: &Chain, end: End) -> Result<(), IngestError> {
    let before = chain.first_sequence - 1;
    if before > end.sequence {
        return Err(Refusal::OutOfOrder { expected: end.sequence + 1 }.into());
    }
    let known = match before {
        0 => ChainHash::GENESIS,
        _ if before == end.sequence => end.hash,
        _ => stored_hash(tx, &chain.site, before)?,
    };
    // A site that has lost what stood before cannot say its hash; what comes first is judged then.
    let first = chain.links.first().map(|link| &link.content);
    let unsaid = is_unknown(chain.previous_hash)
        && matches!(first, Some(Content::Lost { .. } | Content::Event { resumes: true, .. }));
    if known == chain.previous_hash || unsaid {
        return Ok(());
    }
    Err(forked(tx, &chain.site, before.max(1))?)
}

/// An event that claims to be the first behind lost places is, or follows what is here.
fn check_resumed(
    tx: &mut dyn Transaction,
    site: &str,
    end: End,
    new: &[Link],
) -> Result<(), IngestError> {
    let mut before = end.hash;
    for link in new {
        if let Content::Event { body, resumes: true, .. } = &link.content
            && !is_unknown(before)
            && before.follow(body.as_bytes()) != link.hash
        {
            return Err(forked(tx, site, link.sequence - 1)?);
        }
        before = link.hash;
    }
    Ok(())
}

/// The refusal that names where two journals part, and the run that wrote what is here.
pub(super) fn forked(
    tx: &mut dyn Transaction,
    site: &str,
    sequence: u64,
) -> Result<IngestError, StoreError> {
    let query = "SELECT body FROM events WHERE site_id = $1 AND sequence = $2";
    let row = first(tx, query, params![site, sequence as i64])?;
    let body = row.map(|row| row.get::<String>(0)).transpose()?;
    let event = body.and_then(|body| serde_json::from_str::<Event>(&body).ok());
    Ok(Refusal::Forked { sequence, boot: event.map(|event| event.boot) }.into())
}

/// Raises an alert about places that are new here and lost there.
pub(super) fn tell_losses(
    tx: &mut dyn Transaction,
    site: &str,
    new: &[Link],
    now_ms: i64,
) -> Result<(), StoreError> {
    let lost = new.iter().filter(|link| matches!(link.content, Content::Lost { .. }));
    let lost: Vec<_> = lost.map(|link| link.sequence).collect();
    let (Some(first), Some(last)) = (lost.first(), lost.last()) else { return Ok(()) };
    let count = lost.len();
    let alert = NewAlert {
        site,
        kind: AlertKind::JournalDamaged,
        subject: &format!("lost {first}"),
        since_ms: now_ms,
        message: &format!("{site}: {count} events from {first} to {last} are lost at the site"),
        spot: None,
        plate: None,
        at_ms: now_ms,
    };
    parking::raise(tx, &alert)
}

/// What is here already must be the same.
fn compare(tx: &mut dyn Transaction, site: &str, known: &[Link]) -> Result<(), IngestError> {
    let stored = match known {
        [] => return Ok(()),
        [one] => vec![stored_hash(tx, site, one.sequence)?],
        [first, .., last] => stored_hashes(tx, site, first.sequence, last.sequence)?,
    };
    if stored.len() != known.len() {
        return Err(missing().into());
    }
    // What one end has lost, the other still has: there is nothing to compare.
    let differs = |(link, stored): &(&Link, ChainHash)| {
        *stored != link.hash && !is_unknown(link.hash) && !is_unknown(*stored)
    };
    match known.iter().zip(stored).find(differs) {
        Some((link, _)) => Err(forked(tx, site, link.sequence)?),
        None => Ok(()),
    }
}

fn stored_hashes(
    tx: &mut dyn Transaction,
    site: &str,
    first: u64,
    last: u64,
) -> Result<Vec<ChainHash>, IngestError> {
    let query = "SELECT hash FROM events WHERE site_id = $1 AND sequence BETWEEN $2 AND $3
                 ORDER BY sequence";
    let rows = tx.query(query, params![site, first as i64, last as i64])?;
    rows.iter().map(|row| parse_hash(row.get(0)?)).collect()
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

pub(super) fn parse_hash(text: String) -> Result<ChainHash, IngestError> {
    serde_json::from_value(text.into()).map_err(|e| StoreError::new("read a hash", e).into())
}

/// Keeps what is new, and then what it changes. One that cannot be taken lets none be taken.
pub(super) fn append(
    tx: &mut dyn Transaction,
    site: &str,
    new: &[&Link],
    tally: Tally,
    moment: Moment,
) -> Result<(), IngestError> {
    let rows =
        new.iter().map(|link| row(site, link, moment.now_ms)).collect::<Result<Vec<_>, _>>()?;
    let head = "INSERT INTO events (site_id, sequence, hash, kind, body, received_at_ms) VALUES ";
    insert_all(tx, (head, ""), COLUMNS, rows.as_flattened())?;
    let events = || new.iter().filter_map(|link| link.event());
    let known = apply::prepare(tx, site, events())?;
    let mut batch = apply::Batch { moment, tally, known };
    for event in events() {
        apply::apply(tx, event, &mut batch)?;
    }
    Ok(batch.tally.write(tx, site)?)
}

/// The row of an event, where it can be taken.
fn row(site: &str, link: &Link, now_ms: i64) -> Result<[Value; COLUMNS], Refusal> {
    let (kind, body) = match &link.content {
        Content::Event { body, event: Ok(event), .. } => (kind(event), body.clone()),
        Content::Event { event: Err(reason), .. } => {
            let (sequence, reason) = (link.sequence, shortened(reason));
            return Err(Refusal::Unacceptable { sequence, reason });
        }
        Content::SetAside { reason } => (SET_ASIDE.to_owned(), shortened(reason)),
        Content::Lost { reason } => (LOST.to_owned(), shortened(reason)),
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
