//! One vehicle's plate out of its readings over many frames.
//!
//! Each reading votes with its confidence, character by character, so that a frame that lost one
//! character still helps with the others and a wrong frame is outvoted.

mod align;

use std::collections::HashMap;

use crate::{Kind, Reading, Region};
use align::{Slots, align};

/// Readings kept per vehicle; of more the surest stay. A vehicle that stands is seen for hours.
const MAX_READINGS: usize = 32;
/// Below this a reading is noise and has no vote.
const LEAST_CONFIDENCE: f32 = 0.02;
/// Frames of one vehicle err alike: each further agreeing one counts as this part of an independent
/// one.
const INDEPENDENCE: f32 = 0.5;

/// Gathers the readings of one vehicle.
#[derive(Debug, Clone, Default)]
pub struct Vote {
    readings: Vec<Reading>,
    seen: usize,
}

/// What the readings of one vehicle say together.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The plate.
    pub text: String,
    /// How likely the whole text is right, 0 to 1.
    pub confidence: f32,
    /// Its characters, each with its share of the vote, 0 to 1.
    pub characters: Vec<(char, f32)>,
    /// Readings that had a vote.
    pub readings: usize,
    /// How many of these say exactly this text.
    pub agreeing: usize,
    /// The plate's colour in most of them.
    pub kind: Kind,
    /// The region of those that agree.
    pub region: Option<Region>,
}

impl Vote {
    /// A vehicle that was not read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a frame's reading. Readings without text or confidence are counted as seen only.
    pub fn add(&mut self, reading: Reading) {
        self.seen += 1;
        if reading.text.is_empty() || reading.confidence < LEAST_CONFIDENCE {
            return;
        }
        self.readings.push(reading);
        if self.readings.len() > MAX_READINGS {
            let weakest = self.readings.iter().enumerate();
            let weakest = weakest.min_by(|a, b| a.1.confidence.total_cmp(&b.1.confidence));
            let weakest = weakest.map_or(0, |(index, _)| index);
            self.readings.swap_remove(weakest);
        }
    }

    /// Frames in which a plate was seen, readable or not.
    pub fn seen(&self) -> usize {
        self.seen
    }

    /// What the readings say together; nothing while there is none.
    pub fn outcome(&self) -> Option<Outcome> {
        let slots = self.slots()?;
        let characters = slots.winners();
        let text: String = characters.iter().map(|(character, _)| character).collect();
        let agree: Vec<&Reading> = self.readings.iter().filter(|r| r.text == text).collect();
        let share = characters.iter().map(|(_, share)| share).product();
        Some(Outcome {
            confidence: self.confidence(&agree, share),
            characters,
            readings: self.readings.len(),
            agreeing: agree.len(),
            kind: self.most_common(|reading| reading.kind),
            region: agree.first().and_then(|reading| reading.region),
            text,
        })
    }

    /// All readings aligned to the surest one of the length that has most votes.
    fn slots(&self) -> Option<Slots> {
        let mut lengths: HashMap<usize, f32> = HashMap::new();
        for reading in &self.readings {
            *lengths.entry(reading.positions.len()).or_default() += reading.confidence;
        }
        let votes = |length: usize| lengths[&length];
        let reference = self.readings.iter().max_by(|a, b| {
            let of = |r: &Reading| (votes(r.positions.len()), r.confidence);
            of(a).partial_cmp(&of(b)).unwrap_or(std::cmp::Ordering::Equal)
        })?;
        let mut slots = Slots::new(reference.positions.len());
        for reading in &self.readings {
            slots.add(&align(&reference.positions, &reading.positions), reading.confidence);
        }
        Some(slots)
    }

    /// The agreeing readings' mean confidence, lessened by those that disagree and raised by each
    /// further one that agrees. A text that no frame shows whole has no more than its characters'
    /// `share`.
    fn confidence(&self, agree: &[&Reading], share: f32) -> f32 {
        let sum = |of: &mut dyn Iterator<Item = f32>| of.sum::<f32>();
        let all = sum(&mut self.readings.iter().map(|r| r.confidence));
        let squares = |readings: &mut dyn Iterator<Item = &Reading>| {
            readings.map(|r| r.confidence * r.confidence).sum::<f32>()
        };
        if agree.is_empty() {
            return share * squares(&mut self.readings.iter()) / all;
        }
        let one = squares(&mut agree.iter().copied()) / all;
        let independent = 1.0 + INDEPENDENCE * (agree.len() - 1) as f32;
        1.0 - (1.0 - one.min(1.0)).powf(independent)
    }

