//! Pictures do not stay for ever: too old, or too many for the disk, and they go, those that the
//! cloud has before those that it has not. Where events have no room, telemetry goes before them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use domain::clock::{Clock, ClockQuality, Stamp};
use tokio::{task::spawn_blocking, time::interval};

use super::{
    JournalHandle, StateDir,
    error::{JournalError, Result},
    pictures::PictureState,
    query::Reader,
    room::room,
};

const BETWEEN_SWEEPS: Duration = Duration::from_secs(600);

/// No picture is older than this: it was taken before the clock was set, and its age is not known.
const FIRST_PICTURE: Duration = Duration::from_secs(1_577_836_800); // 2020-01-01

/// Events of telemetry that go at once: as many as a page of the disk or two hold.
const THINNED_AT_ONCE: usize = 2000;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Beyond so many bytes of events, telemetry goes.
    pub journal_max_bytes: u64,
    /// So many bytes stay free on the disk; telemetry and then pictures go for them.
    pub min_free_bytes: u64,
    /// Older ones go; judged only while the clock can be trusted.
    pub max_age: Duration,
    /// The oldest go where all together are larger.
    pub max_bytes: u64,
}

/// What a sweep did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Hashes of the pictures whose files were removed. The journal is to be told of each.
    pub removed: Vec<String>,
    /// Bytes that the others take.
    pub bytes_left: u64,
}

struct Picture {
    path: PathBuf,
    sha256: String,
    bytes: u64,
    modified: SystemTime,
    /// First what the cloud has or no event names, then the rest; oldest first in each.
    rank: (bool, u64),
}

/// Sweeps now and every ten minutes, until it is dropped.
pub async fn sweep_regularly(
    state: StateDir,
    journal: JournalHandle,
    retention: Retention,
    clock: Arc<dyn Clock>,
) {
    let mut due = interval(BETWEEN_SWEEPS);
    loop {
        due.tick().await;
        let (state, now) = (state.clone(), clock.now());
        let retention = make_room(&state, &journal, retention).await;
        let swept = move || sweep(&state, &Reader::open(&state)?, retention, now);
        match spawn_blocking(swept).await.unwrap_or(Err(JournalError::Closed)) {
            Ok(swept) => {
                for sha256 in swept.removed {
                    if let Err(error) = journal.picture(sha256, PictureState::Removed).await {
                        tracing::warn!(%error, "a picture was removed and that could not be noted");
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "old pictures could not be removed"),
        }
    }
}

/// Drops telemetry where room is short; where there is none left, less of the pictures is kept.
async fn make_room(state: &StateDir, journal: &JournalHandle, keep: Retention) -> Retention {
    let at = state.clone();
    let look = move || room(&at, &Reader::open(&at)?, keep.journal_max_bytes);
    let Ok(Ok(room)) = spawn_blocking(look).await else { return keep };
    let missing = keep.min_free_bytes.saturating_sub(room.disk_free_bytes);
    if missing == 0 && room.journal_bytes <= keep.journal_max_bytes {
        return keep;
    }
    match journal.thin(THINNED_AT_ONCE).await {
        Ok(thinned) if thinned.is_empty() && missing > 0 => {
            let pictures = room.pictures_bytes.saturating_sub(missing);
            tracing::warn!(missing, "room is short: pictures go before their time");
            Retention { max_bytes: keep.max_bytes.min(pictures), ..keep }
        }
        Ok(_) => keep,
        Err(error) => {
            tracing::warn!(%error, "telemetry could not be dropped");
            keep
        }
    }
}

/// Removes what `retention` does not keep. Blocks on the disk.
pub fn sweep(state: &StateDir, reader: &Reader, retention: Retention, now: Stamp) -> Result<Swept> {
    let mut pictures = list(state, reader)?;
    pictures.sort_by_key(|picture| (picture.rank, picture.modified));
    let mut bytes: u64 = pictures.iter().map(|picture| picture.bytes).sum();
    let mut swept = Swept::default();
    for picture in pictures {
        if too_old(picture.modified, retention.max_age, now) || bytes > retention.max_bytes {
            fs::remove_file(&picture.path).map_err(JournalError::file("remove", &picture.path))?;
            bytes -= picture.bytes;
            swept.removed.push(picture.sha256);
        }
    }
    swept.bytes_left = bytes;
    Ok(swept)
}

fn too_old(modified: SystemTime, max_age: Duration, now: Stamp) -> bool {
    let known = modified >= SystemTime::UNIX_EPOCH + FIRST_PICTURE;
    let age = SystemTime::from(now.wall).duration_since(modified).unwrap_or_default();
    known && now.quality == ClockQuality::Synchronised && age > max_age
}

/// The files in the picture folders; files of other names are not ours and stay.
fn list(state: &StateDir, reader: &Reader) -> Result<Vec<Picture>> {
    let mut pictures = Vec::new();
    for folder in entries(&state.pictures())? {
        if !folder.is_dir() {
            continue;
        }
        for path in entries(&folder)? {
            let Some(sha256) = path.file_stem().and_then(|name| name.to_str()).map(String::from)
            else {
                continue;
            };
            if state.picture(&sha256).as_deref() == Some(&path) {
                pictures.push(describe(path, sha256, reader)?);
            }
        }
    }
    Ok(pictures)
}

fn describe(path: PathBuf, sha256: String, reader: &Reader) -> Result<Picture> {
    let read = |path: &Path| path.metadata().and_then(|file| Ok((file.len(), file.modified()?)));
    let (bytes, modified) = read(&path).map_err(JournalError::file("look at", &path))?;
    let rank = match reader.picture(&sha256)? {
        Some((sequence, state)) => (state == "kept", sequence),
        // Its decision may still be on its way: the newest of those that may go.
        None => (false, u64::MAX),
    };
    Ok(Picture { path, sha256, bytes, modified, rank })
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || -> std::io::Result<Vec<_>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
    };
    match read() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries.map_err(JournalError::file("read the folder", folder)),
    }
}
