//! Reading the journal beside the one that writes it: for replay, health, people and tools.

use domain::{envelope::ChainHash, event::Event};
use rusqlite::{Connection, OptionalExtension, Row};

use super::{
    StateDir,
    database::{self, number, sequence},
    error::{JournalError, Result},
    recover::{self, OpenSession, Recovered},
};

/// A connection that only reads. Cheap to open, and may live in another process than the writer.
pub struct Reader {
    pub(super) db: Connection,
}

/// One event as it lies in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its sequence.
    pub sequence: u64,
    /// Its exact bytes, where they are text at all.
    pub body: String,
}

impl Line {
    /// The event; none where the bytes are none (which `journal verify` names).
    pub fn event(&self) -> Option<Event> {
        serde_json::from_str(&self.body).ok()
    }
}

impl Reader {
    /// Opens the existing journal below `state`.
    pub fn open(state: &StateDir) -> Result<Self> {
        Ok(Self { db: database::open_reader(&state.journal())? })
    }

    /// The last sequence; 0 where nothing was journaled yet.
    pub fn head(&self) -> Result<u64> {
        self.one("SELECT COALESCE(MAX(sequence), 0) FROM event")
    }

    /// Everything up to here is on the cloud's disk.
    pub fn acked_through(&self) -> Result<u64> {
        self.one("SELECT COALESCE(MAX(acked_through), 0) FROM journal")
    }

    /// How many events the cloud would not take.
    pub fn quarantined(&self) -> Result<u64> {
        self.one("SELECT COUNT(*) FROM quarantine")
    }

    /// Up to `limit` events from sequence `from` on.
    pub fn lines(&self, from: u64, limit: u32) -> Result<Vec<Line>> {
        let read = || {
            let sql = "SELECT sequence, body FROM event WHERE sequence >= ?1
                       ORDER BY sequence LIMIT ?2";
            let mut statement = self.db.prepare_cached(sql)?;
            let rows = statement.query_map([number(from), i64::from(limit)], |row| {
                let body = String::from_utf8_lossy(row.get_ref(1)?.as_bytes()?).into_owned();
                Ok(Line { sequence: sequence(row.get(0)?), body })
            })?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(JournalError::database("read events"))
    }

    /// Vehicles that are inside, in the order they entered.
    pub fn open_sessions(&self) -> Result<Vec<OpenSession>> {
        recover::open_sessions(&self.db)
    }

    /// What a start would find unfinished now.
    pub fn unfinished(&self) -> Result<Recovered> {
        recover::recover(&self.db)
    }

    /// The hash that the event after `before` follows; none where `before` is not there.
    pub(super) fn hash(&self, before: u64) -> Result<Option<ChainHash>> {
        if before == 0 {
            return Ok(Some(ChainHash::GENESIS));
        }
        let read = || {
            self.db
                .prepare_cached("SELECT hash FROM event WHERE sequence = ?1")?
                .query_row([number(before)], |row| stored_hash(row, 0))
                .optional()
        };
        read().map_err(JournalError::database("read a hash"))
    }

    fn one(&self, sql: &'static str) -> Result<u64> {
        self.db
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map(sequence)
            .map_err(JournalError::database("read how far it is"))
    }
}

/// A hash column. One of the wrong length reads as zeroes, which no event's hash is.
pub(super) fn stored_hash(row: &Row<'_>, column: usize) -> rusqlite::Result<ChainHash> {
    let bytes: Vec<u8> = row.get(column)?;
    Ok(ChainHash(bytes.try_into().unwrap_or_default()))
}
