//! `[journal]` of the configuration file.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;

use super::{Retention, StateDir};

/// Where the site remembers, and what goes where there is no room.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalConfig {
    /// The state directory: journal, pictures, identity.
    pub state_dir: PathBuf,
    /// Pictures older than this many days are removed.
    #[serde(default = "days")]
    pub picture_retention_days: u32,
    /// The oldest pictures are removed where all together take more than this many MiB.
    #[serde(default = "megabytes")]
    pub picture_max_mb: u32,
    /// Room for events, in MiB. Beyond it telemetry is dropped; nothing else ever is.
    #[serde(default = "journal_megabytes")]
    pub max_mb: u32,
    /// MiB that stay free on the disk: telemetry and then pictures go for it.
    #[serde(default = "free_megabytes")]
    pub min_free_mb: u32,
}

fn journal_megabytes() -> u32 {
    1024
}

fn free_megabytes() -> u32 {
    256
}

fn days() -> u32 {
    30
}

fn megabytes() -> u32 {
    4096
}

impl JournalConfig {
    /// Says what is wrong, naming the key and what would be right.
    pub fn check(&self) -> Result<(), String> {
        if !self.state_dir.is_absolute() {
            return Err(format!(
                "journal.state_dir: `{}` is relative; give an absolute path, such as `/var/lib/gatehouse`",
                self.state_dir.display()
            ));
        }
        if !(1..=3650).contains(&self.picture_retention_days) {
            return Err("journal.picture_retention_days: use 1 to 3650".into());
        }
        if self.picture_max_mb < 16 {
            return Err("journal.picture_max_mb: use 16 or more".into());
        }
        if self.max_mb < 16 {
            return Err("journal.max_mb: use 16 or more".into());
        }
        Ok(())
    }

    /// Bytes of room for events.
    pub fn max_bytes(&self) -> u64 {
        u64::from(self.max_mb) << 20
    }

    /// What is kept.
    pub fn retention(&self) -> Retention {
        Retention {
            journal_max_bytes: self.max_bytes(),
            min_free_bytes: u64::from(self.min_free_mb) << 20,
            max_age: Duration::from_secs(u64::from(self.picture_retention_days) * 86_400),
            max_bytes: u64::from(self.picture_max_mb) << 20,
        }
    }

    /// The state directory.
    pub fn state(&self) -> StateDir {
        StateDir::new(&self.state_dir)
    }
}
