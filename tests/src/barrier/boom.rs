//! The barrier's hardware: the arm, its two loops, a button, and the vehicles that come. Pure.

use edge_daemon::controller::mqtt::payload::barrier::{
    CLOSE, Info, KIND, OPEN, Refusal as Reason, State,
};
use firmware_protocol::barrier::{Action, Arm, Power, Refusal, Reply, Status};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    mechanics::{Mechanics, Movement, Timing},
    vehicle::Vehicles,
};
use crate::device::{Hardware, Head};

/// How often a barrier tells its state when nothing changes, in milliseconds.
const HEARTBEAT_MS: u64 = 1_000;
/// Happenings that are kept until somebody takes them.
const MAX_HAPPENINGS: usize = 10_000;

/// Something that a person beside the barrier could see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// A command came and was answered.
    Command {
        /// What it asked for.
        action: Action,
        /// The answer.
        reply: Reply,
    },
    /// The arm is there now.
    Arm(Arm),
    /// Something came under the arm, or left.
    UnderArm(bool),
    /// Something came in front of the arm, or left.
    InFront(bool),
}

/// What stands at one lane.
#[derive(Debug)]
pub struct Boom {
    /// Its fire input.
    pub fire: bool,
    /// What it runs on.
    pub power: Power,
    mechanics: Mechanics,
    vehicles: Vehicles,
    /// Set by the scenario, beside what the vehicles do.
    blocked: bool,
    in_front: bool,
    in_front_count: u16,
    press: u32,
    now_ms: u64,
    happenings: Vec<(u64, Happening)>,
}

impl Boom {
    /// A closed barrier with nobody in front.
    pub fn new(timing: Timing) -> Self {
        Self {
            fire: false,
            power: Power::Mains,
            mechanics: Mechanics::new(timing.travel_ms),
            vehicles: Vehicles::new(timing),
            blocked: false,
            in_front: false,
            in_front_count: 0,
            press: 0,
            now_ms: 0,
            happenings: Vec::new(),
        }
    }

    /// Where the arm is.
    pub fn arm(&self) -> Arm {
        self.mechanics.arm()
    }

    /// Every movement so far.
    pub fn movements(&self) -> &[Movement] {
        &self.mechanics.movements
    }

    /// What could be seen since the last time, with the device's counter in milliseconds.
    pub fn take_happenings(&mut self) -> Vec<(u64, Happening)> {
        std::mem::take(&mut self.happenings)
    }

    /// A vehicle drives up; it passes when the arm is open.
    pub fn vehicle(&mut self) {
        self.vehicles.arrive();
    }

    /// Whether a vehicle comes by itself each time the arm opens.
    pub fn set_traffic(&mut self, automatic: bool) {
        self.vehicles.automatic = automatic;
    }

    /// Something stands under the arm, or is taken away.
    pub fn block(&mut self, blocked: bool) {
        self.blocked = blocked;
        let before = self.mechanics.arm();
        self.read_loops();
        self.note_arm(before);
    }

    /// Somebody presses the button.
    pub fn press(&mut self) {
        self.press += 1;
    }

    /// How it is, in the words of the protocol.
    pub(super) fn status(&self, boot: u32, session: u32, uptime_ms: u64) -> Status {
        Status {
            boot,
            session,
            uptime_s: u32::try_from(uptime_ms / 1_000).unwrap_or(u32::MAX),
            arm: self.mechanics.arm(),
            power: self.power,
            under_arm: self.mechanics.under_arm(),
            in_front: self.in_front,
            fire: self.fire,
            under_arm_count: self.mechanics.under_arm_count,
            in_front_count: self.in_front_count,
            press: self.press,
        }
    }

    fn read_loops(&mut self) {
        let under_arm = self.blocked || self.vehicles.under_arm();
        if under_arm != self.mechanics.under_arm() {
            self.mechanics.set_under_arm(under_arm);
            self.note(Happening::UnderArm(under_arm));
        }
        let in_front = self.vehicles.in_front();
        if in_front != self.in_front {
            self.in_front = in_front;
            self.in_front_count = self.in_front_count.wrapping_add(u16::from(in_front));
            self.note(Happening::InFront(in_front));
        }
    }

    fn note_arm(&mut self, before: Arm) {
        if self.mechanics.arm() != before {
            self.note(Happening::Arm(self.mechanics.arm()));
        }
    }

    fn note(&mut self, happening: Happening) {
        if self.happenings.len() < MAX_HAPPENINGS {
            self.happenings.push((self.now_ms, happening));
        }
    }
}

impl Hardware for Boom {
    const KIND: &'static str = KIND;
    type Action = Action;
    type Why = Refusal;
    type Reason = Reason;

    fn advance(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        let before = self.mechanics.arm();
        self.mechanics.advance(now_ms);
        self.vehicles.advance(self.mechanics.arm(), now_ms);
        self.read_loops();
        self.note_arm(before);
    }

    fn info(&self) -> Value {
        json!(Info { model: "simulated".to_owned(), firmware: "1.0.0".to_owned() })
    }

    fn state(&self, head: Head) -> Value {
        let status = self.status(head.boot_id, head.session, head.uptime_ms);
        json!(State::new(&status, head.uptime_ms))
    }

    fn news(&self) -> Value {
        json!(State::new(&self.status(0, 0, 0), 0))
    }

    fn heartbeat_ms(&self) -> u64 {
        HEARTBEAT_MS
    }

    fn parse(&self, verb: &str, _: &[u8]) -> Option<Action> {
        match verb {
            OPEN => Some(Action::Open),
            CLOSE => Some(Action::Close),
            _ => None,
        }
    }

    fn act(&mut self, action: Action, command: Uuid) -> Result<(), Refusal> {
        let before = self.mechanics.arm();
        self.mechanics.act(action, command.into_bytes())?;
        self.note_arm(before);
        Ok(())
    }

    fn judged(&mut self, action: Action, reply: Reply) {
        self.note(Happening::Command { action, reply });
    }

    fn take_events(&mut self) -> Vec<(&'static str, u64, Value)> {
        Vec::new()
    }

    fn restart(&mut self) {
        (self.press, self.in_front_count, self.mechanics.under_arm_count) = (0, 0, 0);
    }
}
