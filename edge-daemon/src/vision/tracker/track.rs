//! One plate that is followed.

use anpr::{Bounds, Outcome, Reading, Vote};

use super::{
    Verdict,
    place::{affinity, centre, width},
};

/// A plate that is in sight this long and not read counts as unreadable, in microseconds.
const UNREAD_AFTER_US: u64 = 1_500_000;
/// After a decision that is not certain, reading goes on for this long, in microseconds.
const IMPROVE_US: u64 = 3_000_000;
/// How often what is settled is read again, in microseconds.
const RECHECK_US: u64 = 5_000_000;
/// How often what was reported unread is read again, in microseconds.
const RETRY_US: u64 = 500_000;
/// A plate that grew by this factor since it was read is read again.
const CLOSER: f32 = 1.25;
/// Frames that a plate must be seen in to be reported unread: less is a trick of the light.
const LEAST_SEEN: u32 = 3;
/// A text that two readings agree on is worth saying after a while with this confidence.
const LEAST_GUESS: f32 = 0.3;
/// From this score of the detector on, what was never seen to move is a plate all the same.
const SURELY_A_PLATE: f32 = 0.7;
/// A vehicle's plate moves by this share of its width, or grows by it, while it arrives.
const ARRIVAL: f32 = 0.2;
/// From this confidence on nothing is improved.
const SETTLED: f32 = 0.97;
/// The same text nearer by must be this much surer than what was reported.
const CLEARLY: f32 = 0.1;
/// Another text must have this part, or less, of the doubt that there was about what was reported.
const LESS_DOUBT: f32 = 0.5;

/// What was said about a plate.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Nothing yet.
    Open,
    /// Nothing, and it is too small or seen too shortly to say that it is unreadable.
    Ignored,
    /// That it is unreadable.
    Unread,
    /// What it says.
    Read { text: String, confidence: f32, agreeing: usize, at_us: u64 },
}

/// One plate that is followed.
#[derive(Debug, Clone)]
pub struct Track<S> {
    pub passage: u64,
    pub revision: u32,
    pub state: State,
    pub vote: Vote,
    pub first_bounds: Bounds,
    pub last_seen_us: u64,
    /// Whether it was seen in the present frame.
    pub matched: bool,
    /// Frames since it was seen.
    pub missed: u32,
    bounds: Bounds,
    /// Pixels per microsecond.
    velocity: (f32, f32),
    pub first_seen_us: u64,
    /// Since when it is tried to read it.
    opened_us: u64,
    read_us: Option<u64>,
    read_bounds: Bounds,
    /// What the readings say so far.
    guess: Option<String>,
    frames: u32,
    /// The detector's best score.
    score: f32,
    /// The frame that shows it largest of those that it was read in.
    shot: Option<(Bounds, S)>,
}

impl<S: Clone> Track<S> {
    pub fn new(passage: u64, bounds: Bounds, now_us: u64) -> Self {
        Self {
            passage,
            revision: 0,
            state: State::Open,
            vote: Vote::new(),
            first_bounds: bounds,
            last_seen_us: now_us,
            matched: false,
            missed: 0,
            bounds,
            velocity: (0.0, 0.0),
            first_seen_us: now_us,
            opened_us: now_us,
            read_us: None,
            read_bounds: bounds,
            guess: None,
            frames: 0,
            score: 0.0,
            shot: None,
        }
    }

    /// Where it should be by now.
    pub fn expected(&self, now_us: u64) -> Bounds {
        let elapsed_us = now_us.saturating_sub(self.last_seen_us) as f32;
        let (dx, dy) = (self.velocity.0 * elapsed_us, self.velocity.1 * elapsed_us);
        let Bounds { x1, y1, x2, y2 } = self.bounds;
        Bounds { x1: x1 + dx, y1: y1 + dy, x2: x2 + dx, y2: y2 + dy }
    }

    /// Whether a plate at `bounds` stands where this one stood last.
    pub fn was_near(&self, bounds: &Bounds) -> bool {
        affinity(&self.bounds, bounds) > 0.0
    }

    /// What it says, as far as is known.
    pub fn text(&self) -> Option<&str> {
        match &self.state {
            State::Read { text, .. } => Some(text),
            _ => self.guess.as_deref(),
        }
    }

    /// Whether reading it at `bounds` may tell anything new.
    pub fn wants(&self, bounds: &Bounds, now_us: u64) -> bool {
        let interval_us = if self.state == State::Unread { RETRY_US } else { RECHECK_US };
        let is_stale = self.read_us.is_none_or(|at| now_us.saturating_sub(at) >= interval_us);
        let came_back = self.missed > 0;
        self.is_reading(now_us) || is_stale || came_back || self.came_closer(bounds)
    }

    fn came_closer(&self, bounds: &Bounds) -> bool {
        let is_read = matches!(self.state, State::Read { .. });
        !is_read && width(bounds) > CLOSER * width(&self.read_bounds)
    }

