//! A disk that fails on demand, for a daemon that runs as it always does: a library that the test
//! compiles answers its calls to write and to flush the journal.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

const SOURCE: &str = include_str!("disk/faults.c");

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// There is no room: writes fail with ENOSPC.
    Full,
    /// Flushes fail with EIO.
    Flush,
}

/// The disk of one daemon.
#[derive(Debug, Clone)]
pub struct FaultyDisk {
    library: PathBuf,
    faults: PathBuf,
}

impl FaultyDisk {
    /// A disk that works, kept in `folder`.
    ///
    /// # Errors
    /// Where there is no C compiler, or the folder cannot be written to.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let (source, library) = (folder.join("faults.c"), folder.join("faults.so"));
        fs::write(&source, SOURCE)?;
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&library, &source])
            .output()?;
        if !built.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&built.stderr).into_owned()));
        }
        let disk = Self { library, faults: folder.join("faults") };
        disk.fails(Fault::None)?;
        Ok(disk)
    }

    /// From now on it fails so.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn fails(&self, fault: Fault) -> io::Result<()> {
        let byte = match fault {
            Fault::None => "-",
            Fault::Full => "f",
            Fault::Flush => "s",
        };
        let next = self.faults.with_extension("next");
        fs::write(&next, byte)?;
        fs::rename(next, &self.faults)
    }

    /// What a process that goes by it has in its environment. With `KILL_AT` beside, a number, it is
    /// killed when it comes to that write to its journal or flush of it.
    pub fn environment(&self) -> Vec<(String, String)> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        vec![
            ("LD_PRELOAD".to_owned(), text(&self.library)),
            ("FAULTS".to_owned(), text(&self.faults)),
        ]
    }
}
