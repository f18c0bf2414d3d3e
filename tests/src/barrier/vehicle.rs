//! Vehicles: they stand on the presence loop, drive under the open arm, and leave. Pure.

use firmware_protocol::barrier::Arm;

use super::mechanics::Timing;

/// Where the vehicle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Nowhere,
    /// In front of the arm; when it has been open since, it drives.
    InFront {
        open_since_ms: Option<u64>,
    },
    UnderArm {
        since_ms: u64,
    },
}

/// One vehicle after the other.
#[derive(Debug)]
pub(super) struct Vehicles {
    timing: Timing,
    place: Place,
    /// How many wait behind it.
    behind: u32,
    /// Whether a vehicle comes by itself each time the arm opens.
    pub automatic: bool,
    served_opening: bool,
}

impl Vehicles {
    pub fn new(timing: Timing) -> Self {
        Self { timing, place: Place::Nowhere, behind: 0, automatic: false, served_opening: false }
    }

    pub fn in_front(&self) -> bool {
        matches!(self.place, Place::InFront { .. })
    }

    pub fn under_arm(&self) -> bool {
        matches!(self.place, Place::UnderArm { .. })
    }

    /// A vehicle drives up and waits for those before it and for the arm.
    pub fn arrive(&mut self) {
        self.behind += 1;
    }

    pub fn advance(&mut self, arm: Arm, now_ms: u64) {
        let rising = matches!(arm, Arm::Opening | Arm::Open);
        if self.automatic && rising && !self.served_opening {
            self.served_opening = true;
            self.arrive();
        }
        self.served_opening &= rising;
        self.place = match self.place {
            Place::Nowhere if self.behind > 0 => {
                self.behind -= 1;
                Place::InFront { open_since_ms: None }
            }
            Place::InFront { .. } if arm != Arm::Open => Place::InFront { open_since_ms: None },
            Place::InFront { open_since_ms: None } => {
                Place::InFront { open_since_ms: Some(now_ms) }
            }
            Place::InFront { open_since_ms: Some(since) }
                if now_ms >= since + self.timing.approach_ms =>
            {
                Place::UnderArm { since_ms: now_ms }
            }
            Place::UnderArm { since_ms } if now_ms >= since_ms + self.timing.passing_ms => {
                Place::Nowhere
            }
            place => place,
        };
    }
}
