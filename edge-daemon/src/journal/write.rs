//! The writing end of the journal, without the thread: appends facts in transactions.

use std::{
    fs::{self, File, TryLockError},
    sync::Arc,
};

use domain::{
    clock::Clock,
    envelope::ChainHash,
    event::{Event, Fact},
    ids::{BootId, SiteId},
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    StateDir, bookkeeping,
    database::{self, number, sequence},
    error::{JournalError, Result},
    pictures::{self, PictureState},
    query::stored_hash,
    recover::{self, Recovered},
};

/// The journal, open for writing. At most one process has it so.
pub struct Journal {
    db: Connection,
    state: StateDir,
    site: SiteId,
    boot: BootId,
    clock: Arc<dyn Clock>,
    tail: Tail,
    /// Events and other changes that were written since the log was last brought into the database.
    in_log: u64,
    _lock: File,
}

/// Events after which the log is brought into the database: some megabytes.
const MOST_IN_LOG: u64 = 250;

/// The last event.
#[derive(Debug, Clone, Copy)]
struct Tail {
    sequence: u64,
    hash: ChainHash,
}

/// An event as it goes into the database.
struct Written {
    event: Event,
    body: String,
    hash: ChainHash,
}

/// A change that shares a transaction with others.
#[derive(Debug)]
pub(super) enum Change {
    /// Journal these facts.
    Append(Vec<Fact>),
    /// The cloud has everything up to here, and nothing beyond.
    Acknowledge(u64),
    /// This became of a picture.
    Picture(String, PictureState),
}

impl Journal {
    /// Opens the journal of `site` below `state`, making it where there is none, and says what was
    /// unfinished when it was last written. `boot` marks the events of this run.
    pub fn open(
        state: &StateDir,
        site: SiteId,
        boot: BootId,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Recovered)> {
        fs::create_dir_all(state.path())
            .map_err(JournalError::file("make the folder", state.path()))?;
        let lock = lock(state)?;
        let db = database::open_writer(&state.journal())?;
        belongs_to(&db, &site)?;
        let tail = read_tail(&db).map_err(JournalError::database("read its last event"))?;
        let recovered = recover::recover(&db)?;
        let journal =
            Self { db, state: state.clone(), site, boot, clock, tail, in_log: 0, _lock: lock };
        Ok((journal, recovered))
    }

    /// Appends `facts` in one transaction and returns them as they were journaled. They are on disk
    /// when this returns; where it fails, none of them is in the journal.
    pub fn append(&mut self, facts: &[Fact]) -> Result<Vec<Event>> {
        let mut answers = self.commit(&[Change::Append(facts.to_vec())])?;
        self.tidy();
        answers.pop().expect("one answer for each change")
    }

    /// Makes all changes in one transaction. The outer error is everybody's; an inner one is that
    /// of a change that was left out.
    pub(super) fn commit(&mut self, changes: &[Change]) -> Result<Vec<Result<Vec<Event>>>> {
        let facts = changes.iter().any(|change| matches!(change, Change::Append(_)));
        let committed = self.transact(changes, facts);
        if committed.is_err() {
            // What the disk has now is the truth, whatever was tried.
            self.tail =
                read_tail(&self.db).map_err(JournalError::database("read its last event"))?;
        }
        committed
    }

    /// Brings the log into the database where it has grown. It costs two flushes, so it is done
    /// after those who wait for a commit were answered. Where it fails, nothing is lost.
    pub(super) fn tidy(&mut self) {
        if self.in_log < MOST_IN_LOG {
            return;
        }
        self.in_log = 0;
        let tidied = self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        if let Err(error) = tidied {
            tracing::warn!(%error, "the journal's log could not be brought into its database");
        }
    }

    /// The last sequence; 0 where nothing was journaled yet.
    pub fn head(&self) -> u64 {
        self.tail.sequence
    }

    /// Everything up to here is on the cloud's disk.
    pub fn acked_through(&self) -> Result<u64> {
        let acked = self.db.query_row("SELECT acked_through FROM journal", [], |row| row.get(0));
        acked.map(sequence).map_err(JournalError::database("read what the cloud has"))
    }

