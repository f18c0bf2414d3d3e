//! What can go wrong with the journal. Errors are cheap to copy, because everybody whose facts
//! shared a transaction is told.

use std::{io, path::PathBuf, sync::Arc};

/// Why the journal could not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// The database refused: full disk, failing disk, damaged file.
    #[error("the journal could not {act}")]
    Database {
        /// What was being done.
        act: &'static str,
        /// What SQLite said.
        #[source]
        source: Arc<rusqlite::Error>,
    },
    /// A file or folder beside the database.
    #[error("the journal could not {act} {}", path.display())]
    File {
        /// What was being done.
        act: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Arc<io::Error>,
    },
    /// There is nothing to read.
    #[error("there is no journal: {} does not exist", .0.display())]
    Absent(PathBuf),
    /// Another process writes this journal.
    #[error("{} is in use by another edge-daemon: stop that one first", .0.display())]
    InUse(PathBuf),
    /// The journal belongs to another site.
    #[error(
        "this is the journal of site `{journal}`, not of `{asked}`: use its own state directory"
    )]
    OtherSite {
        /// The site it belongs to.
        journal: String,
        /// The site that was asked for.
        asked: String,
    },
    /// The database was written by a newer program.
    #[error(
        "the journal has format {found}, this program knows up to {known}: use a newer edge-daemon"
    )]
    TooNew {
        /// Its `user_version`.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// What is on disk is not what was written.
    #[error("the journal is damaged at event {sequence}: {what}; see `edge-daemon journal verify`")]
    Damaged {
        /// The event.
        sequence: u64,
        /// What is wrong with it.
        what: String,
    },
    /// A fact that would not be understood when it is read again.
    #[error("a fact cannot be journaled: {0}")]
    Unrepresentable(Arc<serde_json::Error>),
    /// The disk failed a moment ago and is not asked again yet.
    #[error("the disk takes nothing at the moment")]
    Waits,
    /// The thread that writes has ended.
    #[error("the journal is closed")]
    Closed,
}

impl JournalError {
    /// Whether a journal that could not be opened is to be mended: what is on the disk is not what was
    /// written. A rotten byte makes SQLite say many things; what says something of the disk, of its
    /// room or of others who use it is not among them.
    pub fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode as Code;
        match self {
            Self::Damaged { .. } => true,
            Self::Database { source, .. } => match source.sqlite_error() {
                Some(error) if error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHORT_READ => {
                    true
                }
                Some(error) => !matches!(
                    error.code,
                    Code::DatabaseBusy
                        | Code::DatabaseLocked
                        | Code::DiskFull
                        | Code::SystemIoFailure
                        | Code::CannotOpen
                        | Code::OutOfMemory
                        | Code::PermissionDenied
                ),
                None => true,
            },
            _ => false,
        }
    }

    /// Whether the disk refuses, be it full or broken: it may take it again later.
    pub fn is_of_the_disk(&self) -> bool {
        matches!(self, Self::Database { .. } | Self::File { .. } | Self::Waits)
    }

    /// For `map_err`: a database error, with the act that failed.
    pub(super) fn database(act: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| Self::Database { act, source: Arc::new(source) }
    }

    /// For `map_err`: a file error, with the act that failed.
    pub(super) fn file(
        act: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { act, path, source: Arc::new(source) }
    }
}

/// Result of what the journal does.
pub type Result<T, E = JournalError> = std::result::Result<T, E>;
