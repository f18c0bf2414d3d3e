//! One lane: who is let through, and what follows when somebody drives through.
//!
//! Authorisations form a queue; the arm stays up until it is empty. Open is not passed: a stay
//! begins or ends at the trailing edge of the safety loop. Whoever does not drive through in time
//! has not passed, and the arm comes down.

mod alarm;
mod decide;
mod passing;
mod request;

use domain::{
    event::Decision,
    ids::{DecisionId, LaneId},
};
use serde::Serialize;

use self::alarm::Alarm;
use super::{
    authorisation::{Authorisation, is_for_a_vehicle},
    barrier::{Barrier, News},
    config::{Closing, LaneConfig},
    input::{Arm, Input, Sighting},
    recent::Recent,
    turn::Turn,
};

#[derive(Debug, Clone)]
pub(super) struct Lane {
    config: LaneConfig,
    barrier: Barrier,
    /// Who may drive through, in the order in which they will.
    queue: Vec<Authorisation>,
    recent: Recent,
    /// The vehicle that was refused last and is taken to stand at the barrier.
    waiting: Option<Sighting>,
    alarm: Option<Alarm>,
}

/// How a lane is, for people who watch it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LaneView {
    /// The lane.
    pub lane: LaneId,
    /// Whether its barrier answers.
    pub online: bool,
    /// Where the arm is: `closed`, `opening`, `open`, `closing`, `stopped`, `fault`, `unknown`.
    pub arm: &'static str,
    /// Whether something is under the arm.
    pub occupied: bool,
    /// What is wrong with the barrier, as [`Fact::LaneFault`](domain::event::Fact) names it.
    pub faults: Vec<&'static str>,
    /// How many vehicles may drive through.
    pub authorised: usize,
    /// The plate of the refused vehicle that is taken to stand at the barrier.
    pub waiting: Option<String>,
    /// Whether fire or power loss hold it open.
    pub held_open: bool,
}

impl Lane {
    pub fn new(config: LaneConfig) -> Self {
        Self {
            config,
            barrier: Barrier::default(),
            queue: Vec::new(),
            recent: Recent::default(),
            waiting: None,
            alarm: None,
        }
    }

    pub fn config(&self) -> &LaneConfig {
        &self.config
    }

    /// Goes by another configuration of the same lane from now on.
    pub fn configure(&mut self, config: LaneConfig) {
        self.config = config;
    }

    /// How many vehicles may drive through.
    pub fn authorised(&self) -> usize {
        self.queue.len()
    }

    /// Takes up a decision to open from before the program stopped. Its command was sent or was
    /// not; it is not sent again. The vehicle may just be driving through.
    pub fn resume(&mut self, decision: &Decision, decided_ms: u64, now_ms: u64) {
        self.barrier.assume_raised_by(decision.id);
        let open_for_ms = self.open_ms() + self.pass_ms();
        if is_for_a_vehicle(decision) && now_ms.saturating_sub(decided_ms) <= open_for_ms {
            let lapses_ms = now_ms + self.pass_ms();
            let mut authorisation = Authorisation::of(decision, None, lapses_ms);
            authorisation.commanded_ms = Some(decided_ms);
            authorisation.resumed = true;
            self.authorise(authorisation);
        }
    }

    /// The arm may be up for this decision since before the program stopped.
    pub fn assume_raised_by(&mut self, decision: DecisionId) {
        self.barrier.assume_raised_by(decision);
    }

    pub fn step(&mut self, input: Input, turn: &mut Turn) {
        match input {
            Input::Sighting(sighting) => self.see(*sighting, turn),
            Input::Request(by) => self.request(by, turn),
            Input::Barrier(report) => {
                let news = self.barrier.report(report, &self.config, turn);
                self.hear(news, turn);
            }
            Input::Result(result) => {
                let news = self.barrier.result(result, &self.config, turn);
                self.hear(news, turn);
            }
            Input::Tick => {}
        }
        self.settle(turn);
    }

    fn hear(&mut self, news: Option<News>, turn: &mut Turn) {
        match news {
            Some(News::Passed) => self.passed(turn),
            Some(News::LeftFront) => self.waiting = None,
            Some(News::Usable) => self.reconsider(turn),
            Some(News::Up) => self.is_up(turn.now_ms()),
            Some(News::NotMoved(decision)) => self.withdraw(decision),
            Some(News::Obstructed) => self.reopen(turn),
            None => {}
        }
    }

    /// Brings what the barrier does in line with what is wanted of it.
    pub fn settle(&mut self, turn: &mut Turn) {
        let news = self.barrier.tick(&self.config, turn);
        self.hear(news, turn);
        self.lapse(turn);
        self.follow_alarms(turn);
        self.open_for_the_next(turn);
        if self.wants_close() {
            self.barrier.close_where_safe(&self.config, turn);
        }
    }

    fn wants_close(&self) -> bool {
        self.config.close == Closing::Command && self.queue.is_empty() && !self.is_held_open()
    }

    /// When the lane wants to be stepped at the latest, on the monotonic clock in milliseconds.
    pub fn next_deadline(&self) -> Option<u64> {
        let lapses = self.queue.iter().map(|authorisation| self.lapses_ms(authorisation)).min();
        let barrier = self.barrier.next_deadline(&self.config, self.wants_close());
        let alarm = self.alarm_deadline();
        [lapses.filter(|_| !self.barrier.is_occupied()), barrier, alarm].into_iter().flatten().min()
    }

    pub fn view(&self, now_ms: u64) -> LaneView {
        let waiting = self.waiting.as_ref().filter(|vehicle| self.still_waits(vehicle, now_ms));
        LaneView {
            lane: self.config.id.clone(),
            online: self.barrier.is_online(),
            arm: arm_name(self.barrier.arm()),
            occupied: self.barrier.is_occupied(),
            faults: self.barrier.faults().collect(),
            authorised: self.queue.len(),
            waiting: waiting.map(|vehicle| vehicle.plate.text.clone()),
            held_open: self.is_held_open(),
        }
    }

    /// The vehicle that waits; one that was seen too long ago has gone.
    fn take_waiting(&mut self, now_ms: u64) -> Option<Sighting> {
        self.waiting.take().filter(|vehicle| self.still_waits(vehicle, now_ms))
    }

    fn still_waits(&self, vehicle: &Sighting, now_ms: u64) -> bool {
        now_ms < vehicle.arrived_ms + u64::from(self.config.wait_s) * 1000
    }

    fn open_ms(&self) -> u64 {
        u64::from(self.config.open_timeout_s) * 1000
    }

    fn pass_ms(&self) -> u64 {
        u64::from(self.config.pass_timeout_s) * 1000
    }
}

fn arm_name(arm: Option<Arm>) -> &'static str {
    match arm {
        None => "unknown",
        Some(Arm::Closed) => "closed",
        Some(Arm::Opening) => "opening",
        Some(Arm::Open) => "open",
        Some(Arm::Closing) => "closing",
        Some(Arm::Stopped) => "stopped",
        Some(Arm::Fault) => "fault",
    }
}
