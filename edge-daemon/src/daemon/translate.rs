//! What the parts say, in the gate's words.

use std::sync::Arc;

use domain::{clock::Stamp, event::Latency, locker::Denial, money::Fen, parking::Session};

use crate::{
    charger,
    controller::{
        self,
        barrier::{self, Arm, Power},
    },
    gate, journal, locker, sightings,
};

/// A sighting as it arrives at the lane. Vision's clock is this machine's monotonic clock.
pub(super) fn sighting(seen: &sightings::Sighting, now_us: u64, now: Stamp) -> gate::Sighting {
    let since_capture_us = now_us.saturating_sub(seen.captured_monotonic_us);
    gate::Sighting {
        plate: seen.plate.clone(),
        latency: Latency {
            detect_ms: seen.detect_ms,
            read_ms: seen.read_ms,
            sighting_ms: milliseconds(since_capture_us),
            decide_ms: 0.0,
        },
        passage: seen.passage,
        arrived_ms: now.monotonic_ms,
    }
}

/// Microseconds as milliseconds with a fraction.
pub(super) fn milliseconds(us: u64) -> f32 {
    us as f32 / 1000.0
}

/// What a barrier reports, as the lane with that barrier is told.
pub(super) fn input(news: barrier::News) -> gate::Input {
    use barrier::News;
    use gate::{Input, Report};

    Input::Barrier(match news {
        News::Arm(arm) => Report::Arm(self::arm(arm)),
        News::Loop(occupied) => Report::UnderArm(occupied),
        News::Presence(occupied) => Report::InFront(occupied),
        News::Fire(active) => Report::Fire(active),
        News::Power(power) => Report::OnBattery(power == Power::Battery),
        News::Button { .. } => return Input::Request(gate::Requester::Button),
    })
}

fn arm(arm: Arm) -> gate::Arm {
    match arm {
        Arm::Closed => gate::Arm::Closed,
        Arm::Opening => gate::Arm::Opening,
        Arm::Open => gate::Arm::Open,
        Arm::Closing => gate::Arm::Closing,
        Arm::Stopped => gate::Arm::Stopped,
        Arm::Fault => gate::Arm::Fault,
    }
}

/// A charge that the journal has, as the chargers take it up.
pub(super) fn open_charge(open: journal::OpenCharge) -> charger::OpenCharge {
    let journal::OpenCharge { assigned: (assigned, assigned_at), started, metered, is_to_stop } =
        open;
    charger::OpenCharge {
        assigned,
        assigned_at,
        started: started.map(|(started, at)| (started.at, 0, started.meter_wh, at)),
        metered: metered.map(|(read, at)| (read.at, read.energy_wh, read.meter_wh, at)),
        is_to_stop,
    }
}

/// How a charger is, as its controller tells it.
pub(super) fn charger_status(status: controller::charger::Status) -> charger::Status {
    let controller::charger::Status { plug, limit_ma, fault, meter } = status;
    let plug = match plug {
        controller::charger::Plug::Free => charger::Plug::Free,
        controller::charger::Plug::Plugged => charger::Plug::Plugged,
        controller::charger::Plug::Charging => charger::Plug::Charging,
    };
    charger::Status { plug, limit_ma, fault, meter: self::meter(meter) }
}

/// What a meter shows.
pub(super) fn meter(meter: controller::charger::Meter) -> charger::Meter {
    let controller::charger::Meter { energy_wh, current_ma } = meter;
    charger::Meter { energy_wh, current_ma }
}

/// What a charger is to do, as its controller takes it.
pub(super) fn target(target: charger::Target) -> controller::charger::Target {
    let charger::Target { limit_ma, fallback_ma, lease_s } = target;
    controller::charger::Target { limit_ma, fallback_ma, lease_s }
}

/// What a locker's controller reports, in the words of the lockers' books.
pub(super) fn at_locker(news: controller::locker::News) -> locker::Input {
    use controller::locker::{News, Source};
    use locker::Input;

    match news {
        News::Doors(doors) => Input::Doors(doors.into_iter().map(door).collect()),
        News::Happened { door, what, command } => {
            Input::Happened { door, what: happening(what), command }
        }
        News::Code { source, code, door } => {
            let source = match source {
                Source::Keypad => locker::Source::Keypad,
                Source::Scanner => locker::Source::Scanner,
            };
            Input::Code { source, code, door }
        }
    }
}

fn door(state: controller::locker::DoorState) -> locker::DoorState {
    let controller::locker::DoorState { door, closed, jammed } = state;
    locker::DoorState { door, closed, jammed }
}

fn happening(what: controller::locker::Happening) -> locker::Happening {
    use controller::locker::Happening;

    match what {
        Happening::Unlocked => locker::Happening::Unlocked,
        Happening::Opened => locker::Happening::Opened,
        Happening::Closed => locker::Happening::Closed,
        Happening::Relocked => locker::Happening::Relocked,
        Happening::Jammed => locker::Happening::Jammed,
        Happening::LeftOpen => locker::Happening::LeftOpen,
        Happening::Forced => locker::Happening::Forced,
    }
}

/// What a locker's controller is to do, in the link's words.
pub(super) fn to_locker(action: locker::Action) -> controller::Action {
    use controller::locker::{Action, Denial as Shown};

    controller::Action::Locker(match action {
        locker::Action::Open { door } => Action::Open { door },
        locker::Action::Deny(why) => Action::Deny(match why {
            Denial::WrongCode => Shown::WrongCode,
            Denial::LockedOut => Shown::LockedOut,
            Denial::Over => Shown::Over,
            _ => Shown::Unavailable,
        }),
    })
}

/// What the disk holds from before, as the gate takes it up.
pub(super) fn journaled(
    recovered: journal::Recovered,
    listed: gate::Listed,
    confirmed_ago_ms: Option<i64>,
) -> gate::Journaled {
    let journal::Recovered { open_sessions, unresolved_intents, unpassed_opens, .. } = recovered;
    gate::Journaled {
        inside: open_sessions.into_iter().map(inside).collect(),
        intents: unresolved_intents
            .into_iter()
            .map(|i| gate::Intent { command: i.command, decision: i.decision, lane: i.lane })
            .collect(),
        unpassed: unpassed_opens.into_iter().map(|o| (o.decision, o.at)).collect(),
        settings: recovered.settings,
        listed: Arc::new(listed),
        confirmed_ago_ms,
    }
}

fn inside(open: journal::OpenSession) -> gate::Inside {
    let journal::OpenSession { session, plate, entered_at, tariff, payments, quality, .. } = open;
    let mut session = Session::open(session, plate, entered_at, tariff);
    for payment in payments {
        // What was journaled was accepted then; a sum beyond counting stays uncounted now as then.
        let _ = session.pay(Fen(payment.amount_fen), payment.paid_at);
    }
    gate::Inside { session, since: gate::Since::EarlierRun(quality) }
}
