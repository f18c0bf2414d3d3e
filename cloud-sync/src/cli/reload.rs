//! `--reload`: the configuration file is read again when it changes. What can change while the
//! service runs does: limits, origins of pages, the level of the log. The rest waits for a start.

use std::{fs, io, path::PathBuf, time::Duration, time::SystemTime};

use tokio::{sync::watch, time::interval};

use super::log::LogLevel;
use crate::config::Config;

/// How often the file is looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// Follows a file until nobody wants its configuration any more.
pub(super) async fn follow(path: PathBuf, config: watch::Sender<Config>, level: LogLevel) {
    let mut seen = version(&path).ok();
    let mut period = interval(PERIOD);
    while !config.is_closed() {
        period.tick().await;
        // A file that is being replaced is looked at again in a moment.
        let Ok(now) = version(&path) else { continue };
        if seen == Some(now) {
            continue;
        }
        seen = Some(now);
        match Config::read(&path) {
            Ok(new) => {
                level.set(&new.log.level);
                config.send_replace(new);
            }
            Err(error) => tracing::warn!(%error, "the configuration stays as it was"),
        }
    }
}

fn version(path: &PathBuf) -> io::Result<(SystemTime, u64)> {
    let file = fs::metadata(path)?;
    Ok((file.modified()?, file.len()))
}
