//! How long there is room, and what goes when there is none.
//!
//! Money, access and whatever says where the journal begins, ends or has a hole is never dropped.
//! Telemetry goes first, the oldest first, and leaves its places and hashes behind; then pictures
//! go, those that the cloud has before those that it has not (`retention`). When there is nothing
//! left that may go, the journal grows on and the disk is full in the end: that is an alarm long
//! before, by the days that are left.

use domain::{clock::ClockQuality, event::Event};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::{
    StateDir,
    database::{number, sequence},
    error::{JournalError, Result},
    query::Reader,
};

/// What a busy site journals in a day: 1000 vehicles come and leave, 11 events each, 700 bytes an
/// event in the database (`docs/journal.md` has the arithmetic). Taken until a day was measured.
const STATED_BYTES_PER_DAY: u64 = 1000 * 11 * 700;
/// Least that a rate is measured over.
const LEAST_MEASURED_S: i64 = 6 * 3600;
/// Events over which it is measured: some days of a busy site.
const MEASURED_OVER: u64 = 50_000;
const DAY_S: u64 = 86_400;

/// How much room there is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Room {
    /// Bytes of the journal's database that are in use.
    pub journal_bytes: u64,
    /// Bytes that it may have.
    pub journal_max_bytes: u64,
    /// Bytes of the pictures' files.
    pub pictures_bytes: u64,
    /// Bytes that are free on the disk.
    pub disk_free_bytes: u64,
    /// What the journal grows by in a day.
    pub bytes_per_day: u64,
    /// Whether that was measured here; else it is that of a busy site.
    pub is_measured: bool,
    /// Days for which the journal has room, pictures making way for it.
    pub days_left: u64,
}

/// Looks how much room there is below `state`, where the journal may have `max_bytes`. Blocks.
pub fn room(state: &StateDir, reader: &Reader, max_bytes: u64) -> Result<Room> {
    let journal_bytes = used(&reader.db)?;
    let pictures_bytes = reader.pictures_bytes()?;
    let disk_free_bytes = disk_free(state)?;
    let measured = rate(reader)?;
    let bytes_per_day = measured.unwrap_or(STATED_BYTES_PER_DAY).max(1);
    let budget = max_bytes.saturating_sub(journal_bytes);
    let days_left = budget.min(disk_free_bytes + pictures_bytes) / bytes_per_day;
    Ok(Room {
        journal_bytes,
        journal_max_bytes: max_bytes,
        pictures_bytes,
        disk_free_bytes,
        bytes_per_day,
        is_measured: measured.is_some(),
        days_left,
    })
}

/// Bytes of the database's pages that hold something.
fn used(db: &Connection) -> Result<u64> {
    let sql = "SELECT (page_count - freelist_count) * page_size
               FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()";
    let used = db.query_row(sql, [], |row| row.get(0));
    used.map(sequence).map_err(JournalError::database("see how large it is"))
}

fn disk_free(state: &StateDir) -> Result<u64> {
    let stat = nix::sys::statvfs::statvfs(state.path())
        .map_err(|error| JournalError::file("look at", state.path())(error.into()))?;
    Ok(stat.blocks_available().saturating_mul(stat.fragment_size()))
}

/// Bytes a day, over the latest events; none where the clock was not set or too little happened.
fn rate(reader: &Reader) -> Result<Option<u64>> {
    let head = reader.head()?;
    let from = head.saturating_sub(MEASURED_OVER).max(1);
    let (Some(first), Some(last)) = (event_at(reader, from)?, event_at(reader, head)?) else {
        return Ok(None);
    };
    let set = |event: &Event| event.at.quality == ClockQuality::Synchronised;
    let passed_s = (last.at.wall - first.at.wall).num_seconds();
    if !set(&first) || !set(&last) || passed_s < LEAST_MEASURED_S {
        return Ok(None);
    }
    let sql = "SELECT COALESCE(SUM(LENGTH(body) + 60), 0) FROM event WHERE sequence >= ?1";
    let bytes = reader.db.query_row(sql, [number(from)], |row| row.get(0)).map(sequence);
    let bytes = bytes.map_err(JournalError::database("see how it grows"))?;
    Ok(Some(bytes.saturating_mul(DAY_S) / passed_s.unsigned_abs()))
}

/// The first event from `from` on that has its bytes.
fn event_at(reader: &Reader, from: u64) -> Result<Option<Event>> {
    Ok(reader.lines(from, 50)?.iter().find_map(super::Line::event))
}

/// Events that are looked at in one go.
const STEP: u64 = 2000;

/// Drops the bodies of up to `most` events of telemetry, the oldest first, and returns the fact that
/// says so. None where there was none left.
pub(super) fn thin(db: &Connection, most: usize) -> Result<Option<domain::event::Fact>> {
    let failed = || JournalError::database("drop telemetry");
    let through = db.query_row("SELECT thinned_through FROM journal", [], |row| row.get(0));
    let mut through = through.map(sequence).map_err(failed())?;
    let mut dropped = 0;
    while dropped < most {
        let telemetry = step(db, through).map_err(failed())?;
        let Some((last, telemetry)) = telemetry else { break };
        for sequence in telemetry {
            let sql = "UPDATE event SET body = '' WHERE sequence = ?1";
            db.prepare_cached(sql)
                .and_then(|mut drop| drop.execute([number(sequence)]))
                .map_err(failed())?;
            dropped += 1;
        }
        through = last;
    }
    db.execute("UPDATE journal SET thinned_through = ?1", [number(through)]).map_err(failed())?;
    let events = dropped as u64;
    Ok((events > 0).then_some(domain::event::Fact::Thinned { through, events }))
}

/// The telemetry among the next events after `after`, and the last of those; none at the end.
fn step(db: &Connection, after: u64) -> rusqlite::Result<Option<(u64, Vec<u64>)>> {
    let sql = "SELECT sequence, body FROM event WHERE sequence > ?1 ORDER BY sequence LIMIT ?2";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([number(after), number(STEP)])?;
    let (mut last, mut telemetry) = (None, Vec::new());
    while let Some(row) = rows.next()? {
        let at = sequence(row.get(0)?);
        last = Some(at);
        let body = row.get_ref(1)?.as_bytes()?;
        if serde_json::from_slice::<Event>(body).is_ok_and(|event| event.fact.is_telemetry()) {
            telemetry.push(at);
        }
    }
    Ok(last.map(|last| (last, telemetry)))
}
