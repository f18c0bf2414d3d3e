//! The recognition thread of one camera: looks at frames that are worth it, reads what the tracker
//! asks for, and sends what it says.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anpr::{Bounds, Detection, Kind, Reading, Recognizer};
use chrono::{DateTime, Utc};
use domain::{
    event::{PlateKind, PlateSeen},
    ids::CameraId,
};

use super::{
    config::Zone,
    frame::{Frame, Rgb},
    motion::MotionGate,
    picture::{Picture, PictureError, PictureSender},
    pulse::Pulse,
    slot::{Slot, Taken},
    stats::{Counters, Reporter, count},
    stop::Stop,
    tracker::{Plate, Tracker, Verdict},
};
use crate::sightings::{Message, Sender, Sighting, monotonic_us};

/// How long to wait for a frame before looking at the clock again.
const WAIT: Duration = Duration::from_millis(500);
/// How often statistics are sent, in microseconds.
const REPORT_US: u64 = 5_000_000;

/// What is kept of a frame in which plates were read.
#[derive(Debug)]
pub struct Shot {
    picture: Picture,
    captured_us: u64,
    captured_at: DateTime<Utc>,
    decided_us: u64,
    detect: Duration,
    read: Duration,
}

/// What the recognition thread of a camera works with.
pub struct Pipeline {
    /// The camera.
    pub camera: CameraId,
    /// Where plates are looked for.
    pub zone: Option<Zone>,
    /// Where frames come from.
    pub frames: Arc<Slot<Frame>>,
    /// What is counted.
    pub counters: Arc<Counters>,
    /// Finds and reads plates.
    pub recogniser: Recognizer,
    /// Follows them.
    pub tracker: Tracker<Arc<Shot>>,
    /// Where sightings go.
    pub messages: Sender,
    /// Where pictures go.
    pub pictures: PictureSender,
    /// The thread's pulse.
    pub pulse: Pulse,
    /// When to end.
    pub stop: Stop,
}

/// Why a frame could not be recognised.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("recognition failed")]
    Recognise(#[from] anpr::Error),
    #[error("the picture could not be kept")]
    Picture(#[from] PictureError),
}

impl Pipeline {
    /// Works until the camera is finished or a stop is requested.
    pub fn run(mut self) {
        let mut motion = MotionGate::default();
        let mut reporter = Reporter::new(self.camera.clone(), monotonic_us());
        let mut report_us = monotonic_us() + REPORT_US;
        while !self.stop.is_requested() {
            self.pulse.beat();
            match self.frames.take(WAIT) {
                Taken::Item(frame) => self.on_frame(frame, &mut motion),
                Taken::Nothing => self.send(|tracker| tracker.tick(monotonic_us())),
                Taken::Closed => break,
            }
            let now_us = monotonic_us();
            if now_us >= report_us {
                report_us = now_us + REPORT_US;
                self.messages.send(Message::Stats(reporter.report(&self.counters, now_us)));
            }
        }
        self.send(|tracker| tracker.finish(monotonic_us()));
        self.messages.send(Message::Stats(reporter.report(&self.counters, monotonic_us())));
        if !self.stop.is_requested() {
            self.messages.send(Message::Finished { camera: self.camera.clone() });
        }
        self.pulse.retire();
    }

    fn on_frame(&mut self, frame: Frame, motion: &mut MotionGate) {
        let is_new = motion.admits(&frame.pixels, frame.captured_us);
        if !is_new && !self.tracker.is_reading(frame.captured_us) {
            count(&self.counters.skipped_idle);
            self.send(|tracker| tracker.unchanged(frame.captured_us));
        } else if let Err(error) = self.look(frame) {
            tracing::error!(camera = %self.camera, error = &error as &dyn std::error::Error, "a frame is lost");
        }
    }

    /// Finds plates, reads those that the tracker wants, and sends what it makes of them.
    fn look(&mut self, frame: Frame) -> Result<(), Failure> {
        let Frame { pixels, captured_us, captured_at } = frame;
        let whole = pixels.into_rgb();
        let zone = self.zone.map(|zone| zone.of(&whole));
        let cropped = zone.map(|zone| whole.crop(zone));
        let seen = cropped.as_ref().unwrap_or(&whole);
        let [x, y, ..] = zone.unwrap_or_default();

        let (found, detect) = timed(|| self.recogniser.detector.detect(seen.view()?));
        let found = found?;
        self.counters.detect.add(detect);
        let places: Vec<Bounds> = found.iter().map(|f| shifted(f.bounds, x, y)).collect();
        let is_wanted = |place: &Bounds| self.tracker.wants(place, captured_us);
        let wanted: Vec<bool> = places.iter().map(is_wanted).collect();
        let of_interest = found.iter().zip(&wanted).filter(|(_, wanted)| **wanted);
        let of_interest: Vec<Detection> = of_interest.map(|(found, _)| *found).collect();
        let (readings, shot) = if of_interest.is_empty() {
            (Vec::new(), None)
        } else {
            let (readings, read, picture) = self.read(seen, &whole, &of_interest)?;
            let decided_us = monotonic_us();
            let shot = Shot { picture, captured_us, captured_at, decided_us, detect, read };
            (readings, Some(Arc::new(shot)))
        };
        let mut readings = readings.into_iter();
        let readings = wanted.into_iter().map(|wanted| if wanted { readings.next() } else { None });
        let plates = places.into_iter().zip(readings);
        let plates = plates.map(|(bounds, reading)| Plate { bounds, reading });
        let is_plate = |plate: &Plate| plate.reading.as_ref().is_none_or(Reading::is_plausible);
        let plates = plates.filter(is_plate).collect();
        self.send(|tracker| tracker.observe(captured_us, shot.as_ref(), plates));
        Ok(())
    }

    /// Reads plates, and encodes the picture meanwhile.
    fn read(
        &mut self,
        seen: &Rgb,
        whole: &Rgb,
        found: &[Detection],
    ) -> Result<(Vec<Reading>, Duration, Picture), Failure> {
        let recogniser = &mut self.recogniser;
        let ((readings, took), picture) = thread::scope(|scope| {
            let picture = scope.spawn(|| Picture::of(whole));
            let readings = timed(|| recogniser.read_each(seen.view()?, found));
            (readings, picture.join())
        });
        for _ in found {
            self.counters.read.add(took / found.len() as u32);
        }
        Ok((readings?, took, picture.expect("encoding does not panic")?))
    }

    /// Sends what the tracker says, and then has the pictures written.
    fn send(&mut self, advance: impl FnOnce(&mut Tracker<Arc<Shot>>) -> Vec<Verdict<Arc<Shot>>>) {
        for verdict in advance(&mut self.tracker) {
            let sighting = sighting(&self.camera, &verdict);
            self.messages.send(Message::Sighting(Box::new(sighting)));
            self.pictures.keep(verdict.shot.picture.clone());
        }
    }
}

fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let done = act();
    (done, started.elapsed())
}

