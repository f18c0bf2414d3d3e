//! `journal verify`: reads everything, trusts nothing, and names what is wrong by sequence.
//!
//! It reads one snapshot, so that a journal that is being written looks as whole as it is.

mod bookkeeping;
mod chain;
mod pictures;

use std::fmt;

use domain::event::Event;
use serde::Serialize;

use super::{
    StateDir,
    database::{self, sequence},
    error::{JournalError, Result},
};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The site whose journal it is.
    pub site: String,
    /// Events that were read.
    pub events: u64,
    /// The last sequence.
    pub head: u64,
    /// Everything up to here is at the cloud.
    pub acked_through: u64,
    /// Places that the cloud would not take, or of which the events are lost.
    pub quarantined: u64,
    /// Places that are kept without their events: lost, or dropped for want of room.
    pub without_body: u64,
    /// Pictures whose hash was checked.
    pub pictures: u64,
    /// Everything that is wrong; empty for a whole journal.
    pub findings: Vec<Finding>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The event it is about; none for something that no event is to blame for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// What it is about: `event`, `outbox`, `bookkeeping`, `picture` or `database`.
    pub about: &'static str,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sequence {
            Some(sequence) => write!(f, "event {sequence}: {}: {}", self.about, self.what),
            None => write!(f, "{}: {}", self.about, self.what),
        }
    }
}

impl Report {
    /// Whether nothing is wrong.
    pub fn whole(&self) -> bool {
        self.findings.is_empty()
    }

    fn find(&mut self, about: &'static str, sequence: Option<u64>, what: impl Into<String>) {
        self.findings.push(Finding { sequence, about, what: what.into() });
    }
}

/// Checks the journal below `state`; nothing is changed. An error means that it could not be
/// checked at all.
pub fn verify(state: &StateDir) -> Result<Report> {
    let db = database::open_reader(&state.journal())?;
    let snapshot = db.unchecked_transaction().map_err(read("begin to read"))?;
    let (site, acked_through) = snapshot
        .query_row("SELECT site, acked_through FROM journal", [], |row| {
            Ok((row.get(0)?, sequence(row.get(1)?)))
        })
        .map_err(read("read whose it is"))?;
    let mut report = Report {
        site,
        acked_through,
        events: 0,
        head: 0,
        quarantined: 0,
        without_body: 0,
        pictures: 0,
        findings: Vec::new(),
    };
    database_itself(&snapshot, &mut report)?;
    let replayed = bookkeeping::Replayed::new(state)?;
    let site = report.site.clone();
    chain::check(&snapshot, &site, &mut report, |event| replayed.apply(event))?;
    outbox(&snapshot, &mut report)?;
    replayed.compare(&snapshot, &mut report)?;
    pictures::check(&snapshot, state, &mut report)?;
    Ok(report)
}

fn database_itself(db: &rusqlite::Connection, report: &mut Report) -> Result<()> {
    let check = || {
        let mut statement = db.prepare("PRAGMA quick_check(10)")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        rows.collect::<rusqlite::Result<Vec<String>>>()
    };
    for line in check().map_err(read("check its pages"))? {
        if line != "ok" {
            report.find("database", None, line);
        }
    }
    Ok(())
}

fn outbox(db: &rusqlite::Connection, report: &mut Report) -> Result<()> {
    if report.acked_through > report.head {
        let what = format!(
            "the cloud is said to have everything up to {}, the journal ends at {}",
            report.acked_through, report.head
        );
        report.find("outbox", Some(report.acked_through), what);
    }
    let query =
        "SELECT sequence FROM quarantine WHERE sequence NOT IN (SELECT sequence FROM event)";
    let places = || {
        let mut statement = db.prepare(query)?;
        let rows = statement.query_map([], |row| Ok(sequence(row.get(0)?)))?;
        rows.collect::<rusqlite::Result<Vec<u64>>>()
    };
    for place in places().map_err(read("read what was set aside"))? {
        report.find("outbox", Some(place), "was set aside and is not in the journal");
    }
    report.quarantined = db
        .query_row("SELECT COUNT(*) FROM quarantine", [], |row| row.get(0).map(sequence))
        .map_err(read("count what was set aside"))?;
    Ok(())
}

fn read(act: &'static str) -> impl FnOnce(rusqlite::Error) -> JournalError {
    JournalError::database(act)
}

/// What an event must say about itself, given where it stands.
fn misplaced(event: &Event, sequence: u64, site: &str) -> Option<String> {
    if event.sequence != sequence {
        Some(format!("its body says that it is event {}", event.sequence))
    } else if event.site.as_str() != site {
        Some(format!("its body says that it is of site `{}`", event.site))
    } else {
        None
    }
}
