//! Finding and reading plates, as the pipeline sees it: so that tests can script what is read.

use anpr::{Bounds, Detection, Image, Models, Reading, Recognizer, Region};

use super::frame::Rgb;

/// Finds plates in a picture and reads them.
pub trait Recognise: Send {
    /// A plate that was found.
    type Found;

    /// The plates in `picture`.
    ///
    /// # Errors
    /// When the inference engine fails.
    fn detect(&mut self, picture: &Rgb) -> Result<Vec<Self::Found>, anpr::Error>;

    /// Where a plate is, in pixels of the picture.
    fn bounds(found: &Self::Found) -> Bounds;

    /// Reads a plate that was found in `picture`.
    ///
    /// # Errors
    /// When the inference engine fails.
    fn read(&mut self, picture: &Rgb, found: &Self::Found) -> Result<Reading, anpr::Error>;
}

/// The models that are built in.
pub struct Networks(Recognizer);

impl Networks {
    /// A recogniser for one thread, of plates from these regions; the weights are shared.
    ///
    /// # Errors
    /// When the inference engine cannot start.
    pub fn new(models: &Models, regions: &[Region]) -> Result<Self, anpr::Error> {
        let mut recogniser = models.recognizer()?;
        recogniser.reader.regions = regions.to_vec();
        Ok(Self(recogniser))
    }
}

impl Recognise for Networks {
    type Found = Detection;

    fn detect(&mut self, picture: &Rgb) -> Result<Vec<Detection>, anpr::Error> {
        self.0.detector.detect(as_image(picture)?)
    }

    fn bounds(found: &Detection) -> Bounds {
        found.bounds
    }

    fn read(&mut self, picture: &Rgb, found: &Detection) -> Result<Reading, anpr::Error> {
        self.0.read(as_image(picture)?, found)
    }
}

fn as_image(picture: &Rgb) -> Result<Image<'_>, anpr::Error> {
    Image::new(&picture.data, picture.width, picture.height)
}
