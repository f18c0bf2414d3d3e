//! What is left of a damaged journal, judged by the chain.
//!
//! - An event counts as sound where its hash follows from its bytes and the hash before it.
//! - Where the hash before it is not known, it counts where it is an event of this place; one whose
//!   hash the one behind it follows goes before others.
//! - Of any other place the hash is kept where the event behind it shows that it is right; else the
//!   place is lost. No place is ever left out.

use std::path::Path;

use domain::{envelope::ChainHash, event::Event};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::{
    StateDir, carve,
    carve::Candidate,
    database::{number, sequence},
    error::{JournalError, Result},
};

/// Rows that are read at once from a database that SQLite still opens.
const STEP: u64 = 500;

/// What stands in a place of a journal that is mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// An event.
    Sound { hash: ChainHash, body: String },
    /// Its hash and nothing else.
    Damaged { hash: ChainHash },
    /// Nothing.
    Lost,
}

/// Everything that looks like an event, in a file of its own.
pub(super) struct Candidates {
    db: Connection,
    site: String,
}

impl Candidates {
    /// Gathers from the database and its log, through SQLite where it reads them and beside it.
    pub(super) fn gather(state: &StateDir, site: &str, scratch: &Path) -> Result<Self> {
        let gathered = Self::only(site, scratch)?;
        gathered.read(&state.journal());
        gathered.carve(state)?;
        Ok(gathered)
    }

    /// Gathers from the log alone, which holds what was written last.
    pub(super) fn of_log(state: &StateDir, site: &str, scratch: &Path) -> Result<Self> {
        let gathered = Self::only(site, scratch)?;
        gathered.carve_file(&state.journal_log(), carve::log)?;
        Ok(gathered)
    }

    fn only(site: &str, scratch: &Path) -> Result<Self> {
        let _ = std::fs::remove_file(scratch);
        let open = || {
            let db = Connection::open(scratch)?;
            // It can be made again at any time.
            db.execute_batch(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
                 CREATE TABLE candidate (sequence INTEGER NOT NULL, hash BLOB NOT NULL,
                     body TEXT NOT NULL, PRIMARY KEY (sequence, hash, body)) WITHOUT ROWID;
                 BEGIN",
            )?;
            Ok(db)
        };
        let db = open().map_err(JournalError::database("make room to mend it"))?;
        Ok(Self { db, site: site.to_owned() })
    }

