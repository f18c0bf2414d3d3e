//! Reads number plates and tells vehicles apart: pixels in, readings out.
//!
//! Guarantees: no file is opened, no clock is read, nothing is remembered between pictures except
//! buffers; the same pixels give the same reading. The networks are embedded and their hashes are
//! checked against the manifest before they are used.
//!
//! ```
//! # fn main() -> Result<(), anpr::Error> {
//! let models = anpr::Models::embedded()?;
//! let mut recognizer = models.recognizer(anpr::Detail::Medium)?;
//! let grey = vec![128; 320 * 240 * 3];
//! let readings = recognizer.recognize(anpr::Image::new(&grey, 320, 240)?)?;
//! assert!(readings.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! [`VehicleModel`] finds cars, motorcycles, buses and trucks; it is loaded apart from the others.
//! [`Models`] is loaded once and shared; each thread takes its own [`Recognizer`] from it. A vehicle
//! that is seen in several frames is read in each, and a [`Vote`] says what its plate is.

mod boxes;
mod ctc;
mod decide;
mod detect;
mod error;
mod fitted;
mod frames;
mod geometry;
pub mod grammar;
mod image;
mod letterbox;
mod manifest;
mod models;
mod near;
mod network;
mod own;
mod profile;
mod read;
mod recognize;
mod rectify;
mod refine;
mod suppress;
mod vehicles;
mod vote;

pub use detect::{Detection, Detector, Kind, Thresholds};
pub use error::Error;
pub use geometry::{Bounds, Corners, Point};
pub use grammar::Region;
pub use image::Image;
pub use manifest::{
    Blank, ColourOrder, DetectorManifest, Manifest, ReaderManifest, RefinerManifest,
};
pub use models::Models;
pub use own::Own;
pub use profile::LayerTime;
pub use read::{Position, Reader, Reading};
pub use recognize::{Detail, Recognizer, Spent};
pub use vehicles::{Vehicle, VehicleClass, VehicleDetector, VehicleManifest, VehicleModel};
pub use vote::{Outcome, Vote};
