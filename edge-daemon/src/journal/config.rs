//! `[journal]` of the configuration file.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;

use super::{Retention, StateDir};

/// Where the site remembers, and how long it keeps pictures. Events are kept for ever.
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
        Ok(())
    }

    /// What is kept of the pictures.
    pub fn retention(&self) -> Retention {
        Retention {
            max_age: Duration::from_secs(u64::from(self.picture_retention_days) * 86_400),
            max_bytes: u64::from(self.picture_max_mb) << 20,
        }
    }

    /// The state directory.
    pub fn state(&self) -> StateDir {
        StateDir::new(&self.state_dir)
    }
}
