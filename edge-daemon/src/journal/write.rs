//! The writing end of the journal, without the thread: appends facts in transactions.

use std::{
    fs::{self, File},
    sync::Arc,
};

use domain::{
    clock::{Clock, Stamp},
    envelope::ChainHash,
    event::{Event, Fact},
    ids::{BootId, SiteId},
};
use rusqlite::{Connection, params};

use super::{
    StateDir, bookkeeping,
    database::{self, number, sequence},
    end_mark::EndMark,
    error::{JournalError, Result},
    open::{Tail, lock, open_mending},
    pictures::{self, PictureState},
    recover::{self, Recovered},
    repair::{self, Repair},
    room,
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
    mark: EndMark,
    /// Whether the disk has failed: what it holds is looked at anew before anything is written.
    suspect: bool,
    _lock: File,
}

/// Events after which the log is brought into the database: some megabytes.
const MOST_IN_LOG: u64 = 250;

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
    /// Journal these, each of which was so at its time.
    Late(Vec<(Stamp, Fact)>),
    /// Drop telemetry, the oldest first, so many events at most.
    Thin(usize),
    /// The cloud has everything up to here, and nothing beyond.
    Acknowledge(u64),
    /// This became of a picture.
    Picture(String, PictureState),
}

impl Journal {
    /// Opens the journal of `site` below `state`, making it where there is none, and says what was
    /// unfinished when it was last written. `boot` marks the events of this run. One that is damaged
    /// is mended as far as that is possible, and says so in an event.
    pub fn open(
        state: &StateDir,
        site: SiteId,
        boot: BootId,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Recovered)> {
        fs::create_dir_all(state.path())
            .map_err(JournalError::file("make the folder", state.path()))?;
        let lock = lock(state)?;
        repair::finish(state)?;
        let (db, tail, repaired) = open_mending(state, &site)?;
        let (state, mark) = (state.clone(), EndMark::open(state)?);
        let (in_log, suspect, _lock) = (0, false, lock);
        let mut journal = Self { db, state, site, boot, clock, tail, in_log, mark, suspect, _lock };
        journal.mark.set(tail.sequence);
        repaired.into_iter().for_each(|repair| journal.note(repair));
        let recovered = recover::recover(&journal.db)?;
        Ok((journal, recovered))
    }

    /// Builds the journal below `state` anew from what is left of it, where nobody writes it.
    pub fn repair(
        state: &StateDir,
        site: SiteId,
        boot: BootId,
        clock: Arc<dyn Clock>,
    ) -> Result<Repair> {
        let lock = lock(state)?;
        repair::finish(state)?;
        let repair = repair::rebuild(state, site.as_str(), "the journal was built anew")?;
        drop(lock);
        let (mut journal, _) = Self::open(state, site, boot, clock)?;
        journal.note(repair.clone());
        Ok(repair)
    }

    /// Says in the journal what was mended.
    fn note(&mut self, repair: Repair) {
        tracing::error!("the journal was damaged: {}", repair.detail);
        let fact = Fact::JournalRepaired { lost: repair.lost, detail: repair.detail };
        if let Err(error) = self.append(&[fact]) {
            // The lost places say it all the same.
            tracing::error!(%error, "that could not be journaled");
        }
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
        if self.suspect {
            self.reopen()?;
        }
        let told = |change: &Change| matches!(change, Change::Acknowledge(_) | Change::Picture(..));
        let facts = changes.iter().any(|change| !told(change));
        let committed = self.transact(changes, facts);
        match &committed {
            Ok(_) => self.mark.set(self.tail.sequence),
            // A flush that failed is never tried again: what it was to write may be gone, and the
            // next one would say nothing of it.
            Err(JournalError::Database { .. }) => self.suspect = true,
            Err(_) => {}
        }
        committed
    }

    /// Opens the database anew and takes what is really on the disk for the truth.
    fn reopen(&mut self) -> Result<()> {
        let nothing = Connection::open_in_memory();
        let nothing = nothing.map_err(JournalError::database("close its database"))?;
        drop(std::mem::replace(&mut self.db, nothing));
        database::forget_cached(&self.state);
        let (db, tail, repaired) = open_mending(&self.state, &self.site)?;
        (self.db, self.tail, self.suspect) = (db, tail, false);
        repaired.into_iter().for_each(|repair| self.note(repair));
        Ok(())
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
                self.enter(facts.iter().map(|fact| (self.clock.now(), fact)), tail)
            }
            Change::Late(facts) => self.enter(facts.iter().map(|(at, fact)| (*at, fact)), tail),
            Change::Thin(most) => match room::thin(&self.db, *most)? {
                Some(fact) => self.enter([(self.clock.now(), &fact)].into_iter(), tail),
                None => Ok(Vec::new()),
            },
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

    /// Enters facts as events after `tail`, and moves it.
    fn enter<'a>(
        &self,
        facts: impl Iterator<Item = (Stamp, &'a Fact)>,
        tail: &mut Tail,
    ) -> Result<Vec<Event>> {
        let written = self.write_out(facts, *tail)?;
        for one in &written {
            self.insert(one).map_err(JournalError::database("write an event"))?;
            *tail = Tail { sequence: one.event.sequence, hash: one.hash };
        }
        Ok(written.into_iter().map(|one| one.event).collect())
    }

    /// The events that `facts` become after `tail`.
    fn write_out<'a>(
        &self,
        facts: impl Iterator<Item = (Stamp, &'a Fact)>,
        tail: Tail,
    ) -> Result<Vec<Written>> {
        let mut previous = tail.hash;
        (tail.sequence + 1..)
            .zip(facts)
            .map(|(sequence, (at, fact))| {
                let (site, boot) = (self.site.clone(), self.boot);
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

    /// Notes that the cloud has every event up to `through`, and none beyond.
    #[cfg(test)]
    pub(super) fn acknowledge(&mut self, through: u64) -> Result<()> {
        self.commit(&[Change::Acknowledge(through)]).map(drop)
    }

    /// Brings the whole log into the database.
    #[cfg(test)]
    pub(super) fn checkpoint(&self) {
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        self.db.query_row(checkpoint, [], |_| Ok(())).expect("a test's disk works");
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