    fn most_common(&self, of: impl Fn(&Reading) -> Kind) -> Kind {
        let mut votes: Vec<(Kind, f32)> = Vec::new();
        for reading in &self.readings {
            let kind = of(reading);
            match votes.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, sum)) => *sum += reading.confidence,
                None => votes.push((kind, reading.confidence)),
            }
        }
        let most = votes.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        most.map_or(Kind::Other, |(kind, _)| kind)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Bounds, Point, Position};

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

    fn vote(readings: &[(&str, f32)]) -> Outcome {
        let mut vote = Vote::new();
        for (text, confidence) in readings {
            vote.add(reading(text, *confidence));
        }
        vote.outcome().expect("there are readings")
    }

    #[test]
    fn a_wrong_frame_is_outvoted() {
        let outcome = vote(&[("京A12345", 0.8), ("津A12845", 0.9), ("京A12345", 0.7)]);
        assert_eq!((outcome.text.as_str(), outcome.agreeing, outcome.readings), ("京A12345", 2, 3));
        assert!(outcome.confidence < vote(&[("京A12345", 0.8), ("京A12345", 0.7)]).confidence);
    }

    #[test]
    fn frames_that_each_err_elsewhere_give_the_plate_that_none_shows() {
        let outcome = vote(&[("京A12346", 0.6), ("京A1Z345", 0.6), ("津A12345", 0.6)]);
        assert_eq!((outcome.text.as_str(), outcome.agreeing), ("京A12345", 0));
        assert!(outcome.confidence < 0.5);
    }

    #[test]
    fn a_lost_and_an_invented_character_do_not_shift_the_rest() {
        let outcome =
            vote(&[("京A1345", 0.7), ("京A12345", 0.8), ("京A123345", 0.5), ("京A12345", 0.4)]);
        assert_eq!((outcome.text.as_str(), outcome.agreeing), ("京A12345", 2));
    }

    #[test]
    fn what_a_frame_was_unsure_about_counts_for_both() {
        let mut unsure = reading("京A12O45", 0.5);
        unsure.positions[4].alternatives = vec![('O', 0.5), ('3', 0.5)];
        let mut votes = Vote::new();
        votes.add(unsure.clone());
        votes.add(unsure);
        votes.add(reading("京A12345", 0.4));
        assert_eq!(votes.outcome().expect("read").text, "京A12345");
    }

    #[test]
    fn agreement_raises_and_one_reading_keeps_its_confidence() {
        let one = vote(&[("京A12345", 0.8)]);
        let three = vote(&[("京A12345", 0.8); 3]);
        assert!((one.confidence - 0.8).abs() < 1e-4, "{}", one.confidence);
        assert!(three.confidence > 0.95 && three.confidence < 1.0);
    }

    #[test]
    fn a_vehicle_that_stands_for_hours_takes_no_more_memory() {
        let mut vote = Vote::new();
        for _ in 0..10_000 {
            vote.add(reading("京A12345", 0.5));
        }
        vote.add(reading("", 0.0));
        assert_eq!((vote.seen(), vote.readings.len()), (10_001, MAX_READINGS));
        assert_eq!(Vote::new().outcome(), None);
    }

    proptest! {
        #[test]
        fn any_readings_give_a_text_and_a_confidence_between_0_and_1(
            readings in prop::collection::vec(("[A-Z0-9京津]{0,10}", 0f32..=1.0), 0..40),
        ) {
            let mut vote = Vote::new();
            readings.iter().for_each(|(text, confidence)| vote.add(reading(text, *confidence)));
            if let Some(outcome) = vote.outcome() {
                prop_assert!((0.0..=1.0).contains(&outcome.confidence));
                prop_assert!(outcome.agreeing <= outcome.readings);
            }
        }
    }
}
