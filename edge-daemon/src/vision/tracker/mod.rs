//! Follows plates over frames and says once what each passing vehicle's plate is.
//!
//! Pure: plates with their readings and the monotonic time go in, sightings come out. A vehicle is
//! reported as soon as two readings agree or one is certain; one that stays unread is reported as
//! such. What is said about a passage may become better later, under the same number; it is never
//! said twice. A vehicle that stays is read rarely, and a plate that is lost from sight for a few
//! seconds and comes back is still the same passage.

mod place;
mod track;

#[cfg(test)]
mod tests;

use anpr::{Bounds, Outcome, Reading};

use super::config::RecognitionConfig;
use place::{affinity, alike, differ};
use track::{State, Track};

/// A plate that is not seen for this long is gone, in microseconds.
const LOST_AFTER_US: u64 = 700_000;
/// A plate that comes back within this time is the same passage, in microseconds.
const SAME_PASSAGE_US: u64 = 8_000_000;
/// What is unread and was in sight together with a plate that was read is not reported before the
/// latter is gone for this long, in microseconds: it is a sticker or a part of the same vehicle.
const BESIDE_US: u64 = 2_000_000;
/// From this confidence on a reading shows another vehicle in a place without it having been empty.
const SURELY_OTHER: f32 = 0.5;
/// Most plates of one frame that are followed.
const MAX_TRACKS: usize = 32;

/// A plate in a frame.
#[derive(Debug, Clone)]
pub struct Plate {
    /// Where it is, in pixels.
    pub bounds: Bounds,
    /// What it says, where it was read in this frame.
    pub reading: Option<Reading>,
}

/// What is known about a vehicle from now on.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict<S> {
    /// The passage.
    pub passage: u64,
    /// 0 at first; a higher one replaces what was said before.
    pub revision: u32,
    /// What the plate says; none where it could not be read.
    pub outcome: Option<Outcome>,
    /// Frames in which the plate was read or tried.
    pub seen: usize,
    /// Where the plate is in the deciding frame, in pixels.
    pub bounds: Bounds,
    /// The deciding frame.
    pub shot: S,
}

/// Follows the plates of one camera. `S` is what is kept of a frame.
#[derive(Debug)]
pub struct Tracker<S> {
    config: RecognitionConfig,
    tracks: Vec<Track<S>>,
    /// Tracks that ended a moment ago.
    gone: Vec<Track<S>>,
    next_passage: u64,
}

impl<S: Clone> Tracker<S> {
    /// Nothing is seen yet; passages are numbered from `first_passage` on.
    pub fn new(config: RecognitionConfig, first_passage: u64) -> Self {
        Self { config, tracks: Vec::new(), gone: Vec::new(), next_passage: first_passage }
    }

    /// Whether reading the plate at `bounds` may tell anything new.
    pub fn wants(&self, bounds: &Bounds, now_us: u64) -> bool {
        let matching = self.tracks.iter().map(|t| (t, affinity(&t.expected(now_us), bounds)));
        let best = matching.max_by(|a, b| a.1.total_cmp(&b.1));
        match best {
            Some((track, affinity)) if affinity > 0.0 => track.wants(bounds, now_us),
            _ => true,
        }
    }

    /// Whether a plate in sight is still to be read, so that every frame counts.
    pub fn is_reading(&self, now_us: u64) -> bool {
        self.tracks.iter().any(|track| track.is_reading(now_us))
    }

    /// Takes the plates of a frame. There must be a `shot` where any of them was read.
    pub fn observe(
        &mut self,
        now_us: u64,
        shot: Option<&S>,
        plates: Vec<Plate>,
    ) -> Vec<Verdict<S>> {
        let mut verdicts = Vec::new();
        for track in &mut self.tracks {
            track.matched = false;
        }
        for plate in plates {
            let Some(index) = self.track_of(&plate, now_us) else { continue };
            self.tracks[index].see(plate.bounds, now_us);
            if let Some((reading, shot)) = plate.reading.zip(shot) {
                self.tracks[index].read(reading, shot, now_us);
                verdicts.extend(self.judge(index, shot, now_us));
            }
        }
        for track in &mut self.tracks {
            track.missed += u32::from(!track.matched);
        }
        verdicts.extend(self.tick(now_us));
        verdicts
    }

    /// Takes a frame that shows nothing new: what was in sight still is.
    pub fn unchanged(&mut self, now_us: u64) -> Vec<Verdict<S>> {
        for track in self.tracks.iter_mut().filter(|track| track.missed == 0) {
            track.last_seen_us = now_us;
        }
        self.tick(now_us)
    }

