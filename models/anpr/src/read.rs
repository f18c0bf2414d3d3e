//! Reads a plate that was found.

mod model;
pub(crate) mod output;
mod sight;

pub(crate) use model::ReaderNetwork;
pub(crate) use output::Output;

use crate::ctc::Lattice;
use crate::decide::{Decision, decide};
use crate::geometry::{aspect, is_convex};
use crate::network::Session;
use crate::refine::Refiner;
use crate::{Bounds, Corners, Detection, Error, Image, Kind, Point, ReaderManifest, Region};
use sight::Sight;

/// A reading with less merit than this is looked at again.
const DOUBTFUL: f64 = 0.5;
/// A reading with less merit than this is a pattern that is no plate.
const HOPELESS: f64 = 0.003;
/// What shows fewer characters than this is no plate, or too poor a picture of one.
const FEWEST_CHARACTERS: usize = 3;
/// How far the left and the right edge move outward for each further look, as a part of the width:
/// corners that cut a character off are what spoils most readings.
const FURTHER_LOOKS: [(f32, f32); 3] = [(0.1, 0.0), (0.0, 0.08), (0.04, 0.04)];
/// A plate less wide than this, in its heights, may carry two lines whatever the detector thinks.
const SQUARISH: f32 = 2.7;
/// A find that is less likely a plate than this …
const UNSURE_SCORE: f32 = 0.7;
/// … and that cannot be read with this confidence is none.
const LEAST_CONFIDENCE: f32 = 0.2;

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
    /// How likely the whole text is right, 0 to 1; 0 where nothing can be read.
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

/// What a look at a plate made of it.
pub(crate) struct Look {
    found: Detection,
    corners: Corners,
    decision: Decision,
}

impl Look {
    /// How good it is among several of the same plate.
    pub fn merit(&self) -> f64 {
        self.decision.merit()
    }

    /// Of what it is a look at.
    pub fn found(&self) -> Detection {
        self.found
    }

    /// How likely the text is right, 0 to 1; 0 where there is none, for how sure it is that nothing
    /// can be read says nothing of a plate.
    pub fn confidence(&self) -> f32 {
        if self.decision.text.is_empty() { 0.0 } else { self.decision.confidence }
    }

    pub fn is_doubtful(&self) -> bool {
        self.merit() < DOUBTFUL
    }

    /// Whether there is too little in it for further looks.
    pub fn is_hopeless(&self) -> bool {
        self.merit() < HOPELESS
    }

    pub fn reading(self, image: Image) -> Reading {
        let confidence = self.confidence();
        let Self { found, corners, decision } = self;
        Reading {
            text: decision.text,
            confidence,
            positions: decision.positions,
            corners,
            bounds: Bounds::around(&corners).clipped(image.width(), image.height()),
            score: found.score,
            kind: found.kind,
            region: decision.region,
        }
    }
}

/// Reads plates, one after another, on the thread that calls it.
pub struct Reader {
    /// The regions whose plates come; may be changed between pictures. Where none is named a reading
    /// is what the pixels say, and no format corrects it.
    pub regions: Vec<Region>,
    refiner: Refiner,
    session: Session,
    sight: Sight,
    output: Output,
    lattice: Lattice,
    temperature: f32,
}

impl Reader {
    pub(crate) fn new(
        refiner: Refiner,
        network: &ReaderNetwork,
        manifest: &ReaderManifest,
    ) -> Result<Self, Error> {
        Ok(Self {
            regions: Region::ALL.to_vec(),
            refiner,
            session: network.network.session()?,
            sight: Sight::new(manifest, network.size, network.form),
            output: network.output.clone(),
            lattice: Lattice::default(),
            temperature: manifest.temperature,
        })
    }

    /// Reads the plate that `found` says is in `image`, its corners refined. A doubtful one is looked
    /// at again, its corners refined further, its edges moved outward or its lines counted otherwise,
    /// which takes up to seven times as long.
    ///
    /// # Errors
    /// [`Error::Network`] where the inference engine fails; no picture should make it.
    pub fn read(&mut self, image: Image, found: &Detection) -> Result<Reading, Error> {
        let glance = self.glance(image, found)?;
        let look = if glance.is_doubtful() { self.insist(image, glance)? } else { glance };
        Ok(look.reading(image))
    }

    /// One look at a plate.
    pub(crate) fn glance(&mut self, image: Image, found: &Detection) -> Result<Look, Error> {
        let corners = self.refiner.refine(image, &found.corners)?;
        let decision = self.look(image, found, &corners, found.two_lines)?;
        Ok(Look { found: *found, corners, decision })
    }

    /// The best of `first` and of all further looks at the same plate.
    pub(crate) fn insist(&mut self, image: Image, first: Look) -> Result<Look, Error> {
        let mut best = first;
        if best.decision.positions.len() < FEWEST_CHARACTERS {
            return Ok(best);
        }
        let found = best.found;
        for (corners, two_lines) in self.further(image, &found, &best.corners)? {
            let decision = self.look(image, &found, &corners, two_lines)?;
            if decision.merit() > best.merit() {
                best = Look { found, corners, decision };
            }
        }
        Ok(best)
    }

    /// The refiner's and the reader's networks.
    pub(crate) fn sessions(&mut self) -> [&mut Session; 2] {
        [self.refiner.session(), &mut self.session]
    }

    /// What else may be tried on a plate at about `corners`: corners, and whether it has two lines.
    fn further(
        &mut self,
        image: Image,
        found: &Detection,
        corners: &Corners,
    ) -> Result<Vec<(Corners, bool)>, Error> {
        let nearer = self.refiner.refine(image, corners)?;
        // A recess around the plate may have led the refiner astray.
        let mut looks = vec![(nearer, found.two_lines), (found.corners, found.two_lines)];
        let moved = FURTHER_LOOKS.map(|(left, right)| widen(corners, left, right));
        looks.extend(moved.into_iter().filter(is_convex).map(|c| (c, found.two_lines)));
        if found.two_lines || aspect(&nearer) < SQUARISH {
            looks.push((nearer, !found.two_lines));
        }
        Ok(looks)
    }

    /// Reads what is between `corners`.
    fn look(
        &mut self,
        image: Image,
        found: &Detection,
        corners: &Corners,
        two_lines: bool,
    ) -> Result<Decision, Error> {
        let Self { regions, session, sight, output, lattice, temperature, .. } = self;
        session.fill(|input| sight.draw(image, corners, two_lines, input));
        session.run(|_, values| lattice.set(values, output, *temperature))?;
        Ok(decide(lattice, output.characters(), (found.kind, found.kind_score), regions))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(score: f32, confidence: f32) -> Reading {
        Reading {
            text: String::new(),
            confidence,
            positions: Vec::new(),
            corners: Corners::default(),
            bounds: Bounds::default(),
            score,
            kind: Kind::Other,
            region: None,
        }
    }

    #[test]
    fn an_unsure_find_must_be_readable() {
        assert!(reading(0.9, 0.0).is_plausible());
        assert!(reading(0.5, 0.3).is_plausible() && !reading(0.5, 0.1).is_plausible());
    }

    #[test]
    fn a_widened_plate_keeps_its_direction() {
        let corners = [(0., 0.), (100., 10.), (100., 40.), (0., 30.)];
        let wide = widen(&corners.map(|(x, y)| Point { x, y }), 0.1, 0.2);
        assert_eq!(wide[0], Point { x: -10.0, y: -1.0 });
        assert_eq!(wide[1], Point { x: 120.0, y: 12.0 });
        assert!((aspect(&wide) - 130.0 * 1.01_f32.sqrt() / 30.0).abs() < 0.1);
    }
}
