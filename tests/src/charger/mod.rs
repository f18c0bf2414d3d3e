//! A charger as it stands at a parking space: a plug, a contactor, a meter, a vehicle, and what can
//! go wrong with them. It speaks the real protocol over a broker or on a serial line.

mod evse;
mod serial;

use edge_daemon::controller::mqtt::payload::charger::{
    Allowed, AtCharger, DISABLE, ENABLE, Happening, Info, KIND, LIMIT, Refusal as Reason, State,
};
use firmware_protocol::charger::{Action, Fault, Meter, Pilot, Refusal, Status};
use serde_json::{Value, json};
use uuid::Uuid;

use self::evse::{Change, Evse};
pub use self::{evse::Vehicle, serial::SerialCharger};
use crate::device::{Hardware, Head, MqttDevice, Simulated};

/// How often a charger tells its state while energy flows, in milliseconds.
const METERED_EVERY_MS: u64 = 5_000;

/// A simulated charger over MQTT.
pub type Charger = Simulated<Pile>;
/// The same on a broker.
pub type MqttCharger = MqttDevice;

/// The hardware of a charger.
#[derive(Debug)]
pub struct Pile {
    evse: Evse,
    /// Commands that were carried out, in order.
    done: Vec<(Uuid, Action)>,
}

impl Pile {
    /// A charger that can offer up to `max_ma` on each of 1 or 3 phases, and has counted
    /// `energy_wh` so far.
    pub fn new(max_ma: u32, phases: u8, energy_wh: u64) -> Self {
        Self { evse: Evse::new(max_ma, phases, energy_wh), done: Vec::new() }
    }

    /// Lets energy flow faster than in life, so that hours pass in seconds.
    pub fn set_speed(&mut self, times: u32) {
        self.evse.speed = times;
    }

    /// A vehicle is plugged in, or taken away.
    pub fn plug(&mut self, vehicle: Option<Vehicle>) {
        self.evse.plug(vehicle);
    }

    /// Something goes wrong, or is right again.
    pub fn set_fault(&mut self, fault: Fault) {
        self.evse.meter_broken = fault == Fault::Meter;
        self.evse.set_fault(fault);
    }

    /// Whether energy can flow.
    pub fn is_closed(&self) -> bool {
        self.evse.is_closed()
    }

    /// What the control pilot says.
    pub fn pilot(&self) -> Pilot {
        self.evse.pilot()
    }

    /// The most that the vehicle is offered now.
    pub fn limit_ma(&self) -> u32 {
        self.evse.limit_ma()
    }

    /// What the meter says, also while nobody can read it.
    pub fn energy_wh(&self) -> u64 {
        self.evse.energy_wh()
    }

    /// What the meter says, as it is told.
    pub fn meter(&self) -> Option<Meter> {
        self.evse.meter()
    }

    /// Every command that was carried out, in order.
    pub fn done(&self) -> &[(Uuid, Action)] {
        &self.done
    }

    fn status(&self, boot: u32, session: u32, uptime_ms: u64) -> Status {
        let evse = &self.evse;
        Status {
            boot,
            session,
            uptime_ms,
            pilot: evse.pilot(),
            fault: evse.fault,
            enabled: evse.enabled,
            closed: evse.is_closed(),
            limit_ma: evse.limit_ma(),
            lease_s: evse.lease_s(),
            plugged_count: evse.plugged_count,
            fault_count: evse.fault_count,
            meter: evse.meter(),
        }
    }
}

impl Hardware for Pile {
    const KIND: &'static str = KIND;
    type Action = Action;
    type Why = Refusal;
    type Reason = Reason;

    fn advance(&mut self, now_ms: u64) {
        self.evse.advance(now_ms);
    }

    fn info(&self) -> Value {
        let (phases, max_ma) = (self.evse.phases, self.evse.max_ma);
        let (model, firmware) = ("simulated".to_owned(), "1.0.0".to_owned());
        json!(Info { model, firmware, phases, max_ma })
    }

    fn state(&self, head: Head) -> Value {
        let status = self.status(head.boot_id, head.session, head.uptime_ms);
        json!(State::new(&status, head.seq))
    }

    fn news(&self) -> Value {
        let status = self.status(0, 0, 0);
        let fallen = status.lease_s == 0;
        let quiet = Status { lease_s: u16::from(fallen), meter: None, ..status };
        json!({"state": State::new(&quiet, 0), "metered": status.meter.is_some()})
    }

    fn heartbeat_ms(&self) -> u64 {
        METERED_EVERY_MS
    }

    fn parse(&self, verb: &str, payload: &[u8]) -> Option<Action> {
        let allowance = || serde_json::from_slice::<Allowed>(payload).ok().map(Into::into);
        match verb {
            ENABLE => allowance().map(Action::Enable),
            LIMIT => allowance().map(Action::Limit),
            DISABLE => Some(Action::Disable),
            _ => None,
        }
    }

    fn act(&mut self, action: Action, command: Uuid) -> Result<(), Refusal> {
        self.evse.act(action)?;
        self.done.push((command, action));
        Ok(())
    }

    fn take_events(&mut self) -> Vec<(&'static str, u64, Value)> {
        let fault = self.evse.fault.into();
        let energy_wh = self.evse.meter().map(|meter| meter.energy_wh);
        let events = self.evse.take_changes().into_iter().map(|(at_ms, change)| {
            (happening(change).event(), at_ms, json!(AtCharger { fault, energy_wh }))
        });
        events.collect()
    }

    fn restart(&mut self) {
        self.evse.restart();
    }
}

fn happening(change: Change) -> Happening {
    match change {
        Change::Plugged => Happening::Plugged,
        Change::Unplugged => Happening::Unplugged,
        Change::Started => Happening::Started,
        Change::Stopped => Happening::Stopped,
        Change::Fault => Happening::Fault,
        Change::Recovered => Happening::Recovered,
        Change::FellBack => Happening::FellBack,
    }
}
