//! The pictures that decisions name: which are to be sent, and what became of them.

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    database::sequence,
    error::{JournalError, Result},
    query::Reader,
};

/// What became of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureState {
    /// It is here and the cloud has not got it.
    Kept,
    /// The cloud has it.
    Uploaded,
    /// The cloud will not have it.
    Refused,
    /// There was no such file when it was to be sent.
    Lost,
    /// The retention removed it.
    Removed,
}

impl PictureState {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Uploaded => "uploaded",
            Self::Refused => "refused",
            Self::Lost => "lost",
            Self::Removed => "removed",
        }
    }
}

/// A picture that the cloud is to get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureToSend {
    /// Its SHA-256 in hex.
    pub sha256: String,
    /// The first event that names it.
    pub sequence: u64,
}

impl Reader {
    /// The oldest picture that is to be sent and whose event the cloud has.
    pub fn next_picture(&self) -> Result<Option<PictureToSend>> {
        let sql = "SELECT sha256, sequence FROM picture WHERE state = 'kept'
                   AND sequence <= (SELECT acked_through FROM journal)
                   ORDER BY sequence LIMIT 1";
        let read = || {
            self.db
                .prepare_cached(sql)?
                .query_row([], |row| {
                    Ok(PictureToSend { sha256: row.get(0)?, sequence: sequence(row.get(1)?) })
                })
                .optional()
        };
        read().map_err(JournalError::database("look for a picture to send"))
    }

    /// Bytes that the pictures take which are still here.
    pub(super) fn pictures_bytes(&self) -> Result<u64> {
        let sql = "SELECT COALESCE(SUM(bytes), 0) FROM picture
                   WHERE state IN ('kept', 'uploaded', 'refused')";
        let bytes = self.db.query_row(sql, [], |row| row.get(0));
        bytes.map(sequence).map_err(JournalError::database("see how large its pictures are"))
    }

    /// Where the picture's first event stands and what became of it; none for one that no event
    /// names.
    pub(crate) fn picture(&self, sha256: &str) -> Result<Option<(u64, String)>> {
        let read = || {
            self.db
                .prepare_cached("SELECT sequence, state FROM picture WHERE sha256 = ?1")?
                .query_row([sha256], |row| Ok((sequence(row.get(0)?), row.get(1)?)))
                .optional()
        };
        read().map_err(JournalError::database("look a picture up"))
    }
}

/// Notes what became of a picture. One that was removed stays removed.
pub(super) fn set_state(
    db: &Connection,
    sha256: &str,
    state: PictureState,
) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE picture SET state = ?2 WHERE sha256 = ?1 AND state <> 'removed'")?
        .execute(params![sha256, state.word()])
        .map(drop)
}
