//! Finds vehicles and tells them apart: cars, motorcycles, buses, trucks.
//!
//! A network of its own looks at the whole picture twice, small and large: large vehicles are told
//! apart better small, and small ones are seen large.
//! Nothing that reads plates needs it, and it is loaded apart from them.

mod model;

pub use model::{VehicleManifest, VehicleModel};

use crate::boxes::Head;
use crate::detect::{logit, sigmoid};
use crate::fitted::Fitted;
use crate::frames::Frame;
use crate::{Bounds, Error, Image};

/// What the network was trained in, px: nearly the same number of pixels in each.
const FRAMES: [Frame; 5] = [(576, 320), (480, 384), (416, 416), (384, 480), (320, 576)];
/// How much larger each look is than the frame that suits the picture.
const LOOKS: [f64; 2] = [0.7, 1.2];
/// Frames have sides that this divides, px.
const STEP: f64 = 32.0;
/// Values that say where a cell's vehicle is, behind the scores of the classes: its centre from the
/// cell's, and the logarithms of its width and height, in strides.
const PLACE: usize = 4;
/// Logarithms beyond this are cut, as in training: no vehicle is so large or small.
const MOST_LOG: f32 = 4.0;
/// A picture full of vehicles costs no more than this many candidates.
const MAX_CANDIDATES: usize = 512;
/// More vehicles than this in a picture are noise.
const MAX_VEHICLES: usize = 100;
/// Boxes of two classes that share more than this (intersection over union) are one vehicle.
const SAME: f32 = 0.8;

/// What kind of vehicle it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VehicleClass {
    /// Passenger cars, vans and pick-ups.
    Car,
    /// Motorcycles and scooters.
    Motorcycle,
    /// Buses and minibuses.
    Bus,
    /// Lorries.
    Truck,
}

impl VehicleClass {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Car, Self::Motorcycle, Self::Bus, Self::Truck];

    /// The name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Car => "car",
            Self::Motorcycle => "motorcycle",
            Self::Bus => "bus",
            Self::Truck => "truck",
        }
    }

    /// The names of all, for messages.
    fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }
}

/// A vehicle found in a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vehicle {
    /// What it is.
    pub class: VehicleClass,
    /// How sure it is that there is such a vehicle, 0 to 1.
    pub confidence: f32,
    /// The part of the picture around it, px.
    pub bounds: Bounds,
}

/// Finds vehicles in pictures, one after another, on the thread that calls it.
pub struct VehicleDetector {
    /// The network, and how large it looks.
    looks: Vec<(Fitted, f64)>,
    head: Head<VehicleClass>,
    /// The classes of a head of cells.
    classes: Vec<VehicleClass>,
    threshold: f32,
    overlap: f32,
}

impl VehicleDetector {
    /// The vehicles in `image`, the surest first.
    ///
    /// # Errors
    /// [`Error::Network`] where the inference engine fails; no picture should make it.
    pub fn detect(&mut self, image: Image) -> Result<Vec<Vehicle>, Error> {
        let mut found = Vec::new();
        for (network, times) in &mut self.looks {
            let (frame, scale) = network.draw(image, |size| enlarged(frame_for(size), *times))?;
            network.session().run(|index, values| match &self.head {
                Head::Cells(strides) => {
                    let grid = Grid::new(values, strides[index], frame, &self.classes);
                    found.extend(grid.vehicles(logit(self.threshold), scale));
                }
                Head::Boxes(boxes) => found.extend(boxes.vehicles(values, self.threshold, scale)),
            })?;
        }
        for vehicle in &mut found {
            vehicle.bounds = vehicle.bounds.clipped(image.width(), image.height());
        }
        found.retain(|vehicle| vehicle.bounds.area() > 0.0);
        found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        found.truncate(MAX_CANDIDATES);
        Ok(surest(&found, self.overlap))
    }
}

