//! Finds plates: the picture goes through the network, its maps become corners in the picture.

use crate::boxes::{Head, PlateClass};
use crate::fitted::Fitted;
use crate::frames::{Frame, Frames, frame_for};
use crate::geometry::{Bounds, Corners, Point, is_convex};
use crate::network::Session;
use crate::suppress::{MAX_PLATES, suppress};
use crate::{DetectorManifest, Error, Image};

/// Values of one cell: score, eight offsets, six kinds, two lines.
pub(crate) const CHANNELS: usize = 16;

const SCORE: usize = 0;
const CORNERS: usize = 1;
const KIND: usize = 9;
const TWO_LINES: usize = 15;

/// A picture full of plates costs no more than this many of them.
const MAX_CANDIDATES: usize = 512;

/// The ground colour of a plate, which says what it may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Blue: ordinary cars in China.
    Blue,
    /// Green: new-energy vehicles in China.
    Green,
    /// Yellow: large vehicles in China, taxis in Russia.
    Yellow,
    /// White: police and army in China, ordinary cars in Russia and Europe.
    White,
    /// Black: consulates, Hong Kong and Macau.
    Black,
    /// Anything else, or not to be told.
    Other,
}

impl Kind {
    /// In the order of the network's channels.
    const ALL: [Self; 6] =
        [Self::Blue, Self::Green, Self::Yellow, Self::White, Self::Black, Self::Other];

    /// The name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::White => "white",
            Self::Black => "black",
            Self::Other => "other",
        }
    }
}

/// A plate found in a picture, not yet read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// Where it is; always convex and clockwise.
    pub corners: Corners,
    /// The part of the picture around it, px.
    pub bounds: Bounds,
    /// How sure it is that this is a plate, 0 to 1.
    pub score: f32,
    /// Its colour.
    pub kind: Kind,
    /// How sure the colour is, 0 to 1.
    pub kind_score: f32,
    /// Whether its text stands in two lines.
    pub two_lines: bool,
}

impl Detection {
    /// The same plate in a picture of which this one is a part that begins at (`x`, `y`).
    pub(crate) fn moved(&self, x: f32, y: f32) -> Self {
        let corners = self.corners.map(|p| Point { x: p.x + x, y: p.y + y });
        let Bounds { x1, y1, x2, y2 } = self.bounds;
        Self { corners, bounds: Bounds { x1: x1 + x, y1: y1 + y, x2: x2 + x, y2: y2 + y }, ..*self }
    }
}

/// What a detector takes for a plate of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// What is less sure than this is no plate, 0 to 1.
    pub score: f32,
    /// Plates whose boxes share more than this (intersection over union) are one plate, 0 to 1.
    pub overlap: f32,
    /// Of more plates than this in a picture the surest stay.
    pub most: usize,
}

impl Thresholds {
    /// The network's own, which its figures were measured with.
    pub fn of(manifest: &DetectorManifest) -> Self {
        Self { score: manifest.threshold, overlap: manifest.overlap, most: MAX_PLATES }
    }
}

/// Finds plates in pictures, one after another, on the thread that calls it.
pub struct Detector {
    network: Fitted,
    /// What pictures are fitted into.
    largest: Frame,
    /// What is taken for a plate; may be changed between pictures.
    pub thresholds: Thresholds,
    head: Head<PlateClass>,
}

impl Detector {
    /// A detector that fits pictures into `largest`.
    pub(crate) fn new(
        frames: &Frames,
        head: &Head<PlateClass>,
        largest: Frame,
        manifest: &DetectorManifest,
    ) -> Result<Self, Error> {
        Ok(Self {
            network: Fitted::new(frames, largest)?,
            largest,
            thresholds: Thresholds::of(manifest),
            head: head.clone(),
        })
    }

    /// The plates in `image`, the surest first.
    ///
    /// # Errors
    /// [`Error::Network`] where the inference engine fails; no picture should make it.
    pub fn detect(&mut self, image: Image) -> Result<Vec<Detection>, Error> {
        self.detect_down_to(self.thresholds.score, image)
    }

    /// The same, where what is less sure than `least` is no plate.
    pub(crate) fn detect_down_to(
        &mut self,
        least: f32,
        image: Image,
    ) -> Result<Vec<Detection>, Error> {
        let (frame, scale) = self.network.draw(image, |size| frame_for(size, self.largest))?;
        let mut found = Vec::new();
        self.network.session().run(|index, values| match &self.head {
            Head::Cells(strides) => {
                let grid = Grid::new(values, strides[index], frame);
                found.extend(grid.plates(logit(least), scale));
            }
            Head::Boxes(boxes) => found.extend(boxes.plates(values, least, scale)),
        })?;
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found.truncate(MAX_CANDIDATES);
        let mut plates = suppress(&found, self.thresholds.overlap, self.thresholds.most);
        for plate in &mut plates {
            plate.bounds = plate.bounds.clipped(image.width(), image.height());
        }
        plates.retain(|plate| plate.bounds.area() > 0.0);
        Ok(plates)
    }

    /// Picture px per network px.
    pub(crate) fn scale(&self, image: Image) -> f32 {
        let (width, height) = (image.width() as f32, image.height() as f32);
        (width / self.largest.0 as f32).max(height / self.largest.1 as f32)
    }

