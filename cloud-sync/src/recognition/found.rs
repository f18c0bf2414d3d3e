//! A plate that was found in a picture, as it is kept and shown.

use anpr::{Kind, Reading};
use cloud_core::{NewPlate, ReadBy};
use image::{RgbImage, imageops};

use super::{
    decode,
    draw::{Mark, colour},
    inspect::BadPicture,
};

/// A text that is less likely than this says nothing.
const LEAST_CONFIDENCE: f32 = 0.1;
/// A character that is less likely than this is no other reading.
const LEAST_ALTERNATIVE: f32 = 0.1;
/// Readings beside the likeliest one.
const MOST_ALTERNATIVES: usize = 2;
/// Of the plate's width and height, shown around it on each side.
const MARGIN: f32 = 0.15;

/// A plate in a picture.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Empty where it could not be read.
    pub(crate) text: String,
    /// Probability that the text is right, 0 to 1; 0 for no text.
    pub(crate) confidence: f64,
    /// The characters with their probabilities.
    pub(crate) characters: Vec<(char, f64)>,
    /// The text and what else it may be, `A/B`, where that is not sure.
    pub(crate) alternatives: Option<String>,
    /// The plate's colour.
    pub(crate) kind: Kind,
    /// How sure it is that this is a plate, 0 to 1.
    pub(crate) score: f64,
    /// Left, top, right and bottom edge, px.
    pub(crate) bounds: [f32; 4],
    /// The plate alone, as a JPEG; empty before it was cut out.
    pub(crate) crop: Vec<u8>,
    /// Who read it.
    pub(crate) read_by: ReadBy,
}

impl Found {
    pub(super) fn new(reading: &Reading) -> Self {
        let is_read = !reading.text.is_empty() && reading.confidence >= LEAST_CONFIDENCE;
        let bounds = &reading.bounds;
        let bounds = [bounds.x1, bounds.y1, bounds.x2, bounds.y2];
        let characters = reading.characters().filter(|_| is_read);
        Self {
            text: if is_read { reading.text.clone() } else { String::new() },
            confidence: if is_read { f64::from(reading.confidence) } else { 0.0 },
            characters: characters.map(|(c, p)| (c, f64::from(p))).collect(),
            alternatives: if is_read { alternatives(reading) } else { None },
            kind: reading.kind,
            score: f64::from(reading.score),
            bounds,
            crop: Vec::new(),
            read_by: ReadBy::Local,
        }
    }

    /// Makes the picture of the plate alone.
    pub(super) fn cut_out(&mut self, picture: &RgbImage) -> Result<(), BadPicture> {
        self.crop = decode::encode(&crop(picture, self.bounds))?;
        Ok(())
    }

    /// As it is drawn on a result picture.
    pub(super) fn mark(&self) -> Mark {
        let label = match self.text.is_empty() {
            true => format!("? {:.0}%", self.score * 100.0),
            false => format!("{} {:.0}%", self.text, self.confidence * 100.0),
        };
        Mark { bounds: self.bounds, label, colour: colour(self.kind) }
    }

    /// As it is kept, with the name of the picture of the plate alone.
    pub(crate) fn keep(&self, crop: Option<String>) -> NewPlate {
        NewPlate {
            text: self.text.clone(),
            kind: self.kind.as_str(),
            confidence: self.confidence,
            alternatives: self.alternatives.clone(),
            bounds_px: self.bounds.map(|edge| edge.round() as i64),
            crop,
            read_by: self.read_by,
        }
    }
}

/// The likeliest texts that differ in one character from the reading.
fn alternatives(reading: &Reading) -> Option<String> {
    let mut others: Vec<(f32, String)> = Vec::new();
    for (place, position) in reading.positions.iter().enumerate() {
        for (character, probability) in &position.alternatives {
            if *character != position.character && *probability >= LEAST_ALTERNATIVE {
                let text = reading.text.chars().enumerate();
                let text = text.map(|(i, c)| if i == place { *character } else { c });
                others.push((*probability, text.collect()));
            }
        }
    }
    others.sort_by(|a, b| b.0.total_cmp(&a.0));
    let others: Vec<_> = others.into_iter().take(MOST_ALTERNATIVES).map(|(_, t)| t).collect();
    (!others.is_empty()).then(|| format!("{}/{}", reading.text, others.join("/")))
}

/// The plate with a little around it.
fn crop(picture: &RgbImage, [x1, y1, x2, y2]: [f32; 4]) -> RgbImage {
    let (across, down) = ((x2 - x1) * MARGIN, (y2 - y1) * MARGIN);
    let (left, top) = ((x1 - across).max(0.0) as u32, (y1 - down).max(0.0) as u32);
    let (right, bottom) = ((x2 + across).ceil() as u32, (y2 + down).ceil() as u32);
    let width = right.min(picture.width()).saturating_sub(left).max(1);
    let height = bottom.min(picture.height()).saturating_sub(top).max(1);
    imageops::crop_imm(picture, left, top, width, height).to_image()
}
