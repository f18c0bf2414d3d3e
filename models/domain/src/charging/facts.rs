//! What a site says of its chargers and of those who charge there, as it is journaled.
//!
//! Energy is what the charger's meter counted for one session, in watt-hours. Times are on the
//! session's own time line, which begins with the cloud's clock at the assignment and goes on by
//! the site's monotonic clock: a wall clock that is set in between moves none of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::PileId;
use crate::ids::{ChargingId, DeviceId};

/// The chargers of a site. Those that it named before and no longer does are gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargersFound {
    /// All of them.
    pub chargers: Vec<ChargerFound>,
}

/// One charger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargerFound {
    /// Its name at the site.
    pub charger: DeviceId,
    /// The pile that it is.
    pub pile: PileId,
}

/// A car is to be charged. The charger takes no other until the charge has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeAssigned {
    /// The session.
    pub session: ChargingId,
    /// Where.
    pub charger: DeviceId,
    /// How much, in watt-hours.
    pub energy_wh: i64,
    /// What the battery holds, where that is known, in watt-hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub battery_wh: Option<i64>,
    /// A car that has not begun after so many seconds gives its place away.
    pub begin_within_s: u32,
    /// When another tariff begins, in seconds UTC: the meter is read then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub borders: Vec<i64>,
    /// The directive that told of it.
    pub directive: u64,
    /// The cloud's clock when it told it.
    pub told_at: DateTime<Utc>,
    /// What the meter's register shows, where it was read, in watt-hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meter_wh: Option<u64>,
}

/// Energy flows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeStarted {
    /// The session.
    pub session: ChargingId,
    /// Where.
    pub charger: DeviceId,
    /// Since when.
    pub at: DateTime<Utc>,
    /// What the meter's register shows, in watt-hours.
    pub meter_wh: u64,
}

/// A reading of the meter during a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeMetered {
    /// The session.
    pub session: ChargingId,
    /// When it was read.
    pub at: DateTime<Utc>,
    /// What the session has got until then, in watt-hours.
    pub energy_wh: i64,
    /// What the meter's register shows, in watt-hours.
    pub meter_wh: u64,
}

/// The cloud asks to end a charge, for its user or because the pile is taken out of service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeStop {
    /// The session.
    pub session: ChargingId,
    /// The directive that asked.
    pub directive: u64,
}

/// A charge cannot begin yet: the car of the one before is still plugged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeBlocked {
    /// The session.
    pub session: ChargingId,
    /// Where.
    pub charger: DeviceId,
}

/// A charge has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeEnded {
    /// The session.
    pub session: ChargingId,
    /// Where.
    pub charger: DeviceId,
    /// When.
    pub at: DateTime<Utc>,
    /// What the session has got in all, in watt-hours.
    pub energy_wh: i64,
    /// Why it ended.
    pub cause: EndCause,
}

/// Why a charge ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndCause {
    /// It has got what was asked for.
    Reached,
    /// It has got what the battery holds.
    Battery,
    /// The car takes no more.
    Full,
    /// The car was unplugged.
    Unplugged,
    /// The cloud asked for it.
    Stopped,
    /// The charger broke down.
    Fault,
    /// No car began in time.
    NoCar,
    /// It could not be carried out: the site has no such charger, or the charger has another car.
    Refused,
    /// A cause that this version does not know.
    #[serde(other)]
    Other,
}
