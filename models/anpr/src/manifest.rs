//! `weights/manifest.toml`: which files the networks are, their hashes, and the numbers that the
//! pipeline shares with their training.

use serde::Deserialize;

use crate::Error;

/// What the manifest says that the pipeline needs; the rest (licences, figures) is for people.
#[derive(Debug, Clone, Deserialize)]
pub struct Manifest {
    /// The network that finds plates.
    pub detector: DetectorManifest,
    /// The network that looks at their corners again.
    pub refiner: RefinerManifest,
    /// The network that reads them.
    pub reader: ReaderManifest,
}

/// The network that finds plates.
#[derive(Debug, Clone, Deserialize)]
pub struct DetectorManifest {
    /// The file's name, for messages.
    pub file: String,
    /// Of the file, hexadecimal.
    pub sha256: String,
    /// One output `p{stride}` each, px of the network's input per cell.
    pub strides: Vec<usize>,
    /// Cells below this score are no plates, 0 to 1.
    pub threshold: f32,
    /// Plates whose boxes share more than this (intersection over union) are one plate, 0 to 1.
    pub overlap: f32,
}

/// The network that looks at a found plate's corners again.
#[derive(Debug, Clone, Deserialize)]
pub struct RefinerManifest {
    /// The file's name, for messages.
    pub file: String,
    /// Of the file, hexadecimal.
    pub sha256: String,
    /// Of the plate's width and height, shown around it on each side.
    pub margin: f32,
}

/// The network that reads plates, and the rectification it was trained on.
#[derive(Debug, Clone, Deserialize)]
pub struct ReaderManifest {
    /// The file's name, for messages.
    pub file: String,
    /// Of the file, hexadecimal.
    pub sha256: String,
    /// The characters of the classes 1, 2, …; class 0 is the CTC blank.
    pub charset: String,
    /// Divides the logits, so that probabilities are calibrated.
    pub temperature: f32,
    /// Of the plate's width and height, left free around it on each side.
    pub margin: f32,
    /// The upper line of a two-line plate ends here, as a part of the height.
    pub split_upper: f32,
    /// The lower line begins here, as a part of the height.
    pub split_lower: f32,
    /// Columns that the upper line takes in the folded plate, px.
    pub upper_width: usize,
}

impl Manifest {
    /// Reads the manifest's TOML.
    ///
    /// # Errors
    /// [`Error::Manifest`] where a key is missing or its value makes no sense.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let manifest: Self = toml::from_str(text).map_err(|e| Error::Manifest(e.to_string()))?;
        manifest.checked()
    }

    /// Itself, where its values make sense.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        match self.check() {
            Ok(()) => Ok(self),
            Err(reason) => Err(Error::Manifest(reason.to_owned())),
        }
    }

    fn check(&self) -> Result<(), &'static str> {
        let reader = &self.reader;
        let part = |value: f32| value > 0.0 && value < 1.0;
        if self.detector.strides.is_empty() {
            return Err("detector.strides is empty, wanted at least one stride");
        }
        if self.detector.strides.iter().any(|s| !(1..=128).contains(s)) {
            return Err("detector.strides must lie between 1 and 128");
        }
        if !part(self.detector.threshold) || !part(self.detector.overlap) {
            return Err("detector.threshold and overlap must lie between 0 and 1");
        }
        if reader.charset.is_empty() || reader.charset.chars().count() > 254 {
            return Err("reader.charset must have 1 to 254 characters");
        }
        if !(reader.temperature > 0.0 && reader.temperature.is_finite()) {
            return Err("reader.temperature must be above 0");
        }
        if !(0.0..1.0).contains(&self.refiner.margin) {
            return Err("refiner.margin must be at least 0 and below 1");
        }
        if !(0.0..0.5).contains(&reader.margin) {
            return Err("reader.margin must be at least 0 and below 0.5");
        }
        if !part(reader.split_upper) || !part(reader.split_lower) {
            return Err("reader.split_upper and split_lower must lie between 0 and 1");
        }
        if !(1..crate::rectify::WIDTH).contains(&reader.upper_width) {
            return Err("reader.upper_width must be at least 1 and below 168");
        }
        Ok(())
    }
}
