//! Reads a plate that was found.

use crate::ctc::Lattice;
use crate::decide::{Decision, decide};
use crate::geometry::is_convex;
use crate::network::{Network, Session};
use crate::rectify::Rectifier;
use crate::{Bounds, Corners, Detection, Error, Image, Kind, Point, ReaderManifest, Region};

/// A reading with less merit than this is looked at again.
const DOUBTFUL: f64 = 0.5;
/// How far the left and the right edge move outward for each further look, as a part of the width:
/// corners that cut a character off are what spoils most readings.
const FURTHER_LOOKS: [(f32, f32); 3] = [(0.1, 0.0), (0.0, 0.08), (0.04, 0.04)];
/// A find that is less likely a plate than this …
const UNSURE_SCORE: f32 = 0.7;
/// … and that cannot be read with this confidence is none.
const LEAST_CONFIDENCE: f32 = 0.1;

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
    /// Whether there is a plate at all: either the detector is sure of it, or something can be read.
    pub fn is_plausible(&self) -> bool {
        self.score >= UNSURE_SCORE || self.confidence >= LEAST_CONFIDENCE
    }

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

    /// Reads the plate that `found` says is in `image`. A doubtful one is looked at again with its
    /// edges moved outward, which takes up to four times as long.
    ///
    /// # Errors
    /// [`Error::Network`] where the inference engine fails; no picture should make it.
    pub fn read(&mut self, image: Image, found: &Detection) -> Result<Reading, Error> {
        let mut decision = self.look(image, found, &found.corners)?;
        if decision.merit() < DOUBTFUL {
            for (left, right) in FURTHER_LOOKS {
                let corners = widen(&found.corners, left, right);
                if is_convex(&corners) {
                    let other = self.look(image, found, &corners)?;
                    decision = if other.merit() > decision.merit() { other } else { decision };
                }
            }
        }
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

    /// Reads what is between `corners`.
    fn look(
        &mut self,
        image: Image,
        found: &Detection,
        corners: &Corners,
    ) -> Result<Decision, Error> {
        let Self { session, rectifier, lattice, charset, temperature } = self;
        session.fill(|planes| rectifier.draw(image, corners, found.two_lines, planes));
        session.run(|_, logits| lattice.set(logits, charset.len() + 1, *temperature))?;
        Ok(decide(lattice, charset, found.kind, found.kind_score))
    }
}

/// The corners with the left and the right edge moved outward by these parts of the width.
fn widen(&[tl, tr, br, bl]: &Corners, left: f32, right: f32) -> Corners {
    let along = |from: Point, to: Point, part: f32| Point {
        x: from.x + (to.x - from.x) * part,
        y: from.y + (to.y - from.y) * part,
    };
    [along(tl, tr, -left), along(tr, tl, -right), along(br, bl, -right), along(bl, br, -left)]
}
