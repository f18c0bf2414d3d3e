//! Reads a plate that was found.

use crate::ctc::Lattice;
use crate::decide::decide;
use crate::network::{Network, Session};
use crate::rectify::Rectifier;
use crate::{Bounds, Corners, Detection, Error, Image, Kind, ReaderManifest, Region};

/// One character of a reading.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// The character, after what the grammar corrected.
    pub character: char,
    /// Its probability by the pixels alone, 0 to 1.
    pub probability: f32,
    /// All characters that it may be with their probabilities, the likeliest first; includes
    /// `character`.
    pub alternatives: Vec<(char, f32)>,
}

/// What a plate says.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The plate without separators; empty where nothing can be read.
    pub text: String,
    /// How likely the whole text is right, 0 to 1.
    pub confidence: f32,
    /// The text character by character.
    pub positions: Vec<Position>,
    /// Where the plate is, px.
    pub corners: Corners,
    /// The part of the picture around it, px.
    pub bounds: Bounds,
    /// How sure it is that this is a plate, 0 to 1.
    pub score: f32,
    /// The plate's colour.
    pub kind: Kind,
    /// Whose format it is, if anybody's.
    pub region: Option<Region>,
}

impl Reading {
    /// The text's characters with their probabilities.
    pub fn characters(&self) -> impl Iterator<Item = (char, f32)> {
        self.positions.iter().map(|position| (position.character, position.probability))
    }
}

/// Reads plates, one after another, on the thread that calls it.
pub struct Reader {
    session: Session,
    rectifier: Rectifier,
    lattice: Lattice,
    charset: Vec<char>,
    temperature: f32,
}

impl Reader {
    pub(crate) fn new(network: &Network, manifest: &ReaderManifest) -> Result<Self, Error> {
        Ok(Self {
            session: network.session()?,
            rectifier: Rectifier::new(manifest),
            lattice: Lattice::default(),
            charset: manifest.charset.chars().collect(),
            temperature: manifest.temperature,
        })
    }

    /// Reads the plate that `found` says is in `image`.
    ///
    /// # Errors
    /// [`Error::Network`] where the inference engine fails; no picture should make it.
    pub fn read(&mut self, image: Image, found: &Detection) -> Result<Reading, Error> {
        let Self { session, rectifier, lattice, charset, temperature } = self;
        session.fill(|planes| rectifier.draw(image, &found.corners, found.two_lines, planes));
        session.run(|_, logits| lattice.set(logits, charset.len() + 1, *temperature))?;
        let decision = decide(lattice, charset, found.kind, found.kind_score);
        Ok(Reading {
            text: decision.text,
            confidence: decision.confidence,
            positions: decision.positions,
            corners: found.corners,
            bounds: found.bounds,
            score: found.score,
            kind: found.kind,
            region: decision.region,
        })
    }
}
