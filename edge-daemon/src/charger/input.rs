//! What the chargers' bookkeeping is told, and what it wants done.

use chrono::{DateTime, Utc};
use domain::{
    charging::PileId,
    event::Fact,
    ids::{ChargingId, DeviceId},
};

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A charger can be reached.
    Online(DeviceId),
    /// It cannot, for a reason that is for people.
    Offline(DeviceId, String),
    /// How it is.
    Status(DeviceId, Status),
    /// A meter that is no charger's own was read.
    Metered(DeviceId, Meter),
    /// Time has passed; due every second or so.
    Tick,
}

/// How a charger is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether a car is there.
    pub plug: Plug,
    /// The most that it lets a car take, for each phase, in milliamperes.
    pub limit_ma: u32,
    /// What is wrong; none where it works.
    pub fault: Option<String>,
    /// What its own meter says; none where it has none that can be believed.
    pub meter: Meter,
}

/// Whether a car is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Plug {
    /// None (A in IEC 61851-1).
    #[default]
    Free,
    /// One that takes nothing (B).
    Plugged,
    /// One that takes energy (C, D).
    Charging,
}

/// What a meter says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Meter {
    /// The register, in watt-hours.
    pub energy_wh: Option<u64>,
    /// What flows through the phase with the most, in milliamperes.
    pub current_ma: Option<u32>,
}

/// A charge that the cloud asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The session.
    pub session: ChargingId,
    /// Where.
    pub pile: PileId,
    /// How much, in watt-hours.
    pub energy_wh: i64,
    /// What the battery holds, where that is known, in watt-hours.
    pub battery_wh: Option<i64>,
    /// A car that has not begun after so many seconds gives its place away.
    pub begin_within_s: u32,
    /// When another tariff begins, in seconds UTC.
    pub borders: Vec<i64>,
    /// The directive that told of it.
    pub directive: u64,
    /// The cloud's clock when it told it.
    pub told_at: DateTime<Utc>,
}

/// Why a directive of the cloud is passed over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No charger of the site is this pile.
    #[error("no charger of this site is {0}")]
    NoPile(PileId),
    /// The charger has another car.
    #[error("{0} has another car")]
    Taken(PileId),
    /// The charge is over, or was never here.
    #[error("no charge {0} is running")]
    NoCharge(ChargingId),
}

/// What a charger is to do from now on, until it is told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The most that it may let a car take, for each phase, in milliamperes; 0 lets none take
    /// anything.
    pub limit_ma: u32,
    /// The most that it may let it take by itself where it is not told for its time-out.
    pub fallback_ma: u32,
    /// That time-out, in seconds.
    pub lease_s: u16,
}

/// What a step wants done: facts for the disk, and once they are there, what chargers are told.
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use = "what is not journaled has not happened"]
pub struct Commit {
    /// To be journaled together, in this order.
    pub facts: Vec<Fact>,
    /// What chargers are to do, once the facts are on disk.
    pub targets: Vec<(DeviceId, Target)>,
}
