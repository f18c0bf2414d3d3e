//! The pictures: one at a time, oldest first, each after its event. A picture that cannot be sent
//! holds up pictures at most, and one that will not be had holds up nothing.

use std::{io, path::Path, sync::Arc};

use domain::envelope::{Refusal, to_hex};
use ring::digest::{SHA256, digest};
use tokio::time::sleep;

use super::{
    Timing,
    back_off::BackOff,
    judge::{self, Meaning},
    outbox::Desk,
};
use crate::{
    cloud::Cloud,
    journal::{JournalError, JournalHandle, PictureState, PictureToSend, StateDir},
};

/// Most bytes of a picture. Vision keeps far smaller ones.
const MAX_PICTURE: u64 = 4 << 20;

pub(super) struct Pictures {
    state: StateDir,
    cloud: Arc<Cloud>,
    journal: JournalHandle,
    desk: Desk,
    back_off: BackOff,
}

impl Pictures {
    pub(super) fn new(
        state: StateDir,
        cloud: Arc<Cloud>,
        journal: JournalHandle,
        desk: Desk,
        timing: Timing,
    ) -> Self {
        let back_off = BackOff::new(timing.first_pause, timing.longest_pause);
        Self { state, cloud, journal, desk, back_off }
    }

    /// Runs until it is dropped.
    pub(super) async fn run(mut self) {
        let mut acked = self.journal.acked();
        loop {
            acked.borrow_and_update();
            match self.next().await {
                Ok(true) => self.back_off.succeeded(),
                Ok(false) => {
                    if acked.changed().await.is_err() {
                        return;
                    }
                }
                Err(why) => {
                    if self.back_off.failures() == 0 {
                        tracing::warn!("pictures wait: {why}");
                    }
                    sleep(self.back_off.pause(rand::random())).await;
                }
            }
        }
    }

    /// Settles the next picture; says whether there was one.
    async fn next(&self) -> Result<bool, String> {
        let journal = |error: JournalError| error.to_string();
        let Some(picture) = self.desk.picture().await.map_err(journal)? else { return Ok(false) };
        let state = self.settle(&picture).await?;
        if state != PictureState::Uploaded {
            let PictureToSend { sha256, sequence } = &picture;
            tracing::warn!(sha256, sequence, ?state, "a picture does not reach the cloud");
        }
        self.journal.picture(picture.sha256, state).await.map_err(journal)?;
        Ok(true)
    }

    /// Sends it. An error is one that passes.
    async fn settle(&self, picture: &PictureToSend) -> Result<PictureState, String> {
        let Some(path) = self.state.picture(&picture.sha256) else { return Ok(PictureState::Lost) };
        let (cloud, sha256) = (Arc::clone(&self.cloud), picture.sha256.clone());
        let read =
            move || read(&path, &sha256).map(|jpeg| jpeg.map(|jpeg| (cloud.sign(&jpeg), jpeg)));
        let read = tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())?;
        let Some((signature, jpeg)) =
            read.map_err(|error| format!("it cannot be read: {error}"))?
        else {
            return Ok(PictureState::Lost);
        };
        let answer = self.cloud.send_picture(&picture.sha256, jpeg, signature).await;
        match judge::picture(&answer.map_err(|error| error.to_string())?) {
            Ok(()) => Ok(PictureState::Uploaded),
            Err(Meaning::TooLarge) => Ok(PictureState::Refused),
            Err(Meaning::Refused(Refusal::Malformed { .. })) => Ok(PictureState::Refused),
            Err(Meaning::Busy { detail, .. } | Meaning::NotTheCloud(detail)) => Err(detail),
            Err(other) => Err(format!("the cloud said {other:?}")),
        }
    }
}

/// The picture; none where it is gone, too large, or not what its name says.
fn read(path: &Path, sha256: &str) -> io::Result<Option<Vec<u8>>> {
    let size = match path.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata?.len(),
    };
    if size > MAX_PICTURE {
        return Ok(None);
    }
    let jpeg = std::fs::read(path)?;
    Ok((to_hex(digest(&SHA256, &jpeg).as_ref()) == sha256).then_some(jpeg))
}
