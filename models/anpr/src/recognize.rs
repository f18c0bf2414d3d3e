//! Detector and reader in a row.

use crate::{Detector, Error, Image, Reader, Reading};

/// Finds and reads all plates of a picture, on the thread that calls it.
pub struct Recognizer {
    /// Finds plates.
    pub detector: Detector,
    /// Reads one that was found.
    pub reader: Reader,
}

impl Recognizer {
    /// The plates in `image`, those that were found most surely first. What cannot be read has a text
    /// of little confidence, or none.
    ///
    /// # Errors
    /// [`Error::Network`] where the inference engine fails; no picture should make it.
    pub fn recognize(&mut self, image: Image) -> Result<Vec<Reading>, Error> {
        let found = self.detector.detect(image)?;
        let mut readings = Vec::with_capacity(found.len());
        for plate in &found {
            readings.push(self.reader.read(image, plate)?);
        }
        readings.retain(Reading::is_plausible);
        Ok(readings)
    }
}
