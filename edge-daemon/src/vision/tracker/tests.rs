//! Scripted lanes: what the camera's frames would be read as, and what must come of it.

#![allow(clippy::unwrap_used)]

use anpr::{Kind, Point, Position, Region};

use super::*;

const FRAME_US: u64 = 100_000;

fn at(x: f32, width: f32) -> Bounds {
    Bounds { x1: x, y1: 300.0, x2: x + width, y2: 300.0 + width / 3.0 }
}

fn reading(text: &str, confidence: f32) -> Reading {
    let each = confidence.powf(1.0 / text.chars().count().max(1) as f32);
    let position = |character| Position {
        character,
        probability: each,
        alternatives: vec![(character, each)],
    };
    Reading {
        text: text.to_owned(),
        confidence,
        positions: text.chars().map(position).collect(),
        corners: [Point::default(); 4],
        bounds: Bounds::default(),
        score: 0.9,
        kind: Kind::Blue,
        region: Some(Region::Cn),
    }
}

/// A lane with a tracker, frame by frame at 10 a second. The shot of a frame is its number.
struct Lane {
    tracker: Tracker<u64>,
    frame: u64,
    frame_us: u64,
    /// Plates that were read, each a few milliseconds of the machine.
    reads: usize,
    /// How much of a plate the detector takes everything for.
    score: f32,
    said: Vec<Verdict<u64>>,
}

impl Lane {
    fn new() -> Self {
        let tracker = Tracker::new(RecognitionConfig::default(), 1);
        Self { tracker, frame: 0, frame_us: FRAME_US, reads: 0, score: 0.9, said: Vec::new() }
    }

    /// A frame with plates; each is read if the tracker wants it.
    fn frame(&mut self, plates: &[(Bounds, &str, f32)]) {
        self.frame += 1;
        let now_us = self.frame * self.frame_us;
        let mut seen = Vec::new();
        for (bounds, text, confidence) in plates {
            let wanted = self.tracker.wants(bounds, now_us);
            self.reads += usize::from(wanted);
            let reading =
                wanted.then(|| Reading { score: self.score, ..reading(text, *confidence) });
            seen.push(Plate { bounds: *bounds, reading });
        }
        let said = self.tracker.observe(now_us, Some(&self.frame), seen);
        self.said.extend(said);
    }

    fn frames(&mut self, count: usize, plates: &[(Bounds, &str, f32)]) {
        (0..count).for_each(|_| self.frame(plates));
    }

    /// A vehicle that drives up from 60 to 180 px of plate, and out of the picture.
    fn drive_through(&mut self, text: &str, confidence: f32) {
        for step in 0..12u8 {
            let step = f32::from(step);
            self.frame(&[(at(200.0 + 30.0 * step, 60.0 + 10.0 * step), text, confidence)]);
        }
        self.frames(10, &[]);
    }

    /// What was said: passage, revision, text (`?` for unread).
    fn said(&self) -> Vec<(u64, u32, &str)> {
        let said = self.said.iter();
        said.map(|v| (v.passage, v.revision, v.outcome.as_ref().map_or("?", |o| &o.text))).collect()
    }

    fn texts(&self) -> Vec<&str> {
        self.said().into_iter().map(|(.., text)| text).collect()
    }
}

#[test]
fn two_agreeing_readings_make_a_sighting_at_once_and_only_one() {
    let mut lane = Lane::new();
    lane.frame(&[(at(100.0, 100.0), "皖A12345", 0.9)]);
    assert!(lane.said.is_empty());
    lane.frame(&[(at(110.0, 105.0), "皖A12345", 0.9)]);
    assert_eq!(lane.said(), [(1, 0, "皖A12345")]);
    assert_eq!((lane.said[0].shot, lane.said[0].bounds), (2, at(110.0, 105.0)));
    lane.frames(50, &[(at(115.0, 107.0), "皖A12345", 0.9)]);
    lane.frames(20, &[]);
    assert_eq!(lane.said.len(), 1);
}

#[test]
fn one_certain_reading_is_enough_and_one_that_is_not_is_not() {
    let mut lane = Lane::new();
    lane.frame(&[(at(100.0, 100.0), "皖A12345", 0.995)]);
    assert_eq!(lane.texts(), ["皖A12345"]);
    let mut lane = Lane::new();
    lane.frame(&[(at(100.0, 100.0), "皖A12345", 0.9)]);
    lane.frames(20, &[]);
    assert!(lane.said.is_empty(), "one glimpse is neither a reading nor an unreadable plate");
}

