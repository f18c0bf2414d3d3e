//! Detectors whose one output is a list of boxes, as YOLOv8 and later write it.
//!
//! Each place has the box's centre x and y, width and height in px of the network's input, a score
//! from 0 to 1 for each class, and, where it finds plates, perhaps four corners. The values of a
//! place stand together, or all first values come first.

mod shape;
mod words;

pub(crate) use shape::Given;
pub(crate) use words::{PlateClass, vehicle_class};

use crate::detect::{Detection, Kind};
use crate::frames::Frames;
use crate::geometry::{Corners, Point, is_convex};
use crate::{Bounds, Error, Vehicle, VehicleClass};

/// Values of a place before the scores: centre x, centre y, width, height.
const PLACE: usize = 4;
/// Corners behind the scores, where there are any.
const CORNERS: usize = 4;
/// Scores may miss 0 to 1 by rounding.
const ROUNDING: f32 = 1e-3;
/// How sure a class is that says nothing of the colour.
const NO_COLOUR: f32 = 0.0;

/// How the values stand in the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Values of a place.
    pub channels: usize,
    /// Whether all first values come first: [1, channels, places].
    pub channels_first: bool,
}

/// What an output of boxes means: what each class stands for, if anything, and the corners.
#[derive(Debug, Clone)]
pub(crate) struct Boxes<T> {
    pub layout: Layout,
    pub classes: Vec<Option<T>>,
    /// Values of a corner, the first two of them x and y; none where only boxes are told.
    pub corner_values: Option<usize>,
}

/// How a detector writes what it found.
#[derive(Debug, Clone)]
pub(crate) enum Head<T> {
    /// As ours do: an output `p{stride}` for each of these strides, one value per cell and channel.
    Cells(Vec<usize>),
    /// As one list of boxes.
    Boxes(Boxes<T>),
}

/// A place that is sure of one of our classes.
struct Found<T> {
    class: T,
    score: f32,
    bounds: Bounds,
    corners: Option<Corners>,
}

impl<T: Copy> Boxes<T> {
    /// The places of which a class of ours is the surest and at least `least` sure; `scale` is
    /// picture px per network px.
    fn found(&self, values: &[f32], least: f32, scale: (f32, f32)) -> Vec<Found<T>> {
        let output = Output::new(values, self.layout);
        let mut found = Vec::new();
        for (index, class) in self.classes.iter().enumerate() {
            let Some(class) = *class else { continue };
            for place in 0..output.places {
                let score = output.at(PLACE + index, place);
                if score >= least && self.is_surest(&output, place, index, score) {
                    let Some(bounds) = output.bounds(place, scale) else { continue };
                    let corners = self.corners(&output, place, scale);
                    found.push(Found { class, score: score.min(1.0), bounds, corners });
                }
            }
        }
        found
    }

    /// Whether no class is surer than the one of this index; of several alike the first.
    fn is_surest(&self, output: &Output, place: usize, index: usize, score: f32) -> bool {
        (0..self.classes.len()).all(|other| {
            let its = output.at(PLACE + other, place);
            its < score || (its == score && other >= index)
        })
    }

    fn corners(&self, output: &Output, place: usize, scale: (f32, f32)) -> Option<Corners> {
        let values = self.corner_values?;
        let first = PLACE + self.classes.len();
        let corners = std::array::from_fn(|i| Point {
            x: output.at(first + i * values, place) * scale.0,
            y: output.at(first + i * values + 1, place) * scale.1,
        });
        is_convex(&corners).then_some(corners)
    }

    /// Checks on a picture of nothing that scores are scores.
    pub fn check(&self, frames: &Frames, largest: (usize, usize)) -> Result<(), Error> {
        let frame = frames.fixed().unwrap_or(largest);
        let mut session = frames.network(frame)?.session()?;
        session.fill(|planes| planes.fill(0.5));
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        session.run(|_, values| {
            let output = Output::new(values, self.layout);
            for class in PLACE..PLACE + self.classes.len() {
                for score in (0..output.places).map(|place| output.at(class, place)) {
                    // Of a score that is no number the comparison below says no.
                    low = if score >= low { low } else { score };
                    high = if score <= high { high } else { score };
                }
            }
        })?;
        if low >= -ROUNDING && high <= 1.0 + ROUNDING {
            return Ok(());
        }
        Err(Error::Unfit {
            file: frames.file().to_owned(),
            reason: format!(
                "its scores of classes reach from {low} to {high}, wanted 0 to 1: they must be those \
                 after the sigmoid"
            ),
        })
    }
}

impl Boxes<PlateClass> {
    /// The plates that are at least `least` sure.
    pub fn plates(&self, values: &[f32], least: f32, scale: (f32, f32)) -> Vec<Detection> {
        let plate = |Found { class, score, bounds, corners }: Found<PlateClass>| {
            let corners = corners.unwrap_or_else(|| corners_of(bounds));
            is_convex(&corners).then(|| Detection {
                corners,
                bounds: Bounds::around(&corners),
                score,
                kind: class.kind.unwrap_or(Kind::Other),
                kind_score: class.kind.map_or(NO_COLOUR, |_| score),
                two_lines: class.two_lines,
            })
        };
        self.found(values, least, scale).into_iter().filter_map(plate).collect()
    }
}

