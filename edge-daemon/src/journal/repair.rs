//! Mends a damaged journal, so that nothing has to be deleted by hand and nothing is hidden.
//!
//! - A lost tail is put back from the log where it is still there; what is not stays as lost places,
//!   so that no sequence is ever given twice.
//! - A database that cannot be read is built anew from what is left of it. The old files stay beside
//!   it as `journal.damaged*`, the newest of them alone.
//! - What is lost is said by a [`JournalRepaired`](domain::event::Fact::JournalRepaired) event, by
//!   the places themselves, and to the cloud.
//!
//! Each step can be cut off by the power: the new database is whole on disk before it takes the
//! place of the old one.

use std::{
    fs::{self, File},
    path::Path,
};

use domain::{envelope::ChainHash, event::Event};
use rusqlite::{Connection, params};

use super::{
    StateDir, bookkeeping,
    database::{self, number},
    end_mark,
    error::{JournalError, Result},
    salvage::{self, Candidates, Heading, Place},
};

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repair {
    /// Events that are there and sound.
    pub kept: u64,
    /// Events that were put back out of the log or out of single pages.
    pub put_back: u64,
    /// Places of which the events are lost: first and last of each run.
    pub lost: Vec<[u64; 2]>,
    /// What was wrong, and what was done, in a sentence.
    pub detail: String,
}

impl Repair {
    fn lose(&mut self, sequence: u64) {
        match self.lost.last_mut() {
            Some([_, last]) if *last + 1 == sequence => *last = sequence,
            _ => self.lost.push([sequence, sequence]),
        }
    }

    fn tell(mut self, what: &str) -> Self {
        let run = |[first, last]: &[u64; 2]| match first == last {
            true => first.to_string(),
            false => format!("{first} to {last}"),
        };
        let lost: Vec<_> = self.lost.iter().map(run).collect();
        let lost = match lost.is_empty() {
            true => "nothing is lost".to_owned(),
            false => format!("lost: {}", lost.join(", ")),
        };
        self.detail =
            format!("{what}: {} events kept, {} put back, {lost}", self.kept, self.put_back);
        self
    }
}

/// Finishes what a power cut interrupted.
pub(super) fn finish(state: &StateDir) -> Result<()> {
    let (journal, new, old) = (state.journal(), state.mended(), state.damaged());
    if journal.exists() || !(new.exists() || old.exists()) {
        return Ok(());
    }
    // It is renamed only when it is whole.
    let from = if database::is_whole(&new) { new } else { old };
    fs::rename(&from, &journal).map_err(JournalError::file("bring back", &from))?;
    sync(state)
}

/// Puts back what the tail of an open journal has lost against its mark, from the log that was saved
/// before the database was opened; what cannot be put back becomes lost places.
pub(super) fn mend_tail(
    state: &StateDir,
    db: &Connection,
    site: &str,
    (head, hash): (u64, ChainHash),
    marked: u64,
) -> Result<Repair> {
    let candidates = Candidates::of_log(state, site, &state.scratch())?;
    let (mut repair, mut before) = (Repair { kept: head, ..Repair::default() }, Some(hash));
    let transaction = db.unchecked_transaction().map_err(write("begin to mend"))?;
    for sequence in head + 1..=marked {
        let place = candidates.place(sequence, before)?;
        before = put(db, state, sequence, &place, &mut repair)?;
        repair.put_back += u64::from(matches!(place, Place::Sound { .. }));
    }
    transaction.commit().map_err(write("commit what was mended"))?;
    let _ = fs::remove_file(state.scratch());
    Ok(repair.tell(&format!("the journal ended at {head} and should end at {marked}")))
}

