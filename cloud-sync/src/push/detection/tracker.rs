//! Which of the plates in a frame are of cars that this session has seen already, so that each car
//! is recorded once however many frames show it. Pure: frames are counted, not timed.

use anpr::Bounds;
use cloud_core::ModelSettings;
use domain::plate::normal_form;

use crate::recognition::Found;

/// A car that was not in so many frames is followed no more; its plate still tells it.
const MOST_GAP: i64 = 8;
/// Boxes that share this much (intersection over union) from one frame to the next are at one place.
const LEAST_OVERLAP: f32 = 0.3;
/// Cars that a session remembers; of more the oldest are forgotten.
const MOST_CARS: usize = 1000;
/// A reading is better than another when it is surer by this.
const CLEARLY: f64 = 0.05;

/// The cars of a session.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    cars: Vec<Car>,
    next: u64,
}

/// A car.
#[derive(Debug, Clone)]
struct Car {
    key: u64,
    /// Normal form of its plate; empty while it was not read.
    text: String,
    confidence: f64,
    bounds: Bounds,
    last_frame: i64,
    /// The number of the record of it.
    record: Option<i64>,
}

/// What a plate in a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sighting {
    /// One of a car that is to be recorded; the key says which.
    New(u64),
    /// One of a car that is recorded under this number, now read better.
    Better(i64),
    /// One that says nothing new.
    Known,
}

impl Sighting {
    /// The key of a car that is to be recorded.
    pub(super) const fn new_car(&self) -> Option<u64> {
        match self {
            Self::New(key) => Some(*key),
            Self::Better(_) | Self::Known => None,
        }
    }
}

impl Tracker {
    /// Says what each plate of a frame is.
    pub(super) fn see(
        &mut self,
        frame: i64,
        plates: &[Found],
        settings: &ModelSettings,
    ) -> Vec<Sighting> {
        let mut owners: Vec<Option<usize>> = vec![None; plates.len()];
        // Plates that read the same are of the same car, before places are looked at.
        for (found, owner) in plates.iter().zip(&mut owners) {
            *owner = self.with_text(&normal_form(&found.text));
        }
        for (index, found) in plates.iter().enumerate() {
            if owners[index].is_none() && settings.tracking {
                let threshold = settings.tracking_threshold;
                owners[index] = self.at_place(frame, found, threshold, &owners);
            }
        }
        let sightings = plates.iter().zip(owners);
        let sightings = sightings.map(|(found, owner)| self.sight(frame, found, owner)).collect();
        self.forget();
        sightings
    }

    /// Remembers the number of the record of a car.
    pub(super) fn recorded(&mut self, key: u64, record: i64) {
        if let Some(car) = self.cars.iter_mut().find(|car| car.key == key) {
            car.record = Some(record);
        }
    }

    fn with_text(&self, text: &str) -> Option<usize> {
        (!text.is_empty()).then(|| self.cars.iter().position(|car| car.text == text))?
    }

    /// The car that was near there a few frames ago and may have this plate.
    fn at_place(
        &self,
        frame: i64,
        found: &Found,
        threshold: f64,
        owners: &[Option<usize>],
    ) -> Option<usize> {
        let (text, bounds) = (normal_form(&found.text), bounds(found));
        let overlap = |car: &Car| car.bounds.iou(&bounds);
        let fits = |(index, car): &(usize, &Car)| {
            let is_free = !owners.contains(&Some(*index)) && car.last_frame < frame;
            let is_unread = car.text.is_empty() || text.is_empty();
            let is_alike = !is_unread && likeness(&car.text, &text) >= threshold;
            is_free
                && frame - car.last_frame <= MOST_GAP
                && (is_alike || (is_unread && overlap(car) >= LEAST_OVERLAP))
        };
        let candidates = self.cars.iter().enumerate().filter(fits);
        let nearest = candidates.max_by(|a, b| overlap(a.1).total_cmp(&overlap(b.1)));
        nearest.map(|(index, _)| index)
    }

    fn sight(&mut self, frame: i64, found: &Found, owner: Option<usize>) -> Sighting {
        let text = normal_form(&found.text);
        let Some(owner) = owner else {
            let (key, confidence, bounds) = (self.next, found.confidence, bounds(found));
            self.next += 1;
            let (last_frame, record) = (frame, None);
            self.cars.push(Car { key, text, confidence, bounds, last_frame, record });
            return Sighting::New(key);
        };
        let car = &mut self.cars[owner];
        (car.bounds, car.last_frame) = (bounds(found), frame);
        if text.is_empty() || found.confidence < car.confidence + CLEARLY {
            return if car.record.is_some() { Sighting::Known } else { Sighting::New(car.key) };
        }
        (car.text, car.confidence) = (text, found.confidence);
        car.record.map_or(Sighting::New(car.key), Sighting::Better)
    }