impl Boxes<VehicleClass> {
    /// The vehicles that are at least `least` sure.
    pub fn vehicles(&self, values: &[f32], least: f32, scale: (f32, f32)) -> Vec<Vehicle> {
        let vehicle = |found: Found<VehicleClass>| Vehicle {
            class: found.class,
            confidence: found.score,
            bounds: found.bounds,
        };
        self.found(values, least, scale).into_iter().map(vehicle).collect()
    }
}

/// Those of an upright plate.
fn corners_of(Bounds { x1, y1, x2, y2 }: Bounds) -> Corners {
    [(x1, y1), (x2, y1), (x2, y2), (x1, y2)].map(|(x, y)| Point { x, y })
}

/// The values of one picture.
struct Output<'a> {
    values: &'a [f32],
    places: usize,
    /// From one value of a place to its next, and from one place to the next.
    strides: (usize, usize),
}

impl<'a> Output<'a> {
    fn new(values: &'a [f32], layout: Layout) -> Self {
        let places = values.len() / layout.channels;
        let strides = if layout.channels_first { (places, 1) } else { (1, layout.channels) };
        Self { values, places, strides }
    }

    fn at(&self, channel: usize, place: usize) -> f32 {
        self.values[channel * self.strides.0 + place * self.strides.1]
    }

    fn bounds(&self, place: usize, scale: (f32, f32)) -> Option<Bounds> {
        let [x, y, width, height]: [f32; PLACE] = std::array::from_fn(|i| self.at(i, place));
        let bounds = Bounds {
            x1: (x - width / 2.0) * scale.0,
            y1: (y - height / 2.0) * scale.1,
            x2: (x + width / 2.0) * scale.0,
            y2: (y + height / 2.0) * scale.1,
        };
        let area = bounds.area();
        (area > 0.0 && area.is_finite()).then_some(bounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: PlateClass = PlateClass { kind: None, two_lines: false };

    fn boxes(channels_first: bool, corner_values: Option<usize>) -> Boxes<PlateClass> {
        let blue = PlateClass { kind: Some(Kind::Blue), two_lines: true };
        let channels = PLACE + 3 + corner_values.map_or(0, |values| CORNERS * values);
        let layout = Layout { channels, channels_first };
        Boxes { layout, classes: vec![None, Some(PLAIN), Some(blue)], corner_values }
    }

    /// The values of these places as the layout wants them.
    fn output(places: &[&[f32]], layout: Layout) -> Vec<f32> {
        let (channels, count) = (layout.channels, places.len());
        let at = |i: usize| match layout.channels_first {
            true => places[i % count][i / count],
            false => places[i / channels][i % channels],
        };
        (0..channels * count).map(at).collect()
    }

    #[test]
    fn a_place_is_a_plate_where_a_class_of_ours_is_the_surest() {
        let first: &[f32] = &[100.0, 50.0, 40.0, 20.0, 0.1, 0.2, 0.9];
        let foreign: &[f32] = &[200.0, 50.0, 40.0, 20.0, 0.95, 0.9, 0.0];
        let unsure: &[f32] = &[300.0, 50.0, 40.0, 20.0, 0.0, 0.2, 0.1];
        for channels_first in [true, false] {
            let boxes = boxes(channels_first, None);
            let values = output(&[first, foreign, unsure], boxes.layout);
            let plates = boxes.plates(&values, 0.25, (2.0, 3.0));
            let [plate] = plates[..] else { panic!("one plate, not {plates:?}") };
            assert_eq!(plate.bounds, Bounds { x1: 160.0, y1: 120.0, x2: 240.0, y2: 180.0 });
            assert_eq!((plate.score, plate.kind, plate.two_lines), (0.9, Kind::Blue, true));
        }
    }

    #[test]
    fn corners_are_taken_where_they_are_those_of_a_plate_and_else_the_boxs() {
        let tilted = [80., 44., 0.9, 120., 40., 0.9, 122., 56., 0.9, 81., 60., 0.9];
        let mut crossed = tilted;
        crossed.swap(0, 3);
        let place =
            |corners: [f32; 12]| [&[100.0, 50.0, 40.0, 20.0, 0.0, 0.9, 0.0][..], &corners].concat();
        let boxes = boxes(true, Some(3));
        let values = output(&[&place(tilted), &place(crossed)], boxes.layout);
        let plates = boxes.plates(&values, 0.25, (1.0, 1.0));
        let corners: Vec<_> = plates.iter().map(|p| p.corners.map(|c| (c.x, c.y))).collect();
        assert_eq!(corners[0], [(80., 44.), (120., 40.), (122., 56.), (81., 60.)]);
        assert_eq!(corners[1], [(80., 40.), (120., 40.), (120., 60.), (80., 60.)]);
    }

    #[test]
    fn nonsense_from_the_network_is_no_plate() {
        let boxes = boxes(false, Some(2));
        let good = [9., 9., 4., 4., 0., 0.9, 0., 7., 7., 11., 7., 11., 11., 7., 11.];
        assert_eq!(boxes.plates(&good, 0.25, (1.0, 1.0)).len(), 1);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e38] {
            for channel in 0..good.len() {
                let mut place = good;
                place[channel] = bad;
                for plate in boxes.plates(&place, 0.25, (1e4, 1e4)) {
                    assert!(plate.bounds.area().is_finite() && plate.score <= 1.0, "{plate:?}");
                }
            }
        }
    }
}
