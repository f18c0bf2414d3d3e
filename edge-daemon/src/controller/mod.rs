//! The controllers of a site: sends commands, reports what devices say.
//!
//! - A command is taken only for a device that is online, and never kept for later: it is sent at
//!   once, lives as long as it says, and its end is reported once.
//! - A line that fails is opened again by itself, with growing pauses; its devices are offline in
//!   between. No device, line or broker holds up another link.
//! - Whatever a line carries, memory stays bounded, and what is no message is dropped and counted.
//! - Reports are given in order. A receiver that does not read them holds up the links.

pub mod barrier;
pub mod charger;
mod conduct;
mod config;
pub mod keys;
pub mod lan;
mod link;
pub mod locker;
mod modbus;
pub mod mqtt;
mod peer;
mod report;
mod serial;
mod start;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::{
    clock::Clock,
    event,
    ids::{CommandId, DeviceId},
};
use firmware_protocol::command::MAX_COMMAND_LIFE_MS;
use tokio::sync::mpsc;

pub use self::{
    config::{Config, ConfigError, Controller, Kind, LanConfig, Mqtt},
    report::{Report, What},
    start::start,
};
use self::{lan::Lan, link::Order};

/// A command to a controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    /// The command; never used twice.
    pub id: CommandId,
    /// What to do.
    pub action: Action,
    /// How long it may move something, at most 10 s.
    pub expires_in: Duration,
}

/// What a device is to do, by its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Moves a barrier's arm.
    Barrier(event::Action),
    /// Lets a car take energy, or not. It is no movement: the charger's status says what became of
    /// it.
    Charger(charger::Target),
    /// Opens a door of a locker, or turns a code down.
    Locker(locker::Action),
}

impl Action {
    /// The kind of device that can do it.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Barrier(_) => Kind::Barrier,
            Self::Charger(_) => Kind::Charger,
            Self::Locker(_) => Kind::Locker,
        }
    }
}

impl From<event::Action> for Action {
    fn from(action: event::Action) -> Self {
        Self::Barrier(action)
    }
}

/// Why a command was not taken. It was not sent and will not be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The device does not answer.
    #[error("{0} is offline")]
    Offline(DeviceId),
    /// There is no such controller.
    #[error("{0} is no controller of this site")]
    Unknown(DeviceId),
    /// It is a device of another kind.
    #[error("{0} is no device that can do this")]
    OtherKind(DeviceId),
    /// It is to live longer than a device can remember it.
    #[error("a command to {0} lives at most {MAX_COMMAND_LIFE_MS} ms")]
    TooLong(DeviceId),
    /// More commands than the link can take.
    #[error("the link of {0} is busy")]
    Busy(DeviceId),
}

/// Sends commands. Cheap to clone.
#[derive(Clone)]
pub struct Controllers {
    clock: Arc<dyn Clock>,
    devices: Arc<HashMap<DeviceId, Handle>>,
    links: Arc<[(String, Arc<AtomicU64>)]>,
    lan: Option<Arc<Lan>>,
}

struct Handle {
    kind: Kind,
    online: Arc<AtomicBool>,
    orders: mpsc::Sender<Order>,
}

impl Controllers {
    /// Sends a command at once. Its sending and its end are reported.
    ///
    /// # Errors
    /// When the device is offline or unknown, its link busy, or the command's life too long; then
    /// nothing is sent.
    pub fn send(&self, device: &DeviceId, command: Command) -> Result<(), SendError> {
        let handle = self.devices.get(device).ok_or_else(|| SendError::Unknown(device.clone()))?;
        if handle.kind != command.action.kind() {
            return Err(SendError::OtherKind(device.clone()));
        }
        if !handle.online.load(Ordering::Acquire) {
            return Err(SendError::Offline(device.clone()));
        }
        let life_ms = u64::try_from(command.expires_in.as_millis()).unwrap_or(u64::MAX);
        if life_ms > MAX_COMMAND_LIFE_MS {
            return Err(SendError::TooLong(device.clone()));
        }
        let expires_at_ms = self.clock.now().monotonic_ms + life_ms;
        let Command { id, action, .. } = command;
        let order = Order { device: device.clone(), id, action, expires_at_ms };
        handle.orders.try_send(order).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SendError::Busy(device.clone()),
            mpsc::error::TrySendError::Closed(_) => SendError::Offline(device.clone()),
        })
    }

    /// The controllers that call by themselves, where there are some: for [`lan::serve`].
    pub fn lan(&self) -> Option<Arc<Lan>> {
        self.lan.clone()
    }

    /// Whether a device can be commanded now.
    pub fn is_online(&self, device: &DeviceId) -> bool {
        self.devices.get(device).is_some_and(|handle| handle.online.load(Ordering::Acquire))
    }

    /// How many frames and messages each link threw away since the start, for the metrics.
    pub fn dropped(&self) -> impl Iterator<Item = (&str, u64)> {
        self.links.iter().map(|(name, dropped)| (name.as_str(), dropped.load(Ordering::Relaxed)))
    }
}
