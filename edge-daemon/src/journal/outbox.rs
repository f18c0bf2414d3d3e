//! The outbox: the events that the cloud has not acknowledged, cut into batches.
//!
//! What goes out was checked against the chain just before, so that a byte that rotted on the disk
//! is told from two journals that claim one site.

use domain::envelope::{ChainHash, Item};
use rusqlite::Row;
use serde_json::value::RawValue;

use super::{
    database::{number, sequence},
    error::{JournalError, Result},
    query::{Reader, stored_hash},
};

/// Bytes that an event's place takes in a batch beside its own.
const ITEM_OVERHEAD: usize = 16;

/// Why the place of an event travels without it.
const THINNED: &str = "telemetry that was dropped for want of room";

/// How much goes into one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most events.
    pub events: usize,
    /// Most bytes, counted over the events; one event goes always.
    pub bytes: usize,
}

/// What is next to be sent.
#[derive(Debug)]
pub enum Outbox {
    /// The cloud has everything.
    Empty,
    /// These events.
    Batch(Outgoing),
    /// The next event is not what was written: its place is there, its bytes are not.
    Damaged(u64),
}

/// Events that follow one another, ready to be sent.
#[derive(Debug)]
pub struct Outgoing {
    /// Sequence of the first item.
    pub first_sequence: u64,
    /// Hash of what comes before the first item.
    pub previous_hash: ChainHash,
    /// The items; never empty.
    pub items: Vec<Item>,
    /// Bytes that the items take.
    pub bytes: usize,
}

impl Outgoing {
    /// Sequence of the last item.
    pub fn last_sequence(&self) -> u64 {
        self.first_sequence + self.items.len() as u64 - 1
    }
}

/// A row of the outbox after it was checked.
enum Place {
    Sound { item: Item, bytes: usize, hash: ChainHash },
    Damaged,
    Missing,
}

impl Reader {
    /// The batch that starts at `first`.
    pub fn outbox(&self, first: u64, limits: Limits) -> Result<Outbox> {
        let previous_hash = self.hash(first - 1)?.ok_or_else(|| missing(first - 1))?;
        let (items, bytes, stopped_by) = self
            .collect(first, previous_hash, limits)
            .map_err(JournalError::database("read the outbox"))?;
        match stopped_by {
            // What stands before a bad place can still go.
            _ if !items.is_empty() => {
                Ok(Outbox::Batch(Outgoing { first_sequence: first, previous_hash, items, bytes }))
            }
            Some(Place::Missing) => Err(missing(first)),
            Some(_) => Ok(Outbox::Damaged(first)),
            None => Ok(Outbox::Empty),
        }
    }

    /// Sound items from `first` on up to the limits, their bytes, and the bad place that ended them.
    fn collect(
        &self,
        first: u64,
        previous: ChainHash,
        limits: Limits,
    ) -> rusqlite::Result<(Vec<Item>, usize, Option<Place>)> {
        let sql = "SELECT event.sequence, hash, body, reason FROM event
                   LEFT JOIN quarantine ON quarantine.sequence = event.sequence
                   WHERE event.sequence >= ?1 ORDER BY event.sequence LIMIT ?2";
        let mut statement = self.db.prepare_cached(sql)?;
        let mut rows = statement.query([number(first), number(limits.events as u64)])?;
        let (mut items, mut total, mut tail) = (Vec::new(), 0, previous);
        while let Some(row) = rows.next()? {
            match place(row, first + items.len() as u64, tail)? {
                Place::Sound { bytes, .. } if !items.is_empty() && total + bytes > limits.bytes => {
                    break;
                }
                Place::Sound { item, bytes, hash } => {
                    items.push(item);
                    total += bytes;
                    tail = hash;
                }
                bad => return Ok((items, total, Some(bad))),
            }
        }
        Ok((items, total, None))
    }
}

fn place(row: &Row<'_>, expected: u64, previous: ChainHash) -> rusqlite::Result<Place> {
    let hash = stored_hash(row, 1)?;
    if sequence(row.get(0)?) != expected {
        return Ok(Place::Missing);
    }
    let (body, reason) = (row.get_ref(2)?.as_bytes()?, row.get::<_, Option<String>>(3)?);
    if body.is_empty() || reason.is_some() {
        let reason = reason.unwrap_or_else(|| THINNED.to_owned());
        let bytes = reason.len() + 3 * ITEM_OVERHEAD + 64;
        let item = match hash {
            ChainHash::GENESIS => Item::Lost { reason },
            hash => Item::Quarantined { hash, reason },
        };
        return Ok(Place::Sound { item, bytes, hash });
    }
    let resumes = previous == ChainHash::GENESIS && expected > 1;
    if !resumes && previous.follow(body) != hash {
        return Ok(Place::Damaged);
    }
    let bytes = body.len() + if resumes { 3 * ITEM_OVERHEAD + 64 } else { ITEM_OVERHEAD };
    let item = String::from_utf8(body.to_vec()).ok().and_then(|b| RawValue::from_string(b).ok());
    Ok(match item {
        Some(event) if resumes => Place::Sound { item: Item::Resumed { hash, event }, bytes, hash },
        Some(event) => Place::Sound { item: Item::Event(event), bytes, hash },
        None => Place::Damaged,
    })
}

fn missing(sequence: u64) -> JournalError {
    JournalError::Damaged { sequence, what: "it is missing".into() }
}
