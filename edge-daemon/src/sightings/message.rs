//! What vision says to the core. The form only grows, and [`Message::Hello`] names its version.

use domain::{event::PlateSeen, ids::CameraId};
use serde::{Deserialize, Serialize};

/// Version of the messages below.
pub const VERSION: u32 = 1;

/// Longest plate text that is believed, in characters.
const MAX_TEXT_CHARS: usize = 32;
/// Longest reason that is believed, in bytes.
const MAX_REASON_BYTES: usize = 2048;

/// One message from vision to the core.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Message {
    /// The first message of a connection.
    Hello {
        /// Version of the messages that follow.
        version: u32,
        /// The process that speaks.
        pid: u32,
    },
    /// A vehicle was seen.
    Sighting(Box<Sighting>),
    /// A camera delivers, or no longer.
    Camera {
        /// The camera.
        camera: CameraId,
        /// Whether it delivers.
        online: bool,
        /// Why that is thought.
        reason: String,
    },
    /// What a camera's pipeline has done since it started.
    Stats(Stats),
    /// Sightings that were given up because the core did not take them in time.
    Lost {
        /// How many, since the last such message.
        sightings: u64,
    },
    /// A camera that ends by itself (footage) is through, and all its sightings were sent.
    Finished {
        /// The camera.
        camera: CameraId,
    },
    /// Every thread of vision has made progress of late.
    Heartbeat,
}

/// A vehicle that was seen. A passage has one sighting; when its reading became better later (an
/// unread plate was read after all), the same passage is sent again with a higher `revision`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// The passage: the same number for all that is said about one vehicle passing once. Numbers
    /// of different runs of vision differ.
    pub passage: u64,
    /// 0 at first; a higher one replaces what was said before and is no second vehicle.
    pub revision: u32,
    /// The plate; empty text where it could not be read. `bounds` are pixels of the kept picture.
    pub plate: PlateSeen,
    /// Milliseconds spent to find plates in the deciding frame.
    pub detect_ms: f32,
    /// Milliseconds spent to read them.
    pub read_ms: f32,
    /// When the deciding frame was captured ([`monotonic_us`](super::monotonic_us)).
    pub captured_monotonic_us: u64,
    /// When its recognition ended and completed the vote.
    pub decided_monotonic_us: u64,
}

/// What a camera's pipeline has done since it started, and how fast it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// The camera.
    pub camera: CameraId,
    /// Frames that the camera delivered.
    pub frames: u64,
    /// Frames that plates were looked for in.
    pub inferred: u64,
    /// Frames that a newer one replaced because recognition was busy.
    pub dropped: u64,
    /// Frames that showed nothing new.
    pub skipped_idle: u64,
    /// Pictures or frames that could not be decoded.
    pub undecodable: u64,
    /// Frames per second over the last interval.
    pub fps: f32,
    /// Mean milliseconds to find plates, over the last interval; 0 where none were looked for.
    pub detect_ms: f32,
    /// Mean milliseconds to read one plate, over the last interval; 0 where none was read.
    pub read_ms: f32,
}

impl Message {
    /// What makes this message unbelievable, if anything does.
    pub(super) fn fault(&self) -> Option<&'static str> {
        match self {
            Self::Sighting(sighting) => sighting.fault(),
            Self::Camera { reason, .. } if reason.len() > MAX_REASON_BYTES => {
                Some("the reason is longer than 2048 bytes")
            }
            _ => None,
        }
    }
}

impl Sighting {
    fn fault(&self) -> Option<&'static str> {
        let plate = &self.plate;
        let is_hash = plate.picture.len() == 64
            && plate.picture.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if plate.text.chars().count() > MAX_TEXT_CHARS {
            Some("the plate is longer than 32 characters")
        } else if plate.region.len() > 8 {
            Some("the region is longer than 8 bytes")
        } else if !(0.0..=1.0).contains(&plate.confidence) {
            Some("the confidence is not between 0 and 1")
        } else if !is_hash {
            Some("the picture is not named by 64 lower-case hex digits")
        } else {
            None
        }
    }
}

#[cfg(test)]
pub(super) fn sighting(passage: u64) -> Message {
    Message::Sighting(Box::new(Sighting {
        passage,
        revision: 0,
        plate: PlateSeen {
            text: "皖A12345".into(),
            confidence: 0.9,
            kind: domain::event::PlateKind::Blue,
            region: "cn".into(),
            camera: "entry".parse().expect("a name"),
            readings: 2,
            agreeing: 2,
            bounds: [1.0, 2.0, 3.0, 4.0],
            picture: "0".repeat(64),
            captured_at: chrono::DateTime::UNIX_EPOCH,
        },
        detect_ms: 13.0,
        read_ms: 2.5,
        captured_monotonic_us: 1,
        decided_monotonic_us: 2,
    }))
}

#[cfg(test)]
pub(super) fn stats(camera: &str, frames: u64) -> Message {
    Message::Stats(Stats {
        camera: camera.parse().expect("a name"),
        frames,
        inferred: 0,
        dropped: 0,
        skipped_idle: 0,
        undecodable: 0,
        fps: 0.0,
        detect_ms: 0.0,
        read_ms: 0.0,
    })
}
