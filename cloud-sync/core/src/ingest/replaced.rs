//! A site whose machine was replaced: the new one has an empty journal that counts from 1 again. It
//! enrolled with a fresh code, so it may; without one, a journal that begins anew is a fork.
//!
//! - What is here stays. Behind it a place of its own says that the machine was replaced, and the
//!   new journal stands behind that place: its event n at place `journal_base` + n.
//! - What the old machine had sent ahead is taken in first; the places before it that never came are
//!   lost, and people are told.
//! - A machine that was given its rights back and still has its journal goes on where it was.

use domain::envelope::{Acknowledgement, ChainHash, Refusal};

use super::{
    IngestError, ahead,
    chain::{Chain, Content, Link},
    keep::{self, End, Means},
};
use crate::{
    caller::Actor,
    logs::Entry,
    plates::Tally,
    store::{Transaction, params},
};

/// Kind under which the place is kept at which one journal ends and the next begins.
pub(super) const REPLACED: &str = "replaced";
/// Why places are lost that the old machine had not sent.
const NEVER_CAME: &str = "it was at the machine that was replaced";

/// A chain as its site counts it, placed behind `base`.
pub(super) fn placed(chain: &Chain, base: u64) -> Chain {
    let place = |link: &Link| {
        let mut link = link.clone();
        link.sequence += base;
        if let Content::Event { event: Ok(event), .. } = &mut link.content {
            event.sequence += base;
        }
        link
    };
    let links = chain.links.iter().map(place).collect();
    Chain { first_sequence: chain.first_sequence + base, links, ..chain.clone() }
}

/// What a site is answered, as it counts.
pub(super) fn as_the_site_counts(
    answer: Result<Acknowledgement, IngestError>,
    base: u64,
) -> Result<Acknowledgement, IngestError> {
    let own = |place: u64| place.saturating_sub(base);
    match answer {
        Ok(Acknowledgement { acked_through, ahead_through }) => Ok(Acknowledgement {
            acked_through: own(acked_through),
            ahead_through: ahead_through.map(own),
        }),
        Err(IngestError::Refused(refusal)) => Err(IngestError::Refused(match refusal {
            Refusal::OutOfOrder { expected } => Refusal::OutOfOrder { expected: own(expected) },
            Refusal::Forked { sequence, boot } => Refusal::Forked { sequence: own(sequence), boot },
            Refusal::Unacceptable { sequence, reason } => {
                Refusal::Unacceptable { sequence: own(sequence), reason }
            }
            other => other,
        })),
        failed => failed,
    }
}

/// Ends the journal that is here, and has that of the new machine begin behind it; returns the place
/// behind which it stands.
pub(super) fn begin_anew(
    tx: &mut dyn Transaction,
    site: &str,
    end: End,
    means: Means,
) -> Result<u64, IngestError> {
    let Means { doubtless, moment, .. } = means;
    let left = left_ahead(tx, site, end)?;
    keep::tell_losses(tx, site, &left, moment.now_ms)?;
    let links: Vec<_> = left.iter().collect();
    keep::append(tx, site, &links, Tally::new(doubtless), moment)?;
    let base = left.last().map_or(end.sequence, |link| link.sequence) + 1;
    let message = format!("the machine of {site} was replaced: its journal begins anew here");
    tx.execute(
        "INSERT INTO events (site_id, sequence, hash, kind, body, received_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![
            site,
            base as i64,
            ChainHash::GENESIS.to_string(),
            REPLACED,
            &message,
            moment.now_ms
        ],
    )?;
    tx.execute(
        "UPDATE sites SET journal_base = $1, acked_through = $1, chain_hash = $2 WHERE site_id = $3",
        params![base as i64, ChainHash::GENESIS.to_string(), site],
    )?;
    tx.execute("DELETE FROM events_ahead WHERE site_id = $1", params![site])?;
    let actor = Actor::default();
    Entry::warning(site.to_owned(), moment.now_ms, actor, "security", message).write(tx)?;
    Ok(base)
}

/// What the old machine had sent ahead, with the places before it that never came.
fn left_ahead(
    tx: &mut dyn Transaction,
    site: &str,
    mut end: End,
) -> Result<Vec<Link>, IngestError> {
    let mut links = Vec::new();
    for link in ahead::all(tx, site, end, usize::MAX >> 1)? {
        for sequence in end.sequence + 1..link.sequence {
            let content = Content::Lost { reason: NEVER_CAME.to_owned() };
            links.push(Link { sequence, hash: ChainHash::GENESIS, content });
        }
        end = End { sequence: link.sequence, hash: link.hash };
        links.push(link);
    }
    Ok(links)
}
