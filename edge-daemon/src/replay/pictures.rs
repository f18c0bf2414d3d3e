//! The pictures: one at a time, oldest first, each after its event and when no event waits. They go
//! in parts, and go on where they were after a line broke off. A picture that cannot be sent holds
//! up pictures at most, and one that will not be had holds up nothing.

use std::{io, path::Path, sync::Arc};

use bytes::Bytes;
use domain::envelope::{PictureReceipt, Refusal, to_hex};
use ring::digest::{SHA256, digest};
use tokio::time::sleep;

use super::{
    Timing,
    back_off::BackOff,
    judge::{self, Meaning},
    outbox::Desk,
    pace::Pace,
};
use crate::{
    cloud::Cloud,
    journal::{JournalError, JournalHandle, PictureState, PictureToSend, StateDir},
};

/// Most bytes of a picture. Vision keeps far smaller ones.
const MAX_PICTURE: u64 = 4 << 20;
/// Most bytes of a part where the line has no limit: most pictures are one.
const MAX_PART: usize = 128 << 10;
/// Parts of one picture in a row, twice as many as the slowest line makes of the largest.
const MOST_PARTS: usize = 4096;
/// Events that may wait while a picture goes: those of a moment.
const FEW_EVENTS: u64 = 16;

pub(super) struct Pictures {
    state: StateDir,
    cloud: Arc<Cloud>,
    journal: JournalHandle,
    desk: Desk,
    line: Arc<Pace>,
    back_off: BackOff,
}

impl Pictures {
    pub(super) fn new(
        state: StateDir,
        cloud: Arc<Cloud>,
        journal: JournalHandle,
        desk: Desk,
        line: Arc<Pace>,
        timing: &Timing,
    ) -> Self {
        let back_off = BackOff::new(timing.first_pause, timing.longest_pause);
        Self { state, cloud, journal, desk, line, back_off }
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
        let sha256 = picture.sha256.clone();
        let read = tokio::task::spawn_blocking(move || read(&path, &sha256)).await;
        let read = read.map_err(|error| error.to_string())?;
        let Some(jpeg) = read.map_err(|error| format!("it cannot be read: {error}"))? else {
            return Ok(PictureState::Lost);
        };
        match self.send(&picture.sha256, jpeg.into()).await? {
            Ok(()) => Ok(PictureState::Uploaded),
            Err(Meaning::TooLarge | Meaning::Refused(Refusal::Malformed { .. })) => {
                Ok(PictureState::Refused)
            }
            Err(Meaning::Busy { detail, .. } | Meaning::NotTheCloud(detail)) => Err(detail),
            Err(other) => Err(format!("the cloud said {other:?}")),
        }
    }

    /// Sends part after part until the cloud has it. The inner error is what the cloud means.
    async fn send(&self, sha256: &str, jpeg: Bytes) -> Result<Result<(), Meaning>, String> {
        let mut offset = 0;
        for _ in 0..MOST_PARTS {
            self.wait_for_events().await?;
            self.line.ready().await;
            let end = jpeg.len().min(offset + self.line.at_once(MAX_PART));
            let part = jpeg.slice(offset..end);
            let answer = self.cloud.send_picture(sha256, offset, jpeg.len(), part).await;
            self.line.sent(end - offset);
            match judge::picture(&answer.map_err(|error| error.to_string())?) {
                Err(meaning) => return Ok(Err(meaning)),
                Ok(PictureReceipt { kept: true, .. }) => return Ok(Ok(())),
                // Further than before, or back to where another beginning was lost.
                Ok(PictureReceipt { has, .. }) if has < jpeg.len() && has != offset => offset = has,
                Ok(PictureReceipt { has, .. }) => {
                    let length = jpeg.len();
                    return Err(format!("{offset} of {length} bytes were sent, {has} are there"));
                }
            }
        }
        Err("it goes up again and again and is never whole".to_owned())
    }

    /// Waits until no more than a few events wait for the line.
    async fn wait_for_events(&self) -> Result<(), String> {
        let (head, mut acked) = (self.journal.head(), self.journal.acked());
        let few = |acked: &u64| head.borrow().saturating_sub(*acked) <= FEW_EVENTS;
        acked.wait_for(few).await.map(drop).map_err(|_| "the journal is closed".to_owned())
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
