//! The life of an arm: what it was told, what it does, and what is wrong with it.
//!
//! Never told to close unless the safety loop is known to be free. What was told to move and does
//! not is a fault within the time that the lane configures. No command is sent twice.

mod faults;
mod motion;

use domain::{
    event::{Action, Fact},
    ids::DecisionId,
};

use self::{
    faults::{Fault, Faults},
    motion::{Motion, Unanswered},
};
use super::{
    config::LaneConfig,
    input::{Arm, Report},
    turn::Turn,
};

/// What the lane must know of what a barrier did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// Something drove through under the arm.
    Passed,
    /// What stood in front of the arm is there no more.
    LeftFront,
    /// It can be commanded (again).
    Usable,
    /// The arm is up.
    Up,
    /// The opening for this decision has certainly moved nothing.
    NotMoved(DecisionId),
    /// Something is under the arm while it comes down.
    Obstructed,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Barrier {
    /// None until it is known.
    online: Option<bool>,
    arm: Option<Arm>,
    under_arm: bool,
    /// Whether `under_arm` is of now, and not from before the device was lost.
    loop_is_known: bool,
    in_front: bool,
    fire: bool,
    on_battery: bool,
    /// The decision for which the arm is up; none where somebody else raised it.
    raised_by: Option<DecisionId>,
    motion: Option<Motion>,
    unanswered: Vec<Unanswered>,
    close_not_before_ms: u64,
    occupied_since_ms: Option<u64>,
    faults: Faults,
}

impl Barrier {
    /// A barrier whose arm may be up because of `decision`, as the journal says after a start.
    pub fn assume_raised_by(&mut self, decision: DecisionId) {
        self.raised_by = Some(decision);
    }

    pub fn arm(&self) -> Option<Arm> {
        self.arm
    }

    pub fn is_occupied(&self) -> bool {
        self.under_arm
    }

    pub fn is_online(&self) -> bool {
        self.online == Some(true)
    }

    pub fn fire(&self) -> bool {
        self.fire
    }

    pub fn on_battery(&self) -> bool {
        self.on_battery
    }

    pub fn raised_by(&self) -> Option<DecisionId> {
        self.raised_by
    }

    pub fn faults(&self) -> impl Iterator<Item = &'static str> {
        self.faults.names()
    }

    /// Whether a command can be sent and may move something.
    pub fn is_usable(&self) -> bool {
        self.is_online() && self.arm != Some(Arm::Fault)
    }

    /// Whether the arm is up or on its way there.
    pub fn is_rising(&self) -> bool {
        self.motion.as_ref().is_some_and(Motion::is_opening)
            || matches!(self.arm, Some(Arm::Open | Arm::Opening))
    }

    /// Whether the arm is down and nothing has been asked of it.
    pub fn is_at_rest(&self) -> bool {
        self.arm == Some(Arm::Closed) && self.motion.is_none()
    }

    pub fn report(&mut self, report: Report, lane: &LaneConfig, turn: &mut Turn) -> Option<News> {
        match report {
            Report::Online => self.set_online(true, "it answers".into(), lane, turn),
            Report::Offline { reason } => self.set_online(false, reason, lane, turn),
            Report::Arm(arm) => self.set_arm(arm, lane, turn),
            Report::UnderArm(occupied) => self.set_under_arm(occupied, lane, turn),
            Report::InFront(occupied) => {
                let left = std::mem::replace(&mut self.in_front, occupied) && !occupied;
                left.then_some(News::LeftFront)
            }
            Report::Fire(active) => {
                self.fire = active;
                None
            }
            Report::OnBattery(lost) => {
                self.on_battery = lost;
                None
            }
        }
    }

    fn set_online(
        &mut self,
        online: bool,
        reason: String,
        lane: &LaneConfig,
        turn: &mut Turn,
    ) -> Option<News> {
        if !online {
            (self.arm, self.loop_is_known) = (None, false);
            (self.motion, self.occupied_since_ms) = (None, None);
        }
        if self.online.replace(online) == Some(online) {
            return None;
        }
        turn.record(Fact::Device { device: lane.device.clone(), online, reason });
        online.then_some(News::Usable)
    }

    fn set_arm(&mut self, arm: Arm, lane: &LaneConfig, turn: &mut Turn) -> Option<News> {
        let before = self.arm.replace(arm);
        if before == Some(arm) {
            return None;
        }
        self.follow_motion(arm);
        if arm == Arm::Fault {
            self.faults.raise(Fault::Reported, lane, turn);
        } else {
            let stands = matches!(arm, Arm::Open | Arm::Closed);
            self.faults.clear(|f| f == Fault::Reported || stands && f.is_of_motion(), lane, turn);
        }
        match arm {
            _ if before == Some(Arm::Fault) => Some(News::Usable),
            Arm::Open => Some(News::Up),
            Arm::Closing if self.under_arm => Some(News::Obstructed),
            _ => None,
        }
    }

    fn follow_motion(&mut self, arm: Arm) {
        let is_opening = self.motion.as_ref().is_some_and(Motion::is_opening);
        if arm == Arm::Closed && !is_opening {
            self.raised_by = None;
        }
        if let Some(motion) = &mut self.motion {
            motion.moved = true;
            let reversed = !is_opening && matches!(arm, Arm::Opening | Arm::Open);
            if reversed || motion.is_reached(arm) {
                self.motion = None;
            }
        }
    }

    fn set_under_arm(
        &mut self,
        occupied: bool,
        lane: &LaneConfig,
        turn: &mut Turn,
    ) -> Option<News> {
        self.loop_is_known = true;
        let before = std::mem::replace(&mut self.under_arm, occupied);
        match (before, occupied) {
            (_, true) => {
                self.occupied_since_ms.get_or_insert(turn.now_ms());
                (self.arm == Some(Arm::Closing)).then_some(News::Obstructed)
            }
            (true, false) => {
                self.occupied_since_ms = None;
                self.faults.clear(|fault| fault == Fault::Occupied, lane, turn);
                (self.arm != Some(Arm::Closed)).then_some(News::Passed)
            }
            (false, false) => None,
        }
    }
}

impl Barrier {
    /// Has the arm raised for `decision`.
    pub fn open(&mut self, decision: DecisionId, lane: &LaneConfig, turn: &mut Turn) {
        self.raised_by = Some(decision);
        self.command(Action::Open, decision, lane, turn);
    }

    /// Has the arm brought down where it is up because of the lane and nothing is under it.
    pub fn close_where_safe(&mut self, lane: &LaneConfig, turn: &mut Turn) {
        if turn.now_ms() >= self.close_not_before_ms
            && let Some(decision) = self.closable_for()
        {
            self.command(Action::Close, decision, lane, turn);
        }
    }

    /// The decision for which the arm is up, where it could come down now.
    fn closable_for(&self) -> Option<DecisionId> {
        let is_free = self.loop_is_known && !self.under_arm;
        let is_up = self.arm == Some(Arm::Open) && self.motion.is_none();
        self.raised_by.filter(|_| is_free && is_up && self.is_usable())
    }
}