/// Builds the database of `site` anew from what is left of it.
pub(super) fn rebuild(state: &StateDir, site: &str, why: &str) -> Result<Repair> {
    let candidates = Candidates::gather(state, site, &state.scratch())?;
    let end = candidates.last()?.max(end_mark::read(state));
    // What the cloud has it says again; a number that is beyond the end rotted.
    let heading = salvage::heading(&state.journal())
        .filter(|heading| heading.acked_through <= end && heading.thinned_through <= end);
    let heading = heading.unwrap_or_default();
    for path in [state.mended(), state.mended().with_extension("db-wal")] {
        let _ = fs::remove_file(path);
    }
    let db = database::open_writer(&state.mended())?;
    let repair = fill(&db, state, &candidates, (site, heading), end)?;
    close(db)?;
    exchange(state)?;
    let _ = fs::remove_file(state.scratch());
    Ok(repair.tell(why))
}

fn fill(
    db: &Connection,
    state: &StateDir,
    candidates: &Candidates,
    (site, heading): (&str, Heading),
    end: u64,
) -> Result<Repair> {
    let transaction = db.unchecked_transaction().map_err(write("begin to mend"))?;
    let Heading { acked_through, thinned_through } = heading;
    db.execute(
        "INSERT INTO journal (id, site, acked_through, thinned_through) VALUES (1, ?1, ?2, ?3)",
        params![site, number(acked_through), number(thinned_through)],
    )
    .map_err(write("enter its site"))?;
    let (mut repair, mut before) = (Repair::default(), Some(ChainHash::GENESIS));
    for sequence in 1..=end {
        let place = candidates.place(sequence, before)?;
        let thinned = sequence <= thinned_through && matches!(place, Place::Damaged { .. });
        repair.kept += u64::from(thinned || matches!(place, Place::Sound { .. }));
        let lost = repair.lost.clone();
        before = put(db, state, sequence, &place, &mut repair)?;
        if thinned {
            repair.lost = lost;
        }
    }
    transaction.commit().map_err(write("commit what was mended"))?;
    Ok(repair)
}

/// Enters a place; returns its hash where that is known.
fn put(
    db: &Connection,
    state: &StateDir,
    sequence: u64,
    place: &Place,
    repair: &mut Repair,
) -> Result<Option<ChainHash>> {
    let (hash, body) = match place {
        Place::Sound { hash, body } => (*hash, body.as_str()),
        Place::Damaged { hash } => (*hash, ""),
        Place::Lost => (ChainHash::GENESIS, ""),
    };
    let enter = || {
        db.prepare_cached("INSERT INTO event (sequence, hash, body) VALUES (?1, ?2, ?3)")?
            .execute(params![number(sequence), hash.0, body])?;
        match serde_json::from_str::<Event>(body) {
            Ok(event) => bookkeeping::apply(db, &event, state),
            Err(_) => Ok(()),
        }
    };
    enter().map_err(write("enter an event again"))?;
    if body.is_empty() {
        repair.lose(sequence);
    }
    Ok((*place != Place::Lost).then_some(hash))
}

/// Everything into the one file, and that onto the disk.
fn close(db: Connection) -> Result<()> {
    let closing = || {
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        db.pragma_update(None, "journal_mode", "DELETE")
    };
    closing().map_err(write("finish what was mended"))?;
    db.close().map_err(|(_, error)| write("finish what was mended")(error))
}

/// The new database takes the place of the old one, which stays for whoever wants to look.
fn exchange(state: &StateDir) -> Result<()> {
    let (journal, old) = (state.journal(), state.damaged());
    let moves = [
        (state.journal_log(), old.with_extension("db-wal")),
        (journal.clone(), old.clone()),
        (state.mended(), journal.clone()),
    ];
    // An index of the log that is of no log any more.
    let _ = fs::remove_file(journal.with_extension("db-shm"));
    let _ = fs::remove_file(old.with_extension("db-wal"));
    for (from, to) in moves {
        if from.exists() {
            fs::rename(&from, &to).map_err(JournalError::file("move aside", &from))?;
        }
    }
    sync(state)
}

fn sync(state: &StateDir) -> Result<()> {
    let folder: &Path = state.path();
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(JournalError::file("write the folder", folder))
}

fn write(act: &'static str) -> impl FnOnce(rusqlite::Error) -> JournalError {
    JournalError::database(act)
}
