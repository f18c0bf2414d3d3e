//! `<state>/journal.end`: the last sequence that was committed, written beside the database after
//! each commit. It is not flushed, so after a power cut it may be a little behind; where it is ahead
//! of the database, the database has lost its tail.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
};

use super::{
    StateDir,
    error::{JournalError, Result},
};

/// The mark, open for writing.
pub(super) struct EndMark(File);

impl EndMark {
    pub(super) fn open(state: &StateDir) -> Result<Self> {
        let path = state.end_mark();
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        file.map(Self).map_err(JournalError::file("open", &path))
    }

    /// The journal ends at `sequence`. Where the disk does not take that, the mark stays behind,
    /// which only means that it shows less.
    pub(super) fn set(&self, sequence: u64) {
        let written = self.0.write_all_at(format!("{sequence:020}\n").as_bytes(), 0);
        if let Err(error) = written {
            tracing::debug!(%error, "the journal's end could not be marked");
        }
    }
}

/// Where the journal ended as it was last marked; 0 where nothing tells.
pub(super) fn read(state: &StateDir) -> u64 {
    let text = std::fs::read_to_string(state.end_mark()).unwrap_or_default();
    text.lines().next().and_then(|line| line.parse().ok()).unwrap_or(0)
}