    /// Reads what SQLite reads, around what it does not.
    fn read(&self, path: &Path) {
        let Ok(db) = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY) else {
            return;
        };
        let Ok(last) = db.query_row("SELECT MAX(sequence) FROM event", [], |row| row.get(0)) else {
            return;
        };
        let last = sequence(last);
        let mut from = 1;
        while from <= last {
            // A page that cannot be read costs a step, and what was on it is carved.
            let _ = self.read_step(&db, from);
            from += STEP;
        }
    }

    fn read_step(&self, db: &Connection, from: u64) -> rusqlite::Result<()> {
        let sql = "SELECT sequence, hash, body FROM event WHERE sequence >= ?1 AND sequence < ?2";
        let mut statement = db.prepare_cached(sql)?;
        let mut rows = statement.query([number(from), number(from + STEP)])?;
        while let Some(row) = rows.next()? {
            let hash: Vec<u8> = row.get(1)?;
            if let (Ok(hash), Ok(body)) = (hash.try_into(), row.get(2)) {
                self.note(&Candidate { sequence: sequence(row.get(0)?), hash, body })?;
            }
        }
        Ok(())
    }

    fn carve(&self, state: &StateDir) -> Result<()> {
        self.carve_file(&state.journal(), carve::database)?;
        self.carve_file(&state.journal_log(), carve::log)
    }

    fn carve_file(
        &self,
        path: &Path,
        carve: fn(&Path, &mut dyn FnMut(Candidate)) -> std::io::Result<()>,
    ) -> Result<()> {
        let mut failed = None;
        carve(path, &mut |candidate| failed = self.note(&candidate).err().or(failed.take()))
            .map_err(JournalError::file("read what is left of", path))?;
        failed.map_or(Ok(()), |error| Err(JournalError::database("note what is left of it")(error)))
    }

    fn note(&self, candidate: &Candidate) -> rusqlite::Result<()> {
        let Candidate { sequence, hash, body } = candidate;
        self.db
            .prepare_cached("INSERT OR IGNORE INTO candidate VALUES (?1, ?2, ?3)")?
            .execute(params![number(*sequence), hash, body])
            .map(drop)
    }

    /// The last place of which anything is left.
    pub(super) fn last(&self) -> Result<u64> {
        // Only what says so itself: a rotten row number may be anything.
        let sql = "SELECT MAX(sequence) FROM candidate
                   WHERE body LIKE '{\"sequence\":' || sequence || ',%'";
        let last = self.db.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
        last.map(|last| last.map_or(0, sequence))
            .map_err(JournalError::database("see what is left of it"))
    }

    /// What stands at `sequence`, where the place before has the hash `before`; none where that is
    /// not known.
    pub(super) fn place(&self, sequence: u64, before: Option<ChainHash>) -> Result<Place> {
        let read = JournalError::database("see what is left of it");
        self.judge(sequence, before).map_err(read)
    }

    fn judge(&self, sequence: u64, before: Option<ChainHash>) -> rusqlite::Result<Place> {
        let here = self.at(sequence)?;
        if let Some(before) = before {
            for (hash, body) in &here {
                if before.follow(body.as_bytes()) == *hash {
                    return Ok(Place::Sound { hash: *hash, body: body.clone() });
                }
            }
        }
        let behind = self.at(sequence + 1)?;
        let shown = |hash: &ChainHash| {
            behind.iter().any(|(next, body)| hash.follow(body.as_bytes()) == *next)
        };
        // Its own hash may be what rotted.
        if let Some(before) = before {
            for (_, body) in &here {
                let hash = before.follow(body.as_bytes());
                if shown(&hash) {
                    return Ok(Place::Sound { hash, body: body.clone() });
                }
            }
        }
        let is_event = |body: &str| self.is_event(sequence, body);
        // Behind a hole, nothing shows more than that it is an event of this place. Where the one
        // behind it disagrees, its many bytes rotted rather than these few of the hash.
        let shown_first = here.iter().position(|(hash, _)| shown(hash));
        let alone = || here.iter().position(|(_, body)| before.is_none() && is_event(body));
        let found = shown_first.or_else(alone).map(|at| here[at].clone());
        Ok(match found {
            None => Place::Lost,
            Some((hash, body)) if before.is_none() && is_event(&body) => {
                Place::Sound { hash, body }
            }
            Some((hash, _)) => Place::Damaged { hash },
        })
    }

    fn is_event(&self, sequence: u64, body: &str) -> bool {
        serde_json::from_str::<Event>(body)
            .is_ok_and(|event| event.sequence == sequence && event.site.as_str() == self.site)
    }

    fn at(&self, sequence: u64) -> rusqlite::Result<Vec<(ChainHash, String)>> {
        let sql = "SELECT hash, body FROM candidate WHERE sequence = ?1";
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map([number(sequence)], |row| {
            let hash: Vec<u8> = row.get(0)?;
            Ok((ChainHash(hash.try_into().unwrap_or_default()), row.get(1)?))
        })?;
        rows.collect()
    }
}

/// What a damaged journal still says about itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Heading {
    pub(super) acked_through: u64,
    pub(super) thinned_through: u64,
}

/// How far the cloud has a damaged journal, where that can still be read.
pub(super) fn heading(path: &Path) -> Option<Heading> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    let sql = "SELECT acked_through, thinned_through FROM journal";
    let row = db.query_row(sql, [], |row| {
        let (acked_through, thinned_through) = (sequence(row.get(0)?), sequence(row.get(1)?));
        Ok(Heading { acked_through, thinned_through })
    });
    row.optional().ok().flatten()
}
