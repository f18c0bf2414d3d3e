//! `weights/manifest.toml`: which files the networks are, their hashes, and the numbers that the
//! pipeline shares with their training.

use serde::Deserialize;

use crate::Error;

/// A reader's most classes: Chinese as a whole needs a third of them.
const MOST_CHARACTERS: usize = 30_000;

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
    /// Of a network of one's own that writes boxes: the names of its classes, in their order.
    #[serde(default)]
    pub classes: Vec<String>,
    /// The input's shape; needed where a network of one's own takes any and shall be shown one.
    pub input_shape: Option<[usize; 4]>,
}

impl DetectorManifest {
    pub(crate) fn check_cells(&self) -> Result<(), Error> {
        if self.strides.is_empty() {
            return Err(unusable("detector.strides is empty, wanted at least one stride"));
        }
        if self.strides.iter().any(|s| !(1..=128).contains(s)) {
            return Err(unusable("detector.strides must lie between 1 and 128"));
        }
        self.check_thresholds()
    }

    pub(crate) fn check_thresholds(&self) -> Result<(), Error> {
        if part(self.threshold) && part(self.overlap) {
            return Ok(());
        }
        Err(unusable("detector.threshold and overlap must lie between 0 and 1"))
    }
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
    /// The characters of the classes in their order, without the CTC blank.
    pub charset: String,
    /// Divides the logits, so that probabilities are calibrated.
    pub temperature: f32,
    /// Of the plate's width and height, left free around it on each side.
    pub margin: f32,
    /// The upper line of a two-line plate ends here, as a part of the height.
    pub split_upper: f32,
    /// The lower line begins here, as a part of the height.
    pub split_lower: f32,
    /// Columns that the upper line takes in the folded plate, px; where nothing is said as large a
    /// part as the built-in reader's.
    pub upper_width: Option<usize>,
    /// Which class is the CTC blank.
    #[serde(default)]
    pub blank: Blank,
    /// In which order a network of one's own takes colours.
    #[serde(default)]
    pub colour_order: ColourOrder,
    /// A network of one's own gets (value / 255 - mean) / std.
    #[serde(default)]
    pub mean: f32,
    /// See `mean`.
    #[serde(default = "one")]
    pub std: f32,
    /// Whether a network of one's own gets the plate in its proportions, at the left of its input.
    #[serde(default)]
    pub keep_aspect: bool,
    /// The input's shape; needed where a network of one's own takes any.
    pub input_shape: Option<[usize; 4]>,
}

/// Which class of a reader is the CTC blank.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Blank {
    /// The one before the characters.
    #[default]
    First,
    /// The one behind them.
    Last,
}

/// The order of a picture's colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColourOrder {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red.
    Bgr,
}

fn one() -> f32 {
    1.0
}

impl ReaderManifest {
    /// Checks the numbers for an input of this width, px.
    pub(crate) fn check(&self, width: usize) -> Result<(), Error> {
        if self.charset.is_empty() || self.charset.chars().count() > MOST_CHARACTERS {
            return Err(unusable("reader.charset must have 1 to 30000 characters"));
        }
        if !(self.temperature > 0.0 && self.temperature.is_finite()) {
            return Err(unusable("reader.temperature must be above 0"));
        }
        if !(0.0..0.5).contains(&self.margin) {
            return Err(unusable("reader.margin must be at least 0 and below 0.5"));
        }
        if !part(self.split_upper) || !part(self.split_lower) {
            return Err(unusable("reader.split_upper and split_lower must lie between 0 and 1"));
        }
        if self.upper_width.is_some_and(|upper| !(1..width).contains(&upper)) {
            let reason = format!("reader.upper_width must be at least 1 and below {width}");
            return Err(Error::Manifest(reason));
        }
        if !(self.mean.is_finite() && self.std > 0.0 && self.std.is_finite()) {
            return Err(unusable("reader.mean must be a number and std above 0"));
        }
        Ok(())
    }
}

impl Manifest {
    /// Reads the manifest's TOML.
    ///
    /// # Errors
    /// [`Error::Manifest`] where a key is missing or its value makes no sense.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let manifest: Self = toml::from_str(text).map_err(|e| Error::Manifest(e.to_string()))?;
        manifest.detector.check_cells()?;
        manifest.reader.check(crate::rectify::WIDTH)?;
        if !(0.0..1.0).contains(&manifest.refiner.margin) {
            return Err(unusable("refiner.margin must be at least 0 and below 1"));
        }
        Ok(manifest)
    }
}

fn unusable(reason: &str) -> Error {
    Error::Manifest(reason.to_owned())
}

/// Whether it is a part of a whole.
fn part(value: f32) -> bool {
    value > 0.0 && value < 1.0
}
