//! What is said about one file, and how it looks as a line of JSON.

use anpr::{Bounds, Point, Reading};
use serde::Serialize;

/// One file's line.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Report {
    /// A picture and what is in it.
    Picture {
        /// The file as named on the command line, or below a folder named there.
        file: String,
        /// The plates, those that were found most surely first.
        plates: Vec<Plate>,
        /// The vehicles, the surest first.
        vehicles: Vec<Vehicle>,
        /// How long it took.
        ms: Milliseconds,
    },
    /// Why there is none.
    Failure {
        /// The file as named on the command line, or below a folder named there.
        file: String,
        /// What is wrong with it.
        error: String,
    },
}

/// A plate in a picture; coordinates in px.
#[derive(Debug, Serialize)]
pub struct Plate {
    pub text: String,
    pub confidence: f64,
    pub characters: Vec<(char, f64)>,
    #[serde(rename = "box")]
    pub bounds: [f64; 4],
    pub corners: [[f64; 2]; 4],
    pub kind: &'static str,
    pub region: &'static str,
}

/// A vehicle in a picture; coordinates in px.
#[derive(Debug, Serialize)]
pub struct Vehicle {
    pub class: &'static str,
    pub confidence: f64,
    #[serde(rename = "box")]
    pub bounds: [f64; 4],
}

/// How long the steps took, ms.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Milliseconds {
    pub decode: f64,
    pub detect: f64,
    pub read: f64,
    /// The three together.
    pub total: f64,
    /// Finding vehicles, which comes beside.
    pub vehicles: f64,
}

impl From<&Reading> for Plate {
    fn from(reading: &Reading) -> Self {
        let point = |point: Point| [round(point.x.into(), 1), round(point.y.into(), 1)];
        let character = |(character, p): (char, f32)| (character, round(p.into(), 4));
        Self {
            text: reading.text.clone(),
            confidence: round(reading.confidence.into(), 4),
            characters: reading.characters().map(character).collect(),
            bounds: edges(reading.bounds),
            corners: reading.corners.map(point),
            kind: reading.kind.as_str(),
            region: reading.region.map_or("", |region| region.as_str()),
        }
    }
}

impl From<&anpr::Vehicle> for Vehicle {
    fn from(vehicle: &anpr::Vehicle) -> Self {
        Self {
            class: vehicle.class.as_str(),
            confidence: round(vehicle.confidence.into(), 4),
            bounds: edges(vehicle.bounds),
        }
    }
}

fn edges(bounds: Bounds) -> [f64; 4] {
    [bounds.x1, bounds.y1, bounds.x2, bounds.y2].map(|edge| round(edge.into(), 1))
}

/// `value` with so many decimal places.
pub fn round(value: f64, places: i32) -> f64 {
    let unit = 10f64.powi(places);
    (value * unit).round() / unit
}
