//! The newest frame of a channel and its way through recognition.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use cloud_core::ModelSettings;
use tokio::time::sleep;

use super::message::{Refusal, picture};
use crate::{
    app::App,
    recognition::{Look, LookError, PoolError, Wanted},
};

/// Wait while the queue is full of other pictures.
const FULL: Duration = Duration::from_millis(100);

/// A frame that waits to be read.
#[derive(Debug)]
pub(super) struct Frame {
    /// Its place in the order of the session's frames, from 1.
    pub(super) number: i64,
    /// The picture as it was sent.
    pub(super) coded: String,
}

/// Room for one frame: a newer one takes the place of an older one.
#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<Option<Frame>>);

impl Slot {
    pub(super) fn put(&self, frame: Frame) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(frame);
    }

    fn take(&self) -> Option<Frame> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A frame that was looked at.
pub(super) struct Seen {
    pub(super) number: i64,
    /// The picture, to be looked at again where it is to be kept.
    pub(super) file: bytes::Bytes,
    pub(super) settings: ModelSettings,
    pub(super) look: Look,
}

/// Why a frame was not.
pub(super) struct Unseen {
    pub(super) refusal: Refusal,
}

/// Waits for its turn among the cameras, and then looks at the frame that is the newest by then.
/// None where there is none any more.
pub(super) async fn next_frame(app: Arc<App>, slot: Arc<Slot>) -> Option<Result<Seen, Unseen>> {
    let _turn = app.channels.reading.acquire().await.ok()?;
    loop {
        let frame = slot.take()?;
        match look(&app, &frame).await {
            Err(LookOrRefusal::Look(LookError::Pool(PoolError::Busy))) => {
                sleep(FULL).await;
                let newer = slot.take().unwrap_or(frame);
                slot.put(newer);
            }
            Err(LookOrRefusal::Look(error)) => return Some(Err(Unseen { refusal: error.into() })),
            Err(LookOrRefusal::Refusal(refusal)) => return Some(Err(Unseen { refusal })),
            Ok(seen) => return Some(Ok(seen)),
        }
    }
}

enum LookOrRefusal {
    Look(LookError),
    Refusal(Refusal),
}

impl From<LookError> for LookOrRefusal {
    fn from(error: LookError) -> Self {
        Self::Look(error)
    }
}

async fn look(app: &App, frame: &Frame) -> Result<Seen, LookOrRefusal> {
    let file = picture(&frame.coded).map_err(LookOrRefusal::Refusal)?;
    let settings = app.recognition.settings(&app.cloud).await?;
    let look = app.recognition.look(file.clone(), settings, Wanted::Reading).await?;
    app.channels.saw_frame(look.size_px, app.cloud.clock().now().monotonic_ms);
    Ok(Seen { number: frame.number, file, settings, look })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_frame_takes_the_place_of_the_oldest() {
        let slot = Slot::default();
        for number in 1..=3 {
            slot.put(Frame { number, coded: String::new() });
        }
        assert_eq!(slot.take().map(|frame| frame.number), Some(3));
        assert!(slot.take().is_none());
    }
}
