//! A wall clock that a scenario sets, for a daemon that runs as it always does: libfaketime answers
//! its calls for the time of day. The monotonic clock stays the machine's, as it does on a machine
//! whose wall clock is set.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};

/// Where Debian's libfaketime lies.
const LIBRARIES: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/arm-linux-gnueabihf/faketime/libfaketime.so.1",
];

/// The wall clock of one daemon, by its distance from the machine's.
#[derive(Debug, Clone)]
pub struct WallClock {
    library: &'static str,
    file: PathBuf,
}

impl WallClock {
    /// A clock that is right, kept in `folder`.
    ///
    /// # Errors
    /// Where libfaketime is not installed, or the folder cannot be written to.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let library = LIBRARIES.into_iter().find(|library| Path::new(library).exists());
        let missing = || io::Error::other("libfaketime is not installed; `tests/setup` does that");
        let clock = Self { library: library.ok_or_else(missing)?, file: folder.join("clock") };
        clock.set(0)?;
        Ok(clock)
    }

    /// Sets it to `at` and lets it run on from there.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn set_to(&self, at: DateTime<Utc>) -> io::Result<()> {
        self.set((at - Utc::now()).num_seconds())
    }

    /// Sets it `ahead_s` seconds ahead of the machine's.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn set(&self, ahead_s: i64) -> io::Result<()> {
        // Renamed into place, so that it is never read half.
        let next = self.file.with_extension("next");
        fs::write(&next, format!("{ahead_s:+}\n"))?;
        fs::rename(next, &self.file)
    }

    /// What a process that goes by it has in its environment.
    pub fn environment(&self) -> Vec<(String, String)> {
        let file = self.file.to_string_lossy();
        let pairs = [
            ("LD_PRELOAD", self.library),
            ("FAKETIME_TIMESTAMP_FILE", &file),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }
}
