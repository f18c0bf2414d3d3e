//! The thread of one camera: opens it, opens it again when it is lost, and hands its frames on.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use domain::ids::CameraId;

use super::{
    camera::{Camera, Lost, Next},
    frame::Frame,
    pulse::Pulse,
    slot::Slot,
    stats::{Counters, count},
    stop::Stop,
};
use crate::{
    backoff::Backoff,
    sightings::{Message, Sender, monotonic_us},
};

/// A camera that delivered and then nothing for this long is lost.
const SILENCE: Duration = Duration::from_secs(5);
/// A first frame may take longer: a stream can only be decoded from its next key frame on.
const FIRST_WITHIN: Duration = Duration::from_secs(15);
/// Pauses before a lost camera is opened again: the first, the longest, and how long it must have
/// worked for the next one to be a first one again.
const REOPEN: (Duration, Duration, Duration) =
    (Duration::from_millis(500), Duration::from_secs(30), Duration::from_secs(60));
/// Longest time between two beats of the pulse.
const BEAT: Duration = Duration::from_secs(1);

/// What the thread of a camera works with.
pub struct Capture {
    /// The camera.
    pub id: CameraId,
    /// Most frames a second that are handed on.
    pub fps: f32,
    /// Where frames go; closed when no more will come.
    pub frames: Arc<Slot<Frame>>,
    /// What is counted.
    pub counters: Arc<Counters>,
    /// Where it is said whether the camera delivers.
    pub messages: Sender,
    /// The thread's pulse.
    pub pulse: Pulse,
    /// When to end.
    pub stop: Stop,
}

impl Capture {
    /// Captures until the footage is through or a stop is requested.
    pub fn run(self, open: impl Fn() -> Result<Box<dyn Camera>, Lost>) {
        let mut backoff = Backoff::new(REOPEN.0, REOPEN.1, REOPEN.2);
        let mut told = None;
        while !self.stop.is_requested() {
            self.pulse.beat();
            backoff.started(now());
            let delivering = || open().and_then(|camera| self.deliver(camera, &mut told));
            let lost = match catch_unwind(AssertUnwindSafe(delivering)) {
                Ok(Ok(())) => break,
                Ok(Err(lost)) => lost,
                Err(_) => Lost("its driver panicked".into()),
            };
            let pause = backoff.failed(now(), rand::random());
            self.tell(&mut told, false, &lost.to_string());
            self.pause(pause);
        }
        self.frames.close();
        self.pulse.retire();
    }

    /// Hands frames on until the footage is through or a stop is requested.
    fn deliver(&self, mut camera: Box<dyn Camera>, told: &mut Option<bool>) -> Result<(), Lost> {
        let (mut alive_us, mut patience, mut due_us) = (monotonic_us(), FIRST_WITHIN, 0);
        while !self.stop.is_requested() {
            self.pulse.beat();
            match camera.next()? {
                Next::Frame(frame) => {
                    self.tell(told, true, "it delivers frames");
                    if self.is_due(&frame, &mut due_us) || !camera.is_live() {
                        count(&self.counters.frames);
                        self.hand_on(frame, camera.is_live());
                    }
                    (alive_us, patience) = (monotonic_us(), SILENCE);
                }
                Next::Undecodable(what) => {
                    tracing::warn!(camera = %self.id, "skipped {what}");
                    count(&self.counters.undecodable);
                    if !camera.is_live() {
                        alive_us = monotonic_us();
                    }
                }
                Next::End => break,
                Next::Nothing => {}
            }
            if Duration::from_micros(monotonic_us().saturating_sub(alive_us)) > patience {
                return Err(Lost(format!("no frame for {} s", patience.as_secs())));
            }
        }
        Ok(())
    }

    /// Whether the pace asks for this frame. The next one is due a frame's time later, a little
    /// early, so that a camera of the same pace is not halved by its jitter.
    fn is_due(&self, frame: &Frame, due_us: &mut u64) -> bool {
        let is_due = frame.captured_us >= *due_us;
        if is_due {
            *due_us = frame.captured_us + (0.8e6 / self.fps) as u64;
        }
        is_due
    }

    fn hand_on(&self, frame: Frame, is_live: bool) {
        if is_live {
            if self.frames.replace(frame) {
                count(&self.counters.dropped);
            }
            return;
        }
        let mut frame = frame;
        while let Err(waiting) = self.frames.offer(frame, BEAT) {
            self.pulse.beat();
            if self.stop.is_requested() {
                return;
            }
            frame = Frame::now(waiting.pixels);
        }
    }

    fn pause(&self, pause: Duration) {
        let mut left = pause;
        while !left.is_zero() && !self.stop.is_requested() {
            self.pulse.beat();
            self.stop.sleep(left.min(BEAT));
            left = left.saturating_sub(BEAT);
        }
    }

    /// Says whether the camera delivers, when that changed.
    fn tell(&self, told: &mut Option<bool>, online: bool, reason: &str) {
        if told.replace(online) == Some(online) {
            tracing::debug!(camera = %self.id, reason, "still lost");
            return;
        }
        tracing::info!(camera = %self.id, online, reason, "camera");
        let (camera, reason) = (self.id.clone(), reason.chars().take(500).collect());
        self.messages.send(Message::Camera { camera, online, reason });
    }
}

fn now() -> Duration {
    Duration::from_micros(monotonic_us())
}