    /// Whether its network takes pictures of one size only.
    pub(crate) fn has_fixed_size(&self) -> bool {
        self.network.has_fixed_size()
    }

    pub(crate) fn session(&mut self) -> &mut Session {
        self.network.session()
    }
}

/// One output of the network: [`CHANNELS`] maps of one value per cell of `stride` px.
struct Grid<'a> {
    map: &'a [f32],
    stride: usize,
    columns: usize,
    cells: usize,
}

impl<'a> Grid<'a> {
    fn new(map: &'a [f32], stride: usize, frame: Frame) -> Self {
        let columns = frame.0 / stride;
        Self { map, stride, columns, cells: columns * (frame.1 / stride) }
    }

    fn at(&self, channel: usize, cell: usize) -> f32 {
        self.map[channel * self.cells + cell]
    }

    /// Cells with at least this logit as plates; `scale` is picture px per network px.
    fn plates(&self, least: f32, scale: (f32, f32)) -> impl Iterator<Item = Detection> {
        let scores = &self.map[SCORE * self.cells..][..self.cells];
        let sure = scores.iter().enumerate().filter(move |(_, logit)| **logit >= least);
        sure.filter_map(move |(cell, logit)| self.plate(cell, *logit, scale))
    }

    fn plate(&self, cell: usize, logit: f32, scale: (f32, f32)) -> Option<Detection> {
        let stride = self.stride as f32;
        let centre = ((cell % self.columns) as f32 + 0.5, (cell / self.columns) as f32 + 0.5);
        let corner = |i: usize| Point {
            x: (centre.0 + self.at(CORNERS + 2 * i, cell)) * stride * scale.0,
            y: (centre.1 + self.at(CORNERS + 2 * i + 1, cell)) * stride * scale.1,
        };
        let corners = [0, 1, 2, 3].map(corner);
        let (kind, kind_score) = self.kind(cell);
        is_convex(&corners).then(|| Detection {
            corners,
            bounds: Bounds::around(&corners),
            score: sigmoid(logit),
            kind,
            kind_score,
            two_lines: self.at(TWO_LINES, cell) > 0.0,
        })
    }

    /// The likeliest kind and its softmax.
    fn kind(&self, cell: usize) -> (Kind, f32) {
        let logits: [f32; 6] = std::array::from_fn(|i| self.at(KIND + i, cell));
        let best = (0..6).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).expect("six kinds");
        let sum: f32 = logits.iter().map(|logit| (logit - logits[best]).exp()).sum();
        (Kind::ALL[best], 1.0 / sum)
    }
}

pub(crate) fn logit(probability: f32) -> f32 {
    (probability / (1.0 - probability)).ln()
}

pub(crate) fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::LARGEST;

    const STRIDE: usize = 32;
    const CELLS: usize = (LARGEST.0 / STRIDE) * (LARGEST.1 / STRIDE);

    /// A map without plates but for one in the given cell.
    fn map_with_a_plate(cell: usize, values: [f32; CHANNELS]) -> Vec<f32> {
        let mut map = vec![0.0; CHANNELS * CELLS];
        map[..CELLS].fill(-9.0);
        for (channel, value) in values.into_iter().enumerate() {
            map[channel * CELLS + cell] = value;
        }
        map
    }

    fn upright(two_lines: f32) -> [f32; CHANNELS] {
        let mut cell =
            [2.0, -2.0, -0.5, 2.0, -0.5, 2.0, 0.5, -2.0, 0.5, 0., 0., 4., 0., 0., 0., 0.];
        cell[TWO_LINES] = two_lines;
        cell
    }

    #[test]
    fn a_cell_becomes_corners_in_the_picture() {
        let map = map_with_a_plate(21, upright(1.0));
        let plates: Vec<_> = Grid::new(&map, STRIDE, LARGEST).plates(0.0, (2.0, 2.0)).collect();
        let [plate] = plates[..] else { panic!("one plate, not {plates:?}") };
        // Cell 21 is column 1 of row 1: its centre is at (48, 48) of the network's picture.
        assert_eq!(plate.bounds, Bounds { x1: -32.0, y1: 64.0, x2: 224.0, y2: 128.0 });
        assert_eq!((plate.kind, plate.two_lines), (Kind::Yellow, true));
        assert!((plate.score - 0.881).abs() < 1e-3 && plate.kind_score > 0.9);
    }

    #[test]
    fn nonsense_from_the_network_is_no_plate() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e38] {
            for channel in 1..9 {
                let mut cell = upright(0.0);
                cell[channel] = bad;
                let map = map_with_a_plate(0, cell);
                let grid = Grid::new(&map, STRIDE, LARGEST);
                let corners = grid.plates(0.0, (1e4, 1e4)).flat_map(|plate| plate.corners);
                assert!(corners.into_iter().all(|p| p.x.is_finite() && p.y.is_finite()));
            }
        }
        let mut cell = upright(0.0);
        cell[SCORE] = f32::NAN;
        let map = map_with_a_plate(0, cell);
        assert_eq!(Grid::new(&map, STRIDE, LARGEST).plates(0.0, (1.0, 1.0)).count(), 0);
    }
}