/// The frame in which a picture of this size is largest.
fn frame_for(size: (usize, usize)) -> Frame {
    let scale = |frame: Frame| (frame.0 as f64 / size.0 as f64).min(frame.1 as f64 / size.1 as f64);
    // Of several in which it is equally large the first.
    FRAMES.into_iter().rev().max_by(|a, b| scale(*a).total_cmp(&scale(*b))).expect("there are five")
}

/// A frame so many times as large, its sides rounded.
fn enlarged((width, height): Frame, times: f64) -> Frame {
    let side = |side: usize| ((side as f64 * times / STEP).round_ties_even() * STEP) as usize;
    (side(width), side(height))
}

/// One output of the network: a map for each class, then [`PLACE`] more.
struct Grid<'a> {
    map: &'a [f32],
    classes: &'a [VehicleClass],
    stride: usize,
    columns: usize,
    cells: usize,
}

impl<'a> Grid<'a> {
    fn new(map: &'a [f32], stride: usize, frame: Frame, classes: &'a [VehicleClass]) -> Self {
        let columns = frame.0 / stride;
        Self { map, classes, stride, columns, cells: columns * (frame.1 / stride) }
    }

    /// What has at least this logit; `scale` is picture px per network px.
    fn vehicles(&self, least: f32, scale: (f32, f32)) -> impl Iterator<Item = Vehicle> {
        let scores = &self.map[..self.classes.len() * self.cells];
        let sure = scores.iter().enumerate().filter(move |(_, logit)| **logit >= least);
        sure.filter_map(move |(at, logit)| {
            let bounds = self.bounds(at % self.cells, scale)?;
            let class = self.classes[at / self.cells];
            Some(Vehicle { class, confidence: sigmoid(*logit), bounds })
        })
    }

    fn bounds(&self, cell: usize, scale: (f32, f32)) -> Option<Bounds> {
        let place: [f32; PLACE] =
            std::array::from_fn(|i| self.map[(self.classes.len() + i) * self.cells + cell]);
        let stride = self.stride as f32;
        let x = (cell % self.columns) as f32 + 0.5 + place[0];
        let y = (cell / self.columns) as f32 + 0.5 + place[1];
        let half = |log: f32| log.clamp(-MOST_LOG, MOST_LOG).exp() / 2.0;
        let (across, down) = (half(place[2]), half(place[3]));
        let bounds = Bounds {
            x1: (x - across) * stride * scale.0,
            y1: (y - down) * stride * scale.1,
            x2: (x + across) * stride * scale.0,
            y2: (y + down) * stride * scale.1,
        };
        let Bounds { x1, y1, x2, y2 } = bounds;
        [x1, y1, x2, y2].into_iter().all(f32::is_finite).then_some(bounds)
    }
}

