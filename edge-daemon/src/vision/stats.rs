//! What a camera's pipeline counts, and how it says so.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use domain::ids::CameraId;

use crate::sightings::Stats;

/// Counters that the camera's and the recognition's thread share; totals since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Frames that the camera delivered.
    pub frames: AtomicU64,
    /// Frames that a newer one replaced because recognition was busy.
    pub dropped: AtomicU64,
    /// Frames that could not be decoded.
    pub undecodable: AtomicU64,
    /// Frames that showed nothing new.
    pub skipped_idle: AtomicU64,
    /// Frames that plates were looked for in, and how long that took.
    pub detect: Timed,
    /// Plates that were read, and how long that took.
    pub read: Timed,
}

/// How often something was done, and how long it took in all.
#[derive(Debug, Default)]
pub struct Timed {
    count: AtomicU64,
    us: AtomicU64,
}

impl Timed {
    /// It was done once more.
    pub fn add(&self, took: Duration) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.us.fetch_add(took.as_micros() as u64, Ordering::Relaxed);
    }

    fn totals(&self) -> (u64, u64) {
        (self.count.load(Ordering::Relaxed), self.us.load(Ordering::Relaxed))
    }
}

/// Adds one.
pub fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Makes statistics of the counters, one interval after another.
#[derive(Debug)]
pub struct Reporter {
    camera: CameraId,
    at_us: u64,
    frames: u64,
    dropped: u64,
    detect: (u64, u64),
    read: (u64, u64),
}

impl Reporter {
    /// Starts the first interval.
    pub fn new(camera: CameraId, now_us: u64) -> Self {
        Self { camera, at_us: now_us, frames: 0, dropped: 0, detect: (0, 0), read: (0, 0) }
    }

    /// The totals, and the means of the interval that ends now. Says in the log when frames were
    /// dropped in it.
    pub fn report(&mut self, counters: &Counters, now_us: u64) -> Stats {
        let frames = counters.frames.load(Ordering::Relaxed);
        let dropped = counters.dropped.load(Ordering::Relaxed);
        let (detect, read) = (counters.detect.totals(), counters.read.totals());
        let seconds = now_us.saturating_sub(self.at_us) as f32 / 1e6;
        let stats = Stats {
            camera: self.camera.clone(),
            frames,
            inferred: detect.0,
            dropped,
            skipped_idle: counters.skipped_idle.load(Ordering::Relaxed),
            undecodable: counters.undecodable.load(Ordering::Relaxed),
            fps: (frames - self.frames) as f32 / seconds.max(1e-3),
            detect_ms: mean_ms(self.detect, detect),
            read_ms: mean_ms(self.read, read),
        };
        if dropped > self.dropped {
            tracing::warn!(
                camera = %self.camera,
                dropped = dropped - self.dropped,
                of = frames - self.frames,
                detect_ms = stats.detect_ms,
                "this machine is too slow for the frames of this camera; a lower fps helps"
            );
        }
        (self.at_us, self.frames, self.dropped) = (now_us, frames, dropped);
        (self.detect, self.read) = (detect, read);
        stats
    }
}

fn mean_ms(before: (u64, u64), after: (u64, u64)) -> f32 {
    let (count, us) = (after.0 - before.0, after.1 - before.1);
    if count == 0 { 0.0 } else { us as f32 / count as f32 / 1e3 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_grow_and_means_are_those_of_the_interval() {
        let counters = Counters::default();
        let camera: CameraId = "entry".parse().expect("a name");
        let mut reporter = Reporter::new(camera, 0);
        (0..50).for_each(|_| count(&counters.frames));
        counters.detect.add(Duration::from_millis(10));
        let first = reporter.report(&counters, 5_000_000);
        assert_eq!((first.frames, first.fps, first.inferred), (50, 10.0, 1));
        assert_eq!((first.detect_ms, first.read_ms), (10.0, 0.0));
        counters.detect.add(Duration::from_millis(30));
        let second = reporter.report(&counters, 10_000_000);
        assert_eq!((second.frames, second.fps, second.inferred), (50, 0.0, 2));
        assert_eq!(second.detect_ms, 30.0);
    }
}