    /// Ends all tracks: no more frames come.
    pub fn finish(&mut self, now_us: u64) -> Vec<Verdict<S>> {
        self.tick(now_us.saturating_add(LOST_AFTER_US + 1))
    }

    /// The track that a plate belongs to, which may be a new one; none where there are too many.
    fn track_of(&mut self, plate: &Plate, now_us: u64) -> Option<usize> {
        let candidates = self.tracks.iter().enumerate().filter(|(_, track)| !track.matched);
        let scored = candidates.filter_map(|(index, track)| {
            let near = affinity(&track.expected(now_us), &plate.bounds);
            let reading = plate.reading.as_ref().filter(|reading| !reading.text.is_empty());
            match track.text().zip(reading) {
                Some((known, reading)) if known == reading.text => Some((index, 10.0 + near)),
                Some((known, reading)) if is_other(track, known, reading) => None,
                _ => (near > 0.0).then_some((index, near)),
            }
        });
        if let Some((index, _)) = scored.max_by(|a, b| a.1.total_cmp(&b.1)) {
            return Some(index);
        }
        if self.tracks.len() == MAX_TRACKS {
            return None;
        }
        self.tracks.push(Track::new(self.next_passage, plate.bounds, now_us));
        self.next_passage += 1;
        Some(self.tracks.len() - 1)
    }

    /// What a new reading of a track leads to.
    fn judge(&mut self, index: usize, shot: &S, now_us: u64) -> Option<Verdict<S>> {
        let outcome = self.tracks[index].vote.outcome().filter(|o| self.is_decided(o))?;
        if let State::Open = self.tracks[index].state
            && let Some(earlier) = self.earlier(index, &outcome.text)
        {
            // The same vehicle again: it goes on with the passage that it had.
            let track = &mut self.tracks[index];
            (track.passage, track.revision, track.state) = earlier;
        }
        self.tracks[index].conclude(outcome, shot, now_us)
    }

    fn is_decided(&self, outcome: &Outcome) -> bool {
        outcome.confidence >= self.config.certain
            || (outcome.agreeing >= 2 && outcome.confidence >= self.config.plausible)
    }

    /// The passage of the same vehicle under another track, if there is one.
    fn earlier(&self, index: usize, text: &str) -> Option<(u64, u32, State)> {
        let track = &self.tracks[index];
        let others = self.tracks.iter().enumerate().filter(|(other, _)| *other != index);
        let others = others.map(|(_, other)| other).chain(&self.gone);
        let same = |other: &&Track<S>| match &other.state {
            State::Read { text: known, .. } => {
                known == text || (alike(known, text) && other.was_near(&track.first_bounds))
            }
            // An unread plate was reported here a moment ago: now it is read.
            State::Unread => other.missed > 0 && other.was_near(&track.first_bounds),
            State::Open | State::Ignored => false,
        };
        let earlier = others.filter(same).max_by_key(|other| other.last_seen_us)?;
        Some((earlier.passage, earlier.revision, earlier.state.clone()))
    }

    /// Lets time pass: reports what stays unread, and forgets what is gone.
    pub fn tick(&mut self, now_us: u64) -> Vec<Verdict<S>> {
        let is_gone = |track: &Track<S>| now_us.saturating_sub(track.last_seen_us) > LOST_AFTER_US;
        let read_until: Vec<u64> = self
            .tracks
            .iter()
            .chain(&self.gone)
            .filter(|track| matches!(track.state, State::Read { .. }))
            .map(|track| track.last_seen_us)
            .filter(|&until| now_us.saturating_sub(until) < BESIDE_US)
            .collect();
        let mut verdicts = Vec::new();
        for track in &mut self.tracks {
            let is_unsaid = matches!(track.state, State::Open | State::Ignored);
            if is_unsaid && (is_gone(track) || track.is_overdue(now_us)) {
                let alone = read_until.iter().all(|&until| until < track.first_seen_us);
                verdicts.extend(track.give_up(alone, self.config.min_plate_px, now_us));
            }
        }
        let (gone, tracks): (Vec<_>, _) = self.tracks.drain(..).partition(is_gone);
        self.tracks = tracks;
        self.gone.extend(gone);
        self.gone.retain(|track| now_us.saturating_sub(track.last_seen_us) <= SAME_PASSAGE_US);
        verdicts
    }
}

/// Whether a reading shows that another vehicle stands where this one stood.
fn is_other<S>(track: &Track<S>, known: &str, reading: &Reading) -> bool {
    let was_empty = track.missed > 0;
    let is_settled = matches!(track.state, State::Read { .. });
    let is_sure = is_settled && reading.confidence >= SURELY_OTHER;
    (was_empty || is_sure) && differ(known, &reading.text)
}
