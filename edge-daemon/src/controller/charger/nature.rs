//! What is particular to a charger that speaks our protocol.

use firmware_protocol::{
    charger::{self as wire, Action, Allowance, Fault, MIN_OFFER_MA, Pilot, Refusal},
    session::{Offer, Run},
};
use uuid::Uuid;

use super::{Capability, Meter, News, Plug, Status, Target};
use crate::controller::{
    Action as AnyAction,
    peer::{Nature, Peer},
    report::What,
};

/// A charger.
#[derive(Debug, Default)]
pub(in crate::controller) struct Charger {
    status: Option<Status>,
}

impl Nature for Charger {
    type Action = Action;
    type Refusal = Refusal;
    type Status = wire::Status;

    const STATUS_FIRST: bool = false;
    const NEWEST_ALONE: bool = true;

    fn action(action: AnyAction) -> Option<Action> {
        match action {
            AnyAction::Charger(target) => Some(self::action(target)),
            _ => None,
        }
    }

    fn word(refusal: Refusal) -> &'static str {
        match refusal {
            Refusal::Fault => "fault",
            Refusal::Busy => "busy",
            Refusal::TooLong => "too_long",
            Refusal::OutOfRange => "out_of_range",
            Refusal::Unauthenticated => "unauthenticated",
        }
    }

    fn run(status: &wire::Status) -> Run {
        Run { boot: status.boot, session: status.session }
    }

    fn heard(&mut self, status: wire::Status) -> Vec<What> {
        let status = self.status.insert(read(&status));
        vec![What::Charger(News::Status(status.clone()))]
    }

    fn forget(&mut self) {
        self.status = None;
    }
}

impl Capability for Peer<Charger> {
    fn set(&mut self, target: Target, now_ms: u64) {
        let (id, expires_at_ms) = (*Uuid::new_v4().as_bytes(), now_ms + wire::MAX_COMMAND_LIFE_MS);
        self.tell(Offer { id, action: action(target), expires_at_ms });
    }

    fn status(&self) -> Option<&Status> {
        self.nature().status.as_ref()
    }
}

/// In the words of our protocol. A current that no vehicle can be offered is none.
fn action(target: Target) -> Action {
    let offer = |ma: u32| if ma < MIN_OFFER_MA { 0 } else { ma };
    let Target { limit_ma, fallback_ma, lease_s } = target;
    match offer(limit_ma) {
        0 => Action::Disable,
        limit_ma => {
            Action::Enable(Allowance { limit_ma, lease_s, fallback_ma: offer(fallback_ma) })
        }
    }
}

fn read(status: &wire::Status) -> Status {
    let plug = match status.pilot {
        Pilot::Charging | Pilot::Ventilation if status.closed => Plug::Charging,
        Pilot::Plugged | Pilot::Charging | Pilot::Ventilation => Plug::Plugged,
        Pilot::Unplugged | Pilot::Error => Plug::Free,
    };
    let fault = match status.fault {
        Fault::None if status.pilot == Pilot::Error => Some(Fault::Pilot),
        Fault::None => None,
        fault => Some(fault),
    };
    let meter = status.meter.map_or(Meter::default(), |meter| Meter {
        energy_wh: Some(meter.energy_wh),
        current_ma: meter.current_ma.into_iter().max(),
    });
    let limit_ma = if status.enabled { status.limit_ma } else { 0 };
    Status { plug, limit_ma, fault: fault.map(|fault| fault_word(fault).to_owned()), meter }
}

const fn fault_word(fault: Fault) -> &'static str {
    match fault {
        Fault::None => "none",
        Fault::Residual => "a current to earth",
        Fault::OverCurrent => "more current than was offered",
        Fault::Voltage => "too much or too little voltage",
        Fault::Temperature => "too hot",
        Fault::Contactor => "the contactor does not follow",
        Fault::Pilot => "the control pilot is not as it must be",
        Fault::Meter => "the meter does not answer",
        Fault::Other => "something else",
    }
}