/// The surest of each group of boxes of a class that share more than `overlap`, and of boxes of
/// different classes that are nearly the same; `sorted` has the surest first.
fn surest(sorted: &[Vehicle], overlap: f32) -> Vec<Vehicle> {
    let mut kept: Vec<Vehicle> = Vec::new();
    for vehicle in sorted {
        let is_known = |other: &Vehicle| {
            let most = if other.class == vehicle.class { overlap } else { SAME };
            vehicle.bounds.iou(&other.bounds) > most
        };
        if kept.len() < MAX_VEHICLES && !kept.iter().any(is_known) {
            kept.push(*vehicle);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STRIDE: usize = 32;
    const FRAME: Frame = FRAMES[0];
    const CELLS: usize = (FRAME.0 / STRIDE) * (FRAME.1 / STRIDE);

    /// A map without vehicles but for one in the given cell.
    fn map_with_a_vehicle(cell: usize, values: [f32; 8]) -> Vec<f32> {
        let mut map = vec![0.0; 8 * CELLS];
        map[..4 * CELLS].fill(-9.0);
        for (channel, value) in values.into_iter().enumerate() {
            map[channel * CELLS + cell] = value;
        }
        map
    }

    fn found(map: &[f32], scale: (f32, f32)) -> Vec<Vehicle> {
        Grid::new(map, STRIDE, FRAME, &VehicleClass::ALL).vehicles(0.0, scale).collect()
    }

    fn vehicle(class: VehicleClass, confidence: f32, x1: f32) -> Vehicle {
        let bounds = Bounds { x1, y1: 0.0, x2: x1 + 100.0, y2: 50.0 };
        Vehicle { class, confidence, bounds }
    }

    #[test]
    fn a_cell_becomes_a_box_in_the_picture() {
        let wide = [-9.0, -9.0, 2.0, -9.0, 0.5, 0.0, 4f32.ln(), 2f32.ln()];
        let vehicles = found(&map_with_a_vehicle(19, wide), (2.0, 2.0));
        let [bus] = vehicles[..] else { panic!("one vehicle, not {vehicles:?}") };
        // Cell 19 is column 1 of row 1: half a stride right of its centre is (64, 48) of the frame.
        let wanted = Bounds { x1: 0.0, y1: 32.0, x2: 256.0, y2: 160.0 };
        let Bounds { x1, y1, x2, y2 } = bus.bounds;
        let off = [x1 - wanted.x1, y1 - wanted.y1, x2 - wanted.x2, y2 - wanted.y2];
        assert!(off.into_iter().all(|by| by.abs() < 1e-3), "{bus:?}");
        assert_eq!(bus.class, VehicleClass::Bus);
        assert!((bus.confidence - 0.881).abs() < 1e-3);
    }

    #[test]
    fn nonsense_from_the_network_is_no_vehicle() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e38] {
            for channel in 4..8 {
                let mut cell = [2.0, -9.0, -9.0, -9.0, 0.0, 0.0, 0.0, 0.0];
                cell[channel] = bad;
                for vehicle in found(&map_with_a_vehicle(0, cell), (1e4, 1e4)) {
                    assert!(vehicle.bounds.area().is_finite(), "{vehicle:?}");
                }
            }
        }
        let mut cell = [-9.0; 8];
        cell[0] = f32::NAN;
        assert_eq!(found(&map_with_a_vehicle(0, cell), (1.0, 1.0)), []);
    }

    #[test]
    fn the_surest_of_a_class_stays_and_a_rider_stays_before_a_bus() {
        use VehicleClass::{Bus, Car, Motorcycle, Truck};
        let sorted = [
            vehicle(Car, 0.9, 0.0),
            vehicle(Car, 0.8, 10.0),
            vehicle(Motorcycle, 0.7, 20.0),
            vehicle(Truck, 0.6, 2.0),
            vehicle(Bus, 0.5, 300.0),
        ];
        let kept: Vec<_> = surest(&sorted, 0.55).iter().map(|vehicle| vehicle.class).collect();
        assert_eq!(kept, [Car, Motorcycle, Bus], "a truck in the car's place is the car");
    }

    #[test]
    fn a_street_full_of_vehicles_is_cut() {
        let street: Vec<_> =
            (0..500).map(|i| vehicle(VehicleClass::Car, 0.5, i as f32 * 200.0)).collect();
        assert_eq!(surest(&street, 0.55).len(), MAX_VEHICLES);
    }

    #[test]
    fn a_picture_is_seen_as_large_as_can_be() {
        for (source, frame) in [
            ((1920, 1080), (576, 320)),
            ((1024, 768), (480, 384)),
            ((512, 512), (416, 416)),
            ((1080, 1920), (320, 576)),
            ((60_000, 1), (576, 320)),
            ((1, 60_000), (320, 576)),
        ] {
            assert_eq!(frame_for(source), frame, "{source:?}");
        }
        let looks = |frame| LOOKS.map(|times| enlarged(frame, times));
        assert_eq!(looks((576, 320)), [(416, 224), (704, 384)]);
        assert_eq!(looks((416, 416)), [(288, 288), (512, 512)]);
    }

    proptest! {
        #[test]
        fn every_frame_has_whole_cells(width in 1usize..9000, height in 1usize..9000) {
            for times in LOOKS {
                let (w, h) = enlarged(frame_for((width, height)), times);
                prop_assert!(w % STRIDE == 0 && h % STRIDE == 0);
            }
        }
    }
}