#[test]
fn each_car_of_a_day_is_said_once() {
    let mut lane = Lane::new();
    let plates: Vec<String> = (0..200).map(|i| format!("皖A{:05}", i * 7919 % 100_000)).collect();
    for plate in &plates {
        lane.drive_through(plate, 0.8);
    }
    assert_eq!(lane.texts(), plates);
    assert!(lane.reads < plates.len() * 13, "{} reads", lane.reads);
}

#[test]
fn a_parked_car_is_said_once_and_read_rarely() {
    let mut lane = Lane::new();
    lane.frames(6_000, &[(at(100.0, 100.0), "皖A12345", 0.99)]);
    assert_eq!(lane.texts(), ["皖A12345"]);
    assert!(lane.reads < 150, "{} reads in ten minutes", lane.reads);
}

#[test]
fn a_plate_that_is_lost_for_seconds_is_the_same_passage() {
    let mut lane = Lane::new();
    for _ in 0..5 {
        lane.frames(10, &[(at(100.0, 100.0), "皖A12345", 0.9)]);
        lane.frames(30, &[]);
    }
    // With a character misread when it comes back.
    lane.frames(10, &[(at(120.0, 100.0), "皖A1234S", 0.9)]);
    assert_eq!(lane.texts(), ["皖A12345"]);
    lane.frames(100, &[]);
    lane.frames(10, &[(at(100.0, 100.0), "皖A12345", 0.9)]);
    assert_eq!(lane.texts(), ["皖A12345", "皖A12345"], "ten seconds later it is another passage");
    assert_ne!(lane.said[0].passage, lane.said[1].passage);
}

#[test]
fn the_next_car_in_the_same_place_is_another_one() {
    let mut lane = Lane::new();
    for plate in ["皖A12345", "京B98765", "沪C55555"] {
        lane.frames(4, &[(at(100.0, 100.0), plate, 0.95)]);
        lane.frames(2, &[]);
    }
    assert_eq!(lane.texts(), ["皖A12345", "京B98765", "沪C55555"]);
}

#[test]
fn a_plate_that_stays_unread_is_said_and_read_after_all_later() {
    let mut lane = Lane::new();
    lane.frames(14, &[(at(100.0, 100.0), "", 0.0)]);
    assert!(lane.said.is_empty());
    lane.frames(20, &[(at(100.0, 100.0), "", 0.0)]);
    assert_eq!(lane.said(), [(1, 0, "?")]);
    lane.frames(20, &[(at(105.0, 100.0), "皖A12345", 0.9)]);
    assert_eq!(lane.said(), [(1, 0, "?"), (1, 1, "皖A12345")]);
}

#[test]
fn what_stands_in_every_picture_and_is_hardly_a_plate_is_no_vehicle() {
    let mut lane = Lane { score: 0.5, ..Lane::new() };
    lane.frames(100, &[(at(100.0, 100.0), "X7Y", 0.0)]);
    assert!(lane.said.is_empty());
    lane.drive_through("", 0.0);
    assert_eq!(lane.texts(), ["?"]);
}

#[test]
fn what_stays_doubtful_is_said_after_a_while_with_its_doubt() {
    let mut lane = Lane::new();
    lane.frames(2, &[(at(100.0, 100.0), "皖A12345", 0.35)]);
    lane.frames(12, &[(at(100.0, 100.0), "", 0.0)]);
    assert!(lane.said.is_empty());
    lane.frames(10, &[(at(100.0, 100.0), "", 0.0)]);
    assert_eq!(lane.said(), [(1, 0, "皖A12345")]);
}

#[test]
fn a_car_that_passes_unread_is_said_with_its_largest_picture() {
    let mut lane = Lane::new();
    lane.drive_through("", 0.0);
    assert_eq!(lane.texts(), ["?"]);
    assert_eq!((lane.said[0].shot, lane.said[0].seen), (12, 12));
}

#[test]
fn what_is_far_away_is_not_called_unreadable_until_it_came_close() {
    let mut lane = Lane::new();
    lane.frames(100, &[(at(100.0, 40.0), "", 0.0)]);
    assert!(lane.said.is_empty());
    assert!(lane.reads < 30, "{} reads", lane.reads);
    for step in 0..40u8 {
        lane.frame(&[(at(100.0, 40.0 + 2.0 * f32::from(step)), "", 0.0)]);
    }
    lane.frames(15, &[(at(100.0, 120.0), "", 0.0)]);
    assert_eq!(lane.texts(), ["?"]);
}

