//! How a journal is opened: by one process at a time, by its own site alone, and mended where its
//! end is damaged.

use std::{
    fs::{File, TryLockError},
    thread,
    time::{Duration, Instant},
};

use domain::{envelope::ChainHash, event::Event, ids::SiteId};
use rusqlite::{Connection, OptionalExtension};

use super::{
    StateDir,
    database::{self, sequence},
    end_mark,
    error::{JournalError, Result},
    query::stored_hash,
    recover,
    repair::{self, Repair},
};

/// The last event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tail {
    pub sequence: u64,
    pub hash: ChainHash,
}

/// How long the lock of one that has just ended may still be held by a process that it was starting.
const LET_GO_WITHIN: Duration = Duration::from_millis(500);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(10);

/// Takes the journal for this process alone.
pub(super) fn lock(state: &StateDir) -> Result<File> {
    let path = state.lock();
    let file = File::create(&path).map_err(JournalError::file("make", &path))?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < LET_GO_WITHIN => thread::sleep(LOOK),
            Err(TryLockError::WouldBlock) => {
                return Err(JournalError::InUse(state.path().to_owned()));
            }
            Err(TryLockError::Error(error)) => {
                return Err(JournalError::file("lock", &path)(error));
            }
        }
    }
}

/// Enters the site into a new journal; refuses that of another.
fn belongs_to(db: &Connection, site: &SiteId) -> Result<()> {
    db.execute(
        "INSERT INTO journal (id, site) VALUES (1, ?1) ON CONFLICT DO NOTHING",
        [site.as_str()],
    )
    .map_err(JournalError::database("enter its site"))?;
    let journal: String = db
        .query_row("SELECT site FROM journal", [], |row| row.get(0))
        .map_err(JournalError::database("read its site"))?;
    if journal == site.as_str() {
        return Ok(());
    }
    let last = "SELECT body FROM event ORDER BY sequence DESC LIMIT 1";
    let last = db.query_row(last, [], |row| row.get::<_, String>(0)).unwrap_or_default();
    match serde_json::from_str::<Event>(&last) {
        // Its events know better than its heading.
        Ok(event) if event.site == *site => {
            let what = format!("the journal says that it is of site `{journal}`");
            Err(JournalError::Damaged { sequence: event.sequence, what })
        }
        _ => Err(JournalError::OtherSite { journal, asked: site.to_string() }),
    }
}

/// Opens the database, mending it where it is damaged, and says what was mended.
pub(super) fn open_mending(
    state: &StateDir,
    site: &SiteId,
) -> Result<(Connection, Tail, Option<Repair>)> {
    let (opened, mut repaired) = match open_sound(state, site) {
        Err(error) if error.is_damage() => {
            let repair = repair::rebuild(state, site.as_str(), &error.to_string())?;
            (open_sound(state, site)?, Some(repair))
        }
        opened => (opened?, None),
    };
    let (db, mut tail) = opened;
    let marked = end_mark::read(state);
    if marked > tail.sequence {
        let last = (tail.sequence, tail.hash);
        repaired = Some(repair::mend_tail(state, &db, site.as_str(), last, marked)?);
        tail = read_tail(&db).map_err(JournalError::database("read its last event"))?;
    }
    Ok((db, tail, repaired))
}

/// Opens the database where its end is sound, and what a start needs can be read.
fn open_sound(state: &StateDir, site: &SiteId) -> Result<(Connection, Tail)> {
    let db = database::open_writer(&state.journal())?;
    belongs_to(&db, site)?;
    let tail = read_tail(&db).map_err(JournalError::database("read its last event"))?;
    check_end(&db)?;
    recover::recover(&db)?;
    Ok((db, tail))
}

/// Events at the end that are checked against the chain at every start.
const CHECKED_AT_END: i64 = 100;

fn check_end(db: &Connection) -> Result<()> {
    let read = || {
        let mut statement = db.prepare(
            "SELECT sequence, hash, body FROM (SELECT sequence, hash, body FROM event
             ORDER BY sequence DESC LIMIT ?1) ORDER BY sequence",
        )?;
        let rows = statement.query_map([CHECKED_AT_END], |row| {
            let body = row.get_ref(2)?.as_bytes()?.to_vec();
            Ok((sequence(row.get(0)?), stored_hash(row, 1)?, body))
        })?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    let events = read().map_err(JournalError::database("check its last events"))?;
    check_first(&events)?;
    check_chain(&events)
}

/// Sequence, hash and bytes of an event.
type Link = (u64, ChainHash, Vec<u8>);

/// Checks the very first event, where it is among them.
fn check_first(events: &[Link]) -> Result<()> {
    let Some((sequence, hash, body)) = events.first() else { return Ok(()) };
    let damaged = |what: &str| Err(JournalError::Damaged { sequence: 1, what: what.to_owned() });
    // Fewer than are asked for are all that there are.
    let is_all = events.len() < usize::try_from(CHECKED_AT_END).unwrap_or(usize::MAX);
    if is_all && *sequence != 1 {
        return damaged("it is missing");
    }
    if *sequence == 1 && !body.is_empty() && ChainHash::GENESIS.follow(body) != *hash {
        return damaged("its hash does not follow from its bytes");
    }
    Ok(())
}

fn check_chain(events: &[Link]) -> Result<()> {
    for pair in events.windows(2) {
        let [(before, previous, _), (sequence, hash, body)] = pair else { continue };
        if before + 1 != *sequence {
            let (sequence, what) = (before + 1, "it is missing".to_owned());
            return Err(JournalError::Damaged { sequence, what });
        }
        // A place without a body, and the first event behind one without a hash, follow nothing.
        let follows =
            body.is_empty() || *previous == ChainHash::GENESIS || previous.follow(body) == *hash;
        if !follows {
            let what = "its hash does not follow from its bytes and the event before".to_owned();
            return Err(JournalError::Damaged { sequence: *sequence, what });
        }
    }
    Ok(())
}

fn read_tail(db: &Connection) -> rusqlite::Result<Tail> {
    let last = db
        .query_row("SELECT sequence, hash FROM event ORDER BY sequence DESC LIMIT 1", [], |row| {
            Ok(Tail { sequence: sequence(row.get(0)?), hash: stored_hash(row, 1)? })
        })
        .optional()?;
    Ok(last.unwrap_or(Tail { sequence: 0, hash: ChainHash::GENESIS }))
}