fn shifted(bounds: Bounds, x: usize, y: usize) -> Bounds {
    let (x, y) = (x as f32, y as f32);
    let Bounds { x1, y1, x2, y2 } = bounds;
    Bounds { x1: x1 + x, y1: y1 + y, x2: x2 + x, y2: y2 + y }
}

fn sighting(camera: &CameraId, verdict: &Verdict<Arc<Shot>>) -> Sighting {
    let Verdict { shot, bounds, .. } = verdict;
    let outcome = verdict.outcome.as_ref();
    let ms = |took: Duration| took.as_secs_f32() * 1e3;
    Sighting {
        passage: verdict.passage,
        revision: verdict.revision,
        plate: PlateSeen {
            text: outcome.map(|o| o.text.clone()).unwrap_or_default(),
            confidence: outcome.map_or(0.0, |o| o.confidence.clamp(0.0, 1.0)),
            kind: outcome.map_or(PlateKind::Other, |o| plate_kind(o.kind)),
            region: outcome.and_then(|o| o.region).map_or("", anpr::Region::as_str).into(),
            camera: camera.clone(),
            readings: outcome.map_or(verdict.seen, |o| o.readings) as u32,
            agreeing: outcome.map_or(0, |o| o.agreeing) as u32,
            bounds: [bounds.x1, bounds.y1, bounds.x2, bounds.y2].map(|px| px * shot.picture.scale),
            picture: shot.picture.hash.clone(),
            captured_at: shot.captured_at,
        },
        detect_ms: ms(shot.detect),
        read_ms: ms(shot.read),
        captured_monotonic_us: shot.captured_us,
        decided_monotonic_us: shot.decided_us,
    }
}

fn plate_kind(kind: Kind) -> PlateKind {
    match kind {
        Kind::Blue => PlateKind::Blue,
        Kind::Green => PlateKind::Green,
        Kind::Yellow => PlateKind::Yellow,
        Kind::White => PlateKind::White,
        Kind::Black => PlateKind::Black,
        Kind::Other => PlateKind::Other,
    }
}
