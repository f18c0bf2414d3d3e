//! The arm and what it meets. Pure: it is where it is at the time that it was advanced to.

use firmware_protocol::barrier::{Action, Arm, CommandId, Refusal};

/// How long things take, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// The arm, from one end to the other.
    pub travel_ms: u64,
    /// A vehicle in front of the open arm, until it is under it.
    pub approach_ms: u64,
    /// A vehicle under the arm.
    pub passing_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self { travel_ms: 800, approach_ms: 1_000, passing_ms: 1_000 }
    }
}

/// The arm began to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Movement {
    /// The command that caused it; none where it rose by itself because something came under it.
    pub command: Option<CommandId>,
    /// The way it moves.
    pub action: Action,
    /// When, by the device's counter, in milliseconds.
    pub at_ms: u64,
}

/// The arm with its safety loop.
#[derive(Debug)]
pub(super) struct Mechanics {
    travel_ms: u64,
    /// How far it is up, in milliseconds of travel.
    raised_ms: u64,
    goal: Action,
    now_ms: u64,
    under_arm: bool,
    pub under_arm_count: u16,
    pub movements: Vec<Movement>,
}

impl Mechanics {
    pub fn new(travel_ms: u64) -> Self {
        Self {
            travel_ms,
            raised_ms: 0,
            goal: Action::Close,
            now_ms: 0,
            under_arm: false,
            under_arm_count: 0,
            movements: Vec::new(),
        }
    }

    pub fn arm(&self) -> Arm {
        match self.goal {
            Action::Open if self.raised_ms == self.travel_ms => Arm::Open,
            Action::Open => Arm::Opening,
            Action::Close if self.raised_ms == 0 => Arm::Closed,
            Action::Close => Arm::Closing,
        }
    }

    pub fn under_arm(&self) -> bool {
        self.under_arm
    }

    pub fn advance(&mut self, now_ms: u64) {
        let passed_ms = now_ms.saturating_sub(self.now_ms);
        self.now_ms = now_ms;
        self.raised_ms = match self.goal {
            Action::Open => (self.raised_ms + passed_ms).min(self.travel_ms),
            Action::Close => self.raised_ms.saturating_sub(passed_ms),
        };
    }

    /// Begins a movement; none where the arm is there or on its way.
    pub fn act(&mut self, action: Action, command: CommandId) -> Result<(), Refusal> {
        if action == Action::Close && self.under_arm {
            return Err(Refusal::UnderArm);
        }
        self.head_for(action, Some(command));
        Ok(())
    }

    /// Something comes under the arm or leaves; an arm on its way down rises again by itself.
    pub fn set_under_arm(&mut self, occupied: bool) {
        if occupied && !self.under_arm {
            self.under_arm_count = self.under_arm_count.wrapping_add(1);
            if self.arm() == Arm::Closing {
                self.head_for(Action::Open, None);
            }
        }
        self.under_arm = occupied;
    }

    fn head_for(&mut self, action: Action, command: Option<CommandId>) {
        if self.goal != action {
            self.goal = action;
            self.movements.push(Movement { command, action, at_ms: self.now_ms });
        }
    }
}
