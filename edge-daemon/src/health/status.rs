//! How the site is, for people: what `edge-daemon status`, `/status` and the console tell.

use std::fmt;

use domain::clock::{ClockQuality, Stamp};
use serde::{Deserialize, Serialize};

use super::Report;
use crate::journal::{JournalError, Reader, Room, StateDir, room};

/// How the site is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The clocks as this was told, and how far the wall clock can be trusted.
    pub clock: Stamp,
    /// Facts that wait in memory for a disk that takes nothing.
    pub unwritten: usize,
    /// What the daemon says of itself; none where it does not run.
    pub running: Option<Report>,
    /// What the journal says; none where it cannot be read.
    pub journal: Option<JournalStatus>,
}

/// What the journal says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalStatus {
    /// The last event.
    pub head: u64,
    /// Everything up to here is at the cloud.
    pub acked_through: u64,
    /// Events that the cloud has not got.
    pub backlog: u64,
    /// Seconds since the oldest of them was journaled; none where there is none, or a clock was not
    /// set.
    pub ack_lag_s: Option<i64>,
    /// Places that travel without their events.
    pub set_aside: u64,
    /// How much room there is.
    pub room: Room,
}

impl JournalStatus {
    /// Reads it, where the journal may have `max_bytes`. Blocks.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn read(state: &StateDir, max_bytes: u64, now: Stamp) -> Result<Self, JournalError> {
        let reader = Reader::open(state)?;
        let (head, acked_through) = (reader.head()?, reader.acked_through()?);
        let oldest = reader.lines(acked_through + 1, 1)?.first().and_then(|line| line.event());
        let set = |at: &Stamp| at.quality == ClockQuality::Synchronised;
        let oldest = oldest.map(|event| event.at).filter(|at| set(at) && set(&now));
        Ok(Self {
            head,
            acked_through,
            backlog: head.saturating_sub(acked_through),
            ack_lag_s: oldest.map(|at| (now.wall - at.wall).num_seconds().max(0)),
            set_aside: reader.quarantined()?,
            room: room(state, &reader, max_bytes)?,
        })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.running {
            Some(report) => told(f, report)?,
            None => writeln!(f, "daemon     does not run")?,
        }
        let quality = match self.clock.quality {
            ClockQuality::Synchronised => "set by a time source",
            ClockQuality::Unsynchronised => "not set by a time source: times are not to be trusted",
        };
        writeln!(f, "clock      {}, {quality}", self.clock.wall.format("%Y-%m-%d %H:%M:%S UTC"))?;
        if self.unwritten > 0 {
            writeln!(f, "disk       takes nothing: {} facts wait in memory", self.unwritten)?;
        }
        match &self.journal {
            Some(journal) => fmt::Display::fmt(journal, f),
            None => {
                writeln!(f, "journal    cannot be read; `edge-daemon journal verify` says more")
            }
        }
    }
}

fn told(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    let ready = if report.ready { "ready" } else { "NOT READY" };
    writeln!(f, "daemon     {ready}, control loop {}", report.control_loop)?;
    writeln!(f, "gate       {}", report.gate)?;
    writeln!(f, "cloud      {}", report.replay)?;
    let parts = [
        ("controller", &report.controllers),
        ("camera", &report.cameras),
        ("fault", &report.faults),
    ];
    for (kind, states) in parts {
        for (name, state) in states {
            writeln!(f, "{kind:<10} {name}: {state}")?;
        }
    }
    Ok(())
}

impl fmt::Display for JournalStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { head, backlog, set_aside, room, .. } = self;
        let lag = self.ack_lag_s.map(|s| format!(", the oldest {s} s old")).unwrap_or_default();
        writeln!(f, "journal    {head} events, {set_aside} set aside or lost")?;
        writeln!(f, "backlog    {backlog} events wait for the cloud{lag}")?;
        let how = if room.is_measured { "as measured here" } else { "as at a busy site" };
        writeln!(
            f,
            "room       {} days at {:.1} MB a day, {how} ({:.0} of {:.0} MB used, {:.0} MB free)",
            room.days_left,
            room.bytes_per_day as f64 / 1e6,
            room.journal_bytes as f64 / 1e6,
            room.journal_max_bytes as f64 / 1e6,
            room.disk_free_bytes as f64 / 1e6,
        )
    }
}
