//! The JSON of a charger's messages over MQTT. See [`firmware_protocol::charger`] for the meaning.

use firmware_protocol::charger::{self, Action, Allowance};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Command, Nothing, named};

/// The kind of device in topics.
pub const KIND: &str = "charger";
/// The verb that lets a vehicle take energy, with [`Allowed`].
pub const ENABLE: &str = "enable";
/// The verb that says how much, with [`Allowed`].
pub const LIMIT: &str = "limit";
/// The verb that lets no vehicle take energy.
pub const DISABLE: &str = "disable";

named! {
    /// See [`charger::Pilot`].
    Pilot of charger::Pilot { Unplugged Plugged Charging Ventilation Error }
}
named! {
    /// See [`charger::Fault`].
    Fault of charger::Fault {
        None Residual OverCurrent Voltage Temperature Contactor Pilot Meter Other
    }
}
named! {
    /// See [`charger::Refusal`].
    Refusal of charger::Refusal { Fault Busy TooLong OutOfRange Unauthenticated }
}

/// `info`, retained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Info {
    /// For people.
    pub model: String,
    /// Version of the firmware, for people.
    pub firmware: String,
    /// How many phases it can use, 1 or 3.
    pub phases: u8,
    /// The most that it can offer a vehicle, for each phase, in milliamperes.
    pub max_ma: u32,
}

/// `state`, retained: see [`charger::Status`] for the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)]
pub struct State {
    pub boot_id: u32,
    pub session: u32,
    pub uptime_ms: u64,
    /// The number of the last event; 0 for none yet.
    pub seq: u32,
    pub pilot: Pilot,
    pub fault: Fault,
    pub enabled: bool,
    pub closed: bool,
    pub limit_ma: u32,
    pub lease_s: u16,
    pub plugged_count: u16,
    pub fault_count: u16,
    /// Absent while the meter says nothing that can be believed.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub meter: Option<Meter>,
}

/// See [`charger::Meter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)]
pub struct Meter {
    pub energy_wh: u64,
    pub power_w: u32,
    pub current_ma: [u32; 3],
    pub voltage_mv: [u32; 3],
}

/// What happens at a charger, told once; in snake case the type of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// A vehicle was plugged in.
    Plugged,
    /// It was unplugged.
    Unplugged,
    /// The contactor closed.
    Started,
    /// It opened.
    Stopped,
    /// Something is wrong.
    Fault,
    /// It is right again.
    Recovered,
    /// The site did not renew what it allowed.
    FellBack,
}

/// What an event has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AtCharger {
    /// What was wrong then.
    pub fault: Fault,
    /// What the meter had counted then, where it could be believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_wh: Option<u64>,
}

/// What `cmd/enable` and `cmd/limit` want to know: see [`charger::Allowance`] for the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)]
pub struct Allowed {
    pub limit_ma: u32,
    pub lease_s: u16,
    pub fallback_ma: u32,
}

/// What a command may want to know, for whoever writes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Arguments {
    /// Of `enable` and `limit`.
    Allowed(Allowed),
    /// Of `disable`.
    Nothing(Nothing),
}

/// The verb and the payload of a command.
pub fn encode(command: &charger::Command, counter: u64) -> (&'static str, Command<Arguments>) {
    let (verb, arguments) = match command.action {
        Action::Enable(allowance) => (ENABLE, Arguments::Allowed(allowance.into())),
        Action::Limit(allowance) => (LIMIT, Arguments::Allowed(allowance.into())),
        Action::Disable => (DISABLE, Arguments::Nothing(Nothing {})),
    };
    (verb, Command::new(command, counter, arguments))
}

impl Happening {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Plugged,
        Self::Unplugged,
        Self::Started,
        Self::Stopped,
        Self::Fault,
        Self::Recovered,
        Self::FellBack,
    ];

    /// The type of the event in topics.
    pub fn event(self) -> &'static str {
        match self {
            Self::Plugged => "plugged",
            Self::Unplugged => "unplugged",
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::Fault => "fault",
            Self::Recovered => "recovered",
            Self::FellBack => "fell_back",
        }
    }

    /// Of the type of an event; none for what is not known.
    pub fn of_event(event: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|happening| happening.event() == event)
    }
}

impl From<Allowance> for Allowed {
    fn from(Allowance { limit_ma, lease_s, fallback_ma }: Allowance) -> Self {
        Self { limit_ma, lease_s, fallback_ma }
    }
}

impl From<Allowed> for Allowance {
    fn from(Allowed { limit_ma, lease_s, fallback_ma }: Allowed) -> Self {
        Self { limit_ma, lease_s, fallback_ma }
    }
}

impl From<charger::Meter> for Meter {
    fn from(meter: charger::Meter) -> Self {
        let charger::Meter { energy_wh, power_w, current_ma, voltage_mv } = meter;
        Self { energy_wh, power_w, current_ma, voltage_mv }
    }
}

impl From<Meter> for charger::Meter {
    fn from(Meter { energy_wh, power_w, current_ma, voltage_mv }: Meter) -> Self {
        Self { energy_wh, power_w, current_ma, voltage_mv }
    }
}

impl State {
    /// What a charger tells; `seq` is the number of its last event.
    pub fn new(status: &charger::Status, seq: u32) -> Self {
        Self {
            boot_id: status.boot,
            session: status.session,
            uptime_ms: status.uptime_ms,
            seq,
            pilot: status.pilot.into(),
            fault: status.fault.into(),
            enabled: status.enabled,
            closed: status.closed,
            limit_ma: status.limit_ma,
            lease_s: status.lease_s,
            plugged_count: status.plugged_count,
            fault_count: status.fault_count,
            meter: status.meter.map(Meter::from),
        }
    }
}

impl From<State> for charger::Status {
    fn from(state: State) -> Self {
        Self {
            boot: state.boot_id,
            session: state.session,
            uptime_ms: state.uptime_ms,
            pilot: state.pilot.into(),
            fault: state.fault.into(),
            enabled: state.enabled,
            closed: state.closed,
            limit_ma: state.limit_ma,
            lease_s: state.lease_s,
            plugged_count: state.plugged_count,
            fault_count: state.fault_count,
            meter: state.meter.map(charger::Meter::from),
        }
    }
}
