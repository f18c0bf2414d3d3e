//! The writing end of the journal, without the thread: appends facts in transactions.

use std::{
    fs::{self, File, TryLockError},
    sync::Arc,
};

use domain::{
    clock::{Clock, Stamp},
    envelope::ChainHash,
    event::{Event, Fact},
    ids::{BootId, SiteId},
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    StateDir, bookkeeping,
    database::{self, number, sequence},
    end_mark::{self, EndMark},
    error::{JournalError, Result},
    pictures::{self, PictureState},
    query::stored_hash,
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
fn open_mending(state: &StateDir, site: &SiteId) -> Result<(Connection, Tail, Option<Repair>)> {
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
    // Fewer than are asked for are all that there are.
    let is_all = events.len() < usize::try_from(CHECKED_AT_END).unwrap_or(usize::MAX);
    if let Some((sequence, ..)) = events.first()
        && is_all
        && *sequence != 1
    {
        let what = "it is missing".to_owned();
        return Err(JournalError::Damaged { sequence: 1, what });
    }
    if let Some((1, hash, body)) = events.first()
        && !body.is_empty()
        && ChainHash::GENESIS.follow(body) != *hash
    {
        let what = "its hash does not follow from its bytes".to_owned();
        return Err(JournalError::Damaged { sequence: 1, what });
    }
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
