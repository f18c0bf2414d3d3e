//! What is wrong with a barrier, told once when it begins and once when all is well again.

use domain::event::Fact;

use crate::gate::{config::LaneConfig, turn::Turn};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::gate) enum Fault {
    /// It was told to move and did not.
    Stuck,
    /// It began to rise and was not up in time.
    OpenTimeout,
    /// It began to come down and was not down in time.
    CloseTimeout,
    /// Something stands under the arm for too long.
    Occupied,
    /// The controller says so.
    Reported,
}

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::OpenTimeout => "open_timeout",
            Self::CloseTimeout => "close_timeout",
            Self::Occupied => "occupied",
            Self::Reported => "reported",
        }
    }

    /// Whether it is over once the arm stands where it can be told to stand.
    pub fn is_of_motion(self) -> bool {
        matches!(self, Self::Stuck | Self::OpenTimeout | Self::CloseTimeout)
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub fn raise(&mut self, fault: Fault, lane: &LaneConfig, turn: &mut Turn) {
        if !self.contains(fault) {
            self.0.push(fault);
            turn.record(Fact::LaneFault { lane: lane.id.clone(), fault: fault.name().into() });
        }
    }

    pub fn clear(&mut self, is_over: impl Fn(Fault) -> bool, lane: &LaneConfig, turn: &mut Turn) {
        let had_some = !self.0.is_empty();
        self.0.retain(|fault| !is_over(*fault));
        if had_some && self.0.is_empty() {
            turn.record(Fact::LaneRecovered { lane: lane.id.clone() });
        }
    }

    pub fn contains(&self, fault: Fault) -> bool {
        self.0.contains(&fault)
    }

    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|fault| fault.name())
    }
}
