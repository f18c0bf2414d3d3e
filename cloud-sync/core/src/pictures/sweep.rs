//! Retention: a picture that was received longer ago than the settings say is removed from the
//! disk, wherever it came from. What was read in it stays; its picture is then not there.

use std::{
    fs, io,
    path::Path,
    time::{Duration, SystemTime},
};

use super::{Pictures, path};
use crate::{
    error::{Error, Result},
    store::{Row, Transaction, params},
};

/// Most pictures that one round removes.
const MOST_AT_ONCE: i64 = 200;
/// A file that was written so lately is about to be named again, and stays until the next round.
const YOUNG: Duration = Duration::from_secs(3600);

impl Pictures {
    /// Removes pictures that are too old, up to 200; how many they were.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::File`].
    pub async fn sweep(&self) -> Result<usize> {
        let Some(keep_ms) = self.base.settings.keep_pictures_ms else { return Ok(0) };
        let (now_ms, folder) = (self.base.now_ms(), self.folder.clone());
        let old = self.base.store.read(move |tx| old(tx, now_ms - keep_ms)).await?;
        let remove = move || -> io::Result<Vec<String>> {
            let mut gone = Vec::with_capacity(old.len());
            for sha256 in old {
                if remove_file(&path(&folder, &sha256))? {
                    gone.push(sha256);
                }
            }
            Ok(gone)
        };
        let gone = tokio::task::spawn_blocking(remove)
            .await
            .expect("removing files does not panic")
            .map_err(|source| Error::File { act: "remove a picture", source })?;
        let count = gone.len();
        if count > 0 {
            self.base.store.write(move |tx| note_removed(tx, &gone, now_ms)).await?;
        }
        Ok(count)
    }
}

/// Names of pictures that no site has received since a moment.
fn old(tx: &mut dyn Transaction, before_ms: i64) -> Result<Vec<String>> {
    let sql = "SELECT DISTINCT p.sha256 FROM pictures p
               WHERE p.received_at_ms < $1 AND p.removed_at_ms IS NULL
                 AND NOT EXISTS (SELECT 1 FROM pictures q WHERE q.sha256 = p.sha256
                     AND q.received_at_ms >= $1 AND q.removed_at_ms IS NULL)
               LIMIT $2";
    let rows = tx.query(sql, params![before_ms, MOST_AT_ONCE])?;
    rows.iter().map(|row: &Row| Ok(row.get(0)?)).collect()
}

fn note_removed(tx: &mut dyn Transaction, names: &[String], now_ms: i64) -> Result<()> {
    for name in names {
        let sql = "UPDATE pictures SET removed_at_ms = $1 WHERE sha256 = $2";
        tx.execute(sql, params![now_ms, name])?;
    }
    Ok(())
}

/// Whether a file is gone now.
fn remove_file(file: &Path) -> io::Result<bool> {
    let written = match fs::metadata(file) {
        Ok(metadata) => metadata.modified()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    let age = SystemTime::now().duration_since(written).unwrap_or_default();
    if age < YOUNG {
        return Ok(false);
    }
    fs::remove_file(file).map(|()| true)
}