    /// Whether it is in sight and still to be read.
    pub fn is_reading(&self, now_us: u64) -> bool {
        let unsettled = match &self.state {
            State::Open => true,
            State::Ignored | State::Unread => false,
            State::Read { confidence, at_us, .. } => {
                *confidence < SETTLED && now_us.saturating_sub(*at_us) < IMPROVE_US
            }
        };
        unsettled && self.missed == 0
    }

    /// It is seen in the present frame.
    pub fn see(&mut self, bounds: Bounds, now_us: u64) {
        let elapsed_us = now_us.saturating_sub(self.last_seen_us) as f32;
        if elapsed_us > 0.0 {
            let (from, to) = (centre(&self.bounds), centre(&bounds));
            self.velocity = ((to.0 - from.0) / elapsed_us, (to.1 - from.1) / elapsed_us);
        }
        if self.state == State::Ignored && self.came_closer(&bounds) {
            (self.state, self.opened_us) = (State::Open, now_us);
        }
        self.bounds = bounds;
        self.last_seen_us = now_us;
        (self.matched, self.missed) = (true, 0);
        self.frames = self.frames.saturating_add(1);
    }

    /// It was read in the present frame.
    pub fn read(&mut self, reading: Reading, shot: &S, now_us: u64) {
        (self.read_us, self.read_bounds) = (Some(now_us), self.bounds);
        self.score = self.score.max(reading.score);
        self.vote.add(reading);
        self.guess = self.vote.outcome().map(|outcome| outcome.text);
        if self.shot.as_ref().is_none_or(|(largest, _)| width(&self.bounds) >= width(largest)) {
            self.shot = Some((self.bounds, shot.clone()));
        }
    }

    /// What is to be said now that the vote is decided, if it is new or better.
    pub fn conclude(&mut self, outcome: Outcome, shot: &S, now_us: u64) -> Option<Verdict<S>> {
        match &mut self.state {
            State::Open | State::Ignored => {}
            State::Unread => self.revision += 1,
            State::Read { text, confidence, agreeing, .. } => {
                let is_same = *text == outcome.text;
                let is_surer = if is_same {
                    outcome.confidence >= *confidence + CLEARLY
                } else {
                    1.0 - outcome.confidence <= (1.0 - *confidence) * LESS_DOUBT
                };
                if !is_surer || outcome.agreeing <= *agreeing {
                    if is_same {
                        *agreeing = outcome.agreeing.max(*agreeing);
                    }
                    return None;
                }
                self.revision += 1;
            }
        }
        self.state = State::Read {
            text: outcome.text.clone(),
            confidence: outcome.confidence,
            agreeing: outcome.agreeing,
            at_us: now_us,
        };
        Some(Verdict {
            passage: self.passage,
            revision: self.revision,
            seen: self.vote.seen(),
            outcome: Some(outcome),
            bounds: self.bounds,
            shot: shot.clone(),
        })
    }

    /// Whether it was tried for long enough, also by a machine that takes seconds for a frame.
    pub fn is_overdue(&self, now_us: u64) -> bool {
        let tried_long = now_us.saturating_sub(self.opened_us) >= UNREAD_AFTER_US;
        tried_long && self.frames >= LEAST_SEEN
    }

    /// Whether it came on a vehicle, or is a plate beyond doubt: signs, windows and the boom stand
    /// in every picture and look like a plate to some degree.
    fn is_vehicles(&self) -> bool {
        let (from, to) = (centre(&self.first_bounds), centre(&self.bounds));
        let first_width = width(&self.first_bounds).max(1.0);
        let moved = (from.0 - to.0).hypot(from.1 - to.1) / first_width;
        let grown = width(&self.bounds) / first_width - 1.0;
        self.score >= SURELY_A_PLATE || moved.max(grown) >= ARRIVAL
    }

    /// Says what it may be, or that it is unread, if it is a vehicle's, large enough, and was seen
    /// long enough.
    pub fn give_up(
        &mut self,
        may_report: bool,
        min_plate_px: f32,
        now_us: u64,
    ) -> Option<Verdict<S>> {
        self.state = State::Ignored;
        let is_plain = |(largest, _): &(Bounds, S)| width(largest) >= min_plate_px;
        let plain = self.shot.clone().filter(is_plain);
        let (bounds, shot) =
            plain.filter(|_| may_report && self.frames >= LEAST_SEEN && self.is_vehicles())?;
        let is_guess = |o: &Outcome| o.agreeing >= 2 && o.confidence >= LEAST_GUESS;
        if let Some(guess) = self.vote.outcome().filter(is_guess) {
            let verdict = self.conclude(guess, &shot, now_us)?;
            return Some(Verdict { bounds, ..verdict });
        }
        self.state = State::Unread;
        Some(Verdict {
            passage: self.passage,
            revision: self.revision,
            outcome: None,
            seen: self.vote.seen(),
            bounds,
            shot,
        })
    }
}
