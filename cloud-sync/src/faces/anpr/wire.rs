//! The family's JSON.

use chrono::{DateTime, SecondsFormat};
use cloud_core::{Correction, PlateRead, Recognition, Statistics};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{faces::images, http::fields};

/// What the document shows for a plate that could not be read.
pub(super) const UNREAD: &str = "Не распознан";

#[derive(Serialize, JsonSchema)]
pub(super) struct Plate {
    id: i64,
    plate_number: String,
    confidence: f64,
    timestamp: String,
    image_path: Option<String>,
    source_image_path: Option<String>,
    position: Position,
    processed_by: String,
    alternative_readings: Option<String>,
    is_verified: bool,
    is_deleted: bool,
    detection_id: i64,
}

#[derive(Serialize, JsonSchema)]
struct Position {
    x_min: i64,
    y_min: i64,
    x_max: i64,
    y_max: i64,
}

impl From<PlateRead> for Plate {
    fn from(read: PlateRead) -> Self {
        let [x_min, y_min, x_max, y_max] = read.bounds_px;
        let picture = read.picture.as_deref().map(images::path);
        let crop = read.crop.as_deref().map(images::path);
        Self {
            id: read.id,
            plate_number: if read.plate.is_empty() { UNREAD.to_owned() } else { read.plate },
            confidence: rounded(read.confidence),
            timestamp: timestamp(read.read_at_ms),
            image_path: crop.or_else(|| picture.clone()),
            source_image_path: picture,
            position: Position { x_min, y_min, x_max, y_max },
            processed_by: read.processed_by,
            alternative_readings: read.alternatives,
            is_verified: read.is_verified,
            // Deleted plates are hidden everywhere.
            is_deleted: false,
            detection_id: read.recognition_id,
        }
    }
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Session {
    id: i64,
    filename: String,
    timestamp: String,
    processing_time: f64,
    total_plates_detected: usize,
    plates: Vec<Plate>,
}

/// What `POST /api/upload` answers.
#[derive(Serialize, JsonSchema)]
pub(super) struct Uploaded {
    session_id: i64,
    filename: String,
    processing_time_ms: f64,
    plates_detected: usize,
    plates: Vec<Plate>,
}

impl From<Recognition> for Uploaded {
    fn from(session: Recognition) -> Self {
        Self {
            session_id: session.id,
            filename: session.filename,
            processing_time_ms: tenths(session.processing_ms),
            plates_detected: session.plates.len(),
            plates: session.plates.into_iter().map(Plate::from).collect(),
        }
    }
}

impl From<Recognition> for Session {
    fn from(session: Recognition) -> Self {
        Self {
            id: session.id,
            filename: session.filename,
            timestamp: timestamp(session.taken_at_ms),
            processing_time: tenths(session.processing_ms),
            total_plates_detected: session.plates.len(),
            plates: session.plates.into_iter().map(Plate::from).collect(),
        }
    }
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Figures {
    total_plates: i64,
    verified_plates: i64,
    unrecognized_plates: i64,
    recognition_rate: f64,
    total_sessions: i64,
    avg_confidence: f64,
    recent_plates: Vec<Plate>,
}

impl From<Statistics> for Figures {
    fn from(figures: Statistics) -> Self {
        let read = (figures.plates - figures.unread) as f64;
        Self {
            total_plates: figures.plates,
            verified_plates: figures.verified,
            unrecognized_plates: figures.unread,
            recognition_rate: rounded(read / figures.plates.max(1) as f64),
            total_sessions: figures.recognitions,
            avg_confidence: rounded(figures.mean_confidence.unwrap_or_default()),
            recent_plates: figures.recent.into_iter().map(Plate::from).collect(),
        }
    }
}

/// The body of `PUT /api/plates/{plate_id}`; all fields are optional.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Change {
    plate_number: Option<String>,
    is_verified: Option<bool>,
    /// `null` removes the readings, a missing key leaves them.
    #[serde(default, deserialize_with = "fields::given")]
    alternative_readings: Option<Option<String>>,
}

impl From<Change> for Correction {
    fn from(change: Change) -> Self {
        Self {
            plate: change.plate_number,
            is_verified: change.is_verified,
            alternatives: change.alternative_readings,
        }
    }
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Deleted {
    pub(super) message: &'static str,
    pub(super) id: i64,
}

/// UTC with milliseconds and `Z`.
fn timestamp(ms: i64) -> String {
    let moment = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
