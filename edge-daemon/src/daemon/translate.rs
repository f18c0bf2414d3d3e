//! What the parts say, in the gate's words.

use domain::{clock::Stamp, event::Latency, money::Fen, parking::Session};

use crate::{
    controller::barrier::{self, Arm, Power},
    gate, journal, sightings,
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

/// What the journal says was unfinished, as the gate takes it up.
pub(super) fn journaled(recovered: journal::Recovered) -> gate::Journaled {
    let journal::Recovered { open_sessions, unresolved_intents, unpassed_opens, .. } = recovered;
    gate::Journaled {
        inside: open_sessions.into_iter().map(inside).collect(),
        intents: unresolved_intents
            .into_iter()
            .map(|i| gate::Intent { command: i.command, decision: i.decision, lane: i.lane })
            .collect(),
        unpassed: unpassed_opens.into_iter().map(|o| (o.decision, o.at)).collect(),
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