    fn transact(&mut self, changes: &[Change], durable: bool) -> Result<Vec<Result<Vec<Event>>>> {
        let write = JournalError::database;
        database::durable(&self.db, durable).map_err(write("prepare a commit"))?;
        // Dropped on an early return, which rolls back.
        let transaction = self.db.unchecked_transaction().map_err(write("begin a transaction"))?;
        let mut tail = self.tail;
        let answers = changes.iter().map(|change| self.apply(change, &mut tail));
        // Rolled back where the database failed; a fact that cannot be written is its own affair.
        let answers = answers
            .map(|answer| match answer {
                Err(error @ JournalError::Database { .. }) => Err(error),
                answer => Ok(answer),
            })
            .collect::<Result<_>>()?;
        transaction.commit().map_err(write("commit"))?;
        self.in_log += (tail.sequence - self.tail.sequence).max(1);
        self.tail = tail;
        Ok(answers)
    }

    fn apply(&self, change: &Change, tail: &mut Tail) -> Result<Vec<Event>> {
        match change {
            Change::Append(facts) => {
                let written = self.write_out(facts, *tail)?;
                for one in &written {
                    self.insert(one).map_err(JournalError::database("write an event"))?;
                    *tail = Tail { sequence: one.event.sequence, hash: one.hash };
                }
                Ok(written.into_iter().map(|one| one.event).collect())
            }
            Change::Acknowledge(through) => self
                .db
                .prepare_cached("UPDATE journal SET acked_through = ?1")
                .and_then(|mut update| update.execute([number(*through)]))
                .map(|_| Vec::new())
                .map_err(JournalError::database("note what the cloud has")),
            Change::Picture(sha256, state) => pictures::set_state(&self.db, sha256, *state)
                .map(|()| Vec::new())
                .map_err(JournalError::database("note what became of a picture")),
        }
    }

    /// The events that `facts` become after `tail`.
    fn write_out(&self, facts: &[Fact], tail: Tail) -> Result<Vec<Written>> {
        let mut previous = tail.hash;
        (tail.sequence + 1..)
            .zip(facts)
            .map(|(sequence, fact)| {
                let (site, boot, at) = (self.site.clone(), self.boot, self.clock.now());
                let written =
                    Written::new(Event { sequence, site, boot, at, fact: fact.clone() }, previous)?;
                previous = written.hash;
                Ok(written)
            })
            .collect()
    }

    fn insert(&self, one: &Written) -> rusqlite::Result<()> {
        self.db
            .prepare_cached("INSERT INTO event (sequence, hash, body) VALUES (?1, ?2, ?3)")?
            .execute(params![number(one.event.sequence), one.hash.0, one.body])?;
        bookkeeping::apply(&self.db, &one.event, &self.state)
    }

    #[cfg(test)]
    pub(super) fn database(&self) -> &Connection {
        &self.db
    }
}

impl Written {
    /// The event in its exact bytes. They are read back, so that nothing is journaled that the
    /// cloud, or we, could not understand later (a NaN would be such a thing).
    fn new(event: Event, previous: ChainHash) -> Result<Self> {
        let body = serde_json::to_string(&event)
            .and_then(|body| serde_json::from_str::<Event>(&body).map(|_| body))
            .map_err(|error| JournalError::Unrepresentable(Arc::new(error)))?;
        let hash = previous.follow(body.as_bytes());
        Ok(Self { event, body, hash })
    }
}

fn lock(state: &StateDir) -> Result<File> {
    let path = state.lock();
    let file = File::create(&path).map_err(JournalError::file("make", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse(state.path().to_owned())),
        Err(TryLockError::Error(error)) => Err(JournalError::file("lock", &path)(error)),
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
        Ok(())
    } else {
        Err(JournalError::OtherSite { journal, asked: site.to_string() })
    }
}

fn read_tail(db: &Connection) -> rusqlite::Result<Tail> {
    let last = db
        .query_row("SELECT sequence, hash FROM event ORDER BY sequence DESC LIMIT 1", [], |row| {
            Ok(Tail { sequence: sequence(row.get(0)?), hash: stored_hash(row, 1)? })
        })
        .optional()?;
    Ok(last.unwrap_or(Tail { sequence: 0, hash: ChainHash::GENESIS }))
}
