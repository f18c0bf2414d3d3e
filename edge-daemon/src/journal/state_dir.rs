//! Where things lie below the state directory.

use std::path::{Path, PathBuf};

/// The state directory of one site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// The state directory at `path`; nothing is created.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The journal's database.
    pub fn journal(&self) -> PathBuf {
        self.0.join("journal.db")
    }

    /// The database's log, which holds what was written last.
    pub fn journal_log(&self) -> PathBuf {
        self.0.join("journal.db-wal")
    }

    /// The file that says where the journal ends.
    pub(super) fn end_mark(&self) -> PathBuf {
        self.0.join("journal.end")
    }

    /// A database that is being built from what is left of a damaged one.
    pub(super) fn mended(&self) -> PathBuf {
        self.0.join("journal.mended.db")
    }

    /// The damaged database, once it was mended.
    pub fn damaged(&self) -> PathBuf {
        self.0.join("journal.damaged.db")
    }

    /// What mending needs for a while.
    pub(super) fn scratch(&self) -> PathBuf {
        self.0.join("journal.scratch")
    }

    /// The database of the cloud's list of who may enter.
    pub fn lists(&self) -> PathBuf {
        self.0.join("lists.db")
    }

    /// The file whose lock says that a core process writes the journal.
    pub fn lock(&self) -> PathBuf {
        self.0.join("journal.lock")
    }

    /// The folder of the site's key and name.
    pub fn identity(&self) -> PathBuf {
        self.0.join("identity")
    }

    /// The folder of the pictures.
    pub fn pictures(&self) -> PathBuf {
        self.0.join("pictures")
    }

    /// Where the picture with this hash lies; none where `sha256` is no lower-case hex SHA-256, so
    /// that no name leads out of the folder.
    pub fn picture(&self, sha256: &str) -> Option<PathBuf> {
        let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        (sha256.len() == 64 && sha256.chars().all(hex))
            .then(|| self.pictures().join(&sha256[..2]).join(format!("{sha256}.jpg")))
    }
}