#[test]
fn a_sticker_beside_a_plate_is_no_second_car() {
    let mut lane = Lane::new();
    let both = [(at(100.0, 100.0), "皖A12345", 0.9), (at(400.0, 100.0), "", 0.0)];
    lane.frames(40, &both);
    lane.frames(1, &both[1..]);
    lane.frames(30, &[]);
    assert_eq!(lane.texts(), ["皖A12345"]);
}

#[test]
fn a_better_reading_replaces_a_doubtful_one_under_its_number() {
    let mut lane = Lane::new();
    lane.frames(2, &[(at(100.0, 100.0), "皖A1Z345", 0.87)]);
    lane.frames(8, &[(at(100.0, 100.0), "皖A12345", 0.97)]);
    lane.frames(30, &[]);
    let said = lane.said();
    assert_eq!(said[0], (1, 0, "皖A1Z345"));
    assert!(said.iter().all(|(passage, ..)| *passage == 1));
    assert!(said[1..].iter().all(|(.., text)| *text == "皖A12345") && said.len() > 1);
}

#[test]
fn a_doubtful_reading_is_said_again_when_the_car_came_nearer_and_it_is_sure() {
    let config = RecognitionConfig { plausible: 0.3, ..RecognitionConfig::default() };
    let mut lane = Lane { tracker: Tracker::new(config, 1), ..Lane::new() };
    lane.frames(2, &[(at(100.0, 60.0), "皖A12345", 0.35)]);
    lane.frames(10, &[(at(110.0, 90.0), "皖A12345", 0.96)]);
    assert_eq!(lane.said()[..2], [(1, 0, "皖A12345"), (1, 1, "皖A12345")]);
    let last = lane.said.last().unwrap().outcome.as_ref().unwrap().confidence;
    assert!(last > 0.85, "{last}");
    let count = lane.said.len();
    lane.frames(50, &[(at(110.0, 90.0), "皖A12345", 0.96)]);
    assert_eq!(lane.said.len(), count, "a car that stands there is not said again");
}

#[test]
fn a_machine_that_takes_seconds_for_a_frame_still_reads() {
    let mut lane = Lane { frame_us: 30 * FRAME_US, ..Lane::new() };
    lane.frames(1, &[(at(100.0, 100.0), "", 0.0)]);
    lane.frames(2, &[(at(100.0, 100.0), "皖A12345", 0.6)]);
    lane.frames(2, &[]);
    assert_eq!(lane.texts(), ["皖A12345"]);
}

#[test]
fn two_cars_side_by_side_are_two() {
    let mut lane = Lane::new();
    lane.frames(10, &[(at(100.0, 90.0), "皖A12345", 0.9), (at(600.0, 90.0), "京B98765", 0.9)]);
    assert_eq!(lane.texts(), ["皖A12345", "京B98765"]);
}

#[test]
fn a_still_picture_keeps_what_is_in_it() {
    let mut lane = Lane::new();
    lane.frames(2, &[(at(100.0, 100.0), "皖A12345", 0.9)]);
    for _ in 0..600 {
        lane.frame += 1;
        let said = lane.tracker.unchanged(lane.frame * FRAME_US);
        assert!(said.is_empty());
    }
    lane.frame(&[(at(100.0, 100.0), "皖A12345", 0.9)]);
    assert_eq!(lane.texts(), ["皖A12345"]);
}

#[test]
fn a_folder_that_ends_says_what_was_unread() {
    let mut lane = Lane::new();
    lane.frames(4, &[(at(100.0, 100.0), "", 0.0)]);
    let said = lane.tracker.finish(lane.frame * FRAME_US);
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].outcome, None);
}

#[test]
fn a_picture_full_of_plates_is_bounded() {
    let mut lane = Lane::new();
    for frame in 0..50u16 {
        let offset = f32::from(frame % 2) * 1000.0;
        let plates: Vec<_> =
            (0..200u16).map(|i| (at(offset + f32::from(i) * 500.0, 100.0), "", 0.0)).collect();
        lane.frame(&plates);
    }
    assert!(lane.tracker.tracks.len() <= MAX_TRACKS);
    assert!(lane.tracker.gone.len() <= 20 * MAX_TRACKS);
}
