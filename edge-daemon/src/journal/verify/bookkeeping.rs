//! The bookkeeping, worked out again from the facts and compared.

use std::collections::BTreeMap;

use domain::event::Event;
use rusqlite::Connection;

use super::{
    super::{
        StateDir, bookkeeping,
        database::{self, NOTES_WHO_STAYED, sequence, version},
        error::{JournalError, Result},
    },
    Report,
};

/// Table, its key, and what a row means. The row points at the event in `sequence`.
const TABLES: [(&str, &str, &str); 11] = [
    ("open_session", "session", "open session"),
    ("payment", "sequence", "payment"),
    ("open_intent", "command", "command without outcome"),
    ("open_decision", "decision", "opening without passage"),
    ("quarantine", "sequence", "event set aside"),
    ("picture", "sha256", "picture"),
    ("directive", "through", "last directive"),
    ("open_charge", "part", "charge under way"),
    ("locker", "thing", "locker's"),
    ("setting", "name", "setting"),
    ("renamed", "session", "corrected plate of session"),
];

/// What the keys of cars begin with that have stayed at a charger. An earlier format did not note
/// all of them; that is no damage, and the next start makes up for it.
const STAYED: &str = "ended/";

/// Bookkeeping as the facts make it.
pub(super) struct Replayed<'a> {
    scratch: Connection,
    state: &'a StateDir,
}

impl<'a> Replayed<'a> {
    pub(super) fn new(state: &'a StateDir) -> Result<Self> {
        Ok(Self { scratch: database::open_scratch()?, state })
    }

    /// Adds what follows from `event`.
    pub(super) fn apply(&self, event: &Event) -> Result<()> {
        bookkeeping::apply(&self.scratch, event, self.state)
            .map_err(JournalError::database("work the bookkeeping out again"))
    }

    /// Says where `db` has something else.
    pub(super) fn compare(&self, db: &Connection, report: &mut Report) -> Result<()> {
        let format = version(db).map_err(JournalError::database("read its format"))?;
        for (table, key, meaning) in TABLES {
            let read =
                |db| rows(db, table, key).map_err(JournalError::database("read its bookkeeping"));
            let (mut should, mut is) = (read(&self.scratch)?, read(db)?);
            if table == "open_charge" && format < NOTES_WHO_STAYED {
                should.retain(|id, _| !id.starts_with(STAYED));
                is.retain(|id, _| !id.starts_with(STAYED));
            }
            if table == "picture" {
                let thinned = thinned_through(db)?;
                is.retain(|id, at| *at > thinned || should.contains_key(id));
            }
            for (id, at) in &should {
                if is.get(id) != Some(at) {
                    let what = format!("{meaning} {id} follows from it and is not noted so");
                    report.find("bookkeeping", Some(*at), what);
                }
            }
            for (id, at) in is.iter().filter(|(id, _)| !should.contains_key(*id)) {
                let what = format!("{meaning} {id} is noted and follows from no event");
                report.find("bookkeeping", Some(*at), what);
            }
        }
        Ok(())
    }
}

/// Up to here, an event that named a picture may have been dropped.
fn thinned_through(db: &Connection) -> Result<u64> {
    let through = db.query_row("SELECT thinned_through FROM journal", [], |row| row.get(0));
    through.map(sequence).map_err(JournalError::database("read what was dropped"))
}

fn rows(db: &Connection, table: &str, key: &str) -> rusqlite::Result<BTreeMap<String, u64>> {
    let mut statement =
        db.prepare(&format!("SELECT CAST({key} AS TEXT), sequence FROM {table}"))?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, sequence(row.get(1)?))))?;
    rows.collect()
}
