//! The barrier's electronics and firmware: answers requests by the protocol's rules, reads its
//! inputs, moves the arm. Pure.

use firmware_protocol::{
    barrier::{Action, Answer, Arm, Command, Power, Refusal, Reply, Request, Status, Verdict},
    session::{Arrival, Device},
};

use super::{
    mechanics::{Mechanics, Movement, Timing},
    vehicle::Vehicles,
};

/// Happenings that are kept until somebody takes them.
const MAX_HAPPENINGS: usize = 10_000;

/// What is wrong with the barrier; all off at first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// The arm does not move, whatever it is told.
    pub stuck: bool,
    /// It says nothing.
    pub silent: bool,
    /// It talks without being asked, without end.
    pub babbling: bool,
    /// Everything it receives reaches it twice, and everything it says is said twice.
    pub duplicates: bool,
    /// It takes this long to answer, in milliseconds.
    pub slow_ms: u64,
}

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

/// The board of one barrier.
#[derive(Debug)]
pub struct Board {
    /// What is wrong with it.
    pub faults: Faults,
    /// Its fire input.
    pub fire: bool,
    /// What it runs on.
    pub power: Power,
    device: Device<Refusal>,
    mechanics: Mechanics,
    vehicles: Vehicles,
    /// Set by the scenario, beside what the vehicles do.
    blocked: bool,
    in_front: bool,
    in_front_count: u16,
    press: u32,
    booted_ms: u64,
    now_ms: u64,
    happenings: Vec<(u64, Happening)>,
}

impl Board {
    /// A board that just started and drew `boot`.
    pub fn new(boot: u32, timing: Timing) -> Self {
        Self {
            faults: Faults::default(),
            fire: false,
            power: Power::Mains,
            device: Device::new(boot),
            mechanics: Mechanics::new(timing.travel_ms),
            vehicles: Vehicles::new(timing),
            blocked: false,
            in_front: false,
            in_front_count: 0,
            press: 0,
            booted_ms: 0,
            now_ms: 0,
            happenings: Vec::new(),
        }
    }

    /// Lets time pass.
    pub fn advance(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        let before = self.mechanics.arm();
        self.mechanics.stuck = self.faults.stuck;
        self.mechanics.advance(now_ms);
        self.vehicles.advance(self.mechanics.arm(), now_ms);
        self.read_loops();
        self.note_arm(before);
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

    /// The board loses power for a moment: it forgets everything but the arm's place.
    pub fn reboot(&mut self) {
        self.device = Device::new(self.device.boot().wrapping_add(1));
        (self.press, self.in_front_count, self.booted_ms) = (0, 0, self.now_ms);
        self.mechanics.under_arm_count = 0;
    }

    /// How the board is.
    pub fn status(&self) -> Status {
        Status {
            boot: self.device.boot(),
            session: self.device.session(),
            uptime_s: u32::try_from((self.now_ms - self.booted_ms) / 1_000).unwrap_or(u32::MAX),
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

    /// Does what it is asked and answers.
    pub fn answer(&mut self, request: &Request) -> Answer {
        match request {
            Request::Poll => {}
            Request::Hello(hello) => {
                self.device.hello(hello, self.now_ms);
            }
            Request::Command(command) => return Answer::Reply(self.command(command)),
        }
        Answer::Status(self.status())
    }

    /// Answers a command that was kept for later by somebody, without doing it.
    pub fn answer_stale(&mut self, command: &Command) -> Reply {
        let reply = Reply { id: command.id, duplicate: false, verdict: Verdict::Expired };
        self.note(Happening::Command { action: command.action, reply });
        reply
    }

    fn command(&mut self, command: &Command) -> Reply {
        let before = self.mechanics.arm();
        let mechanics = &mut self.mechanics;
        let act = || mechanics.act(command.action, command.id);
        let reply = self.device.command(command, Arrival::on_line(self.now_ms), act);
        self.note(Happening::Command { action: command.action, reply });
        self.note_arm(before);
        reply
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