    fn forget(&mut self) {
        let too_many = self.cars.len().saturating_sub(MOST_CARS);
        self.cars.drain(..too_many);
    }
}

fn bounds(found: &Found) -> Bounds {
    let [x1, y1, x2, y2] = found.bounds;
    Bounds { x1, y1, x2, y2 }
}

/// The part of the characters that two texts share, in order, of the longer one: 0 to 1.
fn likeness(a: &str, b: &str) -> f64 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut row: Vec<usize> = vec![0; b.len() + 1];
    for x in &a {
        let mut diagonal = 0;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = if x == y { diagonal + 1 } else { above.max(row[j]) };
            diagonal = above;
        }
    }
    row[b.len()] as f64 / a.len().max(b.len()).max(1) as f64
}

#[cfg(test)]
mod tests {
    use anpr::Kind;
    use cloud_core::ReadBy;

    use super::*;

    const SETTINGS: ModelSettings = ModelSettings {
        confidence_threshold: 0.35,
        iou_threshold: 0.45,
        max_detections: 32,
        tracking: true,
        tracking_threshold: 0.7,
        updated_at_ms: 0,
    };

    fn plate(text: &str, confidence: f64, x: f32) -> Found {
        Found {
            text: text.into(),
            confidence,
            characters: Vec::new(),
            alternatives: None,
            kind: Kind::Blue,
            score: 0.9,
            bounds: [x, 100.0, x + 100.0, 130.0],
            crop: Vec::new(),
            read_by: ReadBy::Local,
        }
    }

    /// The records that the frames make, as their numbers.
    fn records(frames: &[Vec<Found>], settings: &ModelSettings) -> usize {
        let mut tracker = Tracker::default();
        let mut records = 0;
        for (frame, plates) in (1..).zip(frames) {
            for sighting in tracker.see(frame, plates, settings) {
                if let Sighting::New(key) = sighting {
                    records += 1;
                    tracker.recorded(key, records);
                }
            }
        }
        usize::try_from(records).unwrap_or_default()
    }

    #[test]
    fn a_car_is_recorded_once_however_it_is_read() {
        let readings = ["", "京A12345", "京A1234S", "京A12345", "", "京A12345"];
        let frames: Vec<_> =
            (0..60).map(|i| vec![plate(readings[i % 6], 0.8, i as f32 * 10.0)]).collect();
        assert_eq!(records(&frames, &SETTINGS), 1);
    }

    #[test]
    fn a_car_that_comes_back_is_known_by_its_plate() {
        let mut frames = vec![vec![plate("京A12345", 0.9, 0.0)]];
        frames.extend((0..50).map(|_| Vec::new()));
        frames.push(vec![plate("京A12345", 0.9, 500.0)]);
        assert_eq!(records(&frames, &SETTINGS), 1);
    }

    #[test]
    fn cars_with_nearly_the_same_plate_in_one_frame_are_two() {
        let both = || vec![plate("京A12345", 0.9, 0.0), plate("京A12346", 0.9, 300.0)];
        assert_eq!(records(&[both(), both(), both()], &SETTINGS), 2);
    }

    #[test]
    fn another_car_at_the_same_place_is_another() {
        let frames = [vec![plate("京A12345", 0.9, 0.0)], vec![plate("粤B98Z71", 0.9, 0.0)]];
        assert_eq!(records(&frames, &SETTINGS), 2);
    }

    #[test]
    fn without_tracking_the_plate_alone_tells() {
        let apart = ModelSettings { tracking: false, ..SETTINGS };
        let frames = [vec![plate("京A12345", 0.9, 0.0)], vec![plate("京A1234S", 0.9, 0.0)]];
        assert_eq!((records(&frames, &SETTINGS), records(&frames, &apart)), (1, 2));
    }

    #[test]
    fn a_surer_reading_is_told_under_the_first_ones_number() {
        let mut tracker = Tracker::default();
        assert_eq!(tracker.see(1, &[plate("", 0.0, 0.0)], &SETTINGS), [Sighting::New(0)]);
        tracker.recorded(0, 42);
        let read = [plate("京A12345", 0.8, 5.0)];
        assert_eq!(tracker.see(2, &read, &SETTINGS), [Sighting::Better(42)]);
        assert_eq!(tracker.see(3, &read, &SETTINGS), [Sighting::Known]);
    }

    #[test]
    fn memory_is_bounded() {
        let mut tracker = Tracker::default();
        for frame in 0..3 * MOST_CARS as i64 {
            tracker.see(frame, &[plate(&format!("A{frame:06}"), 0.9, 0.0)], &SETTINGS);
        }
        assert!(tracker.cars.len() <= MOST_CARS);
    }
}
